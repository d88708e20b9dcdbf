// The structure of an ONNX model: operators, inputs, outputs, how many weights. The file is protobuf; weights are stepped over, so of a model
// of gigabytes some megabytes are fetched.

export interface Tensor { name: string; type: string; shape: string[] }
export interface Operator { name: string; type: string; domain: string; inputs: string[]; outputs: string[] }
export interface OnnxModel {
  producer: string;
  graph: string;
  opsets: { domain: string; version: number }[];
  inputs: Tensor[];
  outputs: Tensor[];
  operators: Operator[];
  /// Operators past `kOperatorsMax` are not read.
  cut: boolean;
  weights: number;
  parameters: number;
}

export const kOperatorsMax = 20_000;
const kTextBytesMax = 10_000;
/// As TensorProto.DataType has them.
const kTypes = ["undefined", "float32", "uint8", "int8", "uint16", "int16", "int32", "int64", "string", "bool", "float16", "float64", "uint32", "uint64", "complex64", "complex128", "bfloat16", "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4"];

/// Bytes of a file from anywhere: `length` of them from `at` on, or fewer at its end.
export type ReadBytes = (at: number, length: number) => Promise<Uint8Array>;

/// A reader that fetches windows and keeps the last.
export function windowed(size: number, window: number, fetch_part: (from: number, to: number) => Promise<Uint8Array>): ReadBytes {
  let from = 0;
  let kept = new Uint8Array();
  return async (at, length) => {
    if (at < from || at + length > from + kept.length) {
      const to = Math.min(size, at + Math.max(window, length));
      kept = new Uint8Array(at < to ? await fetch_part(at, to) : []);
      from = at;
    }
    return kept.subarray(at - from, at - from + length);
  };
}

interface Field { number: number; wire: number; value: number; start: number; end: number }

/// The fields of a message that lies from `at` to `end`. `value` is that of a number, `start` and `end` those of what has a length.
async function* fields(read: ReadBytes, at: number, end: number): AsyncGenerator<Field> {
  while (at < end) {
    const head = await read(at, Math.min(20, end - at));
    const [key, behind_key] = varint(head, 0);
    const number = Math.floor(key / 8);
    const wire = key % 8;
    if (wire === 0) {
      const [value, behind] = varint(head, behind_key);
      yield { number, wire, value, start: 0, end: 0 };
      at += behind;
    } else if (wire === 2) {
      const [length, behind] = varint(head, behind_key);
      const start = at + behind;
      if (length > end - start) throw new Error("a part of the file is longer than what it lies in");
      yield { number, wire, value: 0, start, end: start + length };
      at = start + length;
    } else if (wire === 1 || wire === 5) {
      at += behind_key + (wire === 1 ? 8 : 4);
    } else {
      throw new Error("the file is no protobuf");
    }
  }
}

function varint(bytes: Uint8Array, at: number): [number, number] {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new Error("the file ends in the middle of a number");
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return [value, at + i + 1];
  }
  throw new Error("the file is no protobuf");
}

const decoder = new TextDecoder();
const text = async (read: ReadBytes, { start, end }: Field) => decoder.decode(await read(start, Math.min(end - start, kTextBytesMax)));

export async function read_onnx(read: ReadBytes, size: number): Promise<OnnxModel> {
  const model: OnnxModel = { producer: "", graph: "", opsets: [], inputs: [], outputs: [], operators: [], cut: false, weights: 0, parameters: 0 };
  const weights = new Set<string>();
  let has_graph = false;
  for await (const field of fields(read, 0, size)) {
    if (field.number === 2 && field.wire === 2) model.producer = await text(read, field);
    if (field.number === 3 && field.wire === 2) model.producer += ` ${await text(read, field)}`;
    if (field.number === 8 && field.wire === 2) model.opsets.push(await opset(read, field));
    if (field.number === 7 && field.wire === 2) { has_graph = true; await graph(read, field, model, weights); }
  }
  if (!has_graph) throw new Error("the file has no graph");
  // Older files list their weights among the inputs, too.
  model.inputs = model.inputs.filter(({ name }) => !weights.has(name));
  model.producer = model.producer.trim();
  return model;
}

async function opset(read: ReadBytes, { start, end }: Field) {
  const found = { domain: "", version: 0 };
  for await (const field of fields(read, start, end)) {
    if (field.number === 1) found.domain = await text(read, field);
    if (field.number === 2) found.version = field.value;
  }
  return found;
}

async function graph(read: ReadBytes, { start, end }: Field, model: OnnxModel, weights: Set<string>) {
  for await (const field of fields(read, start, end)) {
    if (field.wire !== 2) continue;
    if (field.number === 1) {
      if (model.operators.length < kOperatorsMax) model.operators.push(await operator(read, field));
      else model.cut = true;
    }
    if (field.number === 2) model.graph = await text(read, field);
    if (field.number === 5) await weight(read, field, model, weights);
    if (field.number === 11) model.inputs.push(await tensor(read, field));
    if (field.number === 12) model.outputs.push(await tensor(read, field));
  }
}

async function operator(read: ReadBytes, { start, end }: Field): Promise<Operator> {
  const found: Operator = { name: "", type: "", domain: "", inputs: [], outputs: [] };
  for await (const field of fields(read, start, end)) {
    if (field.wire !== 2 || field.number === 5 || field.number > 7) continue;
    const word = await text(read, field);
    if (field.number === 1) found.inputs.push(word);
    if (field.number === 2) found.outputs.push(word);
    if (field.number === 3) found.name = word;
    if (field.number === 4) found.type = word;
    if (field.number === 7) found.domain = word;
  }
  return found;
}

async function weight(read: ReadBytes, { start, end }: Field, model: OnnxModel, weights: Set<string>) {
  let count = 1;
  for await (const field of fields(read, start, end)) {
    if (field.number === 1 && field.wire === 0) count *= field.value;
    if (field.number === 1 && field.wire === 2) {
      const packed = await read(field.start, Math.min(field.end - field.start, kTextBytesMax));
      for (let at = 0; at < packed.length; ) { const [dimension, behind] = varint(packed, at); count *= dimension; at = behind; }
    }
    if (field.number === 8 && field.wire === 2) weights.add(await text(read, field));
  }
  model.weights++;
  model.parameters += count;
}

/// ValueInfoProto: a name, and a type that is a tensor's, whose shape has numbers or names.
async function tensor(read: ReadBytes, { start, end }: Field): Promise<Tensor> {
  const found: Tensor = { name: "", type: "", shape: [] };
  for await (const field of fields(read, start, end)) {
    if (field.number === 1 && field.wire === 2) found.name = await text(read, field);
    if (field.number === 2 && field.wire === 2) for await (const type of fields(read, field.start, field.end)) if (type.number === 1 && type.wire === 2) await tensor_type(read, type, found);
  }
  return found;
}

async function tensor_type(read: ReadBytes, { start, end }: Field, found: Tensor) {
  for await (const field of fields(read, start, end)) {
    if (field.number === 1 && field.wire === 0) found.type = kTypes[field.value] ?? `type ${field.value}`;
    if (field.number !== 2 || field.wire !== 2) continue;
    for await (const dimension of fields(read, field.start, field.end)) {
      let size = "?";
      for await (const part of fields(read, dimension.start, dimension.end)) size = part.wire === 2 ? await text(read, part) : String(part.value);
      found.shape.push(size);
    }
  }
}
