import type { HistogramData } from "../api/types";
import { number } from "./format";

export interface Bin { share: number; count: number; range: string }

/// A histogram as bins of equal width on the screen. With one count more than edges the outer bins are open; the edges are
/// quantiles of the reference then, so equal widths say more than true ones, which would be needles and plains.
export function bins_of({ edges, counts }: HistogramData): Bin[] {
  const sum = counts.reduce((a, b) => a + b, 0) || 1;
  const is_open = counts.length === edges.length + 1;
  return counts.map((count, i) => {
    const from = is_open ? edges[i - 1] : edges[i];
    const to = is_open ? edges[i] : edges[i + 1];
    const range = from === undefined ? (to === undefined ? "all" : `under ${number(to)}`) : to === undefined ? `${number(from)} and more` : `${number(from)} to ${number(to)}`;
    return { share: count / sum, count, range };
  });
}
