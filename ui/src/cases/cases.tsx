// What production brought and the model was unsure of or wrong about: look, label by keyboard, send to a dataset.
import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { part, url } from "../api/client";
import { useGet, useList, useSend } from "../api/hooks";
import type { Case, Deployment, Version } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, quoted, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link, useListParam, useParam } from "../app/router";
import { Ago, Empty, Facts, notify, notify_error, Problem, Skeleton, State } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { FilterBox } from "../parts/filter";
import { count, counted, number, percent } from "../parts/format";
import { ImageGrid, Picture, SizeSlider } from "../parts/images";
import { keys_of_labels } from "./labels";
import { SendDialog } from "./send";
import css from "./cases.module.css";

const kSelectedMax = 500;  // their ids stand in the URL
const kReasons = ["error", "low_confidence", "flagged", "sampled", "drift"];
const kWords = ["deployment", "state", "reason", "answer", "model", "version", "prediction", "confidence", "correct", "label", "comment", "error", "slice", "commit", "media_type", "input_bytes", "at", "and", "like", "ilike", "in", "is null", "is not null"];

export default function Cases() {
  const [deployment, set_deployment] = useParam("deployment");
  const [state, set_state] = useParam("state", "open");
  const [reason, set_reason] = useParam("reason");
  const [filter, set_filter] = useParam("filter");
  const [selected, set_selected] = useListParam("selected");
  const [current, set_current] = useParam("at");
  const [size_text, set_size] = useParam("size", "112");
  const [sending, set_sending] = useState(false);
  // What was typed comes first, so that the place of a mistake is the place in the box.
  const query = { deployment, state: state === "any" ? "" : state, filter: [filter, reason && `reason = '${reason}'`].filter(Boolean).join(" and ") };
  const list = useList<Case>(["cases", "list"], "/api/v1/cases", "cases", query);
  const { rows } = list;
  const filter_refused = list.error && list.error.status >= 400 && list.error.status < 500 && filter !== "";
  const deployments = useGet<{ deployments: Deployment[] }>(["deployments", "list", "all"], "/api/v1/deployments?page_size=1000");
  const api = url("/api/v1/cases", query);
  usePage([{ name: "Cases" }], [
    { what: "List these cases", cli: ["slipway cases list", deployment && `--deployment ${quoted(deployment)}`, query.state && `--state ${query.state}`].filter(Boolean).join(" "), curl: curl(api), python: python(api) },
    { what: "Label one", cli: `slipway cases label ${current || "CASE"} 3`, curl: curl(`/api/v1/cases/${current || "CASE"}`, { method: "PATCH", json: { label: "3", state: "labelled" } }) },
    { what: "Send the labelled ones to a dataset branch", cli: `slipway cases send digits --deployment ${quoted(deployment || "digits")} --branch failing --hold-out 0.3 --slice failing` },
  ]);

  const chosen = rows.find(({ id }) => id === current);
  const version = useGet<Version>(["models", chosen?.model ?? "", "version", String(chosen?.version)], `/api/v1/models/${part(chosen?.model ?? "")}/versions/${chosen?.version}`, { enabled: !!chosen, stale_ms: 60_000 });
  const labels = version.data?.labels ?? null;
  const label = useLabelling(rows, set_current);
  const targets = selected.length ? selected : chosen ? [chosen.id] : [];

  const keyed = useMemo(() => keys_of_labels(labels), [labels]);
  useKeys([
    ...keyed.map(({ key, label: text }) => ({ keys: key, what: `Label as ${text}`, run: () => label(targets, text), group: "Labels" })),
    { keys: "a", what: "Label as the user said", run: () => { for (const id of targets) { const told = rows.find((one) => one.id === id)?.feedback?.label; if (told) label([id], told); } }, group: "Labels" },
    { keys: "d", what: "Dismiss", run: () => label(targets, null), group: "Labels" },
    { keys: "s", what: "Send to a dataset", run: () => set_sending(true), group: "Labels" },
    { keys: "l", what: "Choose a label from the list", run: () => document.querySelector<HTMLElement>("[data-labels]")?.focus(), group: "Labels" },
    { keys: "A", what: "Select all that are loaded", run: () => set_selected(rows.slice(0, kSelectedMax).map(({ id }) => id)), group: "Pictures" },
    { keys: "Escape", what: "Select nothing", run: () => { if (selected.length) set_selected([]); else set_current(null); }, group: "Pictures" },
  ]);
  const size = Math.max(48, Math.min(320, Number(size_text) || 112));
  return (
    <FillPage>
      <Head title="Cases" state={<span className="quiet num">{list.loading ? "" : counted(list.total ?? rows.length, "case")}{selected.length ? `, ${count(selected.length)} selected` : ""}</span>}>
        <button type="button" className="primary" onClick={() => set_sending(true)}>Send to a dataset</button>
      </Head>
      <Bar>
        <select aria-label="Deployment" value={deployment} onChange={(event) => set_deployment(event.target.value)}><option value="">All deployments</option>{deployments.data?.deployments.map(({ id, name }) => <option key={id}>{name}</option>)}</select>
        <div role="group" aria-label="State" className="row" style={{ gap: 4 }}>
          {["open", "labelled", "sent", "held_out", "dismissed", "any"].map((one) => <button key={one} type="button" aria-pressed={state === one} onClick={() => set_state(one)}>{one.replace("_", " ")}</button>)}
        </div>
        <select aria-label="Reason" value={reason} onChange={(event) => set_reason(event.target.value)}><option value="">Any reason</option>{kReasons.map((one) => <option key={one} value={one}>{one.replace("_", " ")}</option>)}</select>
        <FilterBox value={filter} on_change={set_filter} words={kWords} error={list.error} placeholder="confidence < 0.5 and label is null and at > '2026-03-01T00:00:00Z'" />
        <SizeSlider value={size} on_change={(next) => set_size(String(next))} />
      </Bar>
      {list.error && !filter_refused && <Problem error={list.error} again={list.again} />}
      <div className={css.split}>
        {list.loading ? <div className={css.wait}><Skeleton rows={10} /></div> : rows.length === 0 && !list.error ? (
          <div className={css.wait}><Empty command={`curl -X POST -H 'Content-Type: application/json' -d '{"answer_id": "ANSWER", "correct": false, "label": "3"}' ${server_url()}/api/v1/feedback`}>{filter || reason ? "No case passes the filter. What users say of an answer comes here:" : state === "open" ? "Nothing waits for a label. Errors, unsure answers and those that users flag come here:" : state === "any" ? "No case has been kept." : `No case is ${state.replace("_", " ")}.`}</Empty></div>
        ) : (
          <ImageGrid
            label="Cases" size={size} more={list.more} load_more={list.load_more} selected={selected} on_select={set_selected} current={current || null} on_current={set_current} open={set_current}
            tiles={rows.map((one) => ({
              key: one.id, hash: one.media_type?.startsWith("image/") ? one.input_hash : null, mark: one.label !== null ? (one.label === one.prediction ? "good" : "bad") : one.feedback?.correct === false ? "warn" : null,
              name: `${one.reason.replace("_", " ")}, answered ${one.prediction || "nothing"}${one.label !== null ? `, label ${one.label}` : ""}, ${one.state}`,
              caption: <><div>{one.label !== null && one.label !== one.prediction ? <><strong>{one.label}</strong> <span className="quiet">read as</span> {one.prediction}</> : <>{one.prediction || "no answer"}{one.label !== null && <span className="quiet"> is right</span>}</>}</div><div className="quiet">{one.reason.replace("_", " ")} <span className="num">{percent(one.confidence, 0)}</span></div></>,
            }))}
          />
        )}
        {chosen && (
          <aside className={css.beside} aria-label="The case">
            <div className="row"><Link to={`/cases/${chosen.id}`}>Open alone</Link><span className="grow" /><State of={chosen.state} /></div>
            <Picture hash={chosen.media_type?.startsWith("image/") ? chosen.input_hash : null} size={224} name="What was asked" />
            <CaseFacts one={chosen} />
            <div className="stack">
              <h2>Label{selected.length > 1 ? ` ${count(selected.length)} cases` : ""}</h2>
              <LabelButtons labels={labels} keyed={keyed} now={chosen.label} told={chosen.feedback?.label ?? null} on_label={(text) => label(targets, text)} />
            </div>
          </aside>
        )}
      </div>
      {sending && <SendDialog selected={selected} shown={{ deployment, filter: query.filter }} onClose={() => set_sending(false)} onSent={() => set_selected([])} />}
    </FillPage>
  );
}

/// What a label or a dismissal changes; null takes the label away.
export interface Change { label?: string | null; state: Case["state"] }

/// Changes the label at once on screen, tells the server, can be undone, and goes on to the next case. Null dismisses.
function useLabelling(rows: Case[], set_current: (id: string | null) => void) {
  const client = useQueryClient();
  const send = useSend<Case, { id: string; change: Change }>([], ({ id, change }) => ["PATCH", `/api/v1/cases/${id}`, change]);
  const patch = (id: string, change: Partial<Case>) => client.setQueriesData<{ pages: { cases: Case[] }[] }>({ queryKey: ["cases", "list"] }, (data) =>
    data?.pages ? { ...data, pages: data.pages.map((page) => ({ ...page, cases: page.cases.map((one) => (one.id === id ? { ...one, ...change } : one)) })) } : data);
  return (ids: string[], label: string | null) => {
    const before = rows.filter(({ id }) => ids.includes(id));
    if (before.length === 0) return;
    const change: Change = label === null ? { state: "dismissed" } : { label, state: "labelled" };
    const put = (one: Case, to: Change) => {
      patch(one.id, to);
      send.mutate({ id: one.id, change: to }, { onError: (error) => { patch(one.id, { label: one.label, state: one.state }); notify_error(error); } });
    };
    for (const one of before) put(one, change);
    const last = rows.findIndex(({ id }) => id === before.at(-1)!.id);
    set_current(rows[last + 1]?.id ?? rows[last]?.id ?? null);
    notify(label === null ? `${counted(before.length, "case")} dismissed.` : `${counted(before.length, "case")} labelled ${label}.`, { undo: () => { for (const one of before) put({ ...one, ...change }, label === null ? { state: one.state } : { label: one.label, state: one.state }); } });
  };
}

export function LabelButtons({ labels, keyed, now, told, on_label }: { labels: string[] | null; keyed: { key: string; label: string }[]; now: string | null; told: string | null; on_label: (label: string | null) => void }) {
  const [text, set_text] = useState("");
  return (
    <div className="stack">
      {told !== null && <button type="button" onClick={() => on_label(told)}>As the user said: {told} <kbd>a</kbd></button>}
      {labels && labels.length <= 30 && <div className="row" style={{ gap: 4 }}>{labels.map((label) => { const key = keyed.find((one) => one.label === label)?.key; return <button key={label} type="button" aria-pressed={now === label} onClick={() => on_label(label)}>{label}{key && key !== label && <kbd>{key}</kbd>}</button>; })}</div>}
      {(!labels || labels.length > 12) && (
        <form className="row" onSubmit={(event) => { event.preventDefault(); if (text) { on_label(text); set_text(""); } }}>
          <input aria-label="Label" placeholder={labels ? "Any label" : "Label"} data-labels value={text} list="case-labels" onChange={(event) => set_text(event.target.value)} /><button type="submit" disabled={!text}>Set</button>
          <datalist id="case-labels">{labels?.map((label) => <option key={label} value={label} />)}</datalist>
        </form>
      )}
      <div><button type="button" onClick={() => on_label(null)}>Dismiss <kbd>d</kbd></button></div>
    </div>
  );
}

export function CaseFacts({ one }: { one: Case }) {
  return (
    <Facts of={[
      ["Answered", <>{one.prediction || "nothing"} <span className="num quiet">{percent(one.confidence)}</span></>],
      ["Label", one.label],
      ["Kept because", one.reason.replace("_", " ")],
      ["Error", one.error || null],
      ["User said", one.feedback ? [one.feedback.correct === true ? "right" : one.feedback.correct === false ? "wrong" : null, one.feedback.label, one.feedback.comment].filter(Boolean).join(", ") || null : null],
      ["Deployment", <Link to={`/deployments/${part(one.deployment)}`}>{one.deployment}</Link>],
      ["Model", <Link to={`/models/${part(one.model)}/versions/${one.version}`}>{one.model} version {one.version}</Link>],
      ["Asked", <Ago at={one.at} />],
      ...Object.entries(one.stats).filter(([, value]) => typeof value === "number").map(([name, value]): [string, React.ReactNode] => [name.replace(/_/g, " "), <span className="num">{number(value)}</span>]),
      ["Slice", one.slice],
      ["Sent to", one.dataset_commit ? <code>{one.dataset_commit.slice(0, 8)}</code> : null],
      ["Answer", <Link to={`/why/${part(one.answer_id)}`}>why</Link>],
    ]} />
  );
}
