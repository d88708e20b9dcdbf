"""Media of a step: pictures, sounds, videos, tables, plots, pages and texts, kept as artifacts under the names that docs/media.md tells."""
import csv
import io
import json
import math
import pathlib

from .media import file_bytes, masks_and_boxes, png, wav

AUDIO_HEADS = ((b"RIFF", "wav"), (b"ID3", "mp3"), (b"\xff\xfb", "mp3"), (b"\xff\xf3", "mp3"), (b"OggS", "ogg"), (b"fLaC", "flac"))
VIDEO_HEADS = ((b"\x1aE\xdf\xa3", "webm"), (b"OggS", "ogv"))
TABLE_HEADS = ((b"PAR1", "parquet"),)


def _kind_of(data, heads):
    return next((kind for head, kind in heads if data.startswith(head)), None)


class LoggedMedia:
    """What Run can log beside numbers. `key` may have slashes; `step` is a whole number. Each waits for the disk alone."""

    def image(self, key, image, step, masks=None, boxes=None, caption=None):
        """A picture, with masks and boxes over it: `image` is a PNG or JPEG file's path or bytes, or rows of gray values or of
        (red, green, blue). `masks` is {"name": rows of whole numbers}; `boxes` a list of {"x", "y", "width", "height"} in pixels, with
        "label" and "score" if you like."""
        about = masks_and_boxes(masks or {}, boxes or [])
        data, kind = png(image)
        file = f"{int(step):09d}"
        for mask, rows in (masks or {}).items():
            about["masks"][mask] = f"{file}.{mask}.png"
            self._media(key, step, f"{mask}.png", png(rows)[0])
        about["image"] = f"{file}.{kind}"
        self._media(key, step, kind, data)
        self._about(key, step, caption, about)

    def audio(self, key, sound, step, rate=None, caption=None):
        """A sound: the path or bytes of a WAV, MP3, Ogg or FLAC file, or numbers from -1 to 1, `rate` of them a second, of one channel or as
        rows of one number per channel."""
        if rate is not None:
            data, kind = wav(sound, rate), "wav"
        else:
            data = file_bytes(sound)
            kind = _kind_of(data, AUDIO_HEADS)
            if not kind:
                raise ValueError("the bytes are no WAV, MP3, Ogg or FLAC file; numbers need their rate, as in rate=16000")
        self._media(key, step, kind, data)
        self._about(key, step, caption)

    def video(self, key, video, step, caption=None):
        """A video: the path or bytes of an MP4, WebM or Ogg file."""
        data = file_bytes(video)
        kind = "mp4" if data[4:8] == b"ftyp" else _kind_of(data, VIDEO_HEADS)
        if not kind:
            raise ValueError("the bytes are no MP4, WebM or Ogg video")
        self._media(key, step, kind, data)
        self._about(key, step, caption)

    def table(self, key, table, step, columns=None, caption=None):
        """A table: {"column": values}, rows with their `columns`, anything with to_dict() such as a data frame, or the path or bytes of a
        CSV or Parquet file."""
        if isinstance(table, (str, pathlib.Path, bytes, bytearray, memoryview)):
            data = file_bytes(table)
            self._media(key, step, _kind_of(data, TABLE_HEADS) or _checked_csv(data), data)
        else:
            self._media(key, step, "table.json", json.dumps(_split(table, columns), default=str).encode())
        self._about(key, step, caption)

    def plot(self, key, figure, step, caption=None):
        """A plot: a figure of Plotly or Altair (anything with to_json()), or the same as a dictionary: {"data": …, "layout": …} of Plotly's, or
        a Vega-Lite specification with its "$schema"."""
        found = json.loads(figure.to_json()) if hasattr(figure, "to_json") else figure
        if not isinstance(found, dict) or not ("data" in found or "$schema" in found):
            raise ValueError('a plot has "data" and "layout" as Plotly has them, or a "$schema" as Vega-Lite has it')
        kind = "vega" if "vega" in str(found.get("$schema", "")) else "plot"
        self._media(key, step, f"{kind}.json", json.dumps(_finite(found)).encode())
        self._about(key, step, caption)

    def html(self, key, page, step, caption=None):
        """A page of HTML, shown in a frame that has no access to anything: scripts and styles must be inside of it."""
        self._media(key, step, "html", str(page).encode())
        self._about(key, step, caption)

    def text(self, key, text, step, markdown=False, caption=None):
        self._media(key, step, "md" if markdown else "txt", str(text).encode())
        self._about(key, step, caption)

    def _media(self, key, step, ending, data):
        if any(part in ("", ".", "..") for part in key.split("/")) or "\\" in key or "\0" in key:
            raise ValueError(f"'{key}' is no key of media; expected words with slashes between them, such as val/samples")
        self.artifact_bytes(data, f"media/{key}/{int(step):09d}.{ending}")

    def _about(self, key, step, caption, about=None):
        if about is not None or caption is not None:
            told = {**(about or {}), "step": int(step), "key": key, "caption": caption}
            self._media(key, step, "json", json.dumps(told).encode())


def _split(table, columns):
    """{"columns": […], "data": [[…], …]}, as MLflow's log_table writes it."""
    if hasattr(table, "to_dict"):
        table = table.to_dict("list")
    if isinstance(table, dict):
        columns, lists = list(table), [list(values) for values in table.values()]
        if len({len(values) for values in lists}) > 1:
            raise ValueError("the columns of a table need the same number of values")
        rows = [list(row) for row in zip(*lists)]
    else:
        if columns is None:
            raise ValueError('rows need the names of their columns, as in columns=["label", "score"]')
        rows = [list(row) for row in table]
        if any(len(row) != len(columns) for row in rows):
            raise ValueError(f"a row of a table with {len(columns)} columns has another number of values")
    return {"columns": [str(column) for column in columns], "data": [[_plain(value) for value in row] for row in rows]}


def _plain(value):
    """A number of Python's instead of a library's; NaN and infinities, which JSON cannot write, as texts."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _finite(value):
    """The same with nothing where JSON has no number."""
    if isinstance(value, dict):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _checked_csv(data):
    try:
        next(csv.reader(io.StringIO(data[:65536].decode("utf-8", errors="strict" if len(data) <= 65536 else "ignore"))), None)
    except (UnicodeDecodeError, csv.Error):
        raise ValueError("the bytes are no Parquet and no CSV file") from None
    return "csv"
