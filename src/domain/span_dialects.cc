#include "domain/span_dialects.h"

#include <array>
#include <span>

#include "base/text.h"

namespace slipway {
namespace {

using Keys = std::span<const std::string_view>;

constexpr std::array<std::string_view, 5> kInputs{"gen_ai.input.messages", "input.value", "traceloop.entity.input",
                                                  "gen_ai.tool.call.arguments", "gen_ai.prompt"};
constexpr std::array<std::string_view, 5> kOutputs{"gen_ai.output.messages", "output.value", "traceloop.entity.output",
                                                   "gen_ai.tool.call.result", "gen_ai.completion"};
constexpr std::array<std::string_view, 3> kModels{"gen_ai.response.model", "gen_ai.request.model", "llm.model_name"};
constexpr std::array<std::string_view, 3> kProviders{"gen_ai.provider.name", "gen_ai.system", "llm.provider"};
constexpr std::array<std::string_view, 3> kTokensIn{"gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens",
                                                    "llm.token_count.prompt"};
constexpr std::array<std::string_view, 3> kTokensOut{"gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens",
                                                     "llm.token_count.completion"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kOperations{{{"chat", "CHAT_MODEL"},
                                                                                    {"text_completion", "LLM"},
                                                                                    {"generate_content", "LLM"},
                                                                                    {"embeddings", "EMBEDDING"},
                                                                                    {"execute_tool", "TOOL"},
                                                                                    {"invoke_agent", "AGENT"},
                                                                                    {"create_agent", "AGENT"},
                                                                                    {"retrieval", "RETRIEVER"}}};
constexpr std::array<std::string_view, 11> kTypes{"LLM",       "CHAIN",    "TOOL",     "RETRIEVER",
                                                  "EMBEDDING", "AGENT",    "RERANKER", "GUARDRAIL",
                                                  "EVALUATOR", "WORKFLOW", "TASK"};

const Json& first_of(const Span& span, Keys keys) {
  for (const std::string_view key : keys) {
    if (const Json& value = span.attribute(key); !value.is_null()) return value;
  }
  static const Json none;
  return none;
}

void add(Span& span, std::string_view key, Json value) {
  if (value.is_null() || !span.attribute(key).is_null()) return;
  span.attributes.emplace_back(key, std::move(value));
}

Json type_of(const Span& span) {
  for (const auto& [operation, type] : kOperations) {
    if (span.attribute("gen_ai.operation.name").string() == operation) return type;
  }
  for (const char* key : {"openinference.span.kind", "traceloop.span.kind"}) {
    for (const std::string_view type : kTypes) {
      if (equals_ignore_case(span.attribute(key).string(), type)) return type;
    }
  }
  return {};
}

Json usage_of(const Span& span) {
  const auto in = first_of(span, kTokensIn).integer(), out = first_of(span, kTokensOut).integer();
  if (!in && !out) return {};
  // Counts from outside may be anything; their sum must still be a number.
  constexpr std::int64_t kCountMax = 1LL << 53;
  const auto bounded = [](std::int64_t count) { return count < 0 ? 0 : count > kCountMax ? kCountMax : count; };
  const std::int64_t asked = bounded(in.value_or(0)), answered = bounded(out.value_or(0));
  return Json().set("input_tokens", asked).set("output_tokens", answered).set("total_tokens", asked + answered);
}

}  // namespace

void translate_dialects(Span& span) {
  const std::string type = span_type(span);
  if (type.empty()) add(span, kSpanTypeKey, type_of(span));
  add(span, kSpanInputsKey, first_of(span, kInputs));
  add(span, kSpanOutputsKey, first_of(span, kOutputs));
  add(span, kSpanModelKey, first_of(span, kModels));
  add(span, kSpanProviderKey, first_of(span, kProviders));
  add(span, kSpanUsageKey, usage_of(span));
}

}  // namespace slipway
