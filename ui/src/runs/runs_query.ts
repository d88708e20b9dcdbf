// What a table of runs shows, all of it in the URL, and the runs that the server finds for it.
import { useEffect, useMemo } from "react";
import { url } from "../api/client";
import { useGet, useList } from "../api/hooks";
import type { Run, RunColumns } from "../api/types";
import { useListParam, useParam } from "../app/router";
import type { Column, Sort } from "../parts/table";
import { order_by, run_columns } from "./columns";
import { read_formulas, write_formulas, type NamedFormula } from "./formula";
import { formula_columns } from "./formulas";
import { kAggregates, type Aggregate } from "./run_groups";

/// Grouping, and ordering by a formula, need all runs in the browser; more than this are not fetched for it.
export const kWholeMax = 5000;
const kWholePage = 1000;
/// More than a screen shows; the page after them is asked for as soon as they are there.
const kFirstRuns = 60;
const kWholeEveryMs = 15_000;

export function useRunsQuery() {
  const [filter, set_filter] = useParam("filter");
  const [experiment, set_experiment] = useParam("experiment");
  const [sorted, set_sorted] = useParam("sort");
  const [chosen, set_chosen] = useListParam("columns");
  const [by, set_by] = useListParam("by");
  const [pinned, set_pinned] = useListParam("pins");
  const [how, set_how] = useParam("agg", "mean");
  const [formula_texts, set_formula_texts] = useListParam("formulas");
  const formulas = useMemo(() => read_formulas(formula_texts), [formula_texts]);
  const sort = useMemo<Sort | null>(() => (sorted ? { id: sorted.replace(/^-/, ""), desc: sorted.startsWith("-") } : null), [sorted]);
  return {
    filter, set_filter, experiment, set_experiment, sort, chosen, set_chosen, pinned, set_pinned, by, set_by, formulas,
    set_sort: (next: Sort | null) => set_sorted(next ? `${next.desc ? "-" : ""}${next.id}` : null),
    how: (how in kAggregates ? how : "mean") as Aggregate, set_how,
    set_formulas: (next: NamedFormula[]) => set_formula_texts(write_formulas(next)),
  };
}
export type RunsQuery = ReturnType<typeof useRunsQuery>;

export function useRuns(query: RunsQuery) {
  const { experiment, filter, sort, chosen, formulas, by } = query;
  const known = useGet<RunColumns>(["runs", "list", "columns", experiment], url("/api/v1/runs/columns", { experiment }), { keep: true, stale_ms: 10_000 });
  const columns = useMemo(() => run_columns(known.data), [known.data]);
  const computed = useMemo(() => formula_columns(formulas, known.data), [formulas, known.data]);
  const all = useMemo<Column<Run>[]>(() => with_formulas(columns, computed.columns), [columns, computed]);
  // A new formula is seen without being chosen, too.
  const shown = useMemo(() => (chosen.length ? [...chosen, ...computed.columns.map(({ id }) => id)] : all.filter(({ hidden }) => !hidden).map(({ id }) => id)), [chosen, computed, all]);
  const wanted = [...new Set([...shown, ...computed.fields, ...by].filter((id) => /^(metrics|params|tags)\./.test(id)))].sort().join(",");
  const sorts_here = sort?.id.startsWith("formula.") ?? false;
  const whole = by.length > 0 || sorts_here;
  const asked = { experiment, filter, order_by: sorts_here ? null : order_by(sort), columns: wanted, ...(whole ? { page_size: kWholePage } : {}) };
  // Thousands of runs are not read again at each event.
  const runs = useList<Run>(whole ? ["runs", "whole"] : ["runs", "list"], "/api/v1/runs", "runs", asked, whole ? { every_ms: kWholeEveryMs } : { first: kFirstRuns });
  const { more, load_more } = runs;
  useEffect(() => { if (whole && more && runs.rows.length < kWholeMax) load_more(); }, [whole, more, load_more, runs.rows.length]);
  return { known: known.data, columns: all, shown, runs, whole, sorts_here, asked };
}

/// Formulas stand before the metrics, where they are seen.
function with_formulas(columns: Column<Run>[], formulas: Column<Run>[]): Column<Run>[] {
  const first = columns.findIndex(({ id }) => /^(metrics|params|tags)\./.test(id));
  const at = first < 0 ? columns.length : first;
  return [...columns.slice(0, at), ...formulas, ...columns.slice(at)];
}
