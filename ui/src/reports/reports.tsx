// All reports of the project.
import { useState } from "react";
import { url } from "../api/client";
import { useList, useSend } from "../api/hooks";
import type { Report } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { Link, navigate, useParam } from "../app/router";
import { Ago, Dialog, Empty, Field, notify_error, Problem } from "../parts/basics";
import { FillPage, Head } from "../parts/detail";
import { DataTable, type Column } from "../parts/table";

const columns: Column<Report>[] = [
  { id: "title", name: "Title", width: 420, value: ({ title }) => title, cell: ({ id, title }) => <Link to={`/reports/${id}`}>{title}</Link> },
  { id: "updated_at", name: "Changed", width: 120, right: true, value: ({ updated_at }) => updated_at, cell: ({ updated_at }) => <Ago at={updated_at} /> },
  { id: "editor", name: "By", width: 140, value: ({ editor }) => editor },
  { id: "revision", name: "Revision", width: 90, right: true, value: ({ revision }) => revision },
  { id: "author", name: "Author", width: 140, value: ({ author }) => author },
  { id: "created_at", name: "Created", width: 120, right: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
];

export default function Reports() {
  const [deleted, set_deleted] = useParam("deleted");
  const [making, set_making] = useParam("new");
  const list = useList<Report>(["reports", "list"], "/api/v1/reports", "reports", { deleted });
  usePage([{ name: "Reports" }], [
    { what: "List the reports", curl: curl("/api/v1/reports"), python: python("/api/v1/reports") },
    { what: "Write one", curl: curl("/api/v1/reports", { method: "POST", json: { title: "Learning rates", text: "# Rates\n" } }) },
  ]);
  return (
    <FillPage>
      <Head title={deleted ? "Deleted reports" : "Reports"}>
        <button type="button" aria-pressed={!!deleted} onClick={() => set_deleted(deleted ? null : "true")}>Deleted</button>
        <button type="button" className="primary" onClick={() => set_making("1")}>New report</button>
      </Head>
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="reports" label="Reports" primary rows={list.rows} columns={columns} row_key={({ id }) => id} row_url={({ id }) => `/reports/${id}`}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading} of={deleted}
        empty={deleted ? <p className="quiet">No report was deleted in the last 30 days.</p>
          : <Empty command={curl("/api/v1/reports", { method: "POST", json: { title: "Learning rates", text: "Smaller is calmer." } })}>There is no report yet. A report is Markdown with live charts and tables of runs, for everybody in the project: <button type="button" className="small" onClick={() => set_making("1")}>Write one here</button> or</Empty>}
      />
      {making && <NewReport onClose={() => set_making(null)} />}
    </FillPage>
  );
}

function NewReport({ onClose }: { onClose: () => void }) {
  const [title, set_title] = useState("");
  const create = useSend<Report>(["reports"], () => ["POST", "/api/v1/reports", { title: title.trim(), text: "" }]);
  return (
    <Dialog title="New report" onClose={onClose}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); create.mutate(undefined, { onSuccess: ({ id }) => navigate(url(`/reports/${id}`, { edit: 1 }), { replace: true }), onError: notify_error }); }}>
        <Field name="Title"><input value={title} required maxLength={200} onChange={(event) => set_title(event.target.value)} /></Field>
        <div><button type="submit" className="primary" disabled={!title.trim() || create.isPending}>Create</button></div>
      </form>
    </Dialog>
  );
}
