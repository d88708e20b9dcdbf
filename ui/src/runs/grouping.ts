// Runs that belong together: the same but for the seed, or the same in a few keys.
import type { Run } from "../api/types";

export interface Group { label: string; runs: Run[] }
/// By these keys, or by all parameters but these.
export interface Grouping { keys: string[]; but: boolean }
export type Fields = Pick<Run, "parameters" | "tags" | "experiment_name" | "state">;

/// "params.lr,tags.team", or with "-" in front all parameters but these; null for text that says nothing.
export function parse_grouping(text: string): Grouping | null {
  if (!text) return null;
  const but = text.startsWith("-");
  const keys = (but ? text.slice(1) : text).split(",").filter(Boolean).map(decodeURIComponent);
  return but || keys.length ? { keys, but } : null;
}
export const render_grouping = (grouping: Grouping | null) =>
  grouping && (grouping.but || grouping.keys.length) ? `${grouping.but ? "-" : ""}${grouping.keys.map((key) => key.replace(/[%,]/g, encodeURIComponent)).join(",")}` : null;

/// "params.lr", "tags.team", "experiment_name" or "state" of a run.
export function field_of(run: Fields, key: string): string | null {
  const [, kind, name] = /^(params|tags)\.(.*)$/s.exec(key) ?? [];
  if (kind === "params") return run.parameters[name!] ?? null;
  if (kind === "tags") return run.tags[name!] ?? null;
  return key === "experiment_name" ? run.experiment_name : key === "state" ? run.state : null;
}
export const short_key = (key: string) => key.replace(/^(params|tags)\./, "");

/// What the runs differ in, so that grouping by it says something. Tags that mlflow and Slipway set are not among them.
export function differing_fields(runs: Fields[]): string[] {
  const of = (kind: "params" | "tags", keys: (run: Fields) => object) => [...new Set(runs.flatMap((run) => Object.keys(keys(run))))].sort().map((key) => `${kind}.${key}`);
  const all = [...of("params", (run) => run.parameters), ...of("tags", (run) => run.tags).filter((key) => !/^tags\.(mlflow|slipway)\./.test(key)), "experiment_name", "state"];
  return all.filter((key) => new Set(runs.map((run) => field_of(run, key))).size > 1);
}

export function group_runs(runs: Run[], grouping: Grouping): Group[] {
  const differing = differing_fields(runs);
  const keys = grouping.but ? differing.filter((key) => key.startsWith("params.") && !grouping.keys.includes(key)) : grouping.keys;
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const values = JSON.stringify(keys.map((key) => field_of(run, key)));
    groups.set(values, [...(groups.get(values) ?? []), run]);
  }
  const found = [...groups].map(([values, members]) => ({ values: JSON.parse(values) as (string | null)[], members }));
  found.sort((a, b) => a.values.reduce((order, value, i) => order || compare_texts(value, b.values[i]!), 0));
  return found.map(({ values, members }) => ({ label: label_of(keys, values), runs: members }));
}

/// Numbers by value, before other texts; what is missing first.
export function compare_texts(a: string | null, b: string | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  const [left, right] = [Number(a), Number(b)];
  if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right)) || a.localeCompare(b);
  return left - right;
}

function label_of(keys: string[], values: (string | null)[]): string {
  const parts = keys.map((key, i) => `${short_key(key)} = ${values[i] ?? "–"}`);
  return parts.length ? parts.join(", ") : "all runs";
}
