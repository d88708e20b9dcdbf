// What runs, what answers, what fails, what it costs; one glance, each number a way in.
import { part } from "../api/client";
import { useGet } from "../api/hooks";
import type { Deployment, Finding, Overview, Run } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { Link } from "../app/router";
import { Ago, Command, Empty, Figure, Figures, Loaded, State } from "../parts/basics";
import { Columns, Head, ScrollPage, Section } from "../parts/detail";
import { bytes, cost, count, duration, milliseconds, number, percent } from "../parts/format";
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
        <Figure name="Running" value={count(data.running_runs.length)} note={`of ${count(counts.runs)} runs`} to="/runs" />
        <Figure name="Open findings" value={count(counts.open_findings)} note="noticed by the monitor" to="/findings?state=open" />
        <Figure name="Open cases" value={count(counts.open_cases)} note="wait for a label" to="/cases" />
        <Figure name="Deployments" value={count(counts.deployments)} note={`${count(data.deployments.filter(({ state }) => state === "ready").length)} ready`} to="/deployments" />
        <Figure name="Models" value={count(counts.models)} to="/models" />
        <Figure name="Datasets" value={count(counts.datasets)} to="/datasets" />
      </Figures>
      <Columns>
        <Section title="What runs" note={<Link to="/runs">All runs</Link>}>
          {data.running_runs.length === 0 ? <Empty command="slipway run train">Nothing runs now.</Empty> : <RunLines runs={data.running_runs} />}
        </Section>
        <Section title="What answers" note={<Link to="/deployments">All deployments</Link>}>
          {data.deployments.length === 0 ? <Empty command="slipway deploy digits">Nothing is deployed.</Empty> : <ul className={css.lines}>{data.deployments.map((one) => <DeploymentLine key={one.id} one={one} />)}</ul>}
        </Section>
        <Section title="What fails" note={<Link to="/findings">All findings</Link>}>
          {data.open_findings.length === 0 && data.deployments.every(({ state }) => state !== "failed" && state !== "degraded") ? <p className="quiet">Nothing that the monitor noticed.</p> : (
            <ul className={css.lines}>{data.open_findings.map((one: Finding) => <li key={one.id} className={css.finding}><State of={one.kind} /><Link to={`/findings/${one.id}`}>{one.message}</Link><span className="quiet"><Ago at={one.created_at} /></span></li>)}</ul>
          )}
        </Section>
        <Section title="What it costs">
          <Figures>
            {usage.cost > 0 && <Figure name="Cost" value={cost(usage.cost)} note="of all runs, by the price list" />}
            {usage.cpu_s > 0 && <Figure name="CPU time" value={duration(usage.cpu_s)} />}
            {usage.gpu_s > 0 && <Figure name="GPU time" value={duration(usage.gpu_s)} />}
            <Figure name="Stored" value={bytes(usage.blob_bytes)} note="each content once" />
          </Figures>
        </Section>
      </Columns>
      <Section title="Lately" note={<Link to="/runs">All runs</Link>}>
        {data.recent_runs.length === 0 ? <p className="quiet">No run has ended yet.</p> : <RunLines runs={data.recent_runs} />}
      </Section>
    </>
  );
}

function RunLines({ runs }: { runs: Run[] }) {
  return (
    <ul className={css.lines}>
      {runs.map((run) => (
        <li key={run.id} className={css.run}>
          <Link to={`/runs/${run.id}`} className="clip">{run.name || run.id.slice(0, 12)}</Link><State of={run.state} />
          <span className="quiet clip">{[run.source?.step, run.experiment_name].filter(Boolean).join(", ")}</span>
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
      <p>This project is empty. Three ways to begin, each on your own files:</p>
      <Command text={`MLFLOW_TRACKING_URI=${location.origin} python train.py`} />
      <Command text="slipway data add NAME FOLDER --branch main" />
      <Command text="slipway init && slipway run train" />
    </Section>
  );
}
