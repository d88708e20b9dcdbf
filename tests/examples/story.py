"""A story: named steps that build on each other, told in the order in which they are written."""
import time

_count = 0


class Failed(Exception):
    """A step found something else than it should; the text says what."""


def expect(holds, found):
    if not holds:
        raise Failed(found if isinstance(found, str) else repr(found))


def step(function):
    """What follows needs it: after its failure the rest is counted as failed without being tried."""
    return _mark(function, "step")


def aside(function):
    """Nothing needs it: the story goes on after its failure."""
    return _mark(function, "aside")


def _mark(function, kind):
    global _count
    _count += 1
    function.place, function.kind = _count, kind
    return function


class Story:
    """Its marked methods are the steps; their names are the promises. A step may answer a sentence that is shown."""

    def play(self):
        """Answers how many passed and how many failed."""
        passed, failed, broken = 0, 0, ""
        steps = sorted((value for value in vars(type(self)).values() if hasattr(value, "place")), key=lambda one: one.place)
        for one in steps:
            started = time.monotonic()
            if broken:
                failed += 1
                print(f"FAILED  {one.__name__}: not tried, because {broken} failed", flush=True)
                continue
            try:
                said = one(self)
                passed += 1
                print(f"ok      {one.__name__} ({time.monotonic() - started:.1f} s){': ' + said if said else ''}", flush=True)
            except Exception as problem:  # whatever it is, the story says where it ended
                failed += 1
                broken = one.__name__ if one.kind == "step" else ""
                print(f"FAILED  {one.__name__} ({time.monotonic() - started:.1f} s): {type(problem).__name__}: {problem}", flush=True)
        return passed, failed
