import type { Run } from "../api/types";
import { color_of } from "../parts/format";

export interface Look { label: string; color: string; dashed: boolean }

/// How runs are told apart: by name, with a piece of the id where two have the same; by colour, with dashes where two have
/// the same.
export function look_of(runs: Pick<Run, "id" | "name">[]): Map<string, Look> {
  const names = new Map<string, number>();
  for (const { name } of runs) names.set(name, (names.get(name) ?? 0) + 1);
  const colors = new Map<string, number>();
  return new Map(runs.map(({ id, name }) => {
    const color = color_of(id);
    const before = colors.get(color) ?? 0;
    colors.set(color, before + 1);
    const label = name !== "" && names.get(name) === 1 ? name : `${name || "run"} ${id.slice(-6)}`;
    return [id, { label, color, dashed: before % 2 === 1 }];
  }));
}
