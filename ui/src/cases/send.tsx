// From production back to the data: the labelled cases become samples on a branch, a part is held out as a named slice.
import { useState } from "react";
import { part } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { Commit, Dataset } from "../api/types";
import { quoted } from "../app/page";
import { Link } from "../app/router";
import { Command, Dialog, Empty, Field, notify } from "../parts/basics";
import { count, counted, percent } from "../parts/format";

export function SendDialog({ selected, query, deployment, onClose, onSent }: { selected: string[]; query: { state: string; filter: string }; deployment: string; onClose: () => void; onSent: () => void }) {
  const datasets = useGet<{ datasets: Dataset[] }>(["datasets", "list", "all"], "/api/v1/datasets?page_size=1000");
  const [dataset, set_dataset] = useState("");
  const [branch, set_branch] = useState("failing");
  const [hold_out, set_hold_out] = useState(0.3);
  const [slice, set_slice] = useState("failing");
  const chosen = dataset || datasets.data?.datasets.find(({ name }) => name === deployment)?.name || datasets.data?.datasets[0]?.name || "";
  const filter = [query.filter, deployment && `deployment = '${deployment.replace(/'/g, "''")}'`, "state = 'labelled'"].filter(Boolean).join(" and ");
  const which = selected.length ? { case_ids: selected } : { filter };
  const send = useSend<{ commit: Commit; held_out: string[] }>(["cases", "datasets", "overview"], () => ["POST", "/api/v1/cases/send", { ...which, dataset: chosen, branch, hold_out, slice }]);
  if (datasets.data && datasets.data.datasets.length === 0) return <Dialog title="Send cases to a dataset" onClose={onClose}><Empty command="slipway data add digits images/">There is no dataset to send them to.</Empty></Dialog>;
  return (
    <Dialog title="Send cases to a dataset" onClose={onClose}>
      <p>{selected.length ? `The ${count(selected.length)} selected cases; those without a label are refused.` : "All labelled cases that match what is shown. Select some to send only those."}</p>
      <form className="stack" onSubmit={(event) => {
        event.preventDefault();
        send.mutate(undefined, { onSuccess: ({ commit, held_out }) => {
          onClose();
          onSent();
          notify(<><Link to={`/datasets/${part(chosen)}/commits/${part(branch)}`}>{branch} of {chosen}</Link> is now {commit.id.slice(0, 8)}, {counted(commit.sample_count, "sample")}; {counted(held_out.length, "case")} held out as {slice}.</>);
        } });
      }}>
        <Field name="Dataset"><select value={chosen} onChange={(event) => set_dataset(event.target.value)}>{datasets.data?.datasets.map(({ id, name }) => <option key={id}>{name}</option>)}</select></Field>
        <Field name="Branch" hint="Made from main when it does not exist."><input value={branch} required onChange={(event) => set_branch(event.target.value)} /></Field>
        <Field name={`Held out for the test: ${percent(hold_out, 0)}`} hint="These are not trained on; the next model must pass on them."><input type="range" min={0} max={0.9} step={0.05} value={hold_out} onChange={(event) => set_hold_out(Number(event.target.value))} /></Field>
        <Field name="Name of the held-out slice"><input value={slice} required={hold_out > 0} onChange={(event) => set_slice(event.target.value)} /></Field>
        {send.error && <p role="alert">{send.error.message}</p>}
        <Command text={`slipway cases send ${selected.length ? selected.slice(0, 3).join(" ") + (selected.length > 3 ? " …" : "") : `--filter ${quoted(filter)}`} --dataset ${quoted(chosen)} --branch ${quoted(branch)} --hold-out ${hold_out} --slice ${quoted(slice)}`} />
        <div><button type="submit" className="primary" disabled={!chosen || send.isPending}>Send</button></div>
      </form>
    </Dialog>
  );
}
