import type { Num } from "../api/types";
import { bytes, number, value_of } from "../parts/format";

/// Metrics of the machine, which the runner logs, stand after those of the training.
export const is_system = (key: string) => key.startsWith("system/") || key.startsWith("machine.");
export const in_order = (keys: string[]) => [...keys].sort((a, b) => Number(is_system(a)) - Number(is_system(b)) || a.localeCompare(b));

/// A value with the unit that its key says.
export function metric_text(key: string, value: Num | undefined): string {
  const known = value_of(value);
  if (is_system(key) && key.endsWith("_bytes") && Number.isFinite(known)) return bytes(known);
  if (is_system(key) && key.endsWith("_percent") && Number.isFinite(known)) return `${number(known)} %`;
  return number(value);
}
