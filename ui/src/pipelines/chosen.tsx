// The pipeline that is looked at: whether it starts by itself, what each trigger waits for, and a button that starts it now.
import { useEffect, useState } from "react";
import { part } from "../api/client";
import { useSend } from "../api/hooks";
import type { Pipeline, PipelineTrigger } from "../api/types";
import { quoted } from "../app/page";
import { Link } from "../app/router";
import { Ago, Command, notify, notify_error, State } from "../parts/basics";
import { StartDialog, start_stored } from "./start";
import css from "./pipelines.module.css";
import table from "../runs/runs.module.css";

export function Chosen({ pipeline }: { pipeline: Pipeline }) {
  const { name, enabled, stored, triggers } = pipeline;
  const [starting, set_starting] = useState(false);
  const change = useSend<Pipeline, boolean>(["pipelines"], (wanted) => ["PATCH", `/api/v1/pipelines/${part(name)}`, { enabled: wanted }]);
  // What was clicked is shown at once, until the list says it, too.
  const [wished, set_wished] = useState<boolean | null>(null);
  useEffect(() => { if (wished === enabled) set_wished(null); }, [wished, enabled]);
  const set_enabled = (wanted: boolean) => {
    set_wished(wanted);
    change.mutate(wanted, {
      onSuccess: () => notify(wanted ? `${name} starts by itself from now on.` : `${name} starts only when somebody starts it.`, { undo: () => set_enabled(!wanted) }),
      onError: (error) => { set_wished(null); notify_error(error); },
    });
  };
  if (!stored) return <div className={css.chosen}><p className="quiet">The server knows {name} only from its runs. To start it from here, or by triggers, store it from a working copy:</p><Command text={`slipway pipelines enable ${quoted(name)}`} /></div>;
  return (
    <section className={css.chosen} aria-label={`The pipeline ${name}`}>
      <div className="row">
        <button type="button" className="primary" onClick={() => set_starting(true)}>Run {name}</button>
        {triggers.length > 0 && <label><input type="checkbox" role="switch" checked={wished ?? enabled} onChange={(event) => set_enabled(event.target.checked)} /> starts by itself</label>}
        <span className="quiet">stored by {pipeline.member} <Ago at={pipeline.updated_at} /></span>
      </div>
      {triggers.length > 0 && <Triggers of={triggers} />}
      {starting && <StartDialog start={start_stored(name)} onClose={() => set_starting(false)} />}
    </section>
  );
}

function Triggers({ of }: { of: PipelineTrigger[] }) {
  return (
    <div className={table.over} tabIndex={0} role="region" aria-label="Triggers">
      <table className={table.values}>
        <thead><tr><th>Trigger</th><th>State</th><th>Fired</th><th>Next</th><th>Because</th></tr></thead>
        <tbody>
          {of.map((trigger) => (
            <tr key={trigger.name}>
              <td>{trigger.name}</td><td><State of={trigger.state} /></td>
              <td>{trigger.pipeline_run_id ? <Link to={`/pipelines/${trigger.pipeline_run_id}`}><Ago at={trigger.fired_at} /></Link> : <span className="quiet">never</span>}</td>
              <td>{trigger.next_at ? <time dateTime={trigger.next_at} className="num">{trigger.next_at.slice(0, 16).replace("T", " ")} UTC</time> : "–"}</td><td>{trigger.message || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
