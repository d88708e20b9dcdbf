// What language applications are judged on: the evaluation datasets of the project or of one experiment.
import { part, url } from "../api/client";
import { useGet, useList } from "../api/hooks";
import type { EvaluationDataset, Experiment } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link, useParam } from "../app/router";
import { Ago, Empty, Problem } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { FilterBox } from "../parts/filter";
import { count } from "../parts/format";
import { DataTable, type Column, type Sort } from "../parts/table";

const kWords = ["name", "created_time", "last_update_time", "created_by", "last_updated_by", "tags.", "and", "like", "ilike", "in", "is null", "is not null"];
const kOrders: Record<string, string> = { name: "name", created_at: "created_time", updated_at: "last_update_time" };

const tags_of = ({ tags }: EvaluationDataset) => Object.entries(tags).filter(([key]) => !key.startsWith("mlflow.")).map(([key, value]) => `${key}: ${value}`).join(", ");

const columns: Column<EvaluationDataset>[] = [
  { id: "name", name: "Dataset", width: 260, value: ({ name }) => name, cell: ({ id, name }) => <Link to={`/evaluation-datasets/${part(id)}`}>{name}</Link> },
  { id: "records", name: "Records", width: 90, right: true, sortable: false, value: ({ records }) => records, cell: ({ records }) => count(records) },
  { id: "fields", name: "Inputs", width: 260, sortable: false, value: ({ fields }) => Object.keys((fields?.["inputs"] ?? {}) as object).join(", ") },
  { id: "tags", name: "Tags", width: 220, sortable: false, value: tags_of },
  { id: "created_by", name: "Made by", width: 120, sortable: false, value: ({ created_by }) => created_by },
  { id: "updated_at", name: "Changed", width: 110, right: true, value: ({ updated_at }) => updated_at, cell: ({ updated_at }) => <Ago at={updated_at} /> },
  { id: "created_at", name: "Made", width: 110, right: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
];

export default function EvaluationDatasets() {
  const [experiment, set_experiment] = useParam("experiment");
  const [filter, set_filter] = useParam("filter");
  const [order, set_order] = useParam("order", "created_at desc");
  const [column = "created_at", direction = "desc"] = order.split(" ");
  const sort: Sort = { id: column, desc: direction === "desc" };
  const query = { experiment, filter, order_by: `${kOrders[column] ?? "created_time"} ${direction}` };
  const list = useList<EvaluationDataset>(["evaluation_datasets", "list"], "/api/v1/evaluation_datasets", "evaluation_datasets", query);
  const experiments = useGet<{ experiments: Experiment[] }>(["experiments", "list", "all"], "/api/v1/experiments?page_size=1000");
  const refused = list.error && list.error.status >= 400 && list.error.status < 500 && filter !== "";
  const api = url("/api/v1/evaluation_datasets", query);
  usePage([{ name: "Traces", to: "/traces" }, { name: "Evaluation datasets" }], [{ what: "List these datasets", curl: curl(api), python: python(api) }]);
  return (
    <FillPage>
      <Head title="Evaluation datasets"><Link to="/scorers">Scorers</Link></Head>
      <Bar>
        <select aria-label="Experiment" value={experiment} onChange={(event) => set_experiment(event.target.value)}><option value="">All experiments</option>{experiments.data?.experiments.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}</select>
        <FilterBox value={filter} on_change={set_filter} words={kWords} error={list.error} placeholder="tags.stage = 'late' and name like 'questions%'" />
      </Bar>
      {list.error && !refused && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="evaluation_datasets" label="Evaluation datasets" primary rows={list.rows} columns={columns} row_key={({ id }) => id} row_url={({ id }) => `/evaluation-datasets/${part(id)}`}
        sort={sort} on_sort={(next) => set_order(next ? `${next.id} ${next.desc ? "desc" : "asc"}` : null)}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading} changing={list.changing}
        empty={<Empty command={`MLFLOW_TRACKING_URI=${server_url()} python -c "from mlflow.genai.datasets import create_dataset; create_dataset('questions').merge_records([{'inputs': {'question': 'why?'}}])"`}>{filter || experiment ? "No dataset passes the filter." : "There is no evaluation dataset yet. mlflow.genai.datasets makes them:"}</Empty>}
      />
    </FillPage>
  );
}
