// Two versions on the same samples: the difference per slice with its interval, drawn and in words.
import { part } from "../api/client";
import { useGet } from "../api/hooks";
import type { Evaluation, EvaluationComparison } from "../api/types";
import { useBack } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { Link } from "../app/router";
import { Figure, Figures, Loaded, State } from "../parts/basics";
import { Head, ScrollPage, Section } from "../parts/detail";
import { count, difference_in_words, percent, short_id } from "../parts/format";
import { Interval, span_of } from "../parts/interval";
import css from "./evaluations.module.css";
import table from "../runs/runs.module.css";

export default function CompareEvaluations({ id = "", other = "" }: Record<string, string>) {
  const api = `/api/v1/evaluations/${id}/compare/${other}`;
  const left = useGet<Evaluation>(["evaluations", id, "record"], `/api/v1/evaluations/${id}`);
  const right = useGet<Evaluation>(["evaluations", other, "record"], `/api/v1/evaluations/${other}`);
  const comparison = useGet<EvaluationComparison>(["evaluations", id, "compare", other], api);
  const name_of = (one: Evaluation | undefined, otherwise: string) => (one ? `${one.model} ${one.version}` : short_id(otherwise));
  const [from_name, to_name] = [name_of(left.data, id), name_of(right.data, other)];
  usePage([{ name: "Evaluations", to: "/evaluations" }, { name: `${from_name} and ${to_name}` }], [{ what: "Compare two evaluations", cli: `slipway evaluations compare ${id} ${other}`, curl: curl(api), python: python(api) }]);
  useBack("/evaluations");
  return (
    <ScrollPage>
      <Head title={<>From {from_name} to {to_name}</>}><Link to={`/evaluations/${other}/compare/${id}`}>Swap</Link></Head>
      {left.data && <p className="quiet">On the same samples of <Link to={`/datasets/${part(left.data.dataset)}/commits/${left.data.commit_id}`}>{left.data.dataset}@{short_id(left.data.commit_id)}</Link>. <Link to={`/evaluations/${id}`}>{from_name}</Link> stands left, <Link to={`/evaluations/${other}`}>{to_name}</Link> right.</p>}
      <Loaded of={comparison}>
        {({ slices, flips }) => {
          const [low, high] = span_of([{ value: 0, low: 0, high: 0 }, ...slices.map((one) => ({ value: one.difference, low: one.low, high: one.high }))]);
          return (
            <>
              <Figures>
                <Figure name="Now right" value={count(flips.fixed)} note={`${from_name} had them wrong`} />
                <Figure name="Now wrong" value={count(flips.broken)} note={`${from_name} had them right`} />
                <Figure name="Slices better" value={count(slices.filter(({ verdict }) => verdict === "better").length)} note={`of ${count(slices.length)}`} />
                <Figure name="Slices worse" value={count(slices.filter(({ verdict }) => verdict === "worse").length)} />
              </Figures>
              <Section title="Slice by slice" note={<span className="quiet">difference in points, 95 % intervals; the dashed line is no difference</span>}>
                <div className={table.over} tabIndex={0} role="region" aria-label="Slice by slice">
                  <table className={table.values}>
                    <thead><tr><th>Slice</th><th className={table.right}>Samples</th><th>Metric</th><th className={table.right}>{from_name}</th><th className={table.right}>{to_name}</th><th>Difference</th><th>Verdict</th><th>In words</th></tr></thead>
                    <tbody>
                      {slices.map((one) => (
                        <tr key={`${one.name} ${one.metric}`}>
                          <td><Link to={`/evaluations/${other}?slice=${encodeURIComponent(one.name)}`}>{one.name}</Link></td><td className={`${table.right} num`}>{count(one.n)}</td><td className="quiet">{one.metric}</td>
                          <td className={`${table.right} num`}>{percent(one.left.value)}</td><td className={`${table.right} num`}>{percent(one.right.value)}</td>
                          <td className={css.difference}><Interval marks={[{ value: one.difference, low: one.low, high: one.high, color: one.verdict === "better" ? "var(--good)" : one.verdict === "worse" ? "var(--bad)" : "var(--text-quiet)" }]} from={low} to={high} zero={0} /></td>
                          <td><State of={one.verdict} /></td><td className="quiet">{difference_in_words(one.low, one.high, one.verdict)}</td>
                        </tr>
                      ))}
                    </tbody>
                  </table>
                </div>
              </Section>
            </>
          );
        }}
      </Loaded>
    </ScrollPage>
  );
}
