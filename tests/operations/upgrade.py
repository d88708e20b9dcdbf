"""Data folders as earlier versions wrote them, opened by this one. Each folder of fixtures/ is one: the database as SQL of
either kind, the blobs, and read.test, a scenario whose answers must not change. record_fixture makes a new one."""
import base64
import importlib.machinery
import importlib.util
import pathlib
import shutil
import sqlite3
import subprocess

from server import ROOT, Server
from server_deaths import expect

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"
SCENARIOS = ROOT / "tests/scenarios"


def load_program(name, path):
    """A Python program without the ending .py, as a module."""
    spec = importlib.util.spec_from_loader(name, importlib.machinery.SourceFileLoader(name, str(path)))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


scenarios = load_program("scenarios_run", SCENARIOS / "run")


def play(server, file):
    """Plays a scenario on a server that runs; answers the text of what differs."""
    parsed = scenarios.texts.parse(file.name, file.read_text())
    shutil.rmtree(server.home / "folder", ignore_errors=True)  # of a scenario played before
    player, differences = scenarios.Player(parsed, server), []
    for step in parsed.steps:
        found = player.play(step)
        if not scenarios.texts.same(step.expected, found):
            differences.append(scenarios.difference(file.name, step, found))
        step.expected = found
    return parsed, differences


# --- a data folder as text ------------------------------------------------------------------------------------------------

def sqlite_text(file):
    with sqlite3.connect(file) as database:
        return "\n".join(database.iterdump()) + "\n"


def postgres_text(url):
    """Plain SQL; without the settings that only the version of pg_dump that wrote them knows, and psql's own commands."""
    out = subprocess.run(["pg_dump", "--inserts", "--no-owner", "--no-privileges", "--no-comments", url], capture_output=True, text=True, check=True).stdout
    return "".join(line for line in out.splitlines(True) if not line.startswith(("SET ", "SELECT pg_catalog.set_config", "\\", "--", "\n")))


def blobs_text(data):
    """A line of base64 for each blob."""
    return "".join(base64.b64encode(file.read_bytes()).decode() + "\n" for file in sorted((data / "store/blobs").glob("*/*")))


def lay_out(fixture, data, database):
    """Makes the data folder of a fixture, with its database in `database`, or in the folder when that is None."""
    data.mkdir(parents=True)
    (data / "format").write_text("1\n")
    if database:
        subprocess.run(["psql", "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--single-transaction", "--file", fixture / "postgresql.dump", database], check=True, stdout=subprocess.DEVNULL)
    else:
        with sqlite3.connect(data / "slipway.db") as made:
            made.executescript((fixture / "sqlite.dump").read_text())
        made.close()


def put_blobs(fixture, server):
    """The blobs go in by the front door: they are named by what they hold."""
    for line in (fixture / "blobs.txt").read_text().splitlines():
        server.call("POST", "/api/v1/blobs", base64.b64decode(line), {"Content-Type": "application/octet-stream"})


# --- tests ----------------------------------------------------------------------------------------------------------------

def every_earlier_data_folder_is_read_as_it_was(make_database):
    fixtures = sorted(FIXTURES.glob("schema-*"))
    expect(fixtures, "there is no fixture")
    for fixture in fixtures:
        server = Server(database=make_database())
        lay_out(fixture, server.data, server._database)
        with server:
            put_blobs(fixture, server)
            _, differences = play(server, fixture / "read.test")
            expect(not differences, f"{fixture.name} is read otherwise than it was written:\n" + "\n".join(differences))
            expect(server.stop() == 0, "the server did not end well")


def a_database_is_copied_before_its_schema_is_changed_and_the_copy_can_be_gone_back_to():
    fixture = min(FIXTURES.glob("schema-*"))
    number = int(fixture.name.split("-")[1])
    server = Server()
    lay_out(fixture, server.data, None)
    with server:
        copies = list(server.data.glob("slipway.db.schema-*"))
        expect(len(copies) == 1, f"there are {len(copies)} copies of a database of schema {number} that was upgraded")
        expect("was copied before its schema is changed" in server.log_text(), f"the log does not tell of the copy:\n{server.log_text()}")
        server.restart()
        expect(len(list(server.data.glob("slipway.db.schema-*"))) == 1, "a start without an upgrade made a copy")
        server.stop()
        # Going back: the copy takes the place of the database, and is one.
        for file in server.data.glob("slipway.db*"):
            if file != copies[0]:
                file.unlink()
        copies[0].rename(server.data / "slipway.db")
        server.start()
        expect(len(list(server.data.glob("slipway.db.schema-*"))) == 1, "the copy was not a database of the schema before")


def a_newer_data_folder_is_refused_with_the_version(make_database):
    with Server(database=make_database()) as server:
        server.stop()
        add_future_migration(server)
        try:
            server.start()
        except RuntimeError as error:
            expect("newer version" in str(error) and "9999" in str(error), f"refused without saying why: {error}")
            return
        raise AssertionError("a database of a newer version was opened")


def add_future_migration(server):
    sql = "INSERT INTO schema_migrations (number, name, applied_at) VALUES (9999, '9999_future', 0)"
    if server._database:
        subprocess.run(["psql", "--quiet", "--no-psqlrc", "--command", sql, server._database], check=True)
        return
    with sqlite3.connect(server.data / "slipway.db") as database:
        database.execute(sql)
    database.close()


TESTS = (a_database_is_copied_before_its_schema_is_changed_and_the_copy_can_be_gone_back_to,)
TESTS_PER_DATABASE = (every_earlier_data_folder_is_read_as_it_was, a_newer_data_folder_is_refused_with_the_version)
