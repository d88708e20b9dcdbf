// The samples of one commit as a grid (or a table), filtered in the server's language. A sample opens beside them.
import { useState } from "react";
import { part } from "../api/client";
import { useGet, useList } from "../api/hooks";
import type { Commit, Dataset, Sample } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, quoted, usePage } from "../app/page";
import { Link, navigate, set_search, useParam } from "../app/router";
import { Ago, Empty, Problem, Skeleton } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { FilterBox } from "../parts/filter";
import { count, counted, short_id } from "../parts/format";
import { ImageGrid, SizeSlider } from "../parts/images";
import { DataTable, type Column } from "../parts/table";
import { Views } from "../parts/views";
import { url } from "../api/client";
import { commit_url, face_of, label_text, sample_url } from "./links";
import { SampleView } from "./sample_view";
import css from "./data.module.css";

export default function CommitPage({ name = "", ref = "" }: Record<string, string>) {
  const [filter, set_filter] = useParam("filter");
  const [as, set_as] = useParam("as", "pictures");
  const [open, set_open] = useParam("open");
  const [size_text, set_size] = useParam("size", "96");
  const size = Math.max(48, Math.min(320, Number(size_text) || 96));
  const [checked] = useState(name);
  const base = `/api/v1/datasets/${part(name)}`;
  const dataset = useGet<Dataset>(["datasets", name, "record"], base);
  const commit = useGet<Commit>(["datasets", name, "commit", ref], `${base}/commits/${part(ref)}`);
  const samples = useList<Sample>(["datasets", name, "samples", ref], `${base}/commits/${part(ref)}/samples`, "samples", { filter });
  const branch = dataset.data?.branches.find((one) => one.name === ref);
  usePage([{ name: "Data", to: "/datasets" }, { name, to: `/datasets/${part(name)}` }, { name: branch ? ref : short_id(ref) }], [
    { what: "List these samples", cli: `slipway data samples ${quoted(`${name}@${ref}`)}${filter ? ` --filter ${quoted(filter)}` : ""}`, curl: curl(url(`${base}/commits/${part(ref)}/samples`, { filter })), python: python(url(`${base}/commits/${part(ref)}/samples`, { filter })) },
    { what: "Get the files", cli: `slipway data get ${quoted(`${name}@${ref}`)} FOLDER` },
  ]);
  useKeys([{ keys: "Escape", what: "Close the sample, or back to the dataset", run: () => { if (open) set_open(null); else navigate(`/datasets/${part(checked)}`); }, group: "Pictures" }]);

  const attributes = [...new Set(samples.rows.slice(0, 200).flatMap((sample) => Object.keys(sample.attributes)))];
  const declaration = commit.data?.declaration ?? null;
  const chosen = samples.rows.find(({ key }) => key === open);
  const streams = Object.keys(samples.rows[0]?.streams ?? {});
  const refused = samples.error && filter && samples.error.status >= 400 && samples.error.status < 500;
  return (
    <FillPage>
      <Head title={<>{name}@{branch ? ref : short_id(ref)}</>} state={commit.data && <span className="quiet">{commit.data.message} · {commit.data.author ?? ""} <Ago at={commit.data.created_at} /></span>}>
        <Views name={`samples of ${name}`} />
        {commit.data?.parent_id && <Link to={`/datasets/${part(name)}/diff?from=${commit.data.parent_id}&to=${commit.data.id}`}>What changed</Link>}
        <select aria-label="Branch" value={branch ? ref : ""} onChange={(event) => navigate(commit_url(name, event.target.value))}>
          {!branch && <option value="">commit {short_id(ref)}</option>}
          {dataset.data?.branches.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
        </select>
      </Head>
      <Bar>
        <FilterBox value={filter} on_change={set_filter} words={["label", "key", "and", "or", "not", ...attributes]} error={samples.error} placeholder={attributes[0] ? `label = '3' and ${attributes[0]} < 0.2` : "label = '3'"} />
        {as === "pictures" && <SizeSlider value={size} on_change={(next) => set_size(String(next))} />}
        <select aria-label="Shown as" value={as} onChange={(event) => set_as(event.target.value)}><option value="pictures">Pictures</option><option value="table">Table</option></select>
        <span className={`num quiet ${css.total}`} role="status">{samples.total === undefined ? "" : counted(samples.total, "sample")}</span>
      </Bar>
      {samples.error && !refused && <Problem error={samples.error} again={samples.again} />}
      <div className={css.split}>
        {samples.loading ? <div className={css.wait}><Skeleton rows={10} /></div> : samples.rows.length === 0 && !samples.error ? (
          <div className={css.wait}>{filter ? <Empty>No sample matches. <button type="button" className="small" onClick={() => set_search({ filter: null })}>Show all</button></Empty> : <Empty command={`slipway data add ${name} images/`}>This commit has no samples.</Empty>}</div>
        ) : as === "table" ? (
          <DataTable
            name="samples" label="Samples" primary rows={samples.rows} columns={sample_columns(name, ref, attributes)} row_key={({ key }) => key} open={({ key }) => set_open(key)} current={open || undefined}
            total={samples.total} more={samples.more} load_more={samples.load_more} changing={samples.changing}
          />
        ) : (
          <ImageGrid
            label={`${count(samples.total)} samples of ${name}`} size={size} more={samples.more} load_more={samples.load_more} current={open || null}
            tiles={samples.rows.map((sample) => ({
              key: sample.key, hash: face_of(sample, declaration)?.hash ?? null, name: `${sample.key}${sample.label === null ? "" : `, label ${label_text(sample.label)}`}`,
              caption: <><div>{sample.label === null ? "" : <strong>{label_text(sample.label)}</strong>}{attributes[0] && size >= 128 && <span className="num quiet"> {attributes[0]} {sample.attributes[attributes[0]]}</span>}</div><div className="quiet">{sample.key}</div></>,
            }))}
            open={(key) => set_open(key, { push: !open })} on_current={(key) => { if (open) set_open(key); }}
          />
        )}
        {open && chosen && (
          <div className={css.beside} role="region" aria-label="The sample beside the grid">
            <div className={css.beside_head}><Link to={sample_url(name, ref, open)}>Open alone</Link><button type="button" className="plain small" onClick={() => set_open(null)}>Close <kbd>Esc</kbd></button></div>
            <SampleView sample={chosen} declaration={declaration} zoom={streams.length > 1 ? 4 : 8} />
          </div>
        )}
      </div>
    </FillPage>
  );
}

function sample_columns(dataset: string, ref: string, attributes: string[]): Column<Sample>[] {
  return [
    { id: "key", name: "Key", width: 240, sortable: false, value: ({ key }) => key, cell: ({ key }) => <Link to={sample_url(dataset, ref, key)}>{key}</Link> },
    { id: "label", name: "Label", width: 90, sortable: false, value: ({ label }) => label_text(label) },
    { id: "streams", name: "Streams", width: 160, value: ({ streams }) => Object.keys(streams).join(", "), sortable: false },
    ...attributes.map((name): Column<Sample> => ({ id: `attribute.${name}`, name, width: 120, right: true, sortable: false, value: ({ attributes: all }) => { const value = all[name]; return typeof value === "boolean" ? String(value) : value; } })),
  ];
}
