// One evaluation: its numbers with their intervals, slice by slice on one scale, and the samples behind each number.
import { useState } from "react";
import { part, url } from "../api/client";
import { useGet, useList } from "../api/hooks";
import type { EvaluatedSample, Evaluation } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { Link, navigate, set_search, useParam } from "../app/router";
import { Ago, Empty, Facts, Figure, Figures, Loaded, Problem, Skeleton, State } from "../parts/basics";
import { Head, ScrollPage, Section } from "../parts/detail";
import { FilterBox } from "../parts/filter";
import { count, counted, number, percent, short_id } from "../parts/format";
import { ImageGrid, SizeSlider } from "../parts/images";
import { Interval, span_of } from "../parts/interval";
import { DataTable, type Column } from "../parts/table";
import { sample_url } from "../data/links";
import { first_metric, metric_names } from "./metric";
import css from "./evaluations.module.css";

export default function EvaluationPage({ id = "" }: Record<string, string>) {
  const api = `/api/v1/evaluations/${id}`;
  const evaluation = useGet<Evaluation>(["evaluations", id, "record"], api);
  usePage([{ name: "Evaluations", to: "/evaluations" }, { name: evaluation.data?.name || short_id(id) }], [
    { what: "Show this evaluation", curl: curl(api), python: python(api) },
    { what: "The samples it got wrong", curl: curl(url(`${api}/samples`, { filter: "correct = 0" })), python: python(url(`${api}/samples`, { filter: "correct = 0" })) },
  ]);
  return <ScrollPage><Loaded of={evaluation} page>{(data) => <Body evaluation={data} />}</Loaded></ScrollPage>;
}

function Body({ evaluation }: { evaluation: Evaluation }) {
  const all = useGet<{ evaluations: Evaluation[] }>(["evaluations", "list", "dataset", evaluation.dataset], url("/api/v1/evaluations", { dataset: evaluation.dataset, page_size: 200 }));
  const others = all.data?.evaluations.filter((one) => one.id !== evaluation.id && one.commit_id === evaluation.commit_id && one.state === "finished") ?? [];
  const names = metric_names([evaluation.metrics]);
  return (
    <>
      <Head title={evaluation.name || "Evaluation"} state={<State of={evaluation.state} />}>
        {others.length > 0 && (
          <select aria-label="Compare with another evaluation of the same samples" value="" onChange={(event) => navigate(`/evaluations/${event.target.value}/compare/${evaluation.id}`)}>
            <option value="">Compare with…</option>
            {others.map((one) => <option key={one.id} value={one.id}>{one.model} {one.version}</option>)}
          </select>
        )}
      </Head>
      <Facts columns of={[
        ["Model", <Link to={`/models/${part(evaluation.model)}/versions/${evaluation.version}`}>{evaluation.model} version {evaluation.version}</Link>],
        ["Samples of", <Link to={`/datasets/${part(evaluation.dataset)}/commits/${evaluation.commit_id}`}>{evaluation.dataset}@{short_id(evaluation.commit_id)}</Link>],
        ["Task", evaluation.task],
        ["Run", evaluation.run_id ? <Link to={`/runs/${evaluation.run_id}`}>{short_id(evaluation.run_id)}</Link> : null],
        ["Created", <Ago at={evaluation.created_at} />],
      ]} />
      {names.length === 0 ? <Empty>{evaluation.state === "failed" ? evaluation.message || "It failed before there was a result; its run says why." : "Its run is asking the model about every sample; the numbers appear here."}</Empty> : (
        <>
          <Figures>
            {names.map((name) => { const one = evaluation.metrics[name]!; return <Figure key={name} name={name.replace(/_/g, " ")} value={percent(one.value)} note={one.low !== null && one.high !== null ? `${percent(one.low)} to ${percent(one.high)} with 95 % confidence, ${counted(one.n, "sample")}` : counted(one.n, "sample")} />; })}
          </Figures>
          <Slices evaluation={evaluation} />
          <Samples evaluation={evaluation} />
        </>
      )}
    </>
  );
}

/// Small multiples on one scale; a click shows the samples of the slice.
function Slices({ evaluation }: { evaluation: Evaluation }) {
  const [metric, set_metric] = useParam("metric", first_metric(evaluation.metrics)?.[0] ?? "");
  const [slice, set_slice] = useParam("slice");
  const whole = evaluation.metrics[metric];
  if (evaluation.slices.length === 0 || !whole) return null;
  const marks = [whole, ...evaluation.slices.flatMap(({ metrics }) => (metrics[metric] ? [metrics[metric]] : []))];
  const [from, to] = span_of(marks, { clamp: true });
  const names = metric_names([evaluation.metrics]);
  return (
    <Section title="Slices" note={<span className="row"><span className="quiet num">{percent(from)} to {percent(to)}; the dashed line is all samples</span>{names.length > 1 && <select aria-label="Metric" value={metric} onChange={(event) => set_metric(event.target.value)}>{names.map((name) => <option key={name}>{name}</option>)}</select>}</span>}>
      <ul className={css.slices}>
        {evaluation.slices.map((one) => {
          const estimate = one.metrics[metric];
          const worse = estimate?.high != null && whole.value !== null && estimate.high < whole.value;
          return (
            <li key={one.name}>
              <button type="button" aria-pressed={slice === one.name} title={one.query} onClick={() => set_slice(slice === one.name ? null : one.name)}>
                <span className="clip">{one.name}</span>
                {estimate ? <Interval marks={[{ ...estimate, color: worse ? "var(--bad)" : "var(--accent)" }]} from={from} to={to} {...(whole.value !== null ? { zero: whole.value } : {})} width={180} /> : <span className="quiet">no samples</span>}
                <span className="num">{percent(estimate?.value)}{worse && <span className={css.worse}> below</span>}</span>
                <span className="num quiet">{count(one.n)}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

function Samples({ evaluation }: { evaluation: Evaluation }) {
  const [slice] = useParam("slice");
  const [filter, set_filter] = useParam("filter", "correct = 0");
  const [size, set_size] = useState(96);
  const [as, set_as] = useParam("as", "pictures");
  const list = useList<EvaluatedSample>(["evaluations", evaluation.id, "samples"], `/api/v1/evaluations/${evaluation.id}/samples`, "samples", { slice, filter: filter === "all" ? "" : filter });
  const attributes = [...new Set(list.rows.slice(0, 100).flatMap((sample) => Object.keys(sample.attributes)))];
  const open = (key: string) => navigate(sample_url(evaluation.dataset, evaluation.commit_id, key));
  useKeys([{ keys: "Escape", what: "All slices", run: () => { if (slice) set_search({ slice: null }); else navigate("/evaluations"); }, group: "This page" }]);
  const refused = list.error && list.error.status >= 400 && list.error.status < 500;
  return (
    <Section title={slice ? `Samples of ${slice}` : "Samples"} note={<span className="num quiet">{list.total === undefined ? "" : counted(list.total, "sample")}</span>}>
      <div className={css.tools}>
        <div role="group" aria-label="Which samples" className="row">
          {[["correct = 0", "Wrong"], ["correct = 1", "Right"], ["all", "All"]].map(([value, words]) => <button key={value} type="button" className="small" aria-pressed={filter === value} onClick={() => set_filter(value!)}>{words}</button>)}
        </div>
        <FilterBox value={filter === "all" ? "" : filter} on_change={(next) => set_filter(next || "all")} words={["correct", "label", "prediction", "confidence", "key", "and", "or", ...attributes]} error={list.error} placeholder="label = '3' and confidence > 0.9" />
        {as === "pictures" && <SizeSlider value={size} on_change={set_size} />}
        <select aria-label="Shown as" value={as} onChange={(event) => set_as(event.target.value)}><option value="pictures">Pictures</option><option value="table">Table</option></select>
      </div>
      {list.error && !refused && <Problem error={list.error} again={list.again} />}
      {list.loading ? <Skeleton /> : list.rows.length === 0 ? !list.error && <p className="quiet">No sample is like that.</p> : (
        <div className={css.grid}>
          {as === "table" ? (
            <DataTable name="evaluated" label="Samples" primary height={480} rows={list.rows} columns={sample_columns(evaluation, attributes)} row_key={({ key }) => key} open={({ key }) => open(key)} total={list.total} more={list.more} load_more={list.load_more} changing={list.changing} />
          ) : (
            <ImageGrid
              label="Samples" size={size} open={open} more={list.more} load_more={list.load_more}
              tiles={list.rows.map((sample) => ({
                key: sample.key, hash: sample.image_hash, mark: sample.correct ? null : "bad", name: `${sample.key}: label ${sample.label}, answered ${sample.prediction}`,
                caption: <><div>{sample.correct ? sample.label : <>{sample.label} <span className="quiet">read as</span> <strong>{sample.prediction}</strong></>}</div><div className="num quiet">{percent(sample.confidence, 0)}</div></>,
              }))}
            />
          )}
        </div>
      )}
    </Section>
  );
}

function sample_columns({ dataset, commit_id }: Evaluation, attributes: string[]): Column<EvaluatedSample>[] {
  return [
    { id: "key", name: "Key", width: 220, sortable: false, value: ({ key }) => key, cell: ({ key }) => <Link to={sample_url(dataset, commit_id, key)}>{key}</Link> },
    { id: "label", name: "Label", width: 90, sortable: false, value: ({ label }) => label },
    { id: "prediction", name: "Answer", width: 90, sortable: false, value: ({ prediction }) => prediction },
    { id: "confidence", name: "Confidence", width: 100, right: true, sortable: false, value: ({ confidence }) => confidence, cell: ({ confidence }) => percent(confidence) },
    { id: "correct", name: "Correct", width: 80, sortable: false, value: ({ correct }) => (correct ? "yes" : "no") },
    ...attributes.map((name): Column<EvaluatedSample> => ({ id: `attribute.${name}`, name, width: 110, right: true, sortable: false, value: ({ attributes: all }) => { const value = all[name]; return typeof value === "boolean" ? String(value) : value; }, cell: ({ attributes: all }) => { const value = all[name]; return typeof value === "number" ? number(value) : String(value ?? "–"); } })),
  ];
}
