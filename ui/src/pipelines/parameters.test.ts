import { expect, test } from "vitest";
import type { PipelineDefinition, StepParameter } from "../api/types";
import { changed, editable, words } from "./parameters";

const parameter = (name: string, type: StepParameter["type"], value: StepParameter["value"]): StepParameter => ({ name, type, value, default: value, help: "", min: null, max: null, choices: [] });
const definition: PipelineDefinition = {
  project_file: "", snapshot: null,
  nodes: [
    { name: "train", kind: "step", uses: "train", after: [], parameters: [parameter("lr", "float", 0.01), parameter("epochs", "integer", 2), parameter("fast", "boolean", false), parameter("note", "string", "")] },
    { name: "check", kind: "evaluate", uses: "test", after: ["train"], parameters: [] },
  ],
};

test("only nodes with parameters are shown", () => expect(editable(definition).map(({ name }) => name)).toEqual(["train"]));
test("only what was changed is sent, in its type", () =>
  expect(changed(definition, { train: { lr: "0.1", epochs: "2", fast: "true", note: "7" } })).toEqual({ train: { lr: 0.1, fast: true, note: "7" } }));
test("what is no number is sent as it is, for the server to say what it expected", () => expect(changed(definition, { train: { lr: "quick", epochs: "" } })).toEqual({ train: { lr: "quick", epochs: "" } }));
test("nothing changed, nothing sent", () => expect(changed(definition, {})).toEqual({}));
test("a value as words of a command", () => expect(words({ train: { lr: 0.1, note: "a b" } })).toEqual(["train.lr=0.1", "train.note=a b"]));
