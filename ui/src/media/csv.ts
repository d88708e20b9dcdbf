// Tables as text: fields apart by commas, semicolons or tabs, in quotes where they hold one (RFC 4180).

export interface Table { columns: { name: string; numeric: boolean }[]; rows: unknown[][]; total: number }

/// Rows past `rows_max` are counted, not kept.
export function parse_csv(text: string, rows_max: number, separator = separator_of(text)): Table {
  const rows: string[][] = [];
  let total = 0;
  let row: string[] = [];
  let field = "";
  let quoted = false;
  const end_row = () => {
    row.push(field);
    field = "";
    if (row.length > 1 || row[0] !== "") { if (rows.length <= rows_max) rows.push(row); total++; }
    row = [];
  };
  for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i++) {
    const c = text[i]!;
    if (quoted) {
      if (c !== '"') field += c;
      else if (text[i + 1] === '"') { field += '"'; i++; } else quoted = false;
    } else if (c === '"' && field === "") quoted = true;
    else if (c === separator) { row.push(field); field = ""; }
    else if (c === "\n" || c === "\r") { if (c === "\r" && text[i + 1] === "\n") i++; end_row(); }
    else field += c;
  }
  if (field !== "" || row.length > 0) end_row();
  const [head = [], ...body] = rows;
  const width = body.reduce((most, one) => Math.max(most, one.length), head.length);
  const columns = Array.from({ length: width }, (_, i) => ({ name: head[i] ?? "", numeric: is_numeric(body.map((one) => one[i])) }));
  return { columns, rows: body, total: Math.max(0, total - 1) };
}

/// What the first line has most of.
export function separator_of(text: string): string {
  const line = text.slice(0, 10_000).split(/\r?\n/, 1)[0] ?? "";
  return [",", ";", "\t"].map((one) => ({ one, count: line.split(one).length })).reduce((a, b) => (b.count > a.count ? b : a)).one;
}

const kNone = new Set<unknown>(["", null, undefined]);
/// How numbers are written that JSON does not have.
const kNotFinite = new Set<unknown>(["NaN", "nan", "Infinity", "-Infinity", "inf", "-inf"]);
const is_number = (value: unknown) => !kNone.has(value) && Number.isFinite(Number(value));
const is_numeric = (values: unknown[]) => values.some(is_number) && values.every((value) => kNone.has(value) || kNotFinite.has(value) || is_number(value));

/// {"columns": […], "data": [[…]]} as pandas and MLflow write it, or a list of records; null for other JSON.
export function table_of_json(json: unknown, rows_max: number): Table | null {
  if (typeof json !== "object" || json === null) return null;
  const { columns, data } = json as { columns?: unknown; data?: unknown };
  if (Array.isArray(columns) && Array.isArray(data) && data.every(Array.isArray)) return table(columns.map(String), data as unknown[][], rows_max);
  if (Array.isArray(json) && json.length > 0 && json.every((row) => typeof row === "object" && row !== null && !Array.isArray(row))) {
    const names = [...new Set((json as Record<string, unknown>[]).slice(0, rows_max).flatMap(Object.keys))];
    return table(names, (json as Record<string, unknown>[]).map((row) => names.map((name) => row[name])), rows_max);
  }
  return null;
}

function table(names: string[], data: unknown[][], rows_max: number): Table {
  const rows = data.slice(0, rows_max);
  return { columns: names.map((name, i) => ({ name, numeric: is_numeric(rows.map((row) => row[i])) && rows.every((row) => typeof row[i] !== "boolean") })), rows, total: data.length };
}
