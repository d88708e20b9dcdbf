import { expect, test } from "vitest";
import type { MediaItem } from "../api/types";
import { about_of, color_of_label } from "./about";
import { dimensions_of } from "./dimensions";
import { chosen_step, place_of_step, steps_of, until_step, window_of } from "./media";
import { kWhole, moved, parse_view, render_view, zoomed } from "./view";

const item = (step: number | null): MediaItem => ({ run_id: "r", kind: "image", step, at: "", file: { path: `${step}`, hash: "", size: 1 }, preview: null, about: null, masks: [] });

test("steps of several keys are one rising list", () => {
  expect(steps_of([{ steps: [1, 10, 20] }, { steps: [5, 10] }])).toEqual([1, 5, 10, 20]);
});

test("a step between others is shown by the last before it", () => {
  expect([0, 1, 4, 10, 99].map((step) => place_of_step([1, 5, 10], step))).toEqual([0, 0, 0, 2, 2]);
  expect(place_of_step([], 3)).toBe(-1);
  expect(until_step([item(0), item(10), item(10)], 15)).toEqual({ items: [item(10), item(10)], step: 10 });
  expect(until_step([item(10)], 3)).toEqual({ items: [], step: 10 });
  expect(until_step([item(null)], 3)).toEqual({ items: [item(null)], step: null });
});

test("without a step the last is meant", () => {
  expect(chosen_step([1, 5], "")).toBe(5);
  expect(chosen_step([1, 5], "1")).toBe(1);
  expect(chosen_step([1, 5], "no")).toBe(5);
  expect(chosen_step([], "")).toBe(null);
});

test("a window of steps holds the chosen one and stays inside", () => {
  const steps = [0, 1, 2, 3, 4, 5];
  expect(window_of(steps, 0, 3)).toEqual([0, 1, 2]);
  expect(window_of(steps, 3, 3)).toEqual([2, 3, 4]);
  expect(window_of(steps, 5, 3)).toEqual([3, 4, 5]);
  expect(window_of(steps, 2, 10)).toEqual(steps);
});

test("a view zooms at the pointer, moves, stays inside of the picture, and reads back", () => {
  expect(zoomed(kWhole, 2)).toEqual({ zoom: 2, x: 0.5, y: 0.5 });
  expect(zoomed(kWhole, 2, 0, 1)).toEqual({ zoom: 2, x: 0.25, y: 0.75 });
  expect(zoomed({ zoom: 2, x: 0.25, y: 0.75 }, 0.1)).toEqual(kWhole);
  expect(moved({ zoom: 4, x: 0.5, y: 0.5 }, 0.5, 10)).toEqual({ zoom: 4, x: 0.375, y: 0.125 });
  const view = zoomed(kWhole, 3, 0.2, 0.3);
  expect(render_view(parse_view(render_view(view)))).toBe(render_view(view));
  expect(parse_view("")).toEqual(kWhole);
  expect(parse_view("2,a,0")).toEqual(kWhole);
  expect(render_view(kWhole)).toBe("");
});

const bytes = (...parts: (number | string)[]) => new Uint8Array(parts.flatMap((one) => (typeof one === "string" ? [...one].map((c) => c.charCodeAt(0)) : [one])));

test("pictures say their size in their first bytes", () => {
  expect(dimensions_of(bytes(0x89, "PNG\r\n", 0x1a, "\n", 0, 0, 0, 13, "IHDR", 0, 0, 1, 0, 0, 1, 0, 0))).toEqual({ width: 256, height: 65536 });
  expect(dimensions_of(bytes(0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc0, 0, 11, 8, 0, 5, 0, 9, 3))).toEqual({ width: 9, height: 5 });
  expect(dimensions_of(bytes("GIF89a", 3, 0, 4, 0))).toEqual({ width: 3, height: 4 });
  expect(dimensions_of(bytes("RIFF", 0, 0, 0, 0, "WEBPVP8X", 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 19, 0, 0))).toEqual({ width: 10, height: 20 });
  expect(dimensions_of(bytes(0x89, "PNG"))).toBe(null);
  expect(dimensions_of(bytes("hello"))).toBe(null);
});

test("what is told of a picture is taken as far as it makes sense", () => {
  const box = { x: 1, y: 2, width: 3, height: 4 };
  expect(about_of({ caption: "<b>x</b>", boxes: [{ ...box, label: 7, score: 0.5 }, { x: "1" }, null] })).toEqual({ caption: "<b>x</b>", boxes: [{ ...box, label: "7", score: 0.5 }] });
  for (const odd of [null, [], "text", { boxes: 3, caption: {} }]) expect(about_of(odd)).toEqual({ caption: "", boxes: [] });
  expect(color_of_label("seven")).toBe(color_of_label("seven"));
});
