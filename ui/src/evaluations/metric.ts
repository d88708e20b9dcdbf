import type { Estimate } from "../api/types";

/// The metric that speaks for an evaluation: the best known names first.
export function first_metric(metrics: Record<string, Estimate>): [string, Estimate] | null {
  for (const name of ["accuracy", "iou", "mean_iou", "f1"]) if (metrics[name]) return [name, metrics[name]];
  return Object.entries(metrics)[0] ?? null;
}

export const metric_names = (all: Record<string, Estimate>[]) => [...new Set(all.flatMap((metrics) => Object.keys(metrics)))];
