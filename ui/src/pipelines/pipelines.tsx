// All pipelines: what starts the one that is chosen, and the runs, newest first.
import { part } from "../api/client";
import { useList } from "../api/hooks";
import type { Pipeline, PipelineRun } from "../api/types";
import { curl, python, quoted, usePage } from "../app/page";
import { Link, useParam } from "../app/router";
import { Ago, Empty, Problem, State } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { count } from "../parts/format";
import { Chosen } from "./chosen";
import { DataTable, type Column } from "../parts/table";

const columns: Column<PipelineRun>[] = [
  { id: "pipeline", name: "Pipeline", width: 140, value: ({ pipeline }) => pipeline, cell: ({ id, pipeline }) => <Link to={`/pipelines/${id}`}>{pipeline}</Link> },
  { id: "state", name: "State", width: 110, value: ({ state }) => state, cell: ({ state }) => <State of={state} /> },
  { id: "nodes", name: "Nodes", width: 90, right: true, value: ({ nodes }) => nodes.length, cell: ({ nodes }) => `${nodes.filter(({ state }) => state === "finished").length} of ${nodes.length}` },
  { id: "hits", name: "From cache", width: 96, right: true, value: ({ nodes }) => nodes.filter(({ cache }) => cache === "hit").length, cell: ({ nodes }) => count(nodes.filter(({ cache }) => cache === "hit").length) },
  { id: "now", name: "At", width: 220, sortable: false, value: at },
  { id: "reason", name: "Because", width: 320, value: ({ reason }) => reason || null },
  { id: "member", name: "Member", width: 100, value: ({ member }) => member || null },
  { id: "created_at", name: "Started", width: 110, right: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
  { id: "id", name: "Id", width: 240, hidden: true, value: ({ id }) => id, cell: ({ id }) => <code>{id}</code> },
];

/// What it is doing, or what stopped it.
function at({ nodes }: PipelineRun) {
  const node = nodes.find(({ state }) => state === "failed") ?? nodes.find(({ state }) => state === "running");
  return node ? `${node.name}${node.message ? `: ${node.message}` : ""}` : null;
}

export default function Pipelines() {
  const [name, set_name] = useParam("pipeline");
  const pipelines = useList<Pipeline>(["pipelines", "list", "names"], "/api/v1/pipelines", "pipelines");
  const list = useList<PipelineRun>(["pipelines", "list"], "/api/v1/pipeline_runs", "pipeline_runs", { pipeline: name });
  const chosen = pipelines.rows.find((one) => one.name === name) ?? (pipelines.rows.length === 1 ? pipelines.rows[0] : undefined);
  const its_name = chosen?.name ?? "refresh";
  const api = `/api/v1/pipelines/${part(its_name)}`;
  usePage([{ name: "Pipelines" }], [
    { what: "List the pipelines, and what starts them", cli: "slipway pipelines list", curl: curl("/api/v1/pipelines"), python: python("/api/v1/pipelines") },
    { what: "List the runs of pipelines", cli: "slipway pipelines runs", curl: curl("/api/v1/pipeline_runs"), python: python("/api/v1/pipeline_runs") },
    { what: "Run the one of slipway.yaml", cli: `slipway pipelines run ${quoted(its_name)}` },
    { what: "Run the stored one", cli: `slipway pipelines run ${quoted(its_name)} --stored`, curl: curl("/api/v1/pipeline_runs", { method: "POST", json: { pipeline: its_name } }) },
    { what: "Store it, and let its triggers start it", cli: `slipway pipelines enable ${quoted(its_name)}` },
    { what: "Start it only by hand", cli: `slipway pipelines disable ${quoted(its_name)}`, curl: curl(api, { method: "PATCH", json: { enabled: false } }) },
    { what: "See what its triggers wait for", cli: `slipway pipelines triggers ${quoted(its_name)}`, curl: curl(api), python: python(api) },
  ]);
  return (
    <FillPage>
      <Head title="Pipelines" />
      {pipelines.rows.length > 1 && <Bar><select aria-label="Pipeline" value={name} onChange={(event) => set_name(event.target.value)}><option value="">All pipelines</option>{pipelines.rows.map((one) => <option key={one.name} value={one.name}>{one.name} ({one.run_count})</option>)}</select></Bar>}
      {chosen && <Chosen pipeline={chosen} />}
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="pipelines" label="Runs of pipelines" primary rows={list.rows} columns={columns} row_key={({ id }) => id} row_url={({ id }) => `/pipelines/${id}`}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading}
        empty={<Empty command="slipway pipelines run refresh">No pipeline has run. One that is written in slipway.yaml starts with:</Empty>}
      />
    </FillPage>
  );
}
