import { expect, test } from "vitest";
import type { Environment, Lineage } from "../api/types";
import { code_rows, environment_rows, input_rows, machine_rows } from "./differences";

const environment = (packages: Record<string, string>, python = "3.11") => ({ environment: { kind: "python", python_version: python, packages: Object.entries(packages).map(([name, version]) => ({ name, version })) } as Environment });

test("packages are a row each, absent where a run lacks them", () => {
  const rows = environment_rows([environment({ numpy: "1.26", torch: "2.4" }), environment({ numpy: "2.0" }), { environment: null }]);
  expect(rows.find(({ key }) => key === "numpy")!.values).toEqual(["1.26", "2.0", null]);
  expect(rows.find(({ key }) => key === "torch")!.values).toEqual(["2.4", null, null]);
  expect(rows.some(({ key }) => key === "Lock")).toBe(false);
});

test("variables that were set differ like packages", () => {
  const set = (variables: Record<string, string>) => ({ environment: { kind: "host", variables } as Environment });
  expect(environment_rows([set({ OMP_NUM_THREADS: "2" }), set({})]).find(({ key }) => key === "$OMP_NUM_THREADS")!.values).toEqual(["2", null]);
});

test("what went in is named by its way, several together", () => {
  const lineage = (...names: string[]) => ({ lineage: { inputs: names.map((name) => ({ kind: "dataset_commit", relation: "images", name, id: "", url: "" })), outputs: [] } as Lineage });
  expect(input_rows([lineage("b@1", "a@1"), lineage("a@2"), { lineage: null }])).toEqual([{ key: "images", values: ["a@1, b@1", "a@2", null] }]);
});

test("a machine's numbers have units and its devices are words", () => {
  const rows = machine_rows([{ machine: { memory_bytes: 1024 ** 3, gpus: [{ name: "A", memory_bytes: 2 * 1024 ** 3 }] } }, { machine: { memory_bytes: 1024 ** 3, gpus: [] } }]);
  expect(rows).toEqual([{ key: "Memory", values: ["1.00 GiB", "1.00 GiB"] }, { key: "GPUs", values: ["name A, memory_bytes 2.00 GiB", null] }]);
});

test("the working copy is judged by the snapshot before the client's word", () => {
  const source = { kind: "step", commit: "0123456789abcdef", dirty: true } as never;
  expect(code_rows([{ source }, { source }], [{ snapshot: null }, { snapshot: { dirty: false, tree: "" } as never }]).find(({ key }) => key === "Working copy")!.values).toEqual(["changed", "as committed"]);
});
