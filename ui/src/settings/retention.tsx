// What of the project's runs is deleted by itself: the rules, what they would delete now, and a form for another one.
import { useState } from "react";
import { useGet, useSend } from "../api/hooks";
import type { Retention, RetentionChoice, RetentionRule } from "../api/types";
import { Ago, Command, Field, Loaded, notify, notify_error } from "../parts/basics";
import { bytes, count, counted } from "../parts/format";
import { Link } from "../app/router";
import table from "../runs/runs.module.css";

export function RetentionRules({ admin }: { admin: boolean }) {
  const rules = useGet<Retention>(["retention", "rules"], "/api/v1/retention");
  const set = useSend<Retention, RetentionRule[]>(["retention"], (all) => ["PUT", "/api/v1/retention", { rules: all }]);
  const preview = useSend<RetentionChoice>([], () => ["POST", "/api/v1/retention/preview", {}]);
  const apply = useSend<RetentionChoice>(["runs", "usage"], () => ["POST", "/api/v1/retention/apply", {}]);
  return (
    <Loaded of={rules}>
      {(data) => (
        <div className="stack" style={{ gap: 16, maxWidth: 900 }}>
          <p>Runs that are pinned (the tag <code>slipway.pinned</code>), not over, or needed by a model version, a commit, an evaluation or another run are never deleted. Deleted runs can be restored until <code>slipway gc</code> removes them for good.</p>
          {data.rules.length === 0 ? <p className="quiet">There are no rules: nothing is deleted by itself.</p> : (
            <ol className="stack" aria-label="Rules, the first that matches an experiment counts">
              {data.sentences.map((sentence, i) => (
                <li key={i} className="row" style={{ justifyContent: "space-between" }}>
                  <span>{sentence}</span>
                  {admin && <button type="button" className="small" onClick={() => set.mutate(data.rules.filter((_, at) => at !== i), { onSuccess: () => { preview.reset(); notify("The rule is gone."); }, onError: notify_error })}>Remove</button>}
                </li>
              ))}
            </ol>
          )}
          {data.updated_at && <p className="quiet">Set by {data.member} <Ago at={data.updated_at} />; {data.applied_at ? <>applied <Ago at={data.applied_at} /></> : "not applied yet"}, every hour.</p>}
          {data.rules.length > 0 && (
            <div className="row">
              <button type="button" disabled={preview.isPending} onClick={() => preview.mutate(undefined, { onError: notify_error })}>What would be deleted now</button>
              {admin && preview.data && preview.data.run_count > 0 && <button type="button" disabled={apply.isPending} onClick={() => apply.mutate(undefined, { onSuccess: ({ run_count }) => { preview.reset(); notify(`${counted(run_count, "run")} went.`); }, onError: notify_error })}>Delete it now</button>}
            </div>
          )}
          {preview.data && <Preview choice={preview.data} />}
          {admin && <NewRule rules={data.rules} add={(all, done) => set.mutate(all, { onSuccess: () => { preview.reset(); done(); notify("The rule is set."); }, onError: notify_error })} />}
          <Command text="slipway retention show" />
        </div>
      )}
    </Loaded>
  );
}

function Preview({ choice }: { choice: RetentionChoice }) {
  return (
    <section className="stack" aria-label="What would be deleted now">
      <p>{counted(choice.run_count, "run")} of {count(choice.looked_at)} ({bytes(choice.bytes)}) would go; {count(choice.needed_count)} more stay because something needs them.</p>
      {choice.runs.length > 0 && (
        <div className={table.over}>
          <table className={table.values}>
            <thead><tr><th>Run</th><th>Experiment</th><th>What goes</th><th className={table.right}>Size</th></tr></thead>
            <tbody>{choice.runs.map((run) => <tr key={run.id}><td><Link to={`/runs/${run.id}`}>{run.name}</Link></td><td>{run.experiment_name}</td><td>{run.deletes === "runs" ? "the run" : "its artifacts"}</td><td className={`${table.right} num`}>{bytes(run.bytes)}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function NewRule({ rules, add }: { rules: RetentionRule[]; add: (all: RetentionRule[], done: () => void) => void }) {
  const [experiment, set_experiment] = useState("*");
  const [best, set_best] = useState("5");
  const [metric, set_metric] = useState("");
  const [goal, set_goal] = useState<"minimize" | "maximize">("minimize");
  const [last, set_last] = useState("10");
  const [days, set_days] = useState("30");
  const [deletes, set_deletes] = useState<"artifacts" | "runs">("artifacts");
  const rule: RetentionRule = { experiment, keep_last: Number(last), after_days: Number(days), delete: deletes, ...(metric ? { keep_best: Number(best), metric, goal } : {}) };
  return (
    <form className="stack" aria-label="Another rule" onSubmit={(event) => { event.preventDefault(); add([...rules, rule], () => set_metric("")); }}>
      <h2>Another rule</h2>
      <Field name="Experiment" hint="* stands for any text"><input value={experiment} required onChange={(event) => set_experiment(event.target.value)} /></Field>
      <div className="row" style={{ alignItems: "start" }}>
        <Field name="Keep the best"><input type="number" min={1} value={best} disabled={!metric} onChange={(event) => set_best(event.target.value)} /></Field>
        <Field name="by the latest value of" hint="A metric; without one no run is best."><input value={metric} placeholder="val_loss" onChange={(event) => set_metric(event.target.value)} /></Field>
        <Field name="which should be"><select value={goal} disabled={!metric} onChange={(event) => set_goal(event.target.value as "minimize" | "maximize")}><option value="minimize">small</option><option value="maximize">large</option></select></Field>
        <Field name="and the last"><input type="number" min={0} value={last} onChange={(event) => set_last(event.target.value)} /></Field>
      </div>
      <div className="row" style={{ alignItems: "start" }}>
        <Field name="Delete of the others"><select value={deletes} onChange={(event) => set_deletes(event.target.value as "artifacts" | "runs")}><option value="artifacts">the artifacts</option><option value="runs">the whole run</option></select></Field>
        <Field name="so many days after they ended"><input type="number" min={0} step="any" required value={days} onChange={(event) => set_days(event.target.value)} /></Field>
      </div>
      <div><button type="submit" className="primary">Add the rule</button></div>
    </form>
  );
}
