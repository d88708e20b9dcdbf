// An experiment by its name, leading to its traces; by its id until the name is known, or when the experiment is gone.
import { part } from "../api/client";
import { useGet } from "../api/hooks";
import type { Experiment } from "../api/types";
import { Link } from "../app/router";

export function ExperimentLink({ id }: { id: string }) {
  const experiment = useGet<Experiment>(["experiments", id], `/api/v1/experiments/${part(id)}`);
  return <Link to={`/traces?experiment=${part(id)}`}>{experiment.data?.name ?? id}</Link>;
}
