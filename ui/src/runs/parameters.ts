// Typed parameters of a step as fields of a form: what a person wrote, held against what slipway.yaml declares.
export interface Parameter {
  name: string; type: "float" | "integer" | "string" | "boolean"; default: string | number | boolean | null; min: number | null; max: number | null;
  choices: (string | number | boolean)[]; help: string;
}

export const written = (value: Parameter["default"]): string => (value === null ? "" : String(value));

/// What should stand there, in words: "a whole number from 1 to 10".
export function expected({ type, min, max, choices }: Pick<Parameter, "type" | "min" | "max" | "choices">): string {
  if (choices.length > 0) return `one of ${choices.join(", ")}`;
  const kind = { float: "a number", integer: "a whole number", string: "text", boolean: "true or false" }[type];
  const range = min !== null && max !== null ? ` from ${min} to ${max}` : min !== null ? `, at least ${min}` : max !== null ? `, at most ${max}` : "";
  return kind + range;
}

/// null when the text fits, else the sentence for under the field. The server checks again.
export function mistake(parameter: Parameter, text: string): string | null {
  const { type, min, max, choices, default: otherwise } = parameter;
  if (text.trim() === "" && type !== "string") return otherwise === null ? `needs ${expected(parameter)}` : null;
  if (choices.length > 0) return choices.some((one) => String(one) === text) ? null : `expected ${expected(parameter)}`;
  if (type === "boolean") return text === "true" || text === "false" ? null : "expected true or false";
  if (type === "string") return null;
  const number = Number(text);
  const fits = Number.isFinite(number) && (type !== "integer" || Number.isInteger(number)) && (min === null || number >= min) && (max === null || number <= max);
  return fits ? null : `expected ${expected(parameter)}`;
}

/// What is sent: only what differs from the default, in its own type.
export function values_of(parameters: Parameter[], texts: Record<string, string>): Record<string, string | number | boolean> {
  return Object.fromEntries(parameters.flatMap(({ name, type, default: otherwise }): [string, string | number | boolean][] => {
    const text = texts[name] ?? written(otherwise);
    if (text === written(otherwise) && otherwise !== null) return [];
    if (text.trim() === "" && type !== "string") return [];
    return [[name, type === "string" ? text : type === "boolean" ? text === "true" : Number(text)]];
  }));
}
