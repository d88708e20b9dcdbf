// The files of a run, folder by folder, with a look into those a browser can show.
import { useEffect, useState } from "react";
import { address, ApiError, ask, url } from "../api/client";
import { useGet } from "../api/hooks";
import type { Artifact } from "../api/types";
import { Link, usePlace } from "../app/router";
import { Empty, Loaded, Problem, Skeleton } from "../parts/basics";
import { Code } from "../parts/code";
import { OnnxView, Preview } from "../media/later";
import { bytes } from "../parts/format";
import css from "./runs.module.css";

const kShown = 1000;

export function Artifacts({ id }: { id: string }) {
  const { path, search } = usePlace();
  const folder = search.get("path") ?? "";
  const file = search.get("file");
  const listed = useGet<{ artifacts: Artifact[]; next_page_token: string | null }>(["runs", id, "artifacts", folder], url(`/api/v1/runs/${id}/artifacts`, { path: folder, page_size: kShown }), { keep: true });
  const to = (changes: Record<string, string | null>) => {
    const next = new URLSearchParams(search);
    for (const [key, value] of Object.entries(changes)) if (value) next.set(key, value); else next.delete(key);
    return `${path}?${next}`;
  };
  const up = folder.split("/").slice(0, -1).join("/");
  return (
    <Loaded of={listed}>
      {({ artifacts, next_page_token }) => artifacts.length === 0 && !folder ? <Empty command={`mlflow.log_artifact("model.onnx")`}>This run kept no files.</Empty> : (
        <div className={css.artifacts}>
          <nav aria-label="Files">
            <p className="row">
              <span className="quiet">Save {folder ? `${folder}/` : "all files"} as</span>
              {["tar", "zip"].map((format) => <a key={format} href={address(url(`/api/v1/runs/${id}/artifacts/archive`, { path: folder, format }))} download>{format}</a>)}
            </p>
            <ul>
              {folder && <li><Link to={to({ path: up || null, file: null })} replace><span>↑ {up || "all files"}</span></Link></li>}
              {[...artifacts].sort((a, b) => Number(b.is_directory) - Number(a.is_directory) || a.path.localeCompare(b.path)).map((one) => (
                <li key={one.path}>
                  <Link to={one.is_directory ? to({ path: one.path, file: null }) : to({ file: one.path })} aria-current={one.path === file ? "true" : undefined} replace>
                    <span className="clip">{one.path.slice(folder ? folder.length + 1 : 0)}{one.is_directory ? "/" : ""}</span><span className="num quiet">{one.is_directory ? "" : bytes(one.size)}</span>
                  </Link>
                </li>
              ))}
            </ul>
            {next_page_token && <p className="quiet">The first {kShown} files and folders; save the folder to have all.</p>}
          </nav>
          <div className={css.preview}>
            {chosen_of(artifacts, file) ? <Preview key={file} run={id} file={chosen_of(artifacts, file)!} /> : file ? <p className="quiet">There is no file {file} in this folder.</p> : <p className="quiet">Choose a file to look into it.</p>}
          </div>
        </div>
      )}
    </Loaded>
  );
}

function chosen_of(artifacts: Artifact[], path: string | null) {
  const found = artifacts.find((one) => one.path === path);
  return found?.hash ? { path: found.path, hash: found.hash, size: found.size ?? 0 } : null;
}

const kTextBytesMax = 2 * 1024 * 1024;

/// A picture, a text, the structure of a model, or a link to the bytes.
export function FilePreview({ href, path, size, hash }: { href: string; path: string; size: number | null; hash?: string }) {
  const picture = /\.(png|jpe?g|gif|webp|bmp)$/i.test(path);
  const model = hash !== undefined && size !== null && /\.onnx$/i.test(path) ? { path, hash, size } : null;
  const [text, set_text] = useState<string | null>(null);
  const [why, set_why] = useState("");
  const [error, set_error] = useState<Error | null>(null);
  useEffect(() => {
    if (picture || model) return;
    let current = true;
    const read = async () => {
      if (size !== null && size > kTextBytesMax) { set_why(`${bytes(size)} are too much to show here.`); return; }
      const content = new Uint8Array(await (await ask(href, { headers: { Accept: "*/*" } })).arrayBuffer());
      if (!current) return;
      if (content.subarray(0, 8000).includes(0)) { set_why("A binary file."); return; }
      set_text(new TextDecoder().decode(content));
    };
    read().catch((problem: ApiError) => { if (current) set_error(problem); });
    return () => { current = false; };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- path and hash stand for model
  }, [href, picture, size, path, hash]);
  return (
    <div className="stack">
      <div className="row"><code>{path}</code><span className="num quiet">{bytes(size)}</span><span className="grow" /><a href={address(href)} download={path.split("/").at(-1)}>Save</a></div>
      {error ? <Problem error={error} /> : model ? <OnnxView file={model} name={path} /> : picture ? <img src={address(href)} alt={path} /> : text !== null ? <Code text={text} name={path} /> : why ? <p className="quiet">{why}</p> : <Skeleton rows={4} />}
    </div>
  );
}
