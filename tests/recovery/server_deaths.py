"""The server dies while clients write: writers that note what was acknowledged, and a reader that looks for it."""
import hashlib
import http.client
import json
import random
import threading
import time
import urllib.parse

from asking import expect

WRITERS = 6
ALIVE_SECONDS = (0.05, 1.5)    # between the start of a server and its death
BATCH_POINTS = 25
CHECKED_RUNS_PER_ROUND = 40    # of those of earlier rounds; the last check reads all
ROOT_EXPERIMENT = "0"
API = "/api/2.0/mlflow"


class Gone(Exception):
    """The server died under a request."""


class Connection:
    """A keep-alive client of one thread."""

    def __init__(self, address):
        self._http = http.client.HTTPConnection(address, timeout=30)

    def ask(self, method, path, body=None):
        """The answer's body; Gone when there was none; an AssertionError for an answer that no kill explains."""
        data, headers = body, {}
        if isinstance(body, dict):
            data, headers = json.dumps(body), {"Content-Type": "application/json"}
        try:
            self._http.request(method, path, data, headers)
            answer = self._http.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise Gone() from error
        if answer.status in (429, 503):  # full, or draining: an ordinary answer, nothing was written
            raise Gone()
        assert answer.status < 300, f"{method} {path} answered {answer.status}: {content[:500]}"
        return content

    def json(self, method, path, body=None):
        return json.loads(self.ask(method, path, body) or b"{}")


class RunLedger:
    """What the server acknowledged of one run, and what was in flight when it died."""

    def __init__(self, run_id, experiment):
        self.run_id = run_id
        self.experiment = experiment
        self.parameters = {}
        self.tags = {}
        self.points = {}     # key -> {step: value}
        self.artifacts = {}  # path -> hash of the content
        self.flying = None   # ("points", key, {step: value}) and so on


class Writer(threading.Thread):
    """Writes until the server is gone. Notes a write before it is sent, and again when it is acknowledged."""

    def __init__(self, address, seed, number):
        super().__init__(name=f"writer-{number}")
        self.random = random.Random(f"{seed}/{number}")
        self.connection = Connection(address)
        self.ledgers = []
        self.experiments = []
        self.problem = None
        self.writes = 0
        self.prefix = f"{seed}-{number}"

    def run(self):
        try:
            while True:
                self.write_something()
                self.writes += 1
        except Gone:
            pass
        except Exception as error:  # an answer that no kill explains
            self.problem = error

    def write_something(self):
        choice = self.random.random()
        if not self.ledgers or choice < 0.05:
            self.new_run()
        elif choice < 0.10:
            self.new_experiment()
        else:
            ledger = self.random.choice(self.ledgers[-3:])
            kind = self.random.choices([self.parameter, self.tag, self.point, self.batch, self.artifact], [2, 1, 4, 5, 2])[0]
            ledger.flying = None
            kind(ledger)
            ledger.flying = None

    def new_experiment(self):
        name = f"experiment-{self.prefix}-{len(self.experiments)}"
        made = self.connection.json("POST", f"{API}/experiments/create", {"name": name})
        self.experiments.append((made["experiment_id"], name))

    def new_run(self):
        experiment = self.random.choice(self.experiments)[0] if self.experiments and self.random.random() < 0.5 else ROOT_EXPERIMENT
        made = self.connection.json("POST", f"{API}/runs/create", {"experiment_id": experiment, "start_time": int(time.time() * 1000)})
        self.ledgers.append(RunLedger(made["run"]["info"]["run_id"], experiment))

    def parameter(self, ledger):
        key, value = f"p{len(ledger.parameters)}", str(self.random.random())
        ledger.flying = ("parameter", key, value)
        self.connection.ask("POST", f"{API}/runs/log-parameter", {"run_id": ledger.run_id, "key": key, "value": value})
        ledger.parameters[key] = value

    def tag(self, ledger):
        key, value = f"t{self.random.randrange(5)}", str(self.random.random())
        ledger.flying = ("tag", key, value)
        self.connection.ask("POST", f"{API}/runs/set-tag", {"run_id": ledger.run_id, "key": key, "value": value})
        ledger.tags[key] = value

    def point(self, ledger):
        series = ledger.points.setdefault("single", {})
        step, value = len(series), self.random.random()
        ledger.flying = ("points", "single", {step: value})
        self.connection.ask("POST", f"{API}/runs/log-metric",
                            {"run_id": ledger.run_id, "key": "single", "value": value, "timestamp": step, "step": step})
        series[step] = value

    def batch(self, ledger):
        series = ledger.points.setdefault("batched", {})
        new = {len(series) + n: self.random.random() for n in range(BATCH_POINTS)}
        ledger.flying = ("points", "batched", new)
        self.connection.ask("POST", f"{API}/runs/log-batch", {
            "run_id": ledger.run_id,
            "metrics": [{"key": "batched", "value": value, "timestamp": step, "step": step} for step, value in new.items()]})
        series.update(new)

    def artifact(self, ledger):
        path = f"folder {len(ledger.artifacts) % 3}/file-{len(ledger.artifacts)}.bin"
        content = self.random.randbytes(self.random.choice([0, 10, 5_000, 300_000]))
        ledger.flying = ("artifact", path, hashlib.sha256(content).hexdigest())
        self.connection.ask("PUT", artifact_url(ledger, path), content)
        ledger.artifacts[path] = ledger.flying[2]


def artifact_url(ledger, path):
    return f"/api/2.0/mlflow-artifacts/artifacts/{ledger.experiment}/{ledger.run_id}/artifacts/{urllib.parse.quote(path)}"


class Reader:
    """Holds a restarted server against the ledgers."""

    def __init__(self, address):
        self.connection = Connection(address)

    def check_run(self, ledger):
        data = self.connection.json("GET", f"{API}/runs/get?run_id={ledger.run_id}")["run"]["data"]
        flying = ledger.flying or ("nothing", None, None)
        for kind, noted in (("parameter", ledger.parameters), ("tag", ledger.tags)):
            found = {item["key"]: item["value"] for item in data.get("params" if kind == "parameter" else "tags", [])}
            for key, value in noted.items():
                allowed = {value} | ({flying[2]} if flying[:2] == (kind, key) else set())
                expect(found.get(key) in allowed, f"run {ledger.run_id}: {kind} {key} is {found.get(key)}, acknowledged was {value}")
                noted[key] = found[key]  # the value in flight may have won
        for key, points in ledger.points.items():
            self.check_points(ledger, key, points, flying[2] if flying[:2] == ("points", key) else {})
        for path, hash_value in ledger.artifacts.items():
            found = hashlib.sha256(self.connection.ask("GET", artifact_url(ledger, path))).hexdigest()
            expect(found == hash_value, f"run {ledger.run_id}: the artifact {path} has other bytes than were acknowledged")
        if flying[0] == "artifact":
            self.check_flying_artifact(ledger, flying)
        if ledger.flying and flying[0] == "points":
            self.settle_points(ledger, flying)
        ledger.flying = None

    def history(self, ledger, key):
        found = self.connection.json("GET", f"{API}/metrics/get-history?run_id={ledger.run_id}&metric_key={key}&max_results=25000")
        return {point.get("step", 0): point["value"] for point in found.get("metrics", [])}

    def check_points(self, ledger, key, points, flying):
        found = self.history(ledger, key)
        missing = [step for step, value in points.items() if found.get(step) != value]
        expect(not missing, f"run {ledger.run_id}: metric {key} lost {len(missing)} of {len(points)} acknowledged points, the first at step "
                            f"{missing[0] if missing else ''}")
        extra = {step: value for step, value in found.items() if step not in points}
        expect(extra == {} or extra == flying,
               f"run {ledger.run_id}: metric {key} has {len(extra)} points of a batch of {len(flying)} that was in flight: neither all nor none")

    def settle_points(self, ledger, flying):
        """A batch in flight that arrived belongs to the acknowledged ones from now on."""
        found = self.history(ledger, flying[1])
        ledger.points[flying[1]].update({step: value for step, value in flying[2].items() if step in found})

    def check_flying_artifact(self, ledger, flying):
        listed = self.connection.json("GET", f"{API}/artifacts/list?run_id={ledger.run_id}&path={urllib.parse.quote(flying[1].split('/')[0])}")
        if any(file["path"] == flying[1] for file in listed.get("files", [])):
            found = hashlib.sha256(self.connection.ask("GET", artifact_url(ledger, flying[1]))).hexdigest()
            expect(found == flying[2], f"run {ledger.run_id}: the artifact {flying[1]}, in flight at the kill, is there in part")

    def check_experiments(self, experiments):
        for experiment_id, name in experiments:
            found = self.connection.json("GET", f"{API}/experiments/get?experiment_id={experiment_id}")["experiment"]["name"]
            expect(found == name, f"experiment {experiment_id} is named {found}, acknowledged was {name}")


def one_round(server, seed, number, earlier):
    """Writes, kills, restarts, checks; answers the ledgers and experiments of this round, and what to say of it."""
    chance = random.Random(f"{seed}/round-{number}")
    writers = [Writer(server.url.split("//")[1], f"{seed}-{number}", n) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(chance.uniform(*ALIVE_SECONDS))
    server.kill()
    for writer in writers:
        writer.join()
        if writer.problem:
            raise writer.problem
    seconds = server.start()
    ledgers = [ledger for writer in writers for ledger in writer.ledgers]
    experiments = [experiment for writer in writers for experiment in writer.experiments]
    reader = Reader(server.url.split("//")[1])
    for ledger in ledgers + chance.sample(earlier, min(len(earlier), CHECKED_RUNS_PER_ROUND)):
        reader.check_run(ledger)
    reader.check_experiments(experiments)
    writes = sum(writer.writes for writer in writers)
    return ledgers, experiments, f"{writes} acknowledged writes, up again in {seconds * 1000:.0f} ms"


def play(server, rounds, seed):
    """Answers how many passed and failed: one for each kill, and one for everything at the end."""
    ledgers, experiments, passed, failed = [], [], 0, 0
    with server:
        for number in range(1, rounds + 1):
            try:
                new_ledgers, new_experiments, sentence = one_round(server, seed, number, ledgers)
                ledgers, experiments, passed = ledgers + new_ledgers, experiments + new_experiments, passed + 1
                print(f"round {number}: {sentence}", flush=True)
            except Exception as error:
                failed += 1
                print(f"FAILED round {number} of seed {seed}: {error!r}\n{server.log_text(3000)}", flush=True)
                if server.process.poll() is not None:
                    break  # it does not start any more
        try:
            reader = Reader(server.url.split("//")[1])
            for ledger in ledgers:
                reader.check_run(ledger)
            reader.check_experiments(experiments)
            exit_code = server.stop()
            expect(exit_code == 0, f"the server ended with {exit_code} on SIGTERM, expected 0")
            passed += 1
            print(f"everything of {len(ledgers)} runs and {len(experiments)} experiments is there")
        except Exception as error:
            failed += 1
            print(f"FAILED the last check of seed {seed}: {error!r}\n{server.log_text(3000)}")
    return passed, failed
