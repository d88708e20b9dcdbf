// Charts of some runs inside a report: those of the page of compared runs, drawn as the block says.
import { useId, useMemo, useState } from "react";
import { url } from "../api/client";
import { Link } from "../app/router";
import { Problem, Skeleton } from "../parts/basics";
import { counted } from "../parts/format";
import type { Spread } from "../parts/mean";
import { Chart, kLinesMax, kMembersMax, kSpreads, type Shared } from "../runs/compare_charts";
import { group_runs, parse_grouping } from "../runs/grouping";
import { look_of } from "../runs/look";
import { in_order, is_system } from "../runs/metric";
import { InView } from "../runs/metrics";
import { useOwnPlotSettings } from "../runs/plot_settings";
import type { Block } from "./blocks";
import { useFound, type Found } from "./found";
import runs_css from "../runs/runs.module.css";
import css from "./reports.module.css";

/// A block that names no metrics shows the first of them.
const kChartsMax = 6;

/// Named metrics are asked for by name; what runs are grouped by may be any parameter. Else the server's first of each.
const columns_of = ({ metrics, look }: Block) => (metrics.length === 0 ? "" : look["group"] ? "*" : metrics.map((key) => `metrics.${/[^\w]/.test(key) ? `\`${key}\`` : key}`).join(","));

export function ChartBlock({ text }: { text: string }) {
  const found = useFound("chart", text, kMembersMax, columns_of);
  return (
    <figure className={css.block} aria-label="Charts">
      {found.problems.length > 0 ? <Wrong problems={found.problems} text={text} />
        : found.error ? <Problem error={found.error} again={found.again} />
          : found.runs === undefined ? <Skeleton height={300} />
            : <Charts found={found} runs={found.runs} />}
    </figure>
  );
}

/// A block that cannot be read is shown with what is wrong.
export function Wrong({ problems, text }: { problems: string[]; text: string }) {
  return (
    <div className={css.wrong} role="alert">
      <ul>{problems.map((one) => <li key={one}>{one}</li>)}</ul>
      <pre tabIndex={0}><code>{text}</code></pre>
    </div>
  );
}

function Charts({ found, runs: all }: { found: Found; runs: NonNullable<Found["runs"]> }) {
  const { look, metrics } = found.block;
  const sync = useId();
  const smoothing = Number(look["smooth"] ?? 0);
  const settings = useOwnPlotSettings({ x: look["x"] ?? "step", log: look["log"] === "1", clip: look["clip"] === "1", smoothing });
  const [off, set_off] = useState<string[]>([]);
  const [flipped, set_flipped] = useState<string[]>([]);
  const [large, set_large] = useState("");
  const grouping = useMemo(() => parse_grouping(look["group"] ?? ""), [look["group"]]);
  const runs = useMemo(() => all.slice(0, grouping ? kMembersMax : kLinesMax), [all, grouping]);
  const groups = useMemo(() => grouping && group_runs(runs, grouping), [runs, grouping]);
  const looks = useMemo(() => look_of(runs), [runs]);
  const known = useMemo(() => in_order([...new Set(runs.flatMap((run) => Object.keys(run.metrics)))]), [runs]);
  const find = (look["find"] ?? "").toLowerCase();
  const shown = metrics.length ? metrics : known.filter((key) => !is_system(key) && key.toLowerCase().includes(find)).slice(0, kChartsMax);
  const spread = (look["band"] ?? "") in kSpreads ? (look["band"] as Spread) : "extremes";
  const shared: Shared = { sync, runs, looks, groups, spread, settings, off, set_off, flipped, set_flipped, large, set_large: (key) => set_large(key ?? "") };
  return (
    <>
      {all.length === 0 && <p className="quiet">No run is found.</p>}
      <div className={runs_css.charts}>
        {all.length > 0 && shown.map((key) => (
          <InView key={key} height={320} {...(key === large ? { className: runs_css.large! } : {})}>
            {known.includes(key) ? <Chart metric={key} shared={shared} /> : <p className="quiet">None of these runs has measured “{key}”.</p>}
          </InView>
        ))}
      </div>
      <Under found={found} page="/runs/compare" shown={runs.length} />
    </>
  );
}

/// How many runs these are, and the page that shows them.
export function Under({ found, page, shown }: { found: Found; page: string; shown: number }) {
  const { experiment, filter } = found.block;
  const of = [experiment && `of ${experiment}`, filter && `where ${filter}`].filter(Boolean).join(" ");
  return (
    <figcaption className={css.under}>
      <span>{shown < found.total ? `The first ${counted(shown, "run")} of ${counted(found.total, "run")}` : counted(shown, "run")} {of}</span>
      <Link to={url(page, found.query)}>Open</Link>
    </figcaption>
  );
}
