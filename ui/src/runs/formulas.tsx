// Columns that the reader computes from others: made, shown and removed under the table's head.
import { useState } from "react";
import type { Run, RunColumns } from "../api/types";
import { Popover } from "../parts/basics";
import { number } from "../parts/format";
import type { Column } from "../parts/table";
import { parse_formula, type NamedFormula } from "./formula";
import css from "./runs.module.css";

export const formula_id = (name: string) => `formula.${name}`;

export function formula_columns(formulas: NamedFormula[], known: RunColumns | undefined): { columns: Column<Run>[]; fields: string[] } {
  if (!known) return { columns: [], fields: [] };
  const parsed = formulas.map((one) => ({ ...one, made: parse_formula(one.text, known) }));
  const columns = parsed.map(({ name, text, made }): Column<Run> => {
    const value = (run: Run) => ("value" in made ? made.value(run) : NaN);
    return {
      id: formula_id(name), name, width: 110, right: true, hint: "value" in made ? `${name} = ${text}` : made.message,
      value: (run) => { const known_value = value(run); return Number.isNaN(known_value) ? null : known_value; },
      cell: (run) => { const known_value = value(run); return Number.isNaN(known_value) ? <span className="quiet">–</span> : number(known_value); },
    };
  });
  return { columns, fields: parsed.flatMap(({ made }) => ("fields" in made ? made.fields : [])) };
}

export function Formulas({ formulas, known, on_change }: { formulas: NamedFormula[]; known: RunColumns | undefined; on_change: (formulas: NamedFormula[]) => void }) {
  return (
    <Popover button={formulas.length ? `Formulas: ${formulas.length}` : "Formula"} name="Formulas" align="right">
      {() => (
        <div className={css.formulas}>
          <ul>
            {formulas.map((one) => (
              <li key={one.name}>
                <span className="clip" title={one.text}>{one.name} = <code>{one.text}</code></span>
                <button type="button" className="plain small" aria-label={`Remove ${one.name}`} onClick={() => on_change(formulas.filter((other) => other !== one))}>Remove</button>
              </li>
            ))}
          </ul>
          {known && <NewFormula known={known} add={(made) => on_change([...formulas.filter(({ name }) => name !== made.name), made])} />}
        </div>
      )}
    </Popover>
  );
}

function NewFormula({ known, add }: { known: RunColumns; add: (formula: NamedFormula) => void }) {
  const [name, set_name] = useState("");
  const [text, set_text] = useState("");
  const made = text.trim() ? parse_formula(text, known) : null;
  const wrong = made && "message" in made ? made : null;
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (!made || wrong || !name.trim()) return; add({ name: name.trim(), text: text.trim() }); set_name(""); set_text(""); }}>
      <input aria-label="Name of the column" placeholder="gap" value={name} maxLength={60} onChange={(event) => set_name(event.target.value.replace(/[=,]/g, ""))} />
      <input aria-label="Formula" className="num" placeholder="train_loss - val_loss" spellCheck={false} autoComplete="off" list="formula-words" aria-invalid={!!wrong} value={text} onChange={(event) => set_text(event.target.value)} />
      <datalist id="formula-words">{[...known.metrics, ...known.parameters].slice(0, 200).map((key) => <option key={key} value={/[^\w.]/.test(key) ? `\`${key}\`` : key} />)}</datalist>
      <button type="submit" disabled={!made || !!wrong || !name.trim()}>Add</button>
      {wrong && <div className={css.wrong} role="alert"><pre aria-hidden="true">{text.slice(0, wrong.position)}<mark>{text.slice(wrong.position, wrong.position + wrong.length) || " "}</mark>{text.slice(wrong.position + wrong.length)}</pre>{wrong.message}</div>}
      <p className="quiet">Metrics (<code>.min</code> and <code>.max</code> behind one give its extremes), parameters and <code>duration_s</code>, with + - * / ^ ( ) and abs, sqrt, exp, log, log10, min, max, round.</p>
    </form>
  );
}
