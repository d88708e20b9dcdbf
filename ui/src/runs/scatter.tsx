// Two fields of runs against each other, coloured by a third, as points or as a surface behind them.
import { useMemo, useState } from "react";
import type { Run } from "../api/types";
import { navigate, useParam } from "../app/router";
import { Empty } from "../parts/basics";
import { number } from "../parts/format";
import { use_width } from "../parts/width";
import { differing_parameters, field_by_id, metric_ids, scale_of, ticks_of, type Field } from "./fields";
import { rank_correlation } from "./forest";
import { look_of } from "./look";
import { ColorScale, colors_of, TargetSelect, useTarget } from "./target";
import { kReach, type Surface } from "./surface";
import { SurfaceColors, SurfaceLines, useSurface, type Place } from "./surface_layer";
import css from "./runs.module.css";

const kHeight = 460;
const kLeft = 76;
const kRight = 24;
const kTop = 12;
const kBottom = 44;

export function Scatter({ runs }: { runs: Run[] }) {
  const target = useTarget(runs);
  const ids = useMemo(() => [...differing_parameters(runs), ...metric_ids(runs)], [runs]);
  const [x_chosen, set_x] = useParam("sx");
  const [y_chosen, set_y] = useParam("sy");
  const [surface, set_surface] = useParam("surface");
  const x = useField(runs, ids.includes(x_chosen) ? x_chosen : ids[0]);
  // A surface of the result stands over two parameters.
  const y = useField(runs, ids.includes(y_chosen) ? y_chosen : surface === "1" ? (ids.find((id) => id !== x?.id) ?? target.field?.id) : target.field?.id);
  const layer = useSurface(x ?? kNoField, y ?? kNoField, target.field, surface === "1");
  if (!x || !y) return <Empty>These runs have nothing to lay out: no parameter that differs and no metric.</Empty>;
  const together = rank_correlation(x.values, y.values);
  const missing = runs.filter((_, i) => Number.isNaN(x.values[i]!) || Number.isNaN(y.values[i]!)).length;
  return (
    <div className="stack">
      <div className={css.tools}>
        <FieldSelect name="Across" value={x.id} ids={ids} on_change={set_x} />
        <FieldSelect name="Upwards" value={y.id} ids={ids} on_change={set_y} />
        <TargetSelect {...target} name="Colour" />
        <label><input type="checkbox" checked={surface === "1"} onChange={(event) => set_surface(event.target.checked ? "1" : null)} /> Surface</label>
        {target.field && <ColorScale field={target.field} />}
      </div>
      <Points runs={runs} x={x} y={y} target={target.field} surface={layer} />
      {surface === "1" && <p className="quiet">{layer
        ? `Surface: the mean ${target.field!.name} of the runs near a place, by Gaussian weights that reach ${100 * kReach} % of each axis (Nadaraya and Watson 1964); no colour where no run is near.`
        : "A surface needs numbers on both axes."}</p>}
      <p className="quiet">{Number.isNaN(together) || x.words || y.words ? "" : `Rank correlation (Spearman) ${number(together)}. `}{missing > 0 && `${missing} of ${runs.length} runs lack one of the two.`}</p>
    </div>
  );
}

const kNoField: Field = { id: "", name: "", values: [], words: null, log: false };
const useField = (runs: Run[], id: string | undefined) => useMemo(() => (id ? field_by_id(runs, id) : null), [runs, id]);

function FieldSelect({ name, value, ids, on_change }: { name: string; value: string; ids: string[]; on_change: (id: string) => void }) {
  return <label>{name} <select value={value} onChange={(event) => on_change(event.target.value)}>{ids.map((id) => <option key={id} value={id}>{id}</option>)}</select></label>;
}

function Points({ runs, x, y, target, surface }: { runs: Run[]; x: Field; y: Field; target: Field | null; surface: Surface | null }) {
  const [host, width] = use_width(900, 320);
  const [over, set_over] = useState<number | null>(null);
  const looks = useMemo(() => look_of(runs), [runs]);
  const colors = useMemo(() => colors_of(target), [target]);
  // A little room, so that the outermost points are whole.
  const inset = (share: number) => 0.02 + 0.96 * share;
  const [sx, sy] = [scale_of(x), scale_of(y)];
  const px = (value: number) => kLeft + inset(sx.at(value)) * (width - kLeft - kRight);
  const py = (value: number) => kHeight - kBottom - inset(sy.at(value)) * (kHeight - kTop - kBottom);
  const words = (field: Field, value: number) => (field.words ? field.words[value]! : number(value));
  const place: Place = { left: kLeft + inset(0) * (width - kLeft - kRight), top: kTop + inset(0) * (kHeight - kTop - kBottom), width: 0.96 * (width - kLeft - kRight), height: 0.96 * (kHeight - kTop - kBottom) };
  const shown = runs.flatMap((_, i) => (Number.isNaN(x.values[i]!) || Number.isNaN(y.values[i]!) ? [] : [i]));
  return (
    <div ref={host} className={css.parallel} style={{ height: kHeight }}>
      {surface && <SurfaceColors surface={surface} place={place} />}
      <svg width={width} height={kHeight} role="img" aria-label={`${y.name} over ${x.name}, ${shown.length} runs`}>
        {ticks_of(x).map((value) => <g key={value}><line x1={px(value)} x2={px(value)} y1={kTop} y2={kHeight - kBottom} className={css.grid_line} /><text x={px(value)} y={kHeight - kBottom + 16} textAnchor="middle" className={css.axis_tick}>{words(x, value).slice(0, 14)}</text></g>)}
        {ticks_of(y).map((value) => <g key={value}><line x1={kLeft} x2={width - kRight} y1={py(value)} y2={py(value)} className={css.grid_line} /><text x={kLeft - 8} y={py(value) + 4} textAnchor="end" className={css.axis_tick}>{words(y, value).slice(0, 10)}</text></g>)}
        <text x={(width + kLeft - kRight) / 2} y={kHeight - 8} textAnchor="middle" className={css.axis_name}>{x.name}{x.log && ", log scale"}</text>
        <text transform={`translate(14 ${(kHeight - kBottom + kTop) / 2}) rotate(-90)`} textAnchor="middle" className={css.axis_name}>{y.name}{y.log && ", log scale"}</text>
        {surface && target && <SurfaceLines surface={surface} field={target} place={place} />}
        {shown.map((i) => (
          <circle key={runs[i]!.id} cx={px(x.values[i]!)} cy={py(y.values[i]!)} r={over === i ? 7 : 5} fill={colors[i] ?? "var(--line-strong)"} fillOpacity={0.8} className={css.point}
            onPointerEnter={() => set_over(i)} onPointerLeave={() => set_over(null)} onClick={() => navigate(`/runs/${runs[i]!.id}`)} />
        ))}
      </svg>
      {over !== null && (
        <div className={css.near} style={{ left: Math.min(px(x.values[over]!) + 12, width - 260), top: Math.max(0, py(y.values[over]!) - 44) }} aria-hidden="true">
          {looks.get(runs[over]!.id)!.label}<br />{x.name} {words(x, x.values[over]!)}, {y.name} {words(y, y.values[over]!)}
        </div>
      )}
    </div>
  );
}
