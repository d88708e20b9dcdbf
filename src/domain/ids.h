// The ids of the nouns, each a type of its own.
#pragma once

#include "base/ids.h"

namespace slipway {

using ProjectId = Id<struct ProjectTag>;
using MemberId = Id<struct MemberTag>;
using TokenId = Id<struct TokenTag>;
using ExperimentId = Id<struct ExperimentTag>;
using RunId = Id<struct RunTag>;  // 32 hex digits (new_run_id); all others 26 characters
using AttemptId = Id<struct AttemptTag>;
using PipelineRunId = Id<struct PipelineRunTag>;
using DatasetId = Id<struct DatasetTag>;
using CommitId = Id<struct CommitTag>;
using ModelId = Id<struct ModelTag>;
using LoggedModelId = Id<struct LoggedModelTag>;  // "m-" and 32 hex digits, as MLflow clients expect
using DeploymentId = Id<struct DeploymentTag>;
using RevisionId = Id<struct RevisionTag>;
using ReplicaId = Id<struct ReplicaTag>;
using EvaluationId = Id<struct EvaluationTag>;
using AnswerId = Id<struct AnswerTag>;
using CaseId = Id<struct CaseTag>;
using FindingId = Id<struct FindingTag>;

inline RunId new_run_id(const Clock& clock) { return RunId(new_hex_id_text(clock)); }

/// Bare protocols, which have no word for a project, use this one.
inline const ProjectId kDefaultProject{"default"};

}  // namespace slipway
