"""Fills a server with one of everything that the pages show, the way a user would. What could not be made is named with
the reason, and the cases that need it are skipped with it."""
import json
import math
import struct
import time

from digits import SIDE, onnx, pixels, png
from seed_log import logged_run
from seed_media import media
from seed_reports import reports
from seed_sweep import spiky_run, sweep
from seed_traces import traces


class Seed:
    """`made` maps a kind to its id or name, `missing` a kind to the sentence that says why it is not there."""

    def __init__(self, server):
        self.server = server
        self.made, self.missing = {}, {}

    def attempt(self, kinds, make):
        """`make` answers a dict of what it made; a failure leaves its sentence with all `kinds`."""
        try:
            self.made.update(make())
        except Exception as error:  # the reason of a skip, whatever it is
            for kind in kinds:
                self.missing[kind] = f"the seed could not make it: {str(error).splitlines()[0][:300]}"

    def probe_api(self):
        """Which lists the server offers already."""
        paths = {"overview": "/api/v1/overview", "data": "/api/v1/datasets", "runs": "/api/v1/runs", "pipelines": "/api/v1/pipeline_runs",
                 "evaluations": "/api/v1/evaluations", "models": "/api/v1/models", "deployments": "/api/v1/deployments",
                 "findings": "/api/v1/findings", "cases": "/api/v1/cases", "traces": "/api/v1/traces", "reports": "/api/v1/reports", "search": "/api/v1/search?q=x"}
        for name, path in paths.items():
            answer = self.server.request("GET", path)
            if answer.status == 200:
                self.made[f"api {name}"] = True
            else:
                self.missing[f"api {name}"] = f"GET {path} answers {answer.status}"
        self.made["api events"] = True


def mlflow(server, path, body):
    return server.call("POST", f"/api/2.0/mlflow/{path}", body)


def client_runs(server):
    """Runs as an mlflow client leaves them: one that goes on, one that ended well, one that failed with NaN."""
    experiment = mlflow(server, "experiments/create", {"name": "digits"})["experiment_id"]
    now = int(time.time() * 1000)
    ids = []
    for number, (name, rate, status) in enumerate([("calm-otter", 0.1, None), ("keen-tern", 0.01, "FINISHED"), ("mild-crane", 1.0, "FAILED")]):
        run = mlflow(server, "runs/create", {"experiment_id": experiment, "run_name": name, "start_time": now - 600_000})["run"]["info"]["run_id"]
        ids.append(run)
        mlflow(server, "runs/log-batch", {"run_id": run, "params": [{"key": "lr", "value": str(rate)}, {"key": "epochs", "value": "2"}],
                                          "tags": [{"key": "stage", "value": "trial"}]})
        for first in range(0, 3000, 1000):
            mlflow(server, "runs/log-batch", {"run_id": run, "metrics": [
                {"key": "loss", "value": 2.3 * math.exp(-step / (500 + 200 * number)) + 0.05 * math.sin(step / 9) + 0.1, "timestamp": now - 600_000 + step * 100, "step": step}
                for step in range(first, first + 1000)]})
        mlflow(server, "runs/log-batch", {"run_id": run, "metrics": [
            {"key": "val_acc", "value": 0.6 + 0.38 * (1 - math.exp(-epoch / 3)), "timestamp": now - 500_000 + epoch * 10_000, "step": epoch * 300} for epoch in range(10)]})
        if status:
            mlflow(server, "runs/update", {"run_id": run, "status": status, "end_time": now - 100_000})
    server.call("PUT", f"/api/v1/runs/{ids[1]}/artifacts/content/report.json", b'{"accuracy": 0.98, "classes": ["a", "b"]}', {"Content-Type": "application/json"})
    return {"run": ids[0], "other_run": ids[1], "run_name": "calm-otter"}


def upload(server, contents):
    """Puts many blobs at once; answers [{hash, size}] in their order."""
    body = b"".join(struct.pack("<I", len(content)) + content for content in contents)
    return server.call("POST", "/api/v1/blobs/batch", body, {"Content-Type": "application/octet-stream"})["blobs"]


def commit(server, branch, parent, pictures, message):
    """A commit of (key, label, PNG, attributes) on a branch of the dataset `segments`."""
    pictures = sorted(pictures)
    blobs = upload(server, [content for _, _, content, _ in pictures])
    entries, lines = [], ['{"slipway_samples":1,"streams":["image"],"attributes":["shift"]}']
    for (key, label, content, attributes), blob in zip(pictures, blobs):
        path = f"images/{key}.png"
        entries.append(f"f {blob['hash']} {blob['size']} {path}")
        stream = {"path": path, "hash": blob["hash"], "size": blob["size"], "media_type": "image/png", "width": SIDE, "height": SIDE}
        lines.append(json.dumps({"key": key, "streams": {"image": stream}, "attributes": attributes, "label": label}, separators=(",", ":")))
    tree = server.call("POST", "/api/v1/trees", "\n".join(["slipway-tree 1", *entries]) + "\n")["hash"]
    samples = upload(server, [("\n".join(lines) + "\n").encode()])[0]["hash"]
    return server.call("POST", "/api/v1/datasets/segments/commits", {
        "branch": branch, **({"parent_id": parent} if parent else {}), "message": message, "tree": tree, "samples_blob": samples,
        "declaration": {"key": "{label}/{n}", "streams": {"image": {"files": "images/{label}/{n}.png", "decode": "image"}}},
        "sample_count": len(pictures), "bytes": sum(blob["size"] for blob in blobs)})["id"]


def dataset(server):
    def some(numbers, shift):
        return [(f"{digit}/{n:03}", str(digit), png(pixels(digit, 60, n, shift)), {"shift": shift}) for digit in range(10) for n in numbers]
    server.call("POST", "/api/v1/datasets", {"name": "segments", "description": "Seven-segment digits"})
    first = commit(server, "main", None, some(range(8), 0), "Add straight digits")
    commit(server, "test", None, some(range(20, 32), 0) + some(range(40, 42), 3), "Add digits to test with, some shifted")
    commit(server, "main", first, some(range(12), 0), "Add more straight digits")
    return {"dataset": "segments"}


def model(server):
    blob = upload(server, [onnx(0.2), onnx(0.35)])
    server.call("POST", "/api/v1/models", {"name": "segments", "description": "Reads one seven-segment digit"})
    for number, one in enumerate(blob):
        server.call("POST", "/api/v1/models/segments/versions", {
            "files": [{"path": "model.onnx", "hash": one["hash"]}], "description": ["the first", "sharper"][number],
            "inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 1, SIDE, SIDE]}], "outputs": [{"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]}],
            "labels": [str(digit) for digit in range(10)]})
    server.call("PUT", "/api/v1/models/segments/aliases/production", {"version": 1, "reason": "the first of its kind"})
    server.call("PUT", "/api/v1/models/segments/aliases/production", {"version": 2, "reason": "sharper"})
    return {"model": "segments"}


def wait_for(server, path, is_done, seconds_max=90):
    until = time.monotonic() + seconds_max
    while True:
        record = server.call("GET", path)
        if is_done(record):
            return record
        if time.monotonic() > until:
            raise RuntimeError(f"{path} is still {record.get('state')} after {seconds_max} s: {record.get('message')}")
        time.sleep(0.2)


def deployment(server):
    server.call("POST", "/api/v1/deployments", {"name": "segments", "model": "model:segments@production", "capture": {"sample": 1, "always": ["error", "low_confidence", "flagged"]}})
    record = wait_for(server, "/api/v1/deployments/segments", lambda one: one["state"] in ("ready", "failed"))
    if record["state"] != "ready":
        raise RuntimeError(f"the deployment failed: {record['message']}")
    return {"deployment": "segments"}


def traffic(server):
    """Asks for straight digits, then for shifted ones, which the model reads badly; says so of a few."""
    answers = []
    for n in range(220):
        shift = 0 if n < 60 else 3
        answer = server.request("POST", "/v2/models/segments/infer", png(pixels(n % 10, 80, n, shift)), {"Content-Type": "image/png"})
        if answer.status != 200:
            raise RuntimeError(f"POST /v2/models/segments/infer answered {answer.status}: {answer.body[:300].decode(errors='replace')}")
        answers.append(answer.headers["x-slipway-answer-id"])
    return {"answer": answers[-1], "answers": answers}


def cases(server, answers):
    for n, answer in enumerate(answers[60:80]):
        server.call("POST", "/api/v1/feedback", {"answer_id": answer, "correct": False, "label": str(n % 10)})
    record = wait_for(server, "/api/v1/cases?page_size=10", lambda found: len(found["cases"]) > 0, 20)
    return {"case": record["cases"][0]["id"]}


def findings(server):
    record = wait_for(server, "/api/v1/findings", lambda found: len(found["findings"]) > 0, 20)
    return {"finding": record["findings"][0]["id"]}


def evaluations(server):
    made = []
    for version in (1, 2):
        one = server.call("POST", "/api/v1/evaluations", {"model": f"model:segments/{version}", "dataset": "dataset:segments@test", "task": "classification", "slices": {"shifted": "shift > 0", "straight": "shift = 0"}})
        record = wait_for(server, f"/api/v1/evaluations/{one['id']}", lambda record: record["state"] != "running")
        if record["state"] != "finished":
            raise RuntimeError(f"the evaluation failed: {record['message']}")
        made.append(one["id"])
    return {"evaluation": made[0], "other_evaluation": made[1]}


PROJECT = """project: default
environments:
  host: {interpreter: /usr/bin/python3}
steps:
  train:
    environment: host
    command: python3 train.py --lr {lr}
    parameters:
      lr: {type: float, default: 0.01, min: 0, max: 1}
      epochs: {type: integer, default: 2, min: 1, help: how often it sees all samples}
pipelines:
  refresh:
    nodes:
      train: {step: train}
    triggers: [{cron: "0 3 1 1 *"}]
"""
TRAIN = b"""import sys, time
print("\x1b[1;34mepoch 1\x1b[0m", flush=True)
for step in range(200):
    print(f"step {step} loss \x1b[32m{2.3 / (step + 1):.4f}\x1b[0m", flush=True)
print("done", sys.argv[1:], file=sys.stderr)
"""


def snapshot(server):
    blobs = upload(server, [PROJECT.encode(), TRAIN])
    lines = ["slipway-tree 1"] + sorted((f"f {blob['hash']} {blob['size']} {path}" for path, blob in zip(["slipway.yaml", "train.py"], blobs)), key=lambda line: line.split()[-1])
    return server.call("POST", "/api/v1/trees", "\n".join(lines) + "\n")["hash"]


def step_run(server):
    run = server.call("POST", "/api/v1/runs", {"step": "train", "command": "python3 train.py --lr {lr}", "parameters": {"lr": 0.01}, "environment": {"interpreter": "/usr/bin/python3"},
                                               "snapshot": snapshot(server), "name": "by-slipway", "resources": {"cpus": 1}})
    record = wait_for(server, f"/api/v1/runs/{run['id']}", lambda one: one["state"] in ("finished", "failed", "killed"))
    if record["state"] != "finished":
        raise RuntimeError(f"the run ended as {record['state']}: {record.get('message')}")
    return {"step_run": run["id"]}


def pipeline_run(server):
    run = server.call("POST", "/api/v1/pipeline_runs", {"pipeline": "refresh", "project_file": PROJECT, "snapshot": snapshot(server), "parameters": {}})
    wait_for(server, f"/api/v1/pipeline_runs/{run['id']}", lambda one: one["state"] not in ("running", "stopping"))
    return {"pipeline_run": run["id"]}


def stored_pipeline(server):
    server.call("PUT", "/api/v1/pipelines/refresh", {"project_file": PROJECT, "snapshot": snapshot(server), "enabled": True})
    return {"stored_pipeline": "refresh"}


def write(folder, files):
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return str(folder)


def folders(server):
    """Folders that a person chooses in the browser: pictures with labels, the same with one that is broken, and code."""
    def labelled(numbers):
        return {f"{kind}/{digit}-{n}.{end}": png(pixels(digit, 60, n, 0)) if kind == "images" else str(digit).encode()
                for digit in range(10) for n in numbers for kind, end in (("images", "png"), ("labels", "txt"))}
    pictures = labelled(range(3))
    home = server.home / "folders"
    broken = {**pictures, "images/4-1.png": pictures["images/4-1.png"][:90]}
    code = {"slipway.yaml": PROJECT.encode(), "train.py": TRAIN, ".gitignore": b"*.cache\n", "big.cache": b"not wanted", ".git/HEAD": b"ref: refs/heads/main\n", ".git/refs/heads/main": b"1" * 40}
    return {"pictures": write(home / "pictures", {**pictures, "notes.md": b"of no stream", ".hidden": b"x"}), "broken_pictures": write(home / "broken", broken),
            "fresh_pictures": write(home / "fresh", labelled(range(50, 53))), "code": write(home / "code", code)}


def many_runs(server):
    """Enough to scroll, older than all others."""
    experiment = mlflow(server, "experiments/create", {"name": "many"})["experiment_id"]
    for number in range(120):
        run = mlflow(server, "runs/create", {"experiment_id": experiment, "run_name": f"row-{number:03}", "start_time": 1_700_000_000_000 + number})["run"]["info"]["run_id"]
        mlflow(server, "runs/update", {"run_id": run, "status": "FINISHED", "end_time": 1_700_000_060_000})
    return {"many_runs": experiment}


def fill_prefixed(server):
    """What the cases behind a prefix look at."""
    seed = Seed(server)
    server.call("POST", "/api/v1/projects", {"name": "elsewhere"})
    seed.attempt(["run", "other_run", "run_name"], lambda: client_runs(server))
    return seed


def fill(server):
    seed = Seed(server)
    seed.attempt(["pictures", "broken_pictures", "fresh_pictures", "code"], lambda: folders(server))
    seed.attempt(["many_runs"], lambda: many_runs(server))
    seed.attempt(["sweep", "sweep_runs"], lambda: sweep(server, mlflow))
    seed.attempt(["run", "other_run", "run_name"], lambda: client_runs(server))
    seed.attempt(["media_run", "media_runs"], lambda: media(server))
    seed.attempt(["report"], lambda: reports(server))
    seed.attempt(["spiky_run"], lambda: spiky_run(server, mlflow))
    seed.attempt(["trace", "failed_trace", "evaluation_dataset"], lambda: traces(server))
    seed.attempt(["step_run"], lambda: step_run(server))
    seed.attempt(["logged_run"], lambda: logged_run(server))
    seed.attempt(["dataset"], lambda: dataset(server))
    seed.attempt(["model"], lambda: model(server))
    seed.attempt(["evaluation", "other_evaluation"], lambda: evaluations(server))
    seed.attempt(["deployment"], lambda: deployment(server))
    seed.attempt(["answer", "answers"], lambda: traffic(server))
    seed.attempt(["case"], lambda: cases(server, seed.made["answers"]))
    seed.attempt(["finding"], lambda: findings(server))
    seed.attempt(["pipeline_run"], lambda: pipeline_run(server))
    seed.attempt(["stored_pipeline"], lambda: stored_pipeline(server))
    seed.probe_api()
    return seed
