// Which parameters matter for a result: permutation importance in a random forest of regression trees.
//
// After L. Breiman, "Random Forests", Machine Learning 45 (2001), 5-32: each tree grows on a bootstrap sample of the runs, at
// each node over a random choice of the parameters, splitting where the squared error falls most. The runs that a tree has not
// seen (out of bag) judge it: how much worse it guesses them once one parameter's values are shuffled among them is that
// parameter's importance (section 10 there, for regression as in section 11). Random numbers come from a fixed seed, so the
// same runs give the same figures.

export interface ForestInput {
  /// Column by column, a value for each run; NaN where it is missing.
  columns: number[][];
  target: number[];
}
export interface Importance {
  /// For each column, by how much of the target's variance the error grows; not below zero.
  importance: number[];
  /// The share of the variance that the forest explains of runs it has not seen; below zero when it is worse than the mean.
  explained: number;
}

const kTrees = 100;
const kDepthMax = 10;
const kLeafMin = 3;
const kSeed = 20010;

export const kRunsMin = 10;

export function importance_of({ columns, target }: ForestInput): Importance {
  const filled = columns.map(without_gaps);
  const random = generator(kSeed);
  const runs = target.length;
  const growth = columns.map(() => 0);
  const votes = target.map(() => ({ sum: 0, count: 0 }));
  const variance = variance_of(target);
  let judged = 0;
  for (let t = 0; t < kTrees; t++) {
    const drawn = Array.from({ length: runs }, () => Math.floor(random() * runs));
    const seen = new Set(drawn);
    const unseen = target.flatMap((_, i) => (seen.has(i) ? [] : [i]));
    if (unseen.length < 2) continue;
    const tree = grow(filled, target, drawn, 0, random);
    judged++;
    const guess = (i: number) => walk(tree, (column) => filled[column]![i]!);
    for (const i of unseen) { votes[i]!.sum += guess(i); votes[i]!.count++; }
    const error = mean_square(unseen, target, guess);
    filled.forEach((values, column) => {
      const shuffled = shuffle(unseen.map((i) => values[i]!), random);
      const place = new Map(unseen.map((i, k) => [i, shuffled[k]!]));
      const worse = mean_square(unseen, target, (i) => walk(tree, (other) => (other === column ? place.get(i)! : filled[other]![i]!)));
      growth[column]! += worse - error;
    });
  }
  const guessed = target.flatMap((_, i) => (votes[i]!.count ? [i] : []));
  const missed = mean_square(guessed, target, (i) => votes[i]!.sum / votes[i]!.count);
  return { importance: growth.map((sum) => (variance > 0 && judged > 0 ? Math.max(0, sum / judged / variance) : 0)), explained: variance > 0 ? 1 - missed / variance : 0 };
}

type Tree = { value: number } | { column: number; at: number; below: Tree; above: Tree };

function walk(tree: Tree, value: (column: number) => number): number {
  let node = tree;
  while ("column" in node) node = value(node.column) <= node.at ? node.below : node.above;
  return node.value;
}

function grow(columns: number[][], target: number[], rows: number[], depth: number, random: () => number): Tree {
  const leaf = { value: rows.reduce((sum, i) => sum + target[i]!, 0) / rows.length };
  if (depth >= kDepthMax || rows.length < 2 * kLeafMin) return leaf;
  const split = best_split(columns, target, rows, some_of(columns.length, random));
  if (!split) return leaf;
  const side = (below: boolean) => grow(columns, target, rows.filter((i) => (columns[split.column]![i]! <= split.at) === below), depth + 1, random);
  return { ...split, below: side(true), above: side(false) };
}

/// A third of the columns, as Breiman does for regression, at least two.
function some_of(count: number, random: () => number): number[] {
  return shuffle(Array.from({ length: count }, (_, i) => i), random).slice(0, Math.max(Math.min(2, count), Math.ceil(count / 3)));
}

function best_split(columns: number[][], target: number[], rows: number[], among: number[]): { column: number; at: number } | null {
  let found: { column: number; at: number } | null = null;
  let best = 0;
  const total = rows.reduce((sum, i) => sum + target[i]!, 0);
  for (const column of among) {
    const values = columns[column]!;
    const sorted = [...rows].sort((a, b) => values[a]! - values[b]!);
    let sum = 0;
    for (let k = 0; k + 1 < sorted.length; k++) {
      sum += target[sorted[k]!]!;
      const [here, next] = [values[sorted[k]!]!, values[sorted[k + 1]!]!];
      const below = k + 1, above = sorted.length - below;
      if (here === next || below < kLeafMin || above < kLeafMin) continue;
      // By how much the squared error falls: what the two means explain more than the one.
      const gain = (sum * sum) / below + ((total - sum) * (total - sum)) / above - (total * total) / sorted.length;
      if (gain > best + 1e-12 * Math.abs(best)) { best = gain; found = { column, at: (here + next) / 2 }; }
    }
  }
  return found;
}

/// What is missing is taken as the median of what is known.
function without_gaps(values: number[]): number[] {
  const known = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  const median = known[known.length >> 1] ?? 0;
  return values.map((value) => (Number.isNaN(value) ? median : value));
}

function mean_square(rows: number[], target: number[], guess: (i: number) => number): number {
  return rows.length ? rows.reduce((sum, i) => sum + (target[i]! - guess(i)) ** 2, 0) / rows.length : 0;
}

function variance_of(values: number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
}

/// Fisher and Yates' shuffle.
function shuffle<T>(values: T[], random: () => number): T[] {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
  return values;
}

/// A linear congruential generator modulo 2^32 with the multiplier of Numerical Recipes (Press et al., 3rd edition, 7.1), its
/// high bits: good enough to shuffle a few thousand runs.
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => { state = (Math.imul(state, 1664525) + 1013904223) >>> 0; return (state >>> 8) / 2 ** 24; };
}

/// Spearman's rank correlation of two columns, over the runs that have both; NaN when one of them does not vary.
export function rank_correlation(a: number[], b: number[]): number {
  const both = a.flatMap((value, i) => (Number.isNaN(value) || Number.isNaN(b[i]!) ? [] : [i]));
  const [x, y] = [ranks(both.map((i) => a[i]!)), ranks(both.map((i) => b[i]!))];
  const middle = (both.length - 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  x.forEach((rank, i) => { const [dx, dy] = [rank - middle, y[i]! - middle]; xy += dx * dy; xx += dx * dx; yy += dy * dy; });
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : NaN;
}

/// From 0 on; equal values share the mean of their ranks.
function ranks(values: number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const made = new Array<number>(values.length);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let k = from; k < to; k++) made[order[k]!] = (from + to - 1) / 2;
    from = to;
  }
  return made;
}
