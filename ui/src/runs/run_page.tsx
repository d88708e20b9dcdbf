import { useBack } from "../app/keys";
import { curl, usePage } from "../app/page";
import { useGet } from "../api/hooks";
import type { Run } from "../api/types";
import { server_url } from "../app/prefix";
import { RunView } from "./run_view";
import { ScrollPage } from "../parts/detail";
import { short_id } from "../parts/format";

export default function RunPage({ id = "" }: Record<string, string>) {
  const run = useGet<Run>(["runs", id, "record"], `/api/v1/runs/${id}`);
  usePage([{ name: "Runs", to: "/runs" }, { name: run.data?.name || short_id(id) }], [
    {
      what: "Read this run", cli: `slipway runs show ${id}`, curl: curl(`/api/v1/runs/${id}`),
      python: `import mlflow\n\nmlflow.set_tracking_uri("${server_url()}")\nrun = mlflow.get_run("${id}")\nprint(run.data.metrics)`,
    },
    { what: "Follow its log", cli: `slipway logs ${id} --follow`, curl: curl(`/api/v1/runs/${id}/log?offset=0`) },
    { what: "Run it again", cli: `slipway rerun ${id}`, curl: curl(`/api/v1/runs/${id}/rerun`, { method: "POST", json: {} }) },
    { what: "Stop it", cli: `slipway stop ${id}`, curl: curl(`/api/v1/runs/${id}/stop`, { method: "POST", json: {} }) },
  ]);
  useBack("/runs");
  return <ScrollPage><RunView id={id} /></ScrollPage>;
}
