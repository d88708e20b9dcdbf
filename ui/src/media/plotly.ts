// Figures of Plotly: the kinds of trace that training logs are made of. What is not known is named, not guessed.
import { empty_chart, finish, histogram_of, list, mark_of, number_of, place_of, record, text, type Chart, type Members } from "./chart";

export function is_plotly(json: unknown): boolean {
  const { data } = record(json);
  return Array.isArray(data) && data.every((trace) => typeof trace === "object" && trace !== null && !Array.isArray(trace)) && ("layout" in record(json) || data.some((trace) => "type" in record(trace)));
}

export function from_plotly(json: unknown): Chart {
  const { data, layout } = record(json);
  const { title, xaxis, yaxis, barmode } = record(layout);
  const chart: Chart = {
    ...empty_chart(), title: title_of(title), x_title: title_of(record(xaxis)["title"]), y_title: title_of(record(yaxis)["title"]),
    x_log: record(xaxis)["type"] === "log", y_log: record(yaxis)["type"] === "log", stacked: barmode === "stack" || barmode === "relative",
  };
  list(data).map(record).forEach((trace, i) => add(chart, trace, text(trace["name"]) || `trace ${i}`));
  return finish(chart);
}

const title_of = (title: unknown): string => text(title) || text(record(title)["text"]);

/// `name` is Plotly's own for a trace without one.
function add(chart: Chart, trace: Members, name: string) {
  const kind = text(trace["type"]) || "scatter";
  const x = values_of(trace["x"]);
  const y = values_of(trace["y"]);
  if (trace["visible"] === false || trace["visible"] === "legendonly") return;
  switch (kind) {
    case "scatter": case "scattergl": return add_scatter(chart, trace, name, x, y);
    case "bar": {
      if (trace["orientation"] === "h") chart.left_out.push("the direction of lying bars");
      const [places, heights] = trace["orientation"] === "h" ? [y, x] : [x, y];
      chart.marks.push(mark_of("bars", name, places, heights, color_of(trace)));
      return;
    }
    case "histogram": {
      const bins = histogram_of((x.length ? x : y).map(number_of));
      chart.marks.push(mark_of("bars", name, bins.x, bins.y, color_of(trace)));
      return;
    }
    case "heatmap": case "heatmapgl": {
      const z = values_of(trace["z"]).map((row) => values_of(row).map((value) => { const found = number_of(value); return Number.isFinite(found) ? found : null; }));
      chart.heat = { x: z[0]?.map((_, i) => place_of(x[i] ?? i)) ?? [], y: z.map((_, i) => place_of(y[i] ?? i)), z };
      return;
    }
    default: chart.left_out.push(`a trace of type ${kind.slice(0, 40)}`);
  }
}

function add_scatter(chart: Chart, trace: Members, name: string, x: unknown[], y: unknown[]) {
  const mode = text(trace["mode"]) || (y.length < 20 ? "lines+markers" : "lines");
  const color = color_of(trace);
  if (trace["fill"] === "tozeroy" || trace["stackgroup"] !== undefined) chart.marks.push(mark_of("area", name, x, y, color));
  if (mode.includes("lines")) chart.marks.push(mark_of("line", name, x, y, color));
  if (mode.includes("markers")) chart.marks.push(mark_of("points", name, x, y, color));
}

/// Only colours that are one; a list of numbers is a scale that is not drawn.
function color_of(trace: Members): string | undefined {
  const color = record(trace["line"])["color"] ?? record(trace["marker"])["color"];
  return typeof color === "string" && /^(#[0-9a-f]{3,8}|[a-z]{3,30}|rgba?\([\d., %]+\))$/i.test(color) ? color : undefined;
}

// --- arrays of numbers as Plotly packs them: {"dtype": "f8", "bdata": base64, "shape": "2, 3"} --------------------------

const kTypes: { [dtype: string]: (buffer: ArrayBuffer) => ArrayLike<number | bigint> } = {
  f8: (buffer) => new Float64Array(buffer), f4: (buffer) => new Float32Array(buffer), i1: (buffer) => new Int8Array(buffer), u1: (buffer) => new Uint8Array(buffer),
  i2: (buffer) => new Int16Array(buffer), u2: (buffer) => new Uint16Array(buffer), i4: (buffer) => new Int32Array(buffer), u4: (buffer) => new Uint32Array(buffer),
  i8: (buffer) => new BigInt64Array(buffer), u8: (buffer) => new BigUint64Array(buffer),
};

export function values_of(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  const { dtype, bdata, shape } = record(value);
  const read = kTypes[text(dtype).replace(/^[<=]/, "")];
  if (!read || typeof bdata !== "string") return [];
  try {
    const flat = Array.from(read(Uint8Array.from(atob(bdata), (character) => character.charCodeAt(0)).buffer), Number);
    const width = Number(text(shape).split(",")[1]);
    return Number.isFinite(width) && width > 0 ? Array.from({ length: Math.floor(flat.length / width) }, (_, i) => flat.slice(i * width, (i + 1) * width)) : flat;
  } catch {
    return [];
  }
}

// --- figures inside of pages ------------------------------------------------------------------------------------------

/// The figure of a page that Plotly wrote, which is a call with the data as JSON: read and never run.
export function plotly_of_page(page: string): unknown {
  const at = page.lastIndexOf("Plotly.newPlot(");
  if (at < 0) return null;
  const data = json_after(page, page.indexOf("[", at));
  if (!data) return null;
  const layout = json_after(page, page.indexOf("{", data.end));
  return { data: data.value, layout: layout?.value ?? {} };
}

/// The JSON value that begins at `start`.
function json_after(page: string, start: number): { value: unknown; end: number } | null {
  if (start < 0) return null;
  let depth = 0;
  let quoted = false;
  for (let i = start; i < page.length; i++) {
    const c = page[i];
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === "[" || c === "{") depth++;
    else if ((c === "]" || c === "}") && --depth === 0) {
      try { return { value: JSON.parse(page.slice(start, i + 1)) as unknown, end: i + 1 }; } catch { return null; }
    }
  }
  return null;
}
