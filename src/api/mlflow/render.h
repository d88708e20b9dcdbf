// Our records as MLflow's messages. Private to this folder.
#pragma once

#include <string>

#include "base/json.h"
#include "registry/registry.h"
#include "tracking/tracking.h"

namespace slipway::api::mlflow {

/// Infinities as MLflow's database keeps them: the greatest finite doubles. NaN stays.
double finite(double value);

void write_pairs(JsonWriter& json, std::string_view key, const tracking::KeyValues& pairs);
void write(JsonWriter& json, const tracking::Experiment& experiment);
/// The whole run: info, data, inputs, outputs.
void write(JsonWriter& json, const tracking::Run& run, const tracking::RunInputs& inputs);
void write_info(JsonWriter& json, const tracking::Run& run);
void write_point(JsonWriter& json, std::string_view key, const tracking::Point& point, std::string_view run_id = "");
void write(JsonWriter& json, const tracking::LoggedModel& model);
void write(JsonWriter& json, const registry::Version& version);
void write(JsonWriter& json, const registry::Model& model, const std::vector<registry::Version>& latest);
/// {path, is_dir, file_size}; paths begin after `base`.
void write_files(JsonWriter& json, const std::vector<registry::ArtifactEntry>& entries, std::string_view base);

}  // namespace slipway::api::mlflow
