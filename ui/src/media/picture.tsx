// A picture of a step with its masks and boxes over it, and the part of it that all pictures of the page show.
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { colored } from "../parts/images";
import { count } from "../parts/format";
import { useResolvedTheme } from "../app/theme";
import { about_of, color_of_label, type Box } from "./about";
import { dimensions_of, kPixelsMax, type Dimensions } from "./dimensions";
import type { MediaFile, MediaItem } from "./media";
import { useBytes, useText } from "./use_bytes";
import { moved, zoomed, type View } from "./view";
import css from "./media.module.css";

/// How what lies over pictures is drawn.
export interface Over { opacity: number; boxes: boolean }

interface Props {
  item: MediaItem;
  name: string;
  width: number;
  /// Height to width of the pictures of this key, told by the first that knows.
  aspect: number;
  on_aspect: (aspect: number) => void;
  over: Over;
  view: View;
  on_view: (view: View, done: boolean) => void;
}

const kPreviewPixels = 256;
const kAbsentHeight = 96;
const kAspectMin = 0.25;
const kAspectMax = 1.5;

export function MediaPicture({ item, name, width, aspect, on_aspect, over, view, on_view }: Props) {
  // The small copy will do for a small picture.
  const file = item.preview && view.zoom === 1 && width <= kPreviewPixels ? item.preview : item.file;
  const { data, error, problem } = useBytes(file);
  const picture = usePicture(data, file.path);
  const about = useAbout(item.about);
  const height = Math.round(width * Math.max(kAspectMin, Math.min(kAspectMax, aspect)));
  const size = picture.size;
  useEffect(() => { if (size) on_aspect(size.height / size.width); }, [size, on_aspect]);
  const why = error?.message ?? (problem || picture.problem);
  if (why) return <figure className={css.figure}><div className={css.absent} style={{ width, height: Math.min(height, kAbsentHeight) }}>{why}</div>{about.caption && <figcaption>{about.caption}</figcaption>}</figure>;
  const scale = size ? Math.min(width / size.width, height / size.height) * view.zoom : 1;
  return (
    <figure className={css.figure}>
      <Stage width={width} height={height} view={view} on_view={on_view}>
        {picture.src && (
          <div className={css.layer} style={size ? { width: size.width * scale, height: size.height * scale, left: width / 2 - view.x * size.width * scale, top: height / 2 - view.y * size.height * scale } : { width, height }}>
            <img src={picture.src} alt={name} draggable={false} onLoad={({ currentTarget }) => picture.on_load(currentTarget)} onError={picture.on_error} style={{ imageRendering: scale >= 2 ? "pixelated" : "auto" }} />
            {over.opacity > 0 && item.masks.map((mask) => <Mask key={mask.name} file={mask.file} opacity={over.opacity} />)}
            {size && over.boxes && about.boxes.length > 0 && <Boxes boxes={about.boxes} size={size} scale={scale} />}
          </div>
        )}
      </Stage>
      {about.caption && <figcaption title={about.caption}>{about.caption}</figcaption>}
    </figure>
  );
}

/// Drag moves, Ctrl and the wheel zoom, a double click shows the whole.
function Stage({ width, height, view, on_view, children }: { width: number; height: number; view: View; on_view: Props["on_view"]; children: ReactNode }) {
  const element = useRef<HTMLDivElement>(null);
  const now = useRef({ view, on_view });
  now.current = { view, on_view };
  useEffect(() => {
    const target = element.current;
    if (!target) return;
    // React's own listener for the wheel is passive and could not keep the page from zooming.
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const place = target.getBoundingClientRect();
      const next = zoomed(now.current.view, Math.exp(-event.deltaY / 300), (event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height);
      now.current.on_view(next, false);
    };
    target.addEventListener("wheel", wheel, { passive: false });
    return () => target.removeEventListener("wheel", wheel);
  }, []);
  const from = useRef<{ x: number; y: number; view: View } | null>(null);
  const drag = (event: React.PointerEvent, done: boolean) => {
    const start = from.current;
    if (start) on_view(moved(start.view, (event.clientX - start.x) / width, (event.clientY - start.y) / height), done);
    if (done) from.current = null;
  };
  return (
    <div
      ref={element} className={css.picture} style={{ width, height, cursor: view.zoom > 1 ? "grab" : "zoom-in", touchAction: view.zoom > 1 ? "none" : "auto" }}
      onPointerDown={(event) => {
        if (view.zoom === 1 || event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { x: event.clientX, y: event.clientY, view };
      }}
      onPointerMove={(event) => drag(event, false)} onPointerUp={(event) => drag(event, true)} onPointerCancel={() => { from.current = null; }}
      onDoubleClick={(event) => {
        const place = event.currentTarget.getBoundingClientRect();
        on_view(view.zoom > 1 ? zoomed(view, 0) : zoomed(view, 4, (event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height), true);
      }}
    >
      {children}
    </div>
  );
}

interface Found { src: string; size: Dimensions | null; problem: string }
const kNothing: Found = { src: "", size: null, problem: "" };
const kHeadBytes = 256 * 1024;
const kRevokedAfterMs = 10_000;

/// An address for the bytes once they are known to be no giant.
function usePicture(data: Blob | undefined, path: string) {
  const [found, set_found] = useState<Found>(kNothing);
  useEffect(() => {
    if (!data) return;
    let current = true;
    let src = "";
    void data.slice(0, kHeadBytes).arrayBuffer().then((head) => {
      if (!current) return;
      const size = dimensions_of(new Uint8Array(head));
      if (size && size.width * size.height > kPixelsMax) {
        set_found({ ...kNothing, problem: `${count(size.width)} × ${count(size.height)} pixels are too many to show here.` });
        return;
      }
      // A browser shows SVG only when it is told that it is.
      src = URL.createObjectURL(/\.svg$/i.test(path) ? new Blob([data], { type: "image/svg+xml" }) : data);
      set_found({ src, size, problem: "" });
    });
    return () => {
      current = false;
      // An image that is gone may still be loading, and would complain.
      if (src) setTimeout(() => URL.revokeObjectURL(src), kRevokedAfterMs);
    };
  }, [data, path]);
  return {
    ...found,
    on_load: ({ naturalWidth, naturalHeight }: HTMLImageElement) => {
      if (naturalWidth > 0 && (found.size?.width !== naturalWidth || found.size.height !== naturalHeight)) set_found({ ...found, size: { width: naturalWidth, height: naturalHeight } });
    },
    on_error: () => set_found({ ...kNothing, problem: "This file is not a picture, or a broken one." }),
  };
}

function useAbout(file: MediaFile | null) {
  const { text } = useText(file);
  return useMemo(() => {
    try { return about_of(JSON.parse(text ?? "{}")); } catch { return about_of(null); }
  }, [text]);
}
export const useCaption = (item: MediaItem) => useAbout(item.about).caption;

/// A picture of small whole numbers: 0 stays clear, the others get the colours of the palette.
function Mask({ file, opacity }: { file: MediaFile; opacity: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useResolvedTheme();
  const { data } = useBytes(file);
  const { src } = usePicture(data, file.path);
  useEffect(() => {
    if (!src) return;
    let current = true;
    const image = new Image();
    image.onload = () => {
      const target = canvas.current;
      if (!current || !target) return;
      target.width = image.naturalWidth;
      target.height = image.naturalHeight;
      target.getContext("2d")!.drawImage(colored(image, "labels", 1), 0, 0);
    };
    image.src = src;
    return () => { current = false; };
  }, [src, theme]);
  return <canvas ref={canvas} aria-hidden="true" style={{ opacity }} />;
}

const kLetter = 11;

function Boxes({ boxes, size, scale }: { boxes: Box[]; size: Dimensions; scale: number }) {
  const line = 2 / scale;
  const text = kLetter / scale;
  return (
    <svg viewBox={`0 0 ${size.width} ${size.height}`} aria-hidden="true">
      {boxes.map(({ x, y, width, height, label, score }, i) => {
        const color = color_of_label(label);
        const words = [label, score === null ? "" : score.toFixed(2)].filter(Boolean).join(" ");
        const below = y < text * 1.4;
        return (
          <g key={i}>
            <rect x={x} y={y} width={Math.max(0, width)} height={Math.max(0, height)} fill="none" stroke={color} strokeWidth={line} />
            {words && (
              <>
                <rect x={x - line / 2} y={below ? y : y - text * 1.4} width={(words.length * 0.62 + 0.6) * text} height={text * 1.4} fill={color} />
                <text x={x + text * 0.3} y={below ? y + text * 1.1 : y - text * 0.35} fontSize={text} className={css.box_label}>{words}</text>
              </>
            )}
          </g>
        );
      })}
    </svg>
  );
}
