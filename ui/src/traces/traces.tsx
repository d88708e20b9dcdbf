// The traces of a project or of one experiment: what was asked, what came, how long it took, what was said of it.
import { part, url } from "../api/client";
import { useGet, useList } from "../api/hooks";
import type { Experiment, Trace } from "../api/types";
import { curl, python, quoted, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link, useParam } from "../app/router";
import { Ago, Empty, Problem, State } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { FilterBox } from "../parts/filter";
import { milliseconds } from "../parts/format";
import { DataTable, type Column, type Sort } from "../parts/table";
import { AssessmentMark } from "./assessments";
import { tokens_of } from "./tokens";

const kWords = ["status", "name", "timestamp_ms", "execution_time_ms", "request_id", "client_request_id", "run_id", "text", "tags.", "metadata.", "span.name", "span.type", "span.status", "span.attributes.", "feedback.", "expectation.", "and", "like", "ilike", "rlike", "in", "is null", "is not null"];
const kOrders: Record<string, string> = { started_at: "timestamp_ms", duration_ms: "execution_time_ms", state: "status", name: "name" };

/// In words: "ok", "error", "running" while it goes on.
export const state_of = ({ state }: Trace) => (state === "in_progress" ? "running" : state === "state_unspecified" ? "unknown" : state);

const columns: Column<Trace>[] = [
  { id: "name", name: "Trace", width: 190, value: ({ name, id }) => name || id, cell: (trace) => <Link to={`/traces/${part(trace.id)}`}>{trace.name || trace.id}</Link> },
  { id: "state", name: "State", width: 96, value: state_of, cell: (trace) => <State of={state_of(trace)} /> },
  { id: "request", name: "Asked", width: 320, sortable: false, value: ({ request_preview }) => request_preview },
  { id: "response", name: "Answered", width: 260, sortable: false, value: ({ response_preview }) => response_preview },
  { id: "duration_ms", name: "Took", width: 90, right: true, value: ({ duration_ms }) => duration_ms, cell: ({ duration_ms }) => milliseconds(duration_ms) },
  { id: "tokens", name: "Tokens", width: 80, right: true, sortable: false, value: (trace) => tokens_of(trace)?.total ?? null },
  { id: "assessments", name: "Assessed", width: 200, sortable: false, value: ({ assessments }) => assessments.length, cell: ({ assessments }) => <>{assessments.filter(({ valid }) => valid).slice(0, 3).map((one) => <AssessmentMark key={one.id} of={one} />)}</> },
  { id: "session", name: "Session", width: 120, hidden: true, sortable: false, value: ({ metadata }) => metadata["mlflow.trace.session"] ?? null },
  { id: "started_at", name: "Started", width: 106, right: true, value: ({ started_at }) => started_at, cell: ({ started_at }) => <Ago at={started_at} /> },
];

export default function Traces() {
  const [experiment, set_experiment] = useParam("experiment");
  const [filter, set_filter] = useParam("filter");
  const [order, set_order] = useParam("order", "started_at desc");
  const [column = "started_at", direction = "desc"] = order.split(" ");
  const sort: Sort = { id: column, desc: direction === "desc" };
  const query = { experiment, filter, order_by: `${kOrders[column] ?? "timestamp_ms"} ${direction}` };
  const list = useList<Trace>(["traces", "list"], "/api/v1/traces", "traces", query, { every_ms: 10_000 });
  const experiments = useGet<{ experiments: Experiment[] }>(["experiments", "list", "all"], "/api/v1/experiments?page_size=1000");
  const refused = list.error && list.error.status >= 400 && list.error.status < 500 && filter !== "";
  const api = url("/api/v1/traces", query);
  usePage([{ name: "Traces" }], [
    { what: "List these traces", curl: curl(api), python: python(api) },
    { what: "Send spans from any OpenTelemetry exporter", cli: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=${quoted(`${server_url()}/v1/traces`)}` },
  ]);
  return (
    <FillPage>
      <Head title="Traces"><Link to="/evaluation-datasets">Evaluation datasets</Link><Link to="/scorers">Scorers</Link></Head>
      <Bar>
        <select aria-label="Experiment" value={experiment} onChange={(event) => set_experiment(event.target.value)}><option value="">All experiments</option>{experiments.data?.experiments.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}</select>
        <FilterBox value={filter} on_change={set_filter} words={kWords} error={list.error} placeholder="status = 'ERROR' and span.type = 'LLM' and execution_time_ms > 500" />
      </Bar>
      {list.error && !refused && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="traces" label="Traces" primary rows={list.rows} columns={columns} row_key={({ id }) => id} row_url={({ id }) => `/traces/${part(id)}`}
        sort={sort} on_sort={(next) => set_order(next ? `${next.id} ${next.desc ? "desc" : "asc"}` : null)}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading} changing={list.changing}
        empty={<Empty command={`MLFLOW_TRACKING_URI=${server_url()} python -c "import mlflow; mlflow.trace(lambda x: x)(1)"`}>{filter || experiment ? "No trace passes the filter." : "No trace has come yet. mlflow.trace and any OpenTelemetry exporter send them here:"}</Empty>}
      />
    </FillPage>
  );
}
