// Several runs beside each other: what differs between them first, then their lines over each other.
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ApiError, ask, get } from "../api/client";
import { useGet } from "../api/hooks";
import type { Num, Run, RunDiff, Series } from "../api/types";
import { useBack } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { Link, useListParam, useParam } from "../app/router";
import { Empty, Loaded, Problem, Skeleton, State, Swatch, Tabs } from "../parts/basics";
import { Diff } from "../parts/code";
import { Head, ScrollPage, Section } from "../parts/detail";
import { color_of, counted, duration, short_id, value_of } from "../parts/format";
import { Plot } from "../parts/plot";
import { in_order, metric_text } from "./metric";
import { InView, kPointsMax, line_of, PlotTools, thinned, usePlotSettings } from "./metrics";
import css from "./runs.module.css";

export default function CompareRuns() {
  const [ids] = useListParam("ids");
  const results = useQueries({ queries: ids.map((id) => ({ queryKey: ["runs", id, "record"], queryFn: () => get<Run>(`/api/v1/runs/${id}`) })) });
  usePage([{ name: "Runs", to: "/runs" }, { name: `Compare ${ids.length}` }], [
    { what: "Compare two runs", cli: `slipway diff ${ids.slice(0, 2).join(" ")}`, curl: curl(`/api/v1/runs/${ids[0]}/diff/${ids[1]}`) },
    { what: "Fetch the lines", curl: curl("/api/v1/metrics/histories", { method: "POST", json: { run_ids: ids, keys: ["loss"], points_max: kPointsMax } }), python: python("/api/v1/metrics/histories", { method: "POST", json: { run_ids: ids, keys: ["loss"], points_max: kPointsMax } }) },
  ]);
  useBack("/runs");
  const failed = results.find(({ error }) => error);
  const runs = results.flatMap(({ data }) => (data ? [data] : []));
  if (ids.length < 2) return <ScrollPage><Head title="Compare runs" /><Empty command="slipway diff RUN OTHER">Select two or more runs in the table and press c.</Empty></ScrollPage>;
  return (
    <ScrollPage>
      <Head title={`Compare ${ids.length} runs`} />
      {failed?.error && <Problem error={failed.error as ApiError} />}
      {runs.length < ids.length && !failed ? <Skeleton rows={12} /> : (
        <>
          <Table runs={runs} />
          <Tabs label="What to compare" tabs={[
            { id: "plots", name: "Metrics", content: () => <Overlays runs={runs} /> },
            ...(runs.length === 2 ? [{ id: "code", name: "Code and environment", content: () => <Pair left={runs[0]!} right={runs[1]!} /> }] : []),
          ]} />
        </>
      )}
    </ScrollPage>
  );
}

interface Row { group: string; key: string; values: (string | null)[]; differs: boolean; numbers?: number[] }

export function compare_rows(runs: Pick<Run, "parameters" | "metrics">[]): Row[] {
  const row = (group: string, key: string, values: (string | null)[], numbers?: number[]): Row => ({ group, key, values, differs: new Set(values).size > 1, ...(numbers ? { numbers } : {}) });
  const keys = (of: (run: Pick<Run, "parameters" | "metrics">) => object) => [...new Set(runs.flatMap((run) => Object.keys(of(run))))];
  return [
    ...in_order(keys((run) => run.metrics)).map((key) => {
      const last = runs.map((run) => run.metrics[key]?.last as Num | undefined);
      return row("Metrics", key, last.map((value) => (value === undefined ? null : metric_text(key, value))), last.map(value_of));
    }),
    ...keys((run) => run.parameters).sort().map((key) => row("Parameters", key, runs.map((run) => run.parameters[key] ?? null))),
  ];
}

function Table({ runs }: { runs: Run[] }) {
  const [all, set_all] = useParam("all");
  const rows = useMemo(() => compare_rows(runs), [runs]);
  const shown = rows.filter((row) => row.group === "Metrics" || all === "1" || row.differs);
  const groups = ["Metrics", "Parameters"];
  const hidden = rows.length - shown.length;
  return (
    <Section title="Side by side" note={<label><input type="checkbox" checked={all === "1"} onChange={() => set_all(all === "1" ? null : "1")} /> What is the same too</label>}>
      <div className={css.over} tabIndex={0} role="region" aria-label="Side by side">
        <table className={css.values}>
          <thead>
            <tr><th><span className="hidden">What</span></th>{runs.map((run) => <th key={run.id} className={css.right}><span className="row" style={{ justifyContent: "flex-end", flexWrap: "nowrap" }}><Swatch color={color_of(run.id)} /><Link to={`/runs/${run.id}`}>{run.name || short_id(run.id)}</Link></span></th>)}</tr>
          </thead>
          <tbody>
            <tr><td className="quiet">State</td>{runs.map((run) => <td key={run.id} className={css.right}><State of={run.state} /></td>)}</tr>
            <tr><td className="quiet">Duration</td>{runs.map((run) => <td key={run.id} className={`${css.right} num`}>{duration(run.duration_s)}</td>)}</tr>
            <tr><td className="quiet">Commit</td>{runs.map((run) => <td key={run.id} className={css.right}><code>{run.source?.commit ? run.source.commit.slice(0, 8) : "–"}{run.source?.dirty ? " +" : ""}</code></td>)}</tr>
          </tbody>
          {groups.map((group) => {
            const of_group = shown.filter((row) => row.group === group);
            return of_group.length === 0 ? null : (
              <tbody key={group}>
                <tr><th colSpan={runs.length + 1}>{group}</th></tr>
                {of_group.map((row) => (
                  <tr key={row.key} className={row.differs ? undefined : css.same}>
                    <td>{row.key}</td>
                    {row.values.map((value, i) => <td key={i} className={`${css.right} num`}>{value ?? "–"}</td>)}
                  </tr>
                ))}
              </tbody>
            );
          })}
        </table>
      </div>
      {hidden > 0 && <p className="quiet">{counted(hidden, "parameter")} {hidden === 1 ? "is" : "are"} the same in all runs.</p>}
    </Section>
  );
}

function Overlays({ runs }: { runs: Run[] }) {
  const settings = usePlotSettings();
  const [find, set_find] = useState("");
  const keys = in_order([...new Set(runs.flatMap((run) => Object.keys(run.metrics)))]);
  const shown = keys.filter((key) => key.toLowerCase().includes(find.toLowerCase()));
  return (
    <div className="stack">
      <PlotTools settings={settings} find={find} set_find={set_find} keys={keys.length} />
      <div className={css.plots}>{shown.map((key) => <InView key={key} height={300}><Overlay runs={runs} metric={key} settings={settings} /></InView>)}</div>
    </div>
  );
}

function Overlay({ runs, metric, settings }: { runs: Run[]; metric: string; settings: ReturnType<typeof usePlotSettings> }) {
  const ids = runs.map(({ id }) => id);
  const histories = useQuery<{ series: Series[] }, ApiError>({
    queryKey: ["histories", ids.join(), metric, settings.by_time],
    queryFn: async () => (await (await ask("/api/v1/metrics/histories", { method: "POST", json: { run_ids: ids, keys: [metric], points_max: kPointsMax, x: settings.by_time ? "time" : "step" } })).json()) as { series: Series[] },
  });
  return (
    <Loaded of={histories} skeleton={<Skeleton height={300} />} what={metric}>
      {({ series }) => (
        <Plot
          title={metric} x_name={settings.by_time ? "seconds since the first point" : "step"} log={settings.log} smoothing={settings.smoothing} sync="compare" zoom={settings.zoom} on_zoom={settings.set_zoom} note={thinned(series)}
          lines={series.map((one) => {
            const run = runs.find(({ id }) => id === one.run_id);
            const line = line_of(one, settings.by_time, label_of(run, runs) ?? short_id(one.run_id ?? ""), color_of(one.run_id ?? ""));
            const first = line.xs[0] ?? 0;
            return settings.by_time ? { ...line, xs: line.xs.map((x) => x - first) } : line;
          })}
        />
      )}
    </Loaded>
  );
}

/// A run's name, with a piece of its id where two have the same.
function label_of(run: Run | undefined, runs: Run[]): string | undefined {
  if (!run) return undefined;
  const alone = run.name !== "" && runs.filter(({ name }) => name === run.name).length === 1;
  return alone ? run.name : `${run.name || "run"} ${run.id.slice(-6)}`;
}

function Pair({ left, right }: { left: Run; right: Run }) {
  const diff = useGet<RunDiff>(["runs", left.id, "diff", right.id], `/api/v1/runs/${left.id}/diff/${right.id}`);
  return (
    <Loaded of={diff}>
      {(data) => (
        <div className="stack" style={{ gap: 24 }}>
          <Section title="Inputs"><Differences rows={data.inputs.map(({ name, left: a, right: b }) => [name, a, b])} none="Both had the same inputs." /></Section>
          <Section title="Environment"><Differences rows={data.environment.map(({ name, left: a, right: b }) => [name, a, b])} none="Both ran in the same environment." /></Section>
          <Section title="Code">
            <p className="quiet">From <code>{data.code.left_commit?.slice(0, 8) ?? "no commit"}</code> to <code>{data.code.right_commit?.slice(0, 8) ?? "no commit"}</code>.</p>
            {data.code.diff_of_diffs === null
              ? <p>What was not committed is with each run: <Link to={`/runs/${left.id}?tab=code`}>{left.name || "left"}</Link>, <Link to={`/runs/${right.id}?tab=code`}>{right.name || "right"}</Link>.</p>
              : <Diff text={data.code.diff_of_diffs} empty="The uncommitted changes are the same." />}
          </Section>
        </div>
      )}
    </Loaded>
  );
}

function Differences({ rows, none }: { rows: [string, string | null, string | null][]; none: string }) {
  if (rows.length === 0) return <p className="quiet">{none}</p>;
  return (
    <table className={css.values} style={{ maxWidth: 900 }}>
      <thead><tr><th>What</th><th>Left</th><th>Right</th></tr></thead>
      <tbody>{rows.map(([name, a, b]) => <tr key={name}><td>{name}</td><td className="num">{a ?? "–"}</td><td className="num">{b ?? "–"}</td></tr>)}</tbody>
    </table>
  );
}
