"""The text form of scenarios: parse, print, mask. README.md describes the grammar. Knows nothing of servers."""
import dataclasses
import json
import re

COLUMNS = 110  # JSON that fits is one line

# What differs from run to run, in strings of JSON and in text. A captured variable goes before all of these.
MASKS = [
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<UUID>"),
    (re.compile(r"\bm-[0-9a-f]{32}\b"), "<LOGGED_MODEL_ID>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<RUN_ID>"),
    (re.compile(r"\b0[0-9a-hjkmnp-tv-z]{25}\b", re.IGNORECASE), "<ID>"),
    (re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?"), "<TIME>"),
]
EPOCH_MS = range(1_600_000_000_000, 2_600_000_000_000)


class BadScenario(Exception):
    """A file that is no scenario; the message names file, line and what was expected."""


@dataclasses.dataclass
class Step:
    name: str            # the promise, from the `## ` line
    head: list           # lines between the `## ` line and `----`, as they stand in the file
    expected: list       # lines after `----`
    line: int            # of the `## ` line
    # What head says:
    kind: str = ""       # "http", "shell", "raw", "restart", "kill" or "away"
    target: str = ""     # "GET /healthz", the command, or how many seconds
    headers: list = dataclasses.field(default_factory=list)
    body: list = dataclasses.field(default_factory=list)      # of ("text" | "expression", line)
    captures: list = dataclasses.field(default_factory=list)  # of (variable, path)
    masks: list = dataclasses.field(default_factory=list)     # JSON keys
    omits: list = dataclasses.field(default_factory=list)     # JSON keys
    shows: list = dataclasses.field(default_factory=list)     # header names
    until: tuple = ()    # (path, value)


@dataclasses.dataclass
class Scenario:
    path: str
    prelude: list                                             # lines before the first step
    steps: list
    arguments: list = dataclasses.field(default_factory=list)  # of the server
    masks: list = dataclasses.field(default_factory=list)
    only: tuple = ()                                          # (database, reason)


WITHOUT_ANSWER = ("restart", "kill", "away")  # what is done to the server itself
METHODS = ("GET ", "HEAD ", "POST ", "PUT ", "PATCH ", "DELETE ", "OPTIONS ")


def parse(path, text):
    """Text to Scenario; render is its inverse."""
    scenario = Scenario(path, [], [])
    step, in_answer = None, False
    for number, line in enumerate(text.rstrip("\n").split("\n"), 1):
        if line.startswith("## "):
            step, in_answer = Step(line[3:], [], [], number), False
            scenario.steps.append(step)
        elif step is None:
            scenario.prelude.append(line)
        elif not in_answer and line == "----":
            in_answer = True
        else:
            (step.expected if in_answer else step.head).append(line)
    for step in scenario.steps:
        while step.expected and step.expected[-1] == "":
            step.expected.pop()
        _read_head(path, step)
    _read_prelude(path, scenario)
    return scenario


def _read_prelude(path, scenario):
    for number, line in enumerate(scenario.prelude, 1):
        word, _, rest = line.partition(" ")
        if word == "server":
            scenario.arguments += rest.split()
        elif word == "mask":
            scenario.masks += rest.split()
        elif word == "only":
            database, _, reason = rest.partition(": ")
            scenario.only = (database, reason)
        elif line and not line.startswith("#"):
            raise BadScenario(f"{path}:{number}: '{line}' is none of `# comment`, `server FLAGS`, `mask KEYS`, `only DATABASE: reason`")


def _read_head(path, step):
    for offset, line in enumerate(step.head, 1):
        word, _, rest = line.partition(" ")
        if line.startswith("# ") or line == "":
            pass
        elif line.startswith(METHODS):
            step.kind, step.target = "http", line
        elif word == "$":
            step.kind, step.target = "shell", rest
        elif line in ("RAW", "restart", "kill"):
            step.kind = line.lower()
        elif re.fullmatch(r"away \d+", line):
            step.kind, step.target = "away", rest
        elif word == ">" or line == ">":
            step.body.append(("text", rest))
        elif word == ">!":
            step.body.append(("expression", rest))
        elif word == "capture":
            variable, _, field = rest.partition(" ")
            step.captures.append((variable, field))
        elif word == "mask":
            step.masks += rest.split()
        elif word == "omit":
            step.omits += rest.split()
        elif word == "show":
            step.shows.append(rest)
        elif word == "until":
            field, _, value = rest.partition(" = ")
            step.until = (field, value)
        elif re.match(r"[\w-]+: ", line):
            name, _, value = line.partition(": ")
            step.headers.append((name, value))
        else:
            raise BadScenario(f"{path}:{step.line + offset}: '{line}' is no request, header, `> body`, `>! expression`, "
                              "capture, mask, omit, show or until")
    if not step.kind:
        raise BadScenario(f"{path}:{step.line}: '{step.name}' has no request, command, RAW, restart, kill or away")


def render(scenario):
    """Scenario to text, with each step's `expected` as it is now."""
    out = list(scenario.prelude)
    for step in scenario.steps:
        out += [f"## {step.name}", *step.head]
        if step.kind not in WITHOUT_ANSWER:
            out += ["----", *step.expected, ""]
        elif not step.head or step.head[-1] != "":
            out.append("")
    return "\n".join(out).rstrip("\n") + "\n"


def field_of(document, path):
    """The value at `runs[0].info.run_id`; None where there is none."""
    for part in re.findall(r"[^.\[\]]+|\[\d+\]", path):
        try:
            document = document[int(part[1:-1])] if part.startswith("[") else document[part]
        except (KeyError, IndexError, TypeError):
            return None
    return document


class Masker:
    """Replaces what differs between runs: captured values first, then what looks like an id or a time."""

    def __init__(self, values, keys, omitted=()):
        self._values = sorted(((str(value), f"<{name}>") for name, value in values.items() if str(value)), key=lambda v: -len(v[0]))
        self._keys = set(keys)
        self._omitted = set(omitted)

    def text(self, text):
        for value, name in self._values:
            if len(value) > 3 and not value.isdigit():
                text = text.replace(value, name)
            else:  # short values and numbers also occur inside of other words and numbers
                text = re.sub(rf"(?<![\w.]){re.escape(value)}(?!\w|\.\d)", name, text)
        for pattern, name in MASKS:
            text = pattern.sub(name, text)
        return text

    def json(self, value, key=None):
        if key in self._keys and value is not None:
            return f"<{key.upper()}>"
        if isinstance(value, dict):
            return {self.text(name): self.json(item, name) for name, item in value.items() if name not in self._omitted}
        if isinstance(value, list):
            return [self.json(item) for item in value]
        if isinstance(value, str):
            return "<TIME>" if value.isdigit() and int(value) in EPOCH_MS else self._string(value)
        if isinstance(value, int) and not isinstance(value, bool):
            if value in EPOCH_MS or value // 1000 in EPOCH_MS:
                return "<TIME>"
        return value

    def _string(self, text):
        for value, name in self._values:
            if text == value:
                return name
        long_values = Masker({name[1:-1]: value for value, name in self._values if len(value) > 3}, ())
        return long_values.text(text)


def format_json(value, indent=0):
    """JSON for people: what fits stands on one line, the rest is broken at its outermost level."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= COLUMNS or not isinstance(value, (dict, list)) or not value:
        return line
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        items = [f"{inner}{json.dumps(key, ensure_ascii=False)}: {format_json(item, indent + 2)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + "\n" + " " * indent + "}"
    return "[\n" + ",\n".join(inner + format_json(item, indent + 2) for item in value) + "\n" + " " * indent + "]"


def same(expected, found):
    """Whether two answers are equal, whatever the layout of their JSON."""
    return expected == found or _normal(expected) == _normal(found)


def _normal(lines):
    for start, line in enumerate(lines):
        if line[:1] in "{[" and line:
            try:
                return [*lines[:start], format_json(json.loads("\n".join(lines[start:])))]
            except ValueError:
                return lines
    return lines
