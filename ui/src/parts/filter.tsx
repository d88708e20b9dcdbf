// The filter box: the server's own language, with completion of its words; what the server refuses is marked under the
// word that is wrong, in the server's sentence.
import { useEffect, useId, useRef, useState } from "react";
import { flushSync } from "react-dom";
import { ApiError } from "../api/client";
import { useKeys } from "../app/keys";
import css from "./filter.module.css";

interface Props {
  value: string;
  on_change: (value: string) => void;
  /// Words that may stand left of an operator.
  words: string[];
  /// Known values of what stands left of an operator.
  values?: (field: string) => string[];
  error?: Error | null;
  placeholder: string;
}

/// The word that ends at the caret, where completion makes sense: not inside quotes.
export function word_before(text: string, caret: number): string {
  const before = text.slice(0, caret);
  if ((before.match(/'/g)?.length ?? 0) % 2 === 1) return "";
  return /[\w./-]+$/.exec(before)?.[0] ?? "";
}

export interface Completion { from: number; show: string; insert: string }
const kCompletionsMax = 12;

/// What may come at the caret: a word, or behind `field =` one of the field's values.
export function completions(text: string, caret: number, words: string[], values: (field: string) => string[] = () => []): Completion[] {
  const before = text.slice(0, caret);
  const compared = /((?:[\w]+\.)?(?:`[^`]*`|[\w.]+))\s*(?:=|!=|\bi?like\b|\bin\s*\()\s*(?:'[^']*',\s*)*('[^']*)?$/i.exec(before);
  if (compared) {
    const typed = compared[2]?.slice(1) ?? "";
    const from = caret - (compared[2]?.length ?? 0);
    // What stands behind the caret may be the rest of a text that is being changed.
    if ((before.match(/'/g)?.length ?? 0) % 2 === (compared[2] === undefined ? 0 : 1))
      return values(compared[1]!.replaceAll("`", "")).filter((one) => !one.includes("'") && one.toLowerCase().includes(typed.toLowerCase()) && one !== typed).slice(0, kCompletionsMax).map((one) => ({ from, show: one, insert: `'${one}'` }));
  }
  const word = word_before(text, caret);
  if (!word) return [];
  const found = words.filter((one) => one.toLowerCase().includes(word.toLowerCase()) && one !== word).slice(0, kCompletionsMax);
  return found.map((one) => ({ from: caret - word.length, show: one, insert: /[^\w.]/.test(one) ? one.replace(/^(\w+)\.(.*)$/, "$1.`$2`") : one }));
}

export function FilterBox({ value, on_change, words, values, error, placeholder }: Props) {
  const [text, set_text] = useState(value);
  const [caret, set_caret] = useState(0);
  const [open, set_open] = useState(false);
  const [at, set_at] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => { set_text(value); }, [value]);
  useKeys([{ keys: "f", what: "Filter", run: () => input.current?.focus(), group: "Table" }]);

  const found = open ? completions(text, caret, words, values) : [];
  const take = ({ from, insert }: Completion) => {
    const next = `${text.slice(0, from)}${insert} ${text.slice(caret).replace(/^'/, "").trimStart()}`;
    const position = from + insert.length + 1;
    // At once: a key that is typed before the next frame must find the caret behind the word.
    flushSync(() => { set_text(next); set_open(false); set_caret(position); });
    input.current?.setSelectionRange(position, position);
  };
  const commit = () => { set_open(false); on_change(text.trim()); };
  const refused = error instanceof ApiError && error.status >= 400 && error.status < 500 ? error : null;
  const position = typeof refused?.details["position"] === "number" ? (refused.details["position"] as number) : null;
  const length = typeof refused?.details["length"] === "number" ? (refused.details["length"] as number) : 1;

  return (
    <div className={css.filter}>
      <div className={css.box}>
        <input
          ref={input} role="combobox" aria-label="Filter" aria-expanded={found.length > 0} aria-controls={`${id}-list`} aria-invalid={!!refused} aria-describedby={refused ? `${id}-error` : undefined}
          aria-activedescendant={found.length ? `${id}-${at}` : undefined} placeholder={placeholder} spellCheck={false} autoComplete="off" value={text} className="num"
          onChange={(event) => { set_text(event.target.value); set_caret(event.target.selectionStart ?? 0); set_open(true); set_at(0); }}
          onBlur={() => set_open(false)}
          onKeyDown={(event) => {
            if (found.length && event.key === "ArrowDown") { event.preventDefault(); set_at((at + 1) % found.length); }
            else if (found.length && event.key === "ArrowUp") { event.preventDefault(); set_at((at - 1 + found.length) % found.length); }
            else if (found.length && event.key === "Tab") { event.preventDefault(); take(found[at]!); }
            else if (event.key === "Enter") { event.preventDefault(); commit(); }
            else if (event.key === "Escape") { event.preventDefault(); if (found.length) set_open(false); else { set_text(value); input.current?.blur(); } }
          }}
        />
        {(text !== value || value) && (
          text !== value
            ? <button type="button" className="small" onClick={commit}>Apply</button>
            : <button type="button" className="small plain" onClick={() => { set_text(""); on_change(""); }}>Clear</button>
        )}
        {found.length > 0 && (
          <ul id={`${id}-list`} role="listbox" aria-label="Completions" className={css.list}>
            {found.map((one, i) => (
              <li key={one.show} id={`${id}-${i}`} role="option" aria-selected={i === at} className="num" onPointerDown={(event) => { event.preventDefault(); take(one); }}>{one.show}</li>
            ))}
          </ul>
        )}
      </div>
      {refused && (
        <div id={`${id}-error`} className={css.error} role="alert">
          {position !== null && <pre aria-hidden="true">{value.slice(0, position)}<mark>{value.slice(position, position + length) || " "}</mark>{value.slice(position + length)}</pre>}
          {refused.message}
        </div>
      )}
    </div>
  );
}
