"""Workers die under load: one request at most fails for each, with 503; the others are answered, the worker comes back, and no
feedback that was acknowledged is lost."""
import json
import os
import random
import signal
import threading
import time

from asking import Client, expect, register_model
from digits import pixels, png

CLIENTS = 6
KILLED_AFTER = (0.2, 1.0)    # seconds of load before each death
KILLS_PER_DEPLOYMENT = 3     # restarts of one deployment come later and later, so it gets no more of them
READY_SECONDS_MAX = 30
FEEDBACK_SHARE = 0.05        # of the answers
REPLICAS = 2


class Asker(Client):
    """Asks a deployment again and again until it is told to end, and keeps what it was told."""

    def __init__(self, server, deployment, seed, number):
        super().__init__(server, deployment, seed, number)
        self.ending = threading.Event()
        self.answered, self.refused, self.feedback = 0, [], []  # refused: (begun, status, sentence)

    def run(self):
        connection = self.connect()
        try:
            while not self.ending.is_set():
                self.ask(connection)
        except Exception as error:
            self.problem = error

    def ask(self, connection):
        digit = self.random.randrange(10)
        begun = time.monotonic()
        answer, content = self.send(connection, f"/v2/models/{self.deployment}/infer", png(pixels(digit)), "image/png")
        if answer.status != 200:
            self.refused.append((begun, answer.status, content.decode(errors="replace")))
            return
        scores = json.loads(content)["outputs"][0]["data"]
        expect(scores.index(max(scores)) == digit, f"a {digit} was read as {scores}")
        self.answered += 1
        if self.random.random() < FEEDBACK_SHARE:
            body = json.dumps({"answer_id": answer.headers["X-Slipway-Answer-Id"], "label": str(digit)})
            said, content = self.send(connection, "/api/v1/feedback", body, "application/json")
            expect(said.status == 200, f"feedback was answered {said.status}: {content[:300]}")
            self.feedback.append((answer.headers["X-Slipway-Answer-Id"], str(digit)))


class Load:
    """Clients that ask one deployment while its workers are killed."""

    def __init__(self, server, deployment, seed):
        self.server, self.deployment = server, deployment
        self.clients = [Asker(server, deployment, seed, number) for number in range(CLIENTS)]

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        for client in self.clients:
            client.ending.set()
        for client in self.clients:
            client.join()

    def refused(self):
        return [one for client in self.clients for one in client.refused]

    def answered(self):
        return sum(client.answered for client in self.clients)


def workers(server, deployment):
    """The process ids of the workers that answer."""
    return [one["pid"] for one in server.call("GET", f"/api/v1/deployments/{deployment}")["workers"] if one["state"] == "ready"]


def wait_for_workers(server, deployment, without=0):
    """Until the wanted number answers, none of them the one that died; answers the seconds that took."""
    begun = time.monotonic()
    while True:
        found = workers(server, deployment)
        if len(found) == REPLICAS and without not in found:
            return time.monotonic() - begun
        record = server.call("GET", f"/api/v1/deployments/{deployment}")
        expect(time.monotonic() - begun < READY_SECONDS_MAX, f"{len(found)} of {REPLICAS} workers answer after {READY_SECONDS_MAX} s: {record['state']} {record['message']}")
        time.sleep(0.02)


def kill_one(server, load, chance):
    """One round: load, death, return; answers what to say of it."""
    time.sleep(chance.uniform(*KILLED_AFTER))
    before, answered = load.refused(), load.answered()
    victim = chance.choice(workers(server, load.deployment))
    killed_at = time.monotonic()
    os.kill(victim, signal.SIGKILL)
    seconds = wait_for_workers(server, load.deployment, victim)
    refused = [one for one in load.refused() if one not in before]
    for begun, status, sentence in refused:
        expect(status == 503, f"a request was answered {status}: {sentence[:300]}")
        expect(begun <= killed_at + 0.1, f"a request begun {begun - killed_at:.2f} s after the death was refused: {sentence[:300]}")
    expect(len(refused) <= 1, f"{len(refused)} requests failed with one worker, expected at most the one it was answering: {refused}")
    expect(all(not client.problem for client in load.clients), f"{[client.problem for client in load.clients]}")
    expect(load.answered() > answered, "nothing was answered meanwhile")
    return f"{len(refused)} of {load.answered() - answered} requests failed, a new worker answered after {seconds * 1000:.0f} ms"


def check_feedback(server, given):
    """Every acknowledged feedback is a case with that label."""
    cases, token = {}, ""
    while True:
        page = server.call("GET", f"/api/v1/cases?page_size=1000{'&page_token=' + token if token else ''}")
        cases.update({case["answer_id"]: case["label"] for case in page["cases"]})
        token = page["next_page_token"]
        if not token:
            break
    lost = [answer for answer, label in given if cases.get(answer) != label]
    expect(not lost, f"{len(lost)} of {len(given)} acknowledged feedbacks are lost, the first is {lost[:1]}")


def play(server, rounds, seed):
    """Answers how many passed and failed: one for each kill, and one for the feedback after the server's own death."""
    passed, failed, given = 0, 0, []
    chance = random.Random(f"{seed}/workers")
    with server:
        register_model(server)
        for first in range(0, rounds, KILLS_PER_DEPLOYMENT):
            deployment = f"segments-{first}"
            server.call("POST", "/api/v1/deployments", {"name": deployment, "model": "model:segments/1", "replicas": REPLICAS, "capture": {"sample": 0}})
            wait_for_workers(server, deployment)
            with Load(server, deployment, seed) as load:
                for number in range(first + 1, min(rounds, first + KILLS_PER_DEPLOYMENT) + 1):
                    try:
                        print(f"worker {number}: {kill_one(server, load, chance)}", flush=True)
                        passed += 1
                    except Exception as error:
                        failed += 1
                        print(f"FAILED worker {number} of seed {seed}: {error!r}\n{server.log_text(2000)}", flush=True)
            given += [one for client in load.clients for one in client.feedback]
            server.call("DELETE", f"/api/v1/deployments/{deployment}")
        try:
            server.kill()
            server.start()
            check_feedback(server, given)
            passed += 1
            print(f"all {len(given)} feedbacks are there after the server died, too")
        except Exception as error:
            failed += 1
            print(f"FAILED the feedback of seed {seed}: {error!r}\n{server.log_text(2000)}", flush=True)
    return passed, failed
