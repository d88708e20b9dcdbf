// Which runs are compared: those that the URL names, or those that a filter finds.
import { useQuery } from "@tanstack/react-query";
import { get, url, type ApiError } from "../api/client";
import { useGet } from "../api/hooks";
import type { Run, RunColumns } from "../api/types";
import { useListParam, useParam } from "../app/router";
import { in_order } from "./metric";
import { is_running } from "./state";

/// More runs than this a filter's comparison does not read.
export const kComparedMax = 1000;
/// Of so many runs not every metric of thousands is asked for, and only what fits into a URL.
const kColumnsMax = 200;
const kColumnsCharactersMax = 6000;
const kRefreshMs = 5000;

interface Page { runs: Run[]; next_page_token: string | null; total?: number }
export interface Compared {
  runs: Run[] | undefined;
  error: ApiError | null;
  again: () => void;
  /// How many the filter finds, which may be more than are read.
  total: number;
  by_filter: boolean;
  /// Metrics and parameters that were left out, because there are too many.
  left_out: number;
  /// Runs that the URL names and the project does not have.
  missing: number;
}

export function useCompared(): Compared {
  const [named] = useListParam("ids");
  const ids = named.slice(0, kComparedMax);
  const [filter] = useParam("filter");
  const [experiment] = useParam("experiment");
  const [order] = useParam("order");
  const by_filter = ids.length === 0;
  const known = useGet<RunColumns>(["runs", "list", "columns", experiment], url("/api/v1/runs/columns", { experiment }), { enabled: by_filter, stale_ms: 60_000 });
  const { columns, left_out } = columns_of(known.data);
  const query = by_filter
    ? { filter, experiment, order_by: order, columns, page_size: kComparedMax }
    : { filter: `run_id IN (${ids.map((id) => `'${id.replace(/[^\w-]/g, "")}'`).join(",")})`, columns: "*", page_size: kComparedMax };
  const answer = useQuery<Page, ApiError>({
    // Not among the lists of runs, which each event makes old: so many are read again at a pace of their own.
    queryKey: ["runs", "compared", query],
    queryFn: ({ signal }) => get<Page>(url("/api/v1/runs", query), signal),
    enabled: !by_filter || known.data !== undefined,
    refetchInterval: ({ state }) => (state.data?.runs.some(is_running) ? kRefreshMs : false),
  });
  const found = answer.data?.runs;
  const runs = found && !by_filter ? ids.flatMap((id) => found.filter((run) => run.id === id)) : found;
  const again = () => void (known.error ? known.refetch() : answer.refetch());
  const missing = runs && !by_filter ? ids.length - runs.length : 0;
  return { runs, missing, error: answer.error ?? known.error, again, total: answer.data?.total ?? found?.length ?? 0, by_filter, left_out: by_filter ? left_out : 0 };
}

/// Parameters before metrics, tags last.
export function columns_of(known: RunColumns | undefined): { columns: string; left_out: number } {
  const all = [...(known?.parameters ?? []).map((key) => `params.${key}`), ...in_order(known?.metrics ?? []).map((key) => `metrics.${key}`), ...(known?.tags ?? []).map((key) => `tags.${key}`)];
  const kept: string[] = [];
  let characters = 0;
  for (const one of all) {
    characters += one.length + 1;
    if (kept.length === kColumnsMax || characters > kColumnsCharactersMax) break;
    kept.push(one);
  }
  return { columns: kept.join(","), left_out: all.length - kept.length };
}
