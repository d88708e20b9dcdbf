// A grid of pictures, only those in view; enlarged pixels stay pixels. And one picture with its overlays.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { blob } from "../api/client";
import { useKeys } from "../app/keys";
import { token, useResolvedTheme } from "../app/theme";
import { viridis, type Rgb } from "./viridis";
import { use_width } from "./width";
import css from "./images.module.css";

export interface Tile {
  key: string;
  hash: string | null;
  caption: ReactNode;
  /// More than the caption has room for.
  name: string;
  mark?: "good" | "bad" | "warn" | null;
}

interface GridProps {
  tiles: Tile[];
  label: string;
  size: number;
  open: (key: string) => void;
  selected?: string[];
  on_select?: (keys: string[]) => void;
  more?: boolean;
  load_more?: () => void;
  current?: string | null;
  on_current?: (key: string) => void;
  keys?: boolean;
}

const kCaption = 40;
const scroll_positions = new Map<string, number>();
const kGap = 8;

export function ImageGrid({ tiles, label, size, open, selected, on_select, more, load_more, current, on_current, keys = true }: GridProps) {
  const [scroller, width] = use_width(0, 0);
  const id = useId();
  const columns = Math.max(1, Math.floor((width - 16) / (size + kGap)));
  const rows = Math.ceil(tiles.length / columns);
  const height = size + kCaption + kGap;
  // Coming back from a picture shows the same place again.
  const place = `${label} ${location.pathname}`;
  const virtual = useVirtualizer({ initialOffset: () => scroll_positions.get(place) ?? 0, count: rows, getScrollElement: () => scroller.current, estimateSize: () => height, overscan: 3 });
  useEffect(() => { virtual.measure(); }, [height, virtual]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => { if (more && load_more && last >= rows - 6) load_more(); }, [more, load_more, last, rows]);

  const [own, set_own] = useState<string | null>(null);
  const at = current ?? own;
  const index = tiles.findIndex(({ key }) => key === at);
  const move = (step: number) => {
    const next = tiles[Math.max(0, Math.min(tiles.length - 1, index < 0 ? 0 : index + step))];
    if (!next) return;
    set_own(next.key);
    on_current?.(next.key);
    virtual.scrollToIndex(Math.floor(tiles.indexOf(next) / columns));
  };
  const toggle = (key: string) => on_select?.(selected?.includes(key) ? selected.filter((one) => one !== key) : [...(selected ?? []), key]);
  useKeys(keys ? [
    { keys: "j", what: "Next picture", run: () => move(1), group: "Pictures" },
    { keys: "k", what: "Previous picture", run: () => move(-1), group: "Pictures" },
    { keys: "ArrowRight", what: "Right", run: () => move(1), group: "Pictures" },
    { keys: "ArrowLeft", what: "Left", run: () => move(-1), group: "Pictures" },
    { keys: "ArrowDown", what: "Down", run: () => move(columns), group: "Pictures" },
    { keys: "ArrowUp", what: "Up", run: () => move(-columns), group: "Pictures" },
    { keys: "Enter", what: "Open the picture", run: () => { if (tiles[index]) open(tiles[index].key); }, group: "Pictures" },
    ...(on_select ? [{ keys: "x", what: "Select the picture", run: () => { if (tiles[index]) toggle(tiles[index].key); }, group: "Pictures" }] : []),
  ] : []);

  return (
    <div ref={scroller} onScroll={({ currentTarget }) => scroll_positions.set(place, currentTarget.scrollTop)} className={css.scroller} tabIndex={0} role="listbox" aria-label={label} aria-multiselectable={!!on_select} aria-activedescendant={index >= 0 ? `${id}-${index}` : undefined}>
      <div role="presentation" style={{ height: virtual.getTotalSize(), position: "relative" }}>
        {width > 0 && items.map((row) => (
          <div key={row.index} role="presentation" className={css.row} style={{ transform: `translateY(${row.start}px)`, gap: kGap }}>
            {tiles.slice(row.index * columns, (row.index + 1) * columns).map((tile, i) => {
              const position = row.index * columns + i;
              const picked = !!selected?.includes(tile.key);
              return (
                <div
                  key={tile.key} id={`${id}-${position}`} role="option" aria-selected={picked} title={tile.name} aria-posinset={position + 1} aria-setsize={tiles.length}
                  className={`${css.tile} ${tile.key === at ? css.current : ""} ${picked ? css.picked : ""}`} style={{ width: size }}
                  onClick={(event) => {
                    set_own(tile.key);
                    on_current?.(tile.key);
                    if (on_select && (event.ctrlKey || event.metaKey || event.shiftKey)) toggle(tile.key);
                    else open(tile.key);
                  }}
                >
                  <Picture hash={tile.hash} size={size} />
                  <div className={`${css.caption} ${tile.mark ? css[tile.mark] : ""}`}>{tile.caption}</div>
                </div>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

/// A picture in a square, scaled without blur when it is enlarged past twice its size.
export function Picture({ hash, size, name = "" }: { hash: string | null; size: number; name?: string }) {
  const [sharp, set_sharp] = useState(true);
  const [broken, set_broken] = useState(false);
  if (!hash || broken) return <div className={css.absent} style={{ width: size, height: size }}>{broken ? "not a picture" : "no picture"}</div>;
  return (
    <img
      src={blob(hash)} alt={name} width={size} height={size} loading="lazy" decoding="async" className={css.picture} style={{ imageRendering: sharp ? "pixelated" : "auto" }}
      onLoad={({ currentTarget: image }) => set_sharp(size >= 2 * Math.max(image.naturalWidth, image.naturalHeight))} onError={() => set_broken(true)}
    />
  );
}

export function SizeSlider({ value, on_change }: { value: number; on_change: (size: number) => void }) {
  return <label className="quiet">Size <input type="range" min={48} max={320} step={16} value={value} onChange={(event) => on_change(Number(event.target.value))} aria-label="Size of the pictures in pixels" /></label>;
}

export interface Layer { name: string; hash: string; kind: "image" | "labels" | "depth" }

/// Streams of one sample on top of each other: the first below, label maps coloured above it.
export function Layers({ base, overlays, opacity, zoom }: { base: Layer; overlays: Layer[]; opacity: number; zoom: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [size, set_size] = useState<[number, number]>([0, 0]);
  const [problem, set_problem] = useState("");
  const theme = useResolvedTheme();
  const names = overlays.map(({ hash, kind }) => `${kind}:${hash}`).join(" ");
  useEffect(() => {
    let current = true;
    const draw = async () => {
      const below = await load(base.hash);
      const above = await Promise.all(overlays.map(({ hash }) => load(hash)));
      const target = canvas.current;
      if (!current || !target) return;
      target.width = below.naturalWidth;
      target.height = below.naturalHeight;
      set_size([below.naturalWidth, below.naturalHeight]);
      const context = target.getContext("2d")!;
      context.imageSmoothingEnabled = false;
      if (base.kind === "image") context.drawImage(below, 0, 0);
      else context.drawImage(colored(below, base.kind, 1), 0, 0);
      above.forEach((image, i) => context.drawImage(colored(image, overlays[i]!.kind, opacity), 0, 0, target.width, target.height));
      set_problem("");
    };
    draw().catch(() => { if (current) set_problem("A stream of this sample is not a picture the browser can show."); });
    return () => { current = false; };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- names stands for overlays
  }, [base.hash, base.kind, names, opacity, theme]);
  return (
    <div className={css.layers} tabIndex={0} role="region" aria-label={`${base.name}, enlarged ${zoom} times`}>
      {problem && <p className="quiet">{problem}</p>}
      <canvas ref={canvas} role="img" aria-label={[base, ...overlays].map(({ name }) => name).join(" with ")} style={{ width: size[0] * zoom, height: size[1] * zoom, imageRendering: zoom >= 2 ? "pixelated" : "auto" }} />
    </div>
  );
}

function load(hash: string): Promise<HTMLImageElement> {
  return new Promise((resolve, reject) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => reject(new Error(hash));
    image.src = blob(hash);
  });
}

/// A label map has a small number in each pixel: 0 stays clear, the others get the colours of the palette. Depth is
/// spread from dark to bright over its own range.
export function colored(image: HTMLImageElement, kind: Layer["kind"], opacity: number): HTMLCanvasElement {
  const made = document.createElement("canvas");
  made.width = image.naturalWidth;
  made.height = image.naturalHeight;
  const context = made.getContext("2d")!;
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, made.width, made.height);
  const data = pixels.data;
  if (kind === "labels") {
    const palette = Array.from({ length: 10 }, (_, i) => rgb(token(`--c${i}`)));
    for (let i = 0; i < data.length; i += 4) {
      const label = data[i]!;
      if (label === 0) { data[i + 3] = 0; continue; }
      const [r, g, b] = palette[(label - 1) % 10]!;
      data[i] = r; data[i + 1] = g; data[i + 2] = b; data[i + 3] = Math.round(255 * opacity);
    }
  } else {
    let low = 255;
    let high = 0;
    for (let i = 0; i < data.length; i += 4) { low = Math.min(low, data[i]!); high = Math.max(high, data[i]!); }
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = kind === "depth" ? viridis((data[i]! - low) / (high - low || 1)) : [data[i]!, data[i + 1]!, data[i + 2]!];
      data[i] = r; data[i + 1] = g; data[i + 2] = b; data[i + 3] = Math.round(data[i + 3]! * opacity);
    }
  }
  context.putImageData(pixels, 0, 0);
  return made;
}

const rgb = (hex: string): Rgb => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) || 0) as Rgb;
