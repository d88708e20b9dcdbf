// The plots of one run. What is set (x, log, smoothing, zoom) is in the URL.
import { useEffect, useMemo, useRef, useState } from "react";
import { useGet } from "../api/hooks";
import type { Num, Run } from "../api/types";
import { Empty, Loaded, Skeleton } from "../parts/basics";
import { color_of, number } from "../parts/format";
import { Plot } from "../parts/plot";
import { useHistories } from "./histories";
import { line_of, tails_of } from "./lines";
import { in_order, is_system, metric_text } from "./metric";
import { plot_props, PlotTools, usePlotSettings, type PlotSettings } from "./plot_settings";
import css from "./runs.module.css";

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
            <PlotGrid run={run.id} settings={settings} keys={keys.filter((key) => !is_system(key) && metrics.some((metric) => metric.key === key && metric.count > 1))} />
            {keys.some(is_system) && (
              <section className="stack" aria-labelledby="system-charts">
                <h2 id="system-charts">System</h2>
                <PlotGrid run={run.id} settings={settings} keys={keys.filter(is_system)} />
              </section>
            )}
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

function PlotGrid({ run, settings, keys }: { run: string; settings: PlotSettings; keys: string[] }) {
  if (keys.length === 0) return null;
  return <div className={css.plots}>{keys.map((key) => <InView key={key} height={270}><OneMetric run={run} metric={key} settings={settings} /></InView>)}</div>;
}

function OneMetric({ run, metric, settings }: { run: string; metric: string; settings: PlotSettings }) {
  const runs = useMemo(() => [run], [run]);
  const history = useHistories({ key: ["runs", run, "metrics", "history"], runs, metric, x: settings.x, zoom: settings.zoom, abandoned: true });
  const lines = useMemo(() => (history.data?.series ?? []).flatMap((one) => [line_of(one, settings.x, metric, color_of(run)), ...tails_of(one, settings.x, metric, color_of(run))]), [history.data, settings.x, metric, run]);
  history.saw(lines);
  return (
    <Loaded of={history} skeleton={<Skeleton height={270} />} what={metric}>
      {() => (
        <Plot
          title={metric} lines={lines} note={history.note} sync="run" {...plot_props(settings)} text={(value) => metric_text(metric, value)}
        />
      )}
    </Loaded>
  );
}

/// Plots are made when they come into view: a run may have a thousand.
export function InView({ children, height, className }: { children: React.ReactNode; height: number; className?: string }) {
  const [seen, set_seen] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = element.current;
    if (!target || seen) return;
    const observer = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) set_seen(true); }, { rootMargin: "300px" });
    observer.observe(target);
    return () => observer.disconnect();
  }, [seen]);
  return <div ref={element} className={className} style={{ minHeight: height, minWidth: 0 }}>{seen && children}</div>;
}
