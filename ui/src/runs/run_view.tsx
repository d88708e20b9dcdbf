// One run, alone on its page or beside the list: its state first, then what it measured, then everything else in tabs.
import { useState } from "react";
import { useGet, useSend } from "../api/hooks";
import type { Attempt, Run } from "../api/types";
import { quoted } from "../app/page";
import { Link, navigate } from "../app/router";
import { Ago, Command, Copy, Dialog, Empty, Facts, Field, Loaded, State, Tabs, Tag, notify, notify_error } from "../parts/basics";
import { Head } from "../parts/detail";
import { bytes, counted, duration, short_id } from "../parts/format";
import { MediaTab } from "../media/later";
import { Edit } from "../parts/edit";
import { Log } from "../parts/log";
import { Artifacts } from "./artifacts";
import { Code, EnvironmentTab, LineageTab } from "./record";
import { MetricPlots } from "./metrics";
import { kNoteTag, Note } from "./note";
import { Pin } from "./pin";
import { is_running } from "./state";
import css from "./runs.module.css";

export function RunView({ id }: { id: string }) {
  const run = useGet<Run>(["runs", id, "record"], `/api/v1/runs/${id}`);
  return <Loaded of={run} page>{(data) => <Body run={data} />}</Loaded>;
}

function Body({ run }: { run: Run }) {
  const executed = run.source?.kind === "step";
  return (
    <>
      <Head title={run.name || short_id(run.id)} state={<State of={run.state} />}><Actions run={run} /></Head>
      <div className="stack">
        <End run={run} />
        <Facts columns of={[
          ["Experiment", <Link to={`/runs?experiment=${run.experiment_id}`}>{run.experiment_name}</Link>],
          ["Started", run.started_at ? <Ago at={run.started_at} /> : "not yet"],
          ["Duration", <span className="num">{duration(run.duration_s)}</span>],
          ["Member", run.member],
          ["Step", run.source?.step ?? null],
          ["Code", run.source?.commit ? <><code>{run.source.commit.slice(0, 8)}</code>{run.source.branch && ` on ${run.source.branch}`}{run.source.dirty && " with changes"}</> : null],
          ["Pipeline", run.source?.pipeline_run_id ? <Link to={`/pipelines/${run.source.pipeline_run_id}`}>{short_id(run.source.pipeline_run_id)}</Link> : null],
          ["CPU time", executed ? <CpuTime run={run} /> : null],
          ["Id", <span className="row"><code>{run.id}</code><Copy text={run.id} /></span>],
        ]} />
        {Object.keys(run.tags).some((key) => !key.startsWith("mlflow.")) && (
          <div className="row">{Object.entries(run.tags).filter(([key]) => !key.startsWith("mlflow.")).map(([key, value]) => <Tag key={key}>{key} = {value}</Tag>)}</div>
        )}
        <Note of={`run ${run.id}`} path={`/api/v1/runs/${run.id}`} nouns={["runs"]} note={run.tags[kNoteTag] ?? ""} fixed={run.deleted} />
        <Tabs label="About this run" tabs={[
          { id: "metrics", name: "Metrics", note: Object.keys(run.metrics).length || null, content: () => <MetricPlots run={run} /> },
          { id: "media", name: "Media", content: () => <MediaTab run={run} /> },
          { id: "log", name: "Log", content: () => <Log path={`/api/v1/runs/${run.id}/log`} run={run.id} running={is_running(run)} /> },
          { id: "parameters", name: "Parameters", note: Object.keys(run.parameters).length || null, content: () => <Parameters run={run} /> },
          { id: "code", name: "Code", content: () => <Code run={run} /> },
          { id: "environment", name: "Environment", content: () => <EnvironmentTab run={run} /> },
          { id: "artifacts", name: "Artifacts", content: () => <Artifacts id={run.id} /> },
          { id: "lineage", name: "Lineage", content: () => <LineageTab run={run} /> },
          ...(executed ? [{ id: "attempts", name: "Attempts", note: run.attempt_count ?? null, content: () => <Attempts id={run.id} /> }] : []),
        ]} />
      </div>
    </>
  );
}

/// What its processes used of the processors in all attempts, as the node measured it.
function CpuTime({ run }: { run: Run }) {
  const attempts = useGet<{ attempts: Measured[] }>(["runs", run.id, "attempts"], `/api/v1/runs/${run.id}/attempts`, is_running(run) ? { every_ms: 5_000 } : {});
  if (!attempts.data) return null;
  const last = attempts.data.attempts.at(-1);
  return <span className="num">{cpu_time(attempts.data.attempts.reduce((sum, one) => sum + one.cpu_s, 0))}{is_running(run) && last ? `, ${bytes(last.memory_bytes)} of memory now` : ""}</span>;
}
/// The system counts in hundredths of a second.
const cpu_time = (seconds: number) => (seconds === 0 ? "under 10 ms" : duration(seconds));
type Measured = Attempt & { cpu_s: number; memory_bytes: number };

/// Why it waits, or how it ended, when that needs words.
function End({ run }: { run: Run }) {
  const needs = run.state === "failed" || run.state === "killed" || run.state === "queued";
  const attempts = useGet<{ attempts: Attempt[] }>(["runs", run.id, "attempts"], `/api/v1/runs/${run.id}/attempts`, { enabled: needs && run.source?.kind === "step" });
  const last = attempts.data?.attempts.at(-1);
  if (run.state === "queued") return run.queue_message ? <p>{run.queue_message}</p> : null;
  if (!needs) return null;
  if (!last) return run.message ? <p role="status">{run.message}</p> : null;
  const message = last.message || run.message;
  const parts = message ? [message] : [last.end, last.exit_code ? `exit code ${last.exit_code}` : null, last.signal ? `signal ${last.signal}` : null].filter(Boolean);
  return parts.length ? <p role="status">{parts.join(" · ")}</p> : null;
}

function Actions({ run }: { run: Run }) {
  const [again, set_again] = useState(false);
  const stop = useSend<unknown>(["runs"], () => ["POST", `/api/v1/runs/${run.id}/stop`, {}]);
  const restore = useSend<unknown>(["runs"], () => ["POST", `/api/v1/runs/${run.id}/restore`]);
  const remove = useSend<unknown>(["runs"], () => ["DELETE", `/api/v1/runs/${run.id}`]);
  const executed = run.source?.kind === "step";
  return (
    <>
      <Pin run={run} />
      {!run.deleted && <Edit what={run.name || "this run"} path={`/api/v1/runs/${run.id}`} nouns={["runs"]} value={{ name: run.name, tags: run.tags }} />}
      {executed && is_running(run) && <button type="button" disabled={run.state === "stopping" || stop.isPending} onClick={() => stop.mutate(undefined, { onError: notify_error })}>Stop</button>}
      {executed && <button type="button" onClick={() => set_again(true)}>Run again</button>}
      {executed && run.source?.step !== "import" && run.source?.step !== "evaluate" && <Link className="button" to={`/new/run?from=run&like=${run.id}`}>New run from its code</Link>}
      {run.deleted
        ? <button type="button" onClick={() => restore.mutate(undefined, { onError: notify_error })}>Restore</button>
        : !is_running(run) && <button type="button" onClick={() => remove.mutate(undefined, {
            onSuccess: () => notify(`${run.name || "The run"} is deleted; it can be restored until garbage is collected.`, { undo: () => restore.mutate() }), onError: notify_error,
          })}>Delete</button>}
      {again && <RunAgain run={run} onClose={() => set_again(false)} />}
    </>
  );
}

function RunAgain({ run, onClose }: { run: Run; onClose: () => void }) {
  const [values, set_values] = useState(run.parameters);
  const rerun = useSend<Run, Record<string, string>>(["runs"], (parameters) => ["POST", `/api/v1/runs/${run.id}/rerun`, { parameters }]);
  const changed = Object.fromEntries(Object.entries(values).filter(([key, value]) => value !== run.parameters[key]));
  return (
    <Dialog title={`Run ${run.source?.step ?? run.name} again`} onClose={onClose}>
      <p className="quiet">The same code, inputs and environment. Parameters may differ:</p>
      <form className="stack" onSubmit={(event) => {
        event.preventDefault();
        rerun.mutate(changed, { onSuccess: (made) => { onClose(); navigate(`/runs/${made.id}`); } });
      }}>
        {Object.entries(values).map(([key, value]) => <Field key={key} name={key}><input className="num" value={value} onChange={(event) => set_values({ ...values, [key]: event.target.value })} /></Field>)}
        {Object.keys(values).length === 0 && <p>This step has no parameters.</p>}
        {rerun.error && <p role="alert">{rerun.error.message}</p>}
        <Command text={`slipway rerun ${run.id}${Object.entries(changed).map(([key, value]) => ` ${quoted(`${key}=${value}`)}`).join("")}`} />
        <div><button type="submit" className="primary" disabled={rerun.isPending}>Start</button></div>
      </form>
    </Dialog>
  );
}

function Parameters({ run }: { run: Run }) {
  const [find, set_find] = useState("");
  const all = Object.entries(run.parameters).sort(([a], [b]) => a.localeCompare(b));
  if (all.length === 0) return <Empty command={`mlflow.log_param("lr", 0.01)`}>This run recorded no parameters.</Empty>;
  const found = all.filter(([key, value]) => `${key} ${value}`.toLowerCase().includes(find.toLowerCase()));
  return (
    <div className="stack">
      {all.length > 10 && <input style={{ maxWidth: 280 }} aria-label="Find a parameter" placeholder={`Find among ${counted(all.length, "parameter")}`} value={find} onChange={(event) => set_find(event.target.value)} />}
      <div className={css.over}>
        <table className={css.values} style={{ maxWidth: 720 }}>
          <thead><tr><th>Parameter</th><th>Value</th></tr></thead>
          <tbody>{found.map(([key, value]) => <tr key={key}><td>{key}</td><td className="num" style={{ whiteSpace: "normal" }}>{value}</td></tr>)}</tbody>
        </table>
      </div>
      {run.source?.command && <><h3>Command</h3><Command text={run.source.command} /></>}
    </div>
  );
}

function Attempts({ id }: { id: string }) {
  const attempts = useGet<{ attempts: Measured[] }>(["runs", id, "attempts"], `/api/v1/runs/${id}/attempts`);
  return (
    <Loaded of={attempts}>
      {({ attempts: all }) => all.length === 0 ? <Empty>No attempt has been made yet: the run waits for its place.</Empty> : (
        <div className={css.over}>
          <table className={css.values}>
            <thead><tr><th className={css.right}>Attempt</th><th>State</th><th>Node</th><th className={css.right}>Process</th><th className={css.right}>Started</th><th className={css.right}>Duration</th><th className={css.right}>CPU time</th><th className={css.right}>Memory</th><th>End</th></tr></thead>
            <tbody>
              {all.map((one) => (
                <tr key={one.id}>
                  <td className={`${css.right} num`}>{one.number}</td><td><State of={one.state} /></td><td>{one.node ?? "–"}</td><td className={`${css.right} num`}>{one.pid ?? "–"}</td>
                  <td className={css.right}><Ago at={one.started_at} /></td>
                  <td className={`${css.right} num`}>{one.started_at && one.ended_at ? duration((Date.parse(one.ended_at) - Date.parse(one.started_at)) / 1000) : "–"}</td>
                  <td className={`${css.right} num`}>{cpu_time(one.cpu_s)}</td><td className={`${css.right} num`}>{one.state === "over" ? "–" : bytes(one.memory_bytes)}</td>
                  <td>{[one.end, one.exit_code ? `exit code ${one.exit_code}` : null, one.signal ? `signal ${one.signal}` : null, one.message].filter(Boolean).join(" · ") || "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Loaded>
  );
}
