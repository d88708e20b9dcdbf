"""Sends a journal to the server, from wherever the server has it."""
import datetime
import http.client
import json
import math
import struct
import urllib.parse

from . import journal

POINTS_PER_REQUEST = 1000
SECONDS_MAX = 30
READ_BYTES = 4 << 20


def _time(at_ms):
    return datetime.datetime.fromtimestamp(at_ms / 1000, datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def _number(value):
    if math.isnan(value):
        return "NaN"
    return ("Infinity" if value > 0 else "-Infinity") if math.isinf(value) else value


class Sender:
    """Not thread-safe; its fields may be read by others."""

    def __init__(self, url, token, facts, folder):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"'{url}' is not a server's URL; expected for example http://127.0.0.1:7070")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=SECONDS_MAX)
        self._prefix = parts.path.rstrip("/")
        self._headers = {"Content-Type": "application/json", "X-Slipway-Project": facts["project"]}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._facts, self._folder = facts, folder
        self._names, self._made, self._points_done = {}, not facts["is_new"], 0
        self.offset = len(journal.MAGIC)
        self.sent = 0
        self.refused = False  # the server will not have it; `slipway sync` may, with another token
        self.trouble = ""

    def send(self, path, end):
        """Frames up to the offset `end`. False when something is left."""
        with open(path, "rb") as file:
            while self.offset < end:
                file.seek(self.offset)
                data = journal.MAGIC + file.read(min(READ_BYTES, end - self.offset))
                start, moved = self.offset, False
                for payload, behind in journal.frames(data):
                    if not self._send_frame(payload):
                        return False
                    self.offset, self._points_done, moved = start + behind - len(journal.MAGIC), 0, True
                if not moved:
                    return False
        return True

    def _ask(self, method, path, body, may_skip=True):
        """True when the server has it, or will never have it and the rest should not be held up."""
        try:
            self._connection.request(method, self._prefix + path, body, self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self.trouble = f"the server does not answer: {error}"
            return False
        if answer.status < 300:
            self.trouble = ""
            return True
        self.trouble = f"the server answered {answer.status}: {text[:500].decode(errors='replace')}"
        if answer.status >= 500 or answer.status in (408, 429):
            return False
        if answer.status in (400, 413) and may_skip:
            return True
        self.refused = True
        return False

    def _put_run(self, state, ended_ms=None):
        facts = self._facts
        body = {"experiment": facts["experiment"], "name": facts["name"], "state": state, "started_at": _time(facts["started_ms"])}
        if ended_ms:
            body["ended_at"] = _time(ended_ms)
        return self._ask("PUT", f"/api/v1/imports/runs/{facts['run_id']}", json.dumps(body), may_skip=False)

    def _send_frame(self, payload):
        kind = payload[:1]
        if kind == b"K":
            self._names[struct.unpack_from("<I", payload, 1)[0]] = payload[5:].decode()
            return True
        if not self._made:
            self._made = self._put_run("running")
            if not self._made:
                return False
        if kind == b"P":
            return self._send_points(payload)
        if kind == b"E":
            return self._send_end(struct.unpack_from("<q", payload, 1)[0], payload[9:].decode())
        length = struct.unpack_from("<I", payload, 1)[0]
        key, value = payload[5:5 + length].decode(), payload[5 + length:].decode()
        run = self._facts["run_id"]
        if kind == b"F":
            path = f"/api/2.0/mlflow-artifacts/artifacts/imports/{run}/artifacts/{urllib.parse.quote(key)}"
            with open(self._folder / "files" / value, "rb") as file:
                return self._ask("PUT", path, file)
        endpoint = "log-parameter" if kind == b"A" else "set-tag"
        return self._ask("POST", f"/api/2.0/mlflow/runs/{endpoint}", json.dumps({"run_id": run, "key": key, "value": value}))

    def _send_points(self, payload):
        points = list(journal.POINT.iter_unpack(payload[1:]))
        while self._points_done < len(points):
            part = points[self._points_done:self._points_done + POINTS_PER_REQUEST]
            metrics = [{"key": self._names[metric], "value": _number(value), "step": step, "timestamp": at_ms}
                       for metric, step, at_ms, value in part]
            if not self._ask("POST", "/api/2.0/mlflow/runs/log-batch", json.dumps({"run_id": self._facts["run_id"], "metrics": metrics})):
                return False
            self._points_done += len(part)
            self.sent += len(part)
        return True

    def _send_end(self, at_ms, status):
        if self._facts["is_new"]:
            return self._put_run(status.lower(), at_ms)
        body = {"run_id": self._facts["run_id"], "status": status, "end_time": at_ms}
        return self._ask("POST", "/api/2.0/mlflow/runs/update", json.dumps(body))
