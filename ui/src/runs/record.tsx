// What a run recorded about itself besides numbers: code, environment, machine, where things came from and went.
import { useState } from "react";
import { useGet } from "../api/hooks";
import type { Environment, Lineage, Linked, Run, Snapshot } from "../api/types";
import { ApiError, blob } from "../api/client";
import { Link } from "../app/router";
import { Ago, Empty, Facts, Loaded, Skeleton } from "../parts/basics";
import { Diff } from "../parts/code";
import { Columns, Section } from "../parts/detail";
import { bytes, counted, number } from "../parts/format";
import css from "./runs.module.css";

/// Not recorded is an answer, not a failure.
const absent = (error: Error | null) => error instanceof ApiError && error.status === 404;

export function Code({ run }: { run: Run }) {
  // A run that a client started has none; asking would only make a refusal.
  const outside = run.source?.kind === "client";
  const snapshot = useGet<Snapshot>(["runs", run.id, "snapshot"], `/api/v1/runs/${run.id}/snapshot`, { enabled: !outside });
  if (outside || absent(snapshot.error)) return <Empty command="slipway run train">No code was recorded: this run was started outside Slipway. Started like this, it keeps commit, changes and new files:</Empty>;
  return (
    <Loaded of={snapshot}>
      {(data) => (
        <div className="stack" style={{ gap: 16 }}>
          <Facts columns of={[
            ["Commit", data.commit ? <code>{data.commit}</code> : "not in git"],
            ["Branch", data.branch], ["Remote", data.remote],
            ["Files", counted(data.file_count ?? data.files.length, "file")],
          ]} />
          <Section title="Changes that were not committed">
            <Diff text={data.diff ?? ""} empty={data.commit ? (data.dirty === null ? "Not known: the folder came through a browser, which cannot ask git. All files are kept as they were." : "None: the code is exactly the commit.") : "The folder is not in git; all files were kept."} />
          </Section>
          {data.files.some(({ untracked }) => untracked) && (
            <Section title="New files that git does not know">
              <div className={css.over}><table className={css.values} style={{ maxWidth: 720 }}><thead><tr><th>File</th><th className={css.right}>Size</th></tr></thead><tbody>
                {data.files.filter(({ untracked }) => untracked).slice(0, 500).map((file) => <tr key={file.path}><td><a href={blob(file.hash)}>{file.path}</a></td><td className={`${css.right} num`}>{bytes(file.size)}</td></tr>)}
              </tbody></table></div>
            </Section>
          )}
          {data.omitted.length > 0 && (
            <Section title="Left out">
              <div className={css.over}><table className={css.values} style={{ maxWidth: 720 }}><thead><tr><th>File</th><th className={css.right}>Size</th><th>Why</th></tr></thead><tbody>
                {data.omitted.map((file) => <tr key={file.path}><td>{file.path}</td><td className={`${css.right} num`}>{bytes(file.size)}</td><td>{file.why}</td></tr>)}
              </tbody></table></div>
            </Section>
          )}
        </div>
      )}
    </Loaded>
  );
}

export function EnvironmentTab({ run }: { run: Run }) {
  const { id } = run;
  const outside = run.source?.kind === "client";
  const [find, set_find] = useState("");
  const environment = useGet<Environment>(["runs", id, "environment"], `/api/v1/runs/${id}/environment`, { enabled: !outside });
  const machine = useGet<Record<string, unknown>>(["runs", id, "machine"], `/api/v1/runs/${id}/machine`, { enabled: !outside });
  return (
    <Columns>
      <Section title="Packages">
        {outside || absent(environment.error) ? <Empty>No environment was recorded: this run was started outside Slipway.</Empty> : (
          <Loaded of={environment}>
            {(data) => {
              const packages = data.packages ?? [];
              const found = packages.filter(({ name }) => name.toLowerCase().includes(find.toLowerCase()));
              return (
                <div className="stack">
                  <Facts of={[["Kind", data.kind], ["Interpreter", data.interpreter], ["Python", data.python_version], ["Lock", data.lock_hash && <code>{data.lock_hash.slice(0, 16)}</code>]]} />
                  {packages.length > 10 && <input aria-label="Find a package" placeholder={`Find among ${counted(packages.length, "package")}`} value={find} onChange={(event) => set_find(event.target.value)} style={{ maxWidth: 280 }} />}
                  <div style={{ maxHeight: 420, overflow: "auto" }} tabIndex={0} role="region" aria-label="Packages">
                    <table className={css.values}><thead><tr><th>Package</th><th>Version</th></tr></thead><tbody>
                      {found.slice(0, 1000).map(({ name, version }) => <tr key={name}><td>{name}</td><td className="num">{version}</td></tr>)}
                    </tbody></table>
                  </div>
                </div>
              );
            }}
          </Loaded>
        )}
      </Section>
      <Section title="Machine">
        {outside || absent(machine.error) ? <Empty>No machine was recorded.</Empty> : (
          <Loaded of={machine} skeleton={<Skeleton rows={4} />}>{(data) => <Facts of={Object.entries(data).map(([key, value]) => [titled(key.replace(/_bytes$/, "")), shown(key, value)])} />}</Loaded>
        )}
      </Section>
    </Columns>
  );
}

/// "cpu_count" as people write it: "CPU count".
export const titled = (key: string) => key.replace(/_/g, " ").replace(/^(cpu|gpu|os|id)(s?)\b/, (_, name: string, plural: string) => name.toUpperCase() + plural).replace(/^./, (first) => first.toUpperCase());

function shown(key: string, value: unknown): React.ReactNode {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return <span className="num">{key.endsWith("_bytes") ? bytes(value) : number(value)}</span>;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.length === 0 ? "none" : <ul>{value.map((one, i) => <li key={i}>{typeof one === "object" && one ? Object.entries(one as Record<string, unknown>).map(([k, v]) => (k.endsWith("_bytes") ? bytes(v as number) : String(v))).join(", ") : String(one)}</li>)}</ul>;
  if (typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)) return <Ago at={value} />;
  if (typeof value === "object") return <code>{JSON.stringify(value)}</code>;
  return String(value);
}
export { shown as shown_value };

export function LineageTab({ run }: { run: Run }) {
  const lineage = useGet<Lineage>(["runs", run.id, "lineage"], `/api/v1/runs/${run.id}/lineage`);
  return (
    <Loaded of={lineage}>
      {({ inputs, outputs }) => inputs.length + outputs.length === 0
        ? <Empty>Nothing is known to have gone in or come out. Inputs and outputs declared in slipway.yaml, and models logged by mlflow, stand here.</Empty>
        : (
          <div className={css.chain}>
            <ul aria-label="What went in">{inputs.length === 0 && <li className="quiet">no inputs</li>}{inputs.map((one) => <One key={one.url + one.relation} one={one} />)}</ul>
            <div className={css.self}>→ {run.name || "this run"} →</div>
            <ul aria-label="What came out">{outputs.length === 0 && <li className="quiet">no outputs</li>}{outputs.map((one) => <One key={one.url + one.relation} one={one} />)}</ul>
          </div>
        )}
    </Loaded>
  );
}

const One = ({ one }: { one: Linked }) => (
  <li><span className="quiet">{one.kind.replace(/_/g, " ")}{one.relation ? `, ${one.relation}` : ""}</span><br />{one.url ? <Link to={one.url}>{one.name}</Link> : one.name}</li>
);
