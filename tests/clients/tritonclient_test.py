"""tritonclient.http as its tutorials use it, against deployments of small ONNX models."""
import json
import os
import signal
import struct
import threading
import time
import unittest
import zlib

import numpy
import tritonclient.http as triton
from deployed import READY_SECONDS_MAX, Deployed, identity, model_bytes, scaling
from onnx import TensorProto, helper
from tritonclient.utils import InferenceServerException


def flatten():
    return model_bytes([helper.make_node("Flatten", ["image"], ["pixels"])],
                       [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 2, 2])],
                       [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["N", 4])])


def png(width, height, pixels):
    """A grayscale PNG."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(pixels[row * width:(row + 1) * width]) for row in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def is_running(pid):
    """Also false for one that ended and waits to be reaped by whoever adopted it."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Deployments(Deployed):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = triton.InferenceServerClient(cls.server.url.split("//")[1], concurrency=4)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        super().tearDownClass()

    def ask(self, values, name="scale", binary=True, client=None, **arguments):
        values = numpy.array(values, dtype=numpy.float32)
        tensor = triton.InferInput("x", list(values.shape), "FP32")
        tensor.set_data_from_numpy(values, binary_data=binary)
        return (client or self.client).infer(name, [tensor], **arguments)

    def test_health_and_metadata(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("scale"))
        self.assertTrue(self.client.is_model_ready("scale", "1"))
        self.assertFalse(self.client.is_model_ready("nobody"))
        server = self.client.get_server_metadata(query_params={"test_1": 1, "test_2": 2})
        self.assertEqual(server["name"], "slipway")
        self.assertIn("statistics", server["extensions"])
        model = self.client.get_model_metadata("scale", query_params={"test_1": 1})
        self.assertEqual(model["versions"], ["1"])
        self.assertEqual(model["inputs"], [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}])
        self.assertEqual(model["outputs"], [{"name": "y", "datatype": "FP32", "shape": [-1, 3]}])

    def test_an_unknown_model_is_an_exception_with_words(self):
        with self.assertRaisesRegex(InferenceServerException, "Request for unknown model: 'wrong_model_name' is not found"):
            self.client.get_model_metadata("wrong_model_name")
        with self.assertRaisesRegex(InferenceServerException, "Request for unknown model: 'wrong_model_name' is not found"):
            self.ask([[1, 2, 3]], "wrong_model_name")
        with self.assertRaisesRegex(InferenceServerException, "version 7 is not found"):
            self.ask([[1, 2, 3]], model_version="7")

    def test_infer_with_binary_tensors_and_with_json(self):
        for binary_in in (True, False):
            for binary_out in (True, False):
                wanted = [triton.InferRequestedOutput("y", binary_data=binary_out)]
                result = self.ask([[1, 2, 3], [4, 5, 6.5]], binary=binary_in, outputs=wanted, request_id="seven", query_params={"test_1": 1})
                numpy.testing.assert_array_equal(result.as_numpy("y"), [[10, 20, 30], [40, 50, 65]])
                response = result.get_response()
                self.assertEqual((response["id"], response["model_name"], response["model_version"]), ("seven", "scale", "1"))
                self.assertRegex(response["parameters"]["slipway_answer_id"], "^[0-9A-Z]{26}-[0-9A-Z]{17}$")

    def test_infer_without_naming_outputs(self):
        numpy.testing.assert_array_equal(self.ask([[1, 2, 3]]).as_numpy("y"), [[10, 20, 30]])

    def test_infer_by_version_and_with_parameters(self):
        result = self.ask([[1, 2, 3]], model_version="1", parameters={"who": "me", "many": 3}, priority=1, timeout=5_000_000)
        numpy.testing.assert_array_equal(result.as_numpy("y"), [[10, 20, 30]])

    def test_infer_asynchronously_and_from_several_threads(self):
        values = numpy.ones((1, 3), dtype=numpy.float32)
        tensor = triton.InferInput("x", [1, 3], "FP32")
        tensor.set_data_from_numpy(values)
        pending = [self.client.async_infer("scale", [tensor]) for _ in range(20)]
        for one in pending:
            numpy.testing.assert_array_equal(one.get_result().as_numpy("y"), 10 * values)

    def test_compressed_requests_and_answers(self):
        for algorithm in ("gzip", "deflate"):
            result = self.ask([[1, 2, 3]] * 400, binary=False, request_compression_algorithm=algorithm, response_compression_algorithm=algorithm,
                              outputs=[triton.InferRequestedOutput("y", binary_data=False)])
            numpy.testing.assert_array_equal(result.as_numpy("y"), [[10, 20, 30]] * 400)

    def test_tensors_larger_than_a_frame(self):
        values = numpy.random.default_rng(1).random((100_000, 3), dtype=numpy.float32)
        numpy.testing.assert_allclose(self.ask(values).as_numpy("y"), values * 10, rtol=1e-6)

    def test_classification(self):
        wanted = [triton.InferRequestedOutput("y", class_count=2)]
        found = self.ask([[1, 3, 2]], outputs=wanted).as_numpy("y")
        self.assertEqual(found.tolist(), [[b"30:1", b"20:2"]])

    def test_wrong_inputs_get_sentences(self):
        def refused(name, values, datatype):
            tensor = triton.InferInput(name, list(values.shape), datatype)
            tensor.set_data_from_numpy(values)
            with self.assertRaises(InferenceServerException) as caught:
                self.client.infer("scale", [tensor])
            return str(caught.exception)
        self.assertIn("the model has no input 'xx'; did you mean 'x'?", refused("xx", numpy.ones((1, 3), numpy.float32), "FP32"))
        self.assertIn("has shape [1,4]; the model expects [-1,3]", refused("x", numpy.ones((1, 4), numpy.float32), "FP32"))
        self.assertIn("has datatype INT64; the model expects FP32", refused("x", numpy.ones((1, 3), numpy.int64), "INT64"))

    def test_other_datatypes(self):
        cases = {"int64": (TensorProto.INT64, "INT64", numpy.array([[2**62, -1]], numpy.int64)),
                 "fp16": (TensorProto.FLOAT16, "FP16", numpy.array([[0.5, -2]], numpy.float16)),
                 "fp64": (TensorProto.DOUBLE, "FP64", numpy.array([[1e300, -2]], numpy.float64)),
                 "bool": (TensorProto.BOOL, "BOOL", numpy.array([[True, False]])),
                 "uint8": (TensorProto.UINT8, "UINT8", numpy.array([[0, 255]], numpy.uint8)),
                 "bytes": (TensorProto.STRING, "BYTES", numpy.array([["grüß".encode(), b""]], object))}
        for name, (onnx_type, datatype, values) in cases.items():
            with self.subTest(name):
                self.deploy(name, identity(onnx_type, ["N", 2]))
                for binary in (True, False) if name not in ("fp16",) else (True,):
                    tensor = triton.InferInput("x", [1, 2], datatype)
                    tensor.set_data_from_numpy(values, binary_data=binary)
                    result = self.client.infer(name, [tensor], outputs=[triton.InferRequestedOutput("y", binary_data=binary)])
                    found = result.as_numpy("y").tolist()
                    if name == "bytes" and not binary:  # the client leaves JSON strings as they are
                        found = [[text.encode() for text in row] for row in found]
                    self.assertEqual(found, values.tolist())

    def test_configuration_statistics_and_index(self):
        config = self.client.get_model_config("scale")
        self.assertEqual((config["name"], config["max_batch_size"] > 1), ("scale", True))
        self.assertEqual(config["input"][0]["data_type"], "TYPE_FP32")
        self.assertEqual(config["input"][0]["dims"], [3])
        before = self.client.get_inference_statistics("scale")["model_stats"][0]
        self.ask([[1, 2, 3], [1, 2, 3]])
        after = self.client.get_inference_statistics("scale", "1")["model_stats"][0]
        self.assertEqual(after["inference_count"] - before["inference_count"], 2)
        self.assertEqual(after["execution_count"] - before["execution_count"], 1)
        for key in ("success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"):
            self.assertIn("ns", after["inference_stats"][key])
        self.assertIn("scale", [model["name"] for model in self.client.get_inference_statistics()["model_stats"]])
        index = {model["name"]: model for model in self.client.get_model_repository_index()}
        self.assertEqual((index["scale"]["state"], index["scale"]["version"]), ("READY", "1"))

    def test_unload_and_load(self):
        self.deploy("sleeper", scaling(2))
        self.client.unload_model("sleeper")
        end = time.monotonic() + READY_SECONDS_MAX
        while self.client.is_model_ready("sleeper") and time.monotonic() < end:
            time.sleep(0.05)
        with self.assertRaisesRegex(InferenceServerException, "stopped"):
            self.ask([[1, 2, 3]], "sleeper")
        self.client.load_model("sleeper")
        self.wait("sleeper")
        numpy.testing.assert_array_equal(self.ask([[1, 2, 3]], "sleeper").as_numpy("y"), [[2, 4, 6]])

    def test_a_picture_as_the_body(self):
        self.deploy("picture", flatten())
        answer = self.server.request("POST", "/v2/models/picture/infer", png(2, 2, [0, 51, 102, 255]), {"Content-Type": "image/png"})
        self.assertEqual(answer.status, 200, answer.body)
        numpy.testing.assert_allclose(answer.json()["outputs"][0]["data"], [0, 0.2, 0.4, 1], rtol=1e-6)
        self.assertEqual(answer.headers["x-slipway-answer-id"], answer.json()["parameters"]["slipway_answer_id"])
        broken = self.server.request("POST", "/v2/models/picture/infer", png(2, 2, [0, 51, 102, 255])[:50], {"Content-Type": "image/png"})
        self.assertEqual(broken.status, 400)
        self.assertIn("the PNG cannot be decoded", broken.json()["error"])
        other = self.server.request("POST", "/v2/models/scale/infer", png(2, 2, [0] * 4), {"Content-Type": "image/png"})
        self.assertEqual(other.status, 400, other.body)

    def test_bad_bodies_get_400_and_a_sentence(self):
        for body, headers in ((b"", {}), (b"{", {}), (b"[" * 5000, {}), (b"{}", {"Inference-Header-Content-Length": "99"}),
                              (b"{}", {"Inference-Header-Content-Length": "-1"}),
                              (json.dumps({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, float("nan")]}]}).encode(), {})):
            answer = self.server.request("POST", "/v2/models/scale/infer", body, headers)
            self.assertEqual(answer.status, 400, body[:40])
            self.assertIsInstance(answer.json()["error"], str)
        self.assertEqual(self.server.request("GET", "/v2/nothing/here").status, 404)

    def test_a_raw_body_is_the_only_input(self):
        answer = self.server.request("POST", "/v2/models/scale/infer", numpy.array([1, 2, 3], numpy.float32).tobytes(), {"Inference-Header-Content-Length": "0"})
        self.assertEqual(answer.status, 200, answer.body)
        values = numpy.frombuffer(answer.body[int(answer.headers["inference-header-content-length"]):], numpy.float32)
        self.assertEqual(values.tolist(), [10, 20, 30])

    def test_an_alias_that_moves_switches_the_version_without_a_failed_request(self):
        self.deploy("mover", scaling(1), replicas={"min": 1, "max": 1})
        version = self.register("mover", scaling(2))
        failed, seen, stop = [], set(), threading.Event()

        def ask_on():
            with triton.InferenceServerClient(self.server.url.split("//")[1]) as client:
                while not stop.is_set():
                    try:
                        result = self.ask([[1, 2, 3]], "mover", client=client)
                        seen.add((result.get_response()["model_version"], float(result.as_numpy("y")[0, 0])))
                    except InferenceServerException as error:
                        failed.append(error)

        threads = [threading.Thread(target=ask_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        self.mlflow.set_registered_model_alias("mover", "production", version)
        self.wait("mover", version=version)
        time.sleep(0.3)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        self.assertEqual(seen, {("1", 1.0), ("2", 2.0)})

    def test_a_corrupt_model_says_what_is_wrong(self):
        version = self.register("corrupt", b"this is no model")
        self.server.call("POST", "/api/v1/deployments", {"name": "corrupt", "model": f"model:corrupt/{version}"})
        with self.assertRaisesRegex(AssertionError, "could not load the model model.onnx"):
            self.wait("corrupt")
        with self.assertRaisesRegex(InferenceServerException, "failed and cannot answer"):
            self.ask([[1, 2, 3]], "corrupt")

    def test_a_killed_worker_comes_back(self):
        self.deploy("victim", scaling(3))
        worker = self.wait("victim")["workers"][0]["pid"]
        os.kill(worker, signal.SIGKILL)
        end = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < end:
            found = self.server.call("GET", "/api/v1/deployments/victim")
            if found["state"] == "ready" and [one["pid"] for one in found["workers"]] not in ([], [worker]):
                break
            time.sleep(0.05)
        numpy.testing.assert_array_equal(self.ask([[1, 2, 3]], "victim").as_numpy("y"), [[3, 6, 9]])

    def test_native_deployments_refuse_nonsense(self):
        for body in ({"model": "model:scale@production", "replica": 2}, {"model": "model:scale@production", "replicas": {"min": 2, "max": 1}},
                     {"model": "dataset:scale@main"}, {"name": "a/b", "model": "model:scale@production"}, {}):
            answer = self.server.request("POST", "/api/v1/deployments", body)
            self.assertEqual(answer.status, 400, body)
        self.assertEqual(self.server.request("POST", "/api/v1/deployments", {"model": "model:nobody@production"}).status, 404)
        self.assertEqual(self.server.request("POST", "/api/v1/deployments", {"name": "scale", "model": "model:scale@production"}).status, 409)
        self.assertEqual(self.server.request("GET", "/api/v1/deployments/scael").json()["error"]["message"],
                         "there is no deployment 'scael' in project 'default'; did you mean 'scale'?")


class Restart(unittest.TestCase):
    """What a kill of the server leaves: deployments come back, workers do not stay behind."""

    def test_deployments_come_back_after_a_kill(self):
        Deployments.setUpClass()
        try:
            server = Deployments.server
            before = Deployments.wait("scale")
            server.kill()
            time.sleep(0.5)
            self.assertFalse(is_running(before["workers"][0]["pid"]), "a worker outlived its server")
            server.start()
            after = Deployments.wait("scale")
            self.assertEqual([one["id"] for one in after["revisions"]], [one["id"] for one in before["revisions"]])
        finally:
            Deployments.tearDownClass()


if __name__ == "__main__":
    unittest.main()
