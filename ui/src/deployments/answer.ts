// What an inference answer means, without the page around it.
export interface OutputTensor { name: string; datatype: string; shape: number[]; data: (number | string | boolean)[] }
export interface InferAnswer { model_name: string; model_version?: string; outputs: OutputTensor[]; parameters?: Record<string, unknown> }
export interface Ranked { label: string; probability: number; raw: number }

/// The classes of one answer, best first. Numbers that are no probabilities (logits) are put through softmax, and
/// `softmaxed` says so. Null when the output is not one row of classes.
export function ranked(output: OutputTensor | undefined, labels: string[] | null): { classes: Ranked[]; softmaxed: boolean } | null {
  if (!output) return null;
  const size = output.shape.reduce((product, length) => product * length, 1);
  const last = output.shape.at(-1) ?? 0;
  if (size !== last || last < 2 || last > 10_000 || !output.data.every((value) => typeof value === "number")) return null;
  const raw = output.data as number[];
  const sum = raw.reduce((a, b) => a + b, 0);
  const is_probability = raw.every((value) => value >= -1e-6 && value <= 1 + 1e-6) && Math.abs(sum - 1) < 1e-3;
  const top = Math.max(...raw);
  const exponents = raw.map((value) => Math.exp(value - top));
  const total = exponents.reduce((a, b) => a + b, 0);
  const classes = raw.map((value, i) => ({ label: labels?.[i] ?? String(i), raw: value, probability: is_probability ? value : exponents[i]! / total }));
  return { classes: classes.sort((a, b) => b.probability - a.probability), softmaxed: !is_probability };
}

/// Height and width that a model's input wants of a picture; null when it is not one.
export function picture_size(shape: number[]): { width: number; height: number } | null {
  const plain = shape.filter((size) => size > 4);
  if (plain.length === 2) return { height: plain[0]!, width: plain[1]! };
  return null;
}
