// The statistics that the monitor watches, in words.
const kWords: Record<string, string> = {
  input_mean: "mean of the input",
  input_deviation: "spread of the input",
  confidence: "confidence of the answer",
  margin: "margin between the two likeliest classes",
  predicted_class: "predicted class",
};

export const in_words = (statistic: string) => kWords[statistic] ?? statistic.replace(/_/g, " ");

/// How far over what is allowed; null where one of the two is not known.
export function strength(value: number | null, threshold: number | null): string | null {
  if (value === null || threshold === null || threshold <= 0) return null;
  const times = value / threshold;
  if (times < 1) return "within what is allowed";
  if (times < 1.5) return "little more than what is allowed";
  return `${times < 10 ? times.toFixed(1) : Math.round(times)} times what is allowed`;
}
