"""mlflow.autolog with what trains networks, Lightning, Keras and Transformers: a script is told the server's URL and nothing else.

The scripts are in `networks/` and run with a Python of their own, `.venv-networks`. Each trains once for all tests of its class and prints
what it saw; what the server has is held against that.
"""
import collections
import json
import pathlib
import subprocess
import tempfile
import unittest

import mlflow
import yaml
from mlflow_test import OnServer
from server import ROOT, clean_environment

PYTHON = ROOT / ".venv-networks/bin/python"
SCRIPTS = pathlib.Path(__file__).resolve().parent / "networks"
TRAINING_SECONDS_MAX = 300


def train(script, url):
    """Runs a script in an empty folder; answers what it printed last."""
    if not PYTHON.exists():
        raise RuntimeError("there is no .venv-networks; run tools/bootstrap clients")
    with tempfile.TemporaryDirectory() as folder:
        environment = {**clean_environment(), "MLFLOW_TRACKING_URI": url, "OMP_NUM_THREADS": "1", "HF_HOME": folder, "HF_HUB_OFFLINE": "1"}
        done = subprocess.run([PYTHON, "-B", SCRIPTS / script], cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=TRAINING_SECONDS_MAX)
    if done.returncode != 0:
        raise RuntimeError(f"{script} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return json.loads(done.stdout.splitlines()[-1])


class Trained(OnServer):
    """One training on a server of its own."""
    script = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        try:
            cls.seen = train(cls.script, cls.server.url)
            [cls.run_made] = cls.client.search_runs(["0"])
            [cls.model] = mlflow.search_logged_models(["0"], output_format="list")
        except BaseException:
            cls.tearDownClass()
            raise

    def history(self, metric):
        return [(point.step, point.value) for point in self.client.get_metric_history(self.run_made.info.run_id, metric)]

    def files(self, folder=None):
        """Every artifact of the run, with its size."""
        files = {}
        for file in self.client.list_artifacts(self.run_made.info.run_id, folder):
            files.update(self.files(file.path) if file.is_dir else {file.path: file.file_size})
        return files

    def text(self, path):
        return mlflow.artifacts.load_text(f"runs:/{self.run_made.info.run_id}/{path}")

    def assert_history_of_epochs(self):
        for name in self.seen["epochs"][0]:
            expected = [(epoch, metrics[name]) for epoch, metrics in enumerate(self.seen["epochs"])]
            self.assertEqual(self.history(name), expected, name)
            self.assertEqual(self.run_made.data.metrics[name], expected[-1][1], name)

    def assert_finished(self, **tags):
        """The run ended well and says by whom and what; its clock is the training's."""
        info = self.run_made.info
        self.assertEqual((info.status, info.lifecycle_stage, info.user_id), ("FINISHED", "active", self.run_made.data.tags["mlflow.user"]))
        self.assertGreater(info.end_time, info.start_time)
        expected = {"mlflow.source.name": str(SCRIPTS / self.script), "mlflow.source.type": "LOCAL", "mlflow.runName": info.run_name,
                    **tags}
        self.assertEqual({name: self.run_made.data.tags.get(name) for name in expected}, expected)

    def assert_model(self, flavor):
        """The model belongs to the run, is whole, and predicts what it predicted while it was in memory."""
        self.assertEqual((str(self.model.status), self.model.name, self.model.source_run_id), ("READY", "model", self.run_made.info.run_id))
        self.assertEqual([output.model_id for output in self.run_made.outputs.model_outputs], [self.model.model_id])
        described = yaml.safe_load(mlflow.artifacts.load_text(f"{self.model.artifact_location}/MLmodel"))
        self.assertEqual((described["model_id"], described["run_id"]), (self.model.model_id, self.run_made.info.run_id))
        self.assertIn(flavor, described["flavors"])
        self.assertEqual(self.seen["loaded"], self.seen["predictions"])


class Lightning(Trained):
    script = "train_lightning.py"

    def test_the_run_is_finished_and_says_what_it_was(self):
        self.assert_finished(**{"mlflow.autologging": "pytorch", "Mode": "testing"})

    def test_epochs_optimizer_and_early_stopping_are_parameters(self):
        expected = {"epochs": "3", "optimizer_name": "Adam", "lr": "0.02", "betas": "(0.9, 0.999)", "weight_decay": "0",
                    "monitor": "val_loss", "mode": "min", "patience": "5"}
        self.assertEqual({name: self.run_made.data.params.get(name) for name in expected}, expected)

    def test_every_metric_has_a_point_per_epoch(self):
        self.assertEqual(set(self.seen["epochs"][0]), {"train_loss", "train_loss_step", "train_loss_epoch", "train_accuracy",
                                                        "val_loss", "val_accuracy"})
        self.assert_history_of_epochs()

    def test_what_a_test_measured_after_the_run_had_ended_is_in_it(self):
        self.assertEqual(set(self.seen["test"]), {"test_loss", "test_accuracy"})
        for name, value in self.seen["test"].items():
            self.assertEqual(self.history(name), [(0, value)])

    def test_the_metrics_are_the_models_too(self):
        points = {point.key: (point.step, point.value, point.run_id) for point in self.model.metrics}
        run = self.run_made.info.run_id
        last = {name: (2, value, run) for name, value in self.seen["epochs"][-1].items()}
        self.assertEqual(points, {**last, **{name: (0, value, run) for name, value in self.seen["test"].items()}})

    def test_the_best_checkpoint_can_be_taken_up_again(self):
        path = self.run_made.data.tags["mlflow.latest_checkpoint_artifact"]
        files = self.files()
        self.assertGreater(files[path], 1000)
        self.assertTrue(any(file.startswith("restored_model_checkpoint/epoch=2") for file in files), files)
        measured = json.loads(self.text("checkpoints/latest_checkpoint_metrics.json"))
        self.assertEqual((measured["epoch"], measured["val_loss"]), (2, min(epoch["val_loss"] for epoch in self.seen["epochs"])))
        self.assertEqual(self.seen["checkpoint"], self.seen["predictions"])

    def test_the_model_is_described_and_predicts(self):
        self.assertIn("Sequential", self.text("model_summary.txt"))
        self.assert_model("pytorch")


class Keras(Trained):
    script = "train_keras.py"

    def test_the_run_is_finished_and_says_what_it_was(self):
        self.assert_finished(**{"mlflow.autologging": "keras"})

    def test_the_fit_and_its_optimizer_are_parameters(self):
        expected = {"batch_size": "25", "epochs": "3", "validation_split": "0.2", "shuffle": "True", "optimizer_name": "adam",
                    "optimizer_beta_1": "0.9"}
        self.assertEqual({name: self.run_made.data.params.get(name) for name in expected}, expected)
        self.assertAlmostEqual(float(self.run_made.data.params["optimizer_learning_rate"]), 0.02)

    def test_every_metric_has_a_point_per_epoch(self):
        self.assertEqual(set(self.seen["epochs"][0]), {"loss", "accuracy", "val_loss", "val_accuracy"})
        self.assert_history_of_epochs()

    def test_points_without_a_step_are_all_kept(self):
        measured = sorted((0, metrics["val_loss"]) for metrics in self.seen["epochs"])
        self.assertEqual(sorted(self.history("validation_loss")), measured)

    def test_the_data_are_an_input_of_run_and_model(self):
        [given] = self.run_made.inputs.dataset_inputs
        self.assertEqual({tag.key: tag.value for tag in given.tags}, {"mlflow.data.context": "train"})
        profile = json.loads(given.dataset.profile)
        self.assertEqual((profile["features_shape"], profile["targets_shape"]), ([150, 4], [150]))
        self.assertEqual([model.model_id for model in self.run_made.inputs.model_inputs], [self.model.model_id])

    def test_the_model_is_described_and_predicts(self):
        self.assertIn("hidden", self.text("model_summary.txt"))
        self.assert_model("keras")


class Transformers(Trained):
    script = "train_transformers.py"

    def test_the_run_is_finished_and_says_what_it_was(self):
        self.assert_finished(**{"mlflow.runName": "a small BERT"})

    def test_all_arguments_and_the_models_shape_are_parameters(self):
        self.assertGreater(len(self.seen["parameters"]), 150)
        self.assertEqual(self.run_made.data.params, self.seen["parameters"])
        self.assertEqual(self.model.params, self.seen["parameters"])

    def test_everything_that_was_logged_is_a_point_at_its_step(self):
        expected = collections.defaultdict(list)
        for entry in self.seen["log"]:
            for name in entry.keys() - {"step"}:
                expected[name].append((entry["step"], entry[name]))
        self.assertEqual([step for step, _ in expected["eval_loss"]], [3, 6, 9])
        self.assertEqual(set(self.run_made.data.metrics), set(expected))
        self.assertEqual(set(self.history("epoch")), set(expected.pop("epoch")))  # said twice in one millisecond it is one point
        for name, points in expected.items():
            self.assertEqual(self.history(name), points, name)
            self.assertEqual(self.run_made.data.metrics[name], points[-1][1], name)

    def test_the_pipeline_was_added_later_and_predicts(self):
        self.assertEqual([one["label"] for one in self.seen["loaded"]], ["praise", "blame"])
        self.assert_model("transformers")


if __name__ == "__main__":
    unittest.main()
