// The numbers of several runs beside each other: results, then the parameters that differ.
import { useMemo } from "react";
import type { Num, Run } from "../api/types";
import { Link, useParam } from "../app/router";
import { State, Swatch } from "../parts/basics";
import { Section } from "../parts/detail";
import { counted, duration, value_of } from "../parts/format";
import { look_of } from "./look";
import { in_order, metric_text } from "./metric";
import css from "./runs.module.css";

/// Wider tables are of no use to anybody.
const kColumnsMax = 50;

interface Row { group: string; key: string; values: (string | null)[]; differs: boolean; numbers?: number[] }

export function compare_rows(runs: Pick<Run, "parameters" | "metrics">[]): Row[] {
  const row = (group: string, key: string, values: (string | null)[], numbers?: number[]): Row => ({ group, key, values, differs: new Set(values).size > 1, ...(numbers ? { numbers } : {}) });
  const keys = (of: (run: Pick<Run, "parameters" | "metrics">) => object) => [...new Set(runs.flatMap((run) => Object.keys(of(run))))];
  return [
    ...in_order(keys((run) => run.metrics)).map((key) => {
      const last = runs.map((run) => run.metrics[key]?.last as Num | undefined);
      return row("Metrics", key, last.map((value) => (value === undefined ? null : metric_text(key, value))), last.map(value_of));
    }),
    ...keys((run) => run.parameters).sort().map((key) => row("Parameters", key, runs.map((run) => run.parameters[key] ?? null))),
  ];
}

export function SideBySide({ runs: all_runs }: { runs: Run[] }) {
  const [all, set_all] = useParam("all");
  const runs = all_runs.slice(0, kColumnsMax);
  const rows = useMemo(() => compare_rows(all_runs.slice(0, kColumnsMax)), [all_runs]);
  const shown = rows.filter((row) => row.group === "Metrics" || all === "1" || row.differs);
  const hidden = rows.length - shown.length;
  return (
    <Section title="Side by side" note={<label><input type="checkbox" checked={all === "1"} onChange={() => set_all(all === "1" ? null : "1")} /> What is the same too</label>}>
      {all_runs.length > runs.length && <p className="quiet">The first {counted(kColumnsMax, "run")} of {counted(all_runs.length, "run")}.</p>}
      <div className={css.over} tabIndex={0} role="region" aria-label="Side by side">
        <table className={`${css.values} ${css.side}`}>
          <RunHeads runs={runs} />
          <tbody>
            <tr><td className="quiet">State</td>{runs.map((run) => <td key={run.id} className={css.right}><State of={run.state} /></td>)}</tr>
            <tr><td className="quiet">Duration</td>{runs.map((run) => <td key={run.id} className={`${css.right} num`}>{duration(run.duration_s)}</td>)}</tr>
          </tbody>
          {["Metrics", "Parameters"].map((group) => <Rows key={group} group={group} rows={shown.filter((row) => row.group === group)} width={runs.length + 1} />)}
        </table>
      </div>
      {hidden > 0 && <p className="quiet">{counted(hidden, "parameter")} {hidden === 1 ? "is" : "are"} the same in all runs.</p>}
    </Section>
  );
}

export function RunHeads({ runs }: { runs: Run[] }) {
  const looks = look_of(runs);
  return (
    <thead>
      <tr>
        <th><span className="hidden">What</span></th>
        {runs.map((run) => <th key={run.id} className={css.right}><span className={css.run_head}><Swatch color={looks.get(run.id)!.color} /><Link to={`/runs/${run.id}`}>{looks.get(run.id)!.label}</Link></span></th>)}
      </tr>
    </thead>
  );
}

function Rows({ group, rows, width }: { group: string; rows: Row[]; width: number }) {
  if (rows.length === 0) return null;
  return (
    <tbody>
      <tr><th colSpan={width}>{group}</th></tr>
      {rows.map((row) => (
        <tr key={row.key} className={row.differs ? undefined : css.same}>
          <td>{row.key}</td>
          {row.values.map((value, i) => <td key={i} className={`${css.right} num`}>{value ?? "–"}</td>)}
        </tr>
      ))}
    </tbody>
  );
}
