import { describe, expect, test } from "vitest";
import { ago, axis_texts, bytes, count, difference_in_words, duration, number, percent, short_id } from "./format";

describe("numbers", () => {
  test("have three significant digits, and thousands apart", () => {
    expect(number(0.98765)).toBe("0.988");
    expect(number(0.00455)).toBe("0.00455");
    expect(number(12.345)).toBe("12.3");
    expect(number(12345)).toBe("12,345");
    expect(number(12345.678)).toBe("12,346");
    expect(number(-1234567)).toBe("-1,234,567");
  });
  test("that are very small are written with an exponent", () => expect(number(1.5e-7)).toBe("1.50e-7"));
  test("that are none say so", () => {
    expect(number("NaN")).toBe("NaN");
    expect(number(null)).toBe("–");
    expect(number(0)).toBe("0");
    expect(count(2000)).toBe("2,000");
  });
});

describe("the texts of an axis", () => {
  test("have the decimals that the ticks need, all the same", () => {
    expect(axis_texts([0, 2.5, 5, 7.5, 10])).toEqual(["0", "2.5", "5.0", "7.5", "10.0"]);
    expect(axis_texts([0.5, 1, 1.5, 2])).toEqual(["0.5", "1.0", "1.5", "2.0"]);
    expect(axis_texts([-20, 0, 20])).toEqual(["-20", "0", "20"]);
    expect(axis_texts([10_000, 20_000])).toEqual(["10,000", "20,000"]);
  });
  test("differ however near one looks", () => expect(axis_texts([0.6512, 0.65125, 0.6513, 0.1 + 0.55135])).toEqual(["0.65120", "0.65125", "0.65130", "0.65135"]));
  test("are as short as they can be on a logarithmic axis, and left out where it says so", () => expect(axis_texts([1e-5, 0.01, null, 0.1, 1, 100])).toEqual(["1e-5", "0.01", "", "0.1", "1", "100"]));
  test("of very small and very large numbers have an exponent", () => {
    expect(axis_texts([0, 1e-5, 2e-5])).toEqual(["0", "1.0e-5", "2.0e-5"]);
    expect(axis_texts([1_000_000, 1_010_000, 1_020_000])).toEqual(["1.00e+6", "1.01e+6", "1.02e+6"]);
    expect(axis_texts([1_000_000, 2_000_000], 1e10)).toEqual(["1,000,000", "2,000,000"]);
  });
});

test("durations are in words people use", () => {
  expect(duration(0.00012)).toBe("120 µs");
  expect(duration(0.34)).toBe("340 ms");
  expect(duration(4.2)).toBe("4.2 s");
  expect(duration(250)).toBe("4 min 10 s");
  expect(duration(7980)).toBe("2 h 13 min");
  expect(duration(100 * 3600)).toBe("4 d 4 h");
  expect(duration(3599.7)).toBe("1 h");
  expect(duration(null)).toBe("–");
});

test("bytes are in powers of 1024", () => {
  expect(bytes(0)).toBe("0 B");
  expect(bytes(1536)).toBe("1.50 KiB");
  expect(bytes(96e6)).toBe("91.6 MiB");
});

test("a time is said as how long ago it is", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(ago("2026-01-01T23:59:55Z", now)).toBe("just now");
  expect(ago("2026-01-02T00:00:09Z", now)).toBe("just now");
  expect(ago("2026-01-02T00:01:00Z", now)).toMatch(/^2026-01-0/);
  expect(ago("2026-01-01T23:30:00Z", now)).toBe("30 min ago");
  expect(ago("2025-12-30T00:00:00Z", now)).toBe("3 d ago");
  expect(ago(null, now)).toBe("–");
});

test("a difference is said in words with its interval", () => {
  expect(difference_in_words(0.008, 0.021, "better")).toBe("0.8 to 2.1 points better (95 %)");
  expect(difference_in_words(-0.04, -0.01, "worse")).toBe("1.0 to 4.0 points worse (95 %)");
  expect(difference_in_words(-0.01, 0.02, "unclear")).toBe("1.0 points worse to 2.0 better (95 %)");
});

test("a share is a percentage", () => {
  expect(percent(0.9812)).toBe("98.1 %");
  expect(percent(NaN)).toBe("–");
});

test("our ids are told apart by their end, hashes by their beginning", () => {
  expect(short_id("01M7Z5HQ0000000000ABCDEFGH")).toBe("ABCDEFGH");
  expect(short_id("01a1fe58db79671a1f06cd7f487c2ba5")).toBe("487c2ba5");
  expect(short_id("f".repeat(38) + "00")).toBe("ffffffff");
});
