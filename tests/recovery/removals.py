"""The server dies while deleted runs are removed for good: a doomed run is whole or gone, never half; nothing of the others is lost;
and the same request, sent again, comes to the end.
"""
import http.client
import json
import random
import sqlite3
import threading
import time

from asking import expect

DOOMED = 120                 # more than one page of the removal
KEPT = 8
POINTS = 200
FILES = 2
API = "/api/2.0/mlflow"
ROOT_EXPERIMENT = "0"
TABLES = ("metric_batches", "metric_segments", "metric_chunks", "metric_staged", "metric_latest", "run_params", "run_tags")


def make_run(server, name):
    made = server.call("POST", f"{API}/runs/create", {"experiment_id": ROOT_EXPERIMENT, "run_name": name, "start_time": int(time.time() * 1000)})
    run = made["run"]["info"]["run_id"]
    server.call("POST", f"{API}/runs/log-batch", {
        "run_id": run, "params": [{"key": f"p{n}", "value": name} for n in range(50)],
        "metrics": [{"key": "loss", "value": n / 7, "timestamp": n, "step": n} for n in range(POINTS)]})
    for n in range(FILES):
        server.call("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{ROOT_EXPERIMENT}/{run}/artifacts/file-{n}.txt", f"{name} {n}".encode())
    return run


def check_whole(server, run, name):
    """The run with everything that make_run() gave it."""
    data = server.call("GET", f"{API}/runs/get?run_id={run}")["run"]["data"]
    expect(len(data["params"]) == 50, f"run {run} has {len(data['params'])} of 50 parameters")
    history = server.call("GET", f"{API}/metrics/get-history?run_id={run}&metric_key=loss&max_results=25000")["metrics"]
    expect(len(history) == POINTS, f"run {run} has {len(history)} of {POINTS} points")
    for n in range(FILES):
        answer = server.request("GET", f"/get-artifact?run_id={run}&path=file-{n}.txt")
        expect(answer.status == 200 and answer.body == f"{name} {n}".encode(), f"run {run} lost its file {n}: {answer.status}")


def remove_all(server, problem):
    """Page after page; a dying server ends it."""
    token = None
    try:
        while True:
            page = server.call("POST", "/api/v1/gc/deleted", {"older_than_s": 0, "page_token": token})
            token = page["next_page_token"]
            if token is None:
                return
    except (OSError, http.client.HTTPException, json.JSONDecodeError):
        return
    except Exception as error:
        problem.append(error)


def is_gone(server, run):
    return server.request("GET", f"{API}/runs/get?run_id={run}").status == 404


def check_no_rests(server):
    """Of SQLite, which lies open: nothing names a run that is not there."""
    file = server.data / "slipway.db"
    if not file.exists():
        return
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        for table in TABLES:
            rows = database.execute(f"SELECT COUNT(*) FROM {table} WHERE run NOT IN (SELECT number FROM runs)").fetchone()[0]
            expect(rows == 0, f"{rows} rows of {table} belong to no run")
        rows = database.execute("SELECT COUNT(*) FROM artifacts WHERE owner_kind = 'run' AND owner_id NOT IN (SELECT id FROM runs)").fetchone()[0]
        expect(rows == 0, f"{rows} files belong to no run")
        rows = database.execute("SELECT COUNT(*) FROM run_erasures").fetchone()[0]
        expect(rows == 0, f"{rows} removals were never finished")
    finally:
        database.close()


def unfinished(server):
    """Runs that were taken away and of which something is left; None where that cannot be seen."""
    file = server.data / "slipway.db"
    if not file.exists():
        return None
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        return database.execute("SELECT COUNT(*) FROM run_erasures").fetchone()[0]
    finally:
        database.close()


def make_doomed(server):
    doomed = {make_run(server, f"doomed-{n}"): f"doomed-{n}" for n in range(DOOMED)}
    for run in doomed:
        server.call("POST", f"{API}/runs/delete", {"run_id": run})
    return doomed


def seconds_of_a_removal(server):
    """One that nobody disturbs, so that the others die in their middle on a slow machine and on a fast one."""
    make_doomed(server)
    problem, started = [], time.monotonic()
    remove_all(server, problem)
    expect(not problem, f"the removal was answered {problem}")
    return time.monotonic() - started


def one_round(server, seed, number, kept, whole_seconds):
    chance = random.Random(f"{seed}/removals-{number}")
    doomed = make_doomed(server)
    problem = []
    remover = threading.Thread(target=remove_all, args=(server, problem), name="remover")
    remover.start()
    time.sleep(chance.uniform(0, whole_seconds))
    server.kill()
    remover.join()
    server.start()
    left = unfinished(server)
    expect(not problem, f"the removal was answered {problem}")
    gone = [run for run in doomed if is_gone(server, run)]
    for run in set(doomed) - set(gone):
        check_whole(server, run, doomed[run])
    for run, name in kept.items():
        check_whole(server, run, name)
    remove_all(server, problem)
    expect(not problem, f"the second removal was answered {problem}")
    expect(all(is_gone(server, run) for run in doomed), "the second removal did not come to its end")
    for run, name in kept.items():
        check_whole(server, run, name)
    check_no_rests(server)
    return f"{len(gone)} of {DOOMED} runs were gone at the kill, something was left of {left}; all of it went with the second removal"


def play(server, rounds, seed):
    """Answers how many rounds passed and failed."""
    passed = failed = 0
    with server:
        kept = {make_run(server, f"kept-{n}"): f"kept-{n}" for n in range(KEPT)}
        whole_seconds = seconds_of_a_removal(server)
        for number in range(1, rounds + 1):
            try:
                sentence = one_round(server, seed, number, kept, whole_seconds)
                passed += 1
                print(f"round {number}: {sentence}", flush=True)
            except Exception as error:
                failed += 1
                print(f"FAILED round {number} of seed {seed}: {error!r}\n{server.log_text(3000)}", flush=True)
                if server.process.poll() is not None:
                    break
    return passed, failed
