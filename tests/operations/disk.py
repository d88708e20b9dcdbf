"""A disk that really is full: nothing that was acknowledged is lost, reading goes on, and when there is room again writing
does, too, without a restart. The mark above it is tests/scenarios/low_disk.test."""
import subprocess
import time

from server import Server
from server_deaths import API, ROOT_EXPERIMENT, Connection, Gone, Reader, Writer, expect
from skip import Skip

DISK = "96m"
LEFT_BYTES = 3 << 20  # for the writers, after the ballast
WRITERS = 3
RECOVERS_SECONDS = 10


class SmallDisk:
    """A tmpfs of its own below `folder`."""

    def __init__(self, folder):
        self.path = folder / "disk"
        self.ballast = self.path / "ballast"

    def __enter__(self):
        self.path.mkdir(parents=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", self.path], capture_output=True, text=True)
        if done.returncode != 0:
            raise Skip(f"mounting a small disk needs root and the right to mount ({done.stderr.strip()})")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "--lazy", self.path], check=False)

    def fill_up_to(self, left):
        """A file that leaves `left` bytes."""
        with open(self.ballast, "wb") as file:
            free = self.free()
            while free > left:
                file.write(bytes(min(free - left, 1 << 20)))
                file.flush()
                free = self.free()

    def free(self):
        out = subprocess.run(["df", "--output=avail", "-B1", self.path], capture_output=True, text=True, check=True).stdout
        return int(out.split()[1])


def write_until_refused(server, name):
    """Several writers, each until the server has no room for it; answers their ledgers and how many writes were acknowledged."""
    writers = [Writer(server.url.split("//")[1], name, number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        expect(not writer.is_alive(), "a writer was never refused on a full disk")
        if writer.problem:
            raise writer.problem  # an answer that is neither success nor "try again later"
    expect(server.process.poll() is None, f"the server died of a full disk:\n{server.log_text()}")
    return [ledger for writer in writers for ledger in writer.ledgers], sum(writer.writes for writer in writers)


def check(server, ledgers):
    reader = Reader(server.url.split("//")[1])
    for ledger in ledgers:
        reader.check_run(ledger)


def write_again(server):
    """Writes a record and a blob as soon as they are taken."""
    deadline = time.monotonic() + RECOVERS_SECONDS
    while True:
        try:
            connection = Connection(server.url.split("//")[1])
            run = connection.json("POST", f"{API}/runs/create", {"experiment_id": ROOT_EXPERIMENT})["run"]["info"]["run_id"]
            connection.ask("POST", f"{API}/runs/log-metric", {"run_id": run, "key": "x", "value": 1, "timestamp": 1, "step": 0})
            connection.ask("PUT", f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/file", bytes(100_000))
            return
        except Gone:
            expect(time.monotonic() < deadline, f"there was room again for {RECOVERS_SECONDS} s, and the server still refuses:\n{server.log_text()}")
            time.sleep(0.1)


def a_full_disk_loses_nothing_acknowledged_and_recovers_when_there_is_room():
    server = Server(arguments=["--disk-free-min", "0"])
    with SmallDisk(server.home) as disk:
        server.data = disk.path / "data"
        with server:
            disk.fill_up_to(LEFT_BYTES)
            ledgers, writes = write_until_refused(server, "full")
            expect(writes > 20, f"only {writes} writes were acknowledged, so this proves little")
            check(server, ledgers)  # while it is full
            disk.ballast.unlink()
            write_again(server)
            check(server, ledgers)
            expect(server.stop() == 0, "the server did not end well")
            server.start()
            check(server, ledgers)


def a_server_killed_on_a_full_disk_has_everything_acknowledged_when_there_is_room():
    server = Server(arguments=["--disk-free-min", "0"])
    with SmallDisk(server.home) as disk:
        server.data = disk.path / "data"
        with server:
            disk.fill_up_to(LEFT_BYTES)
            ledgers, _ = write_until_refused(server, "killed")
            server.kill()
            try:
                server.start()  # it may come up and serve what there is, or say that there is no room
                check(server, ledgers)
            except RuntimeError as error:
                expect("full" in str(error) or "No space left" in str(error), f"a server on a full disk did not start, and did not say why: {error}")
            disk.ballast.unlink()
            if server.process.poll() is None:
                server.kill()
            server.start()
            check(server, ledgers)
            write_again(server)


TESTS = (a_full_disk_loses_nothing_acknowledged_and_recovers_when_there_is_room, a_server_killed_on_a_full_disk_has_everything_acknowledged_when_there_is_room)
