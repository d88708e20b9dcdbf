// What became of a case that was asked again.
import type { Case } from "../api/types";

export type Outcome = "right" | "fixed" | "wrong" | "broken";
export interface Asked { one: Case; prediction: string; confidence: number; outcome: Outcome }

/// Against the case's label: "fixed" was wrong before and is right now, "broken" the other way round.
export function outcome_of({ label, prediction: before }: Pick<Case, "label" | "prediction">, prediction: string): Outcome {
  const was_right = before === label;
  return prediction === label ? (was_right ? "right" : "fixed") : was_right ? "broken" : "wrong";
}

export function summary(asked: Pick<Asked, "outcome">[]): { right: number; fixed: number; broken: number } {
  const of = (outcome: Outcome) => asked.filter((one) => one.outcome === outcome).length;
  return { right: of("right") + of("fixed"), fixed: of("fixed"), broken: of("broken") };
}
