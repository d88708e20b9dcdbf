"""`slipway import tensorboard` and `slipway import csv`: event files as TensorBoard's own writer made them, once and while they grow."""
import json
import pathlib
import signal
import struct
import subprocess
import tempfile
import time
import unittest

from mlflow import MlflowClient
from server import Server, clean_environment, program

EVENTS = pathlib.Path(__file__).resolve().parent.parent / "fuzz/corpus/event_file/four_events"
WAIT_SECONDS_MAX = 30


def records(data):
    """The records of an event file, each with its frame."""
    at = 0
    while at < len(data):
        length = struct.unpack_from("<Q", data, at)[0] + 16
        yield data[at:at + length]
        at += length


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
        self.folder = pathlib.Path(folder.name)

    def carry(self, *arguments, code=0):
        done = subprocess.run([program("slipway"), "--server", self.server.url, "-o", "json", "import", *arguments],
                              capture_output=True, text=True, timeout=60, env=clean_environment())
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def runs(self, experiment):
        found = self.client.get_experiment_by_name(experiment)
        return {run.info.run_name: run for run in self.client.search_runs([found.experiment_id])} if found else {}


class TensorBoard(OnServer):
    def test_each_folder_is_a_run_and_the_same_again_changes_nothing(self):
        for name in ("a", "b/train"):
            (self.folder / name).mkdir(parents=True)
            (self.folder / name / "events.out.tfevents.1700000000.host").write_bytes(EVENTS.read_bytes())
        for _ in range(2):
            report = self.carry("tensorboard", self.folder, "--experiment", "tb")
            self.assertEqual((report["runs"]["seen"], report["points"], report["problems"]), (2, 10, []))
            self.assertIn("4 summaries", report["left_behind"][0])
            found = self.runs("tb")
            self.assertEqual(sorted(found), ["a", "b/train"])
            run = found["b/train"]
            self.assertEqual((run.info.status, run.info.start_time, run.info.end_time), ("FINISHED", 1700000001500, 1700000002250))
            self.assertEqual({k: v for k, v in run.data.metrics.items() if k != "acc"},
                             {"loss": 0.5, "t/float": 1.25, "t/double": 2.5, "t/int": -7})
            self.assertEqual(len(self.client.get_metric_history(run.info.run_id, "loss")), 1)

    def test_followed_while_training_writes(self):
        file = self.folder / "events.out.tfevents.1700000001.host"
        first, second, third, fourth = records(EVENTS.read_bytes())
        file.write_bytes(first + second[:20])  # in the middle of a record
        process = subprocess.Popen([program("slipway"), "--server", self.server.url, "import", "tensorboard", self.folder, "--follow",
                                    "--experiment", "followed"], stdout=subprocess.DEVNULL, env=clean_environment())
        self.addCleanup(process.kill)
        time.sleep(1)
        for bytes_more, key in ((second[20:], "loss"), (third, "t/int")):
            with open(file, "ab") as out:
                out.write(bytes_more)
            until = time.monotonic() + WAIT_SECONDS_MAX
            while not any(key in run.data.metrics for run in self.runs("followed").values()):
                self.assertLess(time.monotonic(), until, f"{key} did not arrive")
                time.sleep(0.1)
        run, = self.runs("followed").values()
        self.assertEqual(run.info.status, "RUNNING")
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 0)
        run, = self.runs("followed").values()
        self.assertEqual(run.info.status, "FINISHED")

    def test_a_damaged_file_is_taken_up_to_the_damage_and_named(self):
        data = bytearray(EVENTS.read_bytes())
        data[150] ^= 1
        (self.folder / "events.out.tfevents.1700000002.host").write_bytes(data)
        report = self.carry("tensorboard", self.folder, "--experiment", "damaged", code=1)
        self.assertIn("checksum", report["problems"][0])
        self.assertEqual(report["points"], 2)

    def test_a_folder_without_event_files_is_refused(self):
        self.assertIn("no event files", self.carry("tensorboard", self.folder, code=3))


class Csv(OnServer):
    def test_a_table_becomes_runs_and_the_same_again_changes_nothing(self):
        file = self.folder / "history.csv"
        file.write_text('step,time,run,loss,"acc, top"\n0,2024-03-01T10:00:00Z,a,0.5,0.1\n1,1709287201,a,0.25,\n0,1709287201000,b,nan,0.3\n')
        for _ in range(2):
            report = self.carry("csv", file, "--experiment", "tables")
            self.assertEqual((report["runs"]["seen"], report["points"], report["problems"]), (2, 5, []))
            found = self.runs("tables")
            self.assertEqual(sorted(found), ["a", "b"])
            points = self.client.get_metric_history(found["a"].info.run_id, "loss")
            self.assertEqual([(p.step, p.timestamp, p.value) for p in points], [(0, 1709287200000, 0.5), (1, 1709287201000, 0.25)])
            self.assertEqual(found["a"].data.metrics["acc_ top"], 0.1)

    def test_without_steps_rows_are_counted_and_odd_rows_named(self):
        file = self.folder / "plain.csv"
        file.write_text("loss,note\n0.5,begin\n0.25\n0.125,end\n")
        report = self.carry("csv", file, "--experiment", "plain", "--name", "old", code=1)
        self.assertIn("row 3", report["problems"][0])
        self.assertIn("2 cells", report["left_behind"][0])
        run = self.runs("plain")["old"]
        self.assertEqual([p.step for p in self.client.get_metric_history(run.info.run_id, "loss")], [0, 1])

    def test_an_empty_file_is_refused(self):
        (self.folder / "empty.csv").write_text("")
        self.assertIn("empty", self.carry("csv", self.folder / "empty.csv", code=2))
