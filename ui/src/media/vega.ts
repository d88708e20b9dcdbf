// Specifications of Vega-Lite: marks over values that are inside of the specification. Full Vega and transformations are named, not drawn.
import { empty_chart, finish, list, mark_of, number_of, place_of, record, text, type Chart, type Mark, type Place, type Members } from "./chart";

export const is_vega = (json: unknown): boolean => /vega/.test(text(record(json)["$schema"]));

const kKinds: { [mark: string]: Mark["kind"] } = { line: "line", trail: "line", point: "points", circle: "points", square: "points", tick: "points", bar: "bars", area: "area" };

export function from_vega(json: unknown): Chart {
  const spec = record(json);
  const chart = { ...empty_chart(), title: text(spec["title"]) || text(record(spec["title"])["text"]) };
  if (!/vega-lite/.test(text(spec["$schema"]))) chart.left_out.push("a specification of Vega; that of Vega-Lite is drawn");
  else add(chart, spec, {}, rows_of(spec, spec, []), record(spec["datasets"]), 0);
  return finish(chart);
}

const kDepthMax = 8;

/// A layer inherits data and encoding of what it lies in.
function add(chart: Chart, spec: Members, outer: Members, rows: Members[], datasets: Members, depth: number) {
  const encoding = { ...outer, ...record(spec["encoding"]) };
  if (depth > kDepthMax) return;
  if (spec["transform"]) chart.left_out.push("transformations");
  for (const part of ["facet", "hconcat", "vconcat", "concat", "repeat"]) if (spec[part]) chart.left_out.push(`a view with ${part}`);
  for (const layer of list(spec["layer"]).map(record)) add(chart, layer, encoding, rows_of(layer, { datasets }, rows), datasets, depth + 1);
  const mark = text(spec["mark"]) || text(record(spec["mark"])["type"]);
  if (mark) add_mark(chart, mark, encoding, rows);
}

function rows_of(spec: Members, root: Members, otherwise: Members[]): Members[] {
  const data = record(spec["data"]);
  const values = data["values"] ?? record(root["datasets"])[text(data["name"])];
  return Array.isArray(values) ? values.map(record) : otherwise;
}

function add_mark(chart: Chart, mark: string, encoding: Members, rows: Members[]) {
  const [x, y, color] = [record(encoding["x"]), record(encoding["y"]), record(encoding["color"])];
  chart.x_title ||= title_of(x);
  chart.y_title ||= title_of(y);
  chart.x_log ||= record(x["scale"])["type"] === "log";
  chart.y_log ||= record(y["scale"])["type"] === "log";
  if (x["aggregate"] || x["bin"] || (y["aggregate"] && y["aggregate"] !== "count") || y["bin"]) { chart.left_out.push("aggregated or binned values"); return; }
  if (mark === "rect" && color["field"]) { chart.heat = heat_of(rows, text(x["field"]), text(y["field"]), text(color["field"])); return; }
  const kind = kKinds[mark];
  if (!kind) { chart.left_out.push(`marks of type ${mark.slice(0, 40)}`); return; }
  for (const [name, some] of grouped(rows, text(color["field"]))) {
    const [places, heights] = y["aggregate"] === "count" ? counts(some, text(x["field"])) : [some.map((row) => row[text(x["field"])]), some.map((row) => row[text(y["field"])])];
    chart.marks.push(mark_of(kind, name, kind === "line" || kind === "area" ? sorted(places, heights)[0] : places, kind === "line" || kind === "area" ? sorted(places, heights)[1] : heights));
  }
  if (kind === "bars") chart.stacked = color["field"] !== undefined && encoding["xOffset"] === undefined;
}

const title_of = (channel: Members) => text(channel["title"]) || text(record(channel["axis"])["title"]) || text(channel["field"]);

function grouped(rows: Members[], field: string): Map<string, Members[]> {
  const groups = new Map<string, Members[]>();
  for (const row of rows) {
    const name = field ? text(row[field]) : "";
    const group = groups.get(name);
    if (group) group.push(row); else groups.set(name, [row]);
  }
  return groups;
}

function counts(rows: Members[], field: string): [Place[], number[]] {
  const found = new Map<Place, number>();
  for (const row of rows) { const place = place_of(row[field]); found.set(place, (found.get(place) ?? 0) + 1); }
  return [[...found.keys()], [...found.values()]];
}

/// Lines go from left to right, whatever the order of the rows.
function sorted(x: unknown[], y: unknown[]): [unknown[], unknown[]] {
  const order = x.map((value, i) => ({ place: place_of(value), i }));
  if (order.every(({ place }) => typeof place === "number")) order.sort((a, b) => (a.place as number) - (b.place as number));
  return [order.map(({ i }) => x[i]), order.map(({ i }) => y[i])];
}

function heat_of(rows: Members[], x: string, y: string, z: string) {
  const [xs, ys] = [x, y].map((field) => [...new Set(rows.map((row) => place_of(row[field])))]) as [Place[], Place[]];
  const cells = ys.map(() => xs.map((): number | null => null));
  const [columns, lines] = [new Map(xs.map((place, i) => [place, i])), new Map(ys.map((place, i) => [place, i]))];
  for (const row of rows) {
    const value = number_of(row[z]);
    cells[lines.get(place_of(row[y]))!]![columns.get(place_of(row[x]))!] = Number.isFinite(value) ? value : null;
  }
  return { x: xs, y: ys, z: cells };
}
