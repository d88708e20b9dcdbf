// A uPlot without data of its own: axes, crosshair, zoom. What it draws and shows is asked for at each drawing.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { token } from "../app/theme";
import { axis_texts, duration, exact, number } from "./format";

/// Seconds since 1970, a number of seconds, or any number.
export type XKind = "time" | "duration" | "number";

export interface Hooks {
  /// What x has to show.
  x: () => [number, number];
  y: () => [number, number];
  draw: (u: uPlot) => void;
  /// Where the crosshair is, in pixels and as x; null once it has left.
  pointed: (at: { left: number; top: number; x: number; own: boolean } | null) => void;
  zoomed: (range: [number, number] | null) => void;
}
export interface Make { x_name: string; x_is: XKind; log: boolean; sync: string | undefined; height: number }

export function make_chart(element: HTMLElement, make: Make, hooks: Hooks): uPlot {
  const chart = new uPlot({
    width: Math.max(element.clientWidth, 120), height: make.height,
    legend: { show: false },
    padding: [8, 22, 0, 0],
    cursor: {
      ...(make.sync ? { sync: { key: make.sync, scales: ["x", null] as [string, null] } } : {}),
      drag: { x: true, y: false, setScale: false }, points: { show: false }, y: false,
      bind: { dblclick: () => () => { hooks.zoomed(null); return null; } },
    },
    scales: {
      x: { time: make.x_is === "time", range: () => hooks.x() },
      y: make.log ? { distr: 3, range: () => hooks.y() } : { range: () => hooks.y() },
    },
    axes: axes(make),
    // One line that is never drawn, so that there are scales.
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: { draw: [hooks.draw], setCursor: [(u) => hooks.pointed(pointed_at(u))], setSelect: [(u) => select(u, hooks)] },
  }, kNothing, element);
  return chart;
}

/// Asks for everything once more.
export const renew = (chart: uPlot) => chart.setData(kNothing);
const kNothing: uPlot.AlignedData = [[0, 1], [1, 1]];

/// The place of the y axis' numbers, in pixels.
export const kAxisWidth = 58;

function axes({ x_name, x_is }: Make): uPlot.Axis[] {
  const font = `11px ${token("--sans")}`;
  const axis = { stroke: token("--text-quiet"), grid: { stroke: token("--plot-grid"), width: 1 }, ticks: { stroke: token("--plot-grid"), width: 1, size: 4 }, font, labelFont: font };
  return [
    { ...axis, label: x_name, labelSize: 16, size: 26, space: 70, labelGap: 0, ...x_axis(x_is) },
    { ...axis, size: kAxisWidth, space: 34, values: (_u, ticks) => axis_texts(ticks) },
  ];
}

const ticks_by = (text: (tick: number) => string): uPlot.Axis.Values => (_u, ticks) => ticks.map((tick) => (tick === null ? "" : text(tick)));

function x_axis(x_is: XKind): Pick<uPlot.Axis, "values" | "incrs"> {
  if (x_is === "time") return { values: kTimeTicks };
  if (x_is === "duration") return { values: ticks_by((tick) => (tick === 0 ? "0" : duration(tick))), incrs: kDurationSteps };
  return { values: (_u, ticks) => axis_texts(ticks, kStepsPlainMax) };
}
const kStepsPlainMax = 1e10;
const kDurationSteps = [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 4 * 3600, 8 * 3600, 12 * 3600, 86400, 2 * 86400, 7 * 86400];

/// A place on x in words.
export const x_text = (x_is: XKind, x: number) => (x_is === "time" ? exact(new Date(x * 1000).toISOString()) : x_is === "duration" ? duration(x) : number(x, 6));

function pointed_at(u: uPlot) {
  const { left = -1, top = -1 } = u.cursor;
  // Another plot's crosshair comes by the shared x, without a place on this one's y.
  return left < 0 ? null : { left, top, x: u.posToVal(left, "x"), own: u.over.matches(":hover") };
}

function select(u: uPlot, hooks: Hooks) {
  if (u.select.width < 4) return;
  const range: [number, number] = [u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x")];
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  hooks.zoomed(range);
}

/// Ticks of a time axis, 24 hours a day: from which distance of ticks on, the text, and what is added when a larger unit turns.
const kTimeTicks: uPlot.Axis.Values = [
  [3600 * 24 * 28, "{MMM} {YYYY}", null, null, null, null, null, null, 1],
  [3600 * 24, "{D} {MMM}", null, null, null, null, null, null, 1],
  [60, "{HH}:{mm}", null, null, "\n{D} {MMM}", null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", null, null, "\n{D} {MMM}", null, null, null, 1],
  [0.001, ":{ss}.{fff}", null, null, "\n{HH}:{mm}", null, null, null, 1],
];
