// Several runs beside each other: their lines over each other, what differs between them, and what made the difference.
import type { ReactNode } from "react";
import type { Run } from "../api/types";
import { useBack } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { Link, useListParam } from "../app/router";
import { Empty, Problem, Skeleton, Swatch, Tabs } from "../parts/basics";
import { Head, ScrollPage } from "../parts/detail";
import { counted } from "../parts/format";
import { MediaGrid } from "../media/later";
import { Views } from "../parts/views";
import { Charts } from "./compare_charts";
import { Differences } from "./differences";
import { Importance } from "./importance";
import { look_of } from "./look";
import { useCompared, kComparedMax, type Compared } from "./compared";
import { kPointsMax } from "./lines";
import { Parallel } from "./parallel";
import { Scatter } from "./scatter";
import { SideBySide } from "./side_by_side";
import css from "./runs.module.css";

export default function CompareRuns() {
  const compared = useCompared();
  const [ids, set_ids] = useListParam("ids");
  const runs = compared.runs ?? [];
  const title = `Compare ${counted(compared.runs ? runs.length : ids.length, "run")}`;
  usePage([{ name: "Runs", to: "/runs" }, { name: title }], hows(runs.map(({ id }) => id)));
  useBack("/runs");
  return (
    <ScrollPage>
      <Head title={title}><Views name="compare" /></Head>
      {compared.error && <Problem error={compared.error} again={compared.again} />}
      {compared.runs === undefined ? !compared.error && <Skeleton rows={12} /> : <Body compared={compared} runs={runs} drop={(id) => set_ids(ids.filter((one) => one !== id))} />}
    </ScrollPage>
  );
}

function hows(ids: string[]) {
  const histories = { method: "POST", json: { run_ids: ids.slice(0, 20), keys: ["loss"], points_max: kPointsMax } };
  return [
    ...(ids.length >= 2 ? [{ what: "Compare two runs", cli: `slipway diff ${ids.slice(0, 2).join(" ")}`, curl: curl(`/api/v1/runs/${ids[0]}/diff/${ids[1]}`) }] : []),
    { what: "Fetch the lines", curl: curl("/api/v1/metrics/histories", histories), python: python("/api/v1/metrics/histories", histories) },
  ];
}

function Body({ compared, runs, drop }: { compared: Compared; runs: Run[]; drop: (id: string) => void }) {
  if (runs.length < 2) return <Empty command="slipway diff RUN OTHER">{runs.length === 1 ? "There is one run here. " : "There is no run here. "}Select two or more runs in <Link to="/runs">the table</Link> and press c, or compare all that a filter finds.</Empty>;
  const tabs: { id: string; name: string; content: () => ReactNode }[] = [
    { id: "charts", name: "Charts", content: () => <Charts runs={runs} /> },
    { id: "media", name: "Media", content: () => <MediaGrid runs={runs} /> },
    { id: "table", name: "Side by side", content: () => <SideBySide runs={runs} /> },
    { id: "parallel", name: "Parallel coordinates", content: () => <Parallel runs={runs} /> },
    { id: "scatter", name: "Scatter", content: () => <Scatter runs={runs} /> },
    { id: "importance", name: "What matters", content: () => <Importance runs={runs} /> },
    { id: "differences", name: "Code, data, machine", content: () => <Differences runs={runs} /> },
  ];
  return (
    <>
      {compared.total > runs.length && <p className="quiet">The first {counted(kComparedMax, "run")} of {counted(compared.total, "run")} that the filter finds.</p>}
      {compared.missing > 0 && <p className="quiet">{counted(compared.missing, "run")} of those that the address names {compared.missing === 1 ? "is" : "are"} not here: deleted, or of another project.</p>}
      {compared.left_out > 0 && <p className="quiet">Of all parameters, metrics and tags the first are read; {counted(compared.left_out, "column")} {compared.left_out === 1 ? "is" : "are"} left out. Select up to 50 runs to compare them in everything.</p>}
      {!compared.by_filter && <Chips runs={runs} drop={drop} />}
      <Tabs label="What to compare" tabs={tabs} />
    </>
  );
}

/// The compared runs, each of which can be left out.
function Chips({ runs, drop }: { runs: Run[]; drop: (id: string) => void }) {
  const looks = look_of(runs);
  return (
    <ul className={css.chips} aria-label="Compared runs">
      {runs.map((run) => {
        const { label, color } = looks.get(run.id)!;
        return <li key={run.id}><Swatch color={color} /><Link to={`/runs/${run.id}`}>{label}</Link>{runs.length > 2 && <button type="button" className="plain small" aria-label={`Leave ${label} out`} onClick={() => drop(run.id)}>✕</button>}</li>;
      })}
    </ul>
  );
}
