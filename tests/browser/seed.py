"""Fills a server with one of everything that the pages show, the way a user would. What could not be made is named with
the reason, and the cases that need it are skipped with it."""
import math
import time


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
                 "findings": "/api/v1/findings", "cases": "/api/v1/cases", "search": "/api/v1/search?q=x"}
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


def fill(server):
    seed = Seed(server)
    seed.attempt(["run", "other_run", "run_name"], lambda: client_runs(server))
    seed.probe_api()
    return seed
