import { part } from "../api/client";
import { useList } from "../api/hooks";
import type { Finding } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { Link, useParam } from "../app/router";
import { Ago, Empty, Problem, State } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { number } from "../parts/format";
import { DataTable, type Column } from "../parts/table";
import { strength } from "./statistics";

const columns: Column<Finding>[] = [
  { id: "message", name: "What was noticed", width: 520, value: ({ message }) => message, cell: ({ id, message }) => <Link to={`/findings/${id}`}>{message}</Link> },
  { id: "kind", name: "Kind", width: 130, value: ({ kind }) => kind, cell: ({ kind }) => <State of={kind} /> },
  { id: "state", name: "State", width: 90, value: ({ state }) => state, cell: ({ state }) => <State of={state} /> },
  { id: "deployment", name: "Deployment", width: 120, value: ({ deployment }) => deployment, cell: ({ deployment }) => <Link to={`/deployments/${part(deployment)}`}>{deployment}</Link> },
  { id: "strength", name: "How strong", width: 180, value: ({ value, threshold }) => strength(value, threshold), sortable: false },
  { id: "value", name: "Value", width: 80, hidden: true, right: true, value: ({ value }) => value, cell: ({ value }) => number(value) },
  { id: "threshold", name: "Allowed", width: 80, hidden: true, right: true, value: ({ threshold }) => threshold, cell: ({ threshold }) => number(threshold) },
  { id: "version", name: "Version", width: 76, right: true, value: ({ version }) => version },
  { id: "created_at", name: "Since", width: 106, right: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
];

export default function Findings() {
  const [state, set_state] = useParam("state");
  const [deployment, set_deployment] = useParam("deployment");
  const list = useList<Finding>(["findings", "list"], "/api/v1/findings", "findings", { state, deployment });
  usePage([{ name: "Findings" }], [{ what: "List the findings", cli: "slipway findings list", curl: curl("/api/v1/findings"), python: python("/api/v1/findings") }]);
  return (
    <FillPage>
      <Head title="Findings" />
      <Bar>
        <select aria-label="State" value={state} onChange={(event) => set_state(event.target.value)}><option value="">Open and closed</option><option value="open">Open</option><option value="closed">Closed</option></select>
        {deployment && <button type="button" onClick={() => set_deployment(null)}>deployment {deployment} ✕</button>}
      </Bar>
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="findings" label="Findings" primary rows={list.rows} columns={columns} row_key={({ id }) => id} row_url={({ id }) => `/findings/${id}`}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading}
        empty={<Empty command="slipway findings list">The monitor has noticed nothing{state || deployment ? " of this kind" : ": no drift, no rise in errors, latency or unsure answers"}.</Empty>}
      />
    </FillPage>
  );
}
