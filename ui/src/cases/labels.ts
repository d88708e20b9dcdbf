// Keys for labels: a digit each for the first ten, letters that mean nothing else on the page for the next.

const kDigits = "1234567890";
const kLetters = "qwertyuiopzvbnm".replace("e", "");  // a, d, f, g, h, j, k, l, s, x and c are taken

/// Labels that are digits have their own; of too many the last have none, and are chosen from the list.
export function keys_of_labels(labels: string[] | null): { key: string; label: string }[] {
  if (!labels) return [];
  if (labels.every((label) => /^\d$/.test(label))) return labels.map((label) => ({ key: label, label }));
  const keys = kDigits + kLetters;
  return labels.slice(0, keys.length).map((label, i) => ({ key: keys[i]!, label }));
}
