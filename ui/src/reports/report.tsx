// One report: read, written, and what it was before.
import { useMemo, useState } from "react";
import { ApiError, get, project } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { Report, ReportRevision } from "../api/types";
import { useBack, useKeys } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { navigate, useParam } from "../app/router";
import { Ago, Copy, Dialog, Empty, Field, Loaded, notify, notify_error } from "../parts/basics";
import { Head, ScrollPage } from "../parts/detail";
import { bytes } from "../parts/format";
import { Markdown, type Blocks } from "../parts/markdown";
import { MarkdownEditor, useDraft } from "../parts/markdown_editor";
import { ChartBlock } from "./chart_block";
import { RunsBlock } from "./runs_block";
import css from "./reports.module.css";

const kBlocks: Blocks = { chart: (body) => <ChartBlock text={body} />, runs: (body) => <RunsBlock text={body} /> };

export default function ReportPage({ id = "" }: Record<string, string>) {
  const api = `/api/v1/reports/${id}`;
  const report = useGet<Report>(["reports", id], api);
  const [edit, set_edit] = useParam("edit");
  const [number, set_number] = useParam("revision");
  usePage([{ name: "Reports", to: "/reports" }, { name: report.data?.title ?? "Report" }], [
    { what: "Read this report", curl: curl(api), python: python(api) },
    { what: "Change it", curl: curl(api, { method: "PATCH", json: { revision: report.data?.revision ?? 1, text: "…" } }) },
    { what: "See who changed it", curl: curl(`${api}/revisions`) },
  ]);
  useBack("/reports");
  return (
    <ScrollPage>
      <Loaded of={report} page>
        {(data) => edit
          ? <Edit key={data.id} report={data} done={() => set_edit(null)} />
          : <Read report={data} number={number} choose={set_number} edit={() => set_edit("1", { push: true })} />}
      </Loaded>
    </ScrollPage>
  );
}

function Read({ report, number, choose, edit }: { report: Report; number: string; choose: (number: string | null) => void; edit: () => void }) {
  const old = number !== "" && Number(number) !== report.revision;
  const revision = useGet<ReportRevision>(["reports", report.id, "revisions", number], `/api/v1/reports/${report.id}/revisions/${number}`, { enabled: old });
  useKeys(report.deleted_at ? [] : [{ keys: "e", what: "Edit the report", run: edit, group: "This page" }]);
  return (
    <>
      <Head title={old && revision.data ? revision.data.title : report.title}><Actions report={report} edit={edit} choose={choose} /></Head>
      <p className="quiet">
        Revision {report.revision}, changed <Ago at={report.updated_at} /> by {report.editor}{report.author !== report.editor && <>; begun by {report.author}</>}
        {report.deleted_at && <>; deleted <Ago at={report.deleted_at} />, to be restored for 30 days</>}
      </p>
      {old
        ? <Loaded of={revision}>{(data) => <Old report={report} revision={data} back={() => choose(null)} />}</Loaded>
        : report.text ? <article className={css.article}><Markdown text={report.text} blocks={kBlocks} /></article>
          : <Empty>There is nothing in this report yet. <button type="button" className="small" onClick={edit}>Write</button></Empty>}
    </>
  );
}

function Actions({ report, edit, choose }: { report: Report; edit: () => void; choose: (number: string | null) => void }) {
  const [history, set_history] = useState(false);
  const remove = useSend<unknown>(["reports"], () => ["DELETE", `/api/v1/reports/${report.id}`]);
  const restore = useSend<unknown>(["reports"], () => ["POST", `/api/v1/reports/${report.id}/restore`]);
  const link = `${server_url()}${project() === "default" ? "" : `/projects/${encodeURIComponent(project())}`}/reports/${report.id}`;
  // The page is left by then, and with it what `mutate` would call.
  const bring_back = () => void restore.mutateAsync().then(() => navigate(`/reports/${report.id}`), notify_error);
  const forget = () => remove.mutate(undefined, {
    onSuccess: () => { navigate("/reports"); notify(`“${report.title}” is deleted; it can be restored for 30 days.`, { undo: bring_back }); },
    onError: notify_error,
  });
  return (
    <>
      <Copy text={link} label="Copy link" />
      <button type="button" onClick={() => set_history(true)}>Revisions</button>
      {report.deleted_at
        ? <button type="button" onClick={() => restore.mutate(undefined, { onError: notify_error })}>Restore</button>
        : <><button type="button" onClick={forget}>Delete</button><button type="button" className="primary" onClick={edit}>Edit</button></>}
      {history && <Revisions report={report} choose={(next) => { choose(next); set_history(false); }} onClose={() => set_history(false)} />}
    </>
  );
}

function Revisions({ report, choose, onClose }: { report: Report; choose: (number: string | null) => void; onClose: () => void }) {
  const revisions = useGet<{ revisions: ReportRevision[] }>(["reports", report.id, "revisions"], `/api/v1/reports/${report.id}/revisions`);
  return (
    <Dialog title={`Revisions of ${report.title}`} onClose={onClose}>
      <Loaded of={revisions}>
        {(data) => (
          <ul className={css.revisions}>
            {data.revisions.map(({ number, title, member, bytes: size, created_at }) => (
              <li key={number}>
                <button type="button" onClick={() => choose(number === report.revision ? null : String(number))}>
                  <span className="num">{number}</span><span className="clip grow">{title}</span><span className="quiet">{member}</span><span className="quiet num">{bytes(size)}</span><Ago at={created_at} />
                </button>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Dialog>
  );
}

function Old({ report, revision, back }: { report: Report; revision: ReportRevision; back: () => void }) {
  const bring_back = useSend<Report>(["reports"], () => ["PATCH", `/api/v1/reports/${report.id}`, { revision: report.revision, title: revision.title, text: revision.text }]);
  return (
    <>
      <div className={css.old} role="status">
        <span>This is revision {revision.number}, by {revision.member}, <Ago at={revision.created_at} />; its charts show what the runs are now.</span>
        <button type="button" className="small" onClick={back}>Show the newest</button>
        {!report.deleted_at && <button type="button" className="small" disabled={bring_back.isPending} onClick={() => bring_back.mutate(undefined, { onSuccess: back, onError: notify_error })}>Make it the newest</button>}
      </div>
      <article className={css.article}><Markdown text={revision.text ?? ""} blocks={kBlocks} /></article>
    </>
  );
}

function Edit({ report, done }: { report: Report; done: () => void }) {
  // The revision that the text was written on; reading the report again meanwhile does not change it.
  const [base, set_base] = useState(report);
  const [title, set_title] = useState(report.title);
  const [text, set_text, forget] = useDraft(`report ${report.id} ${base.revision}`, report.text ?? "");
  const [theirs, set_theirs] = useState<Report | null>(null);
  const change = useSend<Report>(["reports"], () => ["PATCH", `/api/v1/reports/${report.id}`, { revision: base.revision, title: title.trim(), text }]);
  const refused = (error: Error) => { if (error instanceof ApiError && error.status === 409) void get<Report>(`/api/v1/reports/${report.id}`).then(set_theirs, notify_error); };
  const help = useMemo(() => <Help />, []);
  const same = title.trim() === base.title && text === base.text;
  // One's own save ends the editing, so a newer revision is somebody else's.
  const newer = report.revision > base.revision && !change.isPending && !change.isSuccess;
  return (
    <>
      <h1 className="hidden">Edit {report.title}</h1>
      <div className={css.editing}>
        <MarkdownEditor
          name="The report" text={text} on_text={set_text} blocks={kBlocks} busy={change.isPending} same={same} error={change.error} help={help}
          save={() => change.mutate(undefined, { onSuccess: () => { forget(); done(); }, onError: refused })} cancel={() => { forget(); done(); }}
          rescue={
            theirs ? <Theirs theirs={theirs} take={() => { set_base(theirs); set_theirs(null); change.reset(); }} />
              : report.deleted_at ? <Deleted report={report} />
                : newer && <Newer report={report} show={() => set_theirs(report)} />
          }
        >
          <Field name="Title"><input value={title} required maxLength={200} onChange={(event) => set_title(event.target.value)} /></Field>
        </MarkdownEditor>
      </div>
    </>
  );
}

/// Said as soon as it happens, before a save would be refused.
function Newer({ report, show }: { report: Report; show: () => void }) {
  return (
    <div className={css.old} role="status">
      <span>{report.editor} saved revision {report.revision} <Ago at={report.updated_at} />, while you are writing.</span>
      <button type="button" className="small" onClick={show}>Show it</button>
    </div>
  );
}

function Deleted({ report }: { report: Report }) {
  const restore = useSend<unknown>(["reports"], () => ["POST", `/api/v1/reports/${report.id}/restore`]);
  return (
    <div className={css.old} role="status">
      <span>This report was deleted <Ago at={report.deleted_at} />; your text is still here, and can be saved once the report is restored.</span>
      <button type="button" className="small" disabled={restore.isPending} onClick={() => restore.mutate(undefined, { onError: notify_error })}>Restore</button>
    </div>
  );
}

/// Somebody else's change, to be put together with one's own.
function Theirs({ theirs, take }: { theirs: Report; take: () => void }) {
  return (
    <section className={css.theirs} aria-label="The other change">
      <p>{theirs.editor} saved revision {theirs.revision} <Ago at={theirs.updated_at} />. Take what you want of it into your text below; then yours can be saved on top of it.</p>
      <pre tabIndex={0}><code>{theirs.title}{"\n\n"}{theirs.text}</code></pre>
      <div><button type="button" onClick={take}>I have put both together</button></div>
    </section>
  );
}

function Help() {
  return (
    <>
      Charts: <code>```chart</code> with lines such as <code>experiment: digits</code>, <code>filter: params.lr = '0.01'</code>, <code>metrics: loss, val_acc</code>, <code>smooth: 0.6</code>, <code>group: all but seed</code>, or <code>view: NAME</code> of the page of compared runs.
      Tables: <code>```runs</code> with <code>experiment</code>, <code>filter</code>, <code>order: metrics.loss</code>, <code>columns: params.lr, metrics.loss</code>, <code>limit: 10</code>. Pictures of a run: <code>![](run:ID/plots/loss.png)</code>.
    </>
  );
}
