// Who may come in: members, one's own tokens, projects; and what this server is.
import { useState } from "react";
import { ask } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { Server } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { prefixed, server_url } from "../app/prefix";
import { Link } from "../app/router";
import { Ago, Command, Dialog, Facts, Field, Loaded, notify, notify_error, Tabs } from "../parts/basics";
import { Head, ScrollPage } from "../parts/detail";
import { bytes } from "../parts/format";
import table from "../runs/runs.module.css";
import { RetentionRules } from "./retention";
import { Usage } from "./usage";

interface Member { id: string; name: string; display_name: string; role: string; created_at: string }
interface Token { id: string; name: string; created_at: string; expires_at: string | null; secret?: string }
interface Project { id: string; name: string; description: string; created_at: string }

export default function Settings() {
  const server = useGet<Server>(["server"], "/api/v1/server");
  usePage([{ name: "Settings" }], [
    { what: "Make a token", cli: "slipway tokens create NAME", curl: curl("/api/v1/tokens", { method: "POST", json: { name: "ci", days: 90 } }) },
    { what: "List the members", curl: curl("/api/v1/members"), python: python("/api/v1/members") },
  ]);
  const admin = server.data?.member?.role === "admin";
  return (
    <ScrollPage>
      <Head title="Settings">{admin && <Link to="/settings/audit" className="button">Audit trail</Link>}{!is_loopback() && <button type="button" onClick={() => void sign_out()}>Sign out</button>}</Head>
      <Tabs label="Settings" tabs={[
        { id: "tokens", name: "Your tokens", content: () => <Tokens /> },
        { id: "members", name: "Members", content: () => <Members admin={admin} /> },
        { id: "projects", name: "Projects", content: () => <Projects admin={admin} /> },
        { id: "usage", name: "Usage", content: () => <Usage /> },
        { id: "retention", name: "Retention", content: () => <RetentionRules admin={admin} /> },
        { id: "server", name: "Server", content: () => <Loaded of={server}>{(data) => <Facts of={[
          ["Version", data.version], ["Database", data.database === "sqlite" ? "SQLite" : "PostgreSQL"], ["Free on disk", <span className="num">{bytes(data.data_bytes_free)}</span>],
          ["Started", <Ago at={data.started_at} />], ["You are", data.member ? `${data.member.name}, ${data.member.role}` : "not signed in"], ["Address", <code>{server_url()}</code>],
        ]} />}</Loaded> },
      ]} />
    </ScrollPage>
  );
}

const is_loopback = () => /^(localhost|127\.0\.0\.1|\[::1\])$/.test(location.hostname);

async function sign_out() {
  await ask("/api/v1/login", { method: "DELETE" });
  location.href = prefixed("/login");
}

function Tokens() {
  const tokens = useGet<{ tokens: Token[] }>(["tokens", "list"], "/api/v1/tokens");
  const [name, set_name] = useState("");
  const [days, set_days] = useState("90");
  const [made, set_made] = useState<Token | null>(null);
  const create = useSend<Token>(["tokens"], () => ["POST", "/api/v1/tokens", { name, ...(days ? { days: Number(days) } : {}) }]);
  const revoke = useSend<unknown, string>(["tokens"], (id) => ["DELETE", `/api/v1/tokens/${id}`]);
  return (
    <div className="stack" style={{ gap: 16 }}>
      <form className="row" onSubmit={(event) => { event.preventDefault(); create.mutate(undefined, { onSuccess: (token) => { set_made(token); set_name(""); }, onError: notify_error }); }}>
        <input aria-label="What the token is for" placeholder="What it is for" required value={name} onChange={(event) => set_name(event.target.value)} />
        <label>ends after <select value={days} onChange={(event) => set_days(event.target.value)}><option value="7">7 days</option><option value="90">90 days</option><option value="365">a year</option><option value="">never</option></select></label>
        <button type="submit" className="primary" disabled={!name || create.isPending}>Make a token</button>
      </form>
      <Loaded of={tokens}>
        {({ tokens: all }) => all.length === 0 ? <p className="quiet">You have none. On this machine none is needed; scripts elsewhere show one.</p> : (
          <div className={table.over}>
            <table className={table.values} style={{ maxWidth: 800 }}>
              <thead><tr><th>For</th><th className={table.right}>Made</th><th className={table.right}>Ends</th><th><span className="hidden">Revoke</span></th></tr></thead>
              <tbody>{all.map((token) => (
                <tr key={token.id}><td>{token.name}</td><td className={table.right}><Ago at={token.created_at} /></td><td className={`${table.right} num`}>{token.expires_at ? token.expires_at.slice(0, 10) : "never"}</td>
                  <td className={table.right}><button type="button" className="small" onClick={() => revoke.mutate(token.id, { onSuccess: () => notify(`${token.name} no longer opens anything.`), onError: notify_error })}>Revoke</button></td></tr>
              ))}</tbody>
            </table>
          </div>
        )}
      </Loaded>
      {made?.secret && (
        <Dialog title={`The token for ${made.name}`} onClose={() => set_made(null)}>
          <p>It is shown this once. Whoever has it can do what you can do.</p>
          <Command text={made.secret} />
          <Command text={`export SLIPWAY_URL=${server_url()} SLIPWAY_TOKEN=${made.secret}`} />
        </Dialog>
      )}
    </div>
  );
}

function Members({ admin }: { admin: boolean }) {
  const members = useGet<{ members: Member[] }>(["members", "list"], "/api/v1/members");
  const [adding, set_adding] = useState(false);
  return (
    <div className="stack" style={{ gap: 16 }}>
      {admin && <div><button type="button" onClick={() => set_adding(true)}>Add a member</button></div>}
      <Loaded of={members}>
        {({ members: all }) => (
          <div className={table.over}>
            <table className={table.values} style={{ maxWidth: 800 }}>
              <thead><tr><th>Name</th><th>Role</th><th className={table.right}>Since</th></tr></thead>
              <tbody>{all.map((member) => <tr key={member.id}><td>{member.name}{member.display_name && member.display_name !== member.name && <span className="quiet"> {member.display_name}</span>}</td><td>{member.role}</td><td className={table.right}><Ago at={member.created_at} /></td></tr>)}</tbody>
            </table>
          </div>
        )}
      </Loaded>
      {adding && <AddMember onClose={() => set_adding(false)} />}
    </div>
  );
}

function AddMember({ onClose }: { onClose: () => void }) {
  const [name, set_name] = useState("");
  const [role, set_role] = useState("member");
  const [password, set_password] = useState("");
  const create = useSend<Member>(["members"], () => ["POST", "/api/v1/members", { name, role, ...(password ? { password } : {}) }]);
  return (
    <Dialog title="Add a member" onClose={onClose}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); create.mutate(undefined, { onSuccess: () => { onClose(); notify(`${name} is a member now.`); } }); }}>
        <Field name="Name"><input value={name} required onChange={(event) => set_name(event.target.value)} /></Field>
        <Field name="Role" hint="An admin may add members and projects."><select value={role} onChange={(event) => set_role(event.target.value)}><option>member</option><option>admin</option></select></Field>
        <Field name="Password" hint="Optional; without one the member signs in by token."><input type="password" autoComplete="new-password" value={password} onChange={(event) => set_password(event.target.value)} /></Field>
        {create.error && <p role="alert">{create.error.message}</p>}
        <Command text={curl("/api/v1/members", { method: "POST", json: { name: name || "NAME", role } })} />
        <div><button type="submit" className="primary" disabled={!name || create.isPending}>Add</button></div>
      </form>
    </Dialog>
  );
}

function Projects({ admin }: { admin: boolean }) {
  const projects = useGet<{ projects: Project[] }>(["projects", "list"], "/api/v1/projects");
  const [name, set_name] = useState("");
  const create = useSend<Project>(["projects", "server"], () => ["POST", "/api/v1/projects", { name }]);
  return (
    <div className="stack" style={{ gap: 16 }}>
      {admin && (
        <form className="row" onSubmit={(event) => { event.preventDefault(); create.mutate(undefined, { onSuccess: () => { notify(`There is a project ${name} now.`); set_name(""); }, onError: notify_error }); }}>
          <input aria-label="Name of the project" placeholder="Name" required value={name} onChange={(event) => set_name(event.target.value)} /><button type="submit" disabled={!name || create.isPending}>Make a project</button>
        </form>
      )}
      <Loaded of={projects}>
        {({ projects: all }) => (
          <table className={table.values} style={{ maxWidth: 800 }}>
            <thead><tr><th>Project</th><th>Description</th><th className={table.right}>Since</th></tr></thead>
            <tbody>{all.map((one) => <tr key={one.id}><td><a href={prefixed(one.name === "default" ? "/" : `/projects/${encodeURIComponent(one.name)}/`)}>{one.name}</a></td><td>{one.description}</td><td className={table.right}><Ago at={one.created_at} /></td></tr>)}</tbody>
          </table>
        )}
      </Loaded>
    </div>
  );
}
