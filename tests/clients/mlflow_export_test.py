"""`slipway runs export`: a folder that an unmodified mlflow reads and migrates, and tables that pandas reads."""
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import time
import unittest

import mlflow
import mlflow_import_test as importing  # also allows MLflow its folders of files
import pandas
from mlflow import MlflowClient
from mlflow.entities import ViewType
from server import Server, clean_environment, program

POINTS = 30_000
MEMORY_BYTES_MAX = 700 << 20  # of the server while it writes a million points
MANY_POINTS = 1_000_000


class Exporting(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.start()
        mlflow.set_tracking_uri(cls.server.url)
        cls.here = MlflowClient(cls.server.url)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def command(self, *arguments):
        return [program("slipway"), "--server", self.server.url, "-o", "json", "runs", "export", *map(str, arguments)]

    def export(self, *arguments, code=0):
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=600, env=clean_environment())
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr


class IntoMlflow(Exporting):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.story = importing.Story(POINTS)

    def opened(self, folder):
        return MlflowClient(f"file://{folder}")

    @staticmethod
    def digits(there):
        """Experiments are found by their names: MLflow's ids are numbers."""
        return there.get_experiment_by_name("digits").experiment_id

    def assert_run_is_there(self, there, run_id):
        old, new = self.here.get_run(run_id), there.get_run(run_id)
        for field in ("run_id", "run_name", "status", "start_time", "end_time", "user_id", "lifecycle_stage"):
            self.assertEqual(getattr(new.info, field), getattr(old.info, field), field)
        self.assertEqual((new.data.params, new.data.tags), (old.data.params, old.data.tags))
        points, files = importing.Importing.points, importing.Importing.files
        self.assertEqual(set(new.data.metrics), set(old.data.metrics))
        for key in old.data.metrics:
            self.assertEqual(points(there, run_id, key), points(self.here, run_id, key), key)
        self.assertEqual([(i.dataset.name, i.dataset.digest, i.tags) for i in new.inputs.dataset_inputs],
                         [(i.dataset.name, i.dataset.digest, i.tags) for i in old.inputs.dataset_inputs])
        made = lambda run: [m.model_id for m in run.outputs.model_outputs] if run.outputs else []  # noqa: E731
        self.assertEqual(made(new), made(old))
        self.assertEqual(files(there, run_id), files(self.here, run_id))

    def assert_everything_is_there(self, there):
        story = self.story
        for run_id in (story.first, story.parent, story.child, story.failed):
            self.assert_run_is_there(there, run_id)
        experiment = there.get_experiment_by_name("digits")
        self.assertEqual(experiment.tags["team"], "vision")
        found = there.search_runs([experiment.experiment_id], filter_string="metrics.m >= 1")
        self.assertEqual([run.info.run_id for run in found], [story.child])
        versions = there.search_model_versions("name='echo'", order_by=["version_number ASC"])
        self.assertEqual([(int(v.version), v.description or "") for v in versions], [(1, ""), (3, "files")])
        self.assertEqual(there.get_registered_model("echo").description, "says it again")
        self.assertEqual(int(there.get_model_version_by_alias("echo", "champion").version), 3)
        self.assertEqual(there.get_model_version("echo", "1").tags, {"k": "v"})
        model = there.get_logged_model(story.model)
        self.assertEqual((model.name, model.source_run_id, str(model.status)), ("echo", story.first, "READY"))

    def test_a_folder_is_read_by_mlflow_and_a_second_call_writes_nothing(self):
        report = self.export("--format", "mlflow", "--to", self.folder / "mlruns")
        self.assertEqual((report["runs"]["carried"], report["points"], report["problems"]), (4, POINTS + 6, []))
        there = self.opened(self.folder / "mlruns")
        self.assert_everything_is_there(there)
        mlflow.set_tracking_uri(f"file://{self.folder}/mlruns")
        self.addCleanup(mlflow.set_tracking_uri, self.server.url)
        self.assertEqual(mlflow.pyfunc.load_model("models:/echo/1").predict(["x"]), ["x"])
        again = self.export("--format", "mlflow", "--to", self.folder / "mlruns")
        self.assertEqual((again["runs"]["carried"], again["runs"]["unchanged"], again["points"], again["files"]), (0, 4, 0, 0))
        self.assertEqual(again["left_behind"][-1].split(",")[0], "console logs")

    def test_mlflow_migrates_the_folder_into_its_database(self):
        self.export("--format", "mlflow", "--to", self.folder / "mlruns")
        done = subprocess.run([pathlib.Path(sys.executable).parent / "mlflow", "migrate-filestore", "--source", self.folder / "mlruns",
                               "--target", f"sqlite:///{self.folder}/mlflow.db"], capture_output=True, text=True, timeout=300,
                              env={**clean_environment(), "MLFLOW_ALLOW_FILE_STORE": "true"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_everything_is_there(MlflowClient(f"sqlite:///{self.folder}/mlflow.db"))

    def test_killed_in_the_middle_and_repeated_it_is_whole(self):
        to = self.folder / "mlruns"
        for seconds in (0.02, 0.05, 0.1, 0.2, 0.4):
            process = subprocess.Popen(self.command("--format", "mlflow", "--to", to), stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, env=clean_environment())
            time.sleep(seconds)
            process.kill()
            process.wait()
        self.export("--format", "mlflow", "--to", to)
        self.assert_everything_is_there(self.opened(to))

    def test_what_came_since_is_added(self):
        to = self.folder / "mlruns"
        self.export("--format", "mlflow", "--to", to)
        self.here.log_metric(self.story.failed, "late", 4.5, step=2)
        self.here.set_tag(self.story.failed, "seen", "ja, \"so\"\nund # so: weiter\x7f")
        report = self.export("--format", "mlflow", "--to", to)
        self.assertEqual((report["runs"]["carried"], report["runs"]["unchanged"]), (1, 3))
        self.assert_run_is_there(self.opened(to), self.story.failed)

    def test_a_search_a_run_and_deleted_runs(self):
        report = self.export("--format", "mlflow", "--to", self.folder / "some", "--filter", "metrics.m >= 1")
        self.assertEqual((report["runs"]["carried"], report["models"]["seen"]), (1, 0))
        some = self.opened(self.folder / "some")
        self.assertEqual([run.info.run_id for run in some.search_runs([self.digits(some)])], [self.story.child])
        report = self.export("--format", "mlflow", "--to", self.folder / "one", "--run", self.story.first)
        self.assertEqual((report["runs"]["carried"], report["logged_models"]["carried"]), (1, 1))
        self.assert_run_is_there(self.opened(self.folder / "one"), self.story.first)
        self.export("--format", "mlflow", "--to", self.folder / "all", "--deleted", "--no-files", "--no-models")
        there = self.opened(self.folder / "all")
        deleted = there.search_runs([self.digits(there)], run_view_type=ViewType.DELETED_ONLY)
        self.assertEqual([run.info.run_id for run in deleted], [self.story.deleted])

    def test_what_has_no_name_for_a_file_is_told_and_the_rest_comes(self):
        run = self.here.create_run("0", run_name="odd \U0001f600 \"name\"").info.run_id
        self.addCleanup(self.here.delete_run, run)
        self.here.set_tag(run, "a", "file")
        self.here.set_tag(run, "a/b", "and folder")
        report = self.export("--format", "mlflow", "--to", self.folder / "mlruns", "--experiment", "Default", code=1)
        self.assertEqual(len(report["problems"]), 1, report["problems"])
        self.assertIn("'a/b'", report["problems"][0])
        self.assertEqual(self.opened(self.folder / "mlruns").get_run(run).info.run_name, "odd \U0001f600 \"name\"")


class Tables(Exporting):
    def test_runs_as_parquet_have_their_columns_and_types(self):
        experiment = self.here.create_experiment("tables")
        for i in range(3):
            run = self.here.create_run(experiment, run_name=f"run {i}", start_time=1_700_000_000_000 + i).info.run_id
            self.here.log_param(run, "lr", str(i / 10))
            self.here.log_metric(run, "loss", math.nan if i == 1 else i / 3, step=1)
            if i == 2:
                self.here.log_metric(run, "Loss", math.inf)
                self.here.set_tag(run, "a b/c", "a \"tag\"\nof two lines")
        report = self.export("--experiment", "tables", "--order-by", "attributes.start_time asc", "--to", self.folder / "r.parquet")
        self.assertEqual(report["rows"], 3)
        table = pandas.read_parquet(self.folder / "r.parquet")
        self.assertEqual(list(table["name"]), ["run 0", "run 1", "run 2"])
        self.assertEqual(list(table["parameters.lr"]), ["0.0", "0.1", "0.2"])
        # DuckDB tells columns that differ in case alone apart by a number.
        self.assertEqual(list(table.filter(like="metrics.").columns), ["metrics.Loss", "metrics.loss_1"])
        self.assertEqual([repr(value) for value in table["metrics.loss_1"]], ["0.0", "nan", repr(2 / 3)])
        self.assertEqual(table["tags.a b/c"][2], "a \"tag\"\nof two lines")
        self.assertEqual(table["started_at"][1], pandas.Timestamp(1_700_000_000_001, unit="ms"))
        self.assertTrue(pandas.isna(table["ended_at"][0]))
        self.export("--experiment", "tables", "--order-by", "attributes.start_time asc", "--to", self.folder / "r.csv")
        self.assertEqual(list(pandas.read_csv(self.folder / "r.csv")["tags.a b/c"])[2], "a \"tag\"\nof two lines")

    def test_a_million_points_in_flat_memory(self):
        experiment = self.here.create_experiment("many")
        numbers = random.Random(1)
        runs, sums = [], {}
        for _ in range(10):
            run = self.here.create_run(experiment).info.run_id
            runs.append(run)
            for start in range(0, MANY_POINTS // 10, 1000):
                points = [{"key": f"m{i % 10}", "value": numbers.random(), "timestamp": start + i, "step": (start + i) // 10}
                          for i in range(1000)]
                self.server.call("POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": run, "metrics": points})
                for point in points:
                    sums[point["key"]] = sums.get(point["key"], 0.0) + point["value"]
        peak_before = self.peak_bytes()
        report = self.export("--experiment", "many", "--histories", "--to", self.folder / "p.parquet")
        self.assertEqual(report["rows"], MANY_POINTS)
        self.assertLess(self.peak_bytes(), max(peak_before, MEMORY_BYTES_MAX))
        table = pandas.read_parquet(self.folder / "p.parquet")
        self.assertEqual({str(dtype) for dtype in table.dtypes[["step", "value"]]}, {"int64", "float64"})
        found = table.groupby("metric")["value"].sum()
        for key, total in sums.items():
            self.assertAlmostEqual(found[key], total, delta=1e-6)
        self.assertEqual(set(table["run"]), set(runs))
        report = self.export("--experiment", "many", "--histories", "--to", self.folder / "p.csv")
        self.assertEqual(report["rows"], MANY_POINTS)
        self.assertEqual(list((self.server.data / "exports").iterdir()), [], "an export leaves nothing on the server")

    def peak_bytes(self):
        status = pathlib.Path(f"/proc/{self.server.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) << 10
