// One sample: its streams on top of each other or side by side, pixel by pixel; its attributes and files.
import { useState } from "react";
import { blob } from "../api/client";
import type { Declaration, Sample } from "../api/types";
import { Facts } from "../parts/basics";
import { Section } from "../parts/detail";
import { bytes, number } from "../parts/format";
import { Layers, type Layer } from "../parts/images";
import { is_picture, kind_of, label_text } from "./links";
import css from "./data.module.css";

export function SampleView({ sample, declaration, zoom: first = 8 }: { sample: Sample; declaration: Declaration | null; zoom?: number }) {
  const pictures: Layer[] = Object.entries(sample.streams).filter(([, stream]) => is_picture(stream)).map(([name, stream]) => ({ name, hash: stream.hash, kind: kind_of(name, declaration) }));
  const base = pictures.find(({ kind }) => kind === "image") ?? pictures[0];
  const others = pictures.filter((layer) => layer !== base);
  const width = base ? (sample.streams[base.name]?.width ?? 256) : 256;
  const [zoom, set_zoom] = useState(() => Math.max(1, Math.min(first, Math.floor(420 / width) || 1)));
  const [opacity, set_opacity] = useState(0.5);
  const [on, set_on] = useState<string[]>(() => others.map(({ name }) => name));
  const [beside, set_beside] = useState(false);
  return (
    <div className="stack" style={{ gap: 16 }}>
      {base && (
        <div className="stack">
          <div className="row">
            <label>Zoom <input type="range" min={1} max={24} value={zoom} onChange={(event) => set_zoom(Number(event.target.value))} /><span className="num quiet">{zoom} ×</span></label>
            {others.length > 0 && <label><input type="checkbox" checked={beside} onChange={() => set_beside(!beside)} /> Side by side</label>}
            {!beside && others.map(({ name }) => <label key={name}><input type="checkbox" checked={on.includes(name)} onChange={() => set_on(on.includes(name) ? on.filter((one) => one !== name) : [...on, name])} /> {name}</label>)}
            {!beside && others.length > 0 && <label>Opacity <input type="range" min={0} max={1} step={0.05} value={opacity} onChange={(event) => set_opacity(Number(event.target.value))} /><span className="num quiet">{Math.round(opacity * 100)} %</span></label>}
          </div>
          {beside ? <div className={css.side}>{pictures.map((layer) => <figure key={layer.name}><Layers base={layer} overlays={[]} opacity={1} zoom={zoom} /><figcaption className="quiet">{layer.name}</figcaption></figure>)}</div>
            : <Layers base={base} overlays={others.filter(({ name }) => on.includes(name))} opacity={opacity} zoom={zoom} />}
        </div>
      )}
      <Section title="About">
        <Facts of={[
          ["Key", <code>{sample.key}</code>], ["Label", label_text(sample.label)],
          ...Object.entries(sample.attributes).map(([name, value]): [string, React.ReactNode] => [name, value === null ? null : <span className="num">{typeof value === "number" ? number(value) : String(value)}</span>]),
        ]} />
      </Section>
      <Section title="Streams">
        <Facts of={Object.entries(sample.streams).map(([name, stream]) => [name, <><a href={blob(stream.hash)}>{stream.path}</a> <span className="num quiet">{bytes(stream.size)}{stream.width ? `, ${stream.width} × ${stream.height}` : ""} · {stream.hash.slice(0, 12)}</span></>])} />
      </Section>
    </div>
  );
}
