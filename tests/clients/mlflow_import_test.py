"""`slipway import mlflow` from an unmodified MLflow server and from its folder of files: everything, once, whatever happens."""
import json
import math
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

os.environ["GIT_PYTHON_REFRESH"] = "quiet"
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # newer MLflow wants to be asked for it

import mlflow  # noqa: E402
import numpy  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Metric, ViewType  # noqa: E402
from mlflow.pyfunc import PythonModel  # noqa: E402
from server import Server, clean_environment, program  # noqa: E402

START_SECONDS_MAX = 120
POINTS = 30_000  # of the long metric: more than one page of MLflow's
BIG_BYTES = 3_000_000


class MlflowServer:
    """`mlflow server` on SQLite with its artifact proxy, in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        command = [pathlib.Path(sys.executable).parent / "mlflow", "server", "--port", str(self.port), "--workers", "1",
                   "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db", "--artifacts-destination", self.folder / "artifacts"]
        with open(self.folder / "mlflow.log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder,
                                            env=clean_environment(), start_new_session=True)
        for _ in range(START_SECONDS_MAX * 10):
            try:
                return urllib.request.urlopen(self.url + "/health", timeout=5).read()
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("mlflow server did not start: " + (self.folder / "mlflow.log").read_text()[-3000:])

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)


class Echo(PythonModel):
    def predict(self, context, model_input: list[str]) -> list[str]:
        return model_input


class Story:
    """What a team has: runs of all kinds, files, models. Made through the client, wherever its tracking URI points."""

    def __init__(self, long_points=POINTS):
        self.client = MlflowClient()
        self.experiment = self.client.create_experiment("digits", tags={"team": "vision"})
        mlflow.set_experiment("digits")
        self.first = self._whole_run(long_points)
        with mlflow.start_run(run_name="parent") as parent:
            with mlflow.start_run(run_name="child", nested=True) as child:
                mlflow.log_metric("m", 1)
        self.parent, self.child = parent.info.run_id, child.info.run_id
        self.failed = self.client.create_run(self.experiment, run_name="failed").info.run_id
        self.client.set_terminated(self.failed, "FAILED")
        self.deleted = self.client.create_run(self.experiment).info.run_id
        self.client.delete_run(self.deleted)
        self._models()

    def _whole_run(self, long_points):
        with mlflow.start_run(run_name="first", tags={"a/b": "c"}) as run:
            mlflow.log_params({"lr": 0.1, "opt/name": "sgd"})
            for start in range(0, long_points, 1000):
                points = [Metric("loss", 1 / (i + 1), 1_700_000_000_000 + i, i) for i in range(start, min(start + 1000, long_points))]
                self.client.log_batch(run.info.run_id, points)
            mlflow.log_metric("val/nan", float("nan"), step=1)
            mlflow.log_metric("inf", float("-inf"), step=3)
            # Steps that go back: the latest point is not the one that came last.
            for step in (5, 7, 6):
                mlflow.log_metric("back", step, step=step)
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                (folder / "sub").mkdir()
                (folder / "sub" / "ä b.txt").write_text("hello")
                (folder / "big.bin").write_bytes(numpy.random.default_rng(1).bytes(BIG_BYTES))
                mlflow.log_artifacts(str(folder), "files")
            data = mlflow.data.from_numpy(numpy.arange(4), name="four")
            mlflow.log_input(data, context="training")
            self.model = mlflow.pyfunc.log_model(name="echo", python_model=Echo(), registered_model_name="echo", pip_requirements=[]).model_id
        return run.info.run_id

    def _models(self):
        client = self.client
        client.set_model_version_tag("echo", "1", "k", "v")
        for _ in range(2):  # versions 2 and 3; then 2 goes, so that a number is missing
            client.create_model_version("echo", f"runs:/{self.first}/files", run_id=self.first, description="files")
        client.delete_model_version("echo", "2")
        client.set_registered_model_alias("echo", "champion", "3")
        client.update_registered_model("echo", "says it again")


class Importing(unittest.TestCase):
    """Helpers: a Slipway server, and what is in it by the MLflow client."""

    def setUp(self):
        self.server = Server()
        self.server.start()
        self.addCleanup(self.server.__exit__)
        self.there = MlflowClient(self.source)
        self.here = MlflowClient(self.server.url)

    def command(self, *arguments):
        return [program("slipway"), "--server", self.server.url, "-o", "json", "import", "mlflow", self.source_text, *arguments]

    def carry(self, *arguments, code=0):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=600, env=clean_environment())
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def assert_run_is_here(self, run_id):
        old, new = self.there.get_run(run_id), self.here.get_run(run_id)
        for field in ("run_id", "run_name", "status", "start_time", "end_time", "user_id"):
            self.assertEqual(getattr(new.info, field), getattr(old.info, field), field)
        self.assertEqual(new.data.params, old.data.params)
        self.assertEqual({k: v for k, v in new.data.tags.items() if not k.startswith("slipway.")}, old.data.tags)
        for key in old.data.metrics:
            self.assertEqual(self.points(self.here, run_id, key), self.points(self.there, run_id, key), key)
        self.assertEqual(set(new.data.metrics), set(old.data.metrics))
        self.assertEqual([(i.dataset.name, i.dataset.digest) for i in new.inputs.dataset_inputs],
                         [(i.dataset.name, i.dataset.digest) for i in old.inputs.dataset_inputs])
        self.assertEqual([m.model_id for m in new.outputs.model_outputs] if new.outputs else [],
                         [m.model_id for m in old.outputs.model_outputs] if old.outputs else [])
        self.assertEqual(self.files(self.here, run_id), self.files(self.there, run_id))

    @staticmethod
    def points(client, run_id, key):
        """Infinities are the largest double where MLflow's database or our answer to its clients has them."""
        value = lambda number: math.copysign(math.inf, number) if abs(number) == sys.float_info.max else number  # noqa: E731
        return sorted({(p.step, p.timestamp, repr(value(p.value))) for p in client.get_metric_history(run_id, key)})

    @staticmethod
    def files(client, run_id, path=None):
        out = {}
        for file in client.list_artifacts(run_id, path):
            if file.is_dir:
                out.update(Importing.files(client, run_id, file.path))
            else:
                with tempfile.TemporaryDirectory() as folder:
                    out[file.path] = pathlib.Path(client.download_artifacts(run_id, file.path, folder)).read_bytes()
        return out

    def assert_everything_is_here(self, story):
        for run_id in (story.first, story.parent, story.child, story.failed):
            self.assert_run_is_here(run_id)
        experiment = self.here.get_experiment_by_name("digits")
        self.assertEqual(experiment.tags["team"], "vision")
        found = self.here.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL)
        self.assertEqual(sorted(run.info.run_id for run in found), sorted([story.first, story.parent, story.child, story.failed]))
        self.assert_models_are_here(story)

    def assert_models_are_here(self, story):
        self.assertEqual(self.here.get_registered_model("echo").description, "says it again")
        self.assertEqual([v.version for v in self.here.search_model_versions("name='echo'", order_by=["version_number ASC"])], ["1", "3"])
        first, third = self.here.get_model_version("echo", "1"), self.here.get_model_version_by_alias("echo", "champion")
        self.assertEqual((first.tags, first.run_id), ({"k": "v"}, story.first))
        self.assertEqual((third.version, third.description, third.creation_timestamp),
                         ("3", "files", self.there.get_model_version("echo", "3").creation_timestamp))
        model = self.here.get_logged_model(story.model)
        self.assertEqual((model.name, model.source_run_id, str(model.status)), ("echo", story.first, "READY"))
        mlflow.set_tracking_uri(self.server.url)
        self.addCleanup(mlflow.set_tracking_uri, self.source)
        self.assertEqual(mlflow.pyfunc.load_model("models:/echo/1").predict(["x"]), ["x"])


class FromServer(Importing):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.peer = MlflowServer(cls.folder.name)
        cls.peer.start()
        cls.source = cls.source_text = cls.peer.url
        mlflow.set_tracking_uri(cls.source)
        cls.story = Story()

    @classmethod
    def tearDownClass(cls):
        cls.peer.stop()
        cls.folder.cleanup()

    def test_everything_comes_once_and_a_second_call_finds_nothing_new(self):
        dry = self.carry("--dry-run")
        self.assertEqual((dry["runs"]["carried"], dry["points"]), (4, 0))
        self.assertIsNone(self.here.get_experiment_by_name("digits"))
        report = self.carry()
        self.assertEqual((report["runs"]["carried"], report["points"], report["problems"]), (4, POINTS + 6, []))
        self.assert_everything_is_here(self.story)
        again = self.carry()
        self.assertEqual((again["runs"]["carried"], again["runs"]["unchanged"], again["points"], again["files"]), (0, 4, 0, 0))
        self.assertEqual((again["versions"]["carried"], again["aliases"]["carried"]), (0, 0))
        self.assert_everything_is_here(self.story)

    def test_only_what_is_new_comes_the_second_time(self):
        self.carry()
        self.there.log_metric(self.story.failed, "late", 4.5, step=2)
        self.there.set_tag(self.story.failed, "seen", "yes")
        fresh = self.there.create_run(self.story.experiment, run_name="fresh").info.run_id
        self.addCleanup(self.there.delete_run, fresh)
        report = self.carry()
        self.assertEqual((report["runs"]["carried"], report["points"], report["files"]), (2, 1, 0))
        self.assert_run_is_here(self.story.failed)
        self.assert_run_is_here(fresh)

    def test_killed_in_the_middle_and_repeated_gives_one_copy(self):
        for seconds in (0.1, 0.3, 0.6, 1.0, 1.5):
            process = subprocess.Popen(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
            time.sleep(seconds)
            process.kill()
            process.wait()
        self.server.kill()
        self.server.start()
        self.carry()
        self.assert_everything_is_here(self.story)

    def test_an_alias_moved_here_by_hand_stays(self):
        self.carry()
        self.here.set_registered_model_alias("echo", "champion", "1")
        report = self.carry(code=1)
        self.assertIn("by hand", report["problems"][0])
        self.assertEqual(self.here.get_model_version_by_alias("echo", "champion").version, "1")

    def test_deleted_runs_come_when_asked_for(self):
        self.carry("--deleted", "--no-models", "--no-files")
        self.assertEqual(self.here.get_run(self.story.deleted).info.lifecycle_stage, "deleted")
        self.assertEqual(self.files(self.here, self.story.first), {})

    def test_what_is_no_tracking_server_is_told_so(self):
        done = subprocess.run([program("slipway"), "--server", self.server.url, "import", "mlflow", "http://127.0.0.1:9"],
                              capture_output=True, text=True, timeout=60, env=clean_environment())
        self.assertEqual(done.returncode, 5, done.stderr)
        done = subprocess.run([program("slipway"), "--server", self.server.url, "import", "mlflow", "sqlite:///x.db"],
                              capture_output=True, text=True, timeout=60, env=clean_environment())
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("mlflow server --backend-store-uri", done.stderr)


class FromFolder(Importing):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.source_text = cls.folder.name + "/mlruns"
        cls.source = "file://" + cls.source_text
        mlflow.set_tracking_uri(cls.source)
        cls.story = Story(long_points=2000)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_everything_comes_once(self):
        report = self.carry()
        # MLflow's folder has one point twice: logging a model writes the metric again.
        self.assertEqual((report["runs"]["carried"], report["points"], report["problems"]), (4, 2007, []))
        self.assert_everything_is_here(self.story)
        again = self.carry()
        self.assertEqual((again["runs"]["unchanged"], again["points"], again["files"]), (4, 0, 0))

    def test_a_folder_of_something_else_is_refused(self):
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run([program("slipway"), "--server", self.server.url, "import", "mlflow", empty],
                                  capture_output=True, text=True, timeout=60, env=clean_environment())
        self.assertEqual(done.returncode, 3)
        self.assertIn("no folder of MLflow", done.stderr)
