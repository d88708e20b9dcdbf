// One dataset: its branches and the history of each.
import { useState } from "react";
import { part, url } from "../api/client";
import { useGet, useList, useSend } from "../api/hooks";
import type { Commit, Dataset } from "../api/types";
import { useBack } from "../app/keys";
import { curl, python, quoted, usePage } from "../app/page";
import { Link, useParam } from "../app/router";
import { Ago, Command, Dialog, Empty, Facts, Field, Loaded, notify, Tag } from "../parts/basics";
import { Columns, Head, ScrollPage, Section } from "../parts/detail";
import { Edit } from "../parts/edit";
import { bytes, count, counted, short_id } from "../parts/format";
import { DataTable, type Column } from "../parts/table";
import { commit_url } from "./links";

export default function DatasetPage({ name = "" }: Record<string, string>) {
  const dataset = useGet<Dataset>(["datasets", name, "record"], `/api/v1/datasets/${part(name)}`);
  usePage([{ name: "Data", to: "/datasets" }, { name }], [
    { what: "Show this dataset", cli: `slipway data show ${quoted(name)}`, curl: curl(`/api/v1/datasets/${part(name)}`), python: python(`/api/v1/datasets/${part(name)}`) },
    { what: "Get its files", cli: `slipway data get ${quoted(name)}@main FOLDER` },
    { what: "Add to it", cli: `slipway data add ${quoted(name)} images/ --branch main` },
  ]);
  useBack("/datasets");
  return <ScrollPage><Loaded of={dataset} page>{(data) => <Body dataset={data} />}</Loaded></ScrollPage>;
}

function Body({ dataset }: { dataset: Dataset }) {
  const [merging, set_merging] = useState(false);
  const [from, to] = [dataset.branches.find(({ name }) => name !== "main"), dataset.branches.find(({ name }) => name === "main")];
  return (
    <>
      <Head title={dataset.name}>
        <Edit what={dataset.name} path={`/api/v1/datasets/${part(dataset.name)}`} nouns={["datasets"]} value={{ description: dataset.description }} />
        <Link to={`/new/dataset?name=${part(dataset.name)}`} className="button">Add files</Link>
        {from && to && <Link className="button" to={`/datasets/${part(dataset.name)}/diff?from=main&to=${part(from.name)}`}>Compare branches</Link>}
        {from && to && <button type="button" onClick={() => set_merging(true)}>Merge a branch</button>}
      </Head>
      {dataset.description && <p>{dataset.description}</p>}
      <Columns>
        <Section title="Branches">
          {dataset.branches.length === 0 ? <Empty command={`slipway data add ${dataset.name} images/ --branch main`}>No branch yet: nothing has been committed.</Empty> : (
            <ul>
              {dataset.branches.map((branch) => (
                <li key={branch.name} className="row" style={{ minHeight: 30 }}>
                  <Link to={commit_url(dataset.name, branch.name)}>{branch.name}</Link>
                  <code className="quiet">{short_id(branch.commit_id)}</code><span className="grow" /><span className="quiet"><Ago at={branch.updated_at} /></span>
                </li>
              ))}
            </ul>
          )}
        </Section>
        <Section title="About">
          <Facts of={[["Samples", <span className="num">{count(dataset.sample_count)}</span>], ["Size", <span className="num">{bytes(dataset.bytes)}</span>], ["Created", <Ago at={dataset.created_at} />]]} />
        </Section>
      </Columns>
      <Section title="Commits"><Commits dataset={dataset} /></Section>
      {merging && <Merge dataset={dataset} onClose={() => set_merging(false)} />}
    </>
  );
}

function Commits({ dataset }: { dataset: Dataset }) {
  const first = dataset.branches.find(({ name }) => name === "main")?.name ?? dataset.branches[0]?.name ?? "";
  const [branch, set_branch] = useParam("branch", first);
  const list = useList<Commit>(["datasets", dataset.name, "commits"], `/api/v1/datasets/${part(dataset.name)}/commits`, "commits", { branch });
  const columns: Column<Commit>[] = [
    { id: "id", name: "Commit", width: 100, sortable: false, value: ({ id }) => id, cell: ({ id }) => <Link to={commit_url(dataset.name, id)}><code title={id}>{short_id(id)}</code></Link> },
    { id: "message", name: "Message", width: 420, sortable: false, value: ({ message }) => message },
    { id: "branches", name: "Branches", width: 150, cell: ({ id }) => <span className="row" style={{ gap: 4, flexWrap: "nowrap", height: 29 }}>{dataset.branches.filter(({ commit_id }) => commit_id === id).map(({ name }) => <Tag key={name}>{name}</Tag>)}</span> },
    { id: "samples", name: "Samples", width: 100, right: true, sortable: false, value: ({ sample_count }) => sample_count, cell: ({ sample_count }) => count(sample_count) },
    { id: "author", name: "Author", width: 100, sortable: false, value: ({ author }) => author },
    { id: "created_at", name: "Created", width: 110, right: true, sortable: false, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
    { id: "diff", name: "Changes", width: 100, cell: ({ id, parent_id }) => (parent_id ? <Link to={`/datasets/${part(dataset.name)}/diff?from=${parent_id}&to=${id}`}>show</Link> : <span className="quiet">first</span>) },
  ];
  return (
    <div className="stack">
      <label>Branch <select value={branch} onChange={(event) => set_branch(event.target.value)}>{dataset.branches.map(({ name }) => <option key={name}>{name}</option>)}</select></label>
      <DataTable
        name="commits" label="Commits" primary height={Math.min(520, 92 + 30 * Math.max(list.rows.length, 2))} rows={list.rows} columns={columns} row_key={({ id }) => id} row_url={({ id }) => commit_url(dataset.name, id)}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading}
      />
    </div>
  );
}

function Merge({ dataset, onClose }: { dataset: Dataset; onClose: () => void }) {
  const others = dataset.branches.filter(({ name }) => name !== "main");
  const [from, set_from] = useState(others[0]?.name ?? "");
  const [into, set_into] = useState("main");
  const [message, set_message] = useState("");
  const merge = useSend<Commit>(["datasets"], () => ["POST", `/api/v1/datasets/${part(dataset.name)}/merge`, { from, into, message: message || `Merge ${from} into ${into}` }]);
  return (
    <Dialog title={`Merge a branch of ${dataset.name}`} onClose={onClose}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); merge.mutate(undefined, { onSuccess: (commit) => { notify(`${into} of ${dataset.name} is now ${short_id(commit.id)}, ${counted(commit.sample_count, "sample")}.`); onClose(); } }); }}>
        <Field name="From"><select value={from} onChange={(event) => set_from(event.target.value)}>{dataset.branches.map(({ name }) => <option key={name}>{name}</option>)}</select></Field>
        <Field name="Into"><select value={into} onChange={(event) => set_into(event.target.value)}>{dataset.branches.map(({ name }) => <option key={name}>{name}</option>)}</select></Field>
        <Field name="Message"><input value={message} placeholder={`Merge ${from} into ${into}`} onChange={(event) => set_message(event.target.value)} /></Field>
        {merge.error && <p role="alert">{merge.error.message}</p>}
        <Command text={`slipway data merge ${quoted(dataset.name)} ${quoted(from)} --into ${quoted(into)}`} />
        <div className="row"><button type="submit" className="primary" disabled={from === into || merge.isPending}>Merge</button><Link to={url(`/datasets/${part(dataset.name)}/diff`, { from: into, to: from })}>See what would change</Link></div>
      </form>
    </Dialog>
  );
}
