"""tritonclient.grpc as its tutorials use it, against deployments of small ONNX models."""
import os
import queue
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import grpc
import numpy
import tritonclient.grpc as triton
from deployed import READY_SECONDS_MAX, Deployed, identity, scaling
from onnx import TensorProto
from server import Server, clean_environment, program
from tritonclient.grpc import service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException


def grpc_address(server):
    """What the server says about gRPC when it starts."""
    end = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < end:
        found = re.findall(r"grpcs?://(\S+)", server.log_text())
        if found:
            return found[-1]
        time.sleep(0.02)
    raise AssertionError(f"the server does not say where it answers gRPC:\n{server.log_text()}")


def asked(values, name="x", datatype="FP32"):
    tensor = triton.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values)
    return [tensor]


ROW = numpy.array([[1, 2, 3]], numpy.float32)


class GrpcDeployments(Deployed):
    server_arguments = ("--grpc", "127.0.0.1:0")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.address = grpc_address(cls.server)
        cls.client = triton.InferenceServerClient(cls.address)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        super().tearDownClass()

    def refused(self, code, words, call):
        """The call fails with this status and a sentence that holds these words."""
        with self.assertRaises(InferenceServerException) as caught:
            call()
        self.assertEqual(caught.exception.status(), f"StatusCode.{code}", caught.exception)
        self.assertIn(words, caught.exception.message())

    def test_health_and_metadata(self):
        self.assertTrue(self.client.is_server_live())
        self.assertTrue(self.client.is_server_ready())
        self.assertTrue(self.client.is_model_ready("scale"))
        self.assertTrue(self.client.is_model_ready("scale", "1"))
        self.assertFalse(self.client.is_model_ready("nobody"))
        server = self.client.get_server_metadata(as_json=True)
        self.assertEqual(server["name"], "slipway")
        self.assertIn("statistics", server["extensions"])
        model = self.client.get_model_metadata("scale")
        self.assertEqual(list(model.versions), ["1"])
        self.assertEqual([(one.name, one.datatype, list(one.shape)) for one in model.inputs], [("x", "FP32", [-1, 3])])
        self.assertEqual([(one.name, one.datatype, list(one.shape)) for one in model.outputs], [("y", "FP32", [-1, 3])])

    def test_infer_and_what_comes_with_the_answer(self):
        values = numpy.array([[1, 2, 3], [4, 5, 6.5]], numpy.float32)
        for outputs in (None, [triton.InferRequestedOutput("y")]):
            result = self.client.infer("scale", asked(values), outputs=outputs, request_id="seven", model_version="1",
                                       parameters={"who": "me", "many": 3}, priority=1, timeout=5_000_000)
            numpy.testing.assert_array_equal(result.as_numpy("y"), values * 10)
            response = result.get_response()
            self.assertEqual((response.id, response.model_name, response.model_version), ("seven", "scale", "1"))
            self.assertRegex(response.parameters["slipway_answer_id"].string_param, "^[0-9A-Z]{26}-[0-9A-Z]{17}$")

    def test_an_answer_takes_feedback_like_one_over_http(self):
        answer = self.client.infer("scale", asked(ROW)).get_response().parameters["slipway_answer_id"].string_param
        self.server.call("POST", "/api/v1/feedback", {"answer_id": answer, "label": "cat"})

    def test_infer_asynchronously_and_from_several_threads(self):
        answers = queue.Queue()
        for _ in range(50):
            self.client.async_infer("scale", asked(ROW), lambda result, error: answers.put((result, error)))
        for _ in range(50):
            result, error = answers.get(timeout=READY_SECONDS_MAX)
            self.assertIsNone(error)
            numpy.testing.assert_array_equal(result.as_numpy("y"), ROW * 10)

    def test_a_stream_answers_in_order_and_goes_on_after_an_error(self):
        answers = queue.Queue()
        with triton.InferenceServerClient(self.address) as client:
            client.start_stream(lambda result, error: answers.put((result, error)))
            for i in range(5):
                values = ROW + i if i != 2 else numpy.ones((1, 4), numpy.float32)
                client.async_stream_infer("scale", asked(values), request_id=str(i))
            for i in range(5):
                result, error = answers.get(timeout=READY_SECONDS_MAX)
                if i == 2:
                    self.assertIn("has shape [1,4]; the model expects [-1,3]", str(error))
                    continue
                self.assertIsNone(error)
                self.assertEqual(result.get_response().id, str(i))
                numpy.testing.assert_array_equal(result.as_numpy("y"), (ROW + i) * 10)
            client.stop_stream()

    def test_large_tensors_and_the_limit(self):
        values = numpy.random.default_rng(1).random((500_000, 3), dtype=numpy.float32)
        numpy.testing.assert_allclose(self.client.infer("scale", asked(values)).as_numpy("y"), values * 10, rtol=1e-6)
        too_large = numpy.zeros((64 << 20) // 12 + 1000, numpy.float32).repeat(3).reshape(-1, 3)
        self.refused("RESOURCE_EXHAUSTED", "larger than max", lambda: self.client.infer("scale", asked(too_large)))
        self.assertTrue(self.client.is_server_live())

    def test_compressed_messages_are_not_taken(self):
        self.refused("UNIMPLEMENTED", "ompression", lambda: self.client.infer("scale", asked(numpy.ones((4000, 3), numpy.float32)), compression_algorithm="gzip"))
        self.assertTrue(self.client.is_server_live())

    def test_classification(self):
        found = self.client.infer("scale", asked(numpy.array([[1, 3, 2]], numpy.float32)), outputs=[triton.InferRequestedOutput("y", class_count=2)]).as_numpy("y")
        self.assertEqual(found.tolist(), [[b"30:1", b"20:2"]])

    def test_wrong_requests_get_a_status_and_a_sentence(self):
        infer = self.client.infer
        self.refused("NOT_FOUND", "Request for unknown model: 'nobody' is not found", lambda: infer("nobody", asked(ROW)))
        self.refused("NOT_FOUND", "Request for unknown model: 'nobody' is not found", lambda: self.client.get_model_metadata("nobody"))
        self.refused("NOT_FOUND", "version 7 is not found", lambda: infer("scale", asked(ROW), model_version="7"))
        self.refused("INVALID_ARGUMENT", "the model has no input 'xx'; did you mean 'x'?", lambda: infer("scale", asked(ROW, "xx")))
        self.refused("INVALID_ARGUMENT", "has shape [1,4]; the model expects [-1,3]", lambda: infer("scale", asked(numpy.ones((1, 4), numpy.float32))))
        self.refused("INVALID_ARGUMENT", "has datatype INT64; the model expects FP32", lambda: infer("scale", asked(numpy.ones((1, 3), numpy.int64), datatype="INT64")))
        self.refused("INVALID_ARGUMENT", "the model has no output 'z'", lambda: infer("scale", asked(ROW), outputs=[triton.InferRequestedOutput("z")]))
        self.refused("UNIMPLEMENTED", "keeps no state between requests", lambda: infer("scale", asked(ROW), sequence_id=5, sequence_start=True))

    def test_typed_contents_through_the_clients_own_stubs(self):
        request = service_pb2.ModelInferRequest(model_name="scale")
        tensor = request.inputs.add(name="x", datatype="FP32", shape=[1, 3])
        tensor.contents.fp32_contents.extend([1, 2, 3])
        with grpc.insecure_channel(self.address) as channel:
            stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
            numpy.testing.assert_array_equal(triton.InferResult(stub.ModelInfer(request)).as_numpy("y"), ROW * 10)
            request.raw_input_contents.append(ROW.tobytes())
            with self.assertRaises(grpc.RpcError) as caught:
                stub.ModelInfer(request)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        self.assertIn("send all tensors one way", caught.exception.details())

    def test_other_datatypes(self):
        cases = {"int64": (TensorProto.INT64, "INT64", numpy.array([[2**62, -1]], numpy.int64)),
                 "fp16": (TensorProto.FLOAT16, "FP16", numpy.array([[0.5, -2]], numpy.float16)),
                 "bool": (TensorProto.BOOL, "BOOL", numpy.array([[True, False]])),
                 "bytes": (TensorProto.STRING, "BYTES", numpy.array([["grüß".encode(), b""]], object))}
        for name, (onnx_type, datatype, values) in cases.items():
            with self.subTest(name):
                self.deploy(name, identity(onnx_type, ["N", 2]))
                self.assertEqual(self.client.infer(name, asked(values, datatype=datatype)).as_numpy("y").tolist(), values.tolist())

    def test_configuration_statistics_and_index(self):
        config = self.client.get_model_config("scale").config
        self.assertEqual((config.name, config.max_batch_size > 1, config.input[0].data_type), ("scale", True, 11))
        self.assertEqual(list(config.input[0].dims), [3])
        before = self.client.get_inference_statistics("scale").model_stats[0]
        self.client.infer("scale", asked(numpy.ones((2, 3), numpy.float32)))
        after = self.client.get_inference_statistics("scale", "1").model_stats[0]
        self.assertEqual(after.inference_count - before.inference_count, 2)
        self.assertEqual(after.execution_count - before.execution_count, 1)
        self.assertGreater(after.inference_stats.compute_infer.ns, before.inference_stats.compute_infer.ns)
        index = {model.name: model for model in self.client.get_model_repository_index().models}
        self.assertEqual((index["scale"].state, index["scale"].version), ("READY", "1"))

    def test_what_is_not_offered_says_so(self):
        self.refused("UNIMPLEMENTED", "over HTTP", lambda: self.client.load_model("scale"))
        self.refused("UNIMPLEMENTED", "send tensors in the request", self.client.get_system_shared_memory_status)
        self.refused("UNIMPLEMENTED", "not changed from here", self.client.get_log_settings)

    def test_tokens_and_projects(self):
        wrong = {"authorization": "Bearer nonsense"}
        self.refused("UNAUTHENTICATED", "unknown, revoked or expired", lambda: self.client.infer("scale", asked(ROW), headers=wrong))
        self.refused("UNAUTHENTICATED", "unknown, revoked or expired", lambda: self.client.is_server_live(headers=wrong))
        secret = self.server.call("POST", "/api/v1/tokens", {"name": "grpc"})["secret"]
        right = {"authorization": f"Bearer {secret}"}
        numpy.testing.assert_array_equal(self.client.infer("scale", asked(ROW), headers=right).as_numpy("y"), ROW * 10)
        self.server.call("POST", "/api/v1/projects", {"name": "elsewhere"})
        self.refused("NOT_FOUND", "Request for unknown model: 'scale' is not found", lambda: self.client.infer("scale", asked(ROW), headers={"x-slipway-project": "elsewhere"}))
        self.refused("NOT_FOUND", "there is no project 'nowhere'", lambda: self.client.infer("scale", asked(ROW), headers={"x-slipway-project": "nowhere"}))

    def test_another_name_of_this_machine_is_refused(self):
        with triton.InferenceServerClient(self.address, channel_args=[("grpc.default_authority", "rebound.example")]) as client:
            self.refused("PERMISSION_DENIED", "is not a name of this server", client.is_server_live)

    def test_another_user_of_this_machine_needs_a_token(self):
        nobody = {"user": 65534, "group": 65534, "extra_groups": [], "capture_output": True, "text": True, "timeout": 60}
        if os.getuid() != 0 or subprocess.run([sys.executable, "-c", "import grpc"], **nobody).returncode != 0:
            self.skipTest("this user cannot start Python as another one")
        script = ("import grpc, sys\n"
                  "try: grpc.insecure_channel(sys.argv[1]).unary_unary('/inference.GRPCInferenceService/ServerLive')(b'')\n"
                  "except grpc.RpcError as error: print(error.code().name)")
        self.assertEqual(subprocess.run([sys.executable, "-c", script, self.address], **nobody).stdout, "UNAUTHENTICATED\n")

    def test_a_port_that_is_taken_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            ended = subprocess.run([program("slipway-server"), "--data", folder, "--listen", "127.0.0.1:0", "--grpc", self.address],
                                   capture_output=True, text=True, timeout=30, env=clean_environment())
        self.assertEqual(ended.returncode, 1)
        self.assertIn(f"cannot answer gRPC on {self.address}: the address is in use", ended.stderr)

    def test_nonsense_instead_of_grpc_harms_nobody(self):
        host, port = self.address.split(":")
        for nonsense in (b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(range(256)) * 8, b"\0" * 5000):
            with socket.create_connection((host, int(port)), timeout=5) as connection:
                connection.sendall(nonsense)
        with grpc.insecure_channel(self.address) as channel:
            with self.assertRaises(grpc.RpcError) as caught:
                channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")(b"\xff\xff\xff no message")
            self.assertEqual(caught.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
            with self.assertRaises(grpc.RpcError) as caught:
                channel.unary_unary("/some.Other/Method")(b"")
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)
            self.assertIn("/some.Other/Method", caught.exception.details())
        self.assertTrue(self.client.is_server_live())


class GrpcServer(unittest.TestCase):
    """Starting and ending."""

    def test_a_port_that_others_can_reach_wants_a_token_from_everybody(self):
        with Server() as server:
            secret = server.call("POST", "/api/v1/tokens", {"name": "first"})["secret"]
            server.stop()
            server._arguments = ["--grpc", "0.0.0.0:0"]
            server.start()
            address = "127.0.0.1:" + grpc_address(server).split(":")[1]
            with triton.InferenceServerClient(address) as client:
                with self.assertRaises(InferenceServerException) as caught:
                    client.is_server_live()
                self.assertEqual(caught.exception.status(), "StatusCode.UNAUTHENTICATED")
                self.assertTrue(client.is_server_live(headers={"authorization": f"Bearer {secret}"}))
            self.assertEqual(server.stop(), 0)

    def test_sigterm_ends_idle_streams_and_lets_calls_end(self):
        GrpcDeployments.setUpClass()
        server, ended = GrpcDeployments.server, queue.Queue()
        stream = triton.InferenceServerClient(GrpcDeployments.address)
        stream.start_stream(lambda result, error: ended.put(error))
        stream.async_stream_infer("scale", asked(ROW))
        self.assertIsNone(ended.get(timeout=READY_SECONDS_MAX))
        errors, stop = [], threading.Event()

        def ask_on():
            with triton.InferenceServerClient(GrpcDeployments.address) as client:
                while not stop.is_set():
                    try:
                        numpy.testing.assert_array_equal(client.infer("scale", asked(ROW)).as_numpy("y"), ROW * 10)
                    except InferenceServerException as error:
                        errors.append(error.status())
                        return

        threads = [threading.Thread(target=ask_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        started = time.monotonic()
        GrpcDeployments.client.close()
        self.assertEqual(server.stop(), 0)
        self.assertLess(time.monotonic() - started, 10, "an idle stream held the server up")
        stop.set()
        for thread in threads:
            thread.join()
        stream.close()
        self.assertEqual(ended.get(timeout=5).status(), "StatusCode.UNAVAILABLE")
        self.assertLessEqual(set(errors), {"StatusCode.UNAVAILABLE", "StatusCode.CANCELLED"})
        server.__exit__()

    def test_a_server_with_tls_speaks_it_here_too(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = f"{folder}/certificate.pem", f"{folder}/key.pem"
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                            "-addext", "subjectAltName=DNS:localhost", "-out", certificate, "-keyout", key], check=True, capture_output=True)
            command = [program("slipway-server"), "--data", f"{folder}/data", "--listen", "127.0.0.1:0", "--grpc", "127.0.0.1:0",
                       "--tls-certificate", certificate, "--tls-key", key]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean_environment())
            with process:
                self.assertIn("https://", process.stdout.readline())
                port = re.search(r"grpcs://127\.0\.0\.1:(\d+)", process.stdout.readline())[1]
                with triton.InferenceServerClient(f"localhost:{port}", ssl=True, root_certificates=certificate) as client:
                    self.assertTrue(client.is_server_live())
                with triton.InferenceServerClient(f"localhost:{port}") as client, self.assertRaises(InferenceServerException):
                    client.is_server_live(client_timeout=5)
                process.terminate()
                self.assertEqual(process.wait(30), 0)


if __name__ == "__main__":
    unittest.main()
