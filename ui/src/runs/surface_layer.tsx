// A surface behind the points of a scatter plot: colours, and lines of equal height with their values.
import { useEffect, useMemo, useRef } from "react";
import { number } from "../parts/format";
import { viridis } from "../parts/viridis";
import { scale_of, type Field } from "./fields";
import { contour, levels_of, surface_of, type Surface } from "./surface";
import css from "./runs.module.css";

const kColumns = 72;
const kRows = 48;
const kAlpha = 110;

export interface Place { left: number; top: number; width: number; height: number }

/// Over two fields of numbers; null when there is too little to draw.
export function useSurface(x: Field, y: Field, z: Field | null, wanted: boolean): Surface | null {
  return useMemo(() => {
    if (!wanted || !z || x.words || y.words) return null;
    const [sx, sy, sz] = [scale_of(x), scale_of(y), scale_of(z)];
    const known = z.values.flatMap((value, i) => (Number.isNaN(value) || Number.isNaN(x.values[i]!) || Number.isNaN(y.values[i]!) ? [] : [i]));
    if (known.length < 3) return null;
    return surface_of(known.map((i) => sx.at(x.values[i]!)), known.map((i) => sy.at(y.values[i]!)), known.map((i) => sz.at(z.values[i]!)), kColumns, kRows);
  }, [x, y, z, wanted]);
}

export function SurfaceColors({ surface, place }: { surface: Surface; place: Place }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const ctx = canvas.current?.getContext("2d");
    if (!ctx) return;
    const { columns, rows, heights } = surface;
    const image = ctx.createImageData(columns, rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const height = heights[row * columns + column]!;
        // A picture's first row is its top.
        const at = 4 * ((rows - 1 - row) * columns + column);
        if (!Number.isNaN(height)) image.data.set([...viridis(0.12 + 0.78 * height), kAlpha], at);
      }
    }
    ctx.putImageData(image, 0, 0);
  }, [surface]);
  return <canvas ref={canvas} width={surface.columns} height={surface.rows} aria-hidden="true" className={css.surface} style={place} />;
}

/// To be put into an SVG.
export function SurfaceLines({ surface, field, place }: { surface: Surface; field: Field; place: Place }) {
  const lines = useMemo(() => {
    const { low, high, at, back } = scale_of(field);
    const levels = field.log ? [1, 2, 3, 4, 5, 6].map((i) => back(i / 7)) : levels_of(low, high);
    return levels.map((level) => ({ level, segments: contour(surface, at(level)) })).filter(({ segments }) => segments.length > 0);
  }, [surface, field]);
  const px = (share: number) => place.left + share * place.width;
  const py = (share: number) => place.top + (1 - share) * place.height;
  return (
    <>
      {lines.map(({ level, segments }) => {
        const [x0, y0] = segments[segments.length >> 1]!;
        return (
          <g key={level}>
            <path d={segments.map(([a, b, c, d]) => `M${px(a).toFixed(1)} ${py(b).toFixed(1)}L${px(c).toFixed(1)} ${py(d).toFixed(1)}`).join("")} className={css.contour} />
            <text x={px(x0)} y={py(y0) + 4} textAnchor="middle" className={css.axis_tick}>{number(level)}</text>
          </g>
        );
      })}
    </>
  );
}
