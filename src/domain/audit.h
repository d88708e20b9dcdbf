// A line of the audit trail: who did what to which thing.
#pragma once

#include <optional>
#include <string>

#include "domain/ids.h"

namespace slipway {

struct AuditLine {
  MemberId member;
  std::string action;                     // "delete run": a verb first
  std::string kind;                       // of the subject, a noun: run, model, token, …
  std::string subject;                    // its id, or its name where that is what people say
  std::string details = {};               // further words, may be empty
  std::optional<ProjectId> project = {};  // none: it belongs to no project
  std::string id = {};                    // empty: a new one. A line whose id is there already is not added again
};

}  // namespace slipway
