// Draws a chart that somebody logged, as SVG.
import { useMemo, type ReactNode } from "react";
import { Swatch } from "../parts/basics";
import { viridis } from "../parts/viridis";
import { use_width } from "../parts/width";
import type { Chart, Heat, Mark } from "./chart";
import { least_distance, scale_of, scale_of_numbers, type Scale } from "./scale";
import css from "./media.module.css";

const kHeight = 260;
const kLeft = 56;
const kRight = 12;
const kTop = 22;
const kBottom = 40;
const kCirclesMax = 5000;
const kBarShare = 0.8;

export function ChartView({ chart, name }: { chart: Chart; name: string }) {
  const [host, width] = use_width(480, 240);
  const names = [...new Set(chart.marks.map((mark) => mark.name).filter(Boolean))];
  const color = (mark: Mark) => mark.color ?? `var(--c${Math.max(0, mark.name ? names.indexOf(mark.name) : chart.marks.indexOf(mark)) % 10})`;
  const is_empty = chart.marks.length === 0 && !chart.heat;
  return (
    <div ref={host} className={css.chart}>
      {!is_empty && <Drawing chart={chart} width={width} color={color} name={name} />}
      {names.length > 1 && <ul className={css.legend} aria-label="Series">{names.map((one) => <li key={one}><Swatch color={color(chart.marks.find((mark) => mark.name === one)!)} />{one}</li>)}</ul>}
      {is_empty && <p className="quiet">There is nothing in this plot that can be drawn here.</p>}
      {chart.left_out.length > 0 && <p className="quiet">Not drawn: {chart.left_out.join(", ")}.</p>}
    </div>
  );
}

function Drawing({ chart, width, color, name }: { chart: Chart; width: number; color: (mark: Mark) => string; name: string }) {
  const [x, y] = useMemo(() => scales_of(chart, width), [chart, width]);
  const bars = chart.marks.filter(({ kind }) => kind === "bars");
  const distance = useMemo(() => least_distance(bars.flatMap((mark) => mark.x)), [bars]);
  const room = x.band || Math.abs(x.at(distance) - x.at(0)) || 20;
  return (
    <svg viewBox={`0 0 ${width} ${kHeight}`} role="img" aria-label={[name, chart.title].filter(Boolean).join(": ")}>
      {chart.title && <text x={kLeft} y={13} className={css.chart_title}>{chart.title}</text>}
      <Axes x={x} y={y} width={width} chart={chart} />
      {chart.heat && <HeatMap heat={chart.heat} width={width} />}
      {draw_bars(bars, x, y, room * kBarShare, chart.stacked, color)}
      {chart.marks.map((mark, i) => draw(mark, x, y, color(mark), i))}
    </svg>
  );
}

function scales_of(chart: Chart, width: number): [Scale, Scale] {
  const { marks, heat } = chart;
  const right = width - kRight;
  const bottom = kHeight - kBottom;
  if (heat) {
    const half = (places: Heat["x"]) => (places.length > 1 ? least_distance(places) / 2 : 0.5);
    return [scale_of(heat.x, kLeft, right, { pad: half(heat.x) }), scale_of(heat.y, bottom, kTop, { pad: half(heat.y) })];
  }
  const places = marks.flatMap((mark) => mark.x);
  const has_bars = marks.some(({ kind }) => kind === "bars");
  const x = scale_of(places, kLeft, right, { log: chart.x_log, pad: has_bars ? least_distance(places) / 2 : 0 });
  const sums = chart.stacked ? [...tops(marks.filter(({ kind }) => kind === "bars")).values()] : [];
  const y = scale_of_numbers([...marks.flatMap((mark) => mark.y), ...sums], bottom, kTop, { log: chart.y_log, zero: has_bars || marks.some(({ kind }) => kind === "area") });
  return [x, y];
}

/// How high the bars of each place are on top of each other.
function tops(bars: Mark[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const mark of bars) mark.x.forEach((place, i) => found.set(String(place), (found.get(String(place)) ?? 0) + mark.y[i]!));
  return found;
}

function Axes({ x, y, width, chart }: { x: Scale; y: Scale; width: number; chart: Chart }) {
  const bottom = kHeight - kBottom;
  return (
    <g>
      {y.ticks.map(({ at, text }, i) => (
        <g key={i}>
          <line x1={kLeft} x2={width - kRight} y1={at} y2={at} className={css.grid_line} />
          <text x={kLeft - 6} y={at + 4} textAnchor="end" className={css.chart_text}>{text}</text>
        </g>
      ))}
      <line x1={kLeft} x2={width - kRight} y1={bottom} y2={bottom} className={css.axis_line} />
      {x.ticks.map(({ at, text }, i) => <text key={i} x={at} y={bottom + 15} textAnchor="middle" className={css.chart_text}>{text}</text>)}
      {chart.x_title && <text x={(kLeft + width - kRight) / 2} y={kHeight - 6} textAnchor="middle" className={css.chart_text}>{chart.x_title}</text>}
      {chart.y_title && <text x={12} y={kTop + (bottom - kTop) / 2} textAnchor="middle" transform={`rotate(-90 12 ${kTop + (bottom - kTop) / 2})`} className={css.chart_text}>{chart.y_title}</text>}
    </g>
  );
}

function draw(mark: Mark, x: Scale, y: Scale, color: string, key: number): ReactNode {
  const points = mark.x.map((place, i): [number, number] => [x.at(place), y.at(mark.y[i]!)]).filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b));
  if (points.length === 0) return null;
  const path = points.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)} ${b.toFixed(1)}`).join("");
  switch (mark.kind) {
    case "line": return <path key={key} d={path} fill="none" stroke={color} strokeWidth={1.5} />;
    case "area": return <path key={key} d={`${path}L${points.at(-1)![0]} ${y.at(0)}L${points[0]![0]} ${y.at(0)}Z`} fill={color} fillOpacity={0.25} />;
    // Many points are one path of small squares: a thousand circles would be a thousand elements.
    case "points": return points.length > kCirclesMax
      ? <path key={key} d={points.map(([a, b]) => `M${(a - 1).toFixed(1)} ${b.toFixed(1)}h2`).join("")} stroke={color} strokeWidth={2} />
      : <g key={key} fill={color}>{points.map(([a, b], i) => <circle key={i} cx={a} cy={b} r={2.5}><title>{`${mark.name ? `${mark.name}: ` : ""}${mark.x[i]}, ${mark.y[i]}`}</title></circle>)}</g>;
    default: return null;
  }
}

/// Beside each other, or on top of each other.
function draw_bars(bars: Mark[], x: Scale, y: Scale, room: number, stacked: boolean, color: (mark: Mark) => string): ReactNode {
  const below = new Map<string, number>();
  const width = stacked ? room : room / Math.max(1, bars.length);
  const zero = y.at(0);
  const ground = Number.isFinite(zero) ? zero : kHeight - kBottom;
  return bars.map((mark, n) => (
    <g key={`bars ${n}`} fill={color(mark)}>
      {mark.x.map((place, i) => {
        const from = stacked ? (below.get(String(place)) ?? 0) : 0;
        if (stacked) below.set(String(place), from + mark.y[i]!);
        const [start, end] = [stacked ? y.at(from) : ground, y.at(from + mark.y[i]!)];
        if (!Number.isFinite(start) || !Number.isFinite(end)) return null;
        const left = x.at(place) - room / 2 + (stacked ? 0 : n * width);
        return <rect key={i} x={left} y={Math.min(start, end)} width={Math.max(0.5, width - 1)} height={Math.abs(end - start)}><title>{`${mark.name ? `${mark.name}: ` : ""}${place}, ${mark.y[i]}`}</title></rect>;
      })}
    </g>
  ));
}

/// A pixel for each cell, enlarged without blur.
function HeatMap({ heat, width }: { heat: Heat; width: number }) {
  const [href, low, high] = useMemo(() => {
    const flat = heat.z.flat().filter((value): value is number => value !== null);
    const least = flat.reduce((a, b) => Math.min(a, b), Infinity);
    const most = flat.reduce((a, b) => Math.max(a, b), -Infinity);
    return [cells(heat, least, most), least, most];
  }, [heat]);
  return (
    <>
      <image href={href} x={kLeft} y={kTop} width={width - kLeft - kRight} height={kHeight - kTop - kBottom} preserveAspectRatio="none" style={{ imageRendering: "pixelated" }} />
      {low <= high && <text x={width - kRight} y={13} textAnchor="end" className={css.chart_text}>{`dark ${low.toPrecision(3)} to bright ${high.toPrecision(3)}`}</text>}
    </>
  );
}

function cells(heat: Heat, low: number, high: number): string {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, heat.x.length);
  canvas.height = Math.max(1, heat.y.length);
  const context = canvas.getContext("2d");
  if (!context) return "";
  const pixels = context.createImageData(canvas.width, canvas.height);
  heat.z.forEach((row, i) => row.slice(0, canvas.width).forEach((value, j) => {
    if (value === null) return;
    // The first row lies at the bottom.
    const at = ((canvas.height - 1 - i) * canvas.width + j) * 4;
    const [r, g, b] = viridis((value - low) / (high - low || 1));
    pixels.data.set([r, g, b, 255], at);
  }));
  context.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}
