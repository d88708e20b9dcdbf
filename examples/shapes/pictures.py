"""PNG files as numpy arrays, with nothing beyond numpy and the standard library."""

import struct
import zlib

import numpy

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE = 0, 2, 3  # colour types of PNG


def chunk(kind, payload):
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def write_png(pixels, palette=None):
    """[height, width, 3] as an RGB file, [height, width] as grey, or as indexes into a palette of (r, g, b)."""
    height, width = pixels.shape[:2]
    kind = RGB if pixels.ndim == 3 else PALETTE if palette else GREY
    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(numpy.uint8))
    colours = chunk(b"PLTE", bytes(value for colour in palette for value in colour)) if palette else b""
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + colours + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def read_png(data):
    """The bytes as they are stored: [height, width, 3] of RGB, [height, width] of grey or of a palette. 8 bits, not interlaced."""
    if not data.startswith(SIGNATURE):
        raise ValueError("not a PNG")
    packed, at = b"", len(SIGNATURE)
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        payload = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", payload)
        elif kind == b"IDAT":
            packed += payload
        at += length + 12
    if bits != 8 or interlaced or colour not in (GREY, RGB, PALETTE):
        raise ValueError(f"a PNG of {bits} bits, colour type {colour}, interlaced {interlaced}; expected 8 bits, grey, RGB or palette, not interlaced")
    channels = 3 if colour == RGB else 1
    rows = unfilter(zlib.decompress(packed), height, width * channels, channels)
    return rows.reshape(height, width, 3) if colour == RGB else rows


def unfilter(raw, height, row_bytes, step):
    """Undoes the five ways in which a PNG writes a row as differences from its neighbours."""
    lines = numpy.frombuffer(raw, numpy.uint8).reshape(height, row_bytes + 1)
    out = numpy.zeros((height + 1, row_bytes + step), numpy.uint8)  # a row and a pixel of zeros in front
    for y in range(height):
        method, line = lines[y, 0], lines[y, 1:]
        row, above = out[y + 1], out[y]
        if method == 0:
            row[step:] = line
        elif method == 2:
            row[step:] = line + above[step:]
        else:
            for x in range(row_bytes):
                left, up, corner = int(row[x]), int(above[x + step]), int(above[x])
                guess = left if method == 1 else (left + up) // 2 if method == 3 else nearest_of_three(left, up, corner)
                row[x + step] = (int(line[x]) + guess) & 255
    return out[1:, step:]


def nearest_of_three(left, up, corner):
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
