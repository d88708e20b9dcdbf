// From production back to the data: labelled cases become samples on a branch, a part is held out as a named slice.
import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { get, part, send, url } from "../api/client";
import { useGet } from "../api/hooks";
import type { Case, Dataset, Deployment, SentCases } from "../api/types";
import { quoted } from "../app/page";
import { Link } from "../app/router";
import { Command, Dialog, Empty, Field, notify } from "../parts/basics";
import { count, counted, percent } from "../parts/format";
import { all_ids, send_in_parts, type Progress } from "./sending";

const kMost = 10_000;  // at once
const kPage = 1000;

/// What of the list is shown: its labelled cases are sent where none are selected.
export interface Shown { deployment: string; filter: string }

export function SendDialog({ selected, shown, onClose, onSent }: { selected: string[]; shown: Shown; onClose: () => void; onSent: () => void }) {
  const client = useQueryClient();
  const datasets = useGet<{ datasets: Dataset[] }>(["datasets", "list", "all"], "/api/v1/datasets?page_size=1000");
  const deployments = useGet<{ deployments: Deployment[] }>(["deployments", "list", "all"], "/api/v1/deployments?page_size=1000");
  const [dataset, set_dataset] = useState("");
  const [of, set_of] = useState(shown.deployment);
  const [branch, set_branch] = useState("failing");
  const [hold_out, set_hold_out] = useState(0.3);
  const [hold_out_branch, set_hold_out_branch] = useState("test");
  const [slice, set_slice] = useState("failing");
  const [progress, set_progress] = useState<Progress | null>(null);
  const [error, set_error] = useState<Error | null>(null);
  const [running, set_running] = useState(false);
  const stop = useRef(false);
  /// What an interrupted sending has left to do.
  const rest = useRef<string[] | null>(null);

  const deployment = of || deployments.data?.deployments[0]?.name || "";
  const chosen = dataset || datasets.data?.datasets.find(({ name }) => name === deployment)?.name || datasets.data?.datasets[0]?.name || "";
  const labelled = { deployment, state: "labelled", filter: shown.filter };
  const waiting = useGet<{ total: number | null }>(["cases", "list", "total", labelled], url("/api/v1/cases", { ...labelled, page_size: 1 }), { enabled: selected.length === 0 && !!deployment });
  const all = selected.length || waiting.data?.total || 0;

  const start = async () => {
    stop.current = false;
    set_error(null);
    set_running(true);
    try {
      const ids = rest.current ?? (selected.length ? selected : await all_ids((token) => get<{ cases: Case[]; next_page_token: string | null }>(url("/api/v1/cases", { ...labelled, page_size: kPage, page_token: token })), kMost));
      const send_part = (case_ids: string[]) => send<SentCases>("POST", "/api/v1/cases/send", { case_ids, dataset: chosen, branch, hold_out, ...(hold_out > 0 ? { hold_out_branch, slice } : {}) });
      let last: Progress | null = null;
      const end = await send_in_parts(ids, send_part, (now) => { last = now; set_progress(now); }, () => stop.current);
      rest.current = end.left.length ? end.left : null;
      if (end.error) set_error(end.error);
      else if (end.left.length === 0 && last) told(last);
    } catch (problem) {
      set_error(problem as Error);
    } finally {
      set_running(false);
      for (const noun of ["cases", "datasets", "overview"]) void client.invalidateQueries({ queryKey: [noun] });
    }
  };
  const told = ({ sent, held_out, commit_id }: Progress) => {
    onClose();
    onSent();
    notify(<><Link to={`/datasets/${part(chosen)}/commits/${part(branch)}`}>{branch} of {chosen}</Link>{commit_id ? ` is now ${commit_id.slice(0, 8)}` : ""}: {counted(sent, "case")} sent, {counted(held_out, "case")} held out{held_out > 0 ? ` as ${slice}` : ""}.</>);
  };

  if (datasets.data && datasets.data.datasets.length === 0) return <Dialog title="Send cases to a dataset" onClose={onClose}><Empty command="slipway data add digits images/">There is no dataset to send them to.</Empty></Dialog>;
  return (
    <Dialog title="Send cases to a dataset" onClose={() => { stop.current = true; onClose(); }}>
      <p>{selected.length ? `The ${counted(selected.length, "selected case")} become samples.` : `The ${counted(all, "labelled case")} of a deployment${shown.filter ? " that the filter lets pass" : ""} become samples. Select some before to send only those.`}</p>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); void start(); }}>
        <fieldset className="stack" disabled={running} style={{ border: 0, padding: 0, margin: 0 }}>
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
        </fieldset>
        {progress && progress.all > 0 && <Coming progress={progress} />}
        {error && <p role="alert">{error.message}</p>}
        <Command text={[
          "slipway cases send", quoted(chosen), ...selected.slice(0, 3), selected.length > 3 ? "…" : "", selected.length ? "" : `--deployment ${quoted(deployment)}`, `--branch ${quoted(branch)}`,
          hold_out > 0 ? `--hold-out ${hold_out} --hold-out-branch ${quoted(hold_out_branch)} --slice ${quoted(slice)}` : "",
        ].filter(Boolean).join(" ")} />
        <div className="row">
          {running ? <button type="button" onClick={() => { stop.current = true; }}>Stop</button>
            : <button type="submit" className="primary" disabled={!chosen || (selected.length === 0 && !deployment)}>{rest.current ? `Go on with ${count(rest.current.length)}` : "Send"}</button>}
        </div>
      </form>
    </Dialog>
  );
}

function Coming({ progress: { done, all, sent, held_out } }: { progress: Progress }) {
  return (
    <div className="stack" style={{ gap: 4 }}>
      <progress value={done} max={all} aria-label="Sent" style={{ width: "100%" }} />
      <span className="quiet num" role="status">{count(done)} of {count(all)}: {count(sent)} sent, {count(held_out)} held out</span>
    </div>
  );
}
