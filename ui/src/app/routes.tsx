// Every page: its URL, its name in the rail if it has one, and the file it is loaded from when first opened.
import { lazy, type ComponentType } from "react";

export type PageProps = Record<string, string>;
type Load = () => Promise<{ default: ComponentType<PageProps> }>;
export interface Route { pattern: string; page: ComponentType<PageProps>; load: Load }

const route = (pattern: string, load: Load): Route => ({ pattern, load, page: lazy(load) });

export const routes: Route[] = [
  route("/", () => import("../overview/overview")),
  route("/datasets", () => import("../data/datasets")),
  route("/datasets/{name}", () => import("../data/dataset")),
  route("/datasets/{name}/diff", () => import("../data/diff")),
  route("/datasets/{name}/commits/{ref}", () => import("../data/commit")),
  route("/datasets/{name}/commits/{ref}/samples/{sample...}", () => import("../data/sample")),
  route("/new/dataset", () => import("../data/add_dataset")),
  route("/new/run", () => import("../runs/new_run")),
  route("/runs", () => import("../runs/runs")),
  route("/runs/compare", () => import("../runs/compare")),
  route("/runs/{id}", () => import("../runs/run_page")),
  route("/reports", () => import("../reports/reports")),
  route("/reports/{id}", () => import("../reports/report")),
  route("/pipelines", () => import("../pipelines/pipelines")),
  route("/pipelines/{id}", () => import("../pipelines/pipeline_run")),
  route("/evaluations", () => import("../evaluations/evaluations")),
  route("/evaluations/{id}", () => import("../evaluations/evaluation")),
  route("/evaluations/{id}/compare/{other}", () => import("../evaluations/compare")),
  route("/models", () => import("../models/models")),
  route("/models/{name}", () => import("../models/model")),
  route("/models/{name}/versions/{version}", () => import("../models/version")),
  route("/deployments", () => import("../deployments/deployments")),
  route("/deployments/{name}", () => import("../deployments/deployment")),
  route("/deployments/{name}/try", () => import("../deployments/try_it")),
  route("/deployments/{name}/replay", () => import("../replay/replay")),
  route("/findings", () => import("../findings/findings")),
  route("/findings/{id}", () => import("../findings/finding")),
  route("/cases", () => import("../cases/cases")),
  route("/cases/{id}", () => import("../cases/case")),
  route("/traces", () => import("../traces/traces")),
  route("/traces/{id}", () => import("../traces/trace")),
  route("/evaluation-datasets", () => import("../traces/evaluation_datasets")),
  route("/evaluation-datasets/{id}", () => import("../traces/evaluation_dataset")),
  route("/scorers", () => import("../traces/scorers")),
  route("/why/{answer}", () => import("../why/why")),
  route("/settings", () => import("../settings/settings")),
  route("/settings/audit", () => import("../settings/audit")),
  route("/login", () => import("./login")),
];

/// The rail: what exists, in the order of the loop. `key` follows g.
export const rail = [
  { name: "Overview", to: "/", key: "o" },
  { name: "Data", to: "/datasets", key: "d" },
  { name: "Runs", to: "/runs", key: "r" },
  { name: "Reports", to: "/reports", key: "n" },
  { name: "Pipelines", to: "/pipelines", key: "p" },
  { name: "Evaluations", to: "/evaluations", key: "e" },
  { name: "Models", to: "/models", key: "m" },
  { name: "Deployments", to: "/deployments", key: "y" },
  { name: "Findings", to: "/findings", key: "f" },
  { name: "Cases", to: "/cases", key: "c" },
  { name: "Traces", to: "/traces", key: "t" },
  { name: "Settings", to: "/settings", key: "s" },
];
