// A folder of files becomes a commit of a dataset, without the command line: chosen, looked at, sent, and checked by a run.
import { useEffect, useMemo, useState } from "react";
import { ask, part, send } from "../api/client";
import { useGet } from "../api/hooks";
import type { Dataset, Run } from "../api/types";
import { useBack } from "../app/keys";
import { curl, python, quoted, usePage } from "../app/page";
import { Link, set_search, useParam } from "../app/router";
import { Command, Field, Problem, State } from "../parts/basics";
import { Head, ScrollPage, Section } from "../parts/detail";
import { is_hidden, type Folder, type FolderFile } from "../parts/folder";
import { bytes, counted } from "../parts/format";
import { Log } from "../parts/log";
import { render_tree } from "../parts/tree";
import { FolderPicker, UploadView, useUpload } from "../parts/uploading";
import { is_running } from "../runs/state";
import { declaration_of, guess, join_files, wanted_paths, type LabelTable, type StreamForm } from "./join";
import { Preview } from "./add_preview";
import { Labels, Statistics, Streams } from "./add_streams";
import { commit_url } from "./links";
import css from "./add.module.css";

const kName = "[A-Za-z0-9_][A-Za-z0-9_.\\-]*";

export default function AddDataset() {
  const [name, set_name] = useParam("name");
  const [branch, set_branch] = useParam("branch", "main");
  const [run] = useParam("run");
  const api = `/api/v1/datasets/${part(name || "NAME")}/import`;
  usePage([{ name: "Data", to: "/datasets" }, { name: "Add" }], [
    { what: "Add a folder", cli: `slipway data add ${quoted(name || "NAME")} FOLDER --branch ${quoted(branch)}` },
    { what: "Import files that the store has", curl: curl(api, { method: "POST", json: { tree: "TREE", branch, declaration: null } }), python: python(api, { method: "POST", json: { tree: "TREE", branch, declaration: null } }) },
  ]);
  useBack("/datasets");
  return (
    <ScrollPage>
      <Head title="Add files to a dataset" />
      <Form name={name} set_name={set_name} branch={branch} set_branch={set_branch} run={run} />
      {run && <Outcome key={run} run={run} name={name} branch={branch} />}
    </ScrollPage>
  );
}

interface FormProps { name: string; set_name: (name: string | null) => void; branch: string; set_branch: (branch: string | null) => void; run: string }

function Form({ name, set_name, branch, set_branch, run }: FormProps) {
  const [folder, set_folder] = useState<Folder | null>(null);
  const [key, set_key] = useState("");
  const [streams, set_streams] = useState<StreamForm[]>([]);
  const [why, set_why] = useState<string | null>(null);
  const [table, set_table] = useState<LabelTable | null>(null);
  const [statistics, set_statistics] = useState<string[]>(["brightness", "contrast"]);
  const [replace, set_replace] = useState(false);
  const [message, set_message] = useState("");
  const [error, set_error] = useState<Error | null>(null);
  const [busy, set_busy] = useState(false);
  const uploading = useUpload();

  const files = useMemo(() => folder?.files.filter(({ path }) => !is_hidden(path)) ?? [], [folder]);
  const paths = useMemo(() => files.map(({ path }) => path), [files]);
  const join = useMemo(() => join_files(key, streams, paths), [key, streams, paths]);
  const by_path = useMemo(() => new Map(files.map((one) => [one.path, one])), [files]);
  // The same list as long as nothing changed: an upload that goes on knows its files.
  const wanted = useMemo<FolderFile[]>(() => [...wanted_paths(join, table)].flatMap((path) => by_path.get(path) ?? []), [join, table, by_path]);
  const size = wanted.reduce((sum, { file }) => sum + file.size, 0);

  const take = (next: Folder) => {
    const visible = next.files.filter(({ path }) => !is_hidden(path)).map(({ path }) => path);
    const guessed = guess(visible);
    set_folder(next);
    set_key(guessed.key);
    set_streams(guessed.streams);
    set_why(guessed.why);
    set_table(null);
    set_error(null);
    if (!name && new RegExp(`^${kName}$`).test(next.name)) set_name(next.name);
  };
  const go = async () => {
    set_busy(true);
    set_error(null);
    set_search({ run: null });
    try {
      const entries = await uploading.start(wanted);
      if (!entries) return;
      const tree = await post_tree(render_tree(entries.map((entry) => ({ ...entry, script: false }))));
      const made = await send<Run>("POST", `/api/v1/datasets/${part(name)}/import`, {
        tree, declaration: declaration_of(key, streams, statistics, table), branch, mode: replace ? "replace" : "add", message: message || `add ${folder?.name || "files"}`,
      });
      set_search({ run: made.id });
    } catch (problem) {
      set_error(problem as Error);
    } finally {
      set_busy(false);
    }
  };
  const unnamed = streams.some(({ name: of }, i) => !new RegExp(`^${kName}$`).test(of) || streams.findIndex((other) => other.name === of) !== i);
  const ready = !!folder && join.mistakes.size === 0 && join.samples.length > 0 && join.problems.length === 0 && !unnamed && (!table || !!table.column);
  return (
    <>
      <Section title="Files">
        <FolderPicker on_folder={take} chosen={folder && <p><strong>{folder.name || "Files"}</strong> <span className="num quiet">{counted(files.length, "file")}, {bytes(files.reduce((sum, { file }) => sum + file.size, 0))}</span></p>}>
          The folder with the pictures, masks, labels or tables. Nothing is sent yet.
        </FolderPicker>
      </Section>
      {folder && (
        <form className="stack" style={{ gap: 16 }} onSubmit={(event) => { event.preventDefault(); void go(); }}>
          <Section title="How files become samples" note={why ? <span className="quiet">{why}</span> : <span className="quiet">guessed from the names; change what is wrong</span>}>
            <Streams key_pattern={key} set_key={set_key} streams={streams} set_streams={set_streams} join={join} />
            <Labels streams={streams} files={files} table={table} set_table={set_table} />
            <Statistics streams={streams} chosen={statistics} set_chosen={set_statistics} />
            <Preview join={join} streams={streams} by_path={by_path} />
          </Section>
          <Section title="Where they go">
            <Target name={name} set_name={set_name} branch={branch} set_branch={set_branch} replace={replace} set_replace={set_replace} message={message} set_message={set_message} folder={folder.name} />
          </Section>
          <Command text={[`slipway data add ${quoted(name || "NAME")} ${quoted(folder.name || "FOLDER")} --branch ${quoted(branch)}`, replace ? "--replace" : "", message ? `--message ${quoted(message)}` : ""].filter(Boolean).join(" ")} />
          <div className="row">
            <button type="submit" className="primary" disabled={!ready || !name || busy}>Send and commit</button>
            <span className="quiet num">{counted(join.samples.length, "sample")}, {counted(wanted.length, "file")}, {bytes(size)}</span>
            {join.problems.length > 0 && <span className="quiet">Nothing is committed while files are missing.</span>}
          </div>
          <UploadView uploading={uploading} again={() => void go()} />
          {error && <Problem error={error} again={() => void go()} />}
        </form>
      )}
      {!folder && run && <p className="quiet">Choose the folder again to send it once more; what the server has is not sent twice.</p>}
    </>
  );
}

async function post_tree(text: string): Promise<string> {
  return ((await (await ask("/api/v1/trees", { method: "POST", body: text, headers: { "Content-Type": "text/plain" } })).json()) as { hash: string }).hash;
}

function Target({ name, set_name, branch, set_branch, replace, set_replace, message, set_message, folder }: Omit<FormProps, "run"> & { replace: boolean; set_replace: (replace: boolean) => void; message: string; set_message: (message: string) => void; folder: string }) {
  const datasets = useGet<{ datasets: Dataset[] }>(["datasets", "list", "all"], "/api/v1/datasets?page_size=1000");
  const there = datasets.data?.datasets.find((one) => one.name === name);
  const at = there?.branches.find((one) => one.name === branch);
  return (
    <div className={css.target}>
      <Field name="Dataset" hint={there ? `There is one with ${counted(there.sample_count, "sample")}; this adds to it.` : "A new one is made."}><input value={name} required pattern={kName} maxLength={128} list="dataset-names" onChange={(event) => set_name(event.target.value)} /></Field>
      <datalist id="dataset-names">{datasets.data?.datasets.map((one) => <option key={one.id} value={one.name} />)}</datalist>
      <Field name="Branch" hint={at ? "It gets one more commit." : "A new branch."}><input value={branch} required pattern={kName} maxLength={128} list="branch-names" onChange={(event) => set_branch(event.target.value)} /></Field>
      <datalist id="branch-names">{there?.branches.map((one) => <option key={one.name} value={one.name} />)}</datalist>
      {at && <label className={css.whole}><input type="checkbox" checked={replace} onChange={() => set_replace(!replace)} /> The folder is all there is: samples of {branch} that are not in it go. Their commits stay.</label>}
      <Field name="Message"><input value={message} maxLength={4000} placeholder={`add ${folder || "files"}`} onChange={(event) => set_message(event.target.value)} /></Field>
    </div>
  );
}

/// The run that checks the files and makes the commit: its log as it comes, and where it led.
function Outcome({ run: id, name, branch }: { run: string; name: string; branch: string }) {
  const run = useGet<Run>(["runs", id, "record"], `/api/v1/runs/${id}`, { every_ms: 2_000 });
  const { data } = run;
  useEffect(() => { document.getElementById("import-outcome")?.scrollIntoView({ block: "nearest" }); }, [data?.state]);
  if (!data) return run.error ? <Problem error={run.error} /> : null;
  const commit = data.state === "finished" ? commit_url(name, branch) : null;
  return (
    <Section title="The import" note={<Link to={`/runs/${id}`}>Its run</Link>}>
      <div id="import-outcome" className="stack">
        <div className="row" role="status">
          <State of={data.state} />
          {commit ? <><span>The samples are committed.</span><Link to={commit}>Look at {name}@{branch}</Link></>
            : data.state === "failed" ? <span>Nothing was committed. The log names the files and what is wrong with them.</span>
            : data.state === "killed" ? <span>It was stopped; nothing was committed.</span> : <span className="quiet">Every file is read, checked and described before anything is committed.</span>}
        </div>
        <Log path={`/api/v1/runs/${id}/log`} run={id} running={is_running(data)} height="320px" />
      </div>
    </Section>
  );
}
