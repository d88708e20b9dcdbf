// The lines of several runs over each other, a chart for each metric; or of groups of runs, as mean and spread.
import { useCallback, useDeferredValue, useMemo } from "react";
import type { Run } from "../api/types";
import { useListParam, useParam } from "../app/router";
import { Empty, Loaded, Popover, Skeleton } from "../parts/basics";
import { counted } from "../parts/format";
import { mean_of, type Spread } from "../parts/mean";
import { Plot, type PlotLine } from "../parts/plot";
import type { Best } from "../parts/plot_legend";
import { differing_fields, group_runs, parse_grouping, render_grouping, short_key, type Group, type Grouping } from "./grouping";
import { useHistories } from "./histories";
import { line_of, type HeldSeries } from "./lines";
import { look_of, type Look } from "./look";
import { in_order, is_lower_better, metric_text } from "./metric";
import { InView } from "./metrics";
import { plot_props, PlotTools, usePlotSettings, type PlotSettings } from "./plot_settings";
import { is_running } from "./state";
import css from "./runs.module.css";

/// Lines that one chart can tell apart, and runs that go into the groups of one.
export const kLinesMax = 20;
export const kMembersMax = 200;
const kRefreshMs = 5000;
export const kSpreads: Record<Spread, string> = { extremes: "band from the smallest to the largest", confidence: "band: 95 % interval of the mean (Student's t)", none: "no band" };

/// What the charts of a page share, beside the settings of plots.
export interface Shared {
  /// Charts of the same name share the crosshair.
  sync: string;
  runs: Run[];
  looks: Map<string, Look>;
  groups: Group[] | null;
  spread: Spread;
  settings: PlotSettings;
  off: string[];
  set_off: (off: string[]) => void;
  flipped: string[];
  set_flipped: (keys: string[]) => void;
  large: string;
  set_large: (key: string | null) => void;
}

export function Charts({ runs: all }: { runs: Run[] }) {
  const settings = usePlotSettings();
  const [find, set_find] = useParam("find");
  const [group_text, set_group_text] = useParam("group");
  const [spread_text, set_spread] = useParam("band", "extremes");
  const [off, set_off] = useListParam("hide");
  const [flipped, set_flipped] = useListParam("flip");
  const [large, set_large] = useParam("large");
  const grouping = useMemo(() => parse_grouping(group_text), [group_text]);
  const runs = useMemo(() => all.slice(0, grouping ? kMembersMax : kLinesMax), [all, grouping]);
  const groups = useMemo(() => grouping && group_runs(runs, grouping), [runs, grouping]);
  const looks = useMemo(() => look_of(runs), [runs]);
  const keys = useMemo(() => in_order([...new Set(runs.flatMap((run) => Object.keys(run.metrics)))]), [runs]);
  const spread = spread_text in kSpreads ? (spread_text as Spread) : "extremes";
  const shared: Shared = { sync: "compare", runs, looks, groups, spread, settings, off, set_off, flipped, set_flipped, large, set_large };
  const wanted = useDeferredValue(find.toLowerCase());
  const shown = keys.filter((key) => key.toLowerCase().includes(wanted)).sort((a, b) => Number(b === large) - Number(a === large));
  if (keys.length === 0) return <Empty command={`mlflow.log_metric("loss", loss, step=step)`}>These runs have not measured anything yet. In their script:</Empty>;
  return (
    <div className="stack">
      <PlotTools settings={settings} find={find} set_find={set_find} keys={keys.length} beside={keys.filter((key) => /^epochs?$/i.test(key))}>
        <GroupBy runs={all} grouping={grouping} on_change={(next) => set_group_text(render_grouping(next))} />
        {groups && <label>Band <select value={spread} onChange={(event) => set_spread(event.target.value)}><option value="extremes">smallest to largest</option><option value="confidence">95 % of the mean</option><option value="none">none</option></select></label>}
      </PlotTools>
      {all.length > runs.length && <p className="quiet">{groups ? `The first ${counted(kMembersMax, "run")} of ${counted(all.length, "run")} are in the groups.` : `The first ${counted(kLinesMax, "run")} of ${counted(all.length, "run")} are drawn; group them to see all.`}</p>}
      <div className={css.charts}>
        {shown.map((key) => <InView key={key} height={320} {...(key === large ? { className: css.large! } : {})}><Chart metric={key} shared={shared} /></InView>)}
      </div>
      {shown.length === 0 && <p className="quiet">No metric has “{find}” in its name.</p>}
    </div>
  );
}

export function Chart({ metric, shared }: { metric: string; shared: Shared }) {
  const { runs, groups, settings, off, set_off, flipped, set_flipped, large, set_large } = shared;
  const measured = runs.filter((run) => run.metrics[metric]).map(({ id }) => id);
  const histories = useHistories({ key: ["histories"], runs: measured, metric, x: settings.x, zoom: settings.zoom, ...(runs.some(is_running) ? { every_ms: kRefreshMs } : {}) });
  const lines = useMemo(() => lines_of(histories.data?.series ?? [], metric, shared), [histories.data, metric, runs, groups, shared.spread, settings.x]);
  histories.saw(lines);
  const goes_down = is_lower_better(metric) !== flipped.includes(metric);
  const best: Best = goes_down ? "lowest" : "highest";
  const text = useCallback((value: number | null) => metric_text(metric, value), [metric]);
  return (
    <Loaded of={histories} skeleton={<Skeleton height={320} />} what={metric}>
      {() => (
        <Plot
          title={metric} sync={shared.sync} {...plot_props(settings)} note={note_of(histories.note, shared)} lines={lines} text={text} height={large === metric ? 460 : 220}
          best={best} on_best={() => set_flipped(flipped.includes(metric) ? flipped.filter((one) => one !== metric) : [...flipped, metric])} off={off} on_off={set_off}
          tools={<button type="button" className="plain small" aria-pressed={large === metric} onClick={() => set_large(large === metric ? null : metric)}>Large</button>}
        />
      )}
    </Loaded>
  );
}

function lines_of(all: HeldSeries[], metric: string, { looks, groups, spread, settings }: Shared): PlotLine[] {
  const lines = new Map<string, PlotLine>();
  for (const series of all) {
    const look = looks.get(series.run_id ?? "");
    if (series.key !== metric || !look) continue;
    const beside = all.find((one) => one.run_id === series.run_id && one.key === settings.x);
    lines.set(series.run_id!, { ...line_of(series, settings.x, look.label, look.color, beside), id: series.run_id!, dashed: look.dashed });
  }
  if (!groups) return [...lines.values()];
  return groups.flatMap((group, i): PlotLine[] => {
    const members = group.runs.flatMap(({ id }) => lines.get(id) ?? []);
    if (members.length === 0) return [];
    const { xs, ys, low, high } = mean_of(members, spread);
    return [{ label: `${group.label} (${members.length})`, id: `group:${group.label}`, color: `var(--c${i % 10})`, dashed: i % 20 >= 10, xs, ys, low: members.length > 1 ? low : null, high: members.length > 1 ? high : null }];
  });
}

function note_of(thinned: string | undefined, { groups, spread, settings }: Shared): string | undefined {
  const grouped = groups && `mean of each group, ${kSpreads[spread]}`;
  const beside = !["step", "time", "relative"].includes(settings.x) && `${settings.x} as it was at the step`;
  return [grouped, beside, thinned].filter(Boolean).join(" · ") || undefined;
}

/// Each run for itself, groups by some keys, or by all parameters but some.
function GroupBy({ runs, grouping, on_change }: { runs: Run[]; grouping: Grouping | null; on_change: (grouping: Grouping | null) => void }) {
  const fields = useMemo(() => differing_fields(runs), [runs]);
  const kind = grouping ? (grouping.but ? "but" : "by") : "each";
  const keys = grouping?.keys ?? [];
  const seed = fields.filter((key) => /seed|fold|repeat/i.test(key));
  const choose = (next: string) => on_change(next === "each" ? null : next === "but" ? { keys: seed, but: true } : { keys: fields.slice(0, 1), but: false });
  const listed = kind === "but" ? fields.filter((key) => key.startsWith("params.")) : fields;
  const named = keys.map(short_key).join(", ");
  return (
    <Popover button={kind === "each" ? "Group runs" : kind === "but" ? `Grouped, all but ${named || "none"}` : `Grouped by ${named}`} name="Group runs">
      {() => (
        <fieldset className={css.grouping}>
          <legend className="hidden">How runs are grouped</legend>
          {([["each", "Each run for itself"], ["by", "By what is chosen"], ["but", "By all parameters but what is chosen"]] as const).map(([value, words]) => (
            <label key={value}><input type="radio" name="grouping" checked={kind === value} disabled={fields.length === 0} onChange={() => choose(value)} /> {words}</label>
          ))}
          {fields.length === 0 && <p className="quiet">These runs differ in no parameter and no tag.</p>}
          {grouping && <ul>{listed.map((key) => (
            <li key={key}><label><input type="checkbox" checked={keys.includes(key)} onChange={() => {
              const next = keys.includes(key) ? keys.filter((one) => one !== key) : [...keys, key];
              on_change(next.length || grouping.but ? { keys: next, but: grouping.but } : null);
            }} /> {key}</label></li>
          ))}</ul>}
        </fieldset>
      )}
    </Popover>
  );
}
