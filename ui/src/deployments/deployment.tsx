// One deployment: how it answers now, what it answers with, and whether what it is asked has changed.
import { useMemo } from "react";
import { part, url } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { Deployment, Drift, TrafficMinute, Version } from "../api/types";
import { curl, quoted, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link, navigate, useParam } from "../app/router";
import { Ago, Empty, Facts, Figure, Figures, Loaded, notify, notify_error, Skeleton, State, Tabs } from "../parts/basics";
import { Columns, Head, ScrollPage, Section } from "../parts/detail";
import { bytes, count, milliseconds, number, percent } from "../parts/format";
import { Histogram } from "../parts/histogram";
import { Plot } from "../parts/plot";
import css from "./deployments.module.css";
import table from "../runs/runs.module.css";

export default function DeploymentPage({ name = "" }: Record<string, string>) {
  const api = `/api/v1/deployments/${part(name)}`;
  const deployment = useGet<Deployment>(["deployments", name, "record"], api, { every_ms: 3_000 });
  usePage([{ name: "Deployments", to: "/deployments" }, { name }], [
    { what: "Show this deployment", cli: `slipway deployments show ${quoted(name)}`, curl: curl(api) },
    { what: "Ask it with a picture", curl: `curl -X POST -H 'Content-Type: image/png' \\\n  --data-binary @digit.png ${server_url()}/v2/models/${part(name)}/infer`, python: `import tritonclient.http as triton\n\nclient = triton.InferenceServerClient("${location.host}")\nprint(client.get_model_metadata("${name}"))` },
    { what: "See whether its inputs drift", curl: curl(`${api}/drift`) },
  ]);
  return <ScrollPage><Loaded of={deployment} page>{(data) => <Body deployment={data} />}</Loaded></ScrollPage>;
}

function Body({ deployment }: { deployment: Deployment }) {
  const { name, traffic, replicas } = deployment;
  const restart = useSend<unknown>(["deployments"], () => ["POST", `/api/v1/deployments/${part(name)}/restart`]);
  const remove = useSend<unknown>(["deployments"], () => ["DELETE", `/api/v1/deployments/${part(name)}`]);
  const change = useSend<unknown, "stopped" | "running">(["deployments", "overview"], (state) => ["PATCH", `/api/v1/deployments/${part(name)}`, { state }]);
  const stopped = deployment.state === "stopped";
  return (
    <>
      <Head title={name} state={<State of={deployment.state} />}>
        {!stopped && <button type="button" onClick={() => restart.mutate(undefined, { onSuccess: () => notify(`${name} starts new replicas; the old ones answer until those are warm.`), onError: notify_error })}>Restart</button>}
        <button type="button" onClick={() => change.mutate(stopped ? "running" : "stopped", {
          onSuccess: () => notify(stopped ? `${name} starts.` : `${name} no longer answers; everything about it is kept.`, { undo: () => change.mutate(stopped ? "stopped" : "running") }), onError: notify_error,
        })}>{stopped ? "Start" : "Stop"}</button>
        {stopped && <button type="button" onClick={() => remove.mutate(undefined, { onSuccess: () => { notify(`${name} is deleted. Its cases stay.`); navigate("/deployments"); }, onError: notify_error })}>Delete</button>}
        <Link to={`/deployments/${part(name)}/try`} className={css.try}>Try it</Link>
      </Head>
      {deployment.message && <p>{deployment.message}</p>}
      <Figures>
        <Figure name="Answers" value={`${number(traffic.per_s)} /s`} note={`${count(traffic.requests_total)} in all`} />
        <Figure name="Half are faster than" value={milliseconds(traffic.p50_ms)} note="p50" />
        <Figure name="99 % are faster than" value={milliseconds(traffic.p99_ms)} note="p99" />
        <Figure name="Errors" value={traffic.requests_total ? percent(traffic.errors_total / traffic.requests_total, 2) : "–"} note={`${count(traffic.errors_total)} in all`} />
        <Figure name="Replicas" value={`${replicas.ready} of ${Math.max(replicas.min, replicas.ready)}`} note={`${replicas.min} to ${replicas.max} allowed`} />
        <Figure name="Memory" value={bytes(deployment.memory_bytes)} note="of all replicas" />
      </Figures>
      <Tabs label="About this deployment" tabs={[
        { id: "traffic", name: "Traffic", content: () => <Traffic name={name} /> },
        { id: "drift", name: "Drift", content: () => <DriftTab name={name} /> },
        { id: "revisions", name: "Revisions", note: deployment.revisions.length || null, content: () => <Revisions deployment={deployment} /> },
        { id: "replicas", name: "Replicas", note: deployment.workers.length || null, content: () => <Replicas deployment={deployment} /> },
        { id: "settings", name: "Settings", content: () => <Settings deployment={deployment} /> },
      ]} />
      <div className="row"><Link to={`/cases?deployment=${part(name)}`}>Cases of this deployment</Link><Link to={`/findings?deployment=${part(name)}`}>Findings</Link><Link to={`/deployments/${part(name)}/replay`}>Replay failing cases</Link></div>
    </>
  );
}

/// Minutes, and minutes in one point: some 300 points each.
const kSpans = [["60", "the last hour", 1], ["360", "the last 6 hours", 1], ["1440", "the last day", 5], ["10080", "the last week", 30]] as const;

function Traffic({ name }: { name: string }) {
  const [minutes, set_minutes] = useParam("minutes", "60");
  const [zoom_text, set_zoom] = useParam("zoom");
  const zoom = useMemo<[number, number] | null>(() => { const [a, b] = zoom_text.split(":").map(Number); return a && b ? [a, b] : null; }, [zoom_text]);
  const step = kSpans.find(([value]) => value === minutes)?.[2] ?? 1;
  const traffic = useGet<{ step_minutes: number; minutes: TrafficMinute[] }>(["deployments", name, "traffic", minutes], url(`/api/v1/deployments/${part(name)}/traffic`, { minutes, step }), { keep: true, every_ms: 15_000 });
  return (
    <div className="stack">
      <label>Over <select value={minutes} onChange={(event) => { set_minutes(event.target.value); }}>{kSpans.map(([value, words]) => <option key={value} value={value}>{words}</option>)}</select></label>
      <Loaded of={traffic} skeleton={<Skeleton height={300} />}>
        {({ minutes: all, step_minutes }) => {
          const requests = all.reduce((sum, one) => sum + one.requests, 0), errors = all.reduce((sum, one) => sum + one.errors, 0);
          const xs = all.map(({ at }) => Date.parse(at) / 1000);
          const shared = { x_name: "time", x_is: "time" as const, sync: "traffic", height: 170, zoom, on_zoom: (range: [number, number] | null) => set_zoom(range ? `${Math.round(range[0])}:${Math.round(range[1])}` : null) };
          return (
            <>
              <p className="quiet"><span className="num">{count(requests)}</span> requests, <span className="num">{count(errors)}</span> failed{requests > 0 && <> (<span className="num">{percent(errors / requests, 2)}</span>)</>}. {step_minutes > 1 && `Each point is ${step_minutes} minutes. `}Counted by the server, also before it was last started.</p>
              <div className={table.plots}>
                <Plot {...shared} from_zero title="Requests" unit="a minute" lines={[{ label: "requests", color: "var(--c0)", xs, ys: all.map((one) => one.requests / step_minutes) }]} />
                <Plot {...shared} from_zero title="Errors" unit="%" lines={[{ label: "errors", color: "var(--c5)", xs, ys: all.map((one) => (one.requests > 0 ? (100 * one.errors) / one.requests : null)) }]} />
                <Plot {...shared} from_zero title="Time to answer" unit="ms" lines={[{ label: "p99", color: "var(--c1)", xs, ys: all.map(({ p99_ms }) => p99_ms) }, { label: "p50", color: "var(--c0)", xs, ys: all.map(({ p50_ms }) => p50_ms) }]} />
                <Plot {...shared} title="Mean confidence" unit="share" lines={[{ label: "confidence", color: "var(--c6)", xs, ys: all.map(({ confidence_mean }) => confidence_mean) }]} />
              </div>
            </>
          );
        }}
      </Loaded>
    </div>
  );
}

function DriftTab({ name }: { name: string }) {
  const drift = useGet<Drift>(["deployments", name, "drift"], `/api/v1/deployments/${part(name)}/drift`);
  return (
    <Loaded of={drift}>
      {(data) => data.statistics.length === 0 ? <Empty>Nothing is compared yet: it takes some answers, and a reference from the evaluation or the first answers of this version.</Empty> : (
        <div className="stack" style={{ gap: 16 }}>
          <p className="quiet">
            Filled: what was asked lately{data.answers ? ` (${count(data.answers)} answers)` : ""}. Line: the reference{data.reference ? ` (${data.reference})` : ""}.
            Each bin holds about the same share of the reference. A statistic has drifted when its PSI is over its threshold; KS is the largest distance of the two distribution functions.
          </p>
          <div className={css.drifts}>
            {data.statistics.map((one) => (
              <section key={`${one.kind} ${one.name}`}>
                <h2 className="row">{one.name} <span className="quiet">{one.kind}</span> <State of={one.verdict} /></h2>
                <Histogram now={one.current_histogram} reference={one.reference_histogram} name={one.name} />
                <p className="num quiet">PSI {number(one.psi)}, {number(one.threshold)} allowed · KS {number(one.ks)}</p>
              </section>
            ))}
          </div>
        </div>
      )}
    </Loaded>
  );
}

function Revisions({ deployment }: { deployment: Deployment }) {
  return (
    <div className={table.over}>
      <table className={table.values} style={{ maxWidth: 900 }}>
        <thead><tr><th className={table.right}>Revision</th><th>State</th><th>Model</th><th>Member</th><th>Why</th><th className={table.right}>Since</th></tr></thead>
        <tbody>
          {[...deployment.revisions].sort((a, b) => b.number - a.number).map((one) => (
            <tr key={one.id}><td className={`${table.right} num`}>{one.number}</td><td><State of={one.state} /></td><td><Link to={`/models/${part(one.model)}/versions/${one.version}`}>{one.model} {one.version}</Link></td><td>{one.member ?? "–"}</td><td>{[one.reason, one.message].filter(Boolean).join(" · ") || "–"}</td><td className={table.right}><Ago at={one.created_at} /></td></tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Replicas({ deployment }: { deployment: Deployment }) {
  if (deployment.workers.length === 0) return <Empty>No replica runs now.</Empty>;
  return (
    <div className={table.over}>
      <table className={table.values} style={{ maxWidth: 900 }}>
        <thead><tr><th>Replica</th><th>State</th><th className={table.right}>Version</th><th className={table.right}>Process</th><th className={table.right}>Memory</th><th className={table.right}>Started</th></tr></thead>
        <tbody>
          {deployment.workers.map((one) => (
            <tr key={one.id}><td><code>{one.id.slice(0, 12)}</code></td><td><State of={one.state} /></td><td className={`${table.right} num`}>{one.version}</td><td className={`${table.right} num`}>{one.pid ?? "–"}</td><td className={`${table.right} num`}>{bytes(one.memory_bytes)}</td><td className={table.right}><Ago at={one.started_at} /></td></tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Settings({ deployment }: { deployment: Deployment }) {
  const { model, version, alias, replicas, batch, capture, endpoint } = deployment;
  const record = useGet<Version>(["models", model, "version", String(version)], `/api/v1/models/${part(model)}/versions/${version}`, { enabled: version !== null });
  return (
    <Columns>
      <Section title="Serving"><Facts of={[
        ["Endpoint", <code>{server_url()}{endpoint}</code>],
        ["Model", <><Link to={`/models/${part(model)}/versions/${version}`}>{model} version {version}</Link>{alias ? `, follows ${alias}` : ", fixed"}</>],
        ["Replicas", `${replicas.min} to ${replicas.max}`],
        ["Batch", `up to ${batch.max} requests, after ${milliseconds(batch.delay_ms)}`],
        ["Takes", record.data ? record.data.inputs.map((tensor) => `${tensor.name} ${tensor.datatype} ${tensor.shape.map((size) => (size < 0 ? "any" : size)).join(" × ")}`).join(", ") : null],
      ]} /></Section>
      <Section title="Capture"><Facts of={[
        ["Sampled", percent(capture.sample)],
        ["Always kept", (capture.always ?? []).map((one) => one.replace("_", " ")).join(", ") || "nothing"],
        ["Created", <Ago at={deployment.created_at} />],
      ]} /></Section>
    </Columns>
  );
}
