// The histories of a metric for a chart: the whole of them, thinned to the screen, and of a zoom the part that is in view once
// more, as finely as the screen can show it. The server keeps the extremes of what it thins, so a zoom into a million points
// loses none of those in view.
import { keepPreviousData, useQuery, type QueryKey } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { ask, type ApiError } from "../api/client";
import type { Num, Series } from "../api/types";
import type { Zoom } from "../parts/plot";
import { points_for, thinned, useDepth, type HeldSeries } from "./lines";
import { on_server, type X } from "./plot_settings";

/// Steps or milliseconds, as the server counts; both ends belong to it.
export interface Range { from: number; to: number }
interface Part { series: Series[]; range: Range | null }

/// A zoom that follows the hand asks when it stands still for so long.
const kSettleMs = 120;
/// What is asked for on either side of the view, as a share of it, so that lines leave it in the right direction.
const kBeside = 0.25;

/// `key` begins what the answers are kept under; `live` asks again at that pace.
export function useHistories({ key, runs, metric, x, zoom, every_ms, abandoned }: { key: QueryKey; runs: string[]; metric: string; x: X; zoom: Zoom; every_ms?: number; abandoned?: boolean }) {
  const beside = x === "step" || x === "time" || x === "relative" || x === metric ? [] : [x];
  const asked = { run_ids: runs, keys: [metric, ...beside], x: on_server(x), ...(abandoned ? { abandoned } : {}) };
  // Where the server cannot tell what is in view, the whole is asked for more finely.
  const by_range = beside.length === 0 && (x !== "relative" || runs.length === 1);
  const [depth, saw] = useDepth(by_range ? null : zoom);
  const whole = usePart([...key, asked], { ...asked, points_max: points_for(runs.length, depth) }, null, { every_ms });
  const range = useSettled(by_range && whole.data?.series.some((one) => one.thinned) ? range_of(zoom, x, whole.data.series[0]?.times_ms[0] ?? 0) : null);
  const points = Math.round(points_for(runs.length, 0) * (1 + 2 * kBeside));
  const close = usePart([...key, asked, "close"], { ...asked, points_max: points }, range, { every_ms, enabled: range !== null });
  const part = zoom && by_range ? close.data : undefined;
  const data = useMemo(() => whole.data && { series: part?.range ? with_part(whole.data.series, part.series, part.range, on_server(x)) : whole.data.series }, [whole.data, part, x]);
  const note = thinned((part?.range ? part.series : whole.data?.series ?? []).filter((one) => one.key === metric));
  return { data, error: whole.error ?? close.error, refetch: whole.refetch, note: note && part?.range ? `in view: ${note}` : note, saw };
}

function usePart(key: QueryKey, json: { points_max: number }, range: Range | null, { every_ms, enabled = true }: { every_ms?: number | undefined; enabled?: boolean }) {
  return useQuery<Part, ApiError>({
    queryKey: [...key, json.points_max, range],
    queryFn: async ({ signal }) => {
      const { series } = (await (await ask("/api/v1/metrics/histories", { method: "POST", json: { ...json, ...range }, signal })).json()) as { series: Series[] };
      return { series, range };
    },
    enabled,
    // The former lines stay until the finer ones are there.
    placeholderData: keepPreviousData,
    ...(every_ms !== undefined ? { refetchInterval: every_ms } : {}),
  });
}

/// The part of a history that a zoom shows. `origin_ms` is where the time since the first point begins.
export function range_of(zoom: Zoom, x: X, origin_ms: number): Range | null {
  if (!zoom) return null;
  const room = (zoom[1] - zoom[0]) * kBeside;
  const [low, high] = [zoom[0] - room, zoom[1] + room];
  if (x === "step") return { from: Math.floor(low), to: Math.ceil(high) };
  const origin = x === "relative" ? origin_ms : 0;
  return { from: Math.floor(low * 1000 + origin), to: Math.ceil(high * 1000 + origin) };
}

/// The whole of each series, with the part that is known more finely in its place.
export function with_part(whole: Series[], part: Series[], range: Range, x: "step" | "time"): HeldSeries[] {
  return whole.map((one) => {
    const finer = part.find((other) => other.run_id === one.run_id && other.key === one.key);
    return finer && one.thinned ? joined(one, finer, range, x) : one;
  });
}

function joined(whole: Series, part: Series, { from, to }: Range, x: "step" | "time"): HeldSeries {
  const places = x === "step" ? whole.steps : whole.times_ms;
  const before = places.findIndex((place) => place >= from);
  const left = before < 0 ? places.length : before;
  const after = places.findIndex((place) => place > to);
  const right = after < 0 ? places.length : after;
  const put = <T,>(all: T[], finer: T[]) => [...all.slice(0, left), ...finer, ...all.slice(right)];
  const extremes = (name: "min" | "max"): Num[] | null => (whole[name] || part[name] ? put(whole[name] ?? whole.values, part[name] ?? part.values) : null);
  const origin = whole.times_ms[0];
  return { ...whole, ...(origin !== undefined ? { origin_ms: origin } : {}), steps: put(whole.steps, part.steps), times_ms: put(whole.times_ms, part.times_ms), values: put(whole.values, part.values), min: extremes("min"), max: extremes("max") };
}

/// The range at once, unless it has just changed: then when it stands still.
function useSettled(range: Range | null): Range | null {
  const text = range && `${range.from}:${range.to}`;
  const [settled, set_settled] = useState<{ text: string | null; range: Range | null }>({ text: null, range: null });
  const changed_at = useRef(0);
  useEffect(() => {
    const since = performance.now() - changed_at.current;
    changed_at.current = performance.now();
    if (since > kSettleMs) { set_settled({ text, range }); return; }
    const timer = setTimeout(() => set_settled({ text, range }), kSettleMs);
    return () => clearTimeout(timer);
    // The text says all there is of the range.
  }, [text]);
  return text === null ? null : settled.range;
}
