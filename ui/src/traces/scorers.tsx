// What judges language applications: the latest version of every scorer that mlflow registered.
import { useList } from "../api/hooks";
import type { Scorer } from "../api/types";
import { curl, python, usePage } from "../app/page";
import { server_url } from "../app/prefix";
import { Link } from "../app/router";
import { Ago, Empty, Problem } from "../parts/basics";
import { FillPage, Head } from "../parts/detail";
import { DataTable, type Column } from "../parts/table";
import { ExperimentLink } from "./experiment_link";

type Definition = Record<string, Record<string, unknown> | string | null | undefined>;

const kind_of = ({ definition }: Scorer) => {
  const known = (definition ?? {}) as Definition;
  if (typeof known["builtin_scorer_class"] === "string") return known["builtin_scorer_class"];
  return known["instructions_judge_pydantic_data"] ? "Judge" : known["third_party_scorer_data"] ? "Third party" : "Scorer";
};

/// What a judge is told, or what a built-in scorer was given.
const says_of = ({ definition }: Scorer) => {
  const known = (definition ?? {}) as Definition;
  const judge = known["instructions_judge_pydantic_data"], built_in = known["builtin_scorer_pydantic_data"];
  const said = (typeof judge === "object" && judge?.["instructions"]) || (typeof built_in === "object" && (built_in?.["guidelines"] ?? built_in?.["instructions"]));
  return typeof said === "string" ? said : Array.isArray(said) ? said.join("; ") : null;
};

const columns: Column<Scorer>[] = [
  { id: "name", name: "Scorer", width: 220, value: ({ name }) => name },
  { id: "kind", name: "Kind", width: 160, value: kind_of },
  { id: "version", name: "Version", width: 80, right: true, value: ({ version }) => version },
  { id: "says", name: "Says", width: 420, sortable: false, value: says_of },
  { id: "experiment", name: "Experiment", width: 180, sortable: false, value: ({ experiment }) => experiment, cell: ({ experiment }) => <ExperimentLink id={experiment} /> },
  { id: "created_at", name: "Registered", width: 110, right: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <Ago at={created_at} /> },
];

export default function Scorers() {
  const list = useList<Scorer>(["scorers", "list"], "/api/v1/scorers", "scorers");
  usePage([{ name: "Traces", to: "/traces" }, { name: "Scorers" }], [{ what: "List the scorers", curl: curl("/api/v1/scorers"), python: python("/api/v1/scorers") }]);
  return (
    <FillPage>
      <Head title="Scorers"><Link to="/evaluation-datasets">Evaluation datasets</Link></Head>
      {list.error && <Problem error={list.error} again={list.again} />}
      <DataTable
        name="scorers" label="Scorers" primary rows={list.rows} columns={columns} row_key={({ id }) => id}
        total={list.total} more={list.more} load_more={list.load_more} loading={list.loading} changing={list.changing}
        empty={<Empty command={`MLFLOW_TRACKING_URI=${server_url()} python -c "from mlflow.genai.scorers import Guidelines; Guidelines(name='polite', guidelines=['Be polite']).register()"`}>There is no scorer yet. mlflow.genai.scorers registers them:</Empty>}
      />
    </FillPage>
  );
}
