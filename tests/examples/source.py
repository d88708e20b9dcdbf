"""What holds of the sources, whichever example there is."""
import pathlib
import re

from story import Story, aside, expect

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Words of help, comments and error sentences may speak of an example; a literal that is nothing but its name is a special case.
LITERAL = re.compile(r'"(digits|digit|mnist|shapes|inverted|night|disc|square|triangle)"')


def code_lines(file):
    """Lines without their comments."""
    for number, line in enumerate(file.read_text().splitlines(), 1):
        yield number, line.split("//")[0]


class Source(Story):
    @aside
    def no_program_knows_an_example(self):
        found = []
        for file in sorted((ROOT / "src").rglob("*")):
            if file.suffix not in (".cc", ".h") or file.stem.endswith(("_test", "_fuzz")):
                continue
            name = str(file.relative_to(ROOT))
            for number, line in code_lines(file):
                found += [f"{name}:{number}: {word}" for word in LITERAL.findall(line)]
        expect(not found, "special cases of an example: " + ", ".join(found))

    @aside
    def no_example_knows_slipway(self):
        """Code that trains, draws or looks freezes on mlflow, files and arguments alone."""
        for file in sorted((ROOT / "examples").rglob("*.py")):
            lines = [line for line in file.read_text().splitlines() if re.search(r"\bslipway\b", line) and re.search(r"\b(import|http|urllib|subprocess)\b", line)]
            expect(not lines, f"{file.relative_to(ROOT)} speaks to Slipway: {lines}")
