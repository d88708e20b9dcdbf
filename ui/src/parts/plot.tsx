// Lines over steps or time. All plots of a page that share `sync` share the crosshair, and those with the same x the zoom.
import type uPlot from "uplot";
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore, type RefObject } from "react";
import { token, useResolvedTheme } from "../app/theme";
import { Popover } from "./basics";
import { counted, number } from "./format";
import { kAxisWidth, make_chart, renew, x_text, type Hooks, type XKind } from "./plot_chart";
import { id_of, Legend, type Best } from "./plot_legend";
import { usePointer, type Pointed, type Pointer } from "./plot_pointer";
import { draw_lines, height_of, nearest, prepare, reach_of, scale_of, type Drawn, type PlotLine } from "./plot_lines";
import { download } from "./save";
import { csv, kClipped, padded, svg } from "./series";
import css from "./plot.module.css";

export type { PlotLine } from "./plot_lines";
export type Zoom = [number, number] | null;

interface Props {
  title: string;
  unit?: string;
  /// What the reader should know of the numbers, for example that they were thinned.
  note?: string | undefined;
  lines: PlotLine[];
  x_name: string;
  /// Seconds since 1970, seconds, or just a number.
  x_is?: XKind;
  log?: boolean;
  /// Weight of the past in the smoothed line, 0 for none.
  smoothing?: number;
  /// The y axis leaves out the outermost points.
  clip?: boolean;
  sync?: string;
  zoom?: Zoom;
  on_zoom?: (zoom: Zoom) => void;
  height?: number;
  legend?: boolean;
  from_zero?: boolean;
  /// The legend is a table with extremes, the best first.
  best?: Best;
  on_best?: (best: Best) => void;
  /// Which lines are hidden, when the page keeps that: the lines' ids.
  off?: string[];
  on_off?: (off: string[]) => void;
  text?: (value: number | null) => string;
  /// Further buttons of the head.
  tools?: React.ReactNode;
}

export function Plot(props: Props) {
  const { title, lines, x_name, log = false, smoothing = 0, clip = false, zoom = null, height = 220, legend = true, from_zero = false } = props;
  const host = useRef<HTMLDivElement>(null);
  const [own_off, set_own_off] = useState<string[]>([]);
  const [own_zoom, set_own_zoom] = useState<Zoom>(null);
  const [emphasis, set_emphasis] = useState<string | null>(null);
  const pointer = usePointer();
  const off = props.off ?? own_off;
  const window = props.on_zoom ? zoom : own_zoom;
  const drawn = useMemo(() => prepare(lines.filter((line) => !off.includes(id_of(line))), smoothing), [lines, off, smoothing]);
  const extent = useMemo(() => height_of(drawn, window, { log, clip, smoothed: smoothing > 0 }), [drawn, window, log, clip, smoothing]);
  const chart = useChart(host, { ...props, drawn, window, scale: scale_of(extent, { log, from_zero }), emphasis, set_pointed: pointer.move, zoomed: props.on_zoom ?? set_own_zoom });
  const points = lines.reduce((sum, { xs }) => sum + xs.length, 0);
  const toggle = (line: PlotLine) => (props.on_off ?? set_own_off)(off.includes(id_of(line)) ? off.filter((one) => one !== id_of(line)) : [...off, id_of(line)]);
  return (
    <figure className={css.plot} aria-label={title}>
      <Caption {...props} smoothing={smoothing} log={log} outside={clip ? extent?.outside ?? 0 : null} window={window} reset={() => (props.on_zoom ?? set_own_zoom)(null)} chart={chart} />
      <div className={css.frame}>
        <div ref={host} className={css.host} style={{ height }} role="img" aria-label={`${title} over ${x_name}, ${lines.length} lines, ${points} points`} />
        <Near pointer={pointer} title={title} x_is={props.x_is ?? "number"} {...(props.text ? { text: props.text } : {})} />
      </div>
      {points === 0 && <p className={css.nothing}>No points{window ? " in this range" : " yet"}.</p>}
      {legend && <Legend title={title} lines={lines} pointer={pointer} off={off} on_toggle={toggle} on_point={set_emphasis} x_is={props.x_is ?? "number"} best={props.best} on_best={props.on_best} text={props.text} />}
    </figure>
  );
}

interface Chart extends Props { drawn: Drawn[]; window: Zoom; scale: [number, number]; emphasis: string | null; set_pointed: (at: Pointed | null) => void; zoomed: (zoom: Zoom) => void }

/// The chart in `host`. It is made anew when its make-up changes; whatever else changes, it is drawn again.
function useChart(host: RefObject<HTMLDivElement | null>, now: Chart): RefObject<uPlot | null> {
  const chart = useRef<uPlot | null>(null);
  const seen = useSeen(host);
  const theme = useResolvedTheme();
  const latest = useRef(now);
  useEffect(() => { latest.current = now; });
  const { x_name, x_is = "number", log = false, sync, height = 220 } = now;
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const made = make_chart(element, { x_name, x_is, log, sync, height }, hooks_of(latest, chart, seen));
    chart.current = made;
    const observer = new ResizeObserver(() => { const width = element.clientWidth; if (width > 0 && width !== made.width) made.setSize({ width, height }); });
    observer.observe(element);
    return () => { observer.disconnect(); made.destroy(); chart.current = null; };
  }, [host, x_name, x_is, log, sync, height, theme]);
  const { drawn, window, scale, emphasis } = now;
  useEffect(() => { if (chart.current) renew(chart.current); }, [drawn, window?.[0], window?.[1], scale[0], scale[1], theme]);
  useEffect(() => { chart.current?.redraw(false, false); }, [emphasis]);
  return chart;
}

/// Whether the reader sees the element now.
function useSeen(element: RefObject<HTMLElement | null>): RefObject<boolean> {
  const seen = useRef(true);
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => { seen.current = entries.at(-1)?.isIntersecting ?? true; }, { rootMargin: "200px" });
    if (element.current) observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return seen;
}

function hooks_of(latest: RefObject<Chart>, chart: RefObject<uPlot | null>, seen: RefObject<boolean>): Hooks {
  let frame = 0;
  return {
    x: () => {
      const { window, drawn } = latest.current;
      const reach = window ?? reach_of(drawn) ?? [0, 1];
      return reach[0] === reach[1] ? padded(reach[0], reach[1]) : [reach[0], reach[1]];
    },
    y: () => latest.current.scale,
    draw: (u) => {
      const colors = new Map<string, string>();
      const color = (line: Drawn) => { let known = colors.get(line.color); if (!known) colors.set(line.color, known = token(line.color)); return known; };
      draw_lines(u, latest.current.drawn, { color, smoothed: (latest.current.smoothing ?? 0) > 0, emphasis: latest.current.emphasis });
    },
    // The pointer moves more often than the screen is drawn, and most charts that share its crosshair are out of sight.
    pointed: (at) => {
      if (at && !seen.current) return;
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => {
        if (!chart.current) return;
        const near = at?.own ? nearest(chart.current, latest.current.drawn, at.left, at.top) : null;
        latest.current.set_pointed(at && { ...at, width: chart.current.over.clientWidth, near: near && { label: near.line.label, color: near.line.color, x: near.x, y: near.y } });
      });
    },
    zoomed: (range) => latest.current.zoomed(range),
  };
}

/// The name of the line under the pointer, beside it.
function Near({ pointer, title, x_is, text = number }: { pointer: Pointer; title: string; x_is: XKind; text?: (value: number | null) => string }) {
  const pointed = useSyncExternalStore(pointer.watch, pointer.at);
  if (!pointed?.near) return null;
  const { near, left, top, width } = pointed;
  return (
    <div className={css.near} style={{ ...(left > width / 2 ? { right: width - left + 12 } : { left: left + kAxisWidth + 12 }), top: Math.max(0, top - 8) }} aria-hidden="true">
      {near.label !== title && <><span style={{ color: near.color }}>●</span> {near.label} </>}<span className="num">{text(near.y)}</span><span className="quiet"> at {x_text(x_is, near.x)}</span>
    </div>
  );
}

interface CaptionProps extends Props { smoothing: number; log: boolean; outside: number | null; window: Zoom; reset: () => void; chart: RefObject<uPlot | null> }

function Caption({ title, unit, note, smoothing, log, outside, window, reset, tools, ...rest }: CaptionProps) {
  const said = [
    smoothing > 0 && `smoothed ${smoothing} (exponential average, raw line behind)`,
    log && "log scale",
    outside !== null && `${100 * kClipped} % clipped at either end: ${counted(outside, "point")} outside`,
    note,
  ].filter(Boolean).join(" · ");
  return (
    <figcaption>
      <div className={css.caption}>
        <span className={css.title} title={title}>{title}</span>{unit && <span className="quiet">{unit}</span>}
        <span className="grow" />
        {window && <button type="button" className="plain small" onClick={reset}>Whole range</button>}
        {tools}
        <Save title={title} log={log} {...rest} />
      </div>
      {said && <p className={css.said}>{said}</p>}
    </figcaption>
  );
}

function Save({ title, x_name, lines, log, chart }: Pick<CaptionProps, "title" | "x_name" | "lines" | "log" | "chart">) {
  const name = title.replace(/[^\w.-]+/g, "_");
  const keep = useCallback((end: string, type: string, content: BlobPart) => download(`${name}.${end}`, new Blob([content], { type })), [name]);
  return (
    <Popover button="Save" name={`Save ${title}`} align="right" className="plain small">
      {(close) => (
        <div className="stack">
          <button type="button" onClick={() => { keep("csv", "text/csv", csv(x_name, lines)); close(); }}>CSV, numbers</button>
          <button type="button" onClick={() => { const canvas = chart.current?.ctx.canvas; if (canvas) png(canvas, `${name}.png`); close(); }}>PNG, picture</button>
          <button type="button" onClick={() => { keep("svg", "image/svg+xml", svg(lines.map((line) => ({ ...line, color: token(line.color) })), { title, x_name, log })); close(); }}>SVG, drawing</button>
        </div>
      )}
    </Popover>
  );
}

function png(source: HTMLCanvasElement, name: string) {
  const canvas = document.createElement("canvas");
  canvas.width = source.width;
  canvas.height = source.height;
  const context = canvas.getContext("2d")!;
  context.fillStyle = token("--bg");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0);
  canvas.toBlob((made) => { if (made) download(name, made); });
}
