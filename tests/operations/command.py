"""Runs the command line as an operator does."""
import json
import os
import subprocess

from server import clean_environment, program

SECONDS_MAX = 300


def environment(url=None, token=None, home=None):
    settings = {**clean_environment(), "LC_ALL": "C.UTF-8"}
    settings |= {name: value for name, value in (("SLIPWAY_URL", url), ("SLIPWAY_TOKEN", token), ("HOME", home and str(home))) if value}
    return settings


def start(*words, cwd=None, **settings):
    """`slipway words…`, running."""
    return subprocess.Popen([program("slipway"), *map(str, words)], cwd=cwd, env=environment(**settings), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def slipway(*words, expect=0, **settings):
    """Runs `slipway words…` to its end, which must be `expect`; answers what it printed."""
    done = start(*words, **settings)
    try:
        said, _ = done.communicate(timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        done.kill()
        raise
    assert done.returncode == expect, f"slipway {' '.join(map(str, words))} ended with {done.returncode}, expected {expect}:\n{said}"
    return said


def slipway_json(*words, **settings):
    """Runs `slipway -o json words…`, which must succeed; answers the document it printed."""
    done = subprocess.run([program("slipway"), "-o", "json", *map(str, words)], env=environment(**settings), capture_output=True, text=True, timeout=SECONDS_MAX)
    assert done.returncode == 0, f"slipway -o json {' '.join(map(str, words))} ended with {done.returncode}:\n{done.stderr}"
    return json.loads(done.stdout)


def is_root():
    return os.geteuid() == 0
