"""One run of a training program: points into memory, from there into a journal, from there to the server."""
import atexit
import collections
import fcntl
import json
import os
import pathlib
import secrets
import shutil
import sys
import threading
import time

from . import journal
from .logged_media import LoggedMedia
from .sender import Sender

JOURNAL_SECONDS = 0.05         # between two looks at what came; a crash loses at most 0.1 s
POINTS_WAITING_MAX = 1_000_000  # in memory; further ones are dropped, counted and told
JOURNAL_BYTES_MAX = 4 << 30
METRICS_MAX = 100_000
NAME_BYTES_MAX = 250
TEXT_BYTES_MAX = 6_000
SYNC_SECONDS = 1.0              # the disk is told to keep it this often


def _setting(given, *variables, otherwise=None):
    for variable in variables:
        given = given or os.environ.get(variable)
    return given or otherwise


def _cut(text, bytes_max):
    return str(text).encode()[:bytes_max].decode(errors="ignore")


class Run(LoggedMedia):
    """A run; every method from any thread. Without arguments it speaks for the run that Slipway executes, where there is one."""

    def __init__(self, experiment="Default", name=None, run_id=None, url=None, token=None, project=None, folder=None, offline=False):
        run_id = _setting(run_id, "SLIPWAY_RUN_ID")
        self.id = run_id or f"{int(time.time() * 1000):012x}{secrets.token_hex(10)}"
        self.offline = offline or os.environ.get("SLIPWAY_OFFLINE") == "1"
        project = _setting(project, "SLIPWAY_PROJECT", otherwise="default")
        facts = {"format": 1, "run_id": self.id, "is_new": not run_id, "experiment": experiment, "name": name or "run-" + self.id[-8:],
                 "project": project, "started_ms": int(time.time() * 1000)}
        root = pathlib.Path(_setting(folder, "SLIPWAY_FOLDER", otherwise="slipway-runs"))
        self.folder = root / f"{self.id}-{os.getpid()}"
        self.folder.mkdir(parents=True)
        (self.folder / "run.json").write_text(json.dumps(facts))
        self._file = open(self.folder / "journal", "xb", buffering=0)
        fcntl.flock(self._file, fcntl.LOCK_EX)  # tells `slipway sync` that somebody still writes
        self._file.write(journal.MAGIC)
        self._size = len(journal.MAGIC)
        self._points, self._frames, self._numbers = collections.deque(), [], {}
        self._lock, self._changed = threading.Lock(), threading.Condition()
        self._over, self._ending, self._files = False, False, 0
        self.logged = self.dropped = self.journaled = 0
        self._sender = None
        if not self.offline:
            server = _setting(url, "SLIPWAY_URL", "MLFLOW_TRACKING_URI", otherwise="http://127.0.0.1:7070")
            self._sender = Sender(server, _setting(token, "SLIPWAY_TOKEN"), facts, self.folder)
        self._writer = threading.Thread(target=self._write, name="slipway-journal", daemon=True)
        self._writer.start()
        if self._sender:
            self._talker = threading.Thread(target=self._send, name="slipway-sender", daemon=True)
            self._talker.start()
        atexit.register(self._left_open)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.finish("FAILED" if kind else "FINISHED")

    # --- what a program says: never waits for the disk or the server --------------------------------------------------

    def log(self, name, value, step, at=None):
        """One point. False when it was dropped because a million wait already, or the run is over."""
        number = self._numbers.get(name)
        if number is None:
            number = self._new_metric(name)
        points = self._points
        if number < 0 or len(points) >= POINTS_WAITING_MAX or self._over:
            self.dropped += 1
            return False
        points.append((number, int(step), int((at or time.time()) * 1000), float(value)))
        self.logged += 1
        return True

    def log_many(self, values, step):
        """Several metrics of one step: {"loss": 0.5, "acc": 0.9}."""
        at = time.time()
        return all([self.log(name, value, step, at) for name, value in values.items()])

    def parameter(self, key, value):
        self._text(b"A", key, value)

    def tag(self, key, value):
        self._text(b"T", key, value)

    def artifact(self, file, name=None):
        """A file, copied into the run's folder, to be sent as this artifact. Waits for the disk."""
        name = name or pathlib.Path(file).name
        stored = self._stored(name)
        shutil.copyfile(file, stored)
        self._frames_add(journal.pair(b"F", name, stored.name))

    def artifact_bytes(self, data, name):
        stored = self._stored(name)
        stored.write_bytes(data)
        self._frames_add(journal.pair(b"F", name, stored.name))

    # --- its end ------------------------------------------------------------------------------------------------------

    def flush(self, seconds=10):
        """Waits until the journal (and, unless offline, the server) has all that was logged before. False after `seconds`."""
        until = time.monotonic() + seconds
        wanted = self.logged
        with self._changed:
            self._changed.wait_for(lambda: self.journaled >= wanted and not self._frames, max(0, until - time.monotonic()))
            if self.journaled < wanted or self._frames:
                return False
            if not self._sender:
                return True
            end = self._size
            self._changed.wait_for(lambda: self._sender.offset >= end or self._sender.refused, max(0, until - time.monotonic()))
            return self._sender.offset >= end

    def finish(self, status="FINISHED", seconds=30):
        """Ends the run: FINISHED, FAILED or KILLED. What was not sent stays in the folder. Answers as flush()."""
        if self._over:
            return True
        if self.dropped:
            self.tag("slipway.dropped_points", self.dropped)
            print(f"slipway: {self.dropped} points of run {self.id} were dropped: more came than memory or the journal may hold", file=sys.stderr)
        self._over = True
        self.flush(seconds)
        self._frames_add(journal.end(int(time.time() * 1000), status))
        done = self.flush(seconds)
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._writer.join()
        if self._sender:
            self._talker.join(seconds)
        self._file.close()
        if done and not self.offline:
            shutil.rmtree(self.folder, ignore_errors=True)
        elif not done:
            why = self._sender.trouble if self._sender else "the disk takes no more"
            print(f"slipway: not all of run {self.id} was sent ({why}); `slipway sync {self.folder}` sends it", file=sys.stderr)
        return done

    def _left_open(self):
        """A program that ends without a word did not fail for us to see; but nobody said that it finished either."""
        if not self._over:
            self.finish("FAILED", seconds=5)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _new_metric(self, name):
        with self._lock:
            number = self._numbers.get(name)
            if number is not None:
                return number
            if len(self._numbers) >= METRICS_MAX or not name or len(name.encode()) > NAME_BYTES_MAX:
                return -1
            number = len(self._numbers)
            self._frames.append(journal.metric(number, name))
            self._numbers[name] = number
            return number

    def _text(self, kind, key, value):
        self._frames_add(journal.pair(kind, _cut(key, NAME_BYTES_MAX), _cut(value, TEXT_BYTES_MAX)))

    def _frames_add(self, frame):
        with self._lock:
            self._frames.append(frame)

    def _stored(self, name):
        parts = pathlib.PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name:
            raise ValueError(f"'{name}' is no name of an artifact; expected a relative path such as plots/loss.png")
        folder = self.folder / "files"
        folder.mkdir(exist_ok=True)
        with self._lock:
            self._files += 1
            return folder / str(self._files)

    def _write(self):
        synced = time.monotonic()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ending, JOURNAL_SECONDS)
                last = self._ending
            self._move_to_journal()
            if last or time.monotonic() - synced > SYNC_SECONDS:
                os.fdatasync(self._file.fileno())
                synced = time.monotonic()
            if last:
                return

    def _move_to_journal(self):
        # Points first: the name of every point that is taken here is among the frames taken after it.
        take = self._points.popleft
        points = [take() for _ in range(len(self._points))]
        with self._lock:
            frames = list(self._frames)
        taken = len(points)
        data = b"".join(frames) + journal.points(points)
        kept = self._size + len(data) <= JOURNAL_BYTES_MAX and self._append(data)
        with self._changed:
            with self._lock:
                del self._frames[:len(frames)]
            if kept:
                self.journaled += taken
            else:
                self.dropped += taken
                self.logged -= taken
            self._changed.notify_all()

    def _append(self, data):
        try:
            sent = 0
            while sent < len(data):
                sent += self._file.write(data[sent:])
        except OSError:
            self._file.truncate(self._size)  # half a frame would hide what comes behind it
            self._file.seek(self._size)
            return False
        self._size += len(data)
        return True

    def _send(self):
        pause = 0.1
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ending or self._size > self._sender.offset, None if pause == 0.1 else pause)
                if self._ending:
                    return
                end = self._size
            if self._sender.refused:
                return
            went = self._sender.send(self.folder / "journal", end)
            pause = 0.1 if went else min(pause * 2, 5)
            with self._changed:
                self._changed.notify_all()
                if not went:
                    self._changed.wait_for(lambda: self._ending, pause)
