"""Runners die, each at a random point of its run, and the server dies once between them: what was reported is kept, nothing that
the command started lives on, and a run that asked for it is tried again.

Many runs go on at once, because a death is noticed only after a while (runs/decide.h), and waiting can be done together.
"""
import os
import pathlib
import random
import signal
import threading
import time

from asking import expect

AT_ONCE = 20                  # so few that each is killed long before it comes to its end, on a slow machine too
KILLED_AFTER = (0.0, 2.5)     # seconds, from the moment when the server tells the runner's process
NOTICED_SECONDS_MAX = 60      # until the server says that an attempt is lost; the grace of a fresh server included
OVER_SECONDS_MAX = 90
LOST = "its process is gone and reported no end"

# Writes a line every 20 ms and leaves two processes beside it, one of them a daemon. The next attempt sees by a checkpoint that
# there was one before, and comes to its end.
COMMAND = r"""
if [ -e "$SLIPWAY_CHECKPOINTS/begun" ]; then echo "goes on"; exit 0; fi
touch "$SLIPWAY_CHECKPOINTS/begun"
sleep 300 &
setsid sleep 300 < /dev/null > /dev/null 2>&1 &
n=0; while [ $n -lt 3000 ]; do n=$((n+1)); echo "line $n"; sleep 0.02; done
"""


def is_running(pid):
    """Also false for one that has ended and waits to be reaped."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def processes_of(attempt):
    """The processes that an attempt's command started, wherever they went."""
    mark, found = f"SLIPWAY_ATTEMPT_ID={attempt}".encode(), []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0") and is_running(int(folder.name)):
                found.append(int(folder.name))
        except OSError:
            pass
    return found


class Run:
    """One run whose runner is killed."""

    def __init__(self, server, number, seed):
        self.server, self.random = server, random.Random(f"{seed}/run-{number}")
        self.may_try_again = number % 3 != 2  # every third one has no second attempt
        self.log = ""

    def begin(self):
        body = {"step": "endure", "command": COMMAND, "resources": {"cpus": 0.01}}
        if self.may_try_again:
            body["retry"] = {"attempts": 3, "on": ["node_lost"]}
        self.path = "/api/v1/runs/" + self.server.call("POST", "/api/v1/runs", body)["id"]

    def attempts(self):
        return self.server.call("GET", self.path + "/attempts")["attempts"]

    def ended(self):
        run = self.server.call("GET", self.path)
        return run if run["state"] in ("finished", "failed", "killed") else None

    def wait(self, what, look, seconds_max):
        until = time.monotonic() + seconds_max
        while True:
            try:
                found = look()
            except OSError:
                found = None  # the server is away for a moment
            if found:
                return found
            expect(time.monotonic() < until, f"{self.path}: not {what} after {seconds_max} s: {self.attempts()}")
            time.sleep(0.05)

    def kill_the_runner(self):
        first = self.wait("started", lambda: next((one for one in self.attempts() if one["pid"]), None), 30)
        time.sleep(self.random.uniform(*KILLED_AFTER))
        # What somebody has seen is acknowledged.
        self.log = self.server.call("GET", self.path + "/log?bytes_max=1048576")["text"]
        self.attempt = first["id"]
        os.kill(first["pid"], signal.SIGKILL)

    def check(self):
        lost = self.wait("noticed", lambda: next((one for one in self.attempts() if one["id"] == self.attempt and one["state"] == "over"), None), NOTICED_SECONDS_MAX)
        expect(lost["end"] == "lost" and lost["message"] == LOST, f"{self.path}: the attempt ended as {lost['end']}: {lost['message']}")
        left = processes_of(self.attempt)
        expect(not left, f"{self.path}: processes of the lost attempt live on: {left}")
        over = self.wait("over", self.ended, OVER_SECONDS_MAX)
        attempts = self.attempts()
        log = self.server.call("GET", self.path + "/log?bytes_max=1048576")["text"]
        expect(log.startswith(self.log), f"{self.path}: the log has lost lines that were shown: it had {self.log[-60:]!r}, and has {log[:len(self.log)][-60:]!r} there")
        if not self.may_try_again:
            expect(over["state"] == "failed" and len(attempts) == 1, f"{self.path}: {over['state']} after {len(attempts)} attempts, expected failed after one")
            return
        expect(over["state"] == "finished" and len(attempts) == 2 and attempts[1]["end"] == "exited",
               f"{self.path}: {over['state']} after the attempts {[(one['number'], one['end'], one['message']) for one in attempts]}")

    def __str__(self):
        return f"killed after {len(self.log.splitlines())} lines of log, {'tried again' if self.may_try_again else 'failed'}"


def together(runs, act):
    """Lets every run do something at once; answers its problem, or None, for each."""
    problems = [None] * len(runs)

    def guarded(number):
        try:
            act(runs[number])
        except Exception as error:
            problems[number] = error
    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(len(runs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems


def play_some(server, numbers, seed):
    """Lets the runners of these runs die, and the server once; answers how many passed."""
    runs = [Run(server, number, seed) for number in numbers]
    for run in runs:
        run.begin()
    problems = together(runs, Run.kill_the_runner)
    time.sleep(random.Random(f"{seed}/server-{numbers[0]}").uniform(0, 6))  # some are noticed by now, the others by the next server
    server.kill()
    server.start()
    again = together([run for run, problem in zip(runs, problems) if not problem], Run.check)
    again.reverse()
    passed = 0
    for number, run, problem in zip(numbers, runs, problems):
        problem = problem or again.pop()
        passed += not problem
        print(f"FAILED runner {number + 1} of seed {seed}: {problem!r}\n{server.log_text(2000)}" if problem else f"runner {number + 1}: {run}", flush=True)
    return passed


def play(server, rounds, seed):
    """Answers how many passed and failed: one for each runner killed."""
    with server:
        passed = sum(play_some(server, range(rounds)[first:first + AT_ONCE], seed) for first in range(0, rounds, AT_ONCE))
    return passed, rounds - passed
