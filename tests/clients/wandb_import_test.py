"""`slipway import wandb`: folders as W&B's own client leaves them, offline."""
import importlib.util
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

from mlflow import MlflowClient
from server import Server, clean_environment, program

STEPS = 5_000
WHOLE = """
import math, sys, numpy, wandb
run = wandb.init(project="digits", name="brave sun", config={"lr": 0.1, "model": {"depth": 3, "sizes": [1, 2]}, "note": "a \\"b\\""},
                 notes="what it is for", tags=["good", "old"], group="seeds", job_type="train")
print("hello from the console")
for step in range(%d):
    run.log({"loss": 1 / (step + 1), "deep": {"acc": step / 1000}, "ok": step %% 2 == 0})
run.log({"odd": float("nan"), "picture": wandb.Image(numpy.zeros((8, 8, 3), dtype=numpy.uint8)), "bars": wandb.Histogram([1, 2, 3]), "words": "text"})
run.log({"table": wandb.Table(columns=["a"], data=[[1], [2]])})
run.summary["best"] = 0.75
run.summary["verdict"] = "fine"
run.finish()
""" % STEPS
SMALL_STEPS = 500
SMALL = """
import sys, wandb
run = wandb.init(project="small", id=%r)
for step in range(500):
    run.log({"loss": step})
run.finish()
"""
KILLED = """
import os, time, wandb
run = wandb.init(project="digits", id="killed1")
for step in range(200):
    run.log({"loss": step})
time.sleep(3)
os.kill(os.getpid(), 9)
"""


@unittest.skipUnless(importlib.util.find_spec("wandb"), "wandb is not installed; tools/bootstrap clients installs it")
class FromFolders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.home.name)
        cls.write(WHOLE)
        cls.server = Server()
        cls.server.start()
        cls.client = MlflowClient(cls.server.url)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        cls.home.cleanup()

    @classmethod
    def write(cls, script, code=0, folder=None):
        environment = {**clean_environment(), "WANDB_MODE": "offline", "WANDB_DIR": str(folder or cls.folder), "WANDB_SILENT": "true", "HOME": cls.home.name,
                       "WANDB_CACHE_DIR": cls.home.name + "/cache", "WANDB_DATA_DIR": cls.home.name + "/data"}
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, env=environment)
        if done.returncode != code:
            raise RuntimeError(done.stdout + done.stderr)

    def carry(self, *arguments, code=0):
        done = subprocess.run([program("slipway"), "--server", self.server.url, "-o", "json", "import", "wandb", *map(str, arguments)],
                              capture_output=True, text=True, timeout=120, env=clean_environment())
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def runs(self, experiment):
        found = self.client.get_experiment_by_name(experiment)
        return {run.info.run_name: run for run in self.client.search_runs([found.experiment_id])}

    def files(self, run_id, path=None):
        out = []
        for file in self.client.list_artifacts(run_id, path):
            out += self.files(run_id, file.path) if file.is_dir else [file.path]
        return out

    def test_everything_of_a_run_comes_once(self):
        first, second = self.carry(self.folder / "wandb"), self.carry(self.folder / "wandb")
        self.assertEqual((first["runs"]["carried"], first["runs"]["unchanged"], first["problems"]), (1, 0, []))
        self.assertEqual((second["runs"]["carried"], second["runs"]["unchanged"], second["points"]), (0, 1, 0))
        self.assertIn("1 histograms and other objects in the history", "\n".join(first["left_behind"]))
        run = self.runs("digits")["brave sun"]
        self.assertEqual((run.info.status, run.data.params), ("FINISHED", {"lr": "0.1", "model.depth": "3", "model.sizes": "[1,2]", "note": 'a "b"'}))
        loss = self.client.get_metric_history(run.info.run_id, "loss")
        self.assertEqual([(point.step, point.value) for point in loss], [(step, 1 / (step + 1)) for step in range(STEPS)])
        self.assertGreater(loss[0].timestamp, 1_600_000_000_000)
        self.assertEqual(run.data.metrics["deep.acc"], (STEPS - 1) / 1000)
        self.assertEqual({point.value for point in self.client.get_metric_history(run.info.run_id, "ok")}, {0, 1})
        self.assertTrue(math.isnan(run.data.metrics["odd"]))
        self.assertEqual(run.data.metrics["best"], 0.75)
        self.assertEqual([key for key in run.data.metrics if key.startswith(("picture", "bars", "table"))], [], "what describes a picture is no metric")
        tags = run.data.tags
        self.assertEqual((tags["wandb.summary.verdict"], tags["mlflow.note.content"], tags["wandb.group"], tags["wandb.tag.good"]),
                         ("fine", "what it is for", "seeds", "true"))
        files = self.files(run.info.run_id)
        self.assertTrue(any(path.startswith("media/images/picture") for path in files), files)
        self.assertTrue(any(path.startswith("media/table/table") for path in files), files)
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(self.client.download_artifacts(run.info.run_id, "output.log", folder)).read_text()
        self.assertIn("hello from the console", log)

    def test_a_killed_run_has_what_reached_the_disk_and_is_over_some_time_later(self):
        with tempfile.TemporaryDirectory() as folder:
            self.write(KILLED, code=-9, folder=folder)
            self.carry(folder, "--experiment", "killed")
            run, = self.runs("killed").values()
            self.assertEqual(run.info.status, "RUNNING")
            self.assertGreater(len(self.client.get_metric_history(run.info.run_id, "loss")), 100)
            for file in pathlib.Path(folder).rglob("*.wandb"):
                os.utime(file, (1_700_000_000, 1_700_000_000))
            self.carry(folder, "--experiment", "killed")
            self.assertEqual(self.client.get_run(run.info.run_id).info.status, "FAILED")

    def test_a_damaged_file_is_taken_up_to_the_damage(self):
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as written:
            self.write(SMALL % "damaged1", folder=written)
            whole, = pathlib.Path(written).rglob("*.wandb")
            bytes_of_it = bytearray(whole.read_bytes())
            bytes_of_it[len(bytes_of_it) // 2] ^= 0xFF
            (pathlib.Path(folder) / whole.name).write_bytes(bytes_of_it)
            report = self.carry(folder, "--experiment", "damaged", code=1)
            self.assertIn(whole.name, report["problems"][0])
            run, = self.runs("damaged").values()
            points = len(self.client.get_metric_history(run.info.run_id, "loss"))
            self.assertTrue(100 < points < SMALL_STEPS, points)

    def test_only_counted_with_dry_run_and_refused_when_it_is_something_else(self):
        with tempfile.TemporaryDirectory() as written:
            self.write(SMALL % "dry1", folder=written)
            report = self.carry(written, "--experiment", "dry", "--dry-run")
        self.assertGreaterEqual(report["points"], SMALL_STEPS)
        self.assertIsNone(self.client.get_experiment_by_name("dry"))
        with tempfile.TemporaryDirectory() as empty:
            self.assertIn("no run of W&B's client", self.carry(empty, code=3))
