// Markdown being written, with what it becomes beside it. What is not yet saved outlives a closed tab.
import { useDeferredValue, useEffect, useId, useState, type ReactNode } from "react";
import { Markdown, type Blocks } from "./markdown";
import { Problem } from "./basics";
import css from "./markdown_editor.module.css";

interface Props {
  /// What it is called to those who do not see it.
  name: string;
  text: string;
  on_text: (text: string) => void;
  save: () => void;
  cancel: () => void;
  busy: boolean;
  /// Nothing differs from what is kept.
  same: boolean;
  error: Error | null;
  blocks?: Blocks;
  /// What stands above the text, such as a title; and words under it.
  children?: ReactNode;
  help?: ReactNode;
  /// What a refusal needs beside its sentence.
  rescue?: ReactNode;
  rows?: number;
}

/// A preview with charts asks the server; while one types it waits.
const kPreviewMs = 400;

export function MarkdownEditor({ name, text, on_text, save, cancel, busy, same, error, blocks, children, help, rescue, rows = 24 }: Props) {
  const id = useId();
  const shown = useDeferredValue(useSettled(text, kPreviewMs));
  useUnsaved(!same);
  return (
    <form
      className={css.editor}
      onSubmit={(event) => { event.preventDefault(); if (!same && !busy) save(); }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); if (!same && !busy) save(); }
        // Escape is for the page; here it would throw the text away.
        if (event.key === "Escape") event.stopPropagation();
      }}
    >
      {children}
      {error && <Problem error={error} />}
      {rescue}
      <div className={css.sides}>
        <div className={css.side}>
          <label htmlFor={id} className={css.name}>{name}, Markdown</label>
          <textarea id={id} value={text} rows={rows} spellCheck onChange={(event) => on_text(event.target.value)} />
        </div>
        <div className={css.side}>
          <div className={css.name}>Preview</div>
          <div className={css.preview} role="region" aria-label={`Preview of ${name}`} tabIndex={0}><Markdown text={shown} {...(blocks ? { blocks } : {})} /></div>
        </div>
      </div>
      {help && <div className={css.help}>{help}</div>}
      <div className="row">
        <button type="submit" className="primary" disabled={same || busy}>Save</button>
        <button type="button" onClick={cancel}>{same ? "Close" : "Discard changes"}</button>
        <span className="quiet"><kbd>Ctrl</kbd> <kbd>Enter</kbd> saves</span>
      </div>
    </form>
  );
}

/// The value once it has stood still.
function useSettled<T>(value: T, ms: number): T {
  const [settled, set_settled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => set_settled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

function useUnsaved(unsaved: boolean) {
  useEffect(() => {
    if (!unsaved) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [unsaved]);
}

/// What is being written of something, kept in the browser until it is saved or thrown away: [text, change, forget].
export function useDraft(of: string, first: string): [string, (text: string) => void, () => void] {
  const key = `slipway.draft.${of}`;
  const [text, set_text] = useState(() => read(key) ?? first);
  const change = (next: string) => {
    set_text(next);
    try { if (next === first) sessionStorage.removeItem(key); else sessionStorage.setItem(key, next); } catch { /* full, or a private window */ }
  };
  return [text, change, () => { try { sessionStorage.removeItem(key); } catch { /* as above */ } }];
}
function read(key: string): string | null {
  try { return sessionStorage.getItem(key); } catch { return null; }
}
