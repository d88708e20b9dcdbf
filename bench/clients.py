"""Figures of the clients that log without waiting: the C++ library and the Python helper. Used by bench/tracking. Without a server."""
import json
import pathlib
import subprocess
import sys
import tempfile

from peers import ROOT

HELPER = ROOT / "python"
CPP = ROOT / "build/release/bin/bench_tracking_client"
CPP_WANTED = 2_000_000
PYTHON_WANTED = 50_000
PYTHON_CALLS = 300_000
KILLED_CALLS = 1_000  # one each millisecond
LOST_MAX = 100        # those of the last 100 ms

PYTHON_RATE = """
import json, sys, time
import slipway
run = slipway.Run(folder=sys.argv[1], offline=True)
calls, slowest = int(sys.argv[2]), 0
started = time.perf_counter()
for step in range(calls):
    before = time.perf_counter() if step % 100 == 0 else None
    run.log("loss", 0.5 * step, step)
    if before is not None:
        slowest = max(slowest, time.perf_counter() - before)
took = time.perf_counter() - started
run.finish()
print(json.dumps({"calls_per_second": calls / took, "slowest_call_ms": slowest * 1000, "dropped": run.dropped, "journaled": run.journaled}))
"""

PYTHON_KILLED = """
import os, signal, sys, time
import slipway
run = slipway.Run(folder=sys.argv[1], offline=True)
started = time.monotonic()
for step in range(int(sys.argv[2])):
    time.sleep(max(0, started + step / 1000 - time.monotonic()))
    run.log("loss", 0.5, step)
os.kill(os.getpid(), signal.SIGKILL)
"""


def require_client():
    if not CPP.exists():
        subprocess.run([ROOT / "tools/build", "release", "bench_tracking_client"], check=True)


def run_python(program, *words):
    return subprocess.run([sys.executable, "-c", program, *map(str, words)], stdout=subprocess.PIPE, text=True,
                          env={"PYTHONPATH": str(HELPER), "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"})


def points_in(folder):
    """How many points the journal below a folder holds, as `slipway sync` would read it."""
    sys.path.insert(0, str(HELPER))
    from slipway import journal
    file = next(pathlib.Path(folder).rglob("journal"))
    return sum((len(payload) - 1) // journal.POINT.size for payload, _ in journal.frames(file.read_bytes()) if payload[:1] == b"P")


def lost_by_kill(start):
    """How many of KILLED_CALLS points are gone when the program is killed right behind its last call."""
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        start(folder)
        return KILLED_CALLS - points_in(folder)


def measure(report):
    require_client()
    found = {}
    # Its exit status only says that points were dropped, which is a figure here.
    done = subprocess.run([CPP, "rate"], stdout=subprocess.PIPE, text=True)
    paced, fastest = (json.loads(line) for line in done.stdout.splitlines())
    found |= {"cpp_rate": paced["calls_per_second"], "cpp_dropped": paced["dropped"]}
    report.row(server="C++ client", figure="log calls, none dropped", rate=f"{paced['calls_per_second'] / 1e6:.2f} million/s",
               p50=f"{fastest['call_ns']:.0f} ns a call at full speed", p99=f"slowest thousand {paced['slowest_thousand_ms']:.2f} ms")
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as folder:
        python = json.loads(run_python(PYTHON_RATE, folder, PYTHON_CALLS).stdout)
    found |= {"python_rate": python["calls_per_second"], "python_dropped": python["dropped"]}
    report.row(server="Python helper", figure="log calls, none dropped", rate=f"{python['calls_per_second']:,.0f}/s",
               p99=f"slowest call {python['slowest_call_ms']:.2f} ms")
    found["cpp_lost"] = lost_by_kill(lambda folder: subprocess.run([CPP, "killed", folder, str(KILLED_CALLS)]))
    found["python_lost"] = lost_by_kill(lambda folder: run_python(PYTHON_KILLED, folder, KILLED_CALLS))
    report.row(server="both clients", figure=f"killed after {KILLED_CALLS:,} calls in a second",
               rate=f"lost {found['cpp_lost']} (C++), {found['python_lost']} (Python)")
    return found


def judge(found, report):
    gate = report.gate
    gate("C++ client, log calls without a drop", f"{found['cpp_rate']:,.0f}/s", f">= {CPP_WANTED:,}",
         found["cpp_rate"] >= 0.999 * CPP_WANTED and found["cpp_dropped"] == 0)
    gate("Python helper, log calls without a drop", f"{found['python_rate']:,.0f}/s", f">= {PYTHON_WANTED:,}",
         found["python_rate"] >= PYTHON_WANTED and found["python_dropped"] == 0)
    for name, lost in (("C++", found["cpp_lost"]), ("Python", found["python_lost"])):
        gate(f"points lost by a kill, {name}, one logged each ms", str(lost), f"<= {LOST_MAX}", lost <= LOST_MAX)
