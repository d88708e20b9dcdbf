// Sounds with their shape over time, and videos. The browser plays both from ranges of the file; nothing is fetched before it is asked for.
import { useEffect, useRef, useState } from "react";
import { token, useResolvedTheme } from "../app/theme";
import { content_address, type MediaFile } from "./media";
import { peaks_of } from "./peaks";
import { useBytes } from "./use_bytes";
import css from "./media.module.css";

/// The shape of larger files is not computed: they would be decoded as a whole.
const kShapeBytesMax = 16 << 20;
const kColumns = 480;
const kShapeHeight = 56;
const kDecodedRate = 22_050;

export function Sound({ run, file, name }: { run: string; file: MediaFile; name: string }) {
  const audio = useRef<HTMLAudioElement>(null);
  const [failed, set_failed] = useState(false);
  return (
    <div className={css.audio}>
      {file.size <= kShapeBytesMax && <Shape file={file} audio={audio} />}
      <audio ref={audio} controls preload="none" src={content_address(run, file.path)} aria-label={name} onError={() => set_failed(true)} />
      {failed && <p className="quiet">This browser cannot play the file.</p>}
    </div>
  );
}

/// Each column from the least to the largest sample; a click goes there.
function Shape({ file, audio }: { file: MediaFile; audio: React.RefObject<HTMLAudioElement | null> }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useResolvedTheme();
  const { data } = useBytes(file, kShapeBytesMax);
  const [sound, set_sound] = useState<AudioBuffer | null>(null);
  useEffect(() => {
    if (!data) return;
    let current = true;
    // Offline, because nothing is to be heard; that needs no click before it.
    void data.arrayBuffer().then((bytes) => new OfflineAudioContext(1, 1, kDecodedRate).decodeAudioData(bytes))
      .then((decoded) => { if (current) set_sound(decoded); }, () => { /* the player says that it cannot play it */ });
    return () => { current = false; };
  }, [data]);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !sound) return;
    const ratio = devicePixelRatio;
    context.canvas.width = kColumns * ratio;
    context.canvas.height = kShapeHeight * ratio;
    context.scale(ratio, ratio);
    context.fillStyle = token("--c0");
    peaks_of(sound.getChannelData(0), kColumns).forEach(([low, high], i) => {
      const top = (1 - high) / 2 * kShapeHeight;
      context.fillRect(i, top, 1, Math.max(1, (high - low) / 2 * kShapeHeight));
    });
  }, [sound, theme]);
  return (
    <canvas
      ref={canvas} role="img" aria-label={sound ? `The shape of ${sound.duration.toFixed(1)} s of sound` : "The shape of the sound"}
      onClick={(event) => {
        const player = audio.current;
        if (!player || !sound) return;
        const place = event.currentTarget.getBoundingClientRect();
        player.currentTime = ((event.clientX - place.left) / place.width) * sound.duration;
        void player.play().catch(() => { /* not allowed, or not playable */ });
      }}
    />
  );
}

export function Video({ run, file, name }: { run: string; file: MediaFile; name: string }) {
  const [failed, set_failed] = useState(false);
  return (
    <div className={css.video}>
      <video controls preload="metadata" src={content_address(run, file.path)} aria-label={name} onError={() => set_failed(true)} />
      {failed && <p className="quiet">This browser cannot play the file.</p>}
    </div>
  );
}
