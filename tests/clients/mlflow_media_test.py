"""What scripts log with mlflow alone shows up as media, and Slipway's own helper beside it."""
import io
import pathlib
import sys
import tempfile
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "python"))

import mlflow  # noqa: E402
import numpy  # noqa: E402
import pandas  # noqa: E402
import slipway  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from server import Server  # noqa: E402


class Media(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.server.start()
        mlflow.set_tracking_uri(cls.server.url)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def setUp(self):
        self.experiment = mlflow.set_experiment(self.id())

    def get(self, path):
        answer = self.server.request("GET", path)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def keys(self, run_id):
        return {(one["key"], one["kind"]): one["steps"] for one in self.get(f"/api/v1/runs/{run_id}/media")["keys"]}

    def test_pictures_of_steps_are_found_by_key_and_step(self):
        with mlflow.start_run() as run:
            for step in (0, 5):
                mlflow.log_image(numpy.full((300, 400, 3), step * 20, dtype=numpy.uint8), key="val/dogs", step=step, timestamp=1_700_000_000_000 + step)
        run_id = run.info.run_id
        self.assertEqual(self.keys(run_id), {("val/dogs", "image"): [0, 5]})
        items = self.get(f"/api/v1/runs/{run_id}/media/items?key=val%2Fdogs")["items"]
        self.assertEqual([item["step"] for item in items], [0, 5])
        self.assertEqual(items[1]["at"], "2023-11-14T22:13:20.005000Z")
        self.assertTrue(items[0]["preview"]["path"].endswith(".webp"), items[0])
        self.assertLess(items[0]["preview"]["size"], items[0]["file"]["size"])
        picture = self.server.request("GET", f"/api/v1/blobs/{items[0]['file']['hash']}")
        self.assertTrue(picture.body.startswith(b"\x89PNG"))

    def test_everything_that_mlflow_logs_is_of_some_kind(self):
        with mlflow.start_run() as run:
            mlflow.log_table(pandas.DataFrame({"word": ["one", "two"], "count": [1, 2]}), "words.json")
            mlflow.log_table(pandas.DataFrame({"score": [0.25, None, 4.0], "name": ["a", "b", None]}), "tables/scores.parquet")
            figure = Figure()
            figure.subplots().plot([1, 2, 3])
            mlflow.log_figure(figure, "plots/loss_step_3.png")
            mlflow.log_text("# Title", "notes.md")
            mlflow.log_text("<p>hello</p>", "page.html")
            mlflow.log_dict({"lr": 0.1}, "settings.json")
            mlflow.log_dict({"lr": 0.1}, "settings.yaml")
        run_id = run.info.run_id
        self.assertEqual(self.keys(run_id), {("words", "json"): [], ("tables/scores", "table"): [], ("plots/loss", "image"): [3], ("notes", "text"): [],
                                             ("page", "html"): [], ("settings", "json"): [], ("settings", "text"): []})
        table = self.get(f"/api/v1/runs/{run_id}/artifacts/table/tables/scores.parquet?rows=2")
        self.assertEqual([(one["name"], one["type"]) for one in table["columns"]], [("score", "DOUBLE"), ("name", "VARCHAR")])
        self.assertEqual((table["rows"], table["row_count"], table["column_count"]), ([["0.25", "a"], [None, "b"]], 3, 2))
        self.assertEqual(self.get(f"/api/v1/runs/{run_id}/artifacts/table/tables/scores.parquet?offset=2")["rows"], [["4.0", None]])

    def test_files_of_a_model_are_no_media(self):
        with mlflow.start_run() as run:
            mlflow.log_text("x", "model/MLmodel")
            mlflow.log_text("x", "model/requirements.txt")
            mlflow.log_text("x", "other.txt")
        self.assertEqual(self.keys(run.info.run_id), {("other", "text"): []})

    def test_the_helper_logs_every_kind(self):
        with tempfile.TemporaryDirectory() as folder, slipway.Run(experiment="helper", url=self.server.url, folder=folder) as run:
            run.image("pictures", numpy.zeros((4, 6, 3), dtype=int), 1, masks={"a": [[0, 1]]})
            run.audio("sounds", numpy.linspace(-1, 1, 800), 2, rate=8000, caption="rises")
            run.audio("stereo", [[0, 1], [1, 0]], 2, rate=8000)
            run.video("clips", b"\0\0\0\x18ftypmp42" + bytes(20), 3)
            run.table("tables", pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}), 4)
            run.table("tables", b"a,b\n1,2\n", 5)
            run.plot("plots", {"data": [{"type": "scatter", "y": [1, float("nan")]}], "layout": {}}, 4)
            run.plot("charts", {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "mark": "bar"}, 4)
            run.html("pages", "<p>hello</p>", 4)
            run.text("texts", "# hello", 4, markdown=True)
            for key in ("../up", "", "a//b", "/a", "a\\b"):
                with self.assertRaises(ValueError):
                    run.text(key, "x", 0)
            for wrong in (lambda: run.audio("x", b"nothing", 0), lambda: run.video("x", b"nothing", 0), lambda: run.plot("x", {"y": 1}, 0),
                          lambda: run.table("x", {"a": [1], "b": []}, 0), lambda: run.table("x", [[1]], 0), lambda: run.audio("x", [], 0, rate=8000)):
                with self.assertRaises(ValueError):
                    wrong()
        self.assertEqual(self.keys(run.id), {
            ("pictures", "image"): [1], ("sounds", "audio"): [2], ("stereo", "audio"): [2], ("clips", "video"): [3], ("tables", "table"): [4, 5],
            ("plots", "plot"): [4], ("charts", "plot"): [4], ("pages", "html"): [4], ("texts", "text"): [4]})
        item = self.get(f"/api/v1/runs/{run.id}/media/items?key=sounds")["items"][0]
        sound = self.server.request("GET", f"/api/v1/runs/{run.id}/artifacts/content/{item['file']['path']}")
        self.assertEqual((sound.headers["content-type"], sound.body[:4], len(sound.body)), ("audio/wav", b"RIFF", 44 + 1600))
        about = self.server.request("GET", f"/api/v1/blobs/{item['about']['hash']}").json()
        self.assertEqual(about["caption"], "rises")
        plot = self.get(f"/api/v1/runs/{run.id}/media/items?key=plots")["items"][0]
        self.assertEqual(self.server.request("GET", f"/api/v1/blobs/{plot['file']['hash']}").json()["data"][0]["y"], [1, None])

    def test_a_folder_of_many_files_leaves_whole(self):
        with mlflow.start_run() as run:
            for number in range(30):
                mlflow.log_text(f"text {number}", f"many/größe/{number:02}.txt")
        archive = self.server.request("GET", f"/api/v1/runs/{run.info.run_id}/artifacts/archive?path=many&format=zip")
        with zipfile.ZipFile(io.BytesIO(archive.body)) as read:
            self.assertIsNone(read.testzip())
            self.assertEqual({name: read.read(name).decode() for name in read.namelist()},
                             {f"many/größe/{number:02}.txt": f"text {number}" for number in range(30)})
