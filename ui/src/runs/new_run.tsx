// The first run without a terminal: a folder with a slipway.yaml, or the code of an earlier run; a step; its parameters.
import { useEffect, useState } from "react";
import { ask, send, url } from "../api/client";
import { useGet } from "../api/hooks";
import type { Run, Snapshot } from "../api/types";
import { useBack } from "../app/keys";
import { curl, python, quoted, usePage } from "../app/page";
import { Link, navigate, useParam } from "../app/router";
import { Command, Empty, Field, Loaded, Problem, Tabs } from "../parts/basics";
import { Head, ScrollPage, Section } from "../parts/detail";
import { ago, bytes, counted } from "../parts/format";
import { render_tree } from "../parts/tree";
import { FolderPicker, UploadView, useUpload } from "../parts/uploading";
import { expected, mistake, values_of, written, type Parameter } from "./parameters";
import css from "./runs.module.css";
import { kProjectFile, read_working_copy, type Manifest, type WorkingCopy } from "./working_copy";

interface Step { name: string; description: string; command: string; environment: string; parameters: Parameter[]; inputs: { name: string; reference: string }[]; outputs: { name: string; model: string; dataset: string }[] }
interface ProjectFile { project: string; steps: Step[]; pipelines: { name: string; nodes: number }[] }
/// What a run is made from: its slipway.yaml, and how to get the tree of its code.
interface Code { text: string; tree: () => Promise<{ tree: string; manifest: string } | null>; key: string }

export default function NewRun() {
  const [code, set_code] = useState<Code | null>(null);
  usePage([{ name: "Runs", to: "/runs" }, { name: "New run" }], [
    { what: "Run a step of the folder you are in", cli: "slipway run train lr=0.01" },
    { what: "Run a command with a snapshot that the server has", curl: curl("/api/v1/runs", { method: "POST", json: { command: "python3 train.py", snapshot: "TREE" } }), python: python("/api/v1/runs", { method: "POST", json: { command: "python3 train.py", snapshot: "TREE" } }) },
  ]);
  useBack("/runs");
  return (
    <ScrollPage>
      <Head title="New run" />
      <Section title="Code">
        <Tabs label="Where the code is" param="from" tabs={[
          { id: "folder", name: "A folder", content: () => <FromFolder on_code={set_code} /> },
          { id: "run", name: "An earlier run", content: () => <FromRun on_code={set_code} /> },
        ]} />
      </Section>
      {code && <Steps key={code.key} code={code} />}
    </ScrollPage>
  );
}

async function put_tree(text: string): Promise<string> {
  return ((await (await ask("/api/v1/trees", { method: "POST", body: text, headers: { "Content-Type": "text/plain" } })).json()) as { hash: string }).hash;
}
async function put_manifest(manifest: Manifest): Promise<string> {
  return ((await (await ask("/api/v1/blobs", { method: "POST", body: JSON.stringify(manifest), headers: { "Content-Type": "application/octet-stream" } })).json()) as { hash: string }).hash;
}

function FromFolder({ on_code }: { on_code: (code: Code | null) => void }) {
  const [copy, set_copy] = useState<WorkingCopy | null>(null);
  const [error, set_error] = useState<Error | null>(null);
  const uploading = useUpload();
  const { start } = uploading;
  useEffect(() => () => on_code(null), [on_code]);
  const offer = (read: WorkingCopy) => on_code({
    key: String(performance.now()), text: read.project_file,
    tree: async () => {
      const entries = await start(read.files);
      return entries && { tree: await put_tree(render_tree(entries)), manifest: await put_manifest(read.manifest) };
    },
  });
  return (
    <div className="stack">
      <FolderPicker
        on_folder={(folder) => void read_working_copy(folder).then((read) => { set_copy(read); set_error(null); offer(read); }, (problem: Error) => { set_copy(null); set_error(problem); on_code(null); })}
        chosen={copy && <div className="stack" style={{ gap: 2 }}>
          <p><strong>{copy.name || "Folder"}</strong> <span className="num quiet">{counted(copy.files.length, "file")}, {bytes(copy.bytes)}</span></p>
          <p className="quiet">{[copy.manifest.commit ? `commit ${copy.manifest.commit.slice(0, 8)}${copy.manifest.branch ? ` on ${copy.manifest.branch}` : ""}, and whatever was changed since` : "not in git", copy.ignored_count > 0 ? `${counted(copy.ignored_count, "ignored file")} left out` : null, copy.manifest.omitted.length > 0 ? `${counted(copy.manifest.omitted.length, "large file")} left out` : null].filter(Boolean).join(" · ")}</p>
        </div>}
      >
        A folder with a <code>{kProjectFile}</code>. Every file that is not ignored is kept with the run, as it is now.
      </FolderPicker>
      {error && <p role="alert">{error.message}</p>}
      <UploadView uploading={uploading} again={() => { if (copy) void start(copy.files); }} />
    </div>
  );
}

/// Runs that Slipway executed keep their code; the newest of each snapshot is offered.
function FromRun({ on_code }: { on_code: (code: Code | null) => void }) {
  const [like, set_like] = useParam("like");
  const runs = useGet<{ runs: Run[] }>(["runs", "list", "with code"], url("/api/v1/runs", { page_size: 500, columns: "" }));
  const snapshot = useGet<Snapshot & { tree: string; submodules?: { path: string; commit: string }[] }>(["runs", like, "snapshot"], `/api/v1/runs/${like}/snapshot`, { enabled: !!like });
  const file = snapshot.data?.files.find(({ path }) => path === kProjectFile);
  const [error, set_error] = useState<Error | null>(null);
  useEffect(() => () => on_code(null), [on_code]);
  useEffect(() => {
    const { data } = snapshot;
    if (!data || !file) { on_code(null); return; }
    let current = true;
    ask(`/api/v1/blobs/${file.hash}`, { headers: { Accept: "*/*" } }).then((answer) => answer.text()).then((text) => {
      if (current) on_code({ key: data.tree, text, tree: async () => ({ tree: data.tree, manifest: await put_manifest(manifest_of(data)) }) });
    }, (problem: Error) => { if (current) set_error(problem); });
    return () => { current = false; };
  }, [snapshot.data, file, on_code]); // eslint-disable-line react-hooks/exhaustive-deps -- the data stands for the query
  return (
    <Loaded of={runs}>
      {({ runs: all }) => {
        const seen = new Set<unknown>();
        const offered = all.filter(({ id, source }) => {
          const tree = (source as { snapshot?: string } | null)?.snapshot;
          return source?.kind === "step" && !!tree && (id === like || !seen.has(tree)) && !!seen.add(tree);
        });
        if (offered.length === 0) return <Empty command="slipway run train">No run has kept its code yet. Choose a folder, or from a terminal:</Empty>;
        return (
          <div className="stack">
            <Field name="The code of"><select style={{ maxWidth: 560 }} value={like} onChange={(event) => set_like(event.target.value || null)}>
              <option value="">choose a run</option>
              {offered.map(({ id, name, source, created_at }) => <option key={id} value={id}>{[name, source?.step, source?.commit ? `commit ${source.commit.slice(0, 8)}${source.dirty ? " with changes" : ""}` : null, ago(created_at)].filter(Boolean).join(", ")}</option>)}
            </select></Field>
            {snapshot.error && <Problem error={snapshot.error} />}
            {error && <Problem error={error} />}
            {snapshot.data && !file && <p role="alert">This run's code has no {kProjectFile}; only its own command can be run again, on <Link to={`/runs/${like}`}>its page</Link>.</p>}
          </div>
        );
      }}
    </Loaded>
  );
}

/// The manifest that was kept with a run, from what its page shows.
function manifest_of({ commit, branch, remote, dirty, diff, diff_cut, files, omitted, submodules }: Snapshot & { submodules?: { path: string; commit: string }[] }): Manifest {
  return { version: 1, commit: commit ?? "", branch: branch ?? "", remote: remote ?? "", dirty: dirty ?? null, diff: diff ?? "", diff_cut: !!diff_cut, untracked: files.filter(({ untracked }) => untracked).map(({ path }) => path), omitted, submodules: submodules ?? [] };
}

function Steps({ code }: { code: Code }) {
  const [file, set_file] = useState<ProjectFile | null>(null);
  const [error, set_error] = useState<Error | null>(null);
  useEffect(() => {
    let current = true;
    send<ProjectFile>("POST", "/api/v1/project_files/read", { text: code.text }).then((read) => { if (current) set_file(read); }, (problem: Error) => { if (current) set_error(problem); });
    return () => { current = false; };
  }, [code.text]);
  if (error) return <Problem error={error} what={kProjectFile} />;
  if (!file) return null;
  if (file.steps.length + file.pipelines.length === 0) return <Empty>This {kProjectFile} declares neither steps nor pipelines, so there is nothing to run.</Empty>;
  return <><OneStep file={file} code={code} />{file.pipelines.length > 0 && <Pipelines file={file} code={code} />}</>;
}

function OneStep({ file, code }: { file: ProjectFile; code: Code }) {
  const [chosen, set_chosen] = useParam("step");
  if (file.steps.length === 0) return null;
  const step = file.steps.find(({ name }) => name === chosen) ?? file.steps[0]!;
  return (
    <Section title="Step">
      <div className="row" role="group" aria-label="Step">
        {file.steps.map(({ name, description }) => <button key={name} type="button" aria-pressed={name === step.name} title={description} onClick={() => set_chosen(name)}>{name}</button>)}
      </div>
      {step.description && <p>{step.description}</p>}
      <StepForm key={step.name} step={step} code={code} />
    </Section>
  );
}

/// All of a pipeline's steps at once, with the code of this page.
function Pipelines({ file, code }: { file: ProjectFile; code: Code }) {
  const [error, set_error] = useState<Error | null>(null);
  const [busy, set_busy] = useState(false);
  const go = async (pipeline: string) => {
    set_busy(true);
    set_error(null);
    try {
      const sent = await code.tree();
      if (!sent) return;
      // The runs of its steps say which commit they were made of.
      await send("POST", "/api/v1/snapshots", sent);
      const { id } = await send<{ id: string }>("POST", "/api/v1/pipeline_runs", { pipeline, project_file: code.text, snapshot: sent.tree });
      navigate(`/pipelines/${id}`);
    } catch (problem) {
      set_error(problem as Error);
    } finally {
      set_busy(false);
    }
  };
  return (
    <Section title="Or a whole pipeline" note={<span className="quiet">several steps, evaluations and deployments in their order</span>}>
      <div className="row">{file.pipelines.map(({ name, nodes }) => <button key={name} type="button" disabled={busy} onClick={() => void go(name)}>Run {name} <span className="quiet">{counted(nodes, "node")}</span></button>)}</div>
      {error && <Problem error={error} />}
    </Section>
  );
}

function StepForm({ step, code }: { step: Step; code: Code }) {
  const [texts, set_texts] = useState<Record<string, string>>(() => Object.fromEntries(step.parameters.map((one) => [one.name, written(one.default)])));
  const [inputs, set_inputs] = useState<Record<string, string>>(() => Object.fromEntries(step.inputs.map(({ name, reference }) => [name, reference])));
  const [name, set_name] = useState("");
  const [experiment, set_experiment] = useState("");
  const [error, set_error] = useState<Error | null>(null);
  const [busy, set_busy] = useState(false);
  const mistakes = step.parameters.map((one) => mistake(one, texts[one.name] ?? ""));
  const values = values_of(step.parameters, texts);
  const changed_inputs = Object.fromEntries(step.inputs.flatMap((one) => (inputs[one.name] !== one.reference ? [[one.name, inputs[one.name]!]] : [])));
  const go = async () => {
    set_busy(true);
    set_error(null);
    try {
      const sent = await code.tree();
      if (!sent) return;
      const run = await send<Run>("POST", "/api/v1/runs", { project_file: code.text, step: step.name, parameters: values, inputs: changed_inputs, snapshot: sent.tree, snapshot_manifest: sent.manifest, name, experiment });
      navigate(`/runs/${run.id}?tab=log`);
    } catch (problem) {
      set_error(problem as Error);
    } finally {
      set_busy(false);
    }
  };
  return (
    <form className="stack" style={{ gap: 16, maxWidth: 1080 }} onSubmit={(event) => { event.preventDefault(); if (!mistakes.some(Boolean)) void go(); }}>
      {step.parameters.length > 0 && <Fieldset title="Parameters">{step.parameters.map((one, i) => <ParameterField key={one.name} parameter={one} text={texts[one.name] ?? ""} set_text={(text) => set_texts({ ...texts, [one.name]: text })} error={mistakes[i] ?? undefined} />)}</Fieldset>}
      {step.inputs.length > 0 && <Fieldset title="Inputs">{step.inputs.map((one) => <Field key={one.name} name={one.name} hint={inputs[one.name] === one.reference ? "as declared" : `declared: ${one.reference}`}><input className="num" required value={inputs[one.name]} spellCheck={false} onChange={(event) => set_inputs({ ...inputs, [one.name]: event.target.value })} /></Field>)}</Fieldset>}
      <Fieldset title="What it is called">
        <Field name="Name" hint="Empty: a name is made up."><input value={name} maxLength={200} onChange={(event) => set_name(event.target.value)} /></Field>
        <Field name="Experiment" hint={`Empty: ${step.name}.`}><input value={experiment} maxLength={200} onChange={(event) => set_experiment(event.target.value)} /></Field>
      </Fieldset>
      <Command text={[`slipway run ${step.name}`, ...Object.entries(values).map(([key, value]) => quoted(`${key}=${value}`)), ...Object.entries(changed_inputs).map(([key, value]) => `--input ${quoted(`${key}=${value}`)}`), name ? `--name ${quoted(name)}` : "", experiment ? `--experiment ${quoted(experiment)}` : ""].filter(Boolean).join(" ")} />
      {error && <Problem error={error} />}
      <div className="row"><button type="submit" className="primary" disabled={busy || mistakes.some(Boolean)}>Start</button>{step.outputs.length > 0 && <span className="quiet">Makes {step.outputs.map(({ name: of, model, dataset }) => (model ? `a version of ${model}` : dataset ? `a commit of ${dataset}` : of)).join(", ")}.</span>}</div>
    </form>
  );
}

const Fieldset = ({ title, children }: { title: string; children: React.ReactNode }) => <fieldset className="plain"><legend>{title}</legend><div className={css.fields}>{children}</div></fieldset>;

function ParameterField({ parameter, text, set_text, error }: { parameter: Parameter; text: string; set_text: (text: string) => void; error: string | undefined }) {
  const { name, type, choices, help, default: otherwise } = parameter;
  const hint = [help, expected(parameter), otherwise !== null && text !== written(otherwise) ? `default ${written(otherwise)}` : null].filter(Boolean).join("; ");
  if (choices.length > 0 || type === "boolean") {
    const all = choices.length > 0 ? choices.map(String) : ["true", "false"];
    return <Field name={name} hint={hint} error={error}><select className="num" value={text} onChange={(event) => set_text(event.target.value)}>{otherwise === null && <option value="">choose</option>}{all.map((one) => <option key={one}>{one}</option>)}</select></Field>;
  }
  return <Field name={name} hint={hint} error={error}><input className="num" inputMode={type === "string" ? "text" : "decimal"} value={text} aria-invalid={!!error} spellCheck={false} onChange={(event) => set_text(event.target.value)} /></Field>;
}
