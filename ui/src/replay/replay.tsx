// The requests that failed before are asked again: does the version that answers now get them right?
import { useRef, useState } from "react";
import { ask, part, url } from "../api/client";
import { useGet, useList } from "../api/hooks";
import type { Case, Deployment, Version } from "../api/types";
import { useBack } from "../app/keys";
import { curl, quoted, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link, navigate, useParam } from "../app/router";
import { Empty, Figure, Figures, Loaded, Problem, State } from "../parts/basics";
import { Head, ScrollPage, Section } from "../parts/detail";
import { count, counted, percent } from "../parts/format";
import { ImageGrid } from "../parts/images";
import { ranked, type InferAnswer } from "../deployments/answer";
import { outcome_of, summary, type Asked } from "./outcome";
import css from "./replay.module.css";

const kAtOnce = 4;
const kStates: [Case["state"], string][] = [["held_out", "Held out"], ["sent", "Sent to a dataset"], ["labelled", "Labelled"]];

export default function Replay({ name = "" }: Record<string, string>) {
  const deployment = useGet<Deployment>(["deployments", name, "record"], `/api/v1/deployments/${part(name)}`);
  const { data } = deployment;
  const version = useGet<Version>(["models", data?.model ?? "", "version", String(data?.version)], `/api/v1/models/${part(data?.model ?? "")}/versions/${data?.version}`, { enabled: !!data?.version });
  useBack(`/deployments/${part(name)}`);
  usePage([{ name: "Deployments", to: "/deployments" }, { name, to: `/deployments/${part(name)}` }, { name: "Replay" }], [
    { what: "List the cases that were held out", cli: `slipway cases list --deployment ${quoted(name)} --state held_out`, curl: curl(url("/api/v1/cases", { deployment: name, state: "held_out" })) },
    { what: "Ask one of them again", curl: `curl ${server_url()}/api/v1/blobs/INPUT_HASH | \\\n  curl -X POST -H 'Content-Type: image/png' --data-binary @- \\\n  ${quoted(`${server_url()}/v2/models/${part(name)}/infer`)}` },
  ]);
  return (
    <ScrollPage>
      <Loaded of={deployment} page>
        {(one) => (
          <>
            <Head title={`Replay cases of ${name}`} state={<><State of={one.state} /><span className="quiet">{one.model} version {one.version ?? "none yet"} answers now</span></>} />
            <Cases name={name} labels={version.data?.labels ?? null} version={one.version} />
          </>
        )}
      </Loaded>
    </ScrollPage>
  );
}

function Cases({ name, labels, version }: { name: string; labels: string[] | null; version: number | null }) {
  const [state, set_state] = useParam("state", "held_out");
  const cases = useList<Case>(["cases", "list", "replay"], "/api/v1/cases", "cases", { deployment: name, state });
  const usable = cases.rows.filter(({ label, input_hash }) => label !== null && !!input_hash);
  return (
    <Section title="Which" note={<span className="quiet">asked through the endpoint like any request, so they count in its traffic</span>}>
      <div className="row" role="group" aria-label="Which cases">
        {kStates.map(([value, words]) => <button key={value} type="button" aria-pressed={state === value} onClick={() => set_state(value)}>{words}</button>)}
        <span className="num quiet" role="status">{cases.loading ? "" : `${counted(usable.length, "case")} with a label and a request${cases.more ? " loaded" : ""}`}</span>
        {cases.more && <button type="button" className="small" onClick={cases.load_more}>Load more</button>}
      </div>
      {cases.error && <Problem error={cases.error} again={cases.again} />}
      {!cases.loading && usable.length === 0 && !cases.error && <Empty command={`slipway cases send DATASET --deployment ${quoted(name)} --hold-out 0.3`}>There is no such case. Labelled cases that are sent to a dataset leave some held out:</Empty>}
      {usable.length > 0 && <Bench key={state} name={name} cases={usable} labels={labels} version={version} />}
    </Section>
  );
}

function Bench({ name, cases, labels, version }: { name: string; cases: Case[]; labels: string[] | null; version: number | null }) {
  const [asked, set_asked] = useState<Asked[]>([]);
  const [running, set_running] = useState(false);
  const [error, set_error] = useState<Error | null>(null);
  const stopped = useRef(false);
  const go = async () => {
    const done: Asked[] = [];
    const waiting = [...cases];
    stopped.current = false;
    set_asked([]);
    set_error(null);
    set_running(true);
    const work = async () => {
      for (let one = waiting.shift(); one && !stopped.current; one = waiting.shift()) {
        done.push(await ask_again(name, one, labels));
        set_asked([...done]);
      }
    };
    try {
      await Promise.all(Array.from({ length: kAtOnce }, work));
    } catch (problem) {
      stopped.current = true;
      set_error(problem as Error);
    }
    set_running(false);
  };
  const { right, fixed, broken } = summary(asked);
  const wrong = asked.filter(({ outcome }) => outcome !== "right" && outcome !== "fixed");
  return (
    <div className="stack" style={{ gap: 16 }}>
      <div className="row">
        <button type="button" className="primary" disabled={running || version === null} onClick={() => void go()}>{asked.length > 0 ? "Ask again" : `Ask ${counted(cases.length, "case")} again`}</button>
        {running && <button type="button" onClick={() => { stopped.current = true; }}>Stop</button>}
        {(running || asked.length > 0) && <><progress className={css.bar} value={asked.length} max={cases.length} aria-label="Asked" /><span className="num quiet">{count(asked.length)} of {count(cases.length)}</span></>}
      </div>
      {error && <Problem error={error} again={() => void go()} />}
      {asked.length > 0 && (
        <>
          <div role="status" aria-live="polite">
            <Figures>
              <Figure name="Right now" value={percent(right / asked.length)} note={`${count(right)} of ${counted(asked.length, "case")}`} />
              <Figure name="Now right" value={count(fixed)} note="were wrong before" />
              <Figure name="Now wrong" value={count(broken)} note="were right before" />
            </Figures>
          </div>
          {wrong.length > 0 && (
            <Section title="Still wrong" note={<span className="num quiet">{counted(wrong.length, "case")}</span>}>
              <div className={css.grid}>
                <ImageGrid
                  label="Still wrong" size={96} open={(id) => navigate(`/cases/${id}`)}
                  tiles={wrong.map(({ one, prediction, confidence }) => ({
                    key: one.id, hash: one.media_type?.startsWith("image/") ? one.input_hash : null, mark: "bad" as const, name: `label ${one.label}, answered ${prediction}`,
                    caption: <><div>{one.label} <span className="quiet">read as</span> <strong>{prediction}</strong></div><div className="num quiet">{percent(confidence, 0)}</div></>,
                  }))}
                />
              </div>
            </Section>
          )}
          {wrong.length === 0 && !running && <p>All of them are right now. <Link to={`/deployments/${part(name)}`}>Back to {name}</Link></p>}
        </>
      )}
    </div>
  );
}

/// The request's own bytes, once more to the endpoint.
async function ask_again(name: string, one: Case, labels: string[] | null): Promise<Asked> {
  const body = await (await ask(`/api/v1/blobs/${one.input_hash}`, { headers: { Accept: "*/*" } })).blob();
  const response = await ask(`/v2/models/${part(name)}/infer`, { method: "POST", body, headers: { "Content-Type": one.media_type || "application/json" } });
  const best = ranked(((await response.json()) as InferAnswer).outputs[0], labels)?.classes[0];
  if (!best) throw new Error("The model's first output is not one row of classes, so nothing can be held against a label.");
  return { one, prediction: best.label, confidence: best.probability, outcome: outcome_of(one, best.label) };
}
