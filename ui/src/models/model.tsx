// One model: where its aliases point, its versions, and how the aliases moved.
import { useState } from "react";
import { part } from "../api/client";
import { useGet, useList } from "../api/hooks";
import type { AliasChange, Deployment, Model, Version } from "../api/types";
import { useBack } from "../app/keys";
import { curl, python, quoted, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link } from "../app/router";
import { Ago, Empty, Facts, Loaded, State, Tag } from "../parts/basics";
import { Columns, Head, ScrollPage, Section } from "../parts/detail";
import { Edit } from "../parts/edit";
import { percent, short_id } from "../parts/format";
import { DataTable, type Column } from "../parts/table";
import { AliasDialog } from "./alias";
import { DeployDialog } from "./deploy";

const version_url = (model: string, version: number) => `/models/${part(model)}/versions/${version}`;

export default function ModelPage({ name = "" }: Record<string, string>) {
  const api = `/api/v1/models/${part(name)}`;
  const model = useGet<Model>(["models", name, "record"], api);
  usePage([{ name: "Models", to: "/models" }, { name }], [
    { what: "Show this model", cli: `slipway models show ${quoted(name)}`, curl: curl(api), python: `import mlflow\n\nmlflow.set_tracking_uri("${server_url()}")\nmodel = mlflow.pyfunc.load_model("models:/${name}@production")` },
    { what: "Move an alias", cli: `slipway models alias ${quoted(name)} production 2`, curl: curl(`${api}/aliases/production`, { method: "PUT", json: { version: 2 } }), python: python(`${api}/aliases/production`, { method: "PUT", json: { version: 2 } }) },
    { what: "Deploy it", cli: `slipway deploy ${quoted(name)}` },
  ]);
  useBack("/models");
  return <ScrollPage><Loaded of={model} page>{(data) => <Body model={data} />}</Loaded></ScrollPage>;
}

function Body({ model }: { model: Model }) {
  const [asking, set_asking] = useState<"alias" | "deploy" | null>(null);
  const versions = useList<Version>(["models", model.name, "versions"], `/api/v1/models/${part(model.name)}/versions`, "versions");
  const history = useGet<{ history: AliasChange[] }>(["models", model.name, "history"], `/api/v1/models/${part(model.name)}/history`);
  const deployments = useGet<{ deployments: Deployment[] }>(["deployments", "list", "all"], "/api/v1/deployments?page_size=1000");
  const where = deployments.data?.deployments.filter(({ model: of }) => of === model.name) ?? [];
  const columns: Column<Version>[] = [
    { id: "version", name: "Version", width: 80, right: true, value: ({ version }) => version, cell: ({ version }) => <Link to={version_url(model.name, version)}>{version}</Link> },
    { id: "status", name: "State", width: 100, value: ({ status }) => status, cell: ({ status }) => <State of={status} /> },
    { id: "aliases", name: "Aliases", width: 200, value: ({ aliases }) => aliases.join(" "), cell: ({ aliases }) => <span className="row" style={{ gap: 4, flexWrap: "nowrap", height: 29 }}>{aliases.map((alias) => <Tag key={alias}>{alias}</Tag>)}</span> },
    { id: "result", name: "Last evaluation", width: 180, right: true, sortable: false, value: ({ evaluations }) => evaluations[0]?.name ?? null, cell: ({ evaluations }) => { const last = evaluations[0]; const [metric, estimate] = Object.entries(last?.metrics ?? {})[0] ?? []; return last ? <Link to={`/evaluations/${last.id}`}>{metric && estimate ? `${metric} ${percent(estimate.value)}` : last.name}</Link> : <span className="quiet">–</span>; } },
    { id: "created_at", name: "Created", width: 110, right: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
    { id: "created_by", name: "By", width: 90, value: ({ created_by }) => created_by },
    { id: "run", name: "Run", width: 110, value: ({ run_id }) => run_id, cell: ({ run_id }) => (run_id ? <Link to={`/runs/${run_id}`}><code>{short_id(run_id)}</code></Link> : <span className="quiet">–</span>) },
    { id: "description", name: "Description", width: 320, value: ({ description }) => description },
  ];
  return (
    <>
      <Head title={model.name}>
        <Edit what={model.name} path={`/api/v1/models/${part(model.name)}`} nouns={["models"]} value={{ description: model.description, tags: model.tags }} />
        <button type="button" onClick={() => set_asking("alias")} disabled={!model.latest_version}>Move an alias</button>
        <button type="button" className="primary" onClick={() => set_asking("deploy")} disabled={!model.latest_version}>Deploy</button>
      </Head>
      {model.description && <p>{model.description}</p>}
      <Columns>
        <Section title="Aliases">
          {Object.keys(model.aliases).length === 0 ? <Empty command={`slipway models alias ${model.name} production ${model.latest_version ?? 1}`}>No alias points anywhere yet.</Empty>
            : <Facts of={Object.entries(model.aliases).map(([alias, version]) => [alias, <Link to={version_url(model.name, version)}>version {version}</Link>])} />}
        </Section>
        <Section title="Where it answers">
          {where.length === 0 ? <Empty command={`slipway deploy ${model.name}`}>No deployment answers with this model.</Empty>
            : <ul>{where.map((one) => <li key={one.id} className="row" style={{ minHeight: 28 }}><Link to={`/deployments/${part(one.name)}`}>{one.name}</Link><State of={one.state} /><span className="quiet">version {one.version ?? "none yet"}{one.alias ? ` by ${one.alias}` : ""}</span></li>)}</ul>}
        </Section>
      </Columns>
      <Section title="Versions">
        <DataTable
          name="versions" label="Versions" primary height={Math.min(420, 92 + 30 * Math.max(versions.rows.length, 2))} rows={versions.rows} columns={columns} row_key={({ version }) => String(version)} row_url={({ version }) => version_url(model.name, version)}
          total={versions.total} more={versions.more} load_more={versions.load_more} loading={versions.loading} empty={<Empty>No version yet.</Empty>}
        />
      </Section>
      <Section title="How the aliases moved">
        <Loaded of={history}>
          {({ history: all }) => all.length === 0 ? <p className="quiet">They have not.</p> : (
            <ol className="stack">
              {all.map((one, i) => <li key={i} className="row"><span className="quiet" style={{ width: 96 }}><Ago at={one.at} /></span><Tag>{one.alias}</Tag><span className="num">{one.from_version ?? "none"} → {one.to_version ?? "none"}</span><span className="quiet">{one.member}</span>{one.reason && <span>{one.reason}</span>}</li>)}
            </ol>
          )}
        </Loaded>
      </Section>
      {asking === "alias" && <AliasDialog model={model} versions={versions.rows} onClose={() => set_asking(null)} />}
      {asking === "deploy" && <DeployDialog model={model} onClose={() => set_asking(null)} />}
    </>
  );
}
