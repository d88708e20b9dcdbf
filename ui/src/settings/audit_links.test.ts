import { expect, test } from "vitest";
import { page_of, time_of } from "./audit_links";

const line = (action: string, kind: string | null, subject: string, project: string | null = "default") => ({ action, kind, subject, project });

test("what was acted on is found where it is", () => {
  expect(page_of(line("restore run", "run", "ab"))).toBe("/runs/ab");
  expect(page_of(line("change stage", "model_version", "digits/3"))).toBe("/models/digits/versions/3");
  expect(page_of(line("move alias", "model", "a b"))).toBe("/models/a%20b");
  expect(page_of(line("create token", "token", "t1", null))).toBe("/settings?tab=tokens");
});

test("a deleted run has its page, what is gone has none", () => {
  expect(page_of(line("delete run", "run", "ab"))).toBe("/runs/ab");
  expect(page_of(line("remove run for good", "run", "ab"))).toBeNull();
  expect(page_of(line("delete model", "model", "digits"))).toBeNull();
  expect(page_of(line("delete run", "run", "ab", "lab (deleted 01K)"))).toBeNull();
  expect(page_of(line("begin backup", "server", ""))).toBeNull();
});

test("a day begins at its midnight, nonsense is no time", () => {
  expect(new Date(time_of("2026-03-01")).getHours()).toBe(0);
  expect(time_of("")).toBe("");
  expect(time_of("soon")).toBe("");
});
