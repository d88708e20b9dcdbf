// Rows of a table of runs, in groups of those that agree in some columns; each group has an aggregate of its numbers.
import type { Run } from "../api/types";
import { compare_texts } from "./grouping";

export type Aggregate = "mean" | "min" | "max" | "spread";
export const kAggregates: Record<Aggregate, string> = { mean: "mean", min: "smallest", max: "largest", spread: "standard deviation" };

export interface RunRow { kind: "run"; key: string; run: Run; inside: boolean }
export interface GroupRow { kind: "group"; key: string; values: { column: string; value: string | null }[]; runs: Run[]; open: boolean }
export type TableRow = RunRow | GroupRow;
export type Value = string | number | null | undefined;
export interface Order { desc: boolean; value: (run: Run) => Value; group_by?: number | undefined }

export function aggregate(values: number[], how: Aggregate): number {
  if (values.length === 0) return NaN;
  if (how === "min") return Math.min(...values);
  if (how === "max") return Math.max(...values);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (how === "mean") return mean;
  return values.length < 2 ? NaN : Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/// The numbers among some values; texts that are numbers (parameters) count.
export const numbers_of = (values: Value[]) => values.flatMap((value) => {
  const known = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof known === "number" && Number.isFinite(known) ? [known] : [];
});

/// What is missing comes last, whatever the order.
export function compare_values(a: Value, b: Value, desc: boolean): number {
  const [none_a, none_b] = [a === null || a === undefined || Number.isNaN(a), b === null || b === undefined || Number.isNaN(b)];
  if (none_a || none_b) return Number(none_a) - Number(none_b);
  return (typeof a === "number" && typeof b === "number" ? a - b : compare_texts(String(a), String(b))) * (desc ? -1 : 1);
}

export const sorted_runs = (runs: Run[], { value, desc }: Order) =>
  runs.map((run) => ({ run, value: value(run) })).sort((a, b) => compare_values(a.value, b.value, desc)).map(({ run }) => run);

interface Grouped { runs: Run[]; by: { column: string; value: (run: Run) => Value }[]; open: string[]; order: Order | null; how: Aggregate }

/// Groups, ordered by their aggregate of the ordering column, else by what they are grouped by; the runs of open ones behind them.
export function group_rows({ runs, by, open, order, how }: Grouped): TableRow[] {
  const groups = new Map<string, GroupRow>();
  for (const run of runs) {
    const values = by.map(({ column, value }) => { const known = value(run); return { column, value: known === null || known === undefined ? null : String(known) }; });
    const key = `group:${JSON.stringify(values.map(({ value }) => value))}`;
    const group = groups.get(key);
    if (group) group.runs.push(run);
    else groups.set(key, { kind: "group", key, values, runs: [run], open: open.includes(key) });
  }
  const found = [...groups.values()];
  const by_values = (a: GroupRow, b: GroupRow) => a.values.reduce((sum, { value }, i) => sum || compare_texts(value, b.values[i]!.value), 0);
  if (order) {
    const of = new Map(found.map((group) => { const values = group.runs.map(order.value); const numbers = numbers_of(values); return [group, numbers.length ? aggregate(numbers, how) : values.find((value) => value !== null)] as const; }));
    found.sort((a, b) => compare_values(of.get(a), of.get(b), order.desc) || by_values(a, b));
  } else found.sort(by_values);
  return found.flatMap((group): TableRow[] => [group, ...(group.open ? (order ? sorted_runs(group.runs, order) : group.runs).map((run): RunRow => ({ kind: "run", key: run.id, run, inside: true })) : [])]);
}
