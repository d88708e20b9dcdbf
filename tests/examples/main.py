"""Takes the README's first ten minutes and the examples through the whole job, command by command, on servers of their own.

    tests/examples/run                  everything
    tests/examples/run --keep           leaves each server running at the end, and prints its URL
"""
import argparse
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
sys.dont_write_bytecode = True
from server import Server  # noqa: E402
from readme import FirstTenMinutes  # noqa: E402
from shapes import Shapes  # noqa: E402
from source import Source  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    counts = [Source().play()]
    for story in (FirstTenMinutes, Shapes):
        with tempfile.TemporaryDirectory(prefix="slipway-example-") as folder, Server() as server:
            print(f"--- {story.__name__}", flush=True)
            counts.append(story(server, pathlib.Path(folder)).play())
            if counts[-1][1]:
                print(server.log_text(4000))
            if options.keep:
                input(f"The server answers at {server.url}; press Enter to end it. ")
    passed, failed = (sum(column) for column in zip(*counts))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
