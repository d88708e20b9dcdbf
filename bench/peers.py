"""The servers that benches measure, Slipway and its peers alike: start, stop, cost; and how results are printed.

Peers are used as their documentation says, with their defaults, on SQLite in an empty folder of the same disk.
"""
import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/support"))
sys.dont_write_bytecode = True
from server import Server, clean_environment  # noqa: E402

START_SECONDS_MAX = 120
SETTLE_SECONDS_MAX = 30
LOAD = ROOT / "build/release/bin/bench_load"
FILL = ROOT / "build/release/bin/bench_fill"


def require_load():
    """Builds the load generator and the filler when they are missing."""
    if not LOAD.exists() or not FILL.exists():
        subprocess.run([ROOT / "tools/build", "release", "bench_load", "bench_fill"], check=True)


def load(address, seconds, *words):
    """Runs the load generator; answers its record."""
    done = subprocess.run([LOAD, address, str(seconds), *map(str, words)], stdout=subprocess.PIPE, check=True, text=True)
    found = json.loads(done.stdout)
    if found["errors"] > found["requests"] // 1000:
        raise RuntimeError(f"{found['errors']} of {found['requests'] + found['errors']} requests to {address} failed, the last with "
                           f"status {found['error_status']}")
    return found


def fill(address, *words):
    """Runs the filler; answers its record."""
    done = subprocess.run([FILL, address, *map(str, words)], stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_of(pid):
    """A process and all that descend from it."""
    children = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            children.setdefault(int(re.sub(r".*\) ", "", (folder / "stat").read_text()).split()[1]), []).append(int(folder.name))
        except (OSError, ValueError, IndexError):
            continue
    found = [pid]
    for process in found:
        found += children.get(process, [])
    return found


class System:
    """One server under test. A context manager: starts on entering, is gone afterwards."""

    name = ""

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def address(self):
        return self.url.split("//")[1]

    def cpu_seconds(self):
        """User and system time of all its processes so far."""
        ticks = 0
        for pid in processes_of(self.pid):
            try:
                fields = re.sub(r".*\) ", "", pathlib.Path(f"/proc/{pid}/stat").read_text()).split()
                ticks += int(fields[11]) + int(fields[12])
            except OSError:
                continue
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self):
        """Proportional resident memory of all its processes."""
        kib = 0
        for pid in processes_of(self.pid):
            try:
                kib += int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)[1])
            except (OSError, TypeError):
                continue
        return kib * 1024

    @contextlib.contextmanager
    def database(self):
        """A reader of its SQLite file, beside the server."""
        connection = sqlite3.connect(f"file:{self.database_file()}?mode=ro", uri=True, timeout=60)
        try:
            yield connection
        finally:
            connection.close()

    def database_bytes(self):
        """What its database holds, without pages that are free to be used again."""
        with self.database() as database:
            pages, free, size = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size"))
        return (pages - free) * size

    def settle(self):
        """Waits until it has finished starting: less than a tenth of a core for a second."""
        for _ in range(SETTLE_SECONDS_MAX):
            before = self.cpu_seconds()
            time.sleep(1)
            if self.cpu_seconds() - before < 0.1:
                return

    def timed(self, connection, method, path, body=None):
        """The milliseconds until the last byte of an answer came, and the answer's bytes."""
        body = json.dumps(body) if body is not None else None
        started = time.perf_counter()
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        took_ms = (time.perf_counter() - started) * 1000
        if answer.status >= 300:
            raise RuntimeError(f"{self.name}: {method} {path} answered {answer.status}: {content[:500]}")
        return took_ms, content

    def ask(self, connection, method, path, body=None):
        connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{self.name}: {method} {path} answered {answer.status}: {content[:500]}")
        return json.loads(content) if content else {}

    def connect(self):
        return http.client.HTTPConnection(self.address, timeout=120)

    def new_runs(self, count, connection=None):
        connection = connection or self.connect()
        return [self.ask(connection, "POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0", "start_time": int(time.time() * 1000)})
                ["run"]["info"]["run_id"] for _ in range(count)]


class Slipway(System):
    """Slipway itself; `arguments` are further flags of the server."""

    def __init__(self, name="slipway", arguments=(), data=None, prefix=()):
        self.name = name
        self._server = Server(arguments=arguments, data=data)

    def start(self):
        self.start_seconds = self._server.start()
        self.url = self._server.url
        self.pid = self._server.process.pid

    def cold_start(self):
        """Starts again with nothing of its files in memory, the system's cache of them included."""
        self._server.stop()
        for file in self._server.data.rglob("*"):
            if file.is_file():
                with open(file, "rb") as opened:
                    os.fdatasync(opened.fileno())
                    os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.start()

    def wait_sorted(self, seconds_max=3600):
        """Waits until no metric point is left in the log; answers the seconds that took."""
        started = time.monotonic()
        while time.monotonic() - started < seconds_max:
            with self.database() as database:
                waiting = database.execute("SELECT EXISTS (SELECT 1 FROM metric_batches) OR EXISTS (SELECT 1 FROM metric_staged)")
                if not waiting.fetchone()[0]:
                    return time.monotonic() - started
            time.sleep(0.2)
        raise RuntimeError(f"{self.name}: points are still unsorted after {seconds_max} s")

    def database_file(self):
        return self._server.data / "slipway.db"

    def memory_bytes(self):
        """Resident memory of the one process, shared libraries and all."""
        return self._server.resident_bytes()

    def restart(self):
        self._server.stop()
        self.start()

    def stop(self):
        self._server.stop()
        self._server.__exit__()


class _Foreign(System):
    def __init__(self):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="slipway-peer-"))

    def start(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        started = time.monotonic()
        self._log = open(self._folder / "log", "ab")
        self._process = subprocess.Popen(self._command(port), cwd=self._folder, stdout=self._log, stderr=self._log,
                                         env={**clean_environment(), "PYTHONWARNINGS": "ignore"}, start_new_session=True)
        self.pid = self._process.pid
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    break
            except OSError:
                pass
            if self._process.poll() is not None or time.monotonic() - started > START_SECONDS_MAX:
                raise RuntimeError(f"{self.name} did not start:\n{(self._folder / 'log').read_text()[-3000:]}")
            time.sleep(0.02)
        self.start_seconds = time.monotonic() - started

    def _end(self):
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def restart(self):
        self._end()
        self.start()

    def stop(self):
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)


class Mlflow(_Foreign):
    """`mlflow server` with SQLite; by default with its default of four workers."""

    def __init__(self, workers=None):
        super().__init__()
        self.name = "mlflow" if workers is None else f"mlflow, {workers} worker"
        self._workers = [] if workers is None else ["--workers", str(workers)]

    def database_file(self):
        return self._folder / "mlflow.db"

    def _command(self, port):
        return [ROOT / ".venv/bin/mlflow", "server", "--host", "127.0.0.1", "--port", str(port), *self._workers,
                "--backend-store-uri", f"sqlite:///{self._folder}/mlflow.db", "--artifacts-destination", str(self._folder / "artifacts")]


class FastTrackMl(_Foreign):
    """FastTrackML with SQLite."""

    name = "fasttrackml"

    def database_file(self):
        return self._folder / "fml.db"

    def _command(self, port):
        return [ROOT / ".venv-peers/bin/fml", "server", "--listen-address", f"127.0.0.1:{port}", "--log-level", "error",
                "--database-uri", f"sqlite://{self._folder}/fml.db", "--default-artifact-root", str(self._folder / "artifacts")]


NGINX = """
worker_processes 1;
error_log stderr error;
pid {folder}/pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  sendfile {sendfile};
  keepalive_requests 100000000;
  open_file_cache max=10;
  open_file_cache_min_uses 1;
  tcp_nodelay on;
  default_type text/plain;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


class Nginx(System):
    """nginx with one worker, no access log and its cache of open files on; it serves `files`, text by name."""

    name = "nginx"

    def __init__(self, files=None, sendfile=False):
        self._files = files or {}
        self._sendfile = "on" if sendfile else "off"

    def start(self):
        self._folder = tempfile.TemporaryDirectory(prefix="slipway-nginx-")
        folder, port = pathlib.Path(self._folder.name), free_port()
        folder.chmod(0o755)  # the worker runs as another user when we are root
        (folder / "files").mkdir()
        for name, text in self._files.items():
            (folder / "files" / name).write_text(text)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, sendfile=self._sendfile))
        self._process = subprocess.Popen(["/usr/sbin/nginx", "-c", folder / "nginx.conf", "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        self.pid = self._process.pid
        self.url = f"http://127.0.0.1:{port}"
        time.sleep(0.5)

    def share(self, path, name):
        """Serves the very file at `path`, too, as /name; it lies on the disk of the temporary folder."""
        os.link(path, pathlib.Path(self._folder.name) / "files" / name)

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()


def disk_sync_ms(count=200):
    """The median time of one synchronous 4 KiB append on the disk that holds the temporary folder, in milliseconds."""
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(count):
            file.write(os.urandom(4096))
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def in_threads(count, work):
    """Runs work(n) for n below count, each in a thread; the first exception is raised."""
    problems = []

    def guarded(n):
        try:
            work(n)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


@dataclasses.dataclass
class Report:
    """Rows of figures and gates, printed as one table each and kept as JSON under build/bench/."""

    name: str
    rows: list = dataclasses.field(default_factory=list)
    gates: list = dataclasses.field(default_factory=list)

    def row(self, **columns):
        self.rows.append(columns)
        print("  " + "   ".join(f"{name} {value}" for name, value in columns.items()), flush=True)

    def gate(self, what, found, wanted, is_met):
        """A budget: what was found, what was wanted, as text, and whether it holds."""
        self.gates.append({"what": what, "found": found, "wanted": wanted, "met": bool(is_met)})

    def finish(self):
        """Prints the tables; answers 0, also when a gate is missed: a bench measures, people judge."""
        print(f"\n{self.name}")
        print(table(self.rows))
        print()
        print(table([{"budget": gate["what"], "found": gate["found"], "wanted": gate["wanted"], "": "ok" if gate["met"] else "MISSED"}
                     for gate in self.gates]), flush=True)
        folder = ROOT / "build/bench"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.name.split(':')[0].replace(' ', '-')}.json").write_text(
            json.dumps({"name": self.name, "rows": self.rows, "gates": self.gates}, indent=2) + "\n")
        return 0


def table(rows):
    if not rows:
        return "  (nothing)"
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names] + [[str(row.get(name, "")) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    lines = ["  " + "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in cells]
    return "\n".join([lines[0], "  " + "  ".join("-" * width for width in widths), *lines[1:]])


def thousands(number):
    return f"{number:,.0f}" if number >= 10 else f"{number:.2f}"
