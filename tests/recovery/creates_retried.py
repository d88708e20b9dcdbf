"""The server dies under creates that carry an Idempotency-Key; their clients send them again until they get an answer.

Whatever the kill hit, each key made at most one record; and exactly one, unless its client was told to look for it.
"""
import http.client
import json
import random
import threading
import time

CLIENTS = 6
ALIVE_SECONDS = (0.05, 0.8)
PATIENCE_SECONDS = 60  # PostgreSQL: a claim of a server that died holds for half a minute


class Client(threading.Thread):
    """Makes versions of a model, one after the other; each is sent until it is answered."""

    def __init__(self, address, name):
        super().__init__(name=name)
        self._address = address
        self.answered = {}   # key -> the record's version
        self.to_look_for = set()
        self.kills = 0       # that hit a request of ours
        self.stopping = threading.Event()
        self.problem = None

    def run(self):
        try:
            while not self.stopping.is_set():
                self.make(f"{self.name}-{len(self.answered) + len(self.to_look_for)}")
        except Exception as error:
            self.problem = error

    def make(self, key):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                status, answer = self.ask(key)
            except (OSError, http.client.HTTPException, ValueError):
                self.kills += 1
                time.sleep(0.02)
                continue
            if status == 201:
                self.answered[key] = answer["version"]
                return
            code = answer["error"]["code"]
            if (status, code) == (409, "already_exists"):
                self.to_look_for.add(key)
                return
            if (status, code) not in ((409, "busy"), (503, "busy"), (503, "unavailable")):
                raise AssertionError(f"{key}: {status} {answer}")
            time.sleep(0.1)
        raise AssertionError(f"{key} got no answer within {PATIENCE_SECONDS} s")

    def ask(self, key):
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            connection.request("POST", "/api/v1/models/retried/versions", json.dumps({"description": key}),
                               {"Content-Type": "application/json", "Idempotency-Key": key})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


def versions(server):
    """key -> the versions there are of it."""
    found, token = {}, ""
    while token is not None:
        page = server.call("GET", f"/api/v1/models/retried/versions?page_size=1000&page_token={token}")
        for version in page["versions"]:
            found.setdefault(version["description"], []).append(version["version"])
        token = page["next_page_token"]
    return found


def check(found, clients):
    """A sentence for what is wrong, or None."""
    for client in clients:
        if client.problem:
            return repr(client.problem)
        for key, version in client.answered.items():
            if found.get(key) != [version]:
                return f"{key} was answered with version {version}; there are {found.get(key)}"
        for key in client.to_look_for:
            if len(found.get(key, [])) != 1:
                return f"{key}: the client was told that the record is there; there are {found.get(key)}"
    twice = {key: numbers for key, numbers in found.items() if len(numbers) > 1}
    return f"made twice: {twice}" if twice else None


def one_round(server, seed, number):
    chance = random.Random(f"{seed}/{number}")
    clients = [Client(server.url.split("//")[1], f"{seed}-{number}-{n}") for n in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(chance.uniform(*ALIVE_SECONDS))
    server.kill()
    server.start()
    for client in clients:
        client.stopping.set()
    for client in clients:
        client.join()
    problem = check(versions(server), clients)
    made, lost = sum(len(client.answered) for client in clients), sum(len(client.to_look_for) for client in clients)
    return problem, f"{made} creates answered, {sum(client.kills for client in clients)} sent again, {lost} told to look"


def play(server, rounds, seed):
    """Answers how many rounds passed and failed."""
    passed = failed = 0
    with server:
        server.call("POST", "/api/v1/models", {"name": "retried"})
        for number in range(1, rounds + 1):
            problem, sentence = one_round(server, seed, number)
            passed, failed = passed + (problem is None), failed + (problem is not None)
            print(f"round {number}: {sentence}" if problem is None else f"FAILED round {number} of seed {seed}: {problem}\n{server.log_text(2000)}", flush=True)
    return passed, failed
