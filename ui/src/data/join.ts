// How the files of a folder become samples: a declaration guessed from their paths, and the join it leads to. Nothing is opened.
import type { Declaration } from "../api/types";
import { parse_pattern, type Fields, type Pattern } from "./pattern";

export const kDecodes = ["image", "label", "labels", "depth16", "text", "json", "number", "audio", "bytes"] as const;
export const kDecodeWords: Record<string, string> = {
  image: "image", label: "label", labels: "label map", depth16: "depth, 16 bit", text: "text", json: "JSON", number: "number", audio: "audio", bytes: "bytes",
};

export interface StreamForm { name: string; files: string; decode: string; optional: boolean }
export interface Joined { key: string; fields: Fields; paths: (string | null)[] }
export interface Join {
  samples: Joined[];
  /// How many files each stream has.
  counts: number[];
  unused: string[];
  problems: string[];
  /// Of the patterns: the streams by index, the key as "key". While there is one nothing is joined.
  mistakes: Map<number | "key", string>;
}

/// The key as it is asked for; empty: what distinguishes the files of the first stream.
function key_pattern(key: string, first: Pattern): Pattern | string {
  if (key) return parse_pattern(key);
  return first.fields.length === 0 ? `without a {field} in “${first.text}” all files would be one sample` : parse_pattern(first.fields.map((field) => `{${field}}`).join("/"));
}

export function join_files(key: string, streams: StreamForm[], paths: string[]): Join {
  const out: Join = { samples: [], counts: streams.map(() => 0), unused: [], problems: [], mistakes: new Map() };
  const patterns = streams.map(({ files }) => parse_pattern(files));
  patterns.forEach((pattern, i) => { if (typeof pattern === "string") out.mistakes.set(i, pattern); });
  const plain = patterns.filter((pattern): pattern is Pattern => typeof pattern !== "string");
  if (plain.length < patterns.length || plain.length === 0) return out;
  const keyed = key_pattern(key, plain[0]!);
  if (typeof keyed === "string") { out.mistakes.set("key", keyed); return out; }
  plain.forEach((pattern, i) => {
    const lacks = keyed.fields.find((field) => !pattern.fields.includes(field));
    if (lacks) out.mistakes.set(i, `lacks {${lacks}}, which the key ${keyed.text} needs`);
  });
  if (out.mistakes.size > 0) return out;

  const by_key = new Map<string, Joined>();
  for (const path of paths) {
    let used = false;
    plain.forEach((pattern, i) => {
      const fields = pattern.match(path);
      if (!fields) return;
      used = true;
      out.counts[i]!++;
      const sample_key = keyed.fill(fields)!;
      let sample = by_key.get(sample_key);
      if (!sample) by_key.set(sample_key, sample = { key: sample_key, fields: {}, paths: plain.map(() => null) });
      if (sample.paths[i] !== null) out.problems.push(`${path}: the sample ${sample_key} has ${sample.paths[i]} as its ${streams[i]!.name} already`);
      sample.paths[i] = path;
      for (const [field, value] of Object.entries(fields)) {
        const known = sample.fields[field] ??= value;
        if (known !== value) out.problems.push(`${path}: {${field}} of the sample ${sample_key} is ${value} here and ${known} in another stream`);
      }
    });
    if (!used) out.unused.push(path);
  }
  out.samples = [...by_key.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const sample of out.samples) {
    plain.forEach((pattern, i) => {
      if (sample.paths[i] === null && !streams[i]!.optional) out.problems.push(`the sample ${sample.key} has no file for its stream ${streams[i]!.name}; expected ${pattern.fill(sample.fields) ?? pattern.text}`);
    });
  }
  return out;
}

export interface Guess { key: string; streams: StreamForm[]; why: string | null }

/// The layouts that `slipway data add` knows without a declaration, and a first line to start from where it knows none.
export function guess(paths: string[]): Guess {
  const pictures = paths.filter((path) => /\.(png|jpe?g)$/i.test(path) && !path.startsWith("masks/"));
  const ends = [...new Set(pictures.map((path) => path.slice(path.lastIndexOf("."))))];
  const depths = [...new Set(pictures.map((path) => path.split("/").length - 1))];
  const stream = (name: string, files: string, decode: string): StreamForm => ({ name, files, decode, optional: false });
  const [end, depth] = [ends[0] ?? "", depths[0] ?? 0];
  const give_up = (why: string): Guess => {
    const example = pictures[0] ?? paths[0] ?? "";
    const suffix = /\.[^./]+$/.exec(example)?.[0] ?? "";
    const folders = example.split("/").slice(0, -1);
    return { key: "", streams: [stream(pictures.length > 0 ? "image" : "data", [...folders.slice(0, 1), ...folders.slice(1).map((_, i) => `{part${i + 1}}`), `{id}${suffix}`].join("/"), pictures.length > 0 ? "image" : "bytes")], why };
  };
  if (pictures.length === 0) return give_up("There is no .png or .jpg in it; say which files belong together.");
  if (ends.length > 1) return give_up(`It has pictures of several kinds (${ends.join(", ")}); say which files belong together.`);
  if (depths.length > 1 || depth > 1) return give_up("It has pictures at several depths; say which files belong together.");
  if (depth === 0) return { key: "{id}", streams: [stream("image", `{id}${end}`, "image")], why: null };
  if (pictures.every((path) => path.startsWith("images/"))) {
    const streams = [stream("image", `images/{id}${end}`, "image")];
    if (paths.some((path) => path.startsWith("labels/") && path.endsWith(".txt"))) streams.push(stream("label", "labels/{id}.txt", "label"));
    if (paths.some((path) => path.startsWith("masks/") && path.endsWith(".png"))) streams.push(stream("mask", "masks/{id}.png", "labels"));
    return { key: "{id}", streams, why: null };
  }
  return { key: "{label}/{id}", streams: [stream("image", `{label}/{id}${end}`, "image"), stream("label", `{label}/{id}${end}`, "label")], why: null };
}

/// A table beside the files: one row a sample, one of its columns the label.
export interface LabelTable { file: string; column: string }

export function declaration_of(key: string, streams: StreamForm[], statistics: string[], table: LabelTable | null): Declaration {
  const measured = streams.find(({ decode }) => decode === "image")?.name;
  const attributes: Record<string, object> = {};
  if (measured) for (const one of statistics) attributes[one] = { type: "float", compute: `${one}(${measured})` };
  if (table) attributes["label"] = { type: "text", manifest: table.file, column: table.column };
  return {
    ...(key ? { key } : {}),
    streams: Object.fromEntries(streams.map(({ name, files, decode, optional }) => [name, { files, decode, ...(optional ? { optional } : {}) }])),
    ...(Object.keys(attributes).length > 0 ? { attributes } : {}),
  };
}

/// The files that have to be sent: those of samples, and the table.
export function wanted_paths(join: Join, table: LabelTable | null): Set<string> {
  const wanted = new Set(join.samples.flatMap(({ paths }) => paths.filter((path): path is string => path !== null)));
  if (table) wanted.add(table.file);
  return wanted;
}

/// The columns of a CSV's first line, or the keys of the first object of JSON lines.
export function columns_of(first_line: string, file: string): string[] {
  if (!file.endsWith(".csv")) {
    try { return Object.keys(JSON.parse(first_line) as object); } catch { return []; }
  }
  return [...first_line.replace(/\r$/, "").matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((found) => found[1]?.replace(/""/g, '"') ?? found[2] ?? "");
}
