// A board to draw one small picture on, white on black as the digits are, or inverted.
import { useCallback, useEffect, useRef, useState } from "react";
import css from "./deployments.module.css";

const kBoard = 280;

export function Drawing({ width, height, on_picture }: { width: number; height: number; on_picture: (picture: Blob | null) => void }) {
  const board = useRef<HTMLCanvasElement>(null);
  const [pen, set_pen] = useState(18);
  const [inverted, set_inverted] = useState(false);
  const last = useRef<[number, number] | null>(null);
  const drawn = useRef(false);

  const clear = useCallback(() => {
    const context = board.current?.getContext("2d");
    if (!context) return;
    context.fillStyle = inverted ? "#fff" : "#000";
    context.fillRect(0, 0, kBoard, kBoard);
    drawn.current = false;
    on_picture(null);
  }, [inverted, on_picture]);
  useEffect(clear, [clear]);

  const stroke = (event: React.PointerEvent<HTMLCanvasElement>) => {
    const from = last.current;
    const box = event.currentTarget.getBoundingClientRect();
    const to: [number, number] = [((event.clientX - box.left) / box.width) * kBoard, ((event.clientY - box.top) / box.height) * kBoard];
    const context = board.current!.getContext("2d")!;
    context.strokeStyle = inverted ? "#000" : "#fff";
    context.lineWidth = pen;
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(...(from ?? to));
    context.lineTo(...to);
    context.stroke();
    last.current = to;
    drawn.current = true;
  };
  const lift = () => {
    if (!last.current) return;
    last.current = null;
    if (drawn.current) void shrink(board.current!, width, height).then(on_picture);
  };
  return (
    <div className="stack">
      <canvas
        ref={board} width={kBoard} height={kBoard} className={css.canvas} role="img" aria-label="Board to draw on with the pointer"
        onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); last.current = null; stroke(event); }}
        onPointerMove={(event) => { if (last.current) stroke(event); }} onPointerUp={lift} onPointerCancel={lift}
      />
      <div className="row">
        <button type="button" onClick={clear}>Clear</button>
        <label>Pen <input type="range" min={6} max={48} value={pen} onChange={(event) => set_pen(Number(event.target.value))} /></label>
        <label><input type="checkbox" checked={inverted} onChange={() => set_inverted(!inverted)} /> Black on white</label>
      </div>
    </div>
  );
}

/// The board at the size the model takes, as PNG, halved step by step so that thin lines stay grey instead of vanishing.
async function shrink(board: HTMLCanvasElement, width: number, height: number): Promise<Blob | null> {
  let source: HTMLCanvasElement = board;
  const step = (w: number, h: number) => {
    const next = document.createElement("canvas");
    next.width = w;
    next.height = h;
    const context = next.getContext("2d")!;
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, w, h);
    source = next;
  };
  while (source.width / 2 > width && source.height / 2 > height) step(Math.round(source.width / 2), Math.round(source.height / 2));
  step(width, height);
  // The server decodes to what the dataset declares; a grey picture in RGB is the same picture.
  return new Promise((resolve) => source.toBlob(resolve, "image/png"));
}
