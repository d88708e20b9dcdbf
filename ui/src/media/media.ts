// Media of runs: what the server lists by key and step, and where their bytes are.
import { address, parts, url } from "../api/client";
import type { MediaFile, MediaItem, MediaKey, MediaKind } from "../api/types";

export type { MediaFile, MediaItem, MediaKey, MediaKind };

export const content = (run: string, path: string) => `/api/v1/runs/${run}/artifacts/content/${parts(path)}`;
/// For elements that fetch by themselves: players, frames, links.
export const content_address = (run: string, path: string, how: { frame?: boolean; download?: boolean } = {}) =>
  address(url(content(run, path), { frame: how.frame ? 1 : null, download: how.download ? 1 : null }));

/// A key in a URL: the same key may be there in several kinds.
export const id_of = ({ kind, key }: Pick<MediaKey, "kind" | "key">) => `${kind}:${key}`;
export const named = (keys: MediaKey[], id: string) => keys.find((one) => id_of(one) === id);

/// What the keys of queries about several runs begin with: an event about any of the runs finds them.
export const runs_key = (runs: string[]) => ["media", "runs", Object.fromEntries(runs.map((run) => [run, true]))];

/// Steps of several keys, rising, each once.
export function steps_of(keys: Pick<MediaKey, "steps">[]): number[] {
  return [...new Set(keys.flatMap(({ steps }) => steps))].sort((a, b) => a - b);
}

/// The place of a step among rising ones: itself, else the last before it, else the first. -1 when there are none.
export function place_of_step(steps: number[], step: number): number {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle]! <= step) low = middle + 1;
    else high = middle;
  }
  return steps.length === 0 ? -1 : Math.max(0, low - 1);
}

export const at_step = (items: MediaItem[], step: number | null) => items.filter((item) => item.step === step);

/// What there is at a step, or before it: an evaluation every tenth step is shown in between, and says so.
export function until_step(items: MediaItem[], step: number): { items: MediaItem[]; step: number | null } {
  const steps = [...new Set(items.flatMap((item) => (item.step === null ? [] : [item.step])))];
  if (steps.length === 0) return { items, step: null };
  const before = steps.filter((one) => one <= step).at(-1);
  return before === undefined ? { items: [], step: steps[0]! } : { items: at_step(items, before), step: before };
}

/// So many neighbours, with the chosen one among them.
export function window_of(steps: number[], place: number, count: number): number[] {
  const start = Math.max(0, Math.min(place - Math.floor((count - 1) / 2), steps.length - count));
  return steps.slice(start, start + count);
}

// --- the step in the URL ----------------------------------------------------------------------------------------------

/// Without a step in the URL the last one: it is what one waits for while a run trains.
export function chosen_step(steps: number[], text: string): number | null {
  const step = text === "" ? NaN : Number(text);
  const place = Number.isFinite(step) ? place_of_step(steps, step) : steps.length - 1;
  return steps[place] ?? null;
}
