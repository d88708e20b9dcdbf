// The live blocks of a report: "```chart" and "```runs", whose lines are "word: value". They say the same as the URLs of the pages
// of compared runs and of the table of runs, so that a saved view of those can stand for them.

export type Kind = "chart" | "runs";
export interface Block {
  /// A saved view, by name or id; what the block says itself counts more.
  view: string;
  /// By name or id.
  experiment: string;
  filter: string;
  ids: string[];
  order: string;
  metrics: string[];
  columns: string[];
  limit: number | null;
  /// How the charts are drawn, in the words of the compare page's URL: x, log, clip, smooth, group, band.
  look: Record<string, string>;
}
export interface Read { block: Block; problems: string[] }

const kWords: Record<Kind, string[]> = {
  chart: ["view", "experiment", "filter", "runs", "order", "metrics", "x", "log", "clip", "smooth", "group", "band"],
  runs: ["view", "experiment", "filter", "runs", "order", "columns", "limit"],
};
export const kRowsMax = 200;

const kEmpty: Block = { view: "", experiment: "", filter: "", ids: [], order: "", metrics: [], columns: [], limit: null, look: {} };

export function read_block(kind: Kind, text: string): Read {
  const read: Read = { block: { ...kEmpty, look: {} }, problems: [] };
  const seen = new Set<string>();
  for (const line of text.split("\n").map((one) => one.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const at = line.indexOf(":");
    const word = (at < 0 ? line : line.slice(0, at)).trim();
    if (at < 0) read.problems.push(`“${line}” is no line of a ${kind} block: expected “word: value”`);
    else if (!kWords[kind].includes(word)) read.problems.push(`“${word}” is no word of a ${kind} block; there are ${kWords[kind].join(", ")}`);
    else if (seen.has(word)) read.problems.push(`“${word}” is there twice`);
    else take(read, word, line.slice(at + 1).trim());
    seen.add(word);
  }
  const { view, experiment, filter, ids } = read.block;
  if (read.problems.length === 0 && !view && !experiment && !filter && ids.length === 0) read.problems.push(`the block names no runs: say “experiment: NAME”, “filter: …”, “runs: ID, ID” or “view: NAME”`);
  return read;
}

const listed = (text: string) => text.split(",").map((one) => one.trim()).filter(Boolean);

function take({ block, problems }: Read, word: string, value: string) {
  const one_of = (...known: string[]) => { if (!known.includes(value)) problems.push(`“${word}” is “${value}”; expected ${known.join(", ")}`); };
  switch (word) {
    case "view": case "experiment": case "filter": case "order": block[word] = value; break;
    case "metrics": block.metrics = listed(value); break;
    case "columns": block.columns = listed(value); break;
    case "runs": {
      block.ids = listed(value);
      const wrong = block.ids.find((id) => !/^[0-9a-f]{32}$/.test(id));
      if (wrong !== undefined) problems.push(`“${wrong}” is no run's id, which has 32 hexadecimal digits`);
      break;
    }
    case "limit": {
      block.limit = Number(value);
      if (!Number.isInteger(block.limit) || block.limit < 1 || block.limit > kRowsMax) problems.push(`“limit” is “${value}”; expected 1 to ${kRowsMax}`);
      break;
    }
    case "smooth": if (!(Number(value) >= 0 && Number(value) < 1)) problems.push(`“smooth” is “${value}”; expected 0 to 0.99`); block.look["smooth"] = value; break;
    case "log": case "clip": one_of("yes", "no"); block.look[word] = value === "yes" ? "1" : ""; break;
    case "band": one_of("extremes", "confidence", "none"); block.look["band"] = value; break;
    case "group": block.look["group"] = grouping_of(value); break;
    case "x": block.look["x"] = value; break;
  }
}

/// "lr, tags.team" and "all but seed" in the words of the URL.
function grouping_of(value: string): string {
  const but = /^all but\s+/i.exec(value);
  const keys = listed(value.slice(but?.[0].length ?? 0)).map((key) => (/^(params|tags)\.|^(experiment_name|state)$/.test(key) ? key : `params.${key}`));
  return (but ? "-" : "") + keys.map((key) => key.replace(/[%,]/g, encodeURIComponent)).join(",");
}

/// The block with what a view's query says where it says nothing itself.
export function with_view(block: Block, query: string): Block {
  const from = new URLSearchParams(query);
  const list = (name: string) => (from.get(name) ?? "").split(",").filter(Boolean).map(decoded);
  const sort = from.get("sort") ?? "";
  const look = Object.fromEntries(["x", "log", "clip", "smooth", "group", "band", "find"].flatMap((name) => { const value = from.get(name); return value ? [[name, value]] : []; }));
  return {
    ...block,
    experiment: block.experiment || (from.get("experiment") ?? ""), filter: block.filter || (from.get("filter") ?? ""),
    ids: block.ids.length ? block.ids : list("ids"), columns: block.columns.length ? block.columns : list("columns"),
    order: block.order || (from.get("order") ?? (sort && `${sort.replace(/^-/, "")} ${sort.startsWith("-") ? "desc" : "asc"}`)),
    look: { ...look, ...block.look },
  };
}
function decoded(text: string) {
  try { return decodeURIComponent(text); } catch { return text; }
}

/// The filter that finds the block's runs, as the API takes it.
export const filter_of = ({ filter, ids }: Block) => (ids.length ? `run_id IN (${ids.map((id) => `'${id}'`).join(",")})` : filter);
