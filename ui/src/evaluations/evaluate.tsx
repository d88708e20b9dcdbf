// Asks one version about every sample of a dataset: which, how it is scored, and by what it is sliced.
import { useState } from "react";
import { part } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { Dataset, Evaluation, Model, Sample } from "../api/types";
import { quoted } from "../app/page";
import { Link, navigate } from "../app/router";
import { Command, Dialog, Empty, Field } from "../parts/basics";
import { parse_slices } from "./slices";

/// `of`: the version; without it the dialog asks for one.
export function EvaluateDialog({ of, onClose }: { of?: { model: string; version: number }; onClose: () => void }) {
  const datasets = useGet<{ datasets: Dataset[] }>(["datasets", "list", "all"], "/api/v1/datasets?page_size=1000");
  const models = useGet<{ models: Model[] }>(["models", "list", "all"], "/api/v1/models?page_size=1000", { enabled: !of });
  const [model, set_model] = useState("");
  const [dataset, set_dataset] = useState("");
  const [task, set_task] = useState("classification");
  const [by, set_by] = useState<string[]>([]);
  const [slices, set_slices] = useState("");
  const offered = of ? [`model:${of.model}/${of.version}`] : (models.data?.models ?? []).flatMap(({ name, latest_version, aliases }) => [...(latest_version ? [`model:${name}/${latest_version}`] : []), ...Object.keys(aliases).map((alias) => `model:${name}@${alias}`)]);
  const asked = model || offered[0] || "";
  const choices = datasets.data?.datasets.flatMap(({ name, branches }) => branches.map((branch) => `dataset:${name}@${branch.name}`)) ?? [];
  const chosen = dataset || choices.find((one) => one.endsWith("@test")) || choices[0] || "";
  const attributes = useAttributes(chosen);
  const slice_by = by.filter((one) => attributes.includes(one));
  const parsed = parse_slices(slices);
  const evaluate = useSend<Evaluation>(["evaluations", "runs"], () => ["POST", "/api/v1/evaluations", { model: asked, dataset: chosen, task, slices: parsed, slice_by }]);
  if (models.data && offered.length === 0) return <Dialog title="Evaluate a version" onClose={onClose}><Empty>There is no model version yet. A step whose output names a model makes one: <Link to="/new/run">start a run</Link>.</Empty></Dialog>;
  if (datasets.data && choices.length === 0) return <Dialog title="Evaluate a version" onClose={onClose}><Empty>There is no dataset to ask about. <Link to="/new/dataset">Add one</Link>.</Empty></Dialog>;
  return (
    <Dialog title={of ? `Evaluate ${of.model} version ${of.version}` : "Evaluate a version"} onClose={onClose}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); evaluate.mutate(undefined, { onSuccess: ({ id }) => { onClose(); navigate(`/evaluations/${id}`); } }); }}>
        {!of && <Field name="Version"><select value={asked} onChange={(event) => set_model(event.target.value)}>{offered.map((one) => <option key={one} value={one}>{one.slice(6)}</option>)}</select></Field>}
        <Field name="On the samples of"><select value={chosen} onChange={(event) => set_dataset(event.target.value)}>{choices.map((one) => <option key={one} value={one}>{one.slice(8)}</option>)}</select></Field>
        <Field name="Task"><select value={task} onChange={(event) => set_task(event.target.value)}><option>classification</option><option>segmentation</option></select></Field>
        {attributes.length > 0 && (
          <div className="row" role="group" aria-label="A slice for each value of">
            <span className="quiet">A slice for each value of</span>
            {attributes.map((one) => <label key={one}><input type="checkbox" checked={by.includes(one)} onChange={() => set_by(by.includes(one) ? by.filter((other) => other !== one) : [...by, one])} /> {one}</label>)}
          </div>
        )}
        <Field name="Slices" hint="One per line: name: query, for example thick: thickness > 3"><textarea rows={4} className="num" value={slices} onChange={(event) => set_slices(event.target.value)} /></Field>
        {evaluate.error && <p role="alert">{evaluate.error.message}</p>}
        <Command text={[`slipway evaluate ${quoted(asked)} ${quoted(chosen)}`, task === "classification" ? "" : `--task ${task}`, ...slice_by.map((one) => `--slice-by ${quoted(one)}`), ...Object.entries(parsed).map(([name, query]) => `--slice ${quoted(`${name}=${query}`)}`)].filter(Boolean).join(" ")} />
        <div><button type="submit" className="primary" disabled={!chosen || !asked || evaluate.isPending}>Evaluate</button></div>
      </form>
    </Dialog>
  );
}

/// What the first samples of "dataset:NAME@BRANCH" are described by, and their label.
function useAttributes(reference: string): string[] {
  const [, name = "", branch = ""] = /^dataset:(.+)@(.+)$/.exec(reference) ?? [];
  const first = useGet<{ samples: Sample[] }>(["datasets", name, "samples", branch, "first"], `/api/v1/datasets/${part(name)}/commits/${part(branch)}/samples?page_size=20`, { enabled: !!name, keep: true });
  const samples = first.data?.samples ?? [];
  // A slice for each value makes sense for few values: numbers are for queries.
  const named = [...new Set(samples.flatMap(({ attributes }) => Object.entries(attributes).flatMap(([key, value]) => (typeof value === "number" ? [] : [key]))))];
  return [...(samples.some(({ label }) => typeof label === "string") ? ["label"] : []), ...named.filter((one) => one !== "label")];
}
