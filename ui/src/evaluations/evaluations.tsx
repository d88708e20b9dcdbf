import { useMemo, useState } from "react";
import { part } from "../api/client";
import { useList } from "../api/hooks";
import type { Evaluation } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { Link, navigate, useListParam, useParam } from "../app/router";
import { Ago, Empty, Problem, State } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { count, percent, short_id } from "../parts/format";
import { Interval, span_of } from "../parts/interval";
import { DataTable, type Column } from "../parts/table";
import { EvaluateDialog } from "./evaluate";
import { first_metric } from "./metric";

const columns_of = ([from, to]: [number, number]): Column<Evaluation>[] => [
  { id: "name", name: "Name", width: 200, value: ({ name }) => name, cell: ({ id, name }) => <Link to={`/evaluations/${id}`}>{name || short_id(id)}</Link> },
  { id: "state", name: "State", width: 104, value: ({ state }) => state, cell: ({ state }) => <State of={state} /> },
  { id: "model", name: "Model", width: 140, value: ({ model, version }) => `${model} ${version}`, cell: ({ model, version }) => <Link to={`/models/${part(model)}/versions/${version}`}>{model} {version}</Link> },
  { id: "dataset", name: "Samples of", width: 160, value: ({ dataset }) => dataset, cell: ({ dataset, commit_id }) => <Link to={`/datasets/${part(dataset)}/commits/${commit_id}`}>{dataset}@{short_id(commit_id)}</Link> },
  { id: "metric", name: "Metric", width: 96, value: (one) => first_metric(one.metrics)?.[0] ?? null },
  { id: "value", name: "Value", width: 86, right: true, value: (one) => first_metric(one.metrics)?.[1].value ?? null, cell: (one) => percent(first_metric(one.metrics)?.[1].value) },
  { id: "interval", name: `95 % interval, ${percent(from, 0)} to ${percent(to, 0)}`, width: 230, sortable: false, cell: (one) => { const found = first_metric(one.metrics); return found ? <span style={{ display: "flex", alignItems: "center", height: 29 }}><Interval marks={[found[1]]} from={from} to={to} /></span> : null; } },
  { id: "n", name: "Samples", width: 90, right: true, value: (one) => first_metric(one.metrics)?.[1].n ?? null, cell: (one) => count(first_metric(one.metrics)?.[1].n) },
  { id: "slices", name: "Slices", width: 76, right: true, value: ({ slices }) => slices.length },
  { id: "created_at", name: "Created", width: 110, right: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
];

export default function Evaluations() {
  const [model, set_model] = useParam("model");
  const [dataset, set_dataset] = useParam("dataset");
  const [selected, set_selected] = useListParam("selected");
  const list = useList<Evaluation>(["evaluations", "list"], "/api/v1/evaluations", "evaluations", { model, dataset });
  usePage([{ name: "Evaluations" }], [
    { what: "List the evaluations", cli: "slipway evaluations list", curl: curl("/api/v1/evaluations"), python: python("/api/v1/evaluations") },
    { what: "Evaluate a version", cli: "slipway evaluate model:digits/1 dataset:digits@test", curl: curl("/api/v1/evaluations", { method: "POST", json: { model: "model:digits/1", dataset: "dataset:digits@test", task: "classification" } }) },
  ]);
  const [evaluating, set_evaluating] = useState(false);
  const columns = useMemo(() => columns_of(span_of(list.rows.flatMap((one) => first_metric(one.metrics)?.[1] ?? []), { clamp: true })), [list.rows]);
  // The older one is the left side, whatever was selected first.
  const pair = list.rows.filter(({ id }) => selected.includes(id)).sort((a, b) => a.created_at.localeCompare(b.created_at));
  const compare = () => { if (pair.length === 2) navigate(`/evaluations/${pair[0]!.id}/compare/${pair[1]!.id}`); };
  useKeys([{ keys: "c", what: "Compare the two selected evaluations", run: compare, group: "Table" }]);
  return (
    <FillPage>
      <Head title="Evaluations"><button type="button" disabled={pair.length !== 2} onClick={compare}>Compare two</button><button type="button" className="primary" onClick={() => set_evaluating(true)}>Evaluate a version</button></Head>
      {(model || dataset) && <Bar>{model && <button type="button" className="small" onClick={() => set_model(null)}>model {model} ✕</button>}{dataset && <button type="button" className="small" onClick={() => set_dataset(null)}>dataset {dataset} ✕</button>}</Bar>}
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="evaluations" label="Evaluations" primary rows={list.rows} columns={columns} row_key={({ id }) => id} row_url={({ id }) => `/evaluations/${id}`} selected={selected} on_select={set_selected}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading}
        empty={<Empty command="slipway evaluate model:digits/1 dataset:digits@test">No version has been evaluated. This asks one about every sample and keeps each answer:</Empty>}
      />
      {evaluating && <EvaluateDialog onClose={() => set_evaluating(false)} />}
    </FillPage>
  );
}
