import { describe, expect, it } from "vitest";
import { tokens_of } from "./tokens";

const of = (usage: string) => tokens_of({ metadata: { "mlflow.trace.tokenUsage": usage } });

describe("tokens_of", () => {
  it("reads what the client summed up", () => {
    expect(of('{"input_tokens": 210, "output_tokens": 12, "total_tokens": 222}')).toEqual({ input: 210, output: 12, total: 222 });
  });
  it("adds up what went in and came out when nobody gave a total", () => {
    expect(of('{"input_tokens": 2, "output_tokens": 3}')).toEqual({ input: 2, output: 3, total: 5 });
    expect(of('{"input_tokens": 2}')).toEqual({ input: 2, output: null, total: null });
  });
  it("says nothing of what is no count", () => {
    expect(tokens_of({ metadata: {} })).toBeNull();
    for (const usage of ["", "{", "null", "7", "{}", '{"total_tokens": "many"}']) expect(of(usage), usage).toBeNull();
  });
});
