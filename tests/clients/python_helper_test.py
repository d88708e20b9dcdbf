"""python/slipway against a real server: nothing waits, a kill loses little, folders arrive once by `slipway sync`."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "python"))

import slipway  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from server import Server, clean_environment, program  # noqa: E402

CALLS_PER_SECOND_MIN = 50_000
KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
import slipway
run = slipway.Run(experiment="killed", offline=True, folder=sys.argv[2])
for step in range(1000):
    run.log("loss", step, step)
time.sleep(0.1)
print(run.id, flush=True)
for step in range(1000, 100000):
    run.log("loss", step, step)
time.sleep(60)
"""


class OnServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.start()
        cls.client = MlflowClient(cls.server.url)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "runs"

    def sync(self, *arguments):
        done = subprocess.run([program("slipway"), "--server", self.server.url, "-o", "json", "sync", self.folder, *arguments],
                              capture_output=True, text=True, timeout=120, env=clean_environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["runs"]

    def steps(self, run_id, key="loss"):
        return [point.step for point in self.client.get_metric_history(run_id, key)]

    def test_a_run_arrives_and_its_folder_goes(self):
        with slipway.Run(experiment="live", name="one", url=self.server.url, folder=self.folder) as run:
            run.parameter("lr", 0.1)
            run.tag("team", "vision")
            for step in range(2500):
                run.log_many({"loss": 1 / (step + 1), "acc": step}, step)
            run.log("odd", float("nan"), 3)
            run.image("samples", [[0, 128], [255, 3]], 7, masks={"digit": [[0, 1], [1, 0]]},
                      boxes=[{"x": 0, "y": 1, "width": 1, "height": 1, "label": "seven", "score": 0.5}], caption="two by two")
        found = self.client.get_run(run.id)
        self.assertEqual((found.info.run_name, found.info.status, found.data.params), ("one", "FINISHED", {"lr": "0.1"}))
        self.assertEqual(self.steps(run.id), list(range(2500)))
        self.assertEqual(len(self.client.get_metric_history(run.id, "odd")), 1)
        names = [file.path for file in self.client.list_artifacts(run.id, "media/samples")]
        self.assertEqual(names, [f"media/samples/000000007{end}" for end in (".digit.png", ".json", ".png")])
        with tempfile.TemporaryDirectory() as folder:
            about = json.loads(pathlib.Path(self.client.download_artifacts(run.id, names[1], folder)).read_text())
        self.assertEqual((about["masks"], about["boxes"][0]["label"], about["step"]), ({"digit": "000000007.digit.png"}, "seven", 7))
        self.assertFalse(run.folder.exists())

    def test_an_offline_run_is_sent_later_and_once(self):
        with slipway.Run(experiment="offline", offline=True, folder=self.folder) as run:
            for step in range(5000):
                run.log("loss", step, step)
        self.assertTrue(run.folder.exists())
        self.assertEqual(self.sync("--keep")[0]["points"], 5000)
        self.assertEqual(self.sync()[0]["is_whole"], True)
        self.assertEqual(self.steps(run.id), list(range(5000)))
        self.assertEqual(self.client.get_run(run.id).info.status, "FINISHED")
        self.assertFalse(run.folder.exists())
        self.assertEqual(len(self.client.search_runs([self.client.get_experiment_by_name("offline").experiment_id])), 1)

    def test_a_sync_that_is_killed_is_repeated_without_a_second_point(self):
        with slipway.Run(experiment="cut", offline=True, folder=self.folder) as run:
            for step in range(100_000):
                run.log("loss", step, step)
        for seconds in (0.02, 0.05, 0.1, 0.2):
            process = subprocess.Popen([program("slipway"), "--server", self.server.url, "sync", self.folder],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=clean_environment())
            time.sleep(seconds)
            process.kill()
            process.wait()
        if self.folder.exists() and any(self.folder.iterdir()):
            self.sync()
        self.assertEqual(len(self.steps(run.id)), 100_000)

    def test_a_kill_loses_at_most_the_last_100_ms(self):
        process = subprocess.Popen([sys.executable, "-c", KILLED, ROOT / "python", self.folder], stdout=subprocess.PIPE, text=True,
                                   env=clean_environment())
        run_id = process.stdout.readline().strip()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        self.sync()
        self.assertGreaterEqual(len(self.steps(run_id)), 1000)
        self.assertEqual(self.client.get_run(run_id).info.status, "FAILED")

    def test_a_server_that_goes_away_loses_nothing(self):
        run = slipway.Run(experiment="away", url=self.server.url, folder=self.folder)
        run.log("loss", 0, 0)
        self.assertTrue(run.flush())
        self.server.kill()
        for step in range(1, 1000):
            self.assertTrue(run.log("loss", step, step))
        self.server.start()
        self.assertTrue(run.finish())
        self.assertEqual(self.steps(run.id), list(range(1000)))

    def test_a_name_that_would_be_a_path_is_refused(self):
        with slipway.Run(offline=True, folder=self.folder) as run:
            for name in ("../x", "/x", ""):
                with self.assertRaises(ValueError):
                    run.artifact_bytes(b"x", name)

    def test_logging_does_not_wait(self):
        best = 0
        for _ in range(3):  # the machine may be busy
            with slipway.Run(offline=True, folder=self.folder) as run:
                started = time.perf_counter()
                for step in range(100_000):
                    run.log("loss", 0.5, step)
                best = max(best, 100_000 / (time.perf_counter() - started))
            self.assertEqual((run.dropped, run.journaled), (0, 100_000))
        self.assertGreater(best, CALLS_PER_SECOND_MIN)
