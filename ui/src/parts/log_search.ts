// Finding in a whole log: the server looks, answer by answer, and goes on as the log grows.
import { useEffect, useRef, useState } from "react";
import { get, url, type ApiError } from "../api/client";
import type { LogHits } from "../api/types";

export type Hit = LogHits["hits"][number];

/// More lines than this nobody goes through.
export const kHitsMax = 10_000;
const kTypingMs = 200;

export interface Search { pattern: string; match_case: boolean }
export interface Found { hits: Hit[]; searching: boolean; error: ApiError | null }

/// Hits with those of the next answer, which begins at `from`: a line that had not ended may come again.
export const joined = (hits: Hit[], from: number, more: Hit[]) => {
  let keep = hits.length;
  while (keep > 0 && hits[keep - 1]!.offset >= from) keep--;
  return [...hits.slice(0, keep), ...more];
};

/// The hit to go to from line `line`: the first at or behind it, or the last before it.
export function hit_near(hits: Hit[], line: number, back: boolean): number {
  if (hits.length === 0) return -1;
  let low = 0, high = hits.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (hits[middle]!.line < line) low = middle + 1; else high = middle;
  }
  return back ? (low - 1 + hits.length) % hits.length : low % hits.length;
}

/// `size` is how much of the log is known to be there: when it grows, the search goes on. `line_at` is a byte whose line's number
/// is told to `told`.
export function useLogSearch(path: string, { pattern, match_case }: Search, size: number, line_at: number, told: (at: number, line: number) => void): Found {
  const [found, set_found] = useState<Found>({ hits: [], searching: false, error: null });
  const at = useRef(line_at);
  at.current = line_at;
  const again = useRef<() => void>(() => undefined);

  useEffect(() => {
    set_found({ hits: [], searching: pattern !== "", error: null });
    again.current = () => undefined;
    if (pattern === "") return;
    const stop = new AbortController();
    let hits: Hit[] = [], next = { offset: 0, line: 1 }, busy = false, missed = false;
    const search = async () => {
      if (busy) { missed = true; return; }
      busy = true;
      try {
        for (let end = false; !end && hits.length < kHitsMax;) {
          missed = false;
          const asked = at.current;
          const answer: LogHits = await get<LogHits>(url(`${path}/search`, { pattern, match_case: match_case || null, offset: next.offset, line: next.line, line_at: asked }), stop.signal);
          if (stop.signal.aborted) return;
          hits = joined(hits, next.offset, answer.hits);
          next = answer.next;
          if (answer.line_at !== null) told(asked, answer.line_at);
          end = answer.end && !missed;
          set_found({ hits, searching: !end, error: null });
        }
      } catch (problem) {
        if (!stop.signal.aborted) set_found({ hits, searching: false, error: problem as ApiError });
      } finally {
        busy = false;
      }
    };
    const typed = setTimeout(() => { again.current = () => void search(); void search(); }, kTypingMs);
    return () => { clearTimeout(typed); stop.abort(); };
  }, [path, pattern, match_case, told]);

  useEffect(() => again.current(), [size]);
  return found;
}
