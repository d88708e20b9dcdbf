// Columns that are computed from others: `train_loss - val_loss`, `metrics.val_acc.max / params.size`, `log10(params.lr)`.
//
//   sum     = product {("+" | "-") product}
//   product = sign {("*" | "/") sign}
//   sign    = "-" sign | power
//   power   = atom ["^" sign]
//   atom    = number | name | function "(" sum {"," sum} ")" | "(" sum ")"
//
// A name is a metric, a parameter or `duration_s`; `metrics.` and `params.` say which, `` `backquotes` `` hold odd characters,
// and behind a metric `.min`, `.max` or `.last` say which of its values.
import type { Run, RunColumns } from "../api/types";
import { value_of } from "../parts/format";

export type FormulaRun = Pick<Run, "metrics" | "parameters" | "duration_s">;
export interface FormulaError { position: number; length: number; message: string }
export interface Formula {
  /// The columns it needs of the server, as "metrics.loss".
  fields: string[];
  /// NaN where something is missing.
  value: (run: FormulaRun) => number;
}

export const kFormulaCharactersMax = 300;
const kFunctions: Record<string, (...values: number[]) => number> = { abs: Math.abs, sqrt: Math.sqrt, exp: Math.exp, log: Math.log, log10: Math.log10, min: Math.min, max: Math.max, round: Math.round };

interface Token { text: string; kind: "number" | "name" | "sign" | "end"; position: number; quoted: boolean }
class Refused extends Error { constructor(readonly at: FormulaError) { super(at.message); } }
const refuse = (token: Token, message: string): never => { throw new Refused({ position: token.position, length: Math.max(1, token.text.length), message }); };

export function parse_formula(text: string, known: RunColumns): Formula | FormulaError {
  if (text.length > kFormulaCharactersMax) return { position: kFormulaCharactersMax, length: 1, message: `A formula has at most ${kFormulaCharactersMax} characters.` };
  try {
    const parser = new Parser(tokens_of(text), known);
    const value = parser.whole();
    return { fields: [...parser.fields], value };
  } catch (error) {
    if (error instanceof Refused) return error.at;
    throw error;
  }
}

function tokens_of(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_][\w.]*(?:`[^`]*`[\w.]*)?|`[^`]*`[\w.]*)|([-+*/^(),]))/y;
  while (pattern.lastIndex < text.length) {
    const from = pattern.lastIndex;
    const found = pattern.exec(text);
    if (!found) {
      const rest = text.slice(from);
      if (!rest.trim()) break;
      const position = from + rest.search(/\S/);
      throw new Refused({ position, length: 1, message: text[position] === "`" ? "This backquote is not closed." : `“${text[position]}” has no meaning here; keys with odd characters stand in \`backquotes\`.` });
    }
    const [, digits, name, sign] = found;
    const written = (digits ?? name ?? sign)!;
    tokens.push({ text: written, kind: digits ? "number" : name ? "name" : "sign", position: pattern.lastIndex - written.length, quoted: written.includes("`") });
  }
  tokens.push({ text: "", kind: "end", position: text.length, quoted: false });
  return tokens;
}

type Value = (run: FormulaRun) => number;

class Parser {
  readonly fields = new Set<string>();
  private at = 0;
  constructor(private readonly tokens: Token[], private readonly known: RunColumns) {}

  whole(): Value {
    const value = this.sum();
    const rest = this.tokens[this.at]!;
    if (rest.kind !== "end") refuse(rest, `“${rest.text}” stands where +, -, * or / is expected.`);
    return value;
  }

  private takes(...signs: string[]): string | null {
    const token = this.tokens[this.at]!;
    if (token.kind !== "sign" || !signs.includes(token.text)) return null;
    this.at++;
    return token.text;
  }

  private sum(): Value {
    let left = this.product();
    for (let sign = this.takes("+", "-"); sign; sign = this.takes("+", "-")) {
      const [before, right, minus] = [left, this.product(), sign === "-"];
      left = minus ? (run) => before(run) - right(run) : (run) => before(run) + right(run);
    }
    return left;
  }

  private product(): Value {
    let left = this.sign();
    for (let sign = this.takes("*", "/"); sign; sign = this.takes("*", "/")) {
      const [before, right, by] = [left, this.sign(), sign === "/"];
      left = by ? (run) => before(run) / right(run) : (run) => before(run) * right(run);
    }
    return left;
  }

  private sign(): Value {
    if (!this.takes("-")) return this.power();
    const value = this.sign();
    return (run) => -value(run);
  }

  private power(): Value {
    const base = this.atom();
    if (!this.takes("^")) return base;
    const exponent = this.sign();
    return (run) => base(run) ** exponent(run);
  }

  private atom(): Value {
    const token = this.tokens[this.at++]!;
    if (token.kind === "number") { const value = Number(token.text); return () => value; }
    if (token.kind === "sign" && token.text === "(") { const value = this.sum(); this.closed(token); return value; }
    if (token.kind !== "name") return refuse(token, token.kind === "end" ? "The formula ends where a number, a metric or a parameter is expected." : `“${token.text}” stands where a number, a metric or a parameter is expected.`);
    return this.takes("(") ? this.call(token) : this.name(token);
  }

  private closed(opened: Token) { if (!this.takes(")")) refuse(opened, "This parenthesis is not closed."); }

  private call(token: Token): Value {
    const does = kFunctions[token.text] ?? refuse(token, `There is no function ${token.text}; there are ${Object.keys(kFunctions).join(", ")}.`);
    const values = [this.sum()];
    while (this.takes(",")) values.push(this.sum());
    this.closed(token);
    if (values.length > 1 && token.text !== "min" && token.text !== "max") refuse(token, `${token.text} takes one value; this has ${values.length}.`);
    return (run) => does(...values.map((value) => value(run)));
  }

  private name(token: Token): Value {
    if (token.text === "duration_s") return (run) => run.duration_s ?? NaN;
    const [, kind, key] = /^(metrics|params)\.(.+)$/s.exec(token.text.replaceAll("`", "")) ?? [null, "", token.text.replaceAll("`", "")];
    if (kind !== "params") {
      const [, stem, which] = /^(.+)\.(min|max|last)$/.exec(key!) ?? [];
      if (this.known.metrics.includes(key!)) return this.metric(key!, "last");
      if (stem && this.known.metrics.includes(stem)) return this.metric(stem, which as "min" | "max" | "last");
    }
    if (kind !== "metrics" && this.known.parameters.includes(key!)) {
      this.fields.add(`params.${key}`);
      return (run) => number_of(run.parameters[key!]);
    }
    const near = nearest(key!, [...(kind === "params" ? [] : this.known.metrics), ...(kind === "metrics" ? [] : this.known.parameters)]);
    return refuse(token, `No run has a ${kind === "metrics" ? "metric" : kind === "params" ? "parameter" : "metric or parameter"} “${key}”${near ? `; did you mean “${near}”?` : "."}`);
  }

  private metric(key: string, which: "min" | "max" | "last"): Value {
    this.fields.add(`metrics.${key}`);
    return (run) => value_of(run.metrics[key]?.[which]);
  }
}

const number_of = (text: string | undefined) => (text === undefined || text.trim() === "" ? NaN : Number(text));

/// The known word with the fewest changed letters, if these are few.
function nearest(word: string, known: string[]): string | null {
  const away = known.map((one) => [distance(word.toLowerCase(), one.toLowerCase()), one] as const).sort(([a], [b]) => a - b)[0];
  return away && away[0] <= Math.max(1, word.length / 3) ? away[1] : null;
}

/// How many letters have to be added, removed or changed (Levenshtein).
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + Number(a[i - 1] !== b[j - 1])));
    row = next;
  }
  return row[b.length]!;
}

/// "gap=train_loss - val_loss", as it stands in the URL.
export interface NamedFormula { name: string; text: string }
export function read_formulas(texts: string[]): NamedFormula[] {
  return texts.flatMap((text) => { const i = text.indexOf("="); return i > 0 ? [{ name: text.slice(0, i).trim(), text: text.slice(i + 1).trim() }] : []; });
}
export const write_formulas = (formulas: NamedFormula[]) => formulas.map(({ name, text }) => `${name}=${text}`);
