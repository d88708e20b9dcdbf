// The values a person gives to parameters of nodes before a pipeline starts: as text in a form, as JSON for the server, and as
// words of a command.
import type { PipelineDefinition, StepParameter } from "../api/types";

/// node -> parameter -> what stands in the field.
export type Given = Record<string, Record<string, string>>;
export type Values = Record<string, Record<string, string | number | boolean>>;

export const shown = (value: unknown) => (value === null || value === undefined ? "" : String(value));

export const editable = ({ nodes }: PipelineDefinition) => nodes.filter(({ parameters }) => parameters.length > 0);

/// A field's text as the parameter's type; text that does not fit is sent as it is, and the server says what it expected.
function typed({ type }: StepParameter, text: string): string | number | boolean {
  if (type === "boolean") return text === "true";
  if ((type === "float" || type === "integer") && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  return text;
}

/// Only what differs from what the node would get anyway.
export function changed(definition: PipelineDefinition, given: Given): Values {
  const values: Values = {};
  for (const { name: node, parameters } of definition.nodes) {
    for (const parameter of parameters) {
      const text = given[node]?.[parameter.name];
      if (text === undefined || text === shown(parameter.value)) continue;
      (values[node] ??= {})[parameter.name] = typed(parameter, text);
    }
  }
  return values;
}

/// "train.lr=0.1" for each.
export const words = (values: Values) => Object.entries(values).flatMap(([node, of_node]) => Object.entries(of_node).map(([name, value]) => `${node}.${name}=${value}`));
