"""Reads every kind of record that the seed made, as the pages do, and holds the answers against the API's description."""
import urllib.parse

ONES_READ_MAX = 5  # of each noun

# list, its member, what names one of them, and what is read of each
NOUNS = [
    ("runs?columns=*", "runs", "id", ["", "/attempts", "/outputs", "/snapshot", "/environment", "/machine", "/lineage", "/log", "/artifacts", "/metrics", "/media"]),
    ("experiments", "experiments", "id", [""]),
    ("datasets", "datasets", "name", ["", "/commits", "/branches", "/commits/main", "/commits/main/samples", "/branches/main/history"]),
    ("models", "models", "name", ["", "/versions", "/versions/1", "/history"]),
    ("deployments", "deployments", "name", ["", "/traffic", "/drift"]),
    ("evaluations", "evaluations", "id", ["", "/samples"]),
    ("cases", "cases", "id", [""]),
    ("findings", "findings", "id", [""]),
    ("traces", "traces", "id", [""]),
    ("evaluation_datasets", "evaluation_datasets", "id", ["", "/records"]), ("scorers", "scorers", "id", []),
    ("reports", "reports", "id", ["", "/revisions", "/revisions/1"]),
    ("pipelines", "pipelines", "name", ["", "/definition"]),
    ("pipeline_runs", "pipeline_runs", "id", ["", "/definition"]),
    ("members", "members", "id", []), ("tokens", "tokens", "id", []), ("projects", "projects", "id", []),
]


def read_all(server, seed):
    """Asks for everything; `server` is a DescribedServer. Answers how many records were read."""
    count = 0
    for page, key, field, parts in NOUNS:
        found = server.call("GET", f"/api/v1/{page}")[key]
        for one in found[:ONES_READ_MAX]:
            name = urllib.parse.quote(one[field], safe="")
            for part in parts:
                count += server.request("GET", f"/api/v1/{key}/{name}{part}").status == 200
    for path in ["server", "overview", "usage", "runs/columns", "search?q=e"]:
        server.call("GET", f"/api/v1/{path}")
    made = seed.made
    if "other_evaluation" in made:
        server.call("GET", f"/api/v1/evaluations/{made['evaluation']}/compare/{made['other_evaluation']}")
    if "other_run" in made:
        server.call("GET", f"/api/v1/runs/{made['run']}/diff/{made['other_run']}")
    if "answer" in made:
        server.call("GET", f"/api/v1/why/{made['answer']}")
    return count
