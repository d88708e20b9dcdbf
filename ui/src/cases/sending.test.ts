import { expect, test } from "vitest";
import { all_ids, kPart, send_in_parts, type Progress } from "./sending";

const many = (n: number) => Array.from({ length: n }, (_, i) => `case-${i}`);
const taken = (ids: string[]) => ({ commit_id: `commit of ${ids.length}`, sent: ids.slice(1), held_out: ids.slice(0, 1) });

test("everything is sent once, part by part, and each part is told", async () => {
  const parts: string[][] = [];
  const told: Progress[] = [];
  const end = await send_in_parts(many(2 * kPart + 5), async (ids) => { parts.push(ids); return taken(ids); }, (one) => told.push(one), () => false);
  expect(end).toEqual({ left: [], error: null });
  expect(parts.map(({ length }) => length)).toEqual([kPart, kPart, 5]);
  expect(parts.flat()).toEqual(many(2 * kPart + 5));
  expect(told.map(({ done }) => done)).toEqual([0, kPart, 2 * kPart, 2 * kPart + 5]);
  expect(told.at(-1)).toMatchObject({ sent: 2 * kPart + 2, held_out: 3, commit_id: "commit of 5" });
});

test("an error leaves what was not sent, to go on with", async () => {
  let calls = 0;
  const end = await send_in_parts(many(3 * kPart), async (ids) => { if (++calls === 2) throw new Error("no label"); return taken(ids); }, () => {}, () => false);
  expect(end.left).toEqual(many(3 * kPart).slice(kPart));
  expect(end.error?.message).toBe("no label");
});

test("it stops between two parts", async () => {
  let calls = 0;
  const end = await send_in_parts(many(3 * kPart), async (ids) => { calls += 1; return taken(ids); }, () => {}, () => calls === 1);
  expect(end.left.length).toBe(2 * kPart);
});

test("all pages are asked for, up to a limit", async () => {
  const page = async (token: string | null) => ({ cases: many(10).map((id) => ({ id: `${token ?? "first"} ${id}` })), next_page_token: token === "c" ? null : token === "b" ? "c" : "b" });
  expect((await all_ids(page, 1000)).length).toBe(30);
  expect((await all_ids(page, 15)).length).toBe(15);
});
