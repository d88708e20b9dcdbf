// Which runs are compared: those that the URL names, or those that a filter finds.
import { useQuery } from "@tanstack/react-query";
import { get, url, type ApiError } from "../api/client";
import type { Run } from "../api/types";
import { useListParam, useParam } from "../app/router";
import { is_running } from "./state";

/// More runs than this a filter's comparison does not read.
export const kComparedMax = 1000;
const kRefreshMs = 5000;

interface Page { runs: Run[]; next_page_token: string | null; total?: number }
export interface Compared {
  runs: Run[] | undefined;
  error: ApiError | null;
  again: () => void;
  /// How many the filter finds, which may be more than are read.
  total: number;
  by_filter: boolean;
}

export function useCompared(): Compared {
  const [ids, set_ids] = useListParam("ids");
  const [filter] = useParam("filter");
  const [experiment] = useParam("experiment");
  const [order] = useParam("order");
  void set_ids;
  const query = ids.length
    ? { filter: `run_id IN (${ids.map((id) => `'${id.replace(/[^\w-]/g, "")}'`).join(",")})`, columns: "*", page_size: kComparedMax }
    : { filter, experiment, order_by: order, columns: "*", page_size: kComparedMax };
  const answer = useQuery<Page, ApiError>({
    queryKey: ["runs", "list", "compared", query],
    queryFn: ({ signal }) => get<Page>(url("/api/v1/runs", query), signal),
    refetchInterval: ({ state }) => (state.data?.runs.some(is_running) ? kRefreshMs : false),
  });
  const found = answer.data?.runs;
  const runs = found && ids.length ? ids.flatMap((id) => found.filter((run) => run.id === id)) : found;
  return { runs, error: answer.error, again: () => void answer.refetch(), total: answer.data?.total ?? found?.length ?? 0, by_filter: ids.length === 0 };
}
