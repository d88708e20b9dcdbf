// Starts a pipeline: the stored one, or one that ran before. Parameters can be changed before.
import { useState } from "react";
import { part } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { PipelineDefinition, PipelineRun, StepParameter } from "../api/types";
import { quoted } from "../app/page";
import { navigate } from "../app/router";
import { Command, Dialog, Field, Loaded } from "../parts/basics";
import { changed, editable, shown, words, type Given } from "./parameters";
import css from "./pipelines.module.css";

/// What is started, how the server is told, and which command does the same.
export interface Start { title: string; definition: string; path: string; body: Record<string, unknown>; command: string }

export const start_stored = (name: string): Start => ({
  title: `Run ${name}`, definition: `/api/v1/pipelines/${part(name)}/definition`, path: "/api/v1/pipeline_runs", body: { pipeline: name }, command: `slipway pipelines run ${quoted(name)} --stored`,
});
export const start_again = (run: PipelineRun, from: "start" | "failed"): Start => ({
  title: from === "start" ? `Run ${run.pipeline} again` : `Run the rest of ${run.pipeline}`, definition: `/api/v1/pipeline_runs/${run.id}/definition`, path: `/api/v1/pipeline_runs/${run.id}/rerun`,
  body: { from }, command: `slipway pipelines rerun ${run.id}${from === "failed" ? " --from failed" : ""}`,
});

export function StartDialog({ start, onClose }: { start: Start; onClose: () => void }) {
  const definition = useGet<PipelineDefinition>(["pipelines", start.definition], start.definition);
  return <Dialog title={start.title} onClose={onClose}><Loaded of={definition}>{(data) => <Form start={start} definition={data} onClose={onClose} />}</Loaded></Dialog>;
}

function Form({ start, definition, onClose }: { start: Start; definition: PipelineDefinition; onClose: () => void }) {
  const [given, set_given] = useState<Given>({});
  const parameters = changed(definition, given);
  const send = useSend<PipelineRun>(["pipelines"], () => ["POST", start.path, { ...start.body, parameters }]);
  const nodes = editable(definition);
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); send.mutate(undefined, { onSuccess: (run) => { onClose(); navigate(`/pipelines/${run.id}`); } }); }}>
      {nodes.length === 0 && <p className="quiet">No step of it has parameters.</p>}
      {nodes.map((node) => (
        <fieldset key={node.name} className="plain">
          <legend>{node.name}</legend>
          <div className={css.fields}>
            {node.parameters.map((parameter) => (
              <Value key={parameter.name} parameter={parameter} text={given[node.name]?.[parameter.name] ?? shown(parameter.value)}
                set={(text) => set_given({ ...given, [node.name]: { ...given[node.name], [parameter.name]: text } })} />
            ))}
          </div>
        </fieldset>
      ))}
      {send.error && <p role="alert">{send.error.message}</p>}
      <Command text={[start.command, ...words(parameters).map(quoted)].join(" ")} />
      <div><button type="submit" className="primary" disabled={send.isPending}>Start</button></div>
    </form>
  );
}

function Value({ parameter, text, set }: { parameter: StepParameter; text: string; set: (text: string) => void }) {
  const choices = parameter.type === "boolean" ? ["true", "false"] : parameter.choices.map(shown);
  const limits = [parameter.min !== null && `at least ${parameter.min}`, parameter.max !== null && `at most ${parameter.max}`].filter(Boolean).join(", ");
  return (
    <Field name={parameter.name} hint={[parameter.help, limits].filter(Boolean).join(" · ") || parameter.type}>
      {choices.length > 0
        ? <select value={text} onChange={(event) => set(event.target.value)}>{choices.map((one) => <option key={one} value={one}>{one}</option>)}</select>
        : <input value={text} inputMode={parameter.type === "float" || parameter.type === "integer" ? "decimal" : "text"} onChange={(event) => set(event.target.value)} />}
    </Field>
  );
}
