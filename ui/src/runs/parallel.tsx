// Parallel coordinates: an axis for each parameter and for the result, a line for each run. Dragging along axes leaves the
// runs that pass through all dragged spans.
import { useEffect, useMemo, useRef, useState, type PointerEvent } from "react";
import type { Run } from "../api/types";
import { navigate, useListParam } from "../app/router";
import { useResolvedTheme, token } from "../app/theme";
import { Empty, Popover } from "../parts/basics";
import { counted, number } from "../parts/format";
import { use_width } from "../parts/width";
import { differing_parameters, field_by_id, metric_ids, scale_of, ticks_of, type Field } from "./fields";
import { look_of } from "./look";
import { ColorScale, colors_of, TargetSelect, useTarget } from "./target";
import css from "./runs.module.css";

const kHeight = 420;
const kTop = 44;
const kBottom = 20;
const kSide = 90;
const kAxesFirst = 7;
const kAxesMax = 14;

interface Brush { id: string; low: number; high: number }
const read_brushes = (texts: string[]): Brush[] => texts.flatMap((text) => {
  const [, id, low, high] = /^(.*):([^:]+):([^:]+)$/s.exec(text) ?? [];
  return id && Number.isFinite(Number(low)) && Number.isFinite(Number(high)) ? [{ id, low: Number(low), high: Number(high) }] : [];
});
const write_brush = ({ id, low, high }: Brush) => `${id}:${Number(low.toPrecision(6))}:${Number(high.toPrecision(6))}`;

/// Which runs pass through all spans; a run without a value does not.
export function passing(fields: Field[], brushes: Brush[], count: number): boolean[] {
  const held = brushes.flatMap((brush) => { const field = fields.find(({ id }) => id === brush.id); return field ? [{ ...brush, values: field.values }] : []; });
  return Array.from({ length: count }, (_, i) => held.every(({ values, low, high }) => values[i]! >= low && values[i]! <= high));
}

export function Parallel({ runs }: { runs: Run[] }) {
  const target = useTarget(runs);
  const [chosen, set_chosen] = useListParam("axes");
  const [brush_texts, set_brush_texts] = useListParam("brush");
  const all = useMemo(() => [...differing_parameters(runs), ...metric_ids(runs)], [runs]);
  const ids = useMemo(() => {
    const first = differing_parameters(runs).slice(0, kAxesFirst);
    return [...(chosen.length ? chosen.filter((id) => all.includes(id)) : first).filter((id) => id !== target.field?.id).slice(0, kAxesMax), ...(target.field ? [target.field.id] : [])];
  }, [runs, chosen, all, target.field]);
  const fields = useMemo(() => ids.map((id) => field_by_id(runs, id)), [runs, ids]);
  const brushes = useMemo(() => read_brushes(brush_texts), [brush_texts]);
  const pass = useMemo(() => passing(fields, brushes, runs.length), [fields, brushes, runs.length]);
  const set_brushes = (next: Brush[]) => set_brush_texts(next.map(write_brush));
  if (fields.length < 2) return <Empty>These runs differ in no parameter, or have no metric: there is nothing to lay out.</Empty>;
  const left = runs.filter((_, i) => pass[i]);
  return (
    <div className="stack">
      <div className={css.tools}>
        <TargetSelect {...target} />
        <AxesChooser all={all.filter((id) => id !== target.field?.id)} chosen={ids} on_change={set_chosen} />
        {target.field && <ColorScale field={target.field} />}
      </div>
      <Axes runs={runs} fields={fields} colors={colors_of(target.field)} pass={pass} brushes={brushes} set_brushes={set_brushes} />
      <div className={css.tools} role="status">
        <span>{brushes.length ? `${counted(left.length, "run")} of ${counted(runs.length, "run")} pass` : `${counted(runs.length, "run")}; drag along an axis to keep those that pass through`}</span>
        {brushes.map((brush) => {
          const field = fields.find(({ id }) => id === brush.id);
          return field && <button key={brush.id} type="button" className="small" title="Let all pass here" onClick={() => set_brushes(brushes.filter((one) => one !== brush))}>{span_text(field, brush)} ✕</button>;
        })}
        {brushes.length > 0 && left.length >= 2 && left.length < runs.length && <button type="button" className="small" onClick={() => navigate(`/runs/compare?ids=${left.map(({ id }) => id).join(",")}`)}>Compare these {left.length}</button>}
      </div>
    </div>
  );
}

function span_text(field: Field, { low, high }: Brush): string {
  if (field.words) return `${field.name}: ${field.words.filter((_, i) => i >= low && i <= high).join(", ") || "none"}`;
  return `${field.name}: ${number(low)} to ${number(high)}`;
}

function AxesChooser({ all, chosen, on_change }: { all: string[]; chosen: string[]; on_change: (ids: string[]) => void }) {
  const [find, set_find] = useState("");
  const kept = chosen.filter((id) => all.includes(id));
  return (
    <Popover button={`Axes: ${chosen.length}`} name="Axes">
      {() => (
        <div className={css.grouping}>
          <input placeholder="Find a parameter or a metric" aria-label="Find an axis" value={find} onChange={(event) => set_find(event.target.value)} />
          <ul>{all.filter((id) => id.toLowerCase().includes(find.toLowerCase())).slice(0, 200).map((id) => (
            <li key={id}><label><input type="checkbox" checked={kept.includes(id)} disabled={!kept.includes(id) && kept.length >= kAxesMax} onChange={() => on_change(kept.includes(id) ? kept.filter((one) => one !== id) : [...kept, id])} /> {id}</label></li>
          ))}</ul>
        </div>
      )}
    </Popover>
  );
}

interface AxesProps { runs: Run[]; fields: Field[]; colors: (string | null)[]; pass: boolean[]; brushes: Brush[]; set_brushes: (brushes: Brush[]) => void }

const y_of = (share: number) => kHeight - kBottom - share * (kHeight - kTop - kBottom);
const share_at = (y: number) => Math.max(0, Math.min(1, (kHeight - kBottom - y) / (kHeight - kTop - kBottom)));

function Axes({ runs, fields, colors, pass, brushes, set_brushes }: AxesProps) {
  const [host, width] = use_width(900, 320);
  const [near, set_near] = useState<{ run: number; x: number; y: number } | null>(null);
  const places = useMemo(() => fields.map((field) => { const { at } = scale_of(field); return field.values.map((value) => (Number.isNaN(value) ? NaN : y_of(at(value)))); }), [fields]);
  const x_of = (axis: number) => kSide + (axis * (width - 2 * kSide)) / (fields.length - 1);
  const looks = useMemo(() => look_of(runs), [runs]);
  const pointed = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons) return set_near(null);
    const box = event.currentTarget.getBoundingClientRect();
    set_near(nearest_line(places, pass, x_of, event.clientX - box.left, event.clientY - box.top));
  };
  return (
    <div ref={host} className={css.parallel} style={{ height: kHeight }} onPointerMove={pointed} onPointerLeave={() => set_near(null)}>
      <Lines places={places} colors={colors} pass={pass} width={width} x_of={x_of} emphasis={near?.run ?? null} />
      <svg width={width} height={kHeight} role="img" aria-label={`Parallel coordinates of ${counted(runs.length, "run")} over ${fields.map(({ name }) => name).join(", ")}`}>
        {fields.map((field, i) => (
          <Axis key={field.id} field={field} x={x_of(i)} brush={brushes.find(({ id }) => id === field.id) ?? null} on_brush={(brush) => set_brushes([...brushes.filter(({ id }) => id !== field.id), ...(brush ? [brush] : [])])} />
        ))}
      </svg>
      {near && <div className={css.near} style={{ left: Math.min(near.x + 12, width - 220), top: near.y - 28 }} aria-hidden="true">{looks.get(runs[near.run]!.id)!.label}</div>}
    </div>
  );
}

/// The passing line that goes by nearest to the pointer.
function nearest_line(places: number[][], pass: boolean[], x_of: (axis: number) => number, x: number, y: number) {
  const right = places.findIndex((_, axis) => x_of(axis) > x);
  if (right < 1) return null;
  const share = (x - x_of(right - 1)) / (x_of(right) - x_of(right - 1));
  let found: { run: number; x: number; y: number } | null = null;
  let best = 10;
  pass.forEach((passes, run) => {
    if (!passes) return;
    const at = places[right - 1]![run]! + share * (places[right]![run]! - places[right - 1]![run]!);
    if (Math.abs(at - y) < best) { best = Math.abs(at - y); found = { run, x, y }; }
  });
  return found;
}

function Lines({ places, colors, pass, width, x_of, emphasis }: { places: number[][]; colors: (string | null)[]; pass: boolean[]; width: number; x_of: (axis: number) => number; emphasis: number | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useResolvedTheme();
  useEffect(() => {
    const element = canvas.current;
    const ctx = element?.getContext("2d");
    if (!element || !ctx) return;
    const unit = devicePixelRatio || 1;
    element.width = width * unit;
    element.height = kHeight * unit;
    ctx.scale(unit, unit);
    const faint = token("--line-strong");
    // Many lines are seen through each other, few stand out.
    const alpha = Math.max(0.35, Math.min(0.9, 60 / pass.filter(Boolean).length));
    const order = pass.map((_, run) => run).sort((a, b) => Number(pass[a]) - Number(pass[b]) || Number(a === emphasis) - Number(b === emphasis));
    for (const run of order) {
      ctx.strokeStyle = pass[run] ? (colors[run] ?? faint) : faint;
      ctx.globalAlpha = !pass[run] ? 0.15 : emphasis === null ? alpha : run === emphasis ? 1 : 0.2;
      ctx.lineWidth = run === emphasis ? 2.5 : 1.2;
      ctx.beginPath();
      let pen = false;
      places.forEach((ys, axis) => {
        const y = ys[run]!;
        if (Number.isNaN(y)) { pen = false; return; }
        if (pen) ctx.lineTo(x_of(axis), y); else ctx.moveTo(x_of(axis), y);
        pen = true;
      });
      ctx.stroke();
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- x_of follows from the width and the number of axes
  }, [places, colors, pass, width, emphasis, theme]);
  return <canvas ref={canvas} aria-hidden="true" style={{ width, height: kHeight }} />;
}

function Axis({ field, x, brush, on_brush }: { field: Field; x: number; brush: Brush | null; on_brush: (brush: Brush | null) => void }) {
  const { at, back } = scale_of(field);
  const [drag, set_drag] = useState<{ from: number; to: number } | null>(null);
  const y_in = (event: PointerEvent<SVGRectElement>) => event.clientY - event.currentTarget.ownerSVGElement!.getBoundingClientRect().top;
  const done = () => {
    if (!drag) return;
    set_drag(null);
    const [low, high] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
    // Words have a little room around them, numbers as much as is lost when they are written.
    on_brush(high - low < 0.01 ? null : { id: field.id, low: back(low) - (field.words ? 0.2 : 0), high: back(high) + (field.words ? 0.2 : 0) });
  };
  const span = drag ? [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)] : brush ? [at(Math.max(brush.low, field.log ? 1e-300 : -Infinity)), at(brush.high)] : null;
  const [low, high] = span ? span.map((share) => Math.max(0, Math.min(1, share))) : [0, 0];
  return (
    <g>
      <text x={x} y={16} textAnchor="middle" className={css.axis_name}><title>{field.id}</title>{field.name.length > 16 ? `${field.name.slice(0, 15)}…` : field.name}</text>
      <text x={x} y={30} textAnchor="middle" className={css.axis_tick}>{field.log ? "log scale" : ""}</text>
      <line x1={x} x2={x} y1={kTop} y2={kHeight - kBottom} className={css.axis_line} />
      {ticks_of(field).map((value) => (
        <g key={value}><line x1={x - 4} x2={x} y1={y_of(at(value))} y2={y_of(at(value))} className={css.axis_line} /><text x={x - 7} y={y_of(at(value)) + 4} textAnchor="end" className={css.axis_tick}>{field.words ? field.words[value]!.slice(0, 12) : number(value)}</text></g>
      ))}
      {span && <rect x={x - 8} width={16} y={y_of(high!)} height={Math.max(2, y_of(low!) - y_of(high!))} className={css.brush} />}
      <rect
        x={x - 14} width={28} y={kTop - 6} height={kHeight - kTop - kBottom + 12} className={css.grab} data-axis={field.id}
        onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); const share = share_at(y_in(event)); set_drag({ from: share, to: share }); }}
        onPointerMove={(event) => { if (drag) set_drag({ from: drag.from, to: share_at(y_in(event)) }); }}
        onPointerUp={done} onPointerCancel={() => set_drag(null)}
      />
    </g>
  );
}
