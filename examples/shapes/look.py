"""How bright the scenes are and what they show, as a small JSON file: what one wants to know of data before training on it."""

import collections
import json
import pathlib
import sys

import numpy

from pictures import read_png

NAMES = ["ground", "disc", "square", "triangle"]


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    pixels, brightness = collections.Counter(), []
    for file in sorted((folder / "rgb").rglob("*.png")):
        brightness.append(read_png(file.read_bytes()).mean() / 255)
        mask = read_png((folder / "mask" / file.relative_to(folder / "rgb")).read_bytes())
        for value, count in zip(*numpy.unique(mask, return_counts=True)):
            pixels[NAMES[value]] += int(count)
    whole = sum(pixels.values())
    found = {"scenes": len(brightness), "brightness": [round(float(q), 3) for q in numpy.quantile(brightness, [0, 0.5, 1])],
             "share": {name: round(pixels[name] / whole, 4) for name in NAMES}}
    out.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
