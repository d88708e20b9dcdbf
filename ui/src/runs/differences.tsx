// What two runs had that was not the same: inputs, environment, code.
import { Link } from "../app/router";
import { useGet } from "../api/hooks";
import type { Run, RunDiff } from "../api/types";
import { Loaded } from "../parts/basics";
import { Diff } from "../parts/code";
import { Section } from "../parts/detail";
import css from "./runs.module.css";

export function Differences({ runs }: { runs: Run[] }) {
  return <Pair left={runs[0]!} right={runs[1]!} />;
}

function Pair({ left, right }: { left: Run; right: Run }) {
  const diff = useGet<RunDiff>(["runs", left.id, "diff", right.id], `/api/v1/runs/${left.id}/diff/${right.id}`);
  return (
    <Loaded of={diff}>
      {(data) => (
        <div className="stack" style={{ gap: 24 }}>
          <Section title="Inputs"><Rows rows={data.inputs.map(({ name, left: a, right: b }) => [name, a, b])} none="Both had the same inputs." /></Section>
          <Section title="Environment"><Rows rows={data.environment.map(({ name, left: a, right: b }) => [name, a, b])} none="Both ran in the same environment." /></Section>
          <Section title="Code">
            <p className="quiet">From <code>{data.code.left_commit?.slice(0, 8) ?? "no commit"}</code> to <code>{data.code.right_commit?.slice(0, 8) ?? "no commit"}</code>.</p>
            {data.code.diff_of_diffs === null
              ? <p>What was not committed is with each run: <Link to={`/runs/${left.id}?tab=code`}>{left.name || "left"}</Link>, <Link to={`/runs/${right.id}?tab=code`}>{right.name || "right"}</Link>.</p>
              : <Diff text={data.code.diff_of_diffs} empty="The uncommitted changes are the same." />}
          </Section>
        </div>
      )}
    </Loaded>
  );
}

function Rows({ rows, none }: { rows: [string, string | null, string | null][]; none: string }) {
  if (rows.length === 0) return <p className="quiet">{none}</p>;
  return (
    <table className={css.values} style={{ maxWidth: 900 }}>
      <thead><tr><th>What</th><th>Left</th><th>Right</th></tr></thead>
      <tbody>{rows.map(([name, a, b]) => <tr key={name}><td>{name}</td><td className="num">{a ?? "–"}</td><td className="num">{b ?? "–"}</td></tr>)}</tbody>
    </table>
  );
}
