"""A user at work: the command line in a folder, a shell, and a connection that asks a deployment."""
import http.client
import json
import os
import pathlib
import subprocess
import sys
import time

from story import expect

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))
from server import clean_environment  # noqa: E402

SECONDS_MAX = 300  # of one command


class User:
    """Types commands into one folder; all of them talk to one server."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        path = f"{ROOT}/build/release/bin:{ROOT}/.deps/uv/bin:{os.environ['PATH']}"
        self.environment = {**clean_environment(), "PATH": path, "SLIPWAY_URL": server.url, "SLIPWAY_CONFIG": str(folder.parent / "no-config.yaml"),
                            "GIT_AUTHOR_NAME": "example", "GIT_AUTHOR_EMAIL": "example@localhost", "GIT_COMMITTER_NAME": "example", "GIT_COMMITTER_EMAIL": "example@localhost"}
        self.connection = http.client.HTTPConnection(server.url.split("//")[1], timeout=60)

    def run(self, *words):
        self.connection.close()  # the server may end it while a long command runs; the next question opens another
        return subprocess.run([str(word) for word in words], cwd=self.folder, env=self.environment, capture_output=True, text=True, errors="replace", timeout=SECONDS_MAX)

    def does(self, *words):
        """A command that works; answers what it printed."""
        done = self.run(*words)
        expect(done.returncode == 0, f"`{' '.join(map(str, words))}` ended with {done.returncode}: {done.stderr[-1500:]}{done.stdout[-500:]}")
        return done.stdout

    def slipway(self, *words):
        return self.does("slipway", *words)

    def json(self, *words):
        return json.loads(self.slipway(*words, "-o", "json"))

    def is_refused(self, sentence, *words):
        """A command that fails with these words of its sentence."""
        done = self.run("slipway", *words)
        expect(done.returncode != 0, f"`slipway {' '.join(map(str, words))}` worked: {done.stdout[-500:]}")
        expect(sentence in done.stderr, f"expected “{sentence}”, found “{done.stderr[-800:].strip()}”")

    def get(self, path):
        return self.server.call("GET", path)

    def pages(self, path, plural):
        """Every item of a paged list."""
        items, token = [], None
        while True:
            page = self.get(path + ("&" if "?" in path else "?") + "page_size=200" + (f"&page_token={token}" if token else ""))
            items += page[plural]
            token = page.get("next_page_token")
            if not token:
                return items

    def wait(self, path, is_done, seconds_max=30):
        until = time.monotonic() + seconds_max
        while True:
            record = self.get(path)
            if is_done(record):
                return record
            expect(time.monotonic() < until, f"{path} did not come that far within {seconds_max} s: {json.dumps(record)[:800]}")
            time.sleep(0.2)

    def ask(self, model, picture):
        """A picture as the body; answers (outputs[0], the answer's id)."""
        self.connection.request("POST", f"/v2/models/{model}/infer", picture, {"Content-Type": "image/png"})
        answer = self.connection.getresponse()
        content = answer.read()
        expect(answer.status == 200, f"POST /v2/models/{model}/infer answered {answer.status}: {content[:500]!r}")
        return json.loads(content)["outputs"][0], answer.headers["X-Slipway-Answer-Id"]
