// Small edits of a record's own words: name, description, tags. Shown at once, told to the server, and can be undone.
import { useState } from "react";
import { useSend } from "../api/hooks";
import { useKeys } from "../app/keys";
import { Command, Dialog, Field, notify, notify_error } from "./basics";
import { curl } from "../app/page";

interface Value { name?: string; description?: string; tags?: Record<string, string> }
interface Props { what: string; path: string; nouns: string[]; value: Value; onClose: () => void }

/// `value` holds what may be edited. Tags that begin with "mlflow." are not a person's and stay out of sight.
export function EditDialog({ what, path, nouns, value, onClose }: Props) {
  const [name, set_name] = useState(value.name ?? "");
  const [description, set_description] = useState(value.description ?? "");
  const [tags, set_tags] = useState(() => render_tags(value.tags ?? {}));
  const change = useSend<unknown, Value | Record<string, unknown>>(nouns, (body) => ["PATCH", path, body]);
  const problem = value.tags ? tags_problem(tags) : null;
  const next: Value = { ...(value.name !== undefined ? { name } : {}), ...(value.description !== undefined ? { description } : {}), ...(value.tags ? { tags: problem ? {} : parse_tags(tags) } : {}) };
  const changes = difference(value, next);
  const save = () => change.mutate(changes, {
    onSuccess: () => { onClose(); notify(`${what} is changed.`, { undo: () => change.mutate(difference(next, value), { onError: notify_error }) }); },
  });
  return (
    <Dialog title={`Edit ${what}`} onClose={onClose}>
      <form className="stack" onSubmit={(event) => { event.preventDefault(); save(); }}>
        {value.name !== undefined && <Field name="Name"><input value={name} required maxLength={500} onChange={(event) => set_name(event.target.value)} /></Field>}
        {value.description !== undefined && <Field name="Description"><textarea rows={4} value={description} maxLength={5000} onChange={(event) => set_description(event.target.value)} /></Field>}
        {value.tags && <Field name="Tags" hint="One a line: key = value" error={problem ?? undefined}><textarea rows={5} className="num" spellCheck={false} value={tags} onChange={(event) => set_tags(event.target.value)} /></Field>}
        {change.error && <p role="alert">{change.error.message}</p>}
        <Command text={curl(path, { method: "PATCH", json: changes })} />
        <div><button type="submit" className="primary" disabled={Object.keys(changes).length === 0 || !!problem || change.isPending}>Save</button></div>
      </form>
    </Dialog>
  );
}

/// The button, and the key e.
export function Edit(props: Omit<Props, "onClose">) {
  const [open, set_open] = useState(false);
  useKeys([{ keys: "e", what: `Edit ${props.what}`, run: () => set_open(true), group: "This page" }]);
  return <><button type="button" onClick={() => set_open(true)}>Edit</button>{open && <EditDialog {...props} onClose={() => set_open(false)} />}</>;
}

const is_own = (key: string) => !key.startsWith("mlflow.");

export function render_tags(tags: Record<string, string>): string {
  return Object.entries(tags).filter(([key]) => is_own(key)).map(([key, value]) => `${key} = ${value}`).join("\n");
}
export function parse_tags(text: string): Record<string, string> {
  return Object.fromEntries(text.split("\n").flatMap((line) => {
    const at = line.indexOf("=");
    return at > 0 ? [[line.slice(0, at).trim(), line.slice(at + 1).trim()]] : [];
  }));
}
export function tags_problem(text: string): string | null {
  const wrong = text.split("\n").find((line) => line.trim() !== "" && line.indexOf("=") <= 0);
  return wrong === undefined ? null : `“${wrong.trim()}” has no key and no =`;
}

/// What has to be sent to come from one to the other; a tag that goes is null.
export function difference(from: Value, to: Value): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  if (to.name !== undefined && to.name !== from.name) changes["name"] = to.name;
  if (to.description !== undefined && to.description !== from.description) changes["description"] = to.description;
  const [before, after] = [from.tags ?? {}, to.tags ?? {}];
  const tags = Object.fromEntries([
    ...Object.keys(before).filter((key) => is_own(key) && !(key in after)).map((key) => [key, null]),
    ...Object.entries(after).filter(([key, value]) => is_own(key) && before[key] !== value),
  ]);
  if (Object.keys(tags).length > 0) changes["tags"] = tags;
  return changes;
}
