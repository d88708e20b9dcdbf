import { useList } from "../api/hooks";
import type { Pipeline, PipelineRun } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { Link, useParam } from "../app/router";
import { Ago, Empty, Problem, State } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { count } from "../parts/format";
import { DataTable, type Column } from "../parts/table";

const columns: Column<PipelineRun>[] = [
  { id: "pipeline", name: "Pipeline", width: 180, value: ({ pipeline }) => pipeline, cell: ({ id, pipeline }) => <Link to={`/pipelines/${id}`}>{pipeline}</Link> },
  { id: "state", name: "State", width: 110, value: ({ state }) => state, cell: ({ state }) => <State of={state} /> },
  { id: "nodes", name: "Nodes", width: 90, right: true, value: ({ nodes }) => nodes.length, cell: ({ nodes }) => `${nodes.filter(({ state }) => state === "finished").length} of ${nodes.length}` },
  { id: "hits", name: "From cache", width: 96, right: true, value: ({ nodes }) => nodes.filter(({ cache }) => cache === "hit").length, cell: ({ nodes }) => count(nodes.filter(({ cache }) => cache === "hit").length) },
  { id: "now", name: "At", width: 320, sortable: false, value: at },
  { id: "member", name: "Member", width: 100, value: ({ member, reason }) => member || reason },
  { id: "created_at", name: "Started", width: 110, right: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
  { id: "id", name: "Id", width: 240, hidden: true, value: ({ id }) => id, cell: ({ id }) => <code>{id}</code> },
];

/// What it is doing, or what stopped it.
function at({ nodes }: PipelineRun) {
  const node = nodes.find(({ state }) => state === "failed" || state === "refused") ?? nodes.find(({ state }) => state === "running");
  return node ? `${node.name}${node.message ? `: ${node.message}` : ""}` : null;
}

export default function Pipelines() {
  const [name, set_name] = useParam("pipeline");
  const pipelines = useList<Pipeline>(["pipelines", "list", "names"], "/api/v1/pipelines", "pipelines");
  const list = useList<PipelineRun>(["pipelines", "list"], "/api/v1/pipeline_runs", "pipeline_runs", { pipeline: name });
  const rows = name ? list.rows.filter(({ pipeline }) => pipeline === name) : list.rows;
  usePage([{ name: "Pipelines" }], [
    { what: "List the runs of pipelines", cli: "slipway pipelines list", curl: curl("/api/v1/pipeline_runs"), python: python("/api/v1/pipeline_runs") },
    { what: "Run the one of slipway.yaml", cli: "slipway pipelines run refresh" },
  ]);
  return (
    <FillPage>
      <Head title="Pipelines" />
      {pipelines.rows.length > 1 && <Bar><select aria-label="Pipeline" value={name} onChange={(event) => set_name(event.target.value)}><option value="">All pipelines</option>{pipelines.rows.map((one) => <option key={one.name} value={one.name}>{one.name} ({one.run_count})</option>)}</select></Bar>}
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="pipelines" label="Runs of pipelines" primary rows={rows} columns={columns} row_key={({ id }) => id} row_url={({ id }) => `/pipelines/${id}`}
        total={name ? rows.length : list.total} more={list.more} load_more={list.load_more} loading={list.loading}
        empty={<Empty command="slipway pipelines run refresh">No pipeline has run. One that is written in slipway.yaml starts with:</Empty>}
      />
    </FillPage>
  );
}
