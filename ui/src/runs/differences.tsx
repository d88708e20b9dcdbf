// What runs had that was not the same: code, data, environment, machine; and the changes of code between two of them.
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { get } from "../api/client";
import { useGet } from "../api/hooks";
import type { Environment, Lineage, Run, RunDiff, Snapshot } from "../api/types";
import { Link, useParam } from "../app/router";
import { Loaded, Skeleton } from "../parts/basics";
import { Diff } from "../parts/code";
import { Section } from "../parts/detail";
import { bytes, counted } from "../parts/format";
import { look_of } from "./look";
import { titled } from "./record";
import { RunHeads } from "./side_by_side";
import css from "./runs.module.css";

/// What each of them recorded is asked for one by one.
const kRunsMax = 20;

type Machine = Record<string, unknown>;
interface Records { snapshot: Snapshot | null; environment: Environment | null; machine: Machine | null; lineage: Lineage | null }
export interface DifferenceRow { key: string; values: (string | null)[] }

export function Differences({ runs: all }: { runs: Run[] }) {
  const runs = useMemo(() => all.slice(0, kRunsMax), [all]);
  const { records, waiting } = useRecords(runs);
  const [every, set_every] = useParam("all");
  if (waiting) return <Skeleton rows={14} />;
  const shown = (rows: DifferenceRow[]) => (every === "1" ? rows : rows.filter(({ values }) => new Set(values).size > 1));
  const outside = runs.filter(({ source }) => source?.kind === "client").length;
  const sections = [
    ["Code", code_rows(runs, records)], ["Data and models that went in", input_rows(records)],
    ["Environment", environment_rows(records)], ["Machine", machine_rows(records)],
  ] as const;
  return (
    <div className="stack" style={{ gap: 24 }}>
      <div className={css.tools}>
        <label><input type="checkbox" checked={every === "1"} onChange={() => set_every(every === "1" ? null : "1")} /> What is the same too</label>
        {all.length > runs.length && <span className="quiet">The first {counted(kRunsMax, "run")} of {counted(all.length, "run")}.</span>}
        {outside > 0 && <span className="quiet">{outside === runs.length ? `All ${outside} runs` : `${counted(outside, "run")} of ${counted(runs.length, "run")}`} {outside === 1 ? "was" : "were"} started outside Slipway, which records only what the client told.</span>}
      </div>
      {sections.map(([title, rows]) => <Part key={title} title={title} runs={runs} rows={shown(rows)} known={rows.length} />)}
      {outside < runs.length && <CodeChanges runs={runs} />}
    </div>
  );
}

/// What was not recorded is null, and so is what could not be read: a run that a client started has no environment.
function useRecords(runs: Run[]): { records: Records[]; waiting: boolean } {
  const asked = runs.flatMap((run) => {
    const kinds = run.source?.kind === "client" ? ["lineage"] : ["snapshot", "environment", "machine", "lineage"];
    return kinds.map((kind) => ({ run: run.id, kind }));
  });
  const answers = useQueries({ queries: asked.map(({ run, kind }) => ({ queryKey: ["runs", run, kind], queryFn: () => get<unknown>(`/api/v1/runs/${run}/${kind}`), retry: false })) });
  const of = (run: string, kind: string) => { const i = asked.findIndex((one) => one.run === run && one.kind === kind); return i < 0 ? null : (answers[i]?.data ?? null); };
  const records = runs.map(({ id }) => ({ snapshot: of(id, "snapshot"), environment: of(id, "environment"), machine: of(id, "machine"), lineage: of(id, "lineage") }) as Records);
  return { records, waiting: answers.some(({ isPending }) => isPending) };
}

const row = (key: string, values: (string | null | undefined)[]): DifferenceRow => ({ key, values: values.map((value) => value || null) });
const known = (rows: DifferenceRow[]) => rows.filter(({ values }) => values.some((value) => value !== null));

export function code_rows(runs: Pick<Run, "source">[], records: Pick<Records, "snapshot">[]): DifferenceRow[] {
  const dirty = (value: boolean | null | undefined) => (value === null || value === undefined ? null : value ? "changed" : "as committed");
  return known([
    row("Commit", runs.map(({ source }) => source?.commit?.slice(0, 12))),
    row("Branch", runs.map(({ source }) => source?.branch)),
    row("Working copy", runs.map(({ source }, i) => dirty(records[i]?.snapshot?.dirty ?? source?.dirty))),
    row("Files", records.map(({ snapshot }) => snapshot?.tree?.slice(0, 12))),
    row("Step", runs.map(({ source }) => source?.step)),
    row("Command", runs.map(({ source }) => source?.command)),
  ]);
}

/// A row for each way in which something went in; several by the same way stand together.
export function input_rows(records: Pick<Records, "lineage">[]): DifferenceRow[] {
  const named = records.map(({ lineage }) => {
    const ways = new Map<string, string[]>();
    for (const { kind, relation, name } of lineage?.inputs ?? []) { const way = relation || kind.replace(/_/g, " "); ways.set(way, [...(ways.get(way) ?? []), name]); }
    return ways;
  });
  return [...new Set(named.flatMap((ways) => [...ways.keys()]))].sort().map((way) => row(way, named.map((ways) => ways.get(way)?.sort().join(", "))));
}

export function environment_rows(records: Pick<Records, "environment">[]): DifferenceRow[] {
  const versions = records.map(({ environment }) => new Map((environment?.packages ?? []).map(({ name, version }) => [name, version])));
  const packages = [...new Set(versions.flatMap((one) => [...one.keys()]))].sort((a, b) => a.localeCompare(b));
  const variables = [...new Set(records.flatMap(({ environment }) => Object.keys(environment?.variables ?? {})))].sort();
  return known([
    row("Kind", records.map(({ environment }) => environment?.kind)),
    row("Interpreter", records.map(({ environment }) => environment?.interpreter)),
    row("Python", records.map(({ environment }) => environment?.python_version)),
    row("Lock", records.map(({ environment }) => environment?.lock_hash?.slice(0, 12))),
    ...variables.map((name) => row(`$${name}`, records.map(({ environment }) => environment?.variables?.[name]))),
    ...packages.map((name) => row(name, versions.map((one) => one.get(name)))),
  ]);
}

export function machine_rows(records: Pick<Records, "machine">[]): DifferenceRow[] {
  const keys = [...new Set(records.flatMap(({ machine }) => Object.keys(machine ?? {})))];
  return known(keys.map((key) => row(titled(key.replace(/_bytes$/, "")), records.map(({ machine }) => text_of(key, machine?.[key])))));
}

function text_of(key: string, value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (typeof value === "number") return key.endsWith("_bytes") ? bytes(value) : String(value);
  if (Array.isArray(value)) return value.map((one) => text_of(key, one) ?? "").join("; ") || null;
  if (typeof value === "object") return Object.entries(value).map(([name, one]) => `${name} ${text_of(name, one) ?? "–"}`).join(", ");
  return String(value);
}

function Part({ title, runs, rows, known: all }: { title: string; runs: Run[]; rows: DifferenceRow[]; known: number }) {
  const none = all === 0 ? "Nothing was recorded." : `The same in all: ${counted(all, "entry", "entries")}.`;
  return (
    <Section title={title}>
      {rows.length === 0 ? <p className="quiet">{none}</p> : (
        <div className={css.over} tabIndex={0} role="region" aria-label={title}>
          <table className={`${css.values} ${css.side}`}>
            <RunHeads runs={runs} />
            <tbody>{rows.map(({ key, values }) => (
              <tr key={key} className={new Set(values).size > 1 ? undefined : css.same}><td>{key}</td>{values.map((value, i) => <td key={i} className={`${css.right} num ${css.wraps}`}>{value ?? "–"}</td>)}</tr>
            ))}</tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

/// The uncommitted changes of two runs against each other.
function CodeChanges({ runs }: { runs: Run[] }) {
  const looks = useMemo(() => look_of(runs), [runs]);
  const [left_id, set_left] = useParam("left");
  const [right_id, set_right] = useParam("right");
  const left = runs.find(({ id }) => id === left_id) ?? runs[0]!;
  const right = runs.find(({ id }) => id === right_id) ?? runs.find(({ id }) => id !== left.id)!;
  const choose = (name: string, value: string, set: (id: string) => void) => (
    <label>{name} <select value={value} onChange={(event) => set(event.target.value)}>{runs.map(({ id }) => <option key={id} value={id}>{looks.get(id)!.label}</option>)}</select></label>
  );
  return (
    <Section title="Changes of code between two">
      <div className={css.tools}>{choose("From", left.id, set_left)}{choose("To", right.id, set_right)}</div>
      <Changes left={left} right={right} />
    </Section>
  );
}

function Changes({ left, right }: { left: Run; right: Run }) {
  const diff = useGet<RunDiff>(["runs", left.id, "diff", right.id], `/api/v1/runs/${left.id}/diff/${right.id}`);
  return (
    <Loaded of={diff}>
      {({ code }) => (
        <>
          <p className="quiet">From <code>{code.left_commit?.slice(0, 8) ?? "no commit"}</code> to <code>{code.right_commit?.slice(0, 8) ?? "no commit"}</code>.</p>
          {code.diff_of_diffs === null
            ? <p>What was not committed is with each run: <Link to={`/runs/${left.id}?tab=code`}>{left.name || "left"}</Link>, <Link to={`/runs/${right.id}?tab=code`}>{right.name || "right"}</Link>.</p>
            : <Diff text={code.diff_of_diffs} empty="The uncommitted changes are the same." />}
        </>
      )}
    </Loaded>
  );
}
