// What runs can be laid out by: their parameters and the last values of their metrics, as numbers or as words.
import type { Run } from "../api/types";
import { value_of } from "../parts/format";
import { compare_texts, differing_fields } from "./grouping";
import { in_order, is_lower_better, is_system } from "./metric";

export interface Field {
  id: string;
  name: string;
  /// One for each run: a place on the field's scale; NaN where it is missing.
  values: number[];
  /// The words that the places 0, 1, 2… stand for; null for numbers.
  words: string[] | null;
  /// All above zero, over more than two powers of ten, and most of them at the lower end.
  log: boolean;
}

const kLogRatio = 100;

export function metric_field(runs: Run[], key: string): Field {
  return finished(`metrics.${key}`, key, runs.map((run) => { const value = value_of(run.metrics[key]?.last); return Number.isFinite(value) ? value : NaN; }));
}

export function parameter_field(runs: Run[], key: string): Field {
  const texts = runs.map((run) => run.parameters[key] ?? null);
  const numbers = texts.map((text) => (text === null || text.trim() === "" ? NaN : Number(text)));
  const all_numbers = texts.every((text, i) => text === null || Number.isFinite(numbers[i]!));
  if (all_numbers) return finished(`params.${key}`, key, numbers);
  const words = [...new Set(texts.filter((text) => text !== null))].sort(compare_texts);
  return { id: `params.${key}`, name: key, values: texts.map((text) => (text === null ? NaN : words.indexOf(text))), words, log: false };
}

function finished(id: string, name: string, values: number[]): Field {
  const known = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const [low, high, median] = [known[0] ?? NaN, known.at(-1) ?? NaN, known[known.length >> 1] ?? NaN];
  return { id, name, values, words: null, log: low > 0 && high / low >= kLogRatio && median < (low + high) / 4 };
}

/// "params.lr" or "metrics.loss".
export const field_by_id = (runs: Run[], id: string): Field => (id.startsWith("metrics.") ? metric_field(runs, id.slice(8)) : parameter_field(runs, id.replace(/^params\./, "")));

/// Parameters that differ among the runs.
export const differing_parameters = (runs: Run[]) => differing_fields(runs).filter((id) => id.startsWith("params."));
export const metric_ids = (runs: Run[]) => in_order([...new Set(runs.flatMap((run) => Object.keys(run.metrics)))]).map((key) => `metrics.${key}`);

/// What runs are most likely judged by: a validation metric before others, one that goes up or down before what just is.
export function likely_target(ids: string[]): string | null {
  const score = (id: string) => Number(/val|valid|test|eval/i.test(id)) * 2 + Number(/acc|f1|auc|score|iou|map\b/i.test(id) || is_lower_better(id)) * 3 - Number(is_system(id.slice(8))) * 9;
  return [...ids].sort((a, b) => score(b) - score(a))[0] ?? null;
}

/// The share of the way from the lowest to the highest value at which one lies.
export function scale_of(field: Field): { low: number; high: number; at: (value: number) => number; back: (share: number) => number } {
  const known = field.values.filter((value) => !Number.isNaN(value));
  let [low, high] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
  if (low === high) [low, high] = field.log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  if (!field.log) return { low, high, at: (value) => (value - low) / (high - low), back: (share) => low + share * (high - low) };
  const span = Math.log(high / low);
  return { low, high, at: (value) => Math.log(value / low) / span, back: (share) => low * Math.exp(share * span) };
}

/// Some places between the ends, for ticks.
export function ticks_of(field: Field, most = 6): number[] {
  if (field.words) return field.words.map((_, i) => i);
  const distinct = [...new Set(field.values.filter((value) => !Number.isNaN(value)))].sort((a, b) => a - b);
  if (distinct.length <= most) return distinct;
  const { back } = scale_of(field);
  return Array.from({ length: most }, (_, i) => back(i / (most - 1)));
}
