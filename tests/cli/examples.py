"""Plays the example of every command's help as it is written, on a server of its own, once as text and once with -o json.

The commands of STORY come in this order, each after what its line prepares; all others follow in the order of the help. A new
command needs no entry here as long as its example works on what is there by then.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
sys.path.insert(0, str(HERE.parent / "browser"))
from digits import onnx, pixels, png  # noqa: E402
from server import Server, clean_environment, program  # noqa: E402

COMMAND_SECONDS_MAX = 120
NOT_PLAYED = {
    "server": "it would take port 7070 of this machine; every test starts servers on other ports",
    "runner": "executors start it, with a ticket that works once",
    "export mlflow": "it needs an MLflow server; tests/clients/mlflow_push_test.py has one",
}
# Commands whose output is no record of the API.
NOT_JSON = {"completion": "a script for the shell", "init": "a file", "backup": "a file", "restore": "a folder"}

PROJECT = """
steps:
  slow: {command: sleep 600}
  train: {command: "[ -e FOLDER/flag ] && echo lr={lr}", parameters: {lr: {type: float, default: 0.1}}}
pipelines:
  refresh: {nodes: {train: {step: train}}, triggers: [{cron: "0 3 * * *"}]}
  wait: {nodes: {slow: {step: slow}}}
"""
STORY = {
    "init": "rm -f slipway.yaml",
    "run": "",
    "runs list": "",
    "runs show": "",
    "logs": "",
    "rerun": "",
    "diff": "",
    "stop": "cp project.yaml slipway.yaml; touch flag; slipway run slow --detach",
    "tokens create": "",
    "tokens list": "",
    "tokens revoke": "",
    "login": "slipway tokens create here -o json | jq -r .secret > token.txt",
    "data add": "",
    "data branch": "slipway data branch digits@main test",
    "data list": "",
    "data show": "",
    "data samples": "",
    "data diff": "",
    "data merge": "",
    "data get": "",
    "data remove": "slipway data add scratch images/",
    "models add": "",
    "models list": "",
    "models alias": "cp better.onnx model.onnx; slipway models add digits model.onnx",
    "models show": "",
    "models get": "",
    "models history": "",
    "evaluate": "",
    "evaluations list": "",
    "evaluations compare": "slipway evaluate model:digits/2 dataset:digits@test",
    "deploy": "slipway models alias digits staging 2",
    "deployments list": "",
    "deployments show": "",
    "deployments traffic": "",
    "findings list": "ask_for_digits",
    "findings close": "",
    "feedback": "",
    "why": "",
    "cases list": "",
    "cases label": "",
    "cases send": "for id in $(slipway cases list -o json | jq -r '.cases[].id'); do slipway cases label $id 7; done",
    "cases dismiss": "",
    "deployments stop": "",
    "deployments start": "",
    "deployments restart": "",
    "deployments delete": "",
    "models remove": "",
    "pipelines run": "",
    "pipelines rerun": "rm flag; ! slipway pipelines run refresh train.lr=0.3 && touch flag",
    "pipelines stop": "slipway pipelines run wait --detach",
    "pipelines enable": "",
    "pipelines disable": "",
    "import mlflow": "mkdir -p mlruns/1/$(printf %032x 1)/metrics; echo 'name: old' > mlruns/1/meta.yaml; echo '1700000000000 0.5 1' > mlruns/1/$(printf %032x 1)/metrics/loss; "
                     "printf 'run_name: one\\nstatus: 3\\n' > mlruns/1/$(printf %032x 1)/meta.yaml",
    "import csv": "printf 'step,loss\\n0,0.5\\n1,0.25\\n' > history.csv",
    "import tensorboard": "mkdir -p logs; printf '\\x18\\0\\0\\0\\0\\0\\0\\0\\xa3\\x7f\\x4b\\x22' > logs/events.out.tfevents.1",
    "import wandb": "mkdir -p wandb/run-1; printf ':W&B\\341\\276\\0g\\054SW\\010\\0\\001\\212\\001\\005\\012\\003abc' > wandb/run-1/run-1.wandb",
    "sync": "run=$(printf %032x 2); mkdir -p slipway-runs/$run; echo SLIPWAY-JOURNAL-1 > slipway-runs/$run/journal; "
            "echo '{\"format\": 1, \"run_id\": \"'$run'\", \"experiment\": \"Default\", \"name\": \"one\"}' > slipway-runs/$run/run.json",
}


def shell(command, folder, server):
    environment = {**clean_environment(), "SLIPWAY_URL": server.url, "HOME": str(folder), "LC_ALL": "C.UTF-8",
                   "PATH": f"{program('slipway').parent}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, timeout=COMMAND_SECONDS_MAX)


def help_of(*words):
    said = subprocess.run([program("slipway"), *words, "--help"], capture_output=True, text=True, timeout=30)
    assert said.returncode == 0, f"slipway {' '.join(words)} --help ended with {said.returncode}: {said.stderr}"
    return said.stdout


def names_in(text):
    """The subcommands that a help lists."""
    section = re.search(r"(?m)^(?:Subcommands|SUBCOMMANDS):\n((?:  .*\n|\n)+)", text)
    return re.findall(r"(?m)^  ([a-z][a-z-]*)", section[1]) if section else []


def examples():
    """Every command that the help names, with the lines of its example."""
    found = {}
    for noun in names_in(help_of()):
        text = help_of(noun)
        for verb in names_in(text) or [""]:
            words = [noun, verb] if verb else [noun]
            text = help_of(*words)
            lines = text.split("Example:\n", 1)[1].splitlines() if "Example:\n" in text else []
            found[" ".join(words)] = [line.strip() for line in lines if line.strip()]
    return found


def ask_for_digits(server):
    """Traffic that drifts, with answers that are kept as cases."""
    answers = []
    for n in range(220):
        answer = server.request("POST", "/v2/models/digits/infer", png(pixels(n % 10, 80, n, 0 if n < 60 else 3)), {"Content-Type": "image/png"})
        assert answer.status == 200, f"POST /v2/models/digits/infer answered {answer.status}: {answer.body[:300]}"
        answers.append(answer.headers["x-slipway-answer-id"])
    for answer in answers[-4:]:
        server.call("POST", "/api/v1/feedback", {"answer_id": answer, "correct": False})


def wait_for_finding(server):
    for _ in range(100):
        if server.call("GET", "/api/v1/findings?state=open")["findings"]:
            return
        time.sleep(0.2)


def prepare(folder):
    for digit in range(10):
        for n in range(12):
            path = folder / "images" / str(digit) / f"{n:02}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(pixels(digit, 60, n)))
    (folder / "model.onnx").write_bytes(onnx(0.2))
    (folder / "better.onnx").write_bytes(onnx(0.35))
    (folder / "mask.png").write_bytes(png(pixels(7)))
    (folder / "project.yaml").write_text(PROJECT.replace("FOLDER", str(folder)))


class Player:
    def __init__(self, server, folder, as_json):
        self.server, self.folder, self.as_json = server, folder, as_json
        self.failures = []

    def play(self, command, lines):
        before = STORY.get(command, "")
        if before == "ask_for_digits":
            ask_for_digits(self.server)
            wait_for_finding(self.server)
        elif before:
            done = shell(before, self.folder, self.server)
            if done.returncode != 0:
                self.failures.append(f"what `slipway {command}` needs could not be prepared: {before}: {done.stderr[-500:]}")
        for line in lines:
            self.play_line(command, line)

    def play_line(self, command, line):
        # An id of the help is that of a pipeline's run; everything else is typed as it stands there.
        if re.search(r"\b01[0-9A-Z]{24}\b", line):
            runs = self.server.call("GET", "/api/v1/pipeline_runs")["pipeline_runs"]
            line = re.sub(r"\b01[0-9A-Z]{24}\b", runs[0]["id"] if runs else "none", line)
        wants_json = self.as_json and command.split()[0] not in NOT_JSON
        typed = line.replace("slipway ", "slipway -o json ", 1) if wants_json else line
        done = shell(typed, self.folder, self.server)
        if done.returncode != 0:
            self.failures.append(f"`{typed}` ended with {done.returncode}: {(done.stderr or done.stdout)[-500:].strip()}")
        elif wants_json:
            try:
                json.loads(done.stdout)
            except ValueError as error:
                self.failures.append(f"`{typed}` printed no JSON ({error}): {done.stdout[:300]!r}")


def play_all(as_json, temporary):
    """Answers what went wrong, one sentence for each example."""
    known = examples()
    assert len(known) > 30, f"only {len(known)} commands were found in the help: {sorted(known)}"
    failures = [f"`slipway {command}` has no example" for command, lines in known.items() if not lines]
    failures += [f"`slipway {command}` is in the story and not in the help" for command in STORY if command not in known]
    with Server() as server:
        folder = pathlib.Path(temporary) / ("json" if as_json else "text")
        folder.mkdir()
        prepare(folder)
        player = Player(server, folder, as_json)
        order = [command for command in STORY if command in known] + [command for command in known if command not in STORY and command not in NOT_PLAYED]
        for command in order:
            player.play(command, known[command])
    shutil.rmtree(folder, ignore_errors=True)
    return failures + player.failures
