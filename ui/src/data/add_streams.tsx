// What the files are: streams by pattern, where labels come from, what is measured.
import { useEffect, useState } from "react";
import { Field } from "../parts/basics";
import type { FolderFile } from "../parts/folder";
import { counted } from "../parts/format";
import { columns_of, kDecodes, kDecodeWords, type Join, type LabelTable, type StreamForm } from "./join";
import css from "./add.module.css";

export function Streams({ key_pattern, set_key, streams, set_streams, join }: {
  key_pattern: string; set_key: (key: string) => void; streams: StreamForm[]; set_streams: (streams: StreamForm[]) => void; join: Join;
}) {
  const change = (i: number, to: Partial<StreamForm>) => set_streams(streams.map((one, at) => (at === i ? { ...one, ...to } : one)));
  return (
    <div className="stack">
      <p className="quiet">A pattern is a path with fields in braces, such as <code>images/{"{id}"}.png</code>. Files whose fields give the same key are one sample. A label is a file with one line, or <code>{"{label}"}</code> in the path; a label map has a number in each pixel.</p>
      <Field name="Key of a sample" error={join.mistakes.get("key")} hint="Empty: all fields of the first stream."><input className="num" style={{ maxWidth: 320 }} value={key_pattern} placeholder="{id}" spellCheck={false} onChange={(event) => set_key(event.target.value)} /></Field>
      <ul className={css.streams} aria-label="Streams">
        {streams.map((one, i) => (
          <li key={i}>
            <input aria-label="Name of the stream" value={one.name} required pattern="[A-Za-z0-9_][A-Za-z0-9_.\-]*" spellCheck={false} onChange={(event) => change(i, { name: event.target.value })} />
            <input aria-label={`Pattern of ${one.name}`} className="num" value={one.files} aria-invalid={join.mistakes.has(i)} spellCheck={false} onChange={(event) => change(i, { files: event.target.value })} />
            <select aria-label={`What ${one.name} holds`} value={one.decode} onChange={(event) => change(i, { decode: event.target.value })}>{kDecodes.map((kind) => <option key={kind} value={kind}>{kDecodeWords[kind]}</option>)}</select>
            <label><input type="checkbox" checked={one.optional} onChange={() => change(i, { optional: !one.optional })} /> may lack</label>
            <span className="num quiet">{join.mistakes.has(i) ? "" : counted(join.counts[i] ?? 0, "file")}</span>
            <button type="button" className="plain small" aria-label={`Remove ${one.name}`} disabled={streams.length === 1} onClick={() => set_streams(streams.filter((_, at) => at !== i))}>Remove</button>
            {join.mistakes.has(i) && <em className={css.mistake}>{join.mistakes.get(i)}</em>}
          </li>
        ))}
      </ul>
      <div><button type="button" className="small" onClick={() => set_streams([...streams, { name: `stream${streams.length + 1}`, files: "", decode: "bytes", optional: false }])}>Another stream</button></div>
    </div>
  );
}

const is_table = (path: string) => /\.(csv|jsonl)$/i.test(path);

/// Labels come from a stream (a file beside each sample, or {label} in the path), or from one table for all.
export function Labels({ streams, files, table, set_table }: { streams: StreamForm[]; files: FolderFile[]; table: LabelTable | null; set_table: (table: LabelTable | null) => void }) {
  const tables = files.filter(({ path }) => is_table(path));
  const [columns, set_columns] = useState<string[]>([]);
  const chosen = table && tables.find(({ path }) => path === table.file);
  useEffect(() => {
    let current = true;
    void (async () => {
      // A first line longer than this is no table of labels.
      const text = chosen ? (await chosen.file.slice(0, 64 * 1024).text()).split("\n")[0] ?? "" : "";
      if (current) set_columns(chosen ? columns_of(text, chosen.path) : []);
    })();
    return () => { current = false; };
  }, [chosen]);
  const by_stream = streams.find(({ decode }) => decode === "label");
  const told = by_stream ? (/\{label\}/.test(by_stream.files) ? `from {label} in the path of ${by_stream.name}` : `from the files of ${by_stream.name}`) : "none";
  return (
    <div className="row" style={{ alignItems: "flex-end" }}>
      <Field name="Labels"><select value={table?.file ?? ""} onChange={(event) => set_table(event.target.value ? { file: event.target.value, column: "" } : null)}>
        <option value="">{told}</option>
        {tables.slice(0, 200).map(({ path }) => <option key={path} value={path}>from the table {path}</option>)}
      </select></Field>
      {table && <Field name="Its column"><select value={table.column} onChange={(event) => set_table({ ...table, column: event.target.value })}><option value="">choose</option>{columns.map((one) => <option key={one}>{one}</option>)}</select></Field>}
      {table && <span className="quiet">Its rows are found by a column named key, or by columns named as the key's fields.</span>}
    </div>
  );
}

const kStatistics: [string, string][] = [["brightness", "brightness"], ["contrast", "contrast"], ["stroke_thickness", "thickness of strokes"], ["width", "width"], ["height", "height"], ["bytes", "size in bytes"]];

export function Statistics({ streams, chosen, set_chosen }: { streams: StreamForm[]; chosen: string[]; set_chosen: (chosen: string[]) => void }) {
  const of = streams.find(({ decode }) => decode === "image")?.name;
  if (!of) return null;
  return (
    <div className="row" role="group" aria-label={`Measured of each ${of}, to filter and slice by`}>
      <span className="quiet">Measured of each {of}, to filter and slice by:</span>
      {kStatistics.map(([name, words]) => <label key={name}><input type="checkbox" checked={chosen.includes(name)} onChange={() => set_chosen(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name])} /> {words}</label>)}
    </div>
  );
}
