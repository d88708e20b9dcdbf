// How the plots of a page are drawn: what x is, scale, smoothing, clipping, zoom. All of it is in the URL.
import { useMemo, useState } from "react";
import { useParam } from "../app/router";
import type { Zoom } from "../parts/plot";
import css from "./runs.module.css";

/// What x is: "step", "relative" (seconds since the first point), "time" (the clock), or a metric that was logged beside.
export type X = string;
export const on_server = (x: X) => (x === "time" || x === "relative" ? "time" : "step");
export const x_name = (x: X) => (x === "relative" ? "time since the first point" : x);

export function usePlotSettings() {
  const [x, set_x] = useParam("x", "step");
  const [log, set_log] = useParam("log");
  const [clip, set_clip] = useParam("clip");
  const [smoothing, set_smoothing] = useParam("smooth", "0");
  const [zoom_text, set_zoom_text] = useParam("zoom");
  const zoom = useMemo<Zoom>(() => {
    const [from, to] = zoom_text.split(":").map(Number);
    return from !== undefined && to !== undefined && Number.isFinite(from) && Number.isFinite(to) && to > from ? [from, to] : null;
  }, [zoom_text]);
  const digits = x === "time" ? 13 : 8;
  return {
    x, set_x: (next: X) => { set_x(next); set_zoom_text(null); },
    log: log === "1", set_log: (on: boolean) => set_log(on ? "1" : null),
    clip: clip === "1", set_clip: (on: boolean) => set_clip(on ? "1" : null),
    smoothing: Math.min(0.99, Math.max(0, Number(smoothing) || 0)), set_smoothing: (weight: number) => set_smoothing(weight ? String(weight) : null),
    zoom, set_zoom: (range: Zoom) => set_zoom_text(range ? `${Number(range[0].toPrecision(digits))}:${Number(range[1].toPrecision(digits))}` : null),
  };
}
export type PlotSettings = ReturnType<typeof usePlotSettings>;

/// The same for plots whose page has others, too: what is set comes from elsewhere, and the zoom is forgotten with them.
export function useOwnPlotSettings({ x, log, clip, smoothing }: Pick<PlotSettings, "x" | "log" | "clip" | "smoothing">): PlotSettings {
  const [zoom, set_zoom] = useState<Zoom>(null);
  return { x, log, clip, smoothing, zoom, set_zoom, set_x: kFixed, set_log: kFixed, set_clip: kFixed, set_smoothing: kFixed };
}
const kFixed = () => {};

/// What `Plot` is told of the settings.
export const plot_props = ({ x, log, clip, smoothing, zoom, set_zoom }: PlotSettings) => ({
  x_name: x_name(x), x_is: x === "time" ? ("time" as const) : x === "relative" ? ("duration" as const) : ("number" as const), log, clip, smoothing, zoom, on_zoom: set_zoom,
});

interface Props { settings: PlotSettings; find: string; set_find: (text: string) => void; keys: number; beside?: string[]; children?: React.ReactNode }

export function PlotTools({ settings, find, set_find, keys, beside = [], children }: Props) {
  return (
    <div className={css.tools}>
      {keys > 4 && <input aria-label="Find a metric" placeholder={`Find among ${keys} metrics`} value={find} onChange={(event) => set_find(event.target.value)} />}
      <label>Over <select value={settings.x} onChange={(event) => settings.set_x(event.target.value)}>
        <option value="step">step</option><option value="relative">time since the first point</option><option value="time">time of day</option>
        {beside.map((key) => <option key={key} value={key}>{key}</option>)}
      </select></label>
      <label><input type="checkbox" checked={settings.log} onChange={(event) => settings.set_log(event.target.checked)} /> Log scale</label>
      <label title="The y axis shows the 1st to the 99th percentile of the points"><input type="checkbox" checked={settings.clip} onChange={(event) => settings.set_clip(event.target.checked)} /> Clip outliers</label>
      <label>Smoothing <input type="range" min={0} max={0.99} step={0.01} value={settings.smoothing} onChange={(event) => settings.set_smoothing(Number(event.target.value))} /><span className="num quiet" style={{ width: 32 }}>{settings.smoothing || "none"}</span></label>
      {children}
      {settings.zoom && <button type="button" className="small" onClick={() => settings.set_zoom(null)}>Whole range</button>}
    </div>
  );
}
