// The tokens that language models took for a trace, as MLflow's clients and the server sum them up in its metadata.
import type { Trace } from "../api/types";

const kTokens = "mlflow.trace.tokenUsage";

/// Null for what nobody counted.
export interface Tokens {
  input: number | null;
  output: number | null;
  total: number | null;
}

/// Null when the trace says nothing of tokens that can be read.
export function tokens_of({ metadata }: Pick<Trace, "metadata">): Tokens | null {
  let usage: unknown;
  try { usage = JSON.parse(metadata[kTokens] ?? "null"); } catch { return null; }
  if (typeof usage !== "object" || usage === null) return null;
  const count = (key: string) => { const value = (usage as Record<string, unknown>)[key]; return typeof value === "number" ? value : null; };
  const input = count("input_tokens"), output = count("output_tokens");
  const total = count("total_tokens") ?? (input === null || output === null ? null : input + output);
  return input === null && output === null && total === null ? null : { input, output, total };
}
