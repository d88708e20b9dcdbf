import { expect, test } from "vitest";
import { Blake3 } from "./blake3";

/// The input of the reference implementation's test vectors: 0, 1, …, 250, 0, 1, …
const input = (length: number) => Uint8Array.from({ length }, (_, i) => i % 251);
const hash = (bytes: Uint8Array) => new Blake3().update(bytes).hex();

test("short texts have the names that the store gives them", () => {
  expect(hash(new TextEncoder().encode("hello"))).toBe("ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f");
  expect(hash(new TextEncoder().encode("hi"))).toBe("85052e9aab1b67b6622d94a08441b09fd5b7aca61ee360416d70de5da67d86ca");
});
test.each([
  [0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"],
  [1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"],
  [1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"],
  [1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"],
  [1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"],
  [2048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"],
  [2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"],
  [102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"],
])("the reference vector of %i bytes", (length, expected) => expect(hash(input(length))).toBe(expected));
test("pieces of any length give the same", () => {
  const whole = input(10_000);
  const hasher = new Blake3();
  for (let from = 0, step = 1; from < whole.length; from += step, step = (step * 7) % 1500 + 1) hasher.update(whole.subarray(from, from + step));
  expect(hasher.hex()).toBe(hash(whole));
});
