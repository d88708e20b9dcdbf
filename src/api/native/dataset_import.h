// POST /api/v1/datasets/{name}/import: files that a client put into the store become a commit.
//
// Files of strangers are not opened here. An import is a run whose command is `slipway data add`: it scans, joins,
// checks and measures them on a node, its log tells what is wrong with them, and one broken file means no commit.
#pragma once

#include <functional>
#include <string>

#include "base/json.h"
#include "http/http.h"
#include "registry/registry.h"
#include "runs/runs.h"

namespace slipway::api {

struct DatasetImport {
  ProjectId project;
  std::string dataset;  // made by the import when it does not exist
  Hash tree;            // the files, all of them in the store
  Json declaration;     // as in slipway.yaml; null: inferred from the paths
  std::string branch = "main", message;
  bool replace = false;  // the files are all there is: the branch's other samples go
  MemberId member;
  std::string member_name, request_key;
};

/// invalid_argument for names and declarations that could not become a dataset, not_found when the tree is not in the
/// store.
Result<RunId> import_dataset(runs::Runs& runs, registry::Registry& registry, const DatasetImport& request);

/// Everything outlives the router's use. The answer is the run, as /api/v1/runs/{id} shows it.
void add_dataset_import(http::Router& router, runs::Runs& runs, registry::Registry& registry,
                        std::function<Result<Json>(const ProjectId&, const RunId&)> show_run);

}  // namespace slipway::api
