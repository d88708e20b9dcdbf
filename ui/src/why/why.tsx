// Everything behind one answer, from the deployment down to the commit, the data and the cost.
import { part } from "../api/client";
import { useGet } from "../api/hooks";
import type { Why } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { Link } from "../app/router";
import { Facts, Loaded } from "../parts/basics";
import { Head, ScrollPage, Section } from "../parts/detail";
import { shown_value } from "../runs/record";
import css from "./why.module.css";

export default function WhyPage({ answer = "" }: Record<string, string>) {
  const api = `/api/v1/why/${part(answer)}`;
  const why = useGet<Why>(["why", answer], api);
  usePage([{ name: "Deployments", to: "/deployments" }, { name: "Why" }], [{ what: "Ask why", cli: `slipway why ${answer}`, curl: curl(api), python: python(api) }]);
  return (
    <ScrollPage>
      <Loaded of={why} page>
        {(data) => (
          <>
            <Head title="Why this answer" state={<code className="quiet">{answer}</code>} />
            <Facts columns of={Object.entries(data.answer).map(([key, value]): [string, React.ReactNode] => [key.replace(/_/g, " "), shown_value(key, value)])} />
            <Section title="What it came from">
              <ol className={css.chain}>
                {data.chain.map((one, i) => (
                  <li key={i}>
                    <span className="quiet">{one.kind.replace(/_/g, " ")}</span>
                    <div>{one.url ? <Link to={one.url}>{one.title}</Link> : <span>{one.title}</span>}{one.detail && <div className="quiet">{one.detail}</div>}</div>
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
