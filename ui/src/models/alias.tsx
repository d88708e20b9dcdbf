// Promoting is moving an alias: what follows it switches without a gap, and the move can be undone.
import { useState } from "react";
import { part } from "../api/client";
import { useSend } from "../api/hooks";
import type { Model, Version } from "../api/types";
import { quoted } from "../app/page";
import { Command, Dialog, Field, notify, notify_error } from "../parts/basics";

/// `wanted`: the version to begin with; the latest when it is not said.
export function AliasDialog({ model, versions, wanted, onClose }: { model: Model; versions: Version[]; wanted?: number; onClose: () => void }) {
  const [alias, set_alias] = useState("production");
  const [version, set_version] = useState(wanted ?? model.latest_version ?? 1);
  const before = model.aliases[alias];
  const move = useSend<unknown, { alias: string; version: number }>(["models", "deployments"], ({ alias: name, version: to }) => ["PUT", `/api/v1/models/${part(model.name)}/aliases/${part(name)}`, { version: to }]);
  return (
    <Dialog title={`Move an alias of ${model.name}`} onClose={onClose}>
      <form className="stack" onSubmit={(event) => {
        event.preventDefault();
        move.mutate({ alias, version }, { onSuccess: () => { onClose(); notify(`${alias} of ${model.name} is now version ${version}.`, before ? { undo: () => move.mutate({ alias, version: before }, { onError: notify_error }) } : {}); } });
      }}>
        <Field name="Alias" hint={before ? `Now at version ${before}. Deployments that use it switch when their new version is warm.` : "A new alias."}><input value={alias} list="aliases" required pattern="[A-Za-z0-9._\-]+" onChange={(event) => set_alias(event.target.value)} /></Field>
        <datalist id="aliases">{Object.keys(model.aliases).map((one) => <option key={one} value={one} />)}</datalist>
        <Field name="Version"><select value={version} onChange={(event) => set_version(Number(event.target.value))}>{versions.map((one) => <option key={one.version} value={one.version}>{one.version}{one.description ? ` · ${one.description}` : ""}</option>)}</select></Field>
        {move.error && <p role="alert">{move.error.message}</p>}
        <Command text={`slipway models alias ${quoted(model.name)} ${quoted(alias)} ${version}`} />
        <div><button type="submit" className="primary" disabled={move.isPending || before === version}>Move</button></div>
      </form>
    </Dialog>
  );
}
