"""Traces as an exporter leaves them: one that ended well, one with an error deep inside, and what somebody said of one."""
import json
import time


def attribute(key, value):
    kind = "boolValue" if isinstance(value, bool) else "doubleValue" if isinstance(value, float) else "stringValue"
    return {"key": key, "value": {kind: value}}


def span(trace, number, parent, name, kind, start_ms, end_ms, attributes=(), error=None):
    now = int(time.time() * 1000) - 60_000
    return {
        "traceId": trace, "spanId": f"{number:016x}", "parentSpanId": f"{parent:016x}" if parent else "", "name": name,
        "startTimeUnixNano": str((now + start_ms) * 1_000_000), "endTimeUnixNano": str((now + end_ms) * 1_000_000),
        "attributes": [attribute("mlflow.spanType", kind), *[attribute(key, value) for key, value in attributes]],
        "status": {"code": 2, "message": error} if error else {"code": 1},
        "events": [{"timeUnixNano": str((now + end_ms - 1) * 1_000_000), "name": "exception", "attributes": [attribute("exception.message", error)]}] if error else [],
    }


def traces(server):
    good, bad = "11" * 16, "22" * 16
    question = json.dumps({"question": "Which ship is this?", "image": "harbour.jpg"})
    spans = [
        span(good, 1, 0, "answer", "CHAIN", 0, 900, [("mlflow.spanInputs", question), ("mlflow.spanOutputs", json.dumps({"answer": "a ferry"})), ("session.id", "visit-7")]),
        span(good, 2, 1, "look", "TOOL", 20, 300, [("size", 0.5)]),
        span(good, 3, 1, "think", "LLM", 310, 880, [("mlflow.chat.tokenUsage", json.dumps({"input_tokens": 210, "output_tokens": 12, "total_tokens": 222})), ("mlflow.llm.model", "small")]),
        span(good, 4, 3, "tokenize", "PARSER", 311, 330),
        span(bad, 1, 0, "answer", "CHAIN", 1000, 1500, [("mlflow.spanInputs", question)], "the camera is dark"),
        span(bad, 2, 1, "look", "TOOL", 1010, 1490, error="the camera is dark"),
    ]
    body = {"resourceSpans": [{"resource": {"attributes": [attribute("service.name", "harbour")]}, "scopeSpans": [{"spans": spans}]}]}
    server.call("POST", "/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json", "x-slipway-experiment": "harbour"})
    server.call("POST", f"/api/v1/traces/tr-{good}/assessments", {"name": "correct", "value": True, "rationale": "it is the ferry"})
    return {"trace": f"tr-{good}", "failed_trace": f"tr-{bad}", "evaluation_dataset": judged(server, f"tr-{good}")}


def judged(server, trace):
    """What an application is judged on, and by what, as mlflow's client says it."""
    records = [{"inputs": {"question": "Which ship is this?", "image": "harbour.jpg"}, "expectations": {"answer": "a ferry"}, "source": {"source_type": "TRACE", "source_data": {"trace_id": trace}}},
               {"inputs": {"question": "Who steers it?"}, "expectations": {"answer": "nobody"}, "source": {"source_type": "HUMAN", "source_data": {}}}]
    made = server.call("POST", "/api/3.0/mlflow/datasets/create", {"name": "ships", "experiment_ids": ["0"], "tags": json.dumps({"stage": "late"})})
    dataset = made["dataset"]["dataset_id"]
    server.call("POST", f"/api/3.0/mlflow/datasets/{dataset}/records", {"records": json.dumps(records)})
    judge = {"name": "polite", "instructions_judge_pydantic_data": {"model": "openai:/gpt-4o-mini", "instructions": "Is {{ outputs }} polite?"}}
    server.call("POST", "/api/3.0/mlflow/scorers/register", {"experiment_id": "0", "name": "polite", "serialized_scorer": json.dumps(judge)})
    return dataset
