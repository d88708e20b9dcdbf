"""`slipway export mlflow`: what a Slipway server has, pushed into an unmodified, running MLflow server, once, whatever happens."""
import json
import math
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import mlflow_import_test as importing  # also allows MLflow its folders of files
import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType
from server import Server, clean_environment, program

POINTS = 12_000
OURS = "slipway.export.run_id"


class Pushing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.start()
        mlflow.set_tracking_uri(cls.server.url)
        cls.here = MlflowClient(cls.server.url)
        cls.story = importing.Story(POINTS)
        cls.empty = tempfile.TemporaryDirectory()
        first = importing.MlflowServer(cls.empty.name)
        first.start()  # makes its database, which takes longer than all else that a test does with it
        first.stop()

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.empty.cleanup()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        shutil.copy(pathlib.Path(self.empty.name) / "mlflow.db", folder.name)
        self.mlflow = importing.MlflowServer(folder.name)
        self.mlflow.start()
        self.addCleanup(self.mlflow.stop)
        self.there = MlflowClient(self.mlflow.url)

    def command(self, *arguments):
        return [program("slipway"), "--server", self.server.url, "-o", "json", "export", "mlflow", "--to", self.mlflow.url,
                *map(str, arguments)]

    def push(self, *arguments, code=0):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=600, env=clean_environment())
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def experiment(self, name="digits"):
        return self.there.get_experiment_by_name(name).experiment_id

    def runs(self, name="digits", view=ViewType.ACTIVE_ONLY):
        """Runs there by our ids; a second one of the same id would be a doubled one."""
        found = self.there.search_runs([self.experiment(name)], run_view_type=view)
        by_id = {run.data.tags[OURS]: run for run in found}
        self.assertEqual(len(by_id), len(found), "a run is there twice")
        return by_id

    def assert_run_is_there(self, run_id, runs):
        old, new = self.here.get_run(run_id), runs[run_id]
        there = new.info.run_id
        for field in ("run_name", "status", "start_time", "end_time", "user_id"):
            self.assertEqual(getattr(new.info, field), getattr(old.info, field), field)
        self.assertEqual(new.data.params, old.data.params)
        tags = {k: v for k, v in new.data.tags.items() if not k.startswith("slipway.export.")}
        parent = old.data.tags.get("mlflow.parentRunId")
        if parent:
            self.assertEqual(tags["mlflow.parentRunId"], runs[parent].info.run_id)
            tags["mlflow.parentRunId"] = parent
        self.assertEqual(tags, old.data.tags)
        self.assertEqual(set(new.data.metrics), set(old.data.metrics))
        points, files = importing.Importing.points, importing.Importing.files
        for key in old.data.metrics:
            self.assertEqual(points(self.there, there, key), points(self.here, run_id, key), key)
        self.assertEqual([(i.dataset.name, i.dataset.digest) for i in new.inputs.dataset_inputs],
                         [(i.dataset.name, i.dataset.digest) for i in old.inputs.dataset_inputs])
        self.assertEqual(files(self.there, there), files(self.here, run_id))
        return new

    def assert_everything_is_there(self):
        story, runs = self.story, self.runs()
        for run_id in (story.first, story.parent, story.child, story.failed):
            self.assert_run_is_there(run_id, runs)
        self.assertEqual(len(runs), 4)
        experiment = self.there.get_experiment_by_name("digits")
        self.assertEqual(experiment.tags["team"], "vision")
        [model] = self.there.search_logged_models([experiment.experiment_id])
        self.assertEqual((model.name, str(model.status), model.source_run_id), ("echo", "READY", runs[story.first].info.run_id))
        self.assertEqual(model.tags["slipway.export.model_id"], story.model)
        self.assertEqual([m.model_id for m in runs[story.first].outputs.model_outputs], [model.model_id])
        versions = self.there.search_model_versions("name='echo'", order_by=["version_number ASC"])
        self.assertEqual([(v.tags["slipway.export.version"], v.description or "") for v in versions], [("1", ""), ("3", "files")])
        self.assertEqual(self.there.get_model_version("echo", "1").tags["k"], "v")
        champion = self.there.get_model_version_by_alias("echo", "champion")
        self.assertEqual((champion.tags["slipway.export.version"], champion.run_id), ("3", runs[story.first].info.run_id))
        self.assertEqual(self.there.get_registered_model("echo").description, "says it again")

    def test_everything_comes_once_and_the_client_works_with_it(self):
        report = self.push()
        self.assertEqual((report["runs"]["carried"], report["points"], report["problems"]), (4, POINTS + 6, []))
        self.assertTrue(any("version 3 is 2 there" in left for left in report["left_behind"]), report["left_behind"])
        self.assert_everything_is_there()
        mlflow.set_tracking_uri(self.mlflow.url)
        self.addCleanup(mlflow.set_tracking_uri, self.server.url)
        self.assertEqual(mlflow.pyfunc.load_model("models:/echo/1").predict(["x"]), ["x"])
        with tempfile.TemporaryDirectory() as folder:
            path = mlflow.artifacts.download_artifacts("models:/echo@champion", dst_path=folder)
            self.assertEqual((pathlib.Path(path) / "sub" / "ä b.txt").read_text(), "hello")
        again = self.push()
        self.assertEqual((again["runs"]["carried"], again["runs"]["unchanged"], again["points"], again["files"]), (0, 4, 0, 0))
        self.assertEqual((again["versions"]["carried"], again["aliases"]["unchanged"], again["logged_models"]["unchanged"]), (0, 1, 1))
        self.assert_everything_is_there()

    def test_killed_in_the_middle_and_repeated_nothing_is_doubled(self):
        for seconds in (0.1, 0.3, 0.6, 1, 1.5, 2):
            process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
            time.sleep(seconds)
            process.kill()
            process.wait()
        self.push()
        self.assert_everything_is_there()

    def test_what_came_since_is_added(self):
        late = self.here.create_run(self.story.experiment, run_name="late").info.run_id
        self.addCleanup(self.here.delete_run, late)
        self.here.log_metric(late, "loss", 1.5, step=1, timestamp=1)
        self.push("--experiment", "digits", "--no-files", "--no-models")
        self.here.log_metric(late, "loss", math.inf, step=2, timestamp=2)
        self.here.log_param(late, "lr", "0.5")
        report = self.push("--experiment", "digits", "--no-files", "--no-models")
        self.assertEqual((report["runs"]["carried"], report["runs"]["unchanged"], report["points"]), (1, 4, 1))
        run = self.runs()[late]
        self.assertEqual((run.data.params, run.info.status), ({"lr": "0.5"}, "RUNNING"))
        self.assertEqual([p.step for p in self.there.get_metric_history(run.info.run_id, "loss")], [1, 2])

    def test_a_search_a_run_and_deleted_runs(self):
        report = self.push("--filter", "metrics.m >= 1")
        self.assertEqual((report["runs"]["carried"], report["models"]["seen"]), (1, 0))
        self.assertEqual(list(self.runs()), [self.story.child])
        report = self.push("--run", self.story.first)
        self.assertEqual((report["runs"]["carried"], report["logged_models"]["carried"]), (1, 1))
        self.push("--deleted", "--no-files", "--no-models")
        self.assertEqual(list(self.runs(view=ViewType.DELETED_ONLY)), [self.story.deleted])
        self.assertEqual(len(self.runs()), 4)

    def test_what_mlflow_does_not_take_is_told_and_the_rest_comes(self):
        run = self.here.create_run("0", run_name="odd \U0001f600").info.run_id
        self.addCleanup(self.here.delete_run, run)
        self.here.set_tag(run, "short", "yes")
        subprocess.run(["curl", "-sf", "-X", "PUT", f"{self.server.url}/api/v1/imports/runs/{run}", "-H", "Content-Type: application/json", "-d",
                        json.dumps({"experiment_id": "0", "name": "odd \U0001f600", "state": "finished", "started_at": "2024-03-01T10:00:00Z",
                                    "tags": {"short": "yes", "odd?key": "x"}})], check=True, capture_output=True)
        report = self.push("--experiment", "Default", code=1)
        self.assertEqual(len(report["problems"]), 1, report["problems"])
        self.assertIn("tag 'odd?key'", report["problems"][0])
        there = self.runs("Default")[run]
        self.assertEqual((there.info.run_name, there.data.tags["short"], there.info.status), ("odd \U0001f600", "yes", "FINISHED"))

    def test_where_nobody_answers_it_says_so(self):
        self.mlflow.stop()
        self.addCleanup(self.mlflow.start)  # so that it can be stopped again
        self.assertIn("slipway:", self.push(code=5))


if __name__ == "__main__":
    unittest.main()
