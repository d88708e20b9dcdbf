// Which part of a picture is seen. Parts of the picture and not pixels, so that pictures of all sizes show the same place.

export interface View { zoom: number; x: number; y: number }
export const kWhole: View = { zoom: 1, x: 0.5, y: 0.5 };
const kZoomMax = 64;

export const is_whole = ({ zoom }: View) => zoom === 1;

/// The middle stays where the picture still fills what it can.
function inside(view: View): View {
  const zoom = Math.max(1, Math.min(kZoomMax, view.zoom));
  const half = 0.5 / zoom;
  const within = (value: number) => Math.max(half, Math.min(1 - half, value));
  return { zoom, x: within(view.x), y: within(view.y) };
}

/// Nearer or farther, with the point (x, y) of what is seen (0 to 1) staying under the pointer.
export function zoomed(view: View, factor: number, x = 0.5, y = 0.5): View {
  const zoom = Math.max(1, Math.min(kZoomMax, view.zoom * factor));
  return inside({ zoom, x: view.x + (x - 0.5) * (1 / view.zoom - 1 / zoom), y: view.y + (y - 0.5) * (1 / view.zoom - 1 / zoom) });
}

/// Moved by a share of what is seen.
export const moved = (view: View, x: number, y: number): View => inside({ ...view, x: view.x - x / view.zoom, y: view.y - y / view.zoom });

export function parse_view(text: string): View {
  const [zoom, x, y] = text.split(",").map(Number);
  const known = [zoom, x, y].every((value) => value !== undefined && Number.isFinite(value));
  return known ? inside({ zoom: zoom!, x: x!, y: y! }) : kWhole;
}
const rounded = (value: number) => Number(value.toFixed(4));
export const render_view = (view: View) => (is_whole(view) ? "" : [view.zoom, view.x, view.y].map(rounded).join(","));
