"""What the stories share that ask a deployed model while something dies: a client of one connection, and the model."""
import http.client
import pathlib
import random
import struct
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "browser"))
from digits import onnx  # noqa: E402

ANSWER_SECONDS_MAX = 60


def expect(holds, sentence):
    if not holds:
        raise AssertionError(sentence)


class Client(threading.Thread):
    """A thread with a connection and chance of its own; what goes wrong in it is kept in `problem`. A story says in run() how
    long it asks, and in ask() what."""

    def __init__(self, server, deployment, seed, number):
        super().__init__(name=f"client-{number}")
        self.random = random.Random(f"{seed}/{deployment}/{number}")
        self.address, self.deployment = server.url.split("//")[1], deployment
        self.problem = None

    def connect(self):
        return http.client.HTTPConnection(self.address, timeout=ANSWER_SECONDS_MAX)

    def send(self, connection, path, body, media_type):
        """The answer and its content, whatever its status."""
        connection.request("POST", path, body, {"Content-Type": media_type})
        answer = connection.getresponse()
        return answer, answer.read()


def register_model(server):
    """Version 1 of the model `segments`, which reads the digits that tests draw."""
    content = onnx()
    blob = server.call("POST", "/api/v1/blobs/batch", struct.pack("<I", len(content)) + content, {"Content-Type": "application/octet-stream"})["blobs"][0]
    server.call("POST", "/api/v1/models", {"name": "segments"})
    server.call("POST", "/api/v1/models/segments/versions", {"files": [{"path": "model.onnx", "hash": blob["hash"]}], "labels": [str(digit) for digit in range(10)]})
