import { useList } from "../api/hooks";
import type { Dataset } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { Link } from "../app/router";
import { Ago, Empty, Problem, Tag } from "../parts/basics";
import { FillPage, Head } from "../parts/detail";
import { bytes, count } from "../parts/format";
import { DataTable, type Column } from "../parts/table";

const columns: Column<Dataset>[] = [
  { id: "name", name: "Name", width: 220, value: ({ name }) => name, cell: ({ name }) => <Link to={`/datasets/${encodeURIComponent(name)}`}>{name}</Link> },
  { id: "branches", name: "Branches", width: 240, value: ({ branches }) => branches.map(({ name }) => name).join(" "), cell: ({ branches }) => <span className="row" style={{ flexWrap: "nowrap", gap: 4, height: 29 }}>{branches.map(({ name }) => <Tag key={name}>{name}</Tag>)}</span> },
  { id: "samples", name: "Samples", width: 110, right: true, value: ({ sample_count }) => sample_count, cell: ({ sample_count }) => count(sample_count) },
  { id: "bytes", name: "Size", width: 110, right: true, value: ({ bytes: size }) => size, cell: ({ bytes: size }) => bytes(size) },
  { id: "changed", name: "Changed", width: 120, right: true, value: changed, cell: (dataset) => <Ago at={changed(dataset)} /> },
  { id: "created_at", name: "Created", width: 120, right: true, hidden: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
  { id: "description", name: "Description", width: 420, value: ({ description }) => description },
];

function changed({ branches, created_at }: Dataset) {
  return branches.reduce((latest, { updated_at }) => (updated_at > latest ? updated_at : latest), created_at);
}

export default function Datasets() {
  const list = useList<Dataset>(["datasets", "list"], "/api/v1/datasets", "datasets");
  usePage([{ name: "Data" }], [
    { what: "List the datasets", cli: "slipway data list", curl: curl("/api/v1/datasets"), python: python("/api/v1/datasets") },
    { what: "Add a folder of files", cli: "slipway data add digits images/ --branch main" },
  ]);
  return (
    <FillPage>
      <Head title="Data"><Link to="/new/dataset" className="button primary">Add a dataset</Link></Head>
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="datasets" label="Datasets" primary rows={list.rows} columns={columns} row_key={({ id }) => id} row_url={({ name }) => `/datasets/${encodeURIComponent(name)}`}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading}
        empty={<Empty command="slipway data add digits images/ --branch main">There is no dataset yet. A folder of files becomes one, with every version kept: <Link to="/new/dataset">add one here</Link>, or</Empty>}
      />
    </FillPage>
  );
}
