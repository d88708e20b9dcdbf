"""Figures that must not grow with the database: pages of runs, among many runs of many metrics. Used by bench/tracking."""
import json
import statistics
import time
import urllib.parse

from peers import fill

COLUMNS = 20
PAGE_RUNS = 100
COLD_STARTS = 3
WARM_READS = 20
FILL_CONNECTIONS = 8
FILL_RUNS_AT_ONCE = 10_000


def size_of(text):
    """RUNSxMETRICS as two numbers."""
    runs, _, metrics = text.partition("x")
    return int(runs), int(metrics)


def page_path(order, columns, token=None, filters=None):
    query = {"experiment": "0", "order_by": order, "columns": ",".join(columns), "page_size": PAGE_RUNS}
    if token:
        query["page_token"] = token
    if filters:
        query["filter"] = filters
    return "/api/v1/runs?" + urllib.parse.urlencode(query)


def columns_of(metrics):
    """Twenty columns spread over all metrics, two of them parameters."""
    step = max(1, metrics // (COLUMNS - 2))
    return [f"metrics.m{m}" for m in range(0, metrics, step)][:COLUMNS - 2] + ["params.lr", "params.optimizer"]


def check_page(content, metric, runs):
    page = json.loads(content)
    values = [run["metrics"][metric]["last"] for run in page["runs"] if metric in run["metrics"]]
    if len(page["runs"]) != min(PAGE_RUNS, runs) or values != sorted(values, reverse=True):
        raise RuntimeError(f"the page has {len(page['runs'])} runs, or they are not in order")
    return page


def cold_pages(system, runs, metrics):
    """The first page by a metric, with nothing in memory."""
    times = []
    for n in range(COLD_STARTS):
        system.cold_start()
        metric = f"m{metrics * (n + 1) // (COLD_STARTS + 1)}"
        took_ms, content = system.timed(system.connect(), "GET", page_path(f"metrics.{metric} desc", [f"metrics.{metric}", *columns_of(metrics)]))
        check_page(content, metric, runs)
        times.append(took_ms)
    return statistics.median(times)


def warm_pages(system, runs, metrics):
    """First pages by changing metrics, and the pages after them."""
    connection, first, further = system.connect(), [], []
    for n in range(WARM_READS):
        metric = f"m{n * 7 % metrics}"
        columns = [f"metrics.{metric}", *columns_of(metrics)]
        for _ in range(2):  # once to warm up
            took_ms, content = system.timed(connection, "GET", page_path(f"metrics.{metric} desc", columns))
        first.append(took_ms)
        token = check_page(content, metric, runs)["next_page_token"]
        if token:
            further.append(system.timed(connection, "GET", page_path(f"metrics.{metric} desc", columns, token))[0])
    return statistics.median(first), statistics.median(further or [0])


def other_searches(system, metrics):
    """Further orders and filters, each the median of a few, in milliseconds."""
    connection, columns = system.connect(), columns_of(metrics)
    asked = {
        "by start time": ("attributes.start_time desc", None),
        "by a parameter": ("params.seed", None),
        "by name": ("attributes.run_name", None),
        "metric < x (half of them)": ("metrics.m1 desc", "metrics.m0 < 50"),
        "parameter = x (a third)": ("metrics.m1 desc", "params.optimizer = 'sgd'"),
        "tag = x (a hundred)": ("metrics.m1 desc", "tags.sweep = 's7'"),
        "name LIKE": ("metrics.m1 desc", "attributes.run_name LIKE '%tide%'"),
    }
    found = {}
    for name, (order, filters) in asked.items():
        times = [system.timed(connection, "GET", page_path(order, columns, filters=filters))[0] for _ in range(5)]
        found[name] = (times[0], statistics.median(times[1:]))
    return found


def whole_runs(system):
    """A page of whole runs through MLflow's endpoint: megabytes of JSON a second."""
    connection, body = system.connect(), {"experiment_ids": ["0"], "max_results": PAGE_RUNS, "order_by": ["metrics.m0 DESC"]}
    rates = []
    for _ in range(5):
        took_ms, content = system.timed(connection, "POST", "/api/2.0/mlflow/runs/search", body)
        rates.append(len(content) / took_ms / 1000)
    return statistics.median(rates), len(content) / 1e6


def measure(system, text, report):
    """Fills an empty server and measures it; answers the figures."""
    runs, metrics = size_of(text)
    started = time.monotonic()
    for done in range(0, runs, FILL_RUNS_AT_ONCE):
        fill(system.address, "runs", "0", done, min(FILL_RUNS_AT_ONCE, runs - done), metrics, FILL_CONNECTIONS)
    filled_s = time.monotonic() - started
    system.wait_sorted()
    sorted_s = time.monotonic() - started
    found = {"size": text, "filled_s": filled_s, "sorted_s": sorted_s, "bytes": system.database_bytes()}
    found["cold_ms"] = cold_pages(system, runs, metrics)
    found["warm_ms"], found["further_ms"] = warm_pages(system, runs, metrics)
    found["json_mb_s"], json_mb = whole_runs(system)
    found["others"] = other_searches(system, metrics)
    found["memory_bytes"] = system.memory_bytes()
    name = f"{runs:,} runs x {metrics:,}"
    report.row(server=name, figure="fill", rate=f"{runs * metrics / filled_s:,.0f} pairs/s", p50=f"sorted after {sorted_s:.0f} s",
               memory=f"{found['bytes'] / runs / metrics:.0f} bytes/pair on disk")
    report.row(server=name, figure=f"page of {PAGE_RUNS} runs, {COLUMNS} columns, by a metric", p50=f"{found['warm_ms']:.1f} ms",
               p99=f"cold {found['cold_ms']:.0f} ms", rate=f"further pages {found['further_ms']:.1f} ms", memory=f"{found['memory_bytes'] / 1e6:.0f} MB")
    report.row(server=name, figure="whole runs, MLflow's endpoint", rate=f"{found['json_mb_s']:.0f} MB/s", p50=f"{json_mb:.1f} MB")
    for what, (first_ms, again_ms) in found["others"].items():
        report.row(server=name, figure=what, p50=f"{again_ms:.1f} ms", p99=f"first {first_ms:.0f} ms")
    return found


def judge(found, report):
    gate, name = report.gate, found["size"]
    gate(f"{name}: first page by a metric, cold", f"{found['cold_ms']:.0f} ms", "< 200 ms", found["cold_ms"] < 200)
    gate(f"{name}: first page by a metric, warm", f"{found['warm_ms']:.1f} ms", "< 30 ms", found["warm_ms"] < 30)
    gate(f"{name}: further pages", f"{found['further_ms']:.1f} ms", "< 30 ms", found["further_ms"] < 30)
    gate(f"{name}: whole runs, MLflow's endpoint", f"{found['json_mb_s']:.0f} MB/s", ">= 50", found["json_mb_s"] >= 50)
    gate(f"{name}: memory", f"{found['memory_bytes'] / 1e6:.0f} MB", "< 500 MB", found["memory_bytes"] < 500e6)
