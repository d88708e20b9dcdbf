// The first samples as the patterns join them, and what fits none of the patterns.
import { useEffect, useState } from "react";
import type { FolderFile } from "../parts/folder";
import { count, counted } from "../parts/format";
import type { Join, StreamForm } from "./join";
import css from "./add.module.css";

const kSamplesShown = 6;
const kSentencesShown = 5;

export function Preview({ join, streams, by_path }: { join: Join; streams: StreamForm[]; by_path: Map<string, FolderFile> }) {
  if (join.mistakes.size > 0) return <p className="quiet">The samples are shown once the patterns are understood.</p>;
  const { samples, problems, unused } = join;
  return (
    <div className="stack" role="group" aria-label="Preview">
      <p className="num">{samples.length === 0 ? "No file fits these patterns." : <strong>{counted(samples.length, "sample")}</strong>}{unused.length > 0 && <span className="quiet"> · {counted(unused.length, "file")} left out, such as {unused.slice(0, 3).join(", ")}</span>}</p>
      {problems.length > 0 && (
        <div role="alert" className={css.problems}>
          <p><strong>{problems.length === 1 ? "One thing is wrong:" : `${count(problems.length)} things are wrong:`}</strong></p>
          <ul>{problems.slice(0, kSentencesShown).map((one) => <li key={one}>{one}</li>)}</ul>
          {problems.length > kSentencesShown && <p className="quiet">and {count(problems.length - kSentencesShown)} more</p>}
        </div>
      )}
      {samples.length > 0 && (
        <div className={css.over} tabIndex={0} role="region" aria-label="The first samples">
          <table className={css.samples}>
            <thead><tr><th>Key</th>{streams.map(({ name }) => <th key={name}>{name}</th>)}</tr></thead>
            <tbody>
              {samples.slice(0, kSamplesShown).map(({ key, paths, fields }) => (
                <tr key={key}>
                  <td className="num">{key}</td>
                  {streams.map((stream, i) => <td key={stream.name}><Part stream={stream} path={paths[i] ?? null} file={paths[i] ? by_path.get(paths[i]) : undefined} label={fields["label"]} /></td>)}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {samples.length > kSamplesShown && <p className="quiet">and {count(samples.length - kSamplesShown)} more</p>}
    </div>
  );
}

function Part({ stream, path, file, label }: { stream: StreamForm; path: string | null; file: FolderFile | undefined; label: string | undefined }) {
  if (!path || !file) return <span className="quiet">none</span>;
  if (stream.decode === "label" && /\{label\}/.test(stream.files)) return <strong>{label}</strong>;
  return (
    <span className="row" style={{ flexWrap: "nowrap" }}>
      {["image", "labels", "depth16"].includes(stream.decode) ? <Thumbnail file={file.file} /> : ["label", "number", "text"].includes(stream.decode) ? <FirstLine file={file.file} /> : null}
      <span className="quiet num clip">{path}</span>
    </span>
  );
}

function Thumbnail({ file }: { file: File }) {
  const [href, set_href] = useState("");
  const [broken, set_broken] = useState(false);
  useEffect(() => {
    const made = URL.createObjectURL(file);
    set_href(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return broken ? <span className={css.broken}>no picture</span> : !href ? null : <img className={css.thumbnail} src={href} alt="" width={40} height={40} onError={() => set_broken(true)} />;
}

function FirstLine({ file }: { file: File }) {
  const [text, set_text] = useState("");
  useEffect(() => {
    let current = true;
    file.slice(0, 200).text().then((read) => { if (current) set_text(read.split("\n")[0]!.trim()); }, () => {});
    return () => { current = false; };
  }, [file]);
  return <strong>{text}</strong>;
}
