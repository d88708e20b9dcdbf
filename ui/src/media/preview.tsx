// A look into one file of a run, by what its name says it is.
import { useState } from "react";
import { Code } from "../parts/code";
import { Problem, Skeleton } from "../parts/basics";
import { bytes } from "../parts/format";
import { Content, TextContent } from "./content";
import { content_address, type MediaFile, type MediaItem, type MediaKind } from "./media";
import { NotebookView } from "./notebook_view";
import { OnnxView } from "./onnx_view";
import { MediaPicture } from "./picture";
import { useText } from "./use_bytes";
import { kWhole } from "./view";
import css from "./media.module.css";

const kKinds: [RegExp, MediaKind][] = [
  [/\.(png|jpe?g|gif|webp|bmp|svg)$/i, "image"], [/\.(wav|mp3|ogg|oga|opus|flac|m4a)$/i, "audio"], [/\.(mp4|m4v|webm|ogv|mov)$/i, "video"],
  [/\.(csv|tsv|parquet)$/i, "table"], [/\.x?html?$/i, "html"], [/\.json$/i, "json"], [/\.(md|markdown)$/i, "text"],
];

export function Preview({ run, file }: { run: string; file: MediaFile }) {
  return (
    <div className="stack">
      <div className="row"><h2><code>{file.path}</code></h2><span className="num quiet">{bytes(file.size)}</span><span className="grow" /><a href={content_address(run, file.path, { download: true })} download={file.path.split("/").at(-1)}>Save</a></div>
      <Look run={run} file={file} name={file.path} />
    </div>
  );
}

function Look({ run, file, name }: { run: string; file: MediaFile; name: string }) {
  const kind = kKinds.find(([ending]) => ending.test(file.path))?.[1];
  if (/\.ipynb$/i.test(file.path)) return <NotebookView file={file} name={name} />;
  if (/\.onnx$/i.test(file.path)) return <OnnxView file={file} name={name} />;
  if (kind === "image") return <WholePicture run={run} file={file} name={name} />;
  if (kind === "text") return <TextContent run={run} file={file} name={name} />;
  return kind ? <Content run={run} file={file} kind={kind} name={name} /> : <AnyFile file={file} name={name} />;
}

const kWidth = 640;

function WholePicture({ run, file, name }: { run: string; file: MediaFile; name: string }) {
  const [aspect, set_aspect] = useState(1);
  const [view, set_view] = useState(kWhole);
  const item: MediaItem = { run_id: run, kind: "image", step: null, at: "", file, preview: null, about: null, masks: [] };
  return <div className={css.some}><MediaPicture item={item} name={name} width={kWidth} aspect={aspect} on_aspect={set_aspect} over={{ opacity: 0, boxes: false }} view={view} on_view={set_view} /></div>;
}

const kAnyBytesMax = 2 << 20;
const kLookedAt = 8000;

/// Text when it looks like text.
function AnyFile({ file, name }: { file: MediaFile; name: string }) {
  const { text, error, problem } = useText(file, kAnyBytesMax);
  if (error) return <Problem error={error} />;
  if (problem) return <p className="quiet">{problem}</p>;
  if (text === undefined) return <Skeleton rows={4} />;
  return text.slice(0, kLookedAt).includes("\0") ? <p className="quiet">A binary file.</p> : <Code text={text} name={name} />;
}
