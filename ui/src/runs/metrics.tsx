// The plots of one run or of several over each other. What is set (x, log, smoothing, zoom) is in the URL.
import { useMemo, useRef, useState, useEffect } from "react";
import { url } from "../api/client";
import { useGet } from "../api/hooks";
import type { Num, Run, Series } from "../api/types";
import { useParam } from "../app/router";
import { Empty, Loaded, Skeleton } from "../parts/basics";
import { color_of, counted, number, value_of } from "../parts/format";
import { Plot, type PlotLine } from "../parts/plot";
import { in_order, is_system, metric_text } from "./metric";
import css from "./runs.module.css";

export const kPointsMax = 2000;

export function usePlotSettings() {
  const [x, set_x] = useParam("x", "step");
  const [log, set_log] = useParam("log");
  const [smoothing, set_smoothing] = useParam("smooth", "0");
  const [zoom_text, set_zoom_text] = useParam("zoom");
  const zoom = useMemo<[number, number] | null>(() => {
    const [from, to] = zoom_text.split(":").map(Number);
    return from !== undefined && to !== undefined && Number.isFinite(from) && Number.isFinite(to) && to > from ? [from, to] : null;
  }, [zoom_text]);
  return {
    by_time: x === "time", set_by_time: (on: boolean) => { set_x(on ? "time" : null); set_zoom_text(null); },
    log: log === "1", set_log: (on: boolean) => set_log(on ? "1" : null),
    smoothing: Math.min(0.99, Math.max(0, Number(smoothing) || 0)), set_smoothing: (weight: number) => set_smoothing(weight ? String(weight) : null),
    zoom, set_zoom: (range: [number, number] | null) => set_zoom_text(range ? `${Number(range[0].toPrecision(8))}:${Number(range[1].toPrecision(8))}` : null),
  };
}
export type PlotSettings = ReturnType<typeof usePlotSettings>;

export function PlotTools({ settings, find, set_find, keys }: { settings: PlotSettings; find: string; set_find: (text: string) => void; keys: number }) {
  return (
    <div className={css.tools}>
      {keys > 4 && <input aria-label="Find a metric" placeholder={`Find among ${keys} metrics`} value={find} onChange={(event) => set_find(event.target.value)} />}
      <label>Over <select value={settings.by_time ? "time" : "step"} onChange={(event) => settings.set_by_time(event.target.value === "time")}><option value="step">step</option><option value="time">time</option></select></label>
      <label><input type="checkbox" checked={settings.log} onChange={(event) => settings.set_log(event.target.checked)} /> Log scale</label>
      <label>Smoothing <input type="range" min={0} max={0.99} step={0.01} value={settings.smoothing} onChange={(event) => settings.set_smoothing(Number(event.target.value))} /><span className="num quiet" style={{ width: 32 }}>{settings.smoothing || "none"}</span></label>
      {settings.zoom && <button type="button" className="small" onClick={() => settings.set_zoom(null)}>Whole range</button>}
    </div>
  );
}

const plain = (values: Num[]) => values.map((value) => { const known = value_of(value); return Number.isFinite(known) ? known : null; });

export function line_of(series: Series, by_time: boolean, label: string, color: string): PlotLine {
  const xs = by_time ? series.times_ms.map((ms) => ms / 1000) : series.steps;
  const line = { label, color, xs, ys: plain(series.values), low: series.min && plain(series.min), high: series.max && plain(series.max) };
  // The same x twice (a step logged again) keeps its last value; x must rise.
  let rises = true;
  for (let i = 1; i < xs.length; i++) if (xs[i]! <= xs[i - 1]!) { rises = false; break; }
  if (rises) return line;
  const last = new Map(xs.map((x, i) => [x, i]));
  const order = [...last.entries()].sort(([a], [b]) => a - b);
  const pick = <T,>(values: T[]) => order.map(([, i]) => values[i]!);
  return { ...line, xs: order.map(([x]) => x), ys: pick(line.ys), low: line.low && pick(line.low), high: line.high && pick(line.high) };
}

export function MetricPlots({ run }: { run: Run }) {
  const settings = usePlotSettings();
  const [find, set_find] = useState("");
  const listed = useGet<{ metrics: { key: string; last: Num; step: number; min: Num; max: Num; count: number }[] }>(["runs", run.id, "metrics", "list"], `/api/v1/runs/${run.id}/metrics`);
  return (
    <Loaded of={listed}>
      {({ metrics }) => {
        if (metrics.length === 0) return <Empty command={`mlflow.log_metric("loss", loss, step=step)`}>This run has not measured anything{run.state === "running" ? " yet" : ""}. In its script:</Empty>;
        const keys = in_order(metrics.map(({ key }) => key)).filter((key) => key.toLowerCase().includes(find.toLowerCase()));
        return (
          <div className="stack">
            <PlotTools settings={settings} find={find} set_find={set_find} keys={metrics.length} />
            <div className={css.plots}>
              {keys.map((key) => {
                const one = metrics.find((metric) => metric.key === key)!;
                return one.count <= 1 && !is_system(key)
                  ? null
                  : <InView key={key} height={270}><OneMetric run={run.id} metric={key} settings={settings} /></InView>;
              })}
            </div>
            <div className={css.over}>
              <table className={css.values}>
                <thead><tr><th>Metric</th><th className={css.right}>Last</th><th className={css.right}>Smallest</th><th className={css.right}>Largest</th><th className={css.right}>At step</th><th className={css.right}>Points</th></tr></thead>
                <tbody>
                  {keys.map((key) => {
                    const { last, min, max, step, count } = metrics.find((metric) => metric.key === key)!;
                    return <tr key={key}><td>{key}</td>{[last, min, max].map((value, i) => <td key={i} className={`${css.right} num`}>{metric_text(key, value)}</td>)}{[step, count].map((value, i) => <td key={i} className={`${css.right} num`}>{number(value)}</td>)}</tr>;
                  })}
                </tbody>
              </table>
            </div>
          </div>
        );
      }}
    </Loaded>
  );
}

function OneMetric({ run, metric, settings }: { run: string; metric: string; settings: PlotSettings }) {
  const history = useGet<{ series: Series[] }>(
    ["runs", run, "metrics", "history", metric, settings.by_time],
    url(`/api/v1/runs/${run}/metrics/history`, { key: metric, x: settings.by_time ? "time" : "step", points_max: kPointsMax }), { keep: true },
  );
  return (
    <Loaded of={history} skeleton={<Skeleton height={270} />} what={metric}>
      {({ series }) => (
        <Plot
          title={metric} lines={series.map((one) => line_of(one, settings.by_time, metric, color_of(run)))} note={thinned(series)}
          x_name={settings.by_time ? "time" : "step"} x_is_time={settings.by_time} log={settings.log} smoothing={settings.smoothing} sync="run" zoom={settings.zoom} on_zoom={settings.set_zoom}
        />
      )}
    </Loaded>
  );
}

/// In words, that not every point is drawn.
export function thinned(series: Series[]): string | undefined {
  const some = series.filter((one) => one.thinned);
  if (some.length === 0) return undefined;
  return `${counted(some.reduce((sum, one) => sum + one.count, 0), "point")} thinned to ${counted(some.reduce((sum, one) => sum + one.steps.length, 0), "point")}`;
}

/// Plots are made when they come into view: a run may have a thousand.
export function InView({ children, height }: { children: React.ReactNode; height: number }) {
  const [seen, set_seen] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = element.current;
    if (!target || seen) return;
    const observer = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) set_seen(true); }, { rootMargin: "300px" });
    observer.observe(target);
    return () => observer.disconnect();
  }, [seen]);
  return <div ref={element} style={{ minHeight: height, minWidth: 0 }}>{seen && children}</div>;
}
