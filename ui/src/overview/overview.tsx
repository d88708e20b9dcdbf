// What runs, what answers, what fails, what it took; one glance, each number a way in.
import { part, url } from "../api/client";
import { useGet } from "../api/hooks";
import type { Deployment, Finding, Overview, Run } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link } from "../app/router";
import { Ago, Command, Empty, Figure, Figures, Loaded, Skeleton, State } from "../parts/basics";
import { Columns, Head, ScrollPage, Section } from "../parts/detail";
import { bytes, count, counted, duration, milliseconds, number, percent, short_id } from "../parts/format";
import css from "./overview.module.css";

export default function OverviewPage() {
  const overview = useGet<Overview>(["overview"], "/api/v1/overview", { every_ms: 10_000 });
  usePage([{ name: "Overview" }], [{ what: "The same in words", cli: "slipway status", curl: curl("/api/v1/overview"), python: python("/api/v1/overview") }]);
  return (
    <ScrollPage>
      <Head title="Overview" />
      <Loaded of={overview}>{(data) => <Body data={data} />}</Loaded>
    </ScrollPage>
  );
}

function Body({ data }: { data: Overview }) {
  const { counts, usage } = data;
  const empty = counts.runs + counts.datasets + counts.models + counts.deployments === 0;
  return (
    <>
      {empty && <FirstSteps />}
      <Figures>
        <Figure name="Running" value={count(counts.running_runs)} note={`of ${count(counts.runs)} runs`} to="/runs?filter=state%20%3D%20'running'" />
        <Figure name="Open findings" value={count(counts.open_findings)} note="noticed by the monitor" to="/findings?state=open" />
        <Figure name="Open cases" value={count(counts.open_cases)} note="wait for a label" to="/cases" />
        <Figure name="Deployments" value={count(counts.deployments)} note={`${count(data.deployments.filter(({ state }) => state === "ready").length)} ready`} to="/deployments" />
        <Figure name="Models" value={count(counts.models)} to="/models" />
        <Figure name="Datasets" value={count(counts.datasets)} to="/datasets" />
      </Figures>
      <Columns>
        <Section title="What runs" note={<Link to="/runs">All runs</Link>}>
          {data.running_runs.length === 0 ? <Empty command="slipway run train">Nothing runs now.</Empty> : <><RunLines runs={data.running_runs} />{counts.running_runs > data.running_runs.length && <p className="quiet">and {count(counts.running_runs - data.running_runs.length)} more</p>}</>}
        </Section>
        <Section title="What answers" note={<Link to="/deployments">All deployments</Link>}>
          {data.deployments.length === 0 ? <Empty command="slipway deploy digits">Nothing is deployed.</Empty> : <ul className={css.lines}>{data.deployments.map((one) => <DeploymentLine key={one.id} one={one} />)}</ul>}
        </Section>
        <Section title="What fails" note={<span className="row"><Link to="/runs?filter=state%20%3D%20'failed'">Failed runs</Link><Link to="/findings">All findings</Link></span>}>
          <Failing data={data} />
        </Section>
        <Section title="Computing time" note={<span className="quiet">of all experiments, the longest first</span>}>
          <Computing stored={usage.blob_bytes} />
        </Section>
      </Columns>
      <Section title="Lately" note={<Link to="/runs">All runs</Link>}>
        {data.recent_runs.length === 0 ? <p className="quiet">No run has ended yet.</p> : <RunLines runs={data.recent_runs} />}
      </Section>
    </>
  );
}

/// Step and experiment, once when they are called the same.
const what_of = (run: Run) => [...new Set([run.source?.step, run.experiment_name])].filter(Boolean).join(", ");

const kFailedShown = 5;

/// Deployments in trouble, what the monitor noticed, and the newest runs that failed.
function Failing({ data }: { data: Overview }) {
  const failed = useGet<{ runs: Run[] }>(["runs", "list", "failed"], url("/api/v1/runs", { filter: "state = 'failed'", page_size: kFailedShown, columns: "" }));
  const troubled = data.deployments.filter(({ state }) => state === "failed" || state === "degraded");
  const runs = failed.data?.runs ?? [];
  if (data.open_findings.length + troubled.length + runs.length === 0) return <p className="quiet">{failed.isPending ? "" : "Nothing: no run failed, no deployment is in trouble, the monitor noticed nothing."}</p>;
  return (
    <ul className={css.lines}>
      {troubled.map((one) => <li key={one.id} className={css.finding}><State of={one.state} /><p><Link to={`/deployments/${part(one.name)}`}>{one.name}</Link> {one.message}</p><span /></li>)}
      {data.open_findings.map((one: Finding) => <li key={one.id} className={css.finding}><State of={one.kind} /><Link to={`/findings/${one.id}`}>{one.message}</Link><span className="quiet"><Ago at={one.created_at} /></span></li>)}
      {runs.map((run) => <li key={run.id} className={css.finding}><State of={run.state} /><p><Link to={`/runs/${run.id}`}>{run.name || short_id(run.id)}</Link> <span className="quiet">{run.message || what_of(run)}</span></p><span className="quiet"><Ago at={run.ended_at ?? run.created_at} /></span></li>)}
    </ul>
  );
}

interface Usage {
  attempt_count: number; computing_s: number; cpu_s: number;
  experiments: { id: string; name: string; run_count: number; running_count: number; duration_s: number }[];
}
const kExperimentsShown = 8;

/// What the runs of each experiment took, and what the processes that Slipway started used of the processors.
function Computing({ stored }: { stored: number }) {
  const usage = useGet<Usage>(["overview", "usage"], "/api/v1/usage", { every_ms: 60_000, stale_ms: 20_000 });
  return (
    <Loaded of={usage} skeleton={<Skeleton rows={4} />}>
      {({ attempt_count, computing_s, cpu_s, experiments }) => {
        const most = Math.max(...experiments.map(({ duration_s }) => duration_s), 1e-9);
        return (
          <div className="stack" style={{ gap: 16 }}>
            <Figures>
              <Figure name="On this server's nodes" value={duration(computing_s)} note={counted(attempt_count, "attempt")} />
              <Figure name="CPU time" value={duration(cpu_s)} note="of all cores together" />
              <Figure name="Stored" value={bytes(stored)} note="each content once" />
            </Figures>
            {experiments.length > 0 && (
              <ul className={css.lines} aria-label="Time of the runs by experiment">
                {experiments.slice(0, kExperimentsShown).map(({ id, name, run_count, running_count, duration_s }) => (
                  <li key={id} className={css.experiment} title="From the start to the end of each run; those that a client never ended are not counted">
                    <Link to={`/runs?experiment=${part(id)}`} className="clip">{name}</Link>
                    <span className="quiet num">{counted(run_count, "run")}{running_count > 0 ? `, ${count(running_count)} now` : ""}</span>
                    <span className={css.share} aria-hidden="true"><i style={{ width: `${(duration_s / most) * 100}%` }} /></span>
                    <span className="num">{duration(duration_s)}</span>
                  </li>
                ))}
              </ul>
            )}
            {experiments.length > kExperimentsShown && <p className="quiet">and {counted(experiments.length - kExperimentsShown, "shorter experiment")}</p>}
          </div>
        );
      }}
    </Loaded>
  );
}

function RunLines({ runs }: { runs: Run[] }) {
  return (
    <ul className={css.lines}>
      {runs.map((run) => (
        <li key={run.id} className={css.run}>
          <Link to={`/runs/${run.id}`} className="clip">{run.name || short_id(run.id)}</Link><State of={run.state} />
          <span className="quiet clip">{what_of(run)}</span>
          <span className="num quiet">{duration(run.duration_s)}</span><span className="quiet"><Ago at={run.started_at ?? run.created_at} /></span>
        </li>
      ))}
    </ul>
  );
}

function DeploymentLine({ one }: { one: Deployment }) {
  const { traffic } = one;
  return (
    <li className={css.run}>
      <Link to={`/deployments/${part(one.name)}`} className="clip">{one.name}</Link><State of={one.state} />
      <span className="quiet clip">{one.model} {one.version ?? ""}</span>
      <span className="num quiet">{number(traffic.per_s)} /s</span><span className="num quiet" title={traffic.requests_total ? `${percent(traffic.errors_total / traffic.requests_total, 2)} errors` : ""}>p99 {milliseconds(traffic.p99_ms)}</span>
    </li>
  );
}

function FirstSteps() {
  return (
    <Section title="First steps">
      <p>This project is empty. Begin here with a folder: <Link to="/new/dataset">add a dataset</Link> or <Link to="/new/run">start a run</Link>. From a terminal, each on your own files:</p>
      <Command text={`MLFLOW_TRACKING_URI=${server_url()} python train.py`} />
      <Command text="slipway data add NAME FOLDER --branch main" />
      <Command text="slipway init && slipway run train" />
    </Section>
  );
}
