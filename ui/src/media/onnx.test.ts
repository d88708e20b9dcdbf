import { expect, test } from "vitest";
import { read_onnx, windowed } from "./onnx";

// The few words of protobuf that a model is made of.
const varint = (value: number): number[] => (value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]);
const sized = (number: number, content: number[] | string) => { const bytes = typeof content === "string" ? [...new TextEncoder().encode(content)] : content; return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes]; };
const plain = (number: number, value: number) => [...varint(number * 8), ...varint(value)];
const info = (name: string, dims: (number | string)[]) => [...sized(1, name), ...sized(2, sized(1, [...plain(1, 1), ...sized(2, dims.flatMap((one) => sized(1, typeof one === "number" ? plain(1, one) : sized(2, one))))]))];
const node = (type: string, inputs: string[], outputs: string[]) => [...inputs.flatMap((one) => sized(1, one)), ...outputs.flatMap((one) => sized(2, one)), ...sized(4, type), ...sized(5, sized(1, "attribute"))];
const raw = new Array<number>(3000).fill(7);
const weight = (name: string, dims: number[]) => [...sized(1, dims.flatMap(varint)), ...plain(2, 1), ...sized(8, name), ...sized(9, raw)];

const model = new Uint8Array([
  ...plain(1, 8), ...sized(2, "maker"), ...sized(3, "1.2"),
  ...sized(7, [...sized(5, weight("w", [300, 4])), ...sized(1, node("MatMul", ["x", "w"], ["h"])), ...sized(1, node("Relu", ["h"], ["y"])), ...sized(2, "net"),
    ...sized(11, info("x", ["batch", 300])), ...sized(11, info("w", [300, 4])), ...sized(12, info("y", ["batch", 4]))]),
  ...sized(8, [...sized(1, ""), ...plain(2, 17)]),
]);

test("a model's structure is read around its weights", async () => {
  let fetched = 0;
  const read = windowed(model.length, 64, async (from, to) => { fetched += to - from; return model.slice(from, to); });
  const found = await read_onnx(read, model.length);
  expect(found).toMatchObject({ producer: "maker 1.2", graph: "net", opsets: [{ domain: "", version: 17 }], weights: 1, parameters: 1200, cut: false });
  expect(found.inputs).toEqual([{ name: "x", type: "float32", shape: ["batch", "300"] }]);
  expect(found.outputs).toEqual([{ name: "y", type: "float32", shape: ["batch", "4"] }]);
  expect(found.operators.map(({ type, inputs, outputs }) => [type, inputs, outputs])).toEqual([["MatMul", ["x", "w"], ["h"]], ["Relu", ["h"], ["y"]]]);
  expect(fetched).toBeLessThan(model.length - 2000);
});

test("what is no model is said to be none", async () => {
  const read = (bytes: Uint8Array) => read_onnx(async (at, length) => bytes.subarray(at, at + length), bytes.length);
  await expect(read(new Uint8Array())).rejects.toThrow(/no graph/);
  await expect(read(new TextEncoder().encode("hello, this is text"))).rejects.toThrow();
  await expect(read(model.slice(0, 100))).rejects.toThrow(/longer than/);
  await expect(read(new Uint8Array([255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]))).rejects.toThrow(/no protobuf/);
});
