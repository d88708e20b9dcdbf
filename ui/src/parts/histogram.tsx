// One distribution, or a reference (outline) with what is now (filled) in the same bins.
import type { HistogramData } from "../api/types";
import { bins_of } from "./bins";
import { count, number, percent } from "./format";
import css from "./histogram.module.css";

export function Histogram({ now, reference, name, width = 260, height = 96 }: {
  now: HistogramData | null; reference?: HistogramData | null; name: string; width?: number; height?: number;
}) {
  const current = now ? bins_of(now) : [];
  const former = reference ? bins_of(reference) : [];
  const bins = Math.max(current.length, former.length);
  if (bins === 0) return <p className="quiet">Nothing counted yet.</p>;
  const edges = (now ?? reference)!.edges;
  const is_open = (now ?? reference)!.counts.length === edges.length + 1;
  const top = Math.max(...[...current, ...former].map(({ share }) => share), 1e-9);
  const step = width / bins;
  const y = (share: number) => height - (share / top) * height;
  const outline = former.map(({ share }, i) => `${i ? "L" : "M"}${i * step} ${y(share)}L${(i + 1) * step} ${y(share)}`).join("");
  // Where the first and the last edge stand: between bins when the outer ones are open, else at the ends.
  const [left, right] = is_open ? [step, width - step] : [0, width];
  return (
    <svg className={css.histogram} viewBox={`0 0 ${width} ${height + 16}`} width={width} height={height + 16} role="img" aria-label={`Distribution of ${name} in ${bins} bins`}>
      {current.map((bin, i) => (
        <rect key={i} x={i * step + 0.5} y={y(bin.share)} width={Math.max(step - 1, 0.5)} height={height - y(bin.share)} className={css.bar}>
          <title>{`${bin.range}: ${percent(bin.share)} now (${count(bin.count)})${former[i] ? `, ${percent(former[i].share)} in the reference` : ""}`}</title>
        </rect>
      ))}
      {outline && <path d={outline} className={css.outline} />}
      <line x1={0} x2={width} y1={height} y2={height} className={css.axis} />
      {edges.length > 1 && <><text x={left} y={height + 12} textAnchor={is_open ? "middle" : "start"}>{number(edges[0])}</text><text x={right} y={height + 12} textAnchor={is_open ? "middle" : "end"}>{number(edges.at(-1))}</text></>}
    </svg>
  );
}
