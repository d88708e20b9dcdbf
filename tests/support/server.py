"""Starts, stops and kills real servers, for scenarios, clients, recovery, browser and benchmarks.

    with Server() as server:
        answer = server.request("GET", "/healthz")

Each server gets a folder of its own under the system's temporary folder and a free port of 127.0.0.1. Leaving the
`with` block stops the server and removes the folder.
"""
import dataclasses
import http.client
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 30


def program(name, preset="release"):
    """The path of a built program."""
    return ROOT / "build" / preset / "bin" / name


def clean_environment():
    """Ours, without the settings that whoever runs the tests may have made for their own server."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SLIPWAY_", "MLFLOW_"))}


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict  # names in lower case; of repeated ones the last
    body: bytes

    def json(self):
        return json.loads(self.body)


class Server:
    """One slipway-server on a data folder. Not shared between threads, except for request()."""

    def __init__(self, data=None, database=None, arguments=(), environment=None, preset="release"):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="slipway-test-"))
        self.data = pathlib.Path(data) if data else self.home / "data"
        self.log = self.home / "server.log"
        self.url = None
        self.process = None
        self._database = database
        self._arguments = list(arguments)
        self._environment = environment or {}
        self._preset = preset
        self._listen = "127.0.0.1:0"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self):
        """Starts and waits for the line with the URL; answers the seconds that took. A later start uses the same port."""
        command = [program("slipway-server", self._preset), "--data", self.data, "--listen", self._listen]
        if self._database:
            command += ["--database", self._database]
        started = time.monotonic()
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*command, *self._arguments], stdout=subprocess.PIPE, stderr=log,
                                            stdin=subprocess.DEVNULL, env={**clean_environment(), **self._environment})
        self.url = self._read_url()
        self._listen = self.url.split("//")[1]
        threading.Thread(target=self._drain, args=(self.process.stdout,), daemon=True).start()
        return time.monotonic() - started

    def _read_url(self):
        timer = threading.Timer(START_SECONDS_MAX, self.process.kill)
        timer.start()
        try:
            for line in self.process.stdout:
                found = re.search(rb"(http://[0-9.]+:[0-9]+)", line)
                if found:
                    return found[1].decode()
        finally:
            timer.cancel()
        self.process.wait()
        raise RuntimeError(f"slipway-server ended with {self.process.returncode} before it was ready:\n{self.log_text()}")

    def _drain(self, stream):
        with stream, open(self.log, "ab", buffering=0) as log:
            for line in stream:
                log.write(line)

    def log_text(self, bytes_max=8000):
        return self.log.read_text(errors="replace")[-bytes_max:] if self.log.exists() else ""

    def stop(self):
        """Asks the server to drain; answers its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"slipway-server did not stop within {STOP_SECONDS_MAX} s:\n{self.log_text()}") from None

    def kill(self):
        """As a power cut does, but for the page cache."""
        self.process.kill()
        self.process.wait()

    def restart(self):
        exit_code = self.stop()
        if exit_code != 0:
            raise RuntimeError(f"slipway-server ended with {exit_code} on SIGTERM, expected 0:\n{self.log_text()}")
        self.start()

    def resident_bytes(self):
        """The server's resident memory now."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def request(self, method, path, body=None, headers=None, seconds_max=60):
        """One request on a connection of its own. A dict or list is sent as JSON."""
        headers = dict(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        connection = http.client.HTTPConnection(self.url.split("//")[1], timeout=seconds_max)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, {key.lower(): value for key, value in response.getheaders()}, response.read())
        finally:
            connection.close()

    def call(self, method, path, body=None, headers=None):
        """As request(), for callers who expect success: answers the JSON, raises with the server's sentence otherwise."""
        answer = self.request(method, path, body, headers)
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path} answered {answer.status}: {answer.body[:2000].decode(errors='replace')}")
        return answer.json() if answer.body else None


class Postgres:
    """One PostgreSQL cluster for a test run; database() makes an empty database in it and answers its URL."""

    _tool = ROOT / "tests/support/postgres"

    def __init__(self):
        self._count = itertools.count(1)

    def __enter__(self):
        self.url = self._run("start", "--while-pid", str(os.getpid()))
        return self

    def __exit__(self, *_):
        self._run("stop", self.url)

    def _run(self, *arguments):
        return subprocess.run([self._tool, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def database(self):
        return self._run("database", self.url, f"test_{next(self._count)}")
