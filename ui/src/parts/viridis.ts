export type Rgb = [number, number, number];

/// A sequential palette from dark violet over green to yellow, by five stops.
export function viridis(t: number): Rgb {
  const stops: Rgb[] = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const place = Math.max(0, Math.min(1, t)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(place));
  return [0, 1, 2].map((c) => Math.round(stops[i]![c]! + (stops[i + 1]![c]! - stops[i]![c]!) * (place - i))) as Rgb;
}

/// Without its ends, which are hard to see on white and on black.
export const visible = (t: number) => `rgb(${viridis(0.12 + 0.78 * t).join(" ")})`;
