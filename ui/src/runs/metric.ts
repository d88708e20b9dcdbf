import type { Num } from "../api/types";
import { bytes, number, value_of } from "../parts/format";

/// Metrics of the machine, which the runner logs, stand after those of the training, and those in folders after the others.
export const is_system = (key: string) => key.startsWith("system/") || key.startsWith("machine.");
export const in_order = (keys: string[]) => [...keys].sort((a, b) => Number(is_system(a)) - Number(is_system(b)) || Number(a.includes("/")) - Number(b.includes("/")) || a.localeCompare(b));

/// A value with the unit that its key says.
export function metric_text(key: string, value: Num | undefined): string {
  const known = value_of(value);
  if (is_system(key) && key.endsWith("_bytes") && Number.isFinite(known)) return bytes(known);
  if (is_system(key) && key.endsWith("_bytes_per_s") && Number.isFinite(known)) return `${bytes(known)}/s`;
  if (is_system(key) && /_percent(age)?$/.test(key) && Number.isFinite(known)) return `${number(known)} %`;
  if (is_system(key) && /_megabytes$|_MB$/.test(key) && Number.isFinite(known)) return bytes(known * 1e6);
  if (is_system(key) && /_w$|_power_usage_watts$/.test(key) && Number.isFinite(known)) return `${number(known)} W`;
  return number(value);
}

/// Whether less is better, as far as a metric's name says so.
export const is_lower_better = (key: string) => /loss|err|mae\b|mse\b|perplexity|\bppl\b|latency|seconds|_s$|_ms$|\bnll\b|fid\b|wer\b|cer\b/i.test(key);
