"""A backup is taken while clients write, is killed once, comes to its end, and is restored: everything is there that was
acknowledged before it began, and whatever it names is whole."""
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import threading
import time
import urllib.parse

import command
from server import Server
from server_deaths import API, ROOT_EXPERIMENT, Connection, Reader, Writer, expect

WRITERS = 4
LARGE_BYTES = 48 << 20  # so that a backup takes long enough to be killed
DEADLINE_SECONDS = 60


class Pausable(Writer):
    """Writes until told to stop; then nothing of it is in flight."""

    def __init__(self, address, seed, number):
        super().__init__(address, seed, number)
        self.stopped = threading.Event()

    def run(self):
        try:
            while not self.stopped.is_set():
                self.write_something()
                self.writes += 1
        except Exception as error:
            self.problem = error


class Team:
    """Several writers at once."""

    def __init__(self, server, name):
        self.writers = [Pausable(server.url.split("//")[1], name, number) for number in range(WRITERS)]
        for writer in self.writers:
            writer.start()

    def stop(self):
        """The ledgers and experiments of what was written."""
        for writer in self.writers:
            writer.stopped.set()
        for writer in self.writers:
            writer.join()
            if writer.problem:
                raise writer.problem
        return [ledger for writer in self.writers for ledger in writer.ledgers], [one for writer in self.writers for one in writer.experiments]


def write_for(server, name, seconds):
    team = Team(server, name)
    time.sleep(seconds)
    return team.stop()


def put_large_artifact(server, seed):
    """One artifact that travels as a stream; answers its URL and hash."""
    connection = Connection(server.url.split("//")[1])
    run = connection.json("POST", f"{API}/runs/create", {"experiment_id": ROOT_EXPERIMENT})["run"]["info"]["run_id"]
    content = random.Random(seed).randbytes(LARGE_BYTES)
    url = f"/api/2.0/mlflow-artifacts/artifacts/{ROOT_EXPERIMENT}/{run}/artifacts/large.bin"
    connection.ask("PUT", url, content)
    return url, hashlib.sha256(content).hexdigest()


def check_restored(server, ledgers, experiments, large):
    reader = Reader(server.url.split("//")[1])
    for ledger in ledgers:
        reader.check_run(ledger)
    reader.check_experiments(experiments)
    found = hashlib.sha256(reader.connection.ask("GET", large[0])).hexdigest()
    expect(found == large[1], "the large artifact has other bytes than before")
    check_everything_named_is_there(reader.connection)


def check_everything_named_is_there(connection):
    """Also of what was written while the backup ran: a run that is in the copy has its artifacts, whole."""
    token, seen = None, 0
    while token != "":
        page = connection.json("POST", f"{API}/runs/search", {"experiment_ids": all_experiments(connection), "max_results": 500, **({"page_token": token} if token else {})})
        for run in page.get("runs", []):
            seen += check_artifacts(connection, run["info"])
        token = page.get("next_page_token", "")
    expect(seen > 0, "no artifact was found, so this proves nothing")


def all_experiments(connection):
    return [one["experiment_id"] for one in connection.json("POST", f"{API}/experiments/search", {"max_results": 1000})["experiments"]]


def check_artifacts(connection, run, folder=""):
    """Reads every file below a folder of a run's artifacts; answers how many there were."""
    listed = connection.json("GET", f"{API}/artifacts/list?run_id={run['run_id']}&path={urllib.parse.quote(folder)}").get("files", [])
    count = 0
    for entry in listed:
        if entry["is_dir"]:
            count += check_artifacts(connection, run, entry["path"])
            continue
        content = connection.ask("GET", f"/api/2.0/mlflow-artifacts/artifacts/{run['experiment_id']}/{run['run_id']}/artifacts/{urllib.parse.quote(entry['path'])}")
        expect(len(content) == int(entry["file_size"]), f"{entry['path']} of run {run['run_id']} has {len(content)} bytes, the restored server says {entry['file_size']}")
        count += 1
    return count


def kill_a_backup(server, folder, while_it_runs):
    """Starts a backup, stops it in the middle to look at it, and kills it there."""
    running = command.start("backup", folder, url=server.url)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not list(folder.glob("database-*.db")) and time.monotonic() < deadline:
        time.sleep(0.001)
    running.send_signal(signal.SIGSTOP)
    try:
        while_it_runs()
    finally:
        running.kill()
    said, _ = running.communicate()
    expect(running.returncode == -9, f"the backup ended with {running.returncode} before it could be killed:\n{said}")


def damage(file):
    """Changes one byte in the middle."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.chmod(0o600)
    file.write_bytes(content)


def largest_blob(folder):
    return max((folder / "store/blobs").glob("*/*"), key=lambda file: file.stat().st_size)


def a_backup_under_load_killed_once_holds_everything_acknowledged_before(make_database):
    with Server(database=make_database()) as server:
        folder, data = server.home / "backup", server.home / "restored"
        ledgers, experiments = write_for(server, "before", 1.0)
        large = put_large_artifact(server, "large")
        team = Team(server, "meanwhile")
        kill_a_backup(server, folder, while_it_runs=lambda: expect("is using" in command.slipway("restore", folder, "--data", data, expect=2), "a folder that is being written to was read"))
        said = command.slipway("backup", "--verify", folder, expect=3)
        expect("did not come to its end" in said, f"half a backup was taken for something else: {said}")
        expect("did not come to its end" in command.slipway("restore", folder, "--data", data, expect=3), "half a backup was restored")
        command.slipway("backup", folder, url=server.url)
        team.stop()
        expect("0 files are damaged" in command.slipway("backup", "--verify", folder), "a fresh backup is damaged")
        server.kill()
        again = make_database()
        command.slipway("restore", folder, "--data", data, *(["--database", again] if again else []))
        with Server(data=data, database=again) as restored:
            check_restored(restored, ledgers, experiments, large)
            expect(restored.stop() == 0, "the restored server did not end well")


def a_second_backup_fetches_only_what_is_new_and_an_interrupted_one_leaves_the_first_whole(make_database):
    with Server(database=make_database()) as server:
        folder, data = server.home / "backup", server.home / "restored"
        ledgers, experiments = write_for(server, "first", 0.5)
        large = put_large_artifact(server, "first")
        first = command.slipway_json("backup", folder, url=server.url)
        expect(first["new_blobs"] == first["blobs"] > 1, f"the first backup did not fetch everything: {first}")
        put_large_artifact(server, "second")
        kill_second(server, folder, first)
        command.slipway("restore", folder, "--data", data)
        with Server(data=data) as restored:  # on SQLite, whatever the server had
            check_restored(restored, ledgers, experiments, large)
        second = command.slipway_json("backup", folder, url=server.url)
        expect(second["blobs"] == first["blobs"] + 1, f"the second backup has {second['blobs']} blobs after {first['blobs']}")
        expect(second["new_blobs"] <= 1, f"the second backup fetched {second['new_blobs']} blobs, and one was new")
        third = command.slipway_json("backup", folder, url=server.url)
        expect((third["new_blobs"], third["new_bytes"]) == (0, 0), f"nothing was new, and {third['new_blobs']} blobs were fetched")
        expect(len(list(folder.glob("database-*"))) == 1, "copies of earlier databases were left in the folder")


def kill_second(server, folder, first):
    """Kills a backup into a folder that holds one; the manifest must still be the first one's."""
    running = command.start("backup", folder, url=server.url)
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(list(folder.glob("database-*.db"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    running.kill()
    running.communicate()
    expect(running.returncode == -9, "the second backup could not be killed in time")
    expect(json.loads((folder / "slipway-backup.json").read_text())["id"] == first["id"], "an unfinished backup took the place of a finished one")


def damage_is_found_and_named_and_not_restored(make_database):
    with Server(database=make_database()) as server:
        folder = server.home / "backup"
        put_large_artifact(server, "damage")
        command.slipway("backup", folder, url=server.url)
        blob = largest_blob(folder)
        damage(blob)
        expect(str(blob) in command.slipway("backup", "--verify", folder, expect=1), "verifying did not name the damaged file")
        expect(str(blob) in command.slipway("restore", folder, "--data", server.home / "one", expect=1), "restoring did not name the damaged file")
        expect("half-way" in start_fails(server.home / "one"), "a server started on half a restore")
        said = command.slipway("restore", folder, "--data", server.home / "one", "--skip-damaged")
        expect(str(blob) in said, "what was left out was not named")
        damage(next(folder.glob("database-*.db")))
        expect("database-" in command.slipway("restore", folder, "--data", server.home / "two", expect=1), "a damaged database was not named")
        # A blob of the wrong size is fetched again; one of the right size is not looked into until it is verified.
        blob.unlink()
        expect(command.slipway_json("backup", folder, url=server.url)["new_blobs"] == 1, "a missing blob was not fetched again")
        expect("0 files are damaged" in command.slipway("backup", "--verify", folder), "the repaired backup is damaged")


def start_fails(data):
    """What a server says that does not start."""
    try:
        with Server(data=data):
            pass
    except RuntimeError as error:
        return str(error)
    raise AssertionError(f"a server started on {data}")


def a_restore_refuses_what_it_should():
    with Server() as server:
        folder, full = server.home / "backup", server.home / "full"
        command.slipway("backup", folder, url=server.url)
        full.mkdir()
        (full / "precious").write_text("mine")
        expect("is not empty" in command.slipway("restore", folder, "--data", full, expect=2), "a folder that holds something was restored into")
        expect("is not empty" in command.slipway("restore", folder, "--data", server.data, expect=2), "a running server's folder was restored into")
        expect("holds other things" in command.slipway("backup", full, url=server.url, expect=2), "a folder of somebody else was taken for a backup")
        expect((full / "precious").read_text() == "mine", "a file was lost")
        expect("holds no backup" in command.slipway("restore", full, "--data", server.home / "new", expect=3), "a folder without a backup was restored")
        newer_format(folder, server.home)
        newer_schema(folder, server.home)


def changed_copy(folder, name, change):
    copy = folder.parent / name
    shutil.copytree(folder, copy)
    manifest = json.loads((copy / "slipway-backup.json").read_text())
    change(copy, manifest)
    (copy / "slipway-backup.json").write_text(json.dumps(manifest))
    return copy


def newer_format(folder, home):
    copy = changed_copy(folder, "newer-format", lambda _, manifest: manifest.update(format=2, version="99.1.0"))
    said = command.slipway("restore", copy, "--data", home / "new", expect=2)
    expect("99.1.0" in said and "newer version" in said, f"a newer format was refused without saying so: {said}")


def newer_schema(folder, home):
    """A database with a migration that this version does not know; its hash is made right again by hand, as only we can."""

    def change(copy, manifest):
        file = copy / manifest["database"]["file"]
        with sqlite3.connect(file) as database:
            database.execute("INSERT INTO schema_migrations (number, name, applied_at) VALUES (9999, '9999_future', 0)")
        database.close()
        manifest["database"].update(hash=blake3(file), bytes=file.stat().st_size)

    said = command.slipway("restore", changed_copy(folder, "newer-schema", change), "--data", home / "newer", expect=1)
    expect("9999" in said and "newer version" in said, f"a newer schema was refused without saying so: {said}")


def blake3(file):
    """The hash of a file, asked from a server of its own: what it answers for a blob it was sent."""
    with Server() as server:
        return server.call("POST", "/api/v1/blobs", file.read_bytes(), {"Content-Type": "application/octet-stream"})["hash"]


def only_admins_take_backups_and_from_elsewhere_with_a_token():
    with Server() as server:
        ann = {"name": "ann", "password": "a password of some length"}
        server.call("POST", "/api/v1/members", {**ann, "role": "member"})
        members, admins = server.call("POST", "/api/v1/login", ann)["token"], server.call("POST", "/api/v1/tokens", {"name": "backup"})["secret"]
        expect("only an admin" in command.slipway("backup", server.home / "a", url=server.url, token=members, expect=4), "a member took a backup")
        command.slipway("backup", server.home / "b", url=server.url, token=admins)
        expect("unknown, revoked or expired" in command.slipway("backup", server.home / "c", url=server.url, token="nonsense", expect=4), "a wrong token took a backup")


def while_a_backup_is_open_nothing_is_swept_and_one_that_is_left_behind_does_not_stay():
    with Server() as server:
        backup = server.call("POST", "/api/v1/backups")
        answer = server.request("POST", "/api/v1/gc", {"dry_run": False})
        expect(answer.status == 503 and b"a backup is being taken" in answer.body, f"a sweep beside a backup was answered {answer.status} {answer.body}")
        expect(server.request("POST", "/api/v1/gc", {"dry_run": True}).status == 200, "counting what could be swept was refused")
        server.call("POST", "/api/v1/backups")
        expect(server.request("POST", "/api/v1/backups").status == 503, "a third backup at once was not refused")
        server.call("DELETE", f"/api/v1/backups/{backup['id']}")
        expect(server.request("GET", f"/api/v1/backups/{backup['id']}").status == 404, "an ended backup is still there")
        server.kill()
        server.start()
        expect(list((server.data / "backups").glob("*")) == [], "a killed server left copies of its database behind")
        expect(server.request("POST", "/api/v1/gc", {"dry_run": False}).status == 200, "a sweep was refused though no backup is open")


def a_restore_beside_the_original_leaves_its_runs_alone():
    """Both servers are on this machine, and the copy knows the run that the original executes."""
    with Server() as server:
        work, folder, data = server.home / "work", server.home / "backup", server.home / "restored"
        work.mkdir()
        (work / "slipway.yaml").write_text('steps: {wait: {command: "echo begun; sleep 600"}}\n')
        run = command.slipway("run", "wait", "--detach", url=server.url, cwd=work).split()[-1]
        wait_for(server, run, "running")
        command.slipway("backup", folder, url=server.url)
        command.slipway("restore", folder, "--data", data)
        with Server(data=data) as restored:
            ended = wait_for(restored, run, "failed")
            expect("restored from a backup" in json.dumps(ended), f"the restored run does not say why it ended: {ended}")
            restored.restart()
            expect(not (data / "restored").exists(), "the mark of the restore stayed")
            expect(server.call("GET", f"/api/v1/runs/{run}")["state"] == "running", "the original's run was touched")
            expect(sleepers(server) == 1, "the process of the original's run was ended")
            restored.stop()
        server.call("POST", f"/api/v1/runs/{run}/stop")
        wait_for(server, run, "killed")


def wait_for(server, run, state):
    """The run once it is in that state."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        found = server.call("GET", f"/api/v1/runs/{run}")
        if found["state"] == state:
            return found
        expect(time.monotonic() < deadline, f"run {run} is {found['state']} and not {state} after {DEADLINE_SECONDS} s")
        time.sleep(0.05)


def sleepers(server):
    """How many processes `sleep 600` run below a server's data folder."""
    count = 0
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            is_sleep = (process / "cmdline").read_bytes() == b"sleep\x00600\x00"
            count += is_sleep and os.readlink(process / "cwd").startswith(str(server.data))
        except OSError:
            pass  # it ended while we looked
    return count


TESTS = (a_restore_refuses_what_it_should, a_restore_beside_the_original_leaves_its_runs_alone, only_admins_take_backups_and_from_elsewhere_with_a_token, while_a_backup_is_open_nothing_is_swept_and_one_that_is_left_behind_does_not_stay)
TESTS_PER_DATABASE = (a_backup_under_load_killed_once_holds_everything_acknowledged_before, a_second_backup_fetches_only_what_is_new_and_an_interrupted_one_leaves_the_first_whole, damage_is_found_and_named_and_not_restored)
