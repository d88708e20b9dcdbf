import { expect, test } from "vitest";
import type { FolderFile } from "./folder";
import { batches_of, Pace } from "./upload";

const file = (path: string, size: number): FolderFile => ({ path, file: { size } as File });
const kMiB = 1024 * 1024;

test("small files travel together, large ones alone, and none is lost", () => {
  const files = [file("large", 3 * kMiB), ...Array.from({ length: 20 }, (_, i) => file(`small-${i}`, kMiB)), file("empty", 0)];
  const batches = batches_of(files);
  expect(batches[0]!.map(({ path }) => path)).toEqual(["large"]);
  expect(batches.map((batch) => batch.reduce((sum, one) => sum + one.file.size, 0) / kMiB)).toEqual([3, 8, 8, 4]);
  expect(batches.flat()).toHaveLength(files.length);
});
test("nothing to send is no batch", () => expect(batches_of([])).toEqual([]));
test("the rate is that of the last seconds, and none at first", () => {
  const pace = new Pace();
  expect(pace.rate(0, 0)).toBeNull();
  expect(pace.rate(1000, 1000)).toBe(1000);
  for (let second = 2; second <= 20; second++) pace.rate(1000, second * 1000);
  expect(pace.rate(1000, 21_000)).toBe(0);
});
