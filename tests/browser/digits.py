"""Pictures of seven-segment digits and a model that reads them, made with nothing but the standard library."""
import random
import struct
import zlib

SIDE = 28
#            a      b      c      d      e      f      g
SEGMENTS = {"a": (6, 4, 22, 7), "b": (19, 4, 22, 15), "c": (19, 13, 22, 24), "d": (6, 21, 22, 24), "e": (6, 13, 9, 24), "f": (6, 4, 9, 15), "g": (6, 12, 22, 15)}
SHAPES = ["abcdef", "bc", "abdeg", "abcdg", "bcfg", "acdfg", "acdefg", "abc", "abcdefg", "abcdfg"]


def pixels(digit, noise=0, seed=0, shift=0):
    """28 rows of 28 grey values of one digit."""
    rows = [[0] * SIDE for _ in range(SIDE)]
    for segment in SHAPES[digit]:
        left, top, right, bottom = SEGMENTS[segment]
        for y in range(top, bottom):
            for x in range(left, right):
                rows[y][min(SIDE - 1, x + shift)] = 255
    chance = random.Random(seed * 10 + digit)
    return [[max(0, min(255, value + chance.randint(-noise, noise))) for value in row] for row in rows]


def png(rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))) + chunk(b"IEND", b"")


# --- ONNX, as its protobuf is on the wire -----------------------------------------------------------------------------
def _varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _field(number, value):
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    value = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _tensor(name, shape, values):
    return b"".join(_field(1, size) for size in shape) + _field(2, 1) + _field(8, name) + _field(9, struct.pack(f"<{len(values)}f", *values))


def _value(name, shape):
    sizes = b"".join(_field(1, _field(2, size) if isinstance(size, str) else _field(1, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, sizes)))


def onnx(sharpness=0.35):
    """A network that holds a picture (N, 1, 28, 28; 0 to 1) against the ten digits: flatten, multiply, add, softmax."""
    templates = [[value / 255 for row in pixels(digit) for value in row] for digit in range(10)]
    weights = [templates[digit][i] * sharpness for i in range(SIDE * SIDE) for digit in range(10)]
    bias = [-0.5 * sharpness * sum(value * value for value in template) for template in templates]
    def node(kind, inputs, output):
        return b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, kind)
    graph = (_field(1, node("Flatten", ["image"], "flat")) + _field(1, node("MatMul", ["flat", "weights"], "product"))
             + _field(1, node("Add", ["product", "bias"], "logits")) + _field(1, node("Softmax", ["logits"], "probabilities"))
             + _field(2, "segments") + _field(5, _tensor("weights", [SIDE * SIDE, 10], weights)) + _field(5, _tensor("bias", [10], bias))
             + _field(11, _value("image", ["N", 1, SIDE, SIDE])) + _field(12, _value("probabilities", ["N", 10])))
    return _field(1, 8) + _field(2, "slipway-tests") + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13))
