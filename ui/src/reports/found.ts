// From what a block says to the runs that it means.
import { useMemo } from "react";
import { url } from "../api/client";
import { useGet } from "../api/hooks";
import type { Experiment, Run, SavedView } from "../api/types";
import { filter_of, read_block, with_view, type Block, type Kind } from "./blocks";

export interface Found {
  block: Block;
  /// What is wrong with the block, in sentences.
  problems: string[];
  /// Undefined until they are known.
  runs: Run[] | undefined;
  total: number;
  error: Error | null;
  again: () => void;
  /// The page that shows the same runs, as a query of its URL.
  query: Record<string, string>;
}

/// `columns` as the API takes it, of the block with its view.
export function useFound(kind: Kind, text: string, page_size: number, columns: (block: Block) => string): Found {
  const read = useMemo(() => read_block(kind, text), [kind, text]);
  const page = kind === "chart" ? "compare" : "runs";
  const named = read.block.view;
  const views = useGet<{ views: SavedView[] }>(["views", page], url("/api/v1/views", { page }), { enabled: named !== "", stale_ms: 10_000 });
  const view = views.data?.views.find(({ id, name }) => id === named || name === named);
  const block = useMemo(() => (view ? with_view(read.block, view.query) : read.block), [read, view]);

  const wanted = block.experiment;
  const experiments = useGet<{ experiments: Experiment[] }>(["experiments", "list"], url("/api/v1/experiments", { page_size: 1000 }), { enabled: wanted !== "", stale_ms: 30_000 });
  const experiment = experiments.data?.experiments.find(({ name }) => name === wanted)?.id ?? experiments.data?.experiments.find(({ id }) => id === wanted)?.id;

  const problems = [...read.problems];
  if (named && views.data && !view) problems.push(`there is no saved view “${named}” of the page of ${page === "compare" ? "compared runs" : "runs"}`);
  if (wanted && experiments.data && !experiment) problems.push(`there is no experiment “${wanted}”`);
  const ready = problems.length === 0 && (named === "" || view !== undefined) && (wanted === "" || experiment !== undefined);
  const asked = { experiment: experiment ?? "", filter: filter_of(block), order_by: block.order, columns: columns(block), page_size: Math.max(1, block.limit ?? page_size) };
  const answer = useGet<{ runs: Run[]; total: number }>(["runs", "list", "report", asked], url("/api/v1/runs", asked), { enabled: ready, keep: true });
  const query = kind === "chart" ? compare_query(block, experiment ?? "") : table_query(block, experiment ?? "");
  return { block, problems, runs: ready ? answer.data?.runs : undefined, total: answer.data?.total ?? 0, error: views.error ?? experiments.error ?? answer.error, again: () => void answer.refetch(), query };
}

const compare_query = (block: Block, experiment: string) => ({ ...block.look, ...(block.metrics.length === 1 ? { find: block.metrics[0]! } : {}), experiment, filter: block.filter, order: block.order, ids: block.ids.join(",") });

function table_query(block: Block, experiment: string): Record<string, string> {
  const [, field, direction] = /^(.*?)(?:\s+(asc|desc))?$/i.exec(block.order.trim()) ?? [];
  return { experiment, filter: filter_of(block), sort: field ? `${direction?.toLowerCase() === "desc" ? "-" : ""}${field}` : "", columns: block.columns.map((id) => id.replace(/[%,]/g, encodeURIComponent)).join(",") };
}
