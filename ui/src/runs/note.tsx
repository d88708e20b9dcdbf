// What people wrote about a run or an experiment: mlflow's tag of that name, as Markdown.
import { useState } from "react";
import { useSend } from "../api/hooks";
import { Markdown } from "../parts/markdown";
import { MarkdownEditor, useDraft } from "../parts/markdown_editor";
import css from "./note.module.css";

export const kNoteTag = "mlflow.note.content";

interface Props {
  /// Of whom: "run ID", and its path in the API.
  of: string;
  path: string;
  nouns: string[];
  note: string;
  /// Nothing is changed of what was put aside.
  fixed?: boolean;
}

export function Note({ of, path, nouns, note, fixed = false }: Props) {
  const [open, set_open] = useState(false);
  if (open) return <Writing key={of} of={of} path={path} nouns={nouns} note={note} done={() => set_open(false)} />;
  if (!note) return fixed ? null : <div><button type="button" className="plain small" onClick={() => set_open(true)}>Add a note</button></div>;
  return (
    <section className={css.note} aria-label="Note">
      <Markdown text={note} />
      {!fixed && <div><button type="button" className="plain small" onClick={() => set_open(true)}>Edit the note</button></div>}
    </section>
  );
}

function Writing({ of, path, nouns, note, done }: Omit<Props, "fixed"> & { done: () => void }) {
  const [text, set_text, forget] = useDraft(`note of ${of}`, note);
  const change = useSend<unknown>(nouns, () => ["PATCH", path, { tags: { [kNoteTag]: text } }]);
  return (
    <MarkdownEditor
      name="Note" text={text} on_text={set_text} rows={8} busy={change.isPending} same={text === note} error={change.error}
      save={() => change.mutate(undefined, { onSuccess: () => { forget(); done(); } })} cancel={() => { forget(); done(); }}
    />
  );
}
