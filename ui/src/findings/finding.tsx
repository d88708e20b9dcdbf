import { part } from "../api/client";
import { useGet, useSend } from "../api/hooks";
import type { Drift, Finding } from "../api/types";
import { useKeys } from "../app/keys";
import { curl, python, usePage } from "../app/page";
import { Link, navigate } from "../app/router";
import { Ago, Facts, Loaded, notify, notify_error, State } from "../parts/basics";
import { Columns, Head, ScrollPage, Section } from "../parts/detail";
import { number } from "../parts/format";
import { Histogram } from "../parts/histogram";

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
  const drift = useGet<Drift>(["deployments", finding.deployment, "drift"], `/api/v1/deployments/${part(finding.deployment)}/drift`, { enabled: finding.kind === "drift" });
  const statistic = drift.data?.statistics.find(({ name }) => name === finding.statistic);
  return (
    <>
      <Head title={`${finding.kind.replace("_", " ")} of ${finding.deployment}`} state={<State of={finding.state} />}>
        {finding.state === "open" && <button type="button" onClick={() => close.mutate(undefined, { onSuccess: () => notify("The finding is closed. Should it be seen again, there will be a new one."), onError: notify_error })}>Close it</button>}
      </Head>
      <p>{finding.message}</p>
      <Columns>
        <Section title="What was measured">
          <Facts of={[
            ["Deployment", <Link to={`/deployments/${part(finding.deployment)}?tab=${finding.kind === "drift" ? "drift" : "traffic"}`}>{finding.deployment}</Link>],
            ["Statistic", finding.statistic], ["Value", <span className="num">{number(finding.value)}</span>], ["Allowed", <span className="num">{number(finding.threshold)}</span>],
            ["Model", <Link to={`/models/${part(finding.model)}/versions/${finding.version}`}>{finding.model} version {finding.version}</Link>],
            ["Found", <Ago at={finding.created_at} />], ["Seen last", <Ago at={finding.updated_at} />], ["Closed", finding.closed_at ? <Ago at={finding.closed_at} /> : null],
            ["Cases", <Link to={`/cases?deployment=${part(finding.deployment)}`}>open cases of {finding.deployment}</Link>],
          ]} />
        </Section>
        {statistic && (
          <Section title={`${statistic.name} now`}>
            <Histogram now={statistic.current_histogram} reference={statistic.reference_histogram} name={statistic.name} width={360} height={120} />
            <p className="quiet">Filled: lately. Line: the reference. PSI <span className="num">{number(statistic.psi)}</span>.</p>
          </Section>
        )}
      </Columns>
    </>
  );
}
