"""The server dies while it answers: every answer that its deployment's rules capture is a case afterwards, with the bytes that were
asked; every acknowledged feedback is one, too; and late feedback still finds the requests that were remembered.

Remembering comes after the answer, as fast as the monitor's thread can; but who gives feedback waits until everything that was
answered before is remembered. So an acknowledged feedback says of which answers late feedback must still be taken."""
import http.client
import json
import random
import time
import urllib.parse

from asking import Client, expect, register_model
from digits import pixels, png

CLIENTS = 6
ALIVE_SECONDS = (0.05, 1.5)      # of load before each death
READY_SECONDS_MAX = 30
CASES_SECONDS_MAX = 60           # until everything in the log has become a case
BODIES_CHECKED = 20
LATE_FEEDBACKS = 20
FEEDBACK_SHARE = 0.2             # of the answers that no rule captures
CAPTURED, REMEMBERED = "captured", "remembered"  # the deployments: one keeps every request, one none by itself


class Asker(Client):
    """Asks until the server is gone. Notes an answer when it has come whole."""

    def __init__(self, server, deployment, seed, number):
        super().__init__(server, deployment, seed, number)
        self.answers = []    # (answer id, body, when)
        self.feedback = []   # (answer id, label), acknowledged
        self.feedback_begun = 0  # when the last of them was sent

    def run(self):
        connection = self.connect()
        try:
            while True:
                self.ask(connection)
        except (OSError, http.client.HTTPException):
            pass  # the server died
        except Exception as error:  # an answer that no death explains
            self.problem = error

    def post(self, connection, path, body, media_type):
        answer, content = self.send(connection, path, body, media_type)
        expect(answer.status == 200, f"POST {path} answered {answer.status}: {content[:300]}")
        return answer

    def ask(self, connection):
        body = png(pixels(self.random.randrange(10), 40, self.random.randrange(1 << 30)))
        answer_id = self.post(connection, f"/v2/models/{self.deployment}/infer", body, "image/png").headers["X-Slipway-Answer-Id"]
        self.answers.append((answer_id, body, time.monotonic()))
        if self.deployment == REMEMBERED and self.random.random() < FEEDBACK_SHARE:
            label, begun = str(self.random.randrange(10)), time.monotonic()
            self.post(connection, "/api/v1/feedback", json.dumps({"answer_id": answer_id, "label": label}), "application/json")
            self.feedback.append((answer_id, label))
            self.feedback_begun = begun


def deploy(server):
    register_model(server)
    server.call("POST", "/api/v1/deployments", {"name": CAPTURED, "model": "model:segments/1", "capture": {"sample": 1}})
    server.call("POST", "/api/v1/deployments", {"name": REMEMBERED, "model": "model:segments/1", "capture": {"sample": 0, "always": []}})


def wait_until_ready(server):
    until = time.monotonic() + READY_SECONDS_MAX
    for name in (CAPTURED, REMEMBERED):
        while server.call("GET", f"/api/v1/deployments/{name}")["state"] != "ready":
            expect(time.monotonic() < until, f"the deployment {name} is not ready after {READY_SECONDS_MAX} s")
            time.sleep(0.02)


def cases_of(server, deployment):
    """answer id -> case"""
    found, token = {}, None
    while True:
        query = {"deployment": deployment, "page_size": 1000, **({"page_token": token} if token else {})}
        page = server.call("GET", f"/api/v1/cases?{urllib.parse.urlencode(query)}")
        found.update({case["answer_id"]: case for case in page["cases"]})
        token = page["next_page_token"]
        if not token:
            return found


def wait_for_cases(server, answers):
    """Until every one of these answers is a case."""
    until = time.monotonic() + CASES_SECONDS_MAX
    while True:
        cases = cases_of(server, CAPTURED)
        lost = [answer for answer, _, _ in answers if answer not in cases]
        if not lost:
            return cases
        expect(time.monotonic() < until, f"{len(lost)} of {len(answers)} answers that were captured are no cases {CASES_SECONDS_MAX} s after the restart, the first is {lost[0]}")
        time.sleep(0.1)


def check_bodies(server, cases, answers, chance):
    for answer, body, _ in chance.sample(answers, min(BODIES_CHECKED, len(answers))):
        kept = server.request("GET", f"/api/v1/blobs/{cases[answer]['input_hash']}").body
        expect(kept == body, f"the case of {answer} holds {len(kept)} bytes that are not the {len(body)} that were asked")


def check_feedback(server, clients):
    cases = cases_of(server, REMEMBERED)
    given = [one for client in clients for one in client.feedback]
    lost = [answer for answer, label in given if answer not in cases or cases[answer]["label"] != label]
    expect(not lost, f"{len(lost)} of {len(given)} acknowledged feedbacks are lost, the first is {lost[:1]}")


def give_late_feedback(server, clients, chance):
    remembered_until = max(client.feedback_begun for client in clients)
    old = [answer for client in clients for answer, _, at in client.answers if client.deployment == REMEMBERED and at < remembered_until]
    chosen = chance.sample(old, min(LATE_FEEDBACKS, len(old)))
    for answer in chosen:
        said = server.request("POST", "/api/v1/feedback", {"answer_id": answer, "label": "7"})
        expect(said.status == 200, f"late feedback on {answer} was answered {said.status}: {said.body[:300]}")
    return len(chosen)


def play_round(server, seed, number, chance):
    """Load, death, restart, look; answers what to say of it."""
    clients = [Asker(server, CAPTURED if n % 2 else REMEMBERED, f"{seed}/{number}", n) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(chance.uniform(*ALIVE_SECONDS))
    server.kill()
    for client in clients:
        client.join()
    server.start()
    expect(all(not client.problem for client in clients), f"{[client.problem for client in clients]}")
    answers = [one for client in clients if client.deployment == CAPTURED for one in client.answers]
    begun = time.monotonic()
    cases = wait_for_cases(server, answers)
    seconds = time.monotonic() - begun
    check_bodies(server, cases, answers, chance)
    check_feedback(server, clients)
    late = give_late_feedback(server, clients, chance)
    wait_until_ready(server)
    return f"{len(answers)} captured answers are cases {seconds:.2f} s after the restart, {sum(len(c.feedback) for c in clients)} feedbacks are there, {late} came late"


def play(server, rounds, seed):
    """Answers how many rounds passed and failed; one round is one death."""
    passed = failed = 0
    chance = random.Random(f"{seed}/captured")
    with server:
        deploy(server)
        wait_until_ready(server)
        for number in range(1, rounds + 1):
            try:
                print(f"capture {number}: {play_round(server, seed, number, chance)}", flush=True)
                passed += 1
            except Exception as error:
                failed += 1
                print(f"FAILED capture {number} of seed {seed}: {error!r}\n{server.log_text(2000)}", flush=True)
                break
    return passed, failed
