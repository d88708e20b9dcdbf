// One execution of a pipeline: its graph, and for each node its state and why it ran or did not.
import { useState } from "react";
import { useGet, useSend } from "../api/hooks";
import type { PipelineNode, PipelineRun } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { Link, navigate } from "../app/router";
import { Ago, Facts, Loaded, notify_error, State } from "../parts/basics";
import { Head, ScrollPage, Section } from "../parts/detail";
import { place } from "./graph";
import { StartDialog, start_again, type Start } from "./start";
import css from "./pipelines.module.css";
import table from "../runs/runs.module.css";

const kWidth = 190;
const kHeight = 58;
const kGapX = 56;
const kGapY = 18;
const kCacheWords = { hit: "from cache", miss: "ran", none: "always runs", kept: "kept" };

export default function PipelineRunPage({ id = "" }: Record<string, string>) {
  const api = `/api/v1/pipeline_runs/${id}`;
  const run = useGet<PipelineRun>(["pipelines", id], api);
  usePage([{ name: "Pipelines", to: "/pipelines" }, { name: run.data?.pipeline ?? "" , to: `/pipelines?pipeline=${encodeURIComponent(run.data?.pipeline ?? "")}` }, { name: id.slice(0, 12) }], [
    { what: "Show this run", cli: `slipway pipelines show ${id}`, curl: curl(api), python: python(api) },
    { what: "Run it again: every node is asked anew", cli: `slipway pipelines rerun ${id}`, curl: curl(`${api}/rerun`, { method: "POST", json: { from: "start" } }), python: python(`${api}/rerun`, { method: "POST", json: { from: "start" } }) },
    { what: "Run the rest: what finished is kept", cli: `slipway pipelines rerun ${id} --from failed`, curl: curl(`${api}/rerun`, { method: "POST", json: { from: "failed" } }) },
    { what: "Stop it", cli: `slipway pipelines stop ${id}`, curl: curl(`${api}/stop`, { method: "POST" }) },
  ]);
  useKeys([{ keys: "Escape", what: "Back to the pipelines", run: () => navigate("/pipelines"), group: "This page" }]);
  return <ScrollPage><Loaded of={run} page>{(data) => <Body run={data} />}</Loaded></ScrollPage>;
}

function Body({ run }: { run: PipelineRun }) {
  const stop = useSend<unknown>(["pipelines"], () => ["POST", `/api/v1/pipeline_runs/${run.id}/stop`]);
  const [starting, set_starting] = useState<Start | null>(null);
  const runs = ["running", "stopping"].includes(run.state);
  const unfinished = run.nodes.some(({ state }) => state !== "finished");
  return (
    <>
      <Head title={run.pipeline} state={<State of={run.state} />}>
        {runs && <button type="button" onClick={() => stop.mutate(undefined, { onError: notify_error })}>Stop</button>}
        {!runs && unfinished && <button type="button" onClick={() => set_starting(start_again(run, "failed"))}>Run the rest</button>}
        {!runs && <button type="button" onClick={() => set_starting(start_again(run, "start"))}>Run again</button>}
      </Head>
      {starting && <StartDialog start={starting} onClose={() => set_starting(null)} />}
      <Facts columns of={[["Started", <Ago at={run.created_at} />], ["Ended", run.ended_at ? <Ago at={run.ended_at} /> : null], ["By", run.member || null], ["Because", run.reason || null], ["Rest or rerun of", run.rerun_of ? <Link to={`/pipelines/${run.rerun_of}`}>{run.rerun_of.slice(0, 12)}</Link> : null], ["Id", <code>{run.id}</code>]]} />
      <Graph nodes={run.nodes} />
      <Section title="Why each node ran">
        <div className={table.over} tabIndex={0} role="region" aria-label="Why each node ran">
          <table className={table.values}>
            <thead><tr><th>Node</th><th>Kind</th><th>State</th><th>Cache</th><th>Why</th><th>Result</th></tr></thead>
            <tbody>
              {run.nodes.map((node) => (
                <tr key={node.name}>
                  <td>{node.name}</td><td className="quiet">{node.kind}</td><td><State of={node.state} /></td><td>{node.cache ? kCacheWords[node.cache] : "–"}</td>
                  <td>{[node.why, node.message].filter(Boolean).join(" · ") || "–"}</td><td><Result node={node} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Section>
    </>
  );
}

function target(node: PipelineNode) {
  return node.evaluation_id ? `/evaluations/${node.evaluation_id}` : node.run_id ? `/runs/${node.run_id}` : null;
}

const Result = ({ node }: { node: PipelineNode }) => {
  const to = target(node);
  return to ? <Link to={to}>{node.evaluation_id ? "evaluation" : "run"} {(node.evaluation_id ?? node.run_id ?? "").slice(0, 8)}</Link> : <span className="quiet">–</span>;
};

function Graph({ nodes }: { nodes: PipelineNode[] }) {
  const placed = place(nodes);
  const at = new Map(placed.map((one) => [one.node.name, { x: one.column * (kWidth + kGapX), y: one.row * (kHeight + kGapY) }]));
  const width = Math.max(...placed.map(({ column }) => column)) * (kWidth + kGapX) + kWidth;
  const height = Math.max(...placed.map(({ row }) => row)) * (kHeight + kGapY) + kHeight;
  return (
    <div className={css.graph} tabIndex={0} role="region" aria-label="Graph of the pipeline">
      <div style={{ width, height, position: "relative" }}>
        <svg width={width} height={height} aria-hidden="true">
          <defs><marker id="arrow" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L6 3L0 6z" className={css.tip} /></marker></defs>
          {nodes.flatMap((node) => node.after.flatMap((before) => {
            const [from, to] = [at.get(before), at.get(node.name)];
            if (!from || !to) return [];
            const [x0, y0, x1, y1] = [from.x + kWidth, from.y + kHeight / 2, to.x - 2, to.y + kHeight / 2];
            return [<path key={`${before} ${node.name}`} d={`M${x0} ${y0}C${x0 + kGapX / 2} ${y0} ${x1 - kGapX / 2} ${y1} ${x1} ${y1}`} className={css.edge} markerEnd="url(#arrow)" />];
          }))}
        </svg>
        {placed.map(({ node }) => {
          const place_of = at.get(node.name)!;
          const to = target(node);
          const content = <><strong className="clip">{node.name}</strong><span className={css.line}><State of={node.state} />{(node.cache === "hit" || node.cache === "kept") && <span className="quiet">{kCacheWords[node.cache]}</span>}</span></>;
          const style = { left: place_of.x, top: place_of.y, width: kWidth, height: kHeight };
          return to ? <Link key={node.name} to={to} className={css.node} style={style} title={node.why ?? node.message ?? ""}>{content}</Link> : <div key={node.name} className={css.node} style={style} title={node.why ?? node.message ?? ""}>{content}</div>;
        })}
      </div>
    </div>
  );
}
