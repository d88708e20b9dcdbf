// One version of a model: what it takes and gives, how well it does, its files, and where it came from.
import { useState } from "react";
import { part, parts } from "../api/client";
import { useGet } from "../api/hooks";
import type { Deployment, Model, Tensor, Version } from "../api/types";
import { useBack } from "../app/keys";
import { curl, python, quoted, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link, useParam } from "../app/router";
import { Ago, Empty, Facts, Loaded, State, Tag } from "../parts/basics";
import { Columns, Head, ScrollPage, Section } from "../parts/detail";
import { bytes } from "../parts/format";
import { Interval } from "../parts/interval";
import { percent } from "../parts/format";
import { Edit } from "../parts/edit";
import { EvaluateDialog } from "../evaluations/evaluate";
import { AliasDialog } from "./alias";
import { DeployDialog } from "./deploy";
import { FilePreview } from "../runs/artifacts";
import css from "../runs/runs.module.css";

export default function VersionPage({ name = "", version = "" }: Record<string, string>) {
  const api = `/api/v1/models/${part(name)}/versions/${part(version)}`;
  const record = useGet<Version>(["models", name, "version", version], api);
  usePage([{ name: "Models", to: "/models" }, { name, to: `/models/${part(name)}` }, { name: `version ${version}` }], [
    { what: "Show this version", cli: `slipway models show ${quoted(name)}/${version}`, curl: curl(api), python: python(api) },
    { what: "Load it", python: `import mlflow\n\nmlflow.set_tracking_uri("${server_url()}")\nmodel = mlflow.pyfunc.load_model("models:/${name}/${version}")` },
    { what: "Evaluate it", cli: `slipway evaluate model:${name}/${version} dataset:NAME@test` },
  ]);
  useBack(`/models/${part(name)}`);
  return <ScrollPage><Loaded of={record} page>{(data) => <Body version={data} />}</Loaded></ScrollPage>;
}

function Body({ version }: { version: Version }) {
  const [file, set_file] = useParam("file");
  const [asking, set_asking] = useState<"evaluate" | "alias" | "deploy" | null>(null);
  const model = useGet<Model>(["models", version.model, "record"], `/api/v1/models/${part(version.model)}`);
  const close = () => set_asking(null);
  const deployments = useGet<{ deployments: Deployment[] }>(["deployments", "list", "all"], "/api/v1/deployments?page_size=1000");
  const where = deployments.data?.deployments.filter((one) => one.model === version.model && one.version === version.version) ?? [];
  const chosen = version.files.find(({ path }) => path === file);
  return (
    <>
      <Head title={<>{version.model} version {version.version}</>} state={<><State of={version.status} />{version.aliases.map((alias) => <Tag key={alias}>{alias}</Tag>)}</>}>
        <Edit what={`version ${version.version}`} path={`/api/v1/models/${part(version.model)}/versions/${version.version}`} nouns={["models"]} value={{ description: version.description, tags: version.tags }} />
        <button type="button" onClick={() => set_asking("evaluate")}>Evaluate</button>
        <button type="button" disabled={!model.data} onClick={() => set_asking("alias")}>Move an alias here</button>
        <button type="button" className="primary" disabled={!model.data} onClick={() => set_asking("deploy")}>Deploy</button>
      </Head>
      {version.description && <p>{version.description}</p>}
      <Columns>
        <Section title="Evaluations">
          {version.evaluations.length === 0 ? <Empty command={`slipway evaluate model:${version.model}/${version.version} dataset:NAME@test`}>Not evaluated yet.</Empty> : (
            <ul className="stack">
              {version.evaluations.map((one) => (
                <li key={one.id} className="row">
                  <Link to={`/evaluations/${one.id}`}>{one.name}</Link><span className="grow" />
                  {Object.entries(one.metrics ?? {}).slice(0, 1).map(([metric, estimate]) => <span key={metric} className="row"><span className="quiet">{metric}</span><span className="num">{percent(estimate.value)}</span><Interval marks={[estimate]} from={0} to={1} width={120} /></span>)}
                </li>
              ))}
            </ul>
          )}
        </Section>
        <Section title="About">
          <Facts of={[
            ["Created", <><Ago at={version.created_at} />{version.created_by && ` by ${version.created_by}`}</>],
            ["Run", version.run_id ? <Link to={`/runs/${version.run_id}`}>{version.run_id}</Link> : null],
            ["Answers as", where.length ? where.map((one) => <Link key={one.id} to={`/deployments/${part(one.name)}`}>{one.name} </Link>) : "not deployed"],
            ["Labels", version.labels ? version.labels.slice(0, 40).join(", ") + (version.labels.length > 40 ? ` and ${version.labels.length - 40} more` : "") : null],
            ["Preprocessing", version.preprocess ? <code>{JSON.stringify(version.preprocess)}</code> : null],
            ...Object.entries(version.tags).map(([key, value]): [string, React.ReactNode] => [key, value]),
          ]} />
        </Section>
      </Columns>
      <Section title="What it takes and gives"><Schema inputs={version.inputs} outputs={version.outputs} /></Section>
      <Section title="Files">
        {version.files.length === 0 ? <p className="quiet">No files.</p> : (
          <div className={css.artifacts}>
            <ul>{version.files.map((one) => <li key={one.path}><button type="button" className="plain" aria-pressed={one.path === file} onClick={() => set_file(one.path)}><span className="clip">{one.path}</span><span className="num quiet">{bytes(one.size)}</span></button></li>)}</ul>
            {chosen ? <FilePreview key={chosen.path} href={`/api/v1/models/${part(version.model)}/versions/${version.version}/files/${parts(chosen.path)}`} path={chosen.path} size={chosen.size} hash={chosen.hash} /> : <p className="quiet">Choose a file to look into it.</p>}
          </div>
        )}
      </Section>
      {asking === "evaluate" && <EvaluateDialog of={{ model: version.model, version: version.version }} onClose={close} />}
      {asking === "alias" && model.data && <AliasDialog model={model.data} versions={[version]} wanted={version.version} onClose={close} />}
      {asking === "deploy" && model.data && <DeployDialog model={model.data} wanted={version.version} onClose={close} />}
    </>
  );
}

export function Schema({ inputs, outputs }: { inputs: Tensor[]; outputs: Tensor[] }) {
  if (inputs.length + outputs.length === 0) return <p className="quiet">This version declares no tensors.</p>;
  const rows = [...inputs.map((tensor) => ["input", tensor] as const), ...outputs.map((tensor) => ["output", tensor] as const)];
  return (
    <div className={css.over}>
      <table className={css.values} style={{ maxWidth: 720 }}>
        <thead><tr><th>Side</th><th>Tensor</th><th>Type</th><th>Shape</th></tr></thead>
        <tbody>{rows.map(([side, tensor]) => <tr key={side + tensor.name}><td className="quiet">{side}</td><td>{tensor.name}</td><td className="num">{tensor.datatype}</td><td className="num">{tensor.shape.map((size) => (size < 0 ? "any" : size)).join(" × ")}</td></tr>)}</tbody>
      </table>
    </div>
  );
}
