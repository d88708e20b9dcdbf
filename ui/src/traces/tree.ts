// The spans of a trace as the rows of a tree, and where each stands on the time line.
import type { Span } from "../api/types";

export interface SpanRow {
  span: Span;
  depth: number;
  /// How many spans are below it, folded or not.
  below: number;
  /// Shares of the whole trace, 0 to 1.
  from: number;
  to: number;
}

/// How long the trace is: to the end of the span that ends last, at least one microsecond.
export function length_us(spans: Span[]): number {
  return Math.max(1, ...spans.map(({ offset_us, duration_us }) => offset_us + (duration_us ?? 0)));
}

/// Rows in the order of a tree: a parent before its children, those by their start. A span whose parent is not there, or that is
/// its own ancestor, stands at the top. `folded` are the ids whose children are not shown.
export function rows_of(spans: Span[], folded: ReadonlySet<string> = new Set()): SpanRow[] {
  const total = length_us(spans);
  const known = new Set(spans.map(({ id }) => id));
  const children = new Map<string, Span[]>();
  const add = (parent: string, span: Span) => children.set(parent, [...(children.get(parent) ?? []), span]);
  for (const span of spans) add(span.parent !== null && known.has(span.parent) ? span.parent : "", span);
  for (const list of children.values()) list.sort((a, b) => a.offset_us - b.offset_us);

  const rows: SpanRow[] = [];
  const seen = new Set<string>();
  const visit = (span: Span, depth: number, shown: boolean): number => {
    if (seen.has(span.id)) return 0;
    seen.add(span.id);
    const end = span.duration_us === null ? total : span.offset_us + span.duration_us;
    const row: SpanRow = { span, depth, below: 0, from: span.offset_us / total, to: end / total };
    if (shown) rows.push(row);
    for (const child of children.get(span.id) ?? []) row.below += visit(child, depth + 1, shown && !folded.has(span.id));
    return row.below + 1;
  };
  for (const span of children.get("") ?? []) visit(span, 0, true);
  // What is left are circles.
  for (const span of spans) visit(span, 0, true);
  return rows;
}

/// Times of spans from microseconds to minutes, with the unit that keeps them short.
export function micros(value: number | null): string {
  if (value === null) return "goes on";
  if (value < 1000) return `${value} µs`;
  if (value < 1_000_000) return `${(value / 1000).toPrecision(3)} ms`;
  return value < 60_000_000 ? `${(value / 1_000_000).toPrecision(3)} s` : `${Math.floor(value / 60_000_000)} min ${Math.round((value % 60_000_000) / 1_000_000)} s`;
}

/// What an attribute holds, to be read: JSON that came as text is laid out too.
export function readable(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value, null, 2) ?? "";
  if (!/^\s*[[{]/.test(value)) return value;
  try { return JSON.stringify(JSON.parse(value), null, 2); } catch { return value; }
}
