// Ask a deployment by hand: draw, drop a picture, or write JSON; see what it answers, say whether it is right, ask why.
import { useCallback, useEffect, useMemo, useState } from "react";
import { ApiError, ask, part } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { Deployment, Version } from "../api/types";
import { curl, quoted, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link } from "../app/router";
import { Empty, Loaded, notify, notify_error, Problem, State, Tabs } from "../parts/basics";
import { Code } from "../parts/code";
import { Head, ScrollPage, Section } from "../parts/detail";
import { milliseconds, number, percent } from "../parts/format";
import { picture_size, ranked, type InferAnswer } from "./answer";
import { Drawing } from "./drawing";
import css from "./deployments.module.css";

interface Outcome { answer: InferAnswer; id: string | null; took_ms: number; picture: string | null }

export default function TryIt({ name = "" }: Record<string, string>) {
  const deployment = useGet<Deployment>(["deployments", name, "record"], `/api/v1/deployments/${part(name)}`);
  const { data } = deployment;
  const version = useGet<Version>(["models", data?.model ?? "", "version", String(data?.version)], `/api/v1/models/${part(data?.model ?? "")}/versions/${data?.version}`, { enabled: !!data?.version });
  const endpoint = `/v2/models/${part(name)}/infer`;
  usePage([{ name: "Deployments", to: "/deployments" }, { name, to: `/deployments/${part(name)}` }, { name: "Try it" }], [
    { what: "Ask with a picture", curl: `curl -X POST -H 'Content-Type: image/png' \\\n  --data-binary @digit.png ${quoted(server_url() + endpoint)}`, python: `import urllib.request\n\nrequest = urllib.request.Request("${server_url()}${endpoint}",\n    data=open("digit.png", "rb").read(), headers={"Content-Type": "image/png"})\nanswer = urllib.request.urlopen(request)\nprint(answer.headers["X-Slipway-Answer-Id"], answer.read())` },
    { what: "Ask with numbers", curl: curl(endpoint, { method: "POST", json: { inputs: [{ name: version.data?.inputs[0]?.name ?? "x", datatype: version.data?.inputs[0]?.datatype ?? "FP32", shape: [1, 2], data: [0, 1] }] } }) },
    { what: "Say that an answer was wrong", curl: curl("/api/v1/feedback", { method: "POST", json: { answer_id: "ANSWER", correct: false, label: "3" } }) },
  ]);
  return (
    <ScrollPage>
      <Loaded of={deployment} page>
        {(one) => (
          <>
            <Head title={`Try ${name}`} state={<><State of={one.state} /><span className="quiet">{one.model} version {one.version ?? "none yet"}</span></>} />
            {version.data && <Bench name={name} version={version.data} />}
            {version.error && <Problem error={version.error} />}
          </>
        )}
      </Loaded>
    </ScrollPage>
  );
}

function Bench({ name, version }: { name: string; version: Version }) {
  const [outcome, set_outcome] = useState<Outcome | null>(null);
  const [error, set_error] = useState<ApiError | null>(null);
  const [busy, set_busy] = useState(false);
  const endpoint = `/v2/models/${part(name)}/infer`;

  const infer = useCallback(async (body: Blob | string, type: string) => {
    set_busy(true);
    const began = performance.now();
    try {
      const response = await ask(endpoint, { method: "POST", body, headers: { "Content-Type": type } });
      const answer = (await response.json()) as InferAnswer;
      const named = answer.parameters?.["slipway_answer_id"];
      set_outcome({
        answer, took_ms: performance.now() - began, picture: typeof body === "string" ? null : URL.createObjectURL(body),
        id: response.headers.get("X-Slipway-Answer-Id") ?? (typeof named === "string" ? named : null),
      });
      set_error(null);
    } catch (problem) {
      set_error(problem as ApiError);
    } finally {
      set_busy(false);
    }
  }, [endpoint]);
  const ask_picture = useCallback((picture: Blob | null) => { if (picture) void infer(picture, picture.type || "image/png"); }, [infer]);

  const size = picture_size(version.inputs[0]?.shape ?? []);
  return (
    <div className={css.tryit}>
      <Tabs label="How to ask" param="by" tabs={[
        ...(size && size.width <= 280 ? [{ id: "draw", name: "Draw", content: () => <Drawing width={size.width} height={size.height} on_picture={ask_picture} /> }] : []),
        { id: "picture", name: "Picture", content: () => <Drop on_file={ask_picture} /> },
        { id: "json", name: "JSON", content: () => <JsonBody version={version} busy={busy} on_ask={(text) => void infer(text, "application/json")} /> },
      ]} />
      <div className="stack" style={{ gap: 16 }} aria-live="polite">
        {error && <Problem error={error} />}
        {outcome ? <Answer outcome={outcome} version={version} key={outcome.id ?? ""} /> : !error && <Empty>Draw or drop something on the left; the answer stands here.</Empty>}
      </div>
    </div>
  );
}

function Drop({ on_file }: { on_file: (file: Blob) => void }) {
  const [over, set_over] = useState(false);
  useEffect(() => {
    const paste = (event: ClipboardEvent) => { const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/")); if (file) on_file(file); };
    window.addEventListener("paste", paste);
    return () => window.removeEventListener("paste", paste);
  }, [on_file]);
  return (
    <div
      className={`${css.drop} ${over ? css.over : ""} stack`} onDragOver={(event) => { event.preventDefault(); set_over(true); }} onDragLeave={() => set_over(false)}
      onDrop={(event) => { event.preventDefault(); set_over(false); const file = event.dataTransfer.files[0]; if (file) on_file(file); }}
    >
      <p>Drop a picture here, paste one, or choose a file. It is sent as it is; the server decodes it.</p>
      <input type="file" accept="image/*" aria-label="Choose a picture" onChange={(event) => { const file = event.target.files?.[0]; if (file) on_file(file); }} />
    </div>
  );
}

function JsonBody({ version, busy, on_ask }: { version: Version; busy: boolean; on_ask: (text: string) => void }) {
  const [text, set_text] = useState(() => example(version));
  const problem = useMemo(() => { try { JSON.parse(text); return null; } catch (error) { return (error as Error).message; } }, [text]);
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); on_ask(text); }}>
      <textarea rows={16} className="num" style={{ whiteSpace: "pre", overflow: "auto" }} aria-label="Request in JSON" spellCheck={false} value={text} onChange={(event) => set_text(event.target.value)} />
      {problem && <p role="alert">{problem}</p>}
      <div><button type="submit" className="primary" disabled={!!problem || busy}>Ask</button></div>
    </form>
  );
}

/// A request of zeros in the shapes the model declares.
function example(version: Version): string {
  const inputs = version.inputs.map(({ name, datatype, shape }) => {
    const sizes = shape.map((size) => (size < 0 ? 1 : size));
    const length = sizes.reduce((a, b) => a * b, 1);
    return `    {"name": ${JSON.stringify(name)}, "datatype": ${JSON.stringify(datatype)}, "shape": ${JSON.stringify(sizes)},\n     "data": [${Array(Math.min(length, 20_000)).fill(datatype === "BYTES" ? '""' : 0).join(", ")}]}`;
  });
  return `{\n  "inputs": [\n${inputs.join(",\n")}\n  ]\n}`;
}

const kClassesShown = 12;

function Answer({ outcome, version }: { outcome: Outcome; version: Version }) {
  const { answer, id, took_ms, picture } = outcome;
  const classes = ranked(answer.outputs[0], version.labels);
  return (
    <>
      <div className="row" style={{ alignItems: "flex-start", gap: 24 }}>
        {picture && <figure><img src={picture} alt="What was sent" className={css.seen} width={140} /><figcaption className="quiet">what was sent</figcaption></figure>}
        <div className="stack">
          {classes && <p style={{ fontSize: 20, fontWeight: 600 }}>{classes.classes[0]!.label} <span className="num quiet" style={{ fontSize: 14 }}>{percent(classes.classes[0]!.probability)}</span></p>}
          <p className="quiet num">{milliseconds(took_ms)} there and back · version {answer.model_version ?? version.version}</p>
          {id && <p><Link to={`/why/${part(id)}`}>Why this answer</Link> <code className="quiet">{id}</code></p>}
        </div>
      </div>
      {id && <Feedback id={id} labels={version.labels} answered={classes?.classes[0]?.label ?? null} />}
      {classes ? (
        <Section title="Probabilities" note={classes.softmaxed ? <span className="quiet">softmax of the model's numbers</span> : undefined}>
          <ul className={css.bars}>
            {classes.classes.slice(0, kClassesShown).map(({ label, probability, raw }) => (
              <li key={label} title={`${label}: ${number(raw)}`}><span className="clip">{label}</span><span><i style={{ width: `${probability * 100}%` }} /></span><span className="num">{percent(probability)}</span></li>
            ))}
          </ul>
          {classes.classes.length > kClassesShown && <p className="quiet">and {classes.classes.length - kClassesShown} less likely ones</p>}
        </Section>
      ) : <Section title="Output"><Code name="answer.json" text={JSON.stringify(answer, null, 2)} /></Section>}
    </>
  );
}

function Feedback({ id, labels, answered }: { id: string; labels: string[] | null; answered: string | null }) {
  const [said, set_said] = useState(false);
  const [label, set_label] = useState("");
  const tell = useSend<{ case_id: string }, { correct: boolean; label?: string }>(["cases"], (body) => ["POST", "/api/v1/feedback", { answer_id: id, ...body }]);
  const say = (body: { correct: boolean; label?: string }) => tell.mutate(body, {
    onSuccess: ({ case_id }) => { set_said(true); notify(<>Thank you. It is kept{case_id && <> as <Link to={`/cases/${case_id}`}>a case</Link></>}.</>); }, onError: notify_error,
  });
  if (said) return <p className="quiet">Your feedback is kept.</p>;
  return (
    <form className="row" onSubmit={(event) => { event.preventDefault(); if (label) say({ correct: false, label }); }}>
      <button type="button" onClick={() => say({ correct: true, ...(answered ? { label: answered } : {}) })}>Right</button>
      <label>Wrong, it is {labels
        ? <select value={label} onChange={(event) => set_label(event.target.value)}><option value="">choose</option>{labels.filter((one) => one !== answered).map((one) => <option key={one}>{one}</option>)}</select>
        : <input value={label} size={10} onChange={(event) => set_label(event.target.value)} />}</label>
      <button type="submit" disabled={!label}>Send</button>
    </form>
  );
}
