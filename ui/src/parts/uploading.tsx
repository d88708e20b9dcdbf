// What a person sees of a folder on its way to the server: choosing or dropping it, and how far it has come.
import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { Problem } from "./basics";
import { folder_of_drop, folder_of_input, type Folder, type FolderFile } from "./folder";
import { bytes, count, counted, duration } from "./format";
import type { TreeEntry } from "./tree";
import { Upload, type UploadProgress } from "./upload";
import css from "./uploading.module.css";

/// `children` says what is wanted; `chosen` what is there.
export function FolderPicker({ on_folder, chosen, children }: { on_folder: (folder: Folder) => void; chosen: ReactNode; children: ReactNode }) {
  const [over, set_over] = useState(false);
  const [error, set_error] = useState<Error | null>(null);
  const [busy, set_busy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  // React knows no such attribute of <input>.
  useEffect(() => { input.current?.setAttribute("webkitdirectory", ""); }, []);
  const take = async (read: () => Folder | Promise<Folder>) => {
    set_busy(true);
    try {
      const folder = await read();
      if (folder.files.length === 0) throw new Error("This folder holds no files.");
      set_error(null);
      on_folder(folder);
    } catch (problem) {
      set_error(problem as Error);
    } finally {
      set_busy(false);
    }
  };
  return (
    <div
      className={`${css.drop} ${over ? css.over : ""} stack`}
      onDragOver={(event) => { event.preventDefault(); set_over(true); }} onDragLeave={() => set_over(false)}
      onDrop={(event) => { event.preventDefault(); set_over(false); const { items } = event.dataTransfer; void take(() => folder_of_drop(items)); }}
    >
      {chosen ?? <p>{children}</p>}
      <div className="row">
        <button type="button" disabled={busy} onClick={() => input.current?.click()}>{chosen ? "Choose another folder" : "Choose a folder"}</button>
        <span className="quiet">{busy ? "Reading its names…" : "or drop one here"}</span>
      </div>
      <input
        ref={input} type="file" multiple hidden aria-label="Folder"
        onChange={(event) => { const { files } = event.target; if (files && files.length > 0) { const list = Array.from(files); void take(() => folder_of_input(list)); } event.target.value = ""; }}
      />
      {error && <p role="alert">{error.message}</p>}
    </div>
  );
}

export interface Uploading {
  state: "idle" | "running" | "stopped" | "failed" | "done";
  progress: UploadProgress | null;
  error: Error | null;
  /// Sends the files, or goes on with the same ones; null when it was stopped or failed.
  start: (files: FolderFile[]) => Promise<TreeEntry[] | null>;
  stop: () => void;
}

const kShowEveryMs = 200;

export function useUpload(): Uploading {
  const [state, set_state] = useState<Uploading["state"]>("idle");
  const [progress, set_progress] = useState<UploadProgress | null>(null);
  const [error, set_error] = useState<Error | null>(null);
  const upload = useRef<{ of: FolderFile[]; upload: Upload } | null>(null);
  const abort = useRef<AbortController | null>(null);
  const shown_at = useRef(0);
  useEffect(() => () => abort.current?.abort(), []);

  const show = useCallback((next: UploadProgress) => {
    const now = performance.now();
    if (now - shown_at.current < kShowEveryMs && next.files < next.files_all) return;
    shown_at.current = now;
    set_progress(next);
  }, []);
  const start = useCallback(async (files: FolderFile[]) => {
    if (upload.current?.of !== files) upload.current = { of: files, upload: new Upload(files, show) };
    abort.current = new AbortController();
    const { signal } = abort.current;
    set_state("running");
    set_error(null);
    try {
      const entries = await upload.current.upload.run(signal);
      set_state("done");
      return entries;
    } catch (problem) {
      if (signal.aborted) { set_state("stopped"); return null; }
      // Whatever else was under way ends, too; going on begins with what is missing.
      abort.current.abort();
      set_error(problem as Error);
      set_state("failed");
      return null;
    }
  }, [show]);
  const stop = useCallback(() => abort.current?.abort(), []);
  return { state, progress, error, start, stop };
}

export function UploadView({ uploading, again }: { uploading: Uploading; again: () => void }) {
  const { state, progress, error, stop } = uploading;
  if (state === "idle" || !progress) return error ? <Problem error={error} again={again} /> : null;
  const { files, files_all, bytes: sent, bytes_all, files_there, bytes_per_s, left_s } = progress;
  const words = [
    `${count(files)} of ${counted(files_all, "file")}`, `${bytes(sent)} of ${bytes(bytes_all)}`,
    state === "running" && bytes_per_s ? `${bytes(bytes_per_s)}/s` : null, state === "running" && left_s !== null ? `${duration(Math.ceil(left_s))} left` : null,
    files_there > 0 ? `${count(files_there)} were there already` : null,
  ].filter(Boolean).join(" · ");
  return (
    <div className="stack" role="group" aria-label="Upload">
      <progress className={css.bar} value={bytes_all > 0 ? sent : files} max={Math.max(1, bytes_all > 0 ? bytes_all : files_all)} aria-label="Uploaded" />
      <div className="row">
        <span className="num">{words}</span><span className="grow" />
        {state === "running" && <button type="button" className="small" onClick={stop}>Stop</button>}
        {state === "stopped" && <button type="button" className="small" onClick={again}>Go on</button>}
      </div>
      {state === "stopped" && <p className="quiet">Stopped. What the server has stays there for a day; going on sends the rest.</p>}
      {state === "failed" && error && <Problem error={error} again={again} />}
    </div>
  );
}
