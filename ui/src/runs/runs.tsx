import { useCallback, useMemo } from "react";
import { url } from "../api/client";
import { useGet, useList } from "../api/hooks";
import type { Experiment, Run, RunColumns } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python_literal, quoted, usePage } from "../app/page";
import { Link, navigate, set_search, useListParam, useParam } from "../app/router";
import { Empty, Problem } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { FilterBox } from "../parts/filter";
import { DataTable, type Sort } from "../parts/table";
import { Views } from "../parts/views";
import { filter_words, order_by, run_columns } from "./columns";
import { RunView } from "./run_view";
import css from "./runs.module.css";

export default function Runs() {
  const [filter, set_filter] = useParam("filter");
  const [experiment, set_experiment] = useParam("experiment");
  const [sorted, set_sorted] = useParam("sort");
  const [chosen, set_chosen] = useListParam("columns");
  const [selected, set_selected] = useListParam("selected");
  const [open, set_open] = useParam("open");

  const experiments = useGet<{ experiments: Experiment[] }>(["experiments", "list"], url("/api/v1/experiments", { page_size: 1000 }), { stale_ms: 30_000 });
  const known = useGet<RunColumns>(["runs", "list", "columns", experiment], url("/api/v1/runs/columns", { experiment }), { keep: true, stale_ms: 10_000 });
  const columns = useMemo(() => run_columns(known.data), [known.data]);
  const sort = useMemo<Sort | null>(() => (sorted ? { id: sorted.replace(/^-/, ""), desc: sorted.startsWith("-") } : null), [sorted]);
  const shown = chosen.length ? chosen : columns.filter(({ hidden }) => !hidden).map(({ id }) => id);
  const wanted = shown.filter((id) => /^(metrics|params|tags)\./.test(id)).join(",");
  const query = { experiment, filter, order_by: order_by(sort), columns: wanted };
  const runs = useList<Run>(["runs", "list"], "/api/v1/runs", "runs", query);

  const api = url("/api/v1/runs", query);
  usePage([{ name: "Runs" }], [
    {
      what: "List these runs",
      cli: ["slipway runs list", experiment && `--experiment ${quoted(experiments.data?.experiments.find(({ id }) => id === experiment)?.name ?? experiment)}`, filter && `--filter ${quoted(filter)}`, sort && `--order-by ${quoted(order_by(sort)!)}`].filter(Boolean).join(" "),
      curl: curl(api),
      python: `import mlflow\n\nmlflow.set_tracking_uri("${location.origin}")\nruns = mlflow.search_runs(search_all_experiments=True, filter_string=${python_literal(filter)})`,
    },
    { what: "Start a run", cli: "slipway run train" },
    ...(selected.length >= 2 ? [{ what: "Compare the selected runs", cli: `slipway diff ${selected.slice(0, 2).join(" ")}` }] : []),
  ]);

  const all = runs.rows.length;
  const compare = useCallback(() => {
    if (selected.length >= 2) navigate(`/runs/compare?ids=${selected.join(",")}`);
    else if (selected.length === 0 && all >= 2) navigate(url("/runs/compare", { experiment, filter, order: order_by(sort) }));
  }, [selected, all, experiment, filter, sort]);
  useKeys([
    { keys: "c", what: "Compare the selected runs, or all that the filter finds", run: compare, group: "Table" },
    { keys: "Escape", what: "Close the run beside the list", run: () => { if (open) set_open(null); else set_selected([]); }, group: "Table" },
  ]);
  const filter_refused = runs.error && runs.error.status >= 400 && runs.error.status < 500 && filter !== "";

  return (
    <FillPage>
      <Head title="Runs">
        <Views name="runs" />
        <button type="button" disabled={selected.length === 1 || all < 2} onClick={compare}>Compare {selected.length >= 1 ? selected.length : "all"}</button>
        <Link to="/new/run" className="button primary">New run</Link>
      </Head>
      <Bar>
        <select aria-label="Experiment" value={experiment} onChange={(event) => set_experiment(event.target.value)}>
          <option value="">All experiments</option>
          {experiments.data?.experiments.map(({ id, name, run_count }) => <option key={id} value={id}>{name} ({run_count})</option>)}
        </select>
        <FilterBox value={filter} on_change={set_filter} words={filter_words(known.data)} error={runs.error} placeholder="metrics.val_acc > 0.9 and params.lr = '0.01' and state = 'finished'" />
      </Bar>
      {runs.error && !filter_refused && <div className={css.problem}><Problem error={runs.error} again={runs.again} /></div>}
      <div className={css.split}>
        <DataTable
          name="runs" label="Runs" primary of={`${experiment} ${filter} ${sorted}`} rows={runs.rows} columns={columns} row_key={(run) => run.id} row_url={(run) => `/runs/${run.id}`}
          open={(run) => set_open(run.id, { push: !open })} current={open || undefined}
          sort={sort} on_sort={(next) => set_sorted(next ? `${next.desc ? "-" : ""}${next.id}` : null)}
          chosen={shown} on_choose={set_chosen} selected={selected} on_select={set_selected}
          total={runs.total} more={runs.more} load_more={runs.load_more} loading={runs.loading} changing={runs.changing}
          empty={filter_refused ? <p className="quiet">Nothing is shown until the filter is understood.</p> : filter || experiment
            ? <Empty>No run matches. <button type="button" className="small" onClick={() => set_search({ filter: null, experiment: null })}>Show all runs</button></Empty>
            : <Empty command={`MLFLOW_TRACKING_URI=${location.origin} python train.py`}>No run has been recorded. <Link to="/new/run">Start one here</Link> or with <code>slipway run STEP</code>, or point a script that uses mlflow here:</Empty>}
        />
        {open && (
          <div className={css.beside} role="region" aria-label="The run beside the list">
            <div className={css.beside_head}><Link to={`/runs/${open}`}>Open alone</Link><button type="button" className="plain small" onClick={() => set_open(null)}>Close <kbd>Esc</kbd></button></div>
            <RunView key={open} id={open} />
          </div>
        )}
      </div>
    </FillPage>
  );
}
