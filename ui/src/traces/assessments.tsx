// What was said of a trace: marks in lists, and the form and list on its page.
import { useState } from "react";
import { part } from "../api/client";
import { useSend } from "../api/hooks";
import type { Assessment } from "../api/types";
import { Ago, Empty, Field, notify, notify_error } from "../parts/basics";
import css from "./traces.module.css";
import { readable } from "./tree";

/// Good and bad as people mean it: yes and no, in a shape that says the same without colour.
function mood(value: unknown): "good" | "bad" | "none" {
  const text = typeof value === "string" ? value.toLowerCase() : value;
  return text === true || text === "yes" || text === "true" ? "good" : text === false || text === "no" || text === "false" ? "bad" : "none";
}

export function AssessmentMark({ of }: { of: Assessment }) {
  const kind = of.kind === "feedback" ? mood(of.value) : "none";
  const text = of.error ? "failed" : typeof of.value === "string" ? of.value : JSON.stringify(of.value);
  return <span className={`${css.mark} ${css[kind] ?? ""}`} title={of.rationale ?? undefined}>{kind === "good" ? "✓ " : kind === "bad" ? "✗ " : ""}{of.name}: {text}</span>;
}

/// The value as JSON where it reads as such, else as text.
function value_of(text: string): unknown {
  try { const value: unknown = JSON.parse(text); return value ?? text; } catch { return text; }
}

export function Assessments({ trace, all }: { trace: string; all: Assessment[] }) {
  const [name, set_name] = useState("quality");
  const [value, set_value] = useState("");
  const [why, set_why] = useState("");
  const add = useSend<Assessment>(["traces"], () => ["POST", `/api/v1/traces/${part(trace)}/assessments`, { name, value: value_of(value), rationale: why }]);
  const remove = useSend<unknown, string>(["traces"], (id) => ["DELETE", `/api/v1/traces/${part(trace)}/assessments/${part(id)}`]);
  return (
    <div className="stack">
      {all.length === 0 && <Empty>Nobody has said anything of this trace.</Empty>}
      <ul className={css.assessments}>
        {all.map((one) => (
          <li key={one.id} className={one.valid ? "" : css.overridden}>
            <AssessmentMark of={one} /> <span className="quiet">{one.kind}{one.source.id ? ` by ${one.source.id}` : ""}, <Ago at={one.created_at} />{one.valid ? "" : ", overridden"}</span>
            <button type="button" className="plain small" aria-label={`Take back ${one.name}`} onClick={() => remove.mutate(one.id, { onSuccess: () => notify("The assessment is taken back."), onError: notify_error })}>Take back</button>
            {one.rationale && <p>{one.rationale}</p>}
            {one.kind === "expectation" && <pre tabIndex={0}>{readable(one.value)}</pre>}
          </li>
        ))}
      </ul>
      <form className="row" onSubmit={(event) => { event.preventDefault(); if (name && value) add.mutate(undefined, { onSuccess: () => { set_value(""); set_why(""); notify("The assessment is kept."); }, onError: notify_error }); }}>
        <Field name="What is judged"><input value={name} onChange={(event) => set_name(event.target.value)} /></Field>
        <Field name="Value"><input value={value} placeholder="true, 0.8, good" onChange={(event) => set_value(event.target.value)} /></Field>
        <Field name="Why"><input value={why} onChange={(event) => set_why(event.target.value)} /></Field>
        <button type="submit" disabled={!name || !value}>Assess</button>
      </form>
    </div>
  );
}
