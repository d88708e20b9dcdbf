"""The journal of a run, in the format that src/imports/journal.h describes: frames with a checksum, which a torn end does not hurt."""
import struct
import zlib

MAGIC = b"SLIPWAY-JOURNAL-1\n"
POINT = struct.Struct("<Iqqd")  # metric, step, time in ms, value
HEAD = struct.Struct("<II")     # length and CRC-32 of the payload
POINTS_PER_FRAME = 8192


def frame(payload):
    return HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def metric(number, name):
    return frame(b"K" + struct.pack("<I", number) + name.encode())


def points(found):
    """Frames of (metric, step, time, value) tuples."""
    pack = POINT.pack
    out = []
    for start in range(0, len(found), POINTS_PER_FRAME):
        out.append(frame(b"P" + b"".join([pack(*point) for point in found[start:start + POINTS_PER_FRAME]])))
    return b"".join(out)


def pair(kind, key, value):
    """`kind` is b"A" (parameter), b"T" (tag) or b"F" (file)."""
    encoded = key.encode()
    return frame(kind + struct.pack("<I", len(encoded)) + encoded + value.encode())


def end(at_ms, status):
    return frame(b"E" + struct.pack("<q", at_ms) + status.encode())


def frames(data):
    """The payloads of all whole frames behind the magic, each with the offset behind it."""
    offset = len(MAGIC)
    while offset + HEAD.size <= len(data):
        length, crc = HEAD.unpack_from(data, offset)
        payload = data[offset + HEAD.size:offset + HEAD.size + length]
        if len(payload) < length or zlib.crc32(payload) != crc:
            return
        offset += HEAD.size + length
        yield payload, offset
