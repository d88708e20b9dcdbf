"""schemathesis, as its own command line runs it: requests made up from the API's description, right ones and wrong ones.

Every operation is asked; a 5xx, an answer that is not described, and a wrong request that is taken are failures. The number
of requests is bounded and the seed is fixed, so that a failure today is a failure tomorrow.
"""
import os
import pathlib
import re
import subprocess
import sys
import unittest

from server import Server

HERE = pathlib.Path(__file__).resolve().parent
FUZZED_PER_OPERATION = 2  # beside those that cover each member's and parameter's borders
RUN_SECONDS_MAX = 600     # on a machine that does much else; alone it takes well under a minute
SHOWN_CHARACTERS_MAX = 6000
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance", "negative_data_rejection"]
# Streams without an end; reading the whole store again and again; and a backup, during which sweeps are refused with 503.
EXCLUDED = ["get_events", "follow_log", "verify_store", "begin_backup"]


def seed(server):
    """The things that the description's examples name."""
    server.call("POST", "/api/v1/datasets", {"name": "digits"})
    blob = server.call("POST", "/api/v1/blobs", "a file")
    server.call("POST", "/api/v1/blobs", "")
    server.call("POST", "/api/v1/models", {"name": "digits"})
    server.call("POST", "/api/v1/models/digits/versions", {"files": [{"path": "model.onnx", "hash": blob["hash"]}]})
    server.call("PUT", "/api/v1/models/digits/aliases/production", {"version": 1})
    server.call("POST", "/api/v1/experiments", {"name": "digits"})


def operations(document):
    """(tag, operationId) of each."""
    return [(operation["tags"][0], operation["operationId"]) for item in document["paths"].values()
            for method, operation in item.items() if method != "parameters"]


def start(server, tags):
    command = [pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run",
               f"{server.url}/api/v1/openapi.json", "--phases", "coverage,fuzzing", "--max-examples", str(FUZZED_PER_OPERATION), "--seed", "1",
               "--checks", ",".join(CHECKS), "--no-color", "--continue-on-failure", "--no-shrink", "--request-timeout", "60",
               "--generation-database", "none"]
    for tag in tags:
        command += ["--include-tag", tag]
    for operation in EXCLUDED:
        command += ["--exclude-operation-id", operation]
    return subprocess.Popen(command, cwd=server.home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py")})


class Schemathesis(unittest.TestCase):
    def test_the_server_is_as_its_description_says(self):
        with Server() as server:
            seed(server)
            described = operations(server.call("GET", "/api/v1/openapi.json"))
            tags = sorted({tag for tag, _ in described}, key=lambda tag: -sum(tag == other for other, _ in described))
            tested = 0
            for client in [start(server, tags[0::2]), start(server, tags[1::2])]:  # two at once: the time goes into making requests up
                output, _ = client.communicate(timeout=RUN_SECONDS_MAX)
                self.assertIsNone(server.process.poll(), f"the server died:\n{server.log_text()}")
                self.assertEqual(client.returncode, 0, output[-SHOWN_CHARACTERS_MAX:])
                tested += int(re.search(r"Tested: (\d+)", output)[1])
            self.assertEqual(tested, len(described) - len(EXCLUDED))


if __name__ == "__main__":
    unittest.main()
