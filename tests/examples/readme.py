"""The first ten minutes of README.md, command by command as they stand there, on files that no example has."""
import pathlib
import re
import sys

from story import Story, aside, expect, step
from user import ROOT, User

sys.path.insert(0, str(ROOT / "tests" / "browser"))
from digits import onnx, pixels, png  # noqa: E402

CLASSES = ["ant", "bee", "cat", "cow", "dog", "eel", "fox", "hen", "owl", "pig"]  # in place of ten segments' digits
SECTION = re.compile(r"^## The first ten minutes$(.*?)^## ", re.MULTILINE | re.DOTALL)
PARAGRAPH = re.compile(r"^\*\*(.+?)\*\*", re.MULTILINE)
TRAIN = """
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--data", type=pathlib.Path)
parser.add_argument("--lr", type=float)
parser.add_argument("--out", type=pathlib.Path)
arguments = parser.parse_args()
classes = sorted(folder.name for folder in arguments.data.iterdir())
print("lr", arguments.lr, "of", len(classes), "classes")
arguments.out.mkdir()
(arguments.out / "model.onnx").write_bytes(pathlib.Path("weights.bin").read_bytes())
(arguments.out / "labels.txt").write_text("".join(name + "\\n" for name in classes))
"""


def paragraphs():
    """The indented lines of each paragraph by its bold name, e.g. "Run"."""
    text = SECTION.search((ROOT / "README.md").read_text())[1]
    found = {}
    places = list(PARAGRAPH.finditer(text))
    for place, following in zip(places, [*places[1:], None]):
        piece = text[place.start():following.start() if following else None]
        found[place[1].rstrip(".")] = [line[4:] for line in piece.splitlines() if line.startswith("    ")]
    return found


class FirstTenMinutes(Story):
    def __init__(self, server, folder):
        (folder / "repository").mkdir()
        self.user = User(server, folder / "repository")
        self.user.environment["HOME"] = str(folder)
        self.server, self.folder, self.lines = server, folder, paragraphs()
        for name, numbers in (("pictures", range(12)), ("pictures-to-test-with", range(20, 32))):
            for digit, kind in enumerate(CLASSES):
                (folder / name / kind).mkdir(parents=True)
                for number in numbers:
                    (folder / name / kind / f"{number:03}.png").write_bytes(png(pixels(digit, 60, number)))
        (folder / "repository" / "train.py").write_text(TRAIN)
        (folder / "repository" / "weights.bin").write_bytes(onnx())
        (folder / "repository" / "one.png").write_bytes(png(pixels(2, 60, 99)))

    def type(self, paragraph, **words):
        """Runs the commands of a paragraph; answers what they printed, by their first three words."""
        said = {}
        for line in self.lines[paragraph]:
            if not line.startswith(("slipway ", "curl ")):
                continue
            command = line.replace("http://127.0.0.1:7070", self.server.url)
            for word, value in words.items():
                command = re.sub(rf"\b{word}\b", value, command)
            said[" ".join(line.split()[:3])] = self.user.does("/bin/sh", "-c", command)
        expect(said, f"the paragraph “{paragraph}” has no command")
        return said

    @step
    def version_data(self):
        said = self.type("Version data")
        expect("brightness=" in said["slipway data samples"], said["slipway data samples"])
        for branch in ("main", "test"):
            commit = self.user.get(f"/api/v1/datasets/pictures/commits/{branch}")
            expect(commit["sample_count"] == 120, f"{branch} has {commit['sample_count']} samples")

    @aside
    def init_writes_a_file_that_runs(self):
        self.user.slipway("init")
        file = self.user.folder / "slipway.yaml"
        expect("train" in file.read_text(), file.read_text())
        file.unlink()

    @step
    def run(self):
        yaml = [line for line in self.lines["Run"] if not line.startswith("slipway ")]
        (self.user.folder / "slipway.yaml").write_text("\n".join(yaml) + "\n")
        said = self.type("Run")
        expect("lr 0.02 of 10 classes" in said["slipway run train"], said["slipway run train"])
        version = self.user.get("/api/v1/models/pictures/versions/1")
        expect(version["labels"] == CLASSES, f"the version's labels are {version['labels']}")

    @aside
    def a_model_at_hand_is_added(self):
        model = self.folder / "model"
        model.mkdir()
        (model / "model.onnx").write_bytes(onnx())
        self.user.slipway("models", "add", "another", model)
        self.user.is_refused("name its classes, one a line, in a file labels.txt", "evaluate", "model:another/1", "dataset:pictures@test")

    @step
    def evaluate_and_deploy(self):
        said = self.type("Evaluate and deploy")
        table = said["slipway evaluate model:pictures/1"]
        expect(re.search(r"all +accuracy +(100|9\d)", table) and "label cat" in table and "dark" in table, table)
        answer = said["curl -i -H"]
        expect('"slipway_class":"cat"' in answer or '"slipway_class":2' in answer, answer[:600])
        self.answer = re.search(r"X-Slipway-Answer-Id: (\S+)", answer, re.IGNORECASE)[1]

    @step
    def watch_and_improve(self):
        said = self.type("Watch and improve", ANSWER=self.answer)
        for link in ("deployment", "model_version", "run", "dataset_commit", "member", "machine"):
            expect(link in said["slipway why ANSWER"], said["slipway why ANSWER"])

    @aside
    def a_case_lies_in_the_folder_of_its_class(self):
        found = self.user.json("data", "samples", "pictures", "--filter", "slice = 'hard'")["samples"]
        expect(len(found) == 1 and found[0]["label"] == "cat" and found[0]["key"].startswith("cat/case-"), f"{found}")
        expect(found[0]["streams"]["image"]["path"].startswith("cat/case-"), f"{found[0]['streams']}")
        self.user.slipway("data", "get", "pictures", self.folder / "now")
        expect(sorted(path.name for path in (self.folder / "now").iterdir()) == CLASSES, "there is a folder that is no class")
