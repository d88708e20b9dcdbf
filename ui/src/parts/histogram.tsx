// One distribution, or a reference (outline) with what is now (filled) on the same edges.
import type { HistogramData } from "../api/types";
import { number } from "./format";
import css from "./histogram.module.css";

const share = (data: HistogramData) => {
  const sum = data.counts.reduce((a, b) => a + b, 0) || 1;
  return data.counts.map((count) => count / sum);
};

export function Histogram({ now, reference, name, width = 260, height = 96 }: {
  now: HistogramData | null; reference?: HistogramData | null; name: string; width?: number; height?: number;
}) {
  const all = [now, reference].filter((data): data is HistogramData => !!data && data.counts.length > 0);
  if (all.length === 0) return <p className="quiet">Nothing counted yet.</p>;
  const low = Math.min(...all.map(({ edges }) => edges[0] ?? 0));
  const high = Math.max(...all.map(({ edges }) => edges.at(-1) ?? 1));
  const top = Math.max(...all.flatMap(share), 1e-9);
  const x = (value: number) => ((value - low) / (high - low || 1)) * width;
  const y = (part: number) => height - (part / top) * height;
  const box = (data: HistogramData, i: number, part: number) => {
    const left = x(data.edges[i] ?? low);
    return { x: left, y: y(part), width: Math.max(x(data.edges[i + 1] ?? high) - left, 0.5), height: height - y(part) };
  };
  const outline = reference && share(reference).map((part, i) => `${i ? "L" : "M"}${x(reference.edges[i]!)} ${y(part)}L${x(reference.edges[i + 1] ?? high)} ${y(part)}`).join("");
  return (
    <svg className={css.histogram} viewBox={`0 0 ${width} ${height + 16}`} width={width} height={height + 16} role="img" aria-label={`Distribution of ${name}, ${number(low)} to ${number(high)}`}>
      {now && share(now).map((part, i) => <rect key={i} {...box(now, i, part)} className={css.bar}><title>{`${number(now.edges[i]!)} to ${number(now.edges[i + 1] ?? high)}: ${number(now.counts[i]!)} now`}</title></rect>)}
      {outline && <path d={outline} className={css.outline} />}
      <line x1={0} x2={width} y1={height} y2={height} className={css.axis} />
      <text x={0} y={height + 12}>{number(low)}</text>
      <text x={width} y={height + 12} textAnchor="end">{number(high)}</text>
    </svg>
  );
}
