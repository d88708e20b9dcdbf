// From production back to the data: the labelled cases become samples on a branch, a part is held out as a named slice.
import { useState } from "react";
import { part } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { Dataset, Deployment, SentCases } from "../api/types";
import { quoted } from "../app/page";
import { Link } from "../app/router";
import { Command, Dialog, Empty, Field, notify } from "../parts/basics";
import { count, counted, percent } from "../parts/format";

export function SendDialog({ selected, deployment: shown, onClose, onSent }: { selected: string[]; deployment: string; onClose: () => void; onSent: () => void }) {
  const datasets = useGet<{ datasets: Dataset[] }>(["datasets", "list", "all"], "/api/v1/datasets?page_size=1000");
  const deployments = useGet<{ deployments: Deployment[] }>(["deployments", "list", "all"], "/api/v1/deployments?page_size=1000");
  const [dataset, set_dataset] = useState("");
  const [of, set_of] = useState(shown);
  const [branch, set_branch] = useState("failing");
  const [hold_out, set_hold_out] = useState(0.3);
  const [hold_out_branch, set_hold_out_branch] = useState("test");
  const [slice, set_slice] = useState("failing");
  const deployment = of || deployments.data?.deployments[0]?.name || "";
  const chosen = dataset || datasets.data?.datasets.find(({ name }) => name === deployment)?.name || datasets.data?.datasets[0]?.name || "";
  const which = selected.length ? { case_ids: selected } : { deployment };
  const send = useSend<SentCases>(["cases", "datasets", "overview"], () => ["POST", "/api/v1/cases/send", { ...which, dataset: chosen, branch, hold_out, ...(hold_out > 0 ? { hold_out_branch, slice } : {}) }]);
  if (datasets.data && datasets.data.datasets.length === 0) return <Dialog title="Send cases to a dataset" onClose={onClose}><Empty command="slipway data add digits images/">There is no dataset to send them to.</Empty></Dialog>;
  return (
    <Dialog title="Send cases to a dataset" onClose={onClose}>
      <p>{selected.length ? `The ${count(selected.length)} selected cases become samples.` : "All labelled cases of a deployment become samples. Select some before to send only those."}</p>
      <form className="stack" onSubmit={(event) => {
        event.preventDefault();
        send.mutate(undefined, { onSuccess: ({ commit_id, sent, held_out }) => {
          onClose();
          onSent();
          notify(<><Link to={`/datasets/${part(chosen)}/commits/${part(branch)}`}>{branch} of {chosen}</Link> is now {commit_id.slice(0, 8)}: {counted(sent.length, "case")} sent, {counted(held_out.length, "case")} held out{held_out.length > 0 ? ` as ${slice}` : ""}.</>);
        } });
      }}>
        {selected.length === 0 && <Field name="Deployment"><select value={deployment} onChange={(event) => set_of(event.target.value)}>{deployments.data?.deployments.map(({ id, name }) => <option key={id}>{name}</option>)}</select></Field>}
        <Field name="Dataset"><select value={chosen} onChange={(event) => set_dataset(event.target.value)}>{datasets.data?.datasets.map(({ id, name }) => <option key={id}>{name}</option>)}</select></Field>
        <Field name="Branch" hint="Made from main when it does not exist."><input value={branch} required onChange={(event) => set_branch(event.target.value)} /></Field>
        <Field name={`Held out for the test: ${percent(hold_out, 0)}`} hint="These are not trained on; the next model must pass on them."><input type="range" min={0} max={0.9} step={0.05} value={hold_out} onChange={(event) => set_hold_out(Number(event.target.value))} /></Field>
        {hold_out > 0 && (
          <div className="row" style={{ alignItems: "flex-start" }}>
            <Field name="Held out on branch"><input value={hold_out_branch} required onChange={(event) => set_hold_out_branch(event.target.value)} /></Field>
            <Field name="As the slice"><input value={slice} required onChange={(event) => set_slice(event.target.value)} /></Field>
          </div>
        )}
        {send.error && <p role="alert">{send.error.message}</p>}
        <Command text={[
          "slipway cases send", quoted(chosen), ...selected.slice(0, 3), selected.length > 3 ? "…" : "", selected.length ? "" : `--deployment ${quoted(deployment)}`, `--branch ${quoted(branch)}`,
          hold_out > 0 ? `--hold-out ${hold_out} --hold-out-branch ${quoted(hold_out_branch)} --slice ${quoted(slice)}` : "",
        ].filter(Boolean).join(" ")} />
        <div><button type="submit" className="primary" disabled={!chosen || (selected.length === 0 && !deployment) || send.isPending}>Send</button></div>
      </form>
    </Dialog>
  );
}
