// What the lines of a plot are called and say: at the crosshair or last, and with `best` as a table of their extremes, too.
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { Swatch } from "./basics";
import { number } from "./format";
import { x_text, type XKind } from "./plot_chart";
import type { PlotLine } from "./plot_lines";
import type { Pointer } from "./plot_pointer";
import { value_at } from "./series";
import css from "./plot.module.css";

export type Best = "lowest" | "highest";
export interface LegendProps {
  title: string;
  lines: PlotLine[];
  pointer: Pointer;
  off: string[];
  on_toggle: (line: PlotLine) => void;
  on_point?: (label: string | null) => void;
  x_is: XKind;
  best?: Best | undefined;
  on_best?: ((best: Best) => void) | undefined;
  text?: ((value: number | null) => string) | undefined;
}

export const id_of = (line: PlotLine) => line.id ?? line.label;

export function Legend(props: LegendProps) {
  const [find, set_find] = useState("");
  const listed = useMemo(() => props.lines.filter(({ label }) => label.toLowerCase().includes(find.toLowerCase())), [props.lines, find]);
  return (
    <div className={css.legend}>
      {props.lines.length > 10 && <input aria-label="Find a line" placeholder="Find a line" value={find} onChange={(event) => set_find(event.target.value)} />}
      {props.best ? <Figures {...props} lines={listed} best={props.best} /> : <Names {...props} lines={listed} />}
    </div>
  );
}

/// A text that follows the crosshair, written into its place directly.
const Following = memo(function Following({ pointer, say }: { pointer: Pointer; say: (x: number | null) => string }) {
  const place = useRef<HTMLSpanElement>(null);
  useLayoutEffect(() => {
    let said: string | null = null;
    const show = () => {
      const text = say(pointer.at()?.x ?? null);
      if (text !== said && place.current) place.current.textContent = said = text;
    };
    show();
    return pointer.watch(show);
  }, [pointer, say]);
  return <span ref={place} />;
});

function Value({ line, pointer, text }: { line: PlotLine; pointer: Pointer; text: (value: number | null) => string }) {
  const say = useCallback((x: number | null) => text(shown_value(line, x)), [line, text]);
  return <Following pointer={pointer} say={say} />;
}
const head_of = (x: number | null) => (x === null ? "Last" : "Here");

const Name = memo(function Name({ line, hidden, on_toggle }: { line: PlotLine; hidden: boolean; on_toggle: (line: PlotLine) => void }) {
  return (
    <button type="button" aria-pressed={!hidden} title={line.label} onClick={() => on_toggle(line)}>
      {line.dashed && !hidden ? <span className={css.dashes} style={{ borderColor: line.color }} aria-hidden="true" /> : <Swatch color={hidden ? "var(--line-strong)" : line.color} />}
      <span className="clip">{line.label}</span>
    </button>
  );
});

/// The same function as long as the part lives, whatever it does now.
function useStable(toggle: (line: PlotLine) => void): (line: PlotLine) => void {
  const latest = useRef(toggle);
  useEffect(() => { latest.current = toggle; });
  return useCallback((line) => latest.current(line), []);
}

const shown_value = (line: PlotLine, at: number | null) => (at === null ? line.ys.findLast((y) => y !== null) ?? null : value_at(line, at));

function Names({ title, lines, pointer, off, on_toggle, text = number }: LegendProps) {
  const toggle = useStable(on_toggle);
  return (
    <ul tabIndex={lines.length > 8 ? 0 : undefined} aria-label={`Lines of ${title}`}>
      {lines.map((line) => <li key={id_of(line)}><Name line={line} hidden={off.includes(id_of(line))} on_toggle={toggle} /><span className="num"><Value line={line} pointer={pointer} text={text} /></span></li>)}
    </ul>
  );
}

export interface Summary { low: number | null; low_x: number | null; high: number | null; high_x: number | null }

/// The extremes of a line and where they are; thinned points know the extremes of what they stand for.
export function summary_of(line: PlotLine): Summary {
  const found: Summary = { low: null, low_x: null, high: null, high_x: null };
  line.xs.forEach((x, i) => {
    const low = line.low?.[i] ?? line.ys[i];
    const high = line.high?.[i] ?? line.ys[i];
    if (low !== null && low !== undefined && (found.low === null || low < found.low)) { found.low = low; found.low_x = x; }
    if (high !== null && high !== undefined && (found.high === null || high > found.high)) { found.high = high; found.high_x = x; }
  });
  return found;
}

/// Of a mean, the extremes are those of the mean, not of its spread.
const own = (line: PlotLine): PlotLine => (line.id?.startsWith("group:") ? { ...line, low: null, high: null } : line);

function Figures({ title, lines, pointer, off, on_toggle, on_point, x_is, best, on_best, text = number }: LegendProps & { best: Best }) {
  const summaries = useMemo(() => new Map(lines.map((line) => [line, summary_of(own(line))])), [lines]);
  const rows = useMemo(() => {
    const value = ({ low, high }: Summary) => (best === "lowest" ? low : high);
    const all = lines.map((line) => ({ line, summary: summaries.get(line)! }));
    return all.sort((a, b) => ((value(a.summary) ?? Infinity) - (value(b.summary) ?? Infinity)) * (best === "lowest" ? 1 : -1));
  }, [lines, summaries, best]);
  const toggle = useStable(on_toggle);
  return (
    <div className={css.figures} tabIndex={rows.length > 6 ? 0 : undefined} role="region" aria-label={`Lines of ${title}`}>
      <table>
        <thead>
          <tr>
            <th>Line</th><th><Following pointer={pointer} say={head_of} /></th>
            <th><button type="button" title="Which of them counts as the best" onClick={() => on_best?.(best === "lowest" ? "highest" : "lowest")}>Best: {best}</button></th>
            <th>Min</th><th>Max</th>
          </tr>
        </thead>
        <tbody onPointerLeave={() => on_point?.(null)}>
          {rows.map(({ line, summary }) => (
            <tr key={id_of(line)} onPointerEnter={() => on_point?.(line.label)}>
              <th scope="row"><Name line={line} hidden={off.includes(id_of(line))} on_toggle={toggle} /></th>
              <td><Value line={line} pointer={pointer} text={text} /></td>
              <Extremes summary={summary} best={best} x_is={x_is} text={text} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Extremes = memo(function Extremes({ summary: { low, low_x, high, high_x }, best, x_is, text }: { summary: Summary; best: Best; x_is: XKind; text: (value: number | null) => string }) {
  const x = best === "lowest" ? low_x : high_x;
  return (
    <>
      <td>{text(best === "lowest" ? low : high)} <span className="quiet">{x === null ? "" : `at ${x_text(x_is, x)}`}</span></td>
      <td>{text(low)}</td><td>{text(high)}</td>
    </>
  );
});
