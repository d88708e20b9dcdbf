// An estimate with its 95 % interval, drawn on a scale shared with its neighbours.
import { percent } from "./format";
import css from "./interval.module.css";

/// A value of null was not measured: nothing is drawn for it.
export interface Mark { value: number | null; low: number | null; high: number | null; color?: string; name?: string }

export function Interval({ marks, from, to, zero, width = 220 }: { marks: Mark[]; from: number; to: number; zero?: number; width?: number }) {
  const x = (value: number) => 6 + ((value - from) / (to - from || 1)) * (width - 12);
  const height = Math.max(20, marks.length * 9 + 8);
  const words = marks.map(({ name, value, low, high }) => `${name ? `${name}: ` : ""}${percent(value)}${low !== null && high !== null ? ` (${percent(low)} to ${percent(high)}, 95 %)` : ""}`).join("; ");
  return (
    <svg className={css.interval} width={width} height={height} role="img" aria-label={words}>
      <title>{words}</title>
      <line x1={6} x2={width - 6} y1={height / 2} y2={height / 2} className={css.track} />
      {zero !== undefined && zero >= from && zero <= to && <line x1={x(zero)} x2={x(zero)} y1={0} y2={height} className={css.zero} />}
      {marks.map(({ value, low, high, color = "var(--accent)" }, i) => {
        const y = marks.length === 1 ? height / 2 : 8 + i * 9;
        return (
          <g key={i} style={{ stroke: color, fill: color }}>
            {low !== null && high !== null && <><line x1={x(low)} x2={x(high)} y1={y} y2={y} className={css.span} /><line x1={x(low)} x2={x(low)} y1={y - 3} y2={y + 3} /><line x1={x(high)} x2={x(high)} y1={y - 3} y2={y + 3} /></>}
            {value !== null && <circle cx={x(value)} cy={y} r={3.5} stroke="none" />}
          </g>
        );
      })}
    </svg>
  );
}

/// Room for all marks, a little more, never past 0 and 1 when shares are drawn.
export function span_of(marks: { value: number | null; low: number | null; high: number | null }[], { clamp = false } = {}): [number, number] {
  const values = marks.flatMap(({ value, low, high }) => [value, low ?? value, high ?? value]).filter((one): one is number => one !== null && Number.isFinite(one));
  if (values.length === 0) return [0, 1];
  const room = (Math.max(...values) - Math.min(...values) || 0.1) * 0.08;
  const from = Math.min(...values) - room;
  const to = Math.max(...values) + room;
  return clamp ? [Math.max(0, from), Math.min(1, to)] : [from, to];
}
