// Who did what on this server: the audit trail, filtered in the URL.
import { part, project, url } from "../api/client";
import { useList } from "../api/hooks";
import type { AuditEntry } from "../api/types";
import { curl, python, quoted, usePage } from "../app/page";
import { prefixed } from "../app/prefix";
import { Link, useParam } from "../app/router";
import { Ago, Empty, Field, Problem } from "../parts/basics";
import { Bar, FillPage, Head } from "../parts/detail";
import { DataTable, type Column } from "../parts/table";
import { page_of, time_of } from "./audit_links";

export default function Audit() {
  const [person, set_person] = useParam("person");
  const [action, set_action] = useParam("action");
  const [subject, set_subject] = useParam("subject");
  const [in_project, set_in_project] = useParam("in_project");
  const [since, set_since] = useParam("since");
  const [until, set_until] = useParam("until");
  const query = { person, action, subject, in_project, since: time_of(since), until: time_of(until) };
  const list = useList<AuditEntry>(["audit", "list"], "/api/v1/audit", "entries", query);
  const api = url("/api/v1/audit", query);
  const command = ["slipway audit", person && `--person ${quoted(person)}`, action && `--action ${quoted(action)}`, subject && `--subject ${quoted(subject)}`, in_project && `--in-project ${quoted(in_project)}`, since && `--since ${since}`, until && `--until ${until}`].filter(Boolean).join(" ");
  usePage([{ name: "Settings", to: "/settings" }, { name: "Audit trail" }], [
    { what: "List these lines", cli: command, curl: curl(api), python: python(api) },
    { what: "All of it as a table", cli: `${command} --format csv --limit 1000000 > audit.csv` },
  ]);
  const filtered = Object.values(query).some(Boolean);
  const columns: Column<AuditEntry>[] = [
    { id: "at", name: "When", width: 110, right: true, value: ({ at }) => at, cell: ({ at }) => <Ago at={at} />, sortable: false },
    { id: "member", name: "Who", width: 120, value: ({ member, member_id }) => member ?? member_id, sortable: false },
    { id: "action", name: "Action", width: 180, value: (entry) => entry.action, sortable: false },
    { id: "subject", name: "Subject", width: 280, value: (entry) => entry.subject, cell: (entry) => <Subject of={entry} />, sortable: false },
    { id: "project", name: "Project", width: 110, value: (entry) => entry.project, sortable: false },
    { id: "details", name: "Details", width: 420, value: ({ details }) => details, sortable: false },
    { id: "kind", name: "Kind", width: 110, hidden: true, value: ({ kind }) => kind, sortable: false },
    { id: "id", name: "Line", width: 230, hidden: true, value: ({ id }) => id, sortable: false },
  ];
  return (
    <FillPage>
      <Head title="Audit trail" />
      <Bar>
        <TextFilter name="Person" value={person} set={set_person} />
        <TextFilter name="Action" value={action} set={set_action} placeholder="delete" list="audit-actions" />
        <TextFilter name="Subject" value={subject} set={set_subject} placeholder="an id or a name" />
        <TextFilter name="Project" value={in_project} set={set_in_project} />
        <Field name="Since"><input type="date" value={since} onChange={(event) => set_since(event.target.value)} /></Field>
        <Field name="Before"><input type="date" value={until} onChange={(event) => set_until(event.target.value)} /></Field>
        <datalist id="audit-actions">{["create", "delete", "restore", "move alias", "change deployment", "set retention rules", "sign in"].map((one) => <option key={one} value={one} />)}</datalist>
      </Bar>
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="audit" label="Audit trail" primary rows={list.rows} columns={columns} row_key={({ id }) => id} of={api}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading} changing={list.changing}
        empty={<Empty command={command}>{list.error ? "The trail could not be read." : filtered ? "Nothing of this kind was done." : "Nothing was done yet that is recorded: members, tokens, deletions, aliases, deployments, webhooks, rules."}</Empty>}
      />
    </FillPage>
  );
}

/// Asks when the reader is done: with Enter, or by going elsewhere.
function TextFilter({ name, value, set, placeholder, list }: { name: string; value: string; set: (value: string) => void; placeholder?: string; list?: string }) {
  return (
    <Field name={name}>
      <input
        key={value} defaultValue={value} placeholder={placeholder} list={list} size={14}
        onBlur={(event) => { if (event.target.value.trim() !== value) set(event.target.value.trim()); }}
        onKeyDown={(event) => { if (event.key === "Enter") set(event.currentTarget.value.trim()); }}
      />
    </Field>
  );
}

function Subject({ of }: { of: AuditEntry }) {
  const page = page_of(of);
  if (!page) return <>{of.subject}</>;
  if (!of.project || of.project === project()) return <Link to={page}>{of.subject}</Link>;
  return <a href={prefixed(`/projects/${part(of.project)}${page}`)}>{of.subject}</a>;
}
