"""Media as training logs them: three runs with pictures (masks, boxes), sounds, tables, plots, pages, and what is broken or hostile."""
import json
import math
import pathlib
import struct
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "python"))
import slipway  # noqa: E402
from digits import onnx  # noqa: E402

WIDTH, HEIGHT = 64, 48
STEPS = range(0, 60, 10)
HOSTILE = "<img src=x onerror=alert(1)>"
PAGE = """<!doctype html><meta charset="utf-8"><title>report</title><style>p { color: rgb(10, 90, 10); }</style><p id="said">no script ran</p>
<script>let out = "reached the page around it"; try { parent.document.title = "taken"; } catch { out = "alone"; }
document.getElementById("said").textContent = out + ", größer";</script>"""
NOTEBOOK = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"language_info": {"name": "python"}}, "cells": [
    {"cell_type": "markdown", "metadata": {}, "source": ["### A look at the data\n", "with *words*"]},
    {"cell_type": "code", "execution_count": 3, "metadata": {}, "source": ["1 + 1"], "outputs": [
        {"output_type": "execute_result", "execution_count": 3, "metadata": {}, "data": {"text/plain": ["2"]}},
        {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["\x1b[31mValueError\x1b[0m: no"]}]}]}


def pixels(step, shift):
    """A gradient with a bright square that wanders."""
    left = 4 + step // 2 + shift
    return [[[255, 240, 200] if left <= x < left + 12 and 10 <= y < 24 else [x * 3, y * 4, 90 + shift * 8] for x in range(WIDTH)] for y in range(HEIGHT)], left


def giant():
    """The head of a picture of 900 megapixels, which is no larger than any other."""
    head = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(head)) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head)) + bytes(400)


def pictures(run, number):
    """The third run ended early; the second missed a step."""
    for step in STEPS:
        if (number == 2 and step > 30) or (number == 1 and step == 20):
            continue
        picture, left = pixels(step, 6 * number)
        mask = [[int(left <= x < left + 12 and 10 <= y < 24) + 2 * int(y > 38) for x in range(WIDTH)] for y in range(HEIGHT)]
        run.image("val/samples", picture, step, masks={"object": mask}, caption=f"step {step} of run {number}",
                  boxes=[{"x": left, "y": 10, "width": 12, "height": 14, "label": "square", "score": 0.5 + step / 200}])


def everything_else(run):
    run.audio("speech", [math.sin(n / 9) * math.sin(n / 2000) for n in range(16_000)], 50, rate=16_000, caption="a hum")
    run.table("worst", {"file": ["a.png", "b.png"], "loss": [0.123456, float("nan")], "right": [True, False]}, 50)
    run.plot("roc", {"data": [{"type": "scatter", "mode": "lines+markers", "name": "train", "x": [0, 0.5, 1], "y": [0, 0.8, 1]},
                              {"type": "scatter", "mode": "lines", "name": "test", "x": [0, 0.5, 1], "y": [0, 0.6, 1]}, {"type": "mesh3d"}],
                     "layout": {"title": {"text": "ROC"}, "xaxis": {"title": {"text": "false positives"}}}}, 50)
    run.plot("share", {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "mark": "bar",
                       "data": {"values": [{"class": "a", "share": 0.25}, {"class": "b", "share": 0.75}]},
                       "encoding": {"x": {"field": "class"}, "y": {"field": "share"}}}, 50)
    run.plot("confusion", {"data": [{"type": "heatmap", "x": ["a", "b"], "y": ["a", "b"], "z": [[9, 1], [2, 8]]}], "layout": {}}, 50)
    run.html("report", PAGE, 50)
    run.text("notes", "### Better\n\nthan *before*", 50, markdown=True)
    run.artifact_bytes(b"\x89PNG\r\n\x1a\n, and then nothing of it", "broken.png")
    run.artifact_bytes(giant(), "giant.png")
    run.text(HOSTILE, HOSTILE, 50, caption=HOSTILE)
    run.artifact_bytes(json.dumps({"columns": ["word", "count"], "data": [["one", 1], ["two", 2]]}).encode(), "words.json")
    run.artifact_bytes(json.dumps(NOTEBOOK).encode(), "look.ipynb")
    run.artifact_bytes(b"name;score\na;1.5\nb;2\n", "scores.csv")
    run.artifact_bytes(onnx(0.2), "net/model.onnx")
    run.artifact_bytes(b"Plotly.newPlot('x', [{\"type\": \"bar\", \"x\": [\"a\"], \"y\": [3]}], {\"title\": {\"text\": \"From a page\"}}, {})", "figure.html")
    stem = "images/val~dogs+step+3+timestamp+1700000000123+g1"
    run.artifact_bytes(slipway.png([[0, 255], [255, 0]])[0], f"{stem}.png")


def media(server):
    ids = []
    for number, name in enumerate(["near", "middle", "far"]):
        with slipway.Run(experiment="media", name=name, url=server.url, folder=server.home / "media") as run:
            pictures(run, number)
            if number == 0:
                everything_else(run)
        ids.append(run.id)
    return {"media_run": ids[0], "media_runs": ids}
