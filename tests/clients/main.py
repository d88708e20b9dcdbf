"""Finds the tests of this folder and counts them."""
import importlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE)]
from counted import run_and_count  # noqa: E402

for file in sorted(HERE.glob("*_test.py")):
    module = importlib.import_module(file.stem)
    globals().update({f"{file.stem}_{name}": case for name, case in vars(module).items() if isinstance(case, type)})

if __name__ == "__main__":
    sys.exit(run_and_count())
