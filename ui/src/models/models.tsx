import { part } from "../api/client";
import { useList } from "../api/hooks";
import type { Model } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link } from "../app/router";
import { Ago, Empty, Problem, Tag } from "../parts/basics";
import { FillPage, Head } from "../parts/detail";
import { DataTable, type Column } from "../parts/table";

const columns: Column<Model>[] = [
  { id: "name", name: "Name", width: 220, value: ({ name }) => name, cell: ({ name }) => <Link to={`/models/${part(name)}`}>{name}</Link> },
  { id: "latest", name: "Latest version", width: 120, right: true, value: ({ latest_version }) => latest_version },
  { id: "versions", name: "Versions", width: 100, right: true, value: ({ versions_count }) => versions_count },
  { id: "aliases", name: "Aliases", width: 300, value: ({ aliases }) => Object.keys(aliases).join(" "), cell: ({ aliases }) => <span className="row" style={{ gap: 4, flexWrap: "nowrap", height: 29 }}>{Object.entries(aliases).map(([alias, version]) => <Tag key={alias}>{alias} → {version}</Tag>)}</span> },
  { id: "updated_at", name: "Changed", width: 120, right: true, value: ({ updated_at }) => updated_at, cell: ({ updated_at }) => <Ago at={updated_at} /> },
  { id: "description", name: "Description", width: 400, value: ({ description }) => description },
];

export default function Models() {
  const list = useList<Model>(["models", "list"], "/api/v1/models", "models");
  usePage([{ name: "Models" }], [
    { what: "List the models", cli: "slipway models list", curl: curl("/api/v1/models"), python: python("/api/v1/models") },
    { what: "Register one", python: `import mlflow\n\nmlflow.set_tracking_uri("${server_url()}")\nmlflow.register_model("runs:/RUN/model", "digits")` },
  ]);
  return (
    <FillPage>
      <Head title="Models" />
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="models" label="Models" primary rows={list.rows} columns={columns} row_key={({ id }) => id} row_url={({ name }) => `/models/${part(name)}`}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading}
        empty={<Empty command={`mlflow.register_model("runs:/RUN/model", "digits")`}>No model is registered. A step whose output names a model makes one; so does mlflow:</Empty>}
      />
    </FillPage>
  );
}
