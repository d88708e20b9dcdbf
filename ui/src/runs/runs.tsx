// All runs of the project: found, ordered, grouped, opened beside the list, chosen for comparison.
import { useCallback, useMemo, useState } from "react";
import { url } from "../api/client";
import { useGet } from "../api/hooks";
import type { Experiment, Run } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python_literal, quoted, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link, navigate, set_search, useListParam, useParam } from "../app/router";
import { Empty, Popover, Problem } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { FilterBox } from "../parts/filter";
import { count } from "../parts/format";
import { DataTable, type Column } from "../parts/table";
import { Views } from "../parts/views";
import { filter_values, filter_words, order_by } from "./columns";
import { Formulas } from "./formulas";
import { kNoteTag, Note } from "./note";
import { group_rows, kAggregates, sorted_runs, type TableRow } from "./run_groups";
import { RunView } from "./run_view";
import { kWholeMax, useRuns, useRunsQuery, type RunsQuery } from "./runs_query";
import { table_columns } from "./table_rows";
import css from "./runs.module.css";

export default function Runs() {
  const query = useRunsQuery();
  const { filter, experiment, sort } = query;
  const found = useRuns(query);
  const { runs } = found;
  const [selected, set_selected] = useListParam("selected");
  const [open, set_open] = useParam("open");
  const experiments = useGet<{ experiments: Experiment[] }>(["experiments", "list"], url("/api/v1/experiments", { page_size: 1000 }), { stale_ms: 30_000 });
  useHow(query, found.asked, experiments.data?.experiments, selected);
  const all = runs.rows.length;
  const compare = useCallback(() => {
    if (selected.length >= 2) navigate(`/runs/compare?ids=${selected.join(",")}`);
    else if (selected.length === 0 && all >= 2) navigate(url("/runs/compare", { experiment, filter, order: sort?.id.startsWith("formula.") ? null : order_by(sort) }));
  }, [selected, all, experiment, filter, sort]);
  useKeys([
    { keys: "c", what: "Compare the selected runs, or all that the filter finds", run: compare, group: "Table" },
    { keys: "Escape", what: "Close the run beside the list", run: () => { if (open) set_open(null); else set_selected([]); }, group: "Table" },
  ]);
  const [noted, set_noted] = useParam("note");
  const chosen = experiments.data?.experiments.find(({ id }) => id === experiment);
  const filter_refused = !!runs.error && runs.error.status >= 400 && runs.error.status < 500 && filter !== "";
  return (
    <FillPage>
      <Head title="Runs">
        {chosen && <button type="button" aria-pressed={!!noted} title="A note about the experiment, for everybody" onClick={() => set_noted(noted ? null : "1")}>{chosen.tags[kNoteTag] ? "Note" : "Add a note"}</button>}
        <Views name="runs" />
        <button type="button" disabled={selected.length === 1 || all < 2} onClick={compare}>Compare {selected.length >= 1 ? selected.length : "all"}</button>
        <Link to="/new/run" className="button primary">New run</Link>
      </Head>
      <Bar>
        <select aria-label="Experiment" value={experiment} onChange={(event) => query.set_experiment(event.target.value)}>
          <option value="">All experiments</option>
          {experiments.data?.experiments.map(({ id, name, run_count }) => <option key={id} value={id}>{name} ({run_count})</option>)}
        </select>
        <FilterBox value={filter} on_change={query.set_filter} words={filter_words(found.known)} values={(field) => filter_values(runs.rows, field)} error={runs.error} placeholder="metrics.val_acc > 0.9 and params.lr = '0.01' and state = 'finished'" />
        <GroupBy columns={found.columns} query={query} />
        <Formulas formulas={query.formulas} known={found.known} on_change={query.set_formulas} />
      </Bar>
      {chosen && noted && <div className={css.noted}><Note key={chosen.id} of={`experiment ${chosen.id}`} path={`/api/v1/experiments/${chosen.id}`} nouns={["experiments"]} note={chosen.tags[kNoteTag] ?? ""} fixed={chosen.state === "deleted"} /></div>}
      {runs.error && !filter_refused && <div className={css.problem}><Problem error={runs.error} again={runs.again} /></div>}
      <div className={css.split}>
        <RunsTable query={query} found={found} refused={filter_refused} selected={selected} set_selected={set_selected} open={open} set_open={set_open} />
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

function useHow({ filter, experiment, sort }: RunsQuery, asked: ReturnType<typeof useRuns>["asked"], experiments: Experiment[] | undefined, selected: string[]) {
  const name = experiments?.find(({ id }) => id === experiment)?.name ?? experiment;
  usePage([{ name: "Runs" }], [
    {
      what: "List these runs",
      cli: ["slipway runs list", experiment && `--experiment ${quoted(name)}`, filter && `--filter ${quoted(filter)}`, asked.order_by && `--order-by ${quoted(order_by(sort)!)}`].filter(Boolean).join(" "),
      curl: curl(url("/api/v1/runs", asked)),
      python: `import mlflow\n\nmlflow.set_tracking_uri("${server_url()}")\nruns = mlflow.search_runs(search_all_experiments=True, filter_string=${python_literal(filter)})`,
    },
    { what: "Start a run", cli: "slipway run train" },
    ...(selected.length >= 2 ? [{ what: "Compare the selected runs", cli: `slipway diff ${selected.slice(0, 2).join(" ")}` }] : []),
  ]);
}

/// The same row for the same run, so that the table knows what did not change.
const rows_of_runs = new WeakMap<Run, TableRow>();
function row_of(run: Run): TableRow {
  const known = rows_of_runs.get(run);
  if (known) return known;
  const row: TableRow = { kind: "run", key: run.id, run, inside: false };
  rows_of_runs.set(run, row);
  return row;
}

/// Runs and groups as rows, in the order of the reader.
function useRows(query: RunsQuery, { runs, columns, sorts_here }: ReturnType<typeof useRuns>, opened: string[]): TableRow[] {
  const { by, sort, how } = query;
  const as_found = useMemo(() => runs.rows.map(row_of), [runs.rows]);
  const arranged = useMemo(() => {
    if (!by.length && !sorts_here) return null;
    const value_of = (id: string) => columns.find((column) => column.id === id)?.value;
    const ordering = sort && value_of(sort.id);
    const order = sort && ordering ? { desc: sort.desc, value: ordering } : null;
    if (by.length) return group_rows({ runs: runs.rows, by: by.map((column) => ({ column, value: value_of(column) ?? (() => null) })), open: opened, order, how });
    return order ? sorted_runs(runs.rows, order).map(row_of) : null;
  }, [by, sort, how, columns, runs.rows, sorts_here, opened]);
  return arranged ?? as_found;
}

function RunsTable({ query, found, refused, selected, set_selected, open, set_open }: {
  query: RunsQuery; found: ReturnType<typeof useRuns>; refused: boolean; selected: string[]; set_selected: (ids: string[]) => void; open: string; set_open: (id: string | null, options?: { push?: boolean }) => void;
}) {
  const { filter, experiment, sort, by, how } = query;
  const { runs, columns, shown, whole } = found;
  const [opened, set_opened] = useState<string[]>([]);
  const toggle = useCallback((key: string) => set_opened((before) => (before.includes(key) ? before.filter((one) => one !== key) : [...before, key])), []);
  const rows = useRows(query, found, opened);
  const row_columns = useMemo(() => table_columns(columns, how, toggle, by.length > 0), [columns, how, toggle, by.length]);
  const groups = rows.filter((row) => row.kind === "group");
  const picked = useMemo(() => [...selected, ...groups.filter((group) => group.kind === "group" && group.runs.every(({ id }) => selected.includes(id))).map(({ key }) => key)], [selected, rows]);
  const note = by.length ? `${count(groups.length)} ${groups.length === 1 ? "group" : "groups"} of ${count(runs.rows.length)} runs; numbers: ${kAggregates[how]}` : undefined;
  const cut = whole && runs.more && runs.rows.length >= kWholeMax ? `; only the first ${count(kWholeMax)} are in it` : "";
  return (
    <DataTable
      name="runs" label="Runs" primary of={`${experiment} ${filter} ${sort?.id} ${sort?.desc} ${by.join()}`} rows={rows} columns={row_columns} row_key={(row) => row.key}
      open={(row) => { if (row.kind === "run") set_open(row.run.id, { push: !open }); else toggle(row.key); }} current={open || undefined}
      sort={sort} on_sort={query.set_sort} chosen={shown} on_choose={(next) => query.set_chosen(next.filter((id) => !id.startsWith("formula.")))}
      pinned={query.pinned} on_pin={query.set_pinned} selected={picked} on_select={(keys) => set_selected(select_runs(keys, picked, groups))} {...(note || cut ? { note: `${note ?? `${count(runs.rows.length)} runs`}${cut}` } : {})}
      total={by.length ? rows.length : runs.total} more={!whole && runs.more} load_more={runs.load_more} loading={runs.loading} changing={runs.changing}
      empty={refused ? <p className="quiet">Nothing is shown until the filter is understood.</p> : filter || experiment
        ? <Empty>No run matches. <button type="button" className="small" onClick={() => set_search({ filter: null, experiment: null })}>Show all runs</button></Empty>
        : <Empty command={`MLFLOW_TRACKING_URI=${server_url()} python train.py`}>No run has been recorded. <Link to="/new/run">Start one here</Link> or with <code>slipway run STEP</code>, or point a script that uses mlflow here:</Empty>}
    />
  );
}

/// Selecting a group selects its runs; a run that is left out leaves its group, too.
export function select_runs(keys: string[], before: string[], groups: TableRow[]): string[] {
  const now = new Set(keys.filter((key) => !key.startsWith("group:")));
  for (const group of groups) {
    if (group.kind !== "group") continue;
    if (keys.includes(group.key) && !before.includes(group.key)) for (const { id } of group.runs) now.add(id);
    if (!keys.includes(group.key) && before.includes(group.key)) for (const { id } of group.runs) now.delete(id);
  }
  return [...now];
}

/// Which columns make groups, and what of a group's numbers is shown.
function GroupBy({ columns, query }: { columns: Column<Run>[]; query: RunsQuery }) {
  const { by, set_by, how, set_how } = query;
  const [find, set_find] = useState("");
  const fit = columns.filter(({ id }) => /^(params|tags)\./.test(id) || ["state", "experiment_name", "step", "member"].includes(id));
  const listed = fit.filter(({ id, name }) => `${id} ${name}`.toLowerCase().includes(find.toLowerCase()));
  const named = by.map((id) => columns.find((column) => column.id === id)?.name ?? id).join(", ");
  return (
    <Popover button={<span className="clip">{by.length ? `Grouped by ${named}` : "Group"}</span>} name="Group by columns" align="right">
      {() => (
        <div className={css.grouping}>
          <input placeholder="Find a column" aria-label="Find a column to group by" value={find} onChange={(event) => set_find(event.target.value)} />
          <ul>
            {listed.slice(0, 200).map(({ id, name }) => (
              <li key={id}><label><input type="checkbox" checked={by.includes(id)} onChange={() => set_by(by.includes(id) ? by.filter((one) => one !== id) : [...by, id])} /> {name}</label></li>
            ))}
          </ul>
          <label>Numbers as <select value={how} onChange={(event) => set_how(event.target.value)}>{Object.entries(kAggregates).map(([id, words]) => <option key={id} value={id}>{words}</option>)}</select></label>
          {by.length > 0 && <button type="button" className="small" onClick={() => set_by([])}>No groups</button>}
        </div>
      )}
    </Popover>
  );
}
