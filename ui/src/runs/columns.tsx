// The columns of a table of runs: what every run has, then one for each parameter, metric and tag that the server knows.
import type { Run, RunColumns } from "../api/types";
import { Ago, State } from "../parts/basics";
import { duration, short_id, value_of } from "../parts/format";
import { compare_texts } from "./grouping";
import { in_order, is_system, metric_text } from "./metric";
import { Link } from "../app/router";
import type { Column } from "../parts/table";

const fixed: Column<Run>[] = [
  { id: "name", name: "Name", width: 190, value: (run) => run.name || run.id, cell: (run) => <Link to={`/runs/${run.id}`}>{run.name || short_id(run.id)}</Link> },
  { id: "state", name: "State", width: 100, value: (run) => run.state, cell: (run) => <State of={run.state} /> },
  { id: "created_at", name: "Created", width: 104, right: true, value: (run) => run.created_at, cell: (run) => <Ago at={run.created_at} /> },
  { id: "duration_s", name: "Duration", width: 104, right: true, value: (run) => run.duration_s, cell: (run) => duration(run.duration_s), text: duration },
  { id: "experiment_name", name: "Experiment", width: 108, value: (run) => run.experiment_name, sortable: false },
  { id: "step", name: "Step", width: 84, value: (run) => run.source?.step ?? null, sortable: false },
  { id: "member", name: "Member", width: 80, value: (run) => run.member },
  { id: "commit", name: "Commit", width: 100, hidden: true, sortable: false, value: (run) => run.source?.commit ?? null, cell: (run) => run.source?.commit ? <code>{run.source.commit.slice(0, 8)}{run.source.dirty ? " +" : ""}</code> : <span className="quiet">–</span>, hint: "The commit the code was at; + when there were changes beside it" },
  { id: "attempt_count", name: "Attempts", width: 84, right: true, hidden: true, sortable: false, value: (run) => run.attempt_count },
  { id: "id", name: "Id", width: 270, hidden: true, value: (run) => run.id, cell: (run) => <code>{run.id}</code> },
];

/// How many metrics and parameters are shown before one chooses.
const kFirstShown = 4;

export function run_columns(known: RunColumns | undefined): Column<Run>[] {
  const keys = in_order(known?.metrics ?? []);
  const metrics = keys.map((key, i): Column<Run> => ({
    id: `metrics.${key}`, name: key, width: 104, right: true, hidden: i >= kFirstShown || is_system(key), hint: `metrics.${key}, last value`,
    value: (run) => { const value = value_of(run.metrics[key]?.last); return Number.isNaN(value) ? null : value; },
    text: (value) => metric_text(key, value),
    cell: (run) => (run.metrics[key] ? metric_text(key, run.metrics[key].last) : <span className="quiet">–</span>),
  }));
  const parameters = (known?.parameters ?? []).map((key, i): Column<Run> => ({
    id: `params.${key}`, name: key, width: 96, right: true, hidden: i >= kFirstShown, hint: `params.${key}`, value: (run) => run.parameters[key] ?? null,
  }));
  const tags = (known?.tags ?? []).map((key): Column<Run> => ({
    id: `tags.${key}`, name: key, width: 120, hidden: true, hint: `tags.${key}`, value: (run) => run.tags[key] ?? null,
  }));
  return [...fixed, ...metrics, ...parameters, ...tags];
}

/// What may stand left of an operator in the filter.
export function filter_words(known: RunColumns | undefined): string[] {
  return [
    "state", "name", "created_at", "started_at", "duration_s", "member", "and", "like", "ilike", "order_by",
    ...(known?.metrics ?? []).map((key) => `metrics.${key}`), ...(known?.parameters ?? []).map((key) => `params.${key}`), ...(known?.tags ?? []).map((key) => `tags.${key}`),
  ].filter((word) => word !== "order_by");
}

/// Values that the filter may compare with, as far as the runs on screen have them.
export function filter_values(runs: Run[], field: string): string[] {
  const of = (run: Run): string | null | undefined => {
    const [, kind, key] = /^(params|tags)\.(.+)$/s.exec(field) ?? [];
    if (kind === "params") return run.parameters[key!];
    if (kind === "tags") return run.tags[key!];
    return field === "name" || field === "run_name" ? run.name : field === "member" ? run.member : field === "experiment_name" ? run.experiment_name : null;
  };
  if (field === "state") return ["queued", "scheduled", "running", "stopping", "finished", "failed", "killed"];
  return [...new Set(runs.flatMap((run) => of(run) || []))].sort(compare_texts);
}

/// The server's order_by for a column of the table; null for those it cannot order by.
export function order_by(sort: { id: string; desc: boolean } | null): string | null {
  if (!sort) return null;
  const field = /^(metrics|params|tags)\.(.+)$/.exec(sort.id);
  const name = field && /[^\w.]/.test(field[2]!) ? `${field[1]}.\`${field[2]}\`` : sort.id;
  return `${name} ${sort.desc ? "desc" : "asc"}`;
}
