"""The mlflow client with nothing but MLFLOW_TRACKING_URI: what its tutorials do."""
import logging
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings

os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # an error answer should fail a test, not be asked again for minutes
os.environ["MLFLOW_ENABLE_ASYNC_LOGGING"] = "false"
os.environ["GIT_PYTHON_REFRESH"] = "quiet"
warnings.filterwarnings("ignore")

import mlflow  # noqa: E402
import numpy  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Metric, Param, RunTag, ViewType  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402
from server import Server, clean_environment  # noqa: E402

logging.getLogger("mlflow").setLevel(logging.ERROR)


class OnServer(unittest.TestCase):
    """One server for a class; a folder and an experiment of its own for each test."""

    @staticmethod
    def database():
        """The server's database; None is its own SQLite file."""
        return None

    @classmethod
    def setUpClass(cls):
        cls.server = Server(database=cls.database())
        cls.server.start()
        mlflow.set_tracking_uri(cls.server.url)
        cls.client = MlflowClient()

    @classmethod
    def tearDownClass(cls):
        exit_code = cls.server.stop()
        cls.server.__exit__()
        assert exit_code == 0, f"the server ended with {exit_code}"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.experiment = mlflow.set_experiment(self.id()).experiment_id
        self.addCleanup(lambda: mlflow.end_run() if mlflow.active_run() else None)

    def new_run(self, **arguments):
        return self.client.create_run(self.experiment, **arguments).info.run_id


class Experiments(OnServer):
    def test_the_default_experiment_exists(self):
        self.assertEqual(self.client.get_experiment("0").name, "Default")

    def test_create_get_rename_delete_restore(self):
        made = self.client.create_experiment("one", tags={"team": "vision"})
        self.assertEqual(self.client.get_experiment(made).tags["team"], "vision")
        self.client.rename_experiment(made, "two")
        self.assertEqual(self.client.get_experiment_by_name("two").experiment_id, made)
        self.assertIsNone(self.client.get_experiment_by_name("one"))
        self.client.set_experiment_tag(made, "stage", "late")
        self.client.delete_experiment(made)
        self.assertEqual(self.client.get_experiment(made).lifecycle_stage, "deleted")
        self.client.restore_experiment(made)
        found = self.client.get_experiment(made)
        self.assertEqual((found.lifecycle_stage, found.tags["stage"]), ("active", "late"))

    def test_a_name_is_taken_once(self):
        self.client.create_experiment("taken")
        with self.assertRaises(MlflowException) as caught:
            self.client.create_experiment("taken")
        self.assertEqual(caught.exception.error_code, "RESOURCE_ALREADY_EXISTS")

    def test_search_pages_through_all(self):
        for n in range(7):
            self.client.create_experiment(f"page-{n}", tags={"paged": "yes"})
        names, token = [], None
        while True:
            page = self.client.search_experiments(filter_string="tags.paged = 'yes'", max_results=3, order_by=["name ASC"], page_token=token)
            names += [experiment.name for experiment in page]
            token = page.token
            if not token:
                break
        self.assertEqual(names, [f"page-{n}" for n in range(7)])


class Runs(OnServer):
    def test_the_fluent_api_logs_a_run(self):
        with mlflow.start_run(run_name="fluent") as run:
            mlflow.log_param("lr", 0.01)
            mlflow.log_params({"epochs": 2, "name": "net"})
            for step in range(10):
                mlflow.log_metric("loss", 1 / (step + 1), step=step)
            mlflow.log_metrics({"a": 1.0, "b": -2.5}, step=3)
            mlflow.set_tag("note", "a ü tag")
        found = mlflow.get_run(run.info.run_id)
        self.assertEqual(found.info.status, "FINISHED")
        self.assertEqual(found.info.run_name, "fluent")
        self.assertEqual(found.data.params, {"lr": "0.01", "epochs": "2", "name": "net"})
        self.assertEqual(found.data.metrics, {"loss": 0.1, "a": 1.0, "b": -2.5})
        self.assertEqual(found.data.tags["note"], "a ü tag")
        self.assertGreaterEqual(found.info.end_time, found.info.start_time)

    def test_a_failing_script_ends_its_run_as_failed(self):
        with self.assertRaises(ValueError), mlflow.start_run() as run:
            raise ValueError("no")
        self.assertEqual(mlflow.get_run(run.info.run_id).info.status, "FAILED")

    def test_nested_runs_know_their_parent(self):
        with mlflow.start_run() as parent, mlflow.start_run(nested=True) as child:
            pass
        self.assertEqual(self.client.get_parent_run(child.info.run_id).info.run_id, parent.info.run_id)

    def test_a_batch_of_a_thousand_metrics_keeps_order_and_values(self):
        run = self.new_run()
        metrics = [Metric("loss", math.sin(step), 1_700_000_000_000 + step, step) for step in range(1000)]
        self.client.log_batch(run, metrics, [Param("p", "1")], [RunTag("t", "2")])
        history = self.client.get_metric_history(run, "loss")
        self.assertEqual([(m.step, m.value, m.timestamp) for m in history], [(m.step, m.value, m.timestamp) for m in metrics])

    def test_numbers_that_are_none_come_back(self):
        run = self.new_run()
        for step, value in enumerate([math.nan, math.inf, -math.inf, 1e-300]):
            self.client.log_metric(run, "odd", value, step=step)
        values = [m.value for m in self.client.get_metric_history(run, "odd")]
        self.assertTrue(math.isnan(values[0]))
        self.assertGreater(values[1], 1e308)
        self.assertLess(values[2], -1e308)
        self.assertEqual(values[3], 1e-300)

    def test_a_parameter_does_not_change(self):
        run = self.new_run()
        self.client.log_param(run, "lr", 1)
        self.client.log_param(run, "lr", 1)
        with self.assertRaises(MlflowException) as caught:
            self.client.log_param(run, "lr", 2)
        self.assertEqual(caught.exception.error_code, "INVALID_PARAMETER_VALUE")

    def test_deleted_runs_are_hidden_and_restored(self):
        run = self.new_run()
        self.client.delete_run(run)
        self.assertEqual(self.client.search_runs([self.experiment]), [])
        self.assertEqual([r.info.run_id for r in self.client.search_runs([self.experiment], run_view_type=ViewType.DELETED_ONLY)], [run])
        self.client.restore_run(run)
        self.assertEqual([r.info.run_id for r in self.client.search_runs([self.experiment])], [run])

    def test_tags_are_set_and_deleted(self):
        run = self.new_run(tags={"a": "1"})
        self.client.set_tag(run, "b", "2")
        self.client.delete_tag(run, "a")
        tags = self.client.get_run(run).data.tags
        self.assertNotIn("a", tags)
        self.assertEqual(tags["b"], "2")

    def test_an_unknown_run_says_so(self):
        with self.assertRaises(MlflowException) as caught:
            self.client.get_run("0" * 32)
        self.assertEqual(caught.exception.error_code, "RESOURCE_DOES_NOT_EXIST")

    def test_inputs_are_logged(self):
        with mlflow.start_run() as run:
            mlflow.log_input(mlflow.data.from_numpy(numpy.zeros((3, 2)), name="zeros"), context="training")
        found = self.client.get_run(run.info.run_id).inputs.dataset_inputs[0]
        self.assertEqual(found.dataset.name, "zeros")
        self.assertEqual(found.tags[0].value, "training")


class Search(OnServer):
    def setUp(self):
        super().setUp()
        self.ids = []
        for n in range(12):
            run = self.new_run(run_name=f"run-{n}", start_time=1_700_000_000_000 + n)
            self.client.log_batch(run, [Metric("acc", n / 10, 0, 0)], [Param("lr", str(n % 3)), Param("kind", f"net_{n}")], [RunTag("odd", str(n % 2))])
            self.ids.append(run)

    def names(self, filter_string="", **arguments):
        return [run.info.run_name for run in self.client.search_runs([self.experiment], filter_string, **arguments)]

    def test_the_newest_comes_first(self):
        self.assertEqual(self.names(max_results=3), ["run-11", "run-10", "run-9"])

    def test_filters_combine(self):
        self.assertEqual(self.names("metrics.acc >= 0.5 and params.lr = '0' and tags.odd = '0'"), ["run-6"])
        self.assertEqual(self.names("attributes.run_name LIKE 'run-1%'"), ["run-11", "run-10", "run-1"])
        self.assertEqual(self.names("params.kind ILIKE 'NET_1%' and metrics.acc != 1.0"), ["run-11", "run-1"])
        self.assertEqual(self.names(f"attributes.run_id IN ('{self.ids[2]}', '{self.ids[4]}')"), ["run-4", "run-2"])
        self.assertEqual(self.names("attributes.status = 'FINISHED'"), [])

    def test_results_are_ordered_by_metric_and_parameter(self):
        self.assertEqual(self.names(order_by=["metrics.acc ASC"], max_results=3), ["run-0", "run-1", "run-2"])
        self.assertEqual(self.names(order_by=["params.lr DESC", "metrics.acc DESC"], max_results=3), ["run-11", "run-8", "run-5"])

    def test_runs_without_the_metric_come_last(self):
        self.client.set_tag(self.new_run(run_name="bare"), "bare", "yes")
        self.assertEqual(self.names(order_by=["metrics.acc DESC"])[-1], "bare")
        self.assertEqual(self.names(order_by=["metrics.acc ASC"])[-1], "bare")

    def test_pages_follow_each_other_without_gap_or_repetition(self):
        names, token = [], None
        while True:
            page = self.client.search_runs([self.experiment], order_by=["metrics.acc ASC"], max_results=5, page_token=token)
            names += [run.info.run_name for run in page]
            token = page.token
            if not token:
                break
        self.assertEqual(names, [f"run-{n}" for n in range(12)])

    def test_a_wrong_filter_is_refused_with_a_sentence(self):
        for wrong in ["metrics.acc >", "acc ~ 3", "params.lr = 3", "metrics.acc = 'x'"]:
            with self.assertRaises(MlflowException, msg=wrong) as caught:
                self.names(wrong)
            self.assertEqual(caught.exception.error_code, "INVALID_PARAMETER_VALUE", wrong)

    def test_a_data_frame_is_made_of_them(self):
        frame = mlflow.search_runs([self.experiment], order_by=["metrics.acc DESC"], max_results=2)
        self.assertEqual(list(frame["metrics.acc"]), [1.1, 1.0])


class Artifacts(OnServer):
    def test_files_and_folders_come_back_as_they_went(self):
        (self.folder / "tree/deep").mkdir(parents=True)
        (self.folder / "tree/deep/data.bin").write_bytes(os.urandom(3_000_000))
        (self.folder / "tree/a file with spaces ü.txt").write_text("hello")
        (self.folder / "empty").write_text("")
        with mlflow.start_run() as run:
            mlflow.log_artifact(self.folder / "empty")
            mlflow.log_artifacts(self.folder / "tree", "kept")
            mlflow.log_dict({"a": [1, 2]}, "config/settings.json")
            mlflow.log_text("some text", "note.txt")
        run_id = run.info.run_id
        self.assertEqual(sorted((f.path, f.is_dir) for f in self.client.list_artifacts(run_id)),
                         [("config", True), ("empty", False), ("kept", True), ("note.txt", False)])
        self.assertEqual(sorted((f.path, f.file_size) for f in self.client.list_artifacts(run_id, "kept")),
                         [("kept/a file with spaces ü.txt", 5), ("kept/deep", None)])
        got = pathlib.Path(mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="kept", dst_path=self.folder / "got"))
        self.assertEqual((got / "deep/data.bin").read_bytes(), (self.folder / "tree/deep/data.bin").read_bytes())
        self.assertEqual((got / "a file with spaces ü.txt").read_text(), "hello")
        self.assertEqual(mlflow.artifacts.load_dict(f"runs:/{run_id}/config/settings.json"), {"a": [1, 2]})
        self.assertEqual(mlflow.artifacts.load_text(f"runs:/{run_id}/note.txt"), "some text")

    def test_an_artifact_is_replaced_whole(self):
        with mlflow.start_run() as run:
            mlflow.log_text("first version", "note.txt")
            mlflow.log_text("second", "note.txt")
        self.assertEqual(mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/note.txt"), "second")

    def test_a_path_cannot_climb_out(self):
        run = self.new_run()
        for path in ["..%2F..%2Fetc%2Fpasswd", "a/../../x", "%2Fetc%2Fpasswd", "a%5C..%5Cx"]:
            answer = self.server.request("PUT", f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/{path}", b"x")
            self.assertIn(answer.status, range(400, 500), path)


class Models(OnServer):
    def train(self):
        from sklearn.linear_model import LogisticRegression
        points = numpy.random.default_rng(1).normal(size=(60, 4))
        return LogisticRegression().fit(points, points[:, 0] > 0), points

    def test_a_model_is_logged_registered_and_loaded_by_its_alias(self):
        model, points = self.train()
        with mlflow.start_run() as run:
            logged = mlflow.sklearn.log_model(model, name="model", registered_model_name="digits", input_example=points[:2])
        version = self.client.get_model_version("digits", "1")
        self.assertEqual((version.status, version.run_id), ("READY", run.info.run_id))
        self.client.set_registered_model_alias("digits", "production", "1")
        for uri in ["models:/digits@production", "models:/digits/1", logged.model_uri]:
            loaded = mlflow.pyfunc.load_model(uri)
            self.assertEqual(list(loaded.predict(points)), list(model.predict(points)), uri)
        self.assertEqual(self.client.get_model_version_by_alias("digits", "production").version, "1")

    def test_versions_count_up_and_keep_their_words(self):
        self.client.create_registered_model("counted", tags={"kind": "test"}, description="first words")
        with mlflow.start_run() as run:
            mlflow.log_text("weights", "model/weights.txt")
        for number in ("1", "2", "3"):
            made = self.client.create_model_version("counted", f"{run.info.artifact_uri}/model", run.info.run_id, tags={"n": number})
            self.assertEqual(made.version, number)
        self.client.update_model_version("counted", "2", description="the second")
        self.client.set_model_version_tag("counted", "2", "checked", "yes")
        self.client.delete_model_version("counted", "1")
        found = self.client.search_model_versions("name = 'counted'")
        self.assertEqual(sorted(v.version for v in found), ["2", "3"])
        second = self.client.get_model_version("counted", "2")
        self.assertEqual((second.description, second.tags), ("the second", {"n": "2", "checked": "yes"}))
        self.assertEqual(self.client.get_registered_model("counted").tags, {"kind": "test"})

    def test_models_are_renamed_searched_and_deleted(self):
        self.client.create_registered_model("before")
        self.client.rename_registered_model("before", "after")
        self.assertEqual([m.name for m in self.client.search_registered_models("name LIKE 'aft%'")], ["after"])
        self.client.delete_registered_model("after")
        with self.assertRaises(MlflowException) as caught:
            self.client.get_registered_model("after")
        self.assertEqual(caught.exception.error_code, "RESOURCE_DOES_NOT_EXIST")

    def test_autolog_records_a_training(self):
        mlflow.sklearn.autolog(silent=True)
        self.addCleanup(lambda: mlflow.sklearn.autolog(disable=True))
        with mlflow.start_run() as run:
            self.train()
        found = self.client.get_run(run.info.run_id)
        self.assertEqual(found.data.params["max_iter"], "100")
        self.assertIn("training_accuracy_score", found.data.metrics)


class Survival(OnServer):
    def test_nothing_answered_is_lost_when_the_server_is_killed(self):
        run = self.new_run()
        self.client.log_param(run, "lr", "1")
        for step in range(20):
            self.client.log_metric(run, "loss", step, step=step)
        self.client.log_text(run, "kept", "note.txt")
        self.server.kill()
        self.server.start()
        self.assertEqual([m.value for m in self.client.get_metric_history(run, "loss")], list(range(20)))
        self.assertEqual(self.client.get_run(run).data.params, {"lr": "1"})
        self.assertEqual(mlflow.artifacts.load_text(f"runs:/{run}/note.txt"), "kept")

    def test_one_variable_is_all_a_script_needs(self):
        script = "import mlflow\nwith mlflow.start_run(): mlflow.log_metric('x', 1)\n"
        environment = {**clean_environment(), "MLFLOW_TRACKING_URI": self.server.url}
        subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, env=environment, capture_output=True, cwd=self.folder)
        self.assertEqual(self.client.search_runs(["0"])[0].data.metrics, {"x": 1.0})
