// The result that compared runs are judged and coloured by; it is in the URL.
import { useMemo } from "react";
import type { Run } from "../api/types";
import { useParam } from "../app/router";
import { number } from "../parts/format";
import { visible } from "../parts/viridis";
import { likely_target, metric_field, metric_ids, scale_of, type Field } from "./fields";
import css from "./runs.module.css";

export function useTarget(runs: Run[]) {
  const ids = useMemo(() => metric_ids(runs), [runs]);
  const likely = useMemo(() => likely_target(ids), [ids]);
  const [chosen, set_target] = useParam("target");
  const id = ids.includes(chosen) ? chosen : likely;
  const field = useMemo(() => (id ? metric_field(runs, id.slice(8)) : null), [runs, id]);
  return { ids, field, set_target };
}

export function TargetSelect({ ids, field, set_target, name = "Result" }: { ids: string[]; field: Field | null; set_target: (id: string) => void; name?: string }) {
  return (
    <label>{name} <select value={field?.id ?? ""} onChange={(event) => set_target(event.target.value)}>{ids.map((id) => <option key={id} value={id}>{id.slice(8)}</option>)}</select></label>
  );
}

/// A colour for each run by where its value lies; null where it has none.
export function colors_of(field: Field | null): (string | null)[] {
  if (!field) return [];
  const { at } = scale_of(field);
  return field.values.map((value) => (Number.isNaN(value) ? null : visible(at(value))));
}

export function ColorScale({ field }: { field: Field }) {
  const { low, high } = scale_of(field);
  const stops = [0, 0.25, 0.5, 0.75, 1];
  return (
    <span className={css.scale}>
      {field.name} <span className="num">{number(low)}</span>
      <span aria-hidden="true" style={{ background: `linear-gradient(to right, ${stops.map(visible).join(", ")})` }} />
      <span className="num">{number(high)}</span>{field.log && " log scale"}
    </span>
  );
}
