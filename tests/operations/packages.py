"""The tarball, as somebody tries it out who is not root: unpacked anywhere, started, asked, stopped. And the unit of the
service, as systemd reads it. Packages are made from the programs as they are built."""
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request

import command
from server import ROOT, clean_environment
from server_deaths import expect
from skip import Skip

START_SECONDS_MAX = 30


def run(words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, **options)


def as_somebody():
    """What makes a child an ordinary user when we are root."""
    if not command.is_root():
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Unpacked:
    """The tarball in a folder of its own, which the user that tries it out may write to."""

    def __enter__(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="slipway-tarball-"))
        made = run([ROOT / "packaging/build", "tarball"], env={**os.environ, "OUT": str(self.home), "GZIP": "-1"})
        expect(made.returncode == 0, f"the tarball could not be made:\n{made.stdout}{made.stderr}")
        run(["tar", "-xzf", next(self.home.glob("*.tar.gz")), "-C", self.home])
        self.root = next(path for path in self.home.iterdir() if path.is_dir())
        if command.is_root():
            shutil.chown(self.home, "nobody")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.home, ignore_errors=True)

    def environment(self):
        return {**clean_environment(), "HOME": str(self.home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}


def libraries_of(program):
    """Where the loader finds what a program needs."""
    return [line.split("=> ")[1].split(" (")[0].strip() for line in run(["ldd", program]).stdout.splitlines() if "=> " in line]


def needs_nothing_but_libc(package):
    of_libc = re.compile(r"/(libc|libm|libdl|librt|libpthread|libresolv|ld-linux[^/]*)\.so")
    for name in ("slipway-server", "slipway-worker"):
        outside = [path for path in libraries_of(package.root / "bin" / name) if not path.startswith(str(package.root)) and not of_libc.search(path)]
        expect(not outside, f"{name} of the tarball takes libraries from the machine: {outside}")


def serves(package):
    server = subprocess.Popen([package.root / "bin/slipway", "server", "--data", package.home / "data", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, cwd=package.home, env=package.environment(), **as_somebody())
    try:
        url = re.search(r"http://\S+", server.stdout.readline() or "")
        expect(url, f"the server of the tarball did not start: {server.poll()} {server.stdout.read() if server.poll() is not None else ''}")
        with urllib.request.urlopen(f"{url[0]}/healthz", timeout=START_SECONDS_MAX) as answer:
            expect(answer.read() == b"ok", "it is not healthy")
        status = run([package.root / "bin/slipway", "--server", url[0], "status"], env=package.environment(), **as_somebody())
        expect(status.returncode == 0 and "sqlite" in status.stdout, f"its command line says: {status.stdout}{status.stderr}")
    finally:
        server.send_signal(signal.SIGTERM)
        ended = server.wait(START_SECONDS_MAX)
    expect(ended == 0, f"it ended with {ended} on SIGTERM")


def the_tarball_runs_without_root_and_without_the_machines_libraries():
    with Unpacked() as package:
        needs_nothing_but_libc(package)
        serves(package)


def systemd_takes_the_unit():
    if not shutil.which("systemd-analyze"):
        raise Skip("there is no systemd-analyze here")
    with tempfile.TemporaryDirectory(prefix="slipway-unit-") as folder:
        # The program that the unit names need not be installed for its syntax to be read.
        text = (ROOT / "packaging/systemd/slipway-server.service").read_text().replace("/usr/bin/slipway-server", "/bin/true")
        unit = pathlib.Path(folder) / "slipway-server.service"
        unit.write_text(text)
        said = run(["systemd-analyze", "verify", "--man=no", unit])
        ours = [line for line in (said.stdout + said.stderr).splitlines() if "slipway" in line]
        expect(not ours, "systemd does not like the unit:\n" + "\n".join(ours))


TESTS = (the_tarball_runs_without_root_and_without_the_machines_libraries, systemd_takes_the_unit)
