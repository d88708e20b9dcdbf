// The step that a page shows: a slider over the steps there are, and the keys left and right.
import { useEffect, useRef } from "react";
import { useKeys } from "../app/keys";
import { count } from "../parts/format";
import { place_of_step } from "./media";
import css from "./media.module.css";

export function StepSlider({ steps, step, on_step }: { steps: number[]; step: number; on_step: (step: number) => void }) {
  const place = place_of_step(steps, step);
  const to = (next: number) => { const chosen = steps[Math.max(0, Math.min(steps.length - 1, next))]; if (chosen !== undefined) on_step(chosen); };
  useKeys([
    { keys: "ArrowLeft", what: "The step before", run: () => to(place - 1), group: "Media" },
    { keys: "ArrowRight", what: "The next step", run: () => to(place + 1), group: "Media" },
    { keys: "Home", what: "The first step", run: () => to(0), group: "Media" },
    { keys: "End", what: "The last step", run: () => to(steps.length - 1), group: "Media" },
  ]);
  // After a click on the tab above, the arrows shall move the step and not the tab. Who came by keyboard keeps the tabs.
  const slider = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const tab = document.activeElement;
    if (tab?.getAttribute("role") === "tab" && !tab.matches(":focus-visible")) slider.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className={css.slider}>
      <button type="button" className="small" aria-label="The step before" disabled={place <= 0} onClick={() => to(place - 1)}>←</button>
      <input ref={slider} type="range" min={0} max={Math.max(0, steps.length - 1)} value={Math.max(0, place)} aria-label="Step" aria-valuetext={`step ${step}`} onChange={(event) => to(Number(event.target.value))} />
      <button type="button" className="small" aria-label="The next step" disabled={place >= steps.length - 1} onClick={() => to(place + 1)}>→</button>
      <output className="num">step {count(step)} <span className="quiet">{place + 1}/{steps.length}</span></output>
    </div>
  );
}
