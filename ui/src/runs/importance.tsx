// Which parameters matter for a result, as a forest that grows in a worker says.
import { useEffect, useMemo, useState } from "react";
import type { Run } from "../api/types";
import { set_search } from "../app/router";
import { Empty, Skeleton } from "../parts/basics";
import { counted, number, percent } from "../parts/format";
import { differing_parameters, field_by_id, type Field } from "./fields";
import { kRunsMin, rank_correlation, type ForestInput, type Importance as Answer } from "./forest";
import { TargetSelect, useTarget } from "./target";
import css from "./runs.module.css";

/// The forest looks at so many parameters; those with the most values first.
const kParametersMax = 50;

export function Importance({ runs: all }: { runs: Run[] }) {
  const target = useTarget(all);
  const field = target.field;
  const runs = useMemo(() => all.filter((_, i) => field && !Number.isNaN(field.values[i]!)), [all, field]);
  const fields = useMemo(() => differing_parameters(runs).slice(0, kParametersMax).map((id) => field_by_id(runs, id)), [runs]);
  const judged = useMemo(() => (field ? field.values.filter((value) => !Number.isNaN(value)) : []), [field]);
  const enough = runs.length >= kRunsMin && fields.length > 0;
  const answer = useForest(enough ? fields : null, judged);
  if (!field) return <Empty>These runs have no metric to explain.</Empty>;
  return (
    <div className="stack">
      <div className={css.tools}><TargetSelect {...target} /></div>
      {!enough
        ? <p>{fields.length === 0 ? "These runs differ in no parameter." : `${counted(runs.length, "run")} with ${field.name} are too few to say; ${kRunsMin} are needed.`}</p>
        : !answer ? <Skeleton rows={6} /> : <Table fields={fields} answer={answer} target={judged} name={field.name} runs={runs.length} />}
    </div>
  );
}

function useForest(fields: Field[] | null, target: number[]): Answer | null {
  const [answer, set_answer] = useState<{ of: Field[]; made: Answer } | null>(null);
  useEffect(() => {
    if (!fields) return;
    const worker = new Worker(new URL("./importance_worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Answer>) => set_answer({ of: fields, made: data });
    worker.postMessage({ columns: fields.map(({ values }) => values), target } satisfies ForestInput);
    return () => worker.terminate();
  }, [fields, target]);
  return answer && answer.of === fields ? answer.made : null;
}

function Table({ fields, answer, target, name, runs }: { fields: Field[]; answer: Answer; target: number[]; name: string; runs: number }) {
  const whole = answer.importance.reduce((sum, one) => sum + one, 0);
  const rows = fields.map((field, i) => ({ field, share: whole > 0 ? answer.importance[i]! / whole : 0, together: field.words ? NaN : rank_correlation(field.values, target) })).sort((a, b) => b.share - a.share);
  return (
    <>
      <p>
        {answer.explained > 0.05
          ? <>A forest of regression trees explains <strong className="num">{percent(answer.explained, 0)}</strong> of the variance of {name} in runs it has not seen.</>
          : <>The parameters do not explain {name}: guesses for runs that the forest has not seen are no better than the mean. What follows means little.</>}
      </p>
      <div className={css.over} tabIndex={0} role="region" aria-label="Importance of parameters">
        <table className={css.values} style={{ maxWidth: 760 }}>
          <thead><tr><th>Parameter</th><th>Importance</th><th className={css.right}>Rank correlation</th><th>In words</th></tr></thead>
          <tbody>
            {rows.map(({ field, share, together }) => (
              <tr key={field.id}>
                <td><button type="button" className="plain small" title="See it as a scatter plot" onClick={() => set_search({ tab: "scatter", sx: field.id, sy: null }, { push: true })}>{field.name}</button></td>
                <td><span className={css.bar}><span style={{ width: `${100 * share}%` }} /></span> <span className="num">{percent(share, 0)}</span></td>
                <td className={`${css.right} num`}>{Number.isNaN(together) ? "–" : number(together)}</td>
                <td className="quiet">{in_words(field, share, together, name)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="quiet">
        Permutation importance (Breiman 2001) from {counted(runs, "run")}: by how much guesses for runs that a tree has not seen get worse once this parameter's values are shuffled among them, as a share of all
        parameters' together. Rank correlation is Spearman's: 1 when {name} always rises with the parameter, −1 when it falls. Both see what was tried, not what causes what.
      </p>
    </>
  );
}

function in_words(field: Field, share: number, together: number, name: string): string {
  if (field.words) return `${counted(field.words.length, "word")}, no order`;
  if (Math.abs(together) < 0.2) return share < 0.1 ? "neither up nor down with it" : "neither up nor down with it: best in between, or only together with others";
  return `${name} ${Math.abs(together) < 0.5 ? "tends to " : ""}${together > 0 ? "rise" : "fall"}${Math.abs(together) < 0.5 ? "" : "s"} with it`;
}
