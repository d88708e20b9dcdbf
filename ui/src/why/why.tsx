// Everything behind one answer, from the deployment down to the commit and the data.
import { part } from "../api/client";
import { useGet } from "../api/hooks";
import type { Why } from "../api/types";
import { useBack } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { Link } from "../app/router";
import { Ago, Facts, Loaded } from "../parts/basics";
import { Head, ScrollPage, Section } from "../parts/detail";
import { shown_value, titled } from "../runs/record";
import css from "./why.module.css";

export default function WhyPage({ answer = "" }: Record<string, string>) {
  const api = `/api/v1/why/${part(answer)}`;
  const why = useGet<Why>(["why", answer], api);
  usePage([{ name: "Deployments", to: "/deployments" }, { name: "Why" }], [{ what: "Ask why", cli: `slipway why ${answer}`, curl: curl(api), python: python(api) }]);
  useBack("/deployments");
  return (
    <ScrollPage>
      <Loaded of={why} page>
        {(data) => (
          <>
            <Head title="Why this answer" state={<code className="quiet">{answer}</code>} />
            <Facts columns of={Object.entries(data.answer).filter(([key]) => key !== "id").map(([key, value]): [string, React.ReactNode] => [titled(key), shown_value(key, value)])} />
            <Section title="What it came from">
              <ol className={css.chain}>
                {data.chain.map((one, i) => (
                  <li key={i}>
                    <span className="quiet">{one.kind.replace(/_/g, " ")}</span>
                    <div>{one.url ? <Link to={one.url}>{one.title}</Link> : <span>{one.title}</span>}{one.detail && <div className="quiet">{with_times(one.detail)}</div>}</div>
                  </li>
                ))}
              </ol>
            </Section>
          </>
        )}
      </Loaded>
    </ScrollPage>
  );
}

/// Times inside a sentence are said as elsewhere: how long ago, the exact time on hover.
function with_times(text: string) {
  return text.split(/(\d{4}-\d\d-\d\dT[\d:.]+Z)/).map((piece, i) => (i % 2 === 1 ? <Ago key={i} at={piece} /> : piece));
}
