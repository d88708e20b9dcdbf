// What all media of a page have in common, in its URL: the step, the part of pictures that is seen, and what lies over them.
import { useCallback, useMemo } from "react";
import { useParam } from "../app/router";
import { chosen_step } from "./media";
import type { Over } from "./picture";
import { useSlowParam } from "./slow_param";
import { is_whole, kWhole, parse_view, render_view, zoomed, type View } from "./view";
import css from "./media.module.css";

export function useStep(steps: number[]): [number | null, (step: number) => void] {
  const [text, set_text] = useSlowParam("step");
  return [chosen_step(steps, text), useCallback((step: number) => set_text(String(step)), [set_text])];
}

export function useView(): [View, (view: View) => void] {
  const [text, set_text] = useSlowParam("crop");
  return [useMemo(() => parse_view(text), [text]), useCallback((view: View) => set_text(render_view(view)), [set_text])];
}

const kOpacity = 0.5;

export interface OverSettings extends Over { set_opacity: (opacity: number) => void; set_boxes: (boxes: boolean) => void }

export function useOver(): OverSettings {
  const [text, set_text] = useSlowParam("opacity");
  const [boxes, set_boxes] = useParam("boxes");
  return useMemo(() => ({
    opacity: Math.max(0, Math.min(1, Number(text || kOpacity) || 0)), set_opacity: (opacity: number) => set_text(opacity === kOpacity ? "" : String(opacity)),
    boxes: boxes !== "off", set_boxes: (shown: boolean) => set_boxes(shown ? null : "off"),
  }), [text, set_text, boxes, set_boxes]);
}

export function PictureTools({ view, on_view, over }: { view: View; on_view: (view: View) => void; over: OverSettings }) {
  return (
    <div className={css.tools}>
      <label className="quiet">Masks <input type="range" min={0} max={1} step={0.05} value={over.opacity} aria-label="Opacity of masks" onChange={(event) => over.set_opacity(Number(event.target.value))} /></label>
      <label><input type="checkbox" checked={over.boxes} onChange={(event) => over.set_boxes(event.target.checked)} /> Boxes</label>
      <span className="row">
        <button type="button" className="small" aria-label="Farther away" disabled={is_whole(view)} onClick={() => on_view(zoomed(view, 0.5))}>−</button>
        <output className="num" aria-label="Zoom">{Math.round(view.zoom * 10) / 10}×</output>
        <button type="button" className="small" aria-label="Nearer" onClick={() => on_view(zoomed(view, 2))}>+</button>
        {!is_whole(view) && <button type="button" className="small" onClick={() => on_view(kWhole)}>Whole picture</button>}
      </span>
    </div>
  );
}
