// Lines over steps or time. All plots of a page that share `sync` share the crosshair, and those with the same x the zoom.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useEffect, useMemo, useRef, useState } from "react";
import { token, useResolvedTheme } from "../app/theme";
import { Popover, Swatch } from "./basics";
import { number } from "./format";
import { download } from "./save";
import { csv, join, padded, smooth, svg, value_at, type Line } from "./series";
import css from "./plot.module.css";

export interface PlotLine extends Line {
  color: string;
  /// Where points were thinned: the extent of what each point stands for.
  low?: (number | null)[] | null;
  high?: (number | null)[] | null;
  dashed?: boolean;
}

interface Props {
  title: string;
  unit?: string;
  /// What the reader should know of the numbers, for example that they were thinned.
  note?: string | undefined;
  lines: PlotLine[];
  x_name: string;
  x_is_time?: boolean;
  log?: boolean;
  /// Weight of the past in the smoothed line, 0 for none.
  smoothing?: number;
  sync?: string;
  zoom?: [number, number] | null;
  on_zoom?: (zoom: [number, number] | null) => void;
  height?: number;
  legend?: boolean;
  from_zero?: boolean;
}

export function Plot({ title, unit, note, lines, x_name, x_is_time = false, log = false, smoothing = 0, sync, zoom = null, on_zoom, height = 220, legend = true, from_zero = false }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const theme = useResolvedTheme();
  const [cursor, set_cursor] = useState<number | null>(null);
  const [find, set_find] = useState("");
  const [off, set_off] = useState<string[]>([]);
  const shown = useMemo(() => lines.filter(({ label }) => !off.includes(label)), [lines, off]);
  const prepared = useMemo(() => prepare(shown, smoothing, log), [shown, smoothing, log]);
  // A new chart is made when its make-up changes; new numbers go into the one there is.
  const make_up = JSON.stringify([shown.map(({ label, color, dashed, low }) => [label, color, dashed, !!low]), x_name, x_is_time, log, smoothing > 0, theme, sync, height, unit, from_zero]);
  const on_zoom_now = useRef(on_zoom);
  const zoom_now = useRef(zoom);
  const data_now = useRef(prepared.data);
  useEffect(() => { on_zoom_now.current = on_zoom; zoom_now.current = zoom; });

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const axis = { stroke: token("--text-quiet"), grid: { stroke: token("--plot-grid"), width: 1 }, ticks: { stroke: token("--plot-grid"), width: 1, size: 4 }, font: `11px ${token("--sans")}`, labelFont: `11px ${token("--sans")}` };
    const options: uPlot.Options = {
      width: Math.max(element.clientWidth, 120), height,
      legend: { show: false },
      padding: [8, 12, 0, 0],
      cursor: {
        ...(sync ? { sync: { key: sync, scales: ["x", null] } } : {}),
        drag: { x: true, y: false, setScale: false },
        points: { size: 6 }, y: false,
        bind: { dblclick: () => () => { on_zoom_now.current?.(null); return null; } },
      },
      scales: {
        x: { time: x_is_time, range: (_u, low, high) => zoom_now.current ?? (low === high ? padded(low, high) : [low, high]) },
        y: log ? { distr: 3 } : { range: (_u, low, high) => { const [a, b] = padded(low ?? NaN, high ?? NaN); return from_zero ? [Math.min(0, low ?? 0), b] : [a, b]; } },
      },
      axes: [
        { ...axis, label: x_name, labelSize: 16, size: 26, space: 70, labelGap: 0, ...(x_is_time ? { values: kTimeTicks } : { values: (_u, ticks) => ticks.map((tick) => (tick === null ? "" : number(tick, 6))) }) },
        { ...axis, size: 58, space: 34, values: (_u, ticks) => ticks.map((tick) => (tick === null ? "" : number(tick))) },
      ],
      series: [{}, ...prepared.series.map((one) => ({
        label: one.label, stroke: one.stroke === "none" ? "transparent" : with_alpha(token(one.color), one.alpha), width: one.width, spanGaps: false,
        points: { show: (_u: uPlot, i: number) => one.main && (data_now.current[i]?.length ?? 0) <= 40, size: 4 },
        ...(one.dashed ? { dash: [5, 4] } : {}),
      }))],
      bands: prepared.bands.map(({ series, color }) => ({ series, fill: with_alpha(token(color), 0.16) })),
      hooks: {
        setCursor: [(u) => { const i = u.cursor.idx; set_cursor(i === null || i === undefined || (u.cursor.left ?? -1) < 0 ? null : (u.data[0][i] ?? null)); }],
        setSelect: [(u) => {
          if (u.select.width < 4) return;
          const from = u.posToVal(u.select.left, "x");
          const to = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (on_zoom_now.current) on_zoom_now.current([from, to]);
          else u.setScale("x", { min: from, max: to });
        }],
      },
    };
    const made = new uPlot(options, data_now.current as uPlot.AlignedData, element);
    chart.current = made;
    const observer = new ResizeObserver(() => { const width = element.clientWidth; if (width > 0 && width !== made.width) made.setSize({ width, height }); });
    observer.observe(element);
    return () => { observer.disconnect(); made.destroy(); chart.current = null; };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- make_up stands for everything the chart is made of
  }, [make_up]);

  useEffect(() => {
    data_now.current = prepared.data;
    chart.current?.setData(prepared.data as uPlot.AlignedData);
  }, [prepared]);
  useEffect(() => { chart.current?.setData(data_now.current as uPlot.AlignedData); }, [zoom?.[0], zoom?.[1]]);

  const listed = lines.filter(({ label }) => label.toLowerCase().includes(find.toLowerCase()));
  const save = (name: string, type: string, content: BlobPart) => download(`${title.replace(/[^\w.-]+/g, "_")}.${name}`, new Blob([content], { type }));
  const points = lines.reduce((sum, { xs }) => sum + xs.length, 0);
  return (
    <figure className={css.plot} aria-label={title}>
      <figcaption>
        <span className={css.title} title={title}>{title}</span>{unit && <span className="quiet">{unit}</span>}{note && <span className="quiet clip" title={note}>{note}</span>}
        {smoothing > 0 && <span className="quiet">smoothed {smoothing}</span>}
        {log && <span className="quiet">log scale</span>}
        <span className="grow" />
        {zoom && on_zoom && <button type="button" className="plain small" onClick={() => on_zoom(null)}>Whole range</button>}
        <Popover button="Save" name={`Save ${title}`} align="right" className="plain small">
          {(close) => (
            <div className="stack">
              <button type="button" onClick={() => { save("csv", "text/csv", csv(x_name, lines)); close(); }}>CSV, numbers</button>
              <button type="button" onClick={() => { const canvas = chart.current?.ctx.canvas; if (canvas) png(canvas, `${title.replace(/[^\w.-]+/g, "_")}.png`); close(); }}>PNG, picture</button>
              <button type="button" onClick={() => { save("svg", "image/svg+xml", svg(lines.map((line) => ({ ...line, color: token(line.color) })), { title, x_name, log })); close(); }}>SVG, drawing</button>
            </div>
          )}
        </Popover>
      </figcaption>
      <div ref={host} className={css.host} style={{ height }} role="img" aria-label={`${title} over ${x_name}, ${lines.length} lines, ${points} points`} />
      {points === 0 && <p className={css.nothing}>No points{zoom ? " in this range" : " yet"}.</p>}
      {legend && (
        <div className={css.legend}>
          {lines.length > 10 && <input aria-label="Find a line" placeholder="Find a line" value={find} onChange={(event) => set_find(event.target.value)} />}
          <ul tabIndex={listed.length > 8 ? 0 : undefined} aria-label="Lines">
            {listed.map((line) => {
              const hidden = off.includes(line.label);
              return (
                <li key={line.label}>
                  <button type="button" aria-pressed={!hidden} title={line.label} onClick={() => set_off(hidden ? off.filter((one) => one !== line.label) : [...off, line.label])}>
                    <Swatch color={hidden ? "var(--line-strong)" : line.color} /><span className="clip">{line.label}</span>
                  </button>
                  <span className="num">{number(cursor === null ? line.ys.findLast((y) => y !== null) ?? null : value_at(line, cursor))}</span>
                </li>
              );
            })}
          </ul>
        </div>
      )}
    </figure>
  );
}

/// Ticks of a time axis, 24 hours a day: from which distance of ticks on, the text, and what is added when a larger unit turns.
const kTimeTicks: uPlot.Axis.Values = [
  [3600 * 24 * 28, "{MMM} {YYYY}", null, null, null, null, null, null, 1],
  [3600 * 24, "{D} {MMM}", null, null, null, null, null, null, 1],
  [60, "{HH}:{mm}", null, null, "\n{D} {MMM}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", null, null, "\n{D} {MMM}", null, null, null, 1],
  [0.001, ":{ss}.{fff}", null, null, "\n{HH}:{mm}", null, null, null, 1],
];

interface Prepared { label: string; color: string; alpha: number; width: number; stroke?: "none"; dashed?: boolean; main: boolean }
function prepare(lines: PlotLine[], smoothing: number, log: boolean) {
  const series: Prepared[] = [];
  const bands: { series: [number, number]; color: string }[] = [];
  const columns: Line[] = [];
  // What is not above zero has no place on a log scale.
  const clean = (ys: (number | null)[]) => (log ? ys.map((y) => (y !== null && y > 0 ? y : null)) : ys);
  const add = (line: Line, look: Omit<Prepared, "label">) => { columns.push({ ...line, ys: clean(line.ys) }); series.push({ label: line.label, ...look }); return series.length; };
  for (const line of lines) {
    const { label, xs, ys, color, low, high, dashed = false } = line;
    if (low && high) {
      const top = add({ label: `${label} max`, xs, ys: high }, { color, alpha: 0, width: 0, stroke: "none", main: false });
      const bottom = add({ label: `${label} min`, xs, ys: low }, { color, alpha: 0, width: 0, stroke: "none", main: false });
      bands.push({ series: [top, bottom], color });
    }
    if (smoothing > 0) add({ label: `${label} raw`, xs, ys }, { color, alpha: 0.3, width: 1, main: false });
    add({ label, xs, ys: smoothing > 0 ? smooth(ys, smoothing) : ys }, { color, alpha: 1, width: 1.6, dashed, main: true });
  }
  const joined = join(columns.length ? columns : [{ label: "", xs: [], ys: [] }]);
  // uPlot leaves a gap at null and draws through undefined: a line's own gaps stay, other lines' steps leave none.
  return { series, bands, data: columns.length ? [joined.xs, ...joined.columns] : [[]] };
}

function with_alpha(color: string, alpha: number): string {
  const hex = /^#([0-9a-f]{6})$/i.exec(color)?.[1];
  if (!hex) return color;
  const [r, g, b] = [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16));
  return `rgba(${r},${g},${b},${alpha})`;
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
