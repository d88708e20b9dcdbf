"""Pictures and sounds as bytes, without a library: PNG from rows of numbers, WAV from samples; masks and boxes as JSON beside them."""
import array
import io
import pathlib
import struct
import sys
import wave
import zlib

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
JPEG_HEAD = b"\xff\xd8\xff"
PIXELS_MAX = 64 << 20
SAMPLES_MAX = 256 << 20


def file_bytes(file):
    """The bytes of a file by its path, or the bytes themselves."""
    if isinstance(file, (str, pathlib.Path)):
        return pathlib.Path(file).read_bytes()
    if isinstance(file, (bytes, bytearray, memoryview)):
        return bytes(file)
    raise ValueError(f"expected a file's path or its bytes, not {type(file).__name__}")


def png(image):
    """(bytes, "png" or "jpg") of a picture: the path or bytes of a PNG or JPEG file, or rows of numbers from 0 to 255, or of triples."""
    if isinstance(image, (str, pathlib.Path, bytes, bytearray, memoryview)):
        data = file_bytes(image)
        if data.startswith(PNG_HEAD):
            return data, "png"
        if data.startswith(JPEG_HEAD):
            return data, "jpg"
        raise ValueError("the bytes are no PNG and no JPEG file")
    rows = image.tolist() if hasattr(image, "tolist") else [list(row) for row in image]
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise ValueError("a picture needs rows of the same length")
    if len(rows) * len(rows[0]) > PIXELS_MAX:
        raise ValueError(f"the picture has more than {PIXELS_MAX} pixels")
    return _encode(rows), "png"


def _encode(rows):
    is_color = isinstance(rows[0][0], (list, tuple))
    try:
        lines = [b"\0" + bytes([int(c) for pixel in row for c in pixel] if is_color else [int(v) for v in row]) for row in rows]
    except ValueError:
        raise ValueError("a picture's numbers go from 0 to 255") from None
    if is_color and any(len(pixel) != 3 for row in rows for pixel in row):
        raise ValueError("a coloured pixel is (red, green, blue)")
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2 if is_color else 0, 0, 0, 0)
    return PNG_HEAD + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(b"".join(lines))) + _chunk(b"IEND", b"")


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def wav(samples, rate):
    """A WAV file of 16 bits from numbers between -1 and 1: of one channel, or rows of one number per channel."""
    rows = samples.tolist() if hasattr(samples, "tolist") else list(samples)
    if not rows:
        raise ValueError("a sound needs samples")
    channels = len(rows[0]) if isinstance(rows[0], (list, tuple)) else 1
    flat = rows if channels == 1 and not isinstance(rows[0], (list, tuple)) else [value for row in rows for value in row]
    if len(flat) != len(rows) * channels:
        raise ValueError("every row of a sound needs a number for each channel")
    if len(flat) > SAMPLES_MAX:
        raise ValueError(f"the sound has more than {SAMPLES_MAX} samples")
    words = array.array("h", [round(max(-1.0, min(1.0, value)) * 32767) for value in flat])
    if sys.byteorder == "big":
        words.byteswap()
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(int(rate))
        file.writeframes(words.tobytes())
    return out.getvalue()


def masks_and_boxes(masks, boxes):
    """What is written beside a picture: {"masks": {name: file}, "boxes": […]}; the files are named by who writes them."""
    for name in masks:
        if not name or "/" in name:
            raise ValueError(f"'{name}' is no name of a mask; expected letters, digits and the like, without '/'")
    out = []
    for box in boxes:
        unknown = set(box) - {"x", "y", "width", "height", "label", "score"}
        if unknown:
            raise ValueError(f"a box has no '{sorted(unknown)[0]}'; expected x, y, width, height, and label and score if you like")
        out.append({key: float(box[key]) for key in ("x", "y", "width", "height")} |
                   {key: box[key] for key in ("label", "score") if key in box})
    return {"masks": {}, "boxes": out}
