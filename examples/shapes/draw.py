"""Draws scenes with discs, squares and triangles, each with the mask that says which pixel belongs to what.

    /usr/bin/python3 draw.py OUT

makes OUT/main (to train on), OUT/test (to evaluate on) and OUT/production (what is asked later: every second scene at night,
as nothing in main or test is). Each of them has rgb/SITE/NAME.png (48 x 48, colour) and mask/SITE/NAME.png (a palette of four
values: 0 ground, 1 disc, 2 square, 3 triangle). The same seed always gives the same files.

Needs numpy and nothing beyond Python's standard library.
"""

import pathlib
import sys

import numpy

from pictures import write_png

SIDE = 48
SPLITS = {"main": 480, "test": 480, "production": 450}
SITES = {"dock": (70, 90, 120), "hall": (110, 100, 80), "yard": (80, 110, 70)}  # the colour of the ground
DISC, SQUARE, TRIANGLE = 1, 2, 3
PALETTE = [(0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115)]
SEED = 11


def inside(kind, x, y, size):
    """Where a shape of that size around the origin is; its outline is at `size` from the middle."""
    if kind == DISC:
        return x * x + y * y <= size * size
    if kind == SQUARE:
        return numpy.maximum(abs(x), abs(y)) <= 0.85 * size
    return (y <= 0.6 * size) & (y >= 1.8 * abs(x) - size)


def scene(chance, ground):
    """(rgb as float [SIDE, SIDE, 3] in 0..255, mask)."""
    y, x = numpy.mgrid[0:SIDE, 0:SIDE].astype(float)
    slope = chance.uniform(-0.5, 0.5, 2)
    rgb = numpy.array(ground, float) + (slope[0] * (x - SIDE / 2) + slope[1] * (y - SIDE / 2))[..., None]
    mask = numpy.zeros((SIDE, SIDE), numpy.uint8)
    for _ in range(chance.integers(1, 4)):
        kind = int(chance.integers(1, 4))
        size = chance.uniform(6.5, 12)
        middle = chance.uniform(size, SIDE - size, 2)
        turn = chance.uniform(-0.4, 0.4)
        dx, dy = x - middle[0], y - middle[1]
        where = inside(kind, dx * numpy.cos(turn) + dy * numpy.sin(turn), dy * numpy.cos(turn) - dx * numpy.sin(turn), size)
        rgb[where] = chance.uniform(150, 245, 3)
        mask[where] = kind
    return rgb + chance.normal(0, 6, rgb.shape), mask


def at_night(rgb, chance):
    """Moonlight: dark and bluish, with a noisier camera."""
    return 0.28 * rgb * numpy.array([0.6, 0.8, 1.2]) + chance.normal(0, 4, rgb.shape)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    for number, (split, count) in enumerate(SPLITS.items()):
        chance = numpy.random.default_rng([SEED, number])
        for index in range(count):
            site = sorted(SITES)[index % len(SITES)]
            rgb, mask = scene(chance, SITES[site])
            if split == "production" and index % 2 == 1:
                rgb = at_night(rgb, chance)
            for kind, content in (("rgb", write_png(rgb.clip(0, 255))), ("mask", write_png(mask, PALETTE))):
                file = out / split / kind / site / f"{split}-{index:04d}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
    print(f"{sum(SPLITS.values())} scenes in {out}")


if __name__ == "__main__":
    main()
