import { expect, test } from "vitest";
import { filter_of, read_block, with_view } from "./blocks";

test("a chart says which runs, which metrics and how they are drawn", () => {
  const { block, problems } = read_block("chart", "experiment: digits\n# why: the best ones\nfilter: metrics.loss < 0.1 and tags.a = 'b: c'\nmetrics: loss, val_acc\nsmooth: 0.6\nlog: yes\ngroup: all but seed\nband: confidence\n");
  expect(problems).toEqual([]);
  expect(block).toMatchObject({ experiment: "digits", filter: "metrics.loss < 0.1 and tags.a = 'b: c'", metrics: ["loss", "val_acc"] });
  expect(block.look).toEqual({ smooth: "0.6", log: "1", group: "-params.seed", band: "confidence" });
});

test("groups are by parameters unless they say otherwise", () => {
  expect(read_block("chart", "experiment: a\ngroup: lr, tags.team").block.look["group"]).toBe("params.lr,tags.team");
});

test("what is wrong is said in words, one by one", () => {
  const wrong = (text: string) => read_block("chart", text).problems.join("; ");
  expect(wrong("experiment digits")).toMatch(/expected “word: value”/);
  expect(wrong("experiment: a\ncolour: red")).toMatch(/“colour” is no word of a chart block; there are view, experiment/);
  expect(wrong("experiment: a\nexperiment: b")).toBe("“experiment” is there twice");
  expect(wrong("experiment: a\nsmooth: 2")).toMatch(/expected 0 to 0.99/);
  expect(wrong("experiment: a\nband: wide")).toMatch(/expected extremes, confidence, none/);
  expect(wrong("runs: 12")).toMatch(/32 hexadecimal digits/);
  expect(wrong("metrics: loss")).toMatch(/names no runs/);
  expect(read_block("runs", "experiment: a\nlimit: 1000").problems.join()).toMatch(/expected 1 to 200/);
});

test("a view says what the block leaves open", () => {
  const { block } = read_block("chart", "view: best\nsmooth: 0.9");
  const whole = with_view(block, "experiment=7&filter=params.lr%20%3D%20'0.1'&group=params.lr&smooth=0.2&x=epoch");
  expect(whole).toMatchObject({ experiment: "7", filter: "params.lr = '0.1'", look: { group: "params.lr", smooth: "0.9", x: "epoch" } });
  expect(with_view(read_block("runs", "view: best").block, "sort=-metrics.acc&columns=name,metrics.acc")).toMatchObject({ order: "metrics.acc desc", columns: ["name", "metrics.acc"] });
});

test("runs that are named are found by their ids alone", () => {
  const id = "a".repeat(32);
  expect(filter_of(read_block("runs", `runs: ${id}\nfilter: metrics.loss < 1`).block)).toBe(`run_id IN ('${id}')`);
});
