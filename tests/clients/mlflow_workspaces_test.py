"""Deleting MLflow's workspaces with an unmodified client: in each of its modes, and with the server killed in the middle."""
import math
import pathlib
import sqlite3
import tempfile
import threading
import time
import unittest
import urllib.request

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from server import Server


class Workspaces(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.server.start()
        self.addCleanup(self.server.__exit__)
        self.client = MlflowClient(self.server.url)
        self.client.create_workspace("lab")

    def inside(self):
        """A client whose every call is about the workspace."""
        return MlflowClient(f"{self.server.url}/projects/lab")

    def fill(self, experiment="train", runs=3, points=2_500):
        lab = self.inside()
        experiment_id = lab.create_experiment(experiment)
        made = []
        for number in range(runs):
            run = lab.create_run(experiment_id, run_name=f"run {number}").info.run_id
            for start in range(0, points, 1000):
                lab.log_batch(run, [Metric("loss", 1 / (step + 1), step, step) for step in range(start, min(points, start + 1000))])
            lab.log_metric(run, "only here", math.inf, step=number, timestamp=1)
            lab.log_param(run, "lr", str(number))
            with tempfile.TemporaryDirectory() as folder:
                (pathlib.Path(folder) / "note.txt").write_text(f"note {number}")
                lab.log_artifact(run, f"{folder}/note.txt")
            lab.set_terminated(run)
            made.append(run)
        lab.create_registered_model("digits")
        lab.create_model_version("digits", f"runs:/{made[0]}/note.txt", run_id=made[0])
        lab.set_registered_model_alias("digits", "champion", "1")
        return experiment_id, made

    def names(self):
        return [workspace.name for workspace in self.client.list_workspaces()]

    def history(self, client, run):
        return [(p.step, p.value) for p in client.get_metric_history(run, "loss")]

    def test_one_that_holds_something_stays_unless_a_mode_says_otherwise(self):
        _, runs = self.fill()
        with self.assertRaises(MlflowException) as refused:
            self.client.delete_workspace("lab")
        self.assertIn("Cannot delete workspace 'lab'", str(refused.exception))
        self.assertEqual(self.inside().get_run(runs[0]).data.params, {"lr": "0"})
        self.assertEqual(self.names(), ["default", "lab"])

    def test_cascade_takes_all_of_it_and_the_name_is_free(self):
        other = self.client.create_run("0").info.run_id
        self.client.log_metric(other, "loss", 1.0)
        _, runs = self.fill()
        self.client.delete_workspace("lab", mode="CASCADE")
        self.assertEqual(self.names(), ["default"])
        with self.assertRaises(MlflowException):
            self.inside().get_run(runs[0])
        with self.assertRaises(MlflowException):
            self.client.get_run(runs[0])
        self.assertEqual(self.client.get_run(other).data.metrics, {"loss": 1.0})
        self.client.create_workspace("lab")
        self.assertEqual(self.inside().search_registered_models(), [])
        self.fill()  # nothing of the former one is in the way

    def test_killed_in_the_middle_of_a_cascade_it_is_there_whole_or_gone_for_good(self):
        _, runs = self.fill(runs=20, points=1_000)
        for seconds in (0.005, 0.02, 0.05, 0.1):
            asking = threading.Thread(target=self.ask_for_removal)
            asking.start()
            time.sleep(seconds)
            self.server.kill()
            asking.join()
            self.server.start()
            if "lab" not in self.names():
                break
            lab = MlflowClient(f"{self.server.url}/projects/lab")
            self.assertEqual({len(self.history(lab, run)) for run in runs}, {1_000})
        if "lab" in self.names():
            self.client.delete_workspace("lab", mode="CASCADE")
        self.server.call("POST", "/api/v1/gc/deleted", {})  # goes on with what a kill interrupted
        with sqlite3.connect(f"file:{self.server.data}/slipway.db?mode=ro", uri=True) as database:
            for table in ("runs", "run_params", "metric_batches", "metric_segments", "metric_chunks", "metric_latest", "artifacts", "models",
                          "model_versions", "model_aliases", "run_erasures", "experiment_erasures", "project_erasures"):
                self.assertEqual(database.execute(f"SELECT COUNT(*) FROM {table}").fetchone(), (0,), table)

    def ask_for_removal(self):
        request = urllib.request.Request(f"{self.server.url}/api/3.0/mlflow/workspaces/lab?mode=CASCADE", method="DELETE")
        try:
            urllib.request.urlopen(request, timeout=20).read()
        except OSError:
            pass  # killed before it answered

    def test_set_default_moves_all_of_it_with_every_point(self):
        self.client.log_metric(self.client.create_run("0").info.run_id, "loss", 1.0)  # a metric that both have
        experiment, runs = self.fill()
        lab = self.inside()
        before = {run: (lab.get_run(run), self.history(lab, run)) for run in runs}
        self.client.delete_workspace("lab", mode="SET_DEFAULT")
        self.assertEqual(self.names(), ["default"])
        self.assertEqual(self.client.get_experiment_by_name("train").experiment_id, experiment)
        for run, (old, points) in before.items():
            new = self.client.get_run(run)
            self.assertEqual((new.info.run_name, new.data.params, new.data.metrics), (old.info.run_name, old.data.params, old.data.metrics))
            self.assertEqual(self.history(self.client, run), points)
            self.assertEqual([file.path for file in self.client.list_artifacts(run)], ["note.txt"])
        self.assertEqual(self.client.get_model_version_by_alias("digits", "champion").run_id, runs[0])
        found = self.client.search_runs([experiment], filter_string="metrics.loss < 0.001", order_by=["metrics.`only here` DESC"])
        self.assertEqual(len(found), 3)
        self.client.log_metric(runs[0], "loss", 7.0, step=99_999)
        self.assertEqual(self.history(self.client, runs[0])[-1], (99_999, 7.0))

    def test_names_that_both_have_are_told_and_nothing_moves(self):
        self.client.create_experiment("train")
        _, runs = self.fill()
        with self.assertRaises(MlflowException) as refused:
            self.client.delete_workspace("lab", mode="SET_DEFAULT")
        self.assertIn("experiments: 'train'", str(refused.exception))
        self.assertEqual(len(self.history(self.inside(), runs[0])), 2_500)
        self.inside().rename_experiment(self.inside().get_experiment_by_name("train").experiment_id, "theirs")
        self.client.delete_workspace("lab", mode="SET_DEFAULT")
        self.assertEqual(len(self.history(self.client, runs[0])), 2_500)

    def test_the_first_one_and_unknown_ones_are_refused(self):
        for name in ("default", "nowhere"):
            with self.assertRaises(MlflowException):
                self.client.delete_workspace(name, mode="CASCADE")


if __name__ == "__main__":
    unittest.main()
