import { part } from "../api/client";
import { useList } from "../api/hooks";
import type { Deployment } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { Link } from "../app/router";
import { Ago, Empty, Problem, State } from "../parts/basics";
import { FillPage, Head } from "../parts/detail";
import { bytes, count, milliseconds, number, percent } from "../parts/format";
import { DataTable, type Column } from "../parts/table";

const columns: Column<Deployment>[] = [
  { id: "name", name: "Name", width: 180, value: ({ name }) => name, cell: ({ name }) => <Link to={`/deployments/${part(name)}`}>{name}</Link> },
  { id: "state", name: "State", width: 110, value: ({ state }) => state, cell: ({ state }) => <State of={state} /> },
  { id: "model", name: "Model", width: 200, value: ({ model, version }) => `${model} ${version ?? ""}`, cell: ({ model, version, alias }) => <><Link to={version ? `/models/${part(model)}/versions/${version}` : `/models/${part(model)}`}>{model} {version ?? ""}</Link>{alias && <span className="quiet"> by {alias}</span>}</> },
  { id: "rate", name: "Answers", unit: "/s", width: 110, right: true, value: ({ traffic }) => traffic.per_s, cell: ({ traffic }) => number(traffic.per_s) },
  { id: "p50", name: "p50", unit: "ms", width: 90, right: true, value: ({ traffic }) => traffic.p50_ms, cell: ({ traffic }) => milliseconds(traffic.p50_ms) },
  { id: "p99", name: "p99", unit: "ms", width: 90, right: true, value: ({ traffic }) => traffic.p99_ms, cell: ({ traffic }) => milliseconds(traffic.p99_ms) },
  { id: "errors", name: "Errors", width: 100, right: true, value: error_share, cell: (one) => (one.traffic.requests_total ? percent(error_share(one), 2) : "–") },
  { id: "requests", name: "Requests", width: 110, right: true, value: ({ traffic }) => traffic.requests_total, cell: ({ traffic }) => count(traffic.requests_total) },
  { id: "replicas", name: "Replicas", width: 90, right: true, value: ({ replicas }) => replicas.ready, cell: ({ replicas }) => `${replicas.ready} of ${Math.max(replicas.min, replicas.ready)}` },
  { id: "memory", name: "Memory", width: 100, right: true, value: ({ memory_bytes }) => memory_bytes, cell: ({ memory_bytes }) => bytes(memory_bytes) },
  { id: "created_at", name: "Created", width: 110, right: true, hidden: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
  { id: "message", name: "Message", width: 320, sortable: false, value: ({ message }) => message },
];
function error_share({ traffic }: Deployment) { return traffic.requests_total ? traffic.errors_total / traffic.requests_total : null; }

export default function Deployments() {
  const list = useList<Deployment>(["deployments", "list"], "/api/v1/deployments", "deployments", {}, { every_ms: 5_000 });
  usePage([{ name: "Deployments" }], [
    { what: "List the deployments", cli: "slipway deployments list", curl: curl("/api/v1/deployments"), python: python("/api/v1/deployments") },
    { what: "Deploy a model", cli: "slipway deploy digits", curl: curl("/api/v1/deployments", { method: "POST", json: { name: "digits", model: "model:digits@production" } }) },
  ]);
  return (
    <FillPage>
      <Head title="Deployments" />
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="deployments" label="Deployments" primary rows={list.rows} columns={columns} row_key={({ id }) => id} row_url={({ name }) => `/deployments/${part(name)}`}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading}
        empty={<Empty command="slipway deploy digits">Nothing is deployed. A model version answers over HTTP after:</Empty>}
      />
    </FillPage>
  );
}
