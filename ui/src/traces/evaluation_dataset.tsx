// One evaluation dataset: what is known of it, and its records.
import { part } from "../api/client";
import { useGet, useList } from "../api/hooks";
import type { EvaluationDataset, EvaluationRecord } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { back_or, Link } from "../app/router";
import { Ago, Empty, Facts, Loaded, Problem } from "../parts/basics";
import { FillPage, Head } from "../parts/detail";
import { count } from "../parts/format";
import { DataTable, type Column } from "../parts/table";
import { ExperimentLink } from "./experiment_link";

const text = (value: unknown) => (value === null || value === undefined ? null : typeof value === "string" ? value : JSON.stringify(value));

const columns: Column<EvaluationRecord>[] = [
  { id: "inputs", name: "Inputs", width: 340, sortable: false, value: ({ inputs }) => text(inputs) },
  { id: "expectations", name: "Expected", width: 280, sortable: false, value: ({ expectations }) => text(expectations) },
  { id: "outputs", name: "Outputs", width: 240, sortable: false, value: ({ outputs }) => text(outputs) },
  { id: "source", name: "From", width: 130, sortable: false, value: ({ source }) => source?.type.toLowerCase() ?? null, cell: ({ source }) => source?.type === "TRACE" && source.id ? <Link to={`/traces/${part(source.id)}`}>trace</Link> : source?.type.toLowerCase() ?? "" },
  { id: "tags", name: "Tags", width: 180, sortable: false, hidden: true, value: ({ tags }) => text(tags) },
  { id: "updated_at", name: "Changed", width: 110, right: true, sortable: false, value: ({ updated_at }) => updated_at, cell: ({ updated_at }) => <Ago at={updated_at} /> },
];

export default function EvaluationDatasetPage({ id = "" }: Record<string, string>) {
  const api = `/api/v1/evaluation_datasets/${part(id)}`;
  const dataset = useGet<EvaluationDataset>(["evaluation_datasets", id], api);
  usePage([{ name: "Evaluation datasets", to: "/evaluation-datasets" }, { name: dataset.data?.name ?? id.slice(0, 12) }], [
    { what: "Show this dataset", curl: curl(api), python: python(api) },
    { what: "Its records", curl: curl(`${api}/records`), python: python(`${api}/records`) },
    { what: "Read it with mlflow", cli: `MLFLOW_TRACKING_URI=${location.origin} python -c "from mlflow.genai.datasets import get_dataset; print(get_dataset(dataset_id='${id}').to_df())"` },
  ]);
  useKeys([{ keys: "Escape", what: "Back to the datasets", run: () => back_or("/evaluation-datasets"), group: "This page" }]);
  return <FillPage><Loaded of={dataset} page>{(data) => <Body dataset={data} />}</Loaded></FillPage>;
}

function Body({ dataset }: { dataset: EvaluationDataset }) {
  const list = useList<EvaluationRecord>(["evaluation_datasets", dataset.id, "records"], `/api/v1/evaluation_datasets/${part(dataset.id)}/records`, "records");
  return (
    <>
      <Head title={dataset.name} />
      <Facts columns of={[
        ["Records", <span className="num">{count(dataset.records)}</span>],
        ["Experiments", dataset.experiments.length > 0 && <>{dataset.experiments.map((one, i) => <span key={one}>{i > 0 && ", "}<ExperimentLink id={one} /></span>)}</>],
        ["Changed", <Ago at={dataset.updated_at} />],
        ["Made", <Ago at={dataset.created_at} />],
        ["Made by", dataset.created_by],
        ...Object.entries(dataset.tags).filter(([key]) => !key.startsWith("mlflow.")),
      ]} />
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="evaluation_records" label="Records" primary rows={list.rows} columns={columns} row_key={({ id }) => id}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading} changing={list.changing}
        empty={<Empty>The dataset has no records yet.</Empty>}
      />
    </>
  );
}
