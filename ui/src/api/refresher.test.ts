import type { QueryKey } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { make_refresher } from "./refresher";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function slow(took_ms: number) {
  const asked: string[] = [];
  const refresh = make_refresher((key: QueryKey) => { asked.push(key.join("/")); return new Promise((done) => setTimeout(done, took_ms)); }, 1000);
  return { asked, refresh };
}

test("what many events make old is asked for once a second", async () => {
  const { asked, refresh } = slow(10);
  for (let i = 0; i < 50; i++) { refresh([["runs", "list"], ["runs", "r1"]]); await vi.advanceTimersByTimeAsync(10); }
  expect(asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(600);
  expect(asked).toEqual(["runs/list", "runs/r1"]);
});

test("what is still on its way is not asked for again before it is there, and then it is", async () => {
  const { asked, refresh } = slow(5000);
  refresh([["media"]]);
  await vi.advanceTimersByTimeAsync(1500);
  refresh([["media"], ["reports"]]);
  await vi.advanceTimersByTimeAsync(4000);
  expect(asked).toEqual(["media", "reports"]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(asked).toEqual(["media", "reports", "media"]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked).toHaveLength(3);
});

test("what is costly to answer rests, what is not follows the events", async () => {
  const count = async (took_ms: number) => {
    const { asked, refresh } = slow(took_ms);
    for (let s = 0; s < 60; s++) { refresh([["media"]]); await vi.advanceTimersByTimeAsync(1000); }
    return asked.length;
  };
  expect(await count(10)).toBeGreaterThan(40);
  expect(await count(1000)).toBeLessThanOrEqual(12);
});
