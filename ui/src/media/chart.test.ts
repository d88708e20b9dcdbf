import { expect, test } from "vitest";
import { histogram_of, kPointsMax, mark_of, place_of } from "./chart";
import { from_plotly, is_plotly, plotly_of_page, values_of } from "./plotly";
import { from_vega, is_vega } from "./vega";

test("lines, points and bars of Plotly are drawn, what is not known is named", () => {
  const chart = from_plotly({
    data: [
      { type: "scatter", mode: "lines+markers", name: "train", x: [1, 2, null, 4], y: [1, "2", 3, null], line: { color: "#ff0000" } },
      { type: "bar", x: ["a", "b"], y: [3, 4], marker: { color: "url(javascript:1)" } },
      { type: "mesh3d" }, { type: "scatter", y: [1], visible: "legendonly" },
    ],
    layout: { title: { text: "Loss" }, xaxis: { title: "step" }, yaxis: { type: "log", title: { text: "loss" } } },
  });
  expect([chart.title, chart.x_title, chart.y_title, chart.x_log, chart.y_log]).toEqual(["Loss", "step", "loss", false, true]);
  expect(chart.marks).toEqual([
    { kind: "line", name: "train", x: [1, 2], y: [1, 2], color: "#ff0000" },
    { kind: "points", name: "train", x: [1, 2], y: [1, 2], color: "#ff0000" },
    { kind: "bars", name: "trace 1", x: ["a", "b"], y: [3, 4] },
  ]);
  expect(chart.left_out).toEqual(["a trace of type mesh3d"]);
});

test("packed arrays of Plotly are unpacked", () => {
  const packed = (array: ArrayBufferView, dtype: string, shape?: string) => ({ dtype, bdata: btoa(String.fromCharCode(...new Uint8Array(array.buffer))), ...(shape ? { shape } : {}) });
  expect(values_of(packed(new Float64Array([1.5, -2]), "f8"))).toEqual([1.5, -2]);
  expect(values_of(packed(new Int16Array([1, 2, 3, 4, 5, 6]), "i2", "2, 3"))).toEqual([[1, 2, 3], [4, 5, 6]]);
  expect(values_of({ dtype: "f8", bdata: "!!" })).toEqual([]);
  expect(values_of(undefined)).toEqual([]);
});

test("a figure is found in the page that Plotly wrote around it", () => {
  const page = '<script>Plotly.newPlot( "a-b", [{"type":"bar","x":["]\\"}"],"y":[1]}], {"title":{"text":"T"}}, {"responsive": true} )</script>';
  expect(plotly_of_page(page)).toEqual({ data: [{ type: "bar", x: [']"}'], y: [1] }], layout: { title: { text: "T" } } });
  for (const other of ["<p>hello</p>", "Plotly.newPlot('x', [broken", "Plotly.newPlot("]) expect(plotly_of_page(other)).toBe(null);
});

test("a table of MLflow is no figure", () => {
  expect(is_plotly({ columns: ["a"], data: [[1]] })).toBe(false);
  expect(is_plotly({ data: [{ type: "bar" }] })).toBe(true);
  expect(is_plotly({ data: [], layout: {} })).toBe(true);
});

test("Vega-Lite's marks are drawn from the values inside, by colour", () => {
  const spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v5.json", data: { name: "d" }, datasets: { d: [{ s: 2, v: 5, run: "a" }, { s: 1, v: 4, run: "a" }, { s: 1, v: 9, run: "b" }] },
    mark: { type: "line" }, encoding: { x: { field: "s", title: "Step" }, y: { field: "v" }, color: { field: "run" } },
  };
  expect(is_vega(spec)).toBe(true);
  const chart = from_vega(spec);
  expect([chart.x_title, chart.y_title]).toEqual(["Step", "v"]);
  expect(chart.marks).toEqual([{ kind: "line", name: "a", x: [1, 2], y: [4, 5] }, { kind: "line", name: "b", x: [1], y: [9] }]);
});

test("a map of Vega-Lite is cells, counts are counted, the rest is named", () => {
  const at = (mark: string, encoding: object) => from_vega({ $schema: "vega-lite", data: { values: [{ x: "a", y: 1, z: 2 }, { x: "a", y: 2, z: 3 }, { x: "b", y: 1, z: null }] }, mark, encoding });
  expect(at("rect", { x: { field: "x" }, y: { field: "y" }, color: { field: "z" } }).heat).toEqual({ x: ["a", "b"], y: [1, 2], z: [[2, null], [3, null]] });
  expect(at("bar", { x: { field: "x" }, y: { aggregate: "count" } }).marks).toEqual([{ kind: "bars", name: "", x: ["a", "b"], y: [2, 1] }]);
  expect(at("bar", { x: { field: "x" }, y: { aggregate: "mean", field: "z" } }).left_out).toEqual(["aggregated or binned values"]);
  expect(at("geoshape", {}).left_out).toEqual(["marks of type geoshape"]);
});

test("dates are times, numbers numbers, the rest words", () => {
  expect(place_of("2026-01-02")).toBe(Date.parse("2026-01-02"));
  expect(place_of("12")).toBe("12");
  expect(place_of(3)).toBe(3);
});

test("more points than can be drawn are thinned", () => {
  const many = Array.from({ length: kPointsMax * 2 + 1 }, (_, i) => i);
  expect(mark_of("line", "", many, many).y.length).toBeLessThanOrEqual(kPointsMax);
});

test("values are counted into bars", () => {
  expect(histogram_of([1, 1, 2, 3, NaN])).toEqual({ x: [1 + 1 / 3, 2, 2 + 2 / 3].map((x) => expect.closeTo(x)), y: [2, 1, 1] });
  expect(histogram_of([5]).y).toEqual([1]);
  expect(histogram_of([]).y).toEqual([]);
});
