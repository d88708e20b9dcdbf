import { part, url } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { Drift, Finding } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { Link, navigate } from "../app/router";
import { Ago, Empty, Facts, Loaded, notify, notify_error, State } from "../parts/basics";
import { Columns, Head, ScrollPage, Section } from "../parts/detail";
import { count, number, percent } from "../parts/format";
import { Histogram } from "../parts/histogram";
import { in_words, strength } from "./statistics";

export default function FindingPage({ id = "" }: Record<string, string>) {
  const api = `/api/v1/findings/${id}`;
  const finding = useGet<Finding>(["findings", id], api);
  usePage([{ name: "Findings", to: "/findings" }, { name: finding.data ? `${finding.data.kind.replace("_", " ")} of ${finding.data.deployment}` : id.slice(0, 10) }], [
    { what: "Show this finding", curl: curl(api), python: python(api) },
    { what: "Close it", cli: `slipway findings close ${id}`, curl: curl(api, { method: "PATCH", json: { state: "closed" } }) },
  ]);
  useKeys([{ keys: "Escape", what: "Back to the findings", run: () => navigate("/findings"), group: "This page" }]);
  return <ScrollPage><Loaded of={finding} page>{(data) => <Body finding={data} />}</Loaded></ScrollPage>;
}

function Body({ finding }: { finding: Finding }) {
  const close = useSend<Finding>(["findings", "overview"], () => ["PATCH", `/api/v1/findings/${finding.id}`, { state: "closed" }]);
  return (
    <>
      <Head title={`${finding.kind.replace("_", " ")} of ${finding.deployment}`} state={<State of={finding.state} />}>
        {finding.state === "open" && <button type="button" onClick={() => close.mutate(undefined, { onSuccess: () => notify("The finding is closed. Should it be seen again, there will be a new one."), onError: notify_error })}>Close it</button>}
      </Head>
      <p>{finding.message}</p>
      <Columns>
        <Section title="What, since when, how strong">
          <Facts of={[
            ["What", <>The {in_words(finding.statistic)} no longer looks like the reference</>],
            ["Since", <Ago at={finding.created_at} />],
            ["How strong", strength(finding.value, finding.threshold)],
            ["Stability index", <span className="num">{number(finding.value)}, {number(finding.threshold)} allowed</span>],
            ["Seen last", <Ago at={finding.updated_at} />], ["Closed", finding.closed_at ? <Ago at={finding.closed_at} /> : null],
            ["Deployment", <Link to={`/deployments/${part(finding.deployment)}?tab=${finding.kind === "drift" ? "drift" : "traffic"}`}>{finding.deployment}</Link>],
            ["Model", <Link to={`/models/${part(finding.model)}/versions/${finding.version}`}>{finding.model} version {finding.version}</Link>],
            ["Cases", <Link to={url("/cases", { deployment: finding.deployment, state: "any", filter: `at >= '${finding.created_at}'` })}>kept since then</Link>],
          ]} />
        </Section>
        {finding.kind === "drift" && <Now finding={finding} />}
      </Columns>
    </>
  );
}

/// The statistic as it is now, beside what it is held against.
function Now({ finding }: { finding: Finding }) {
  const drift = useGet<Drift>(["deployments", finding.deployment, "drift"], `/api/v1/deployments/${part(finding.deployment)}/drift`);
  return (
    <Section title={`The ${in_words(finding.statistic)} now`}>
      <Loaded of={drift}>
        {(data) => {
          const statistic = data.statistics.find(({ name }) => name === finding.statistic);
          if (!statistic) return <Empty>Nothing is remembered of what {finding.deployment} was asked lately.</Empty>;
          return (
            <>
              <Histogram now={statistic.current_histogram} reference={statistic.reference_histogram} name={in_words(statistic.name)} width={480} height={160} />
              <p className="quiet">
                Filled: the last {count(data.answers)} answers. Line: the reference{data.reference ? ` (${data.reference})` : ""}. Stability index <span className="num">{number(statistic.psi)}</span>, <span className="num">{number(statistic.threshold)}</span> allowed;
                at some value the two differ by <span className="num">{percent(statistic.ks, 0)}</span> of all answers.
              </p>
              {data.version !== finding.version && <p>Version {data.version} answers now; the finding was about version {finding.version}.</p>}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}
