"""Figures of long series: how fast they are read, thinned, and how much disk they take. Used by bench/tracking."""
import statistics
import time

from peers import Slipway, fill, in_threads

API = "/api/2.0/mlflow"
HISTORY_POINTS = 100_000
HISTORY_READS = 5
LONG_POINTS = 1_000_000
SCREEN_POINTS = 2_000
SHOWN_RUNS = 100
SHOWN_RUN_POINTS = 10_000
BYTES_POINTS = 1_000_000
PEER_BYTES_POINTS = 100_000


def median_of(reads, read):
    return statistics.median(read() for _ in range(reads))


def history(system, report):
    """A history of 100,000 points through MLflow's endpoint, in the pages of 25,000 that its client asks for, and in one."""
    run = system.new_runs(1)[0]
    fill(system.address, "series", HISTORY_POINTS, "random", run)
    connection = system.connect()

    def whole():
        took_ms, content = system.timed(connection, "GET", f"{API}/metrics/get-history?run_id={run}&metric_key=loss")
        if content.count(b'"step"') != HISTORY_POINTS:
            raise RuntimeError(f"{system.name}: the history has {content.count(b'step')} points of {HISTORY_POINTS}")
        return took_ms

    took_ms = median_of(HISTORY_READS, whole)
    report.row(server=system.name, figure=f"history of {HISTORY_POINTS:,}", p50=f"{took_ms:.0f} ms")
    return {"history_ms": took_ms}


def thinned(system, report):
    """A million points for a screen; then a tenth of them; then a hundred runs at once."""
    run = system.new_runs(1)[0]
    fill(system.address, "series", LONG_POINTS, "random", run)
    system.wait_sorted()
    connection, base = system.connect(), f"/api/v1/runs/{run}/metrics/history?key=loss&points_max={SCREEN_POINTS}"
    found = {}
    for name, query in (("thinned_ms", ""), ("thinned_time_ms", "&x=time"), ("part_ms", f"&from={LONG_POINTS // 2}&to={LONG_POINTS * 6 // 10}")):
        found[name] = median_of(HISTORY_READS, lambda: system.timed(connection, "GET", base + query)[0])
    report.row(server=system.name, figure=f"{LONG_POINTS:,} points thinned to {SCREEN_POINTS:,}", p50=f"{found['thinned_ms']:.0f} ms by step",
               p99=f"{found['thinned_time_ms']:.0f} ms by time", rate=f"a tenth of them {found['part_ms']:.0f} ms")
    runs = system.new_runs(SHOWN_RUNS)
    in_threads(4, lambda n: fill(system.address, "series", SHOWN_RUN_POINTS, "random", *runs[n::4]))
    system.wait_sorted()
    body = {"run_ids": runs, "keys": ["loss"], "points_max": 1000}
    found["runs_ms"] = median_of(HISTORY_READS, lambda: system.timed(connection, "POST", "/api/v1/metrics/histories", body)[0])
    report.row(server=system.name, figure=f"{SHOWN_RUNS} runs x {SHOWN_RUN_POINTS:,} points at once", p50=f"{found['runs_ms']:.0f} ms")
    return found


def bytes_a_point(system, kind, report):
    """What a point takes in the database once the log is sorted, with everything that belongs to it."""
    points = BYTES_POINTS if isinstance(system, Slipway) else PEER_BYTES_POINTS
    run = system.new_runs(1)[0]
    if isinstance(system, Slipway):
        system.wait_sorted()
    before = system.database_bytes()
    fill(system.address, "series", points, kind, run)
    if isinstance(system, Slipway):
        system.wait_sorted()
    else:
        time.sleep(1)
    taken = (system.database_bytes() - before) / points
    report.row(server=system.name, figure=f"disk, {kind} values", rate=f"{taken:.2f} bytes/point")
    return {f"{kind}_bytes": taken}


def judge(found, report):
    ours = found["slipway"]
    gate = report.gate
    gate(f"history of {HISTORY_POINTS:,} points, MLflow's endpoint", f"{ours['history_ms']:.0f} ms", "< 150 ms", ours["history_ms"] < 150)
    gate(f"{LONG_POINTS:,} points thinned to {SCREEN_POINTS:,}", f"{ours['thinned_ms']:.0f} ms", "< 100 ms", ours["thinned_ms"] < 100)
    gate(f"histories of {SHOWN_RUNS} runs at once", f"{ours['runs_ms']:.0f} ms", "< 500 ms", ours["runs_ms"] < 500)
    gate("disk, random values", f"{ours['random_bytes']:.1f} bytes/point", "<= 10", ours["random_bytes"] <= 10)
    gate("disk, slowly changing values", f"{ours['slow_bytes']:.1f} bytes/point", "<= 2", ours["slow_bytes"] <= 2)
