"""What the tests of both inference clients share: small models, and a server that has deployed them."""
import os
import tempfile
import time
import unittest

os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
os.environ["GIT_PYTHON_REFRESH"] = "quiet"

import mlflow  # noqa: E402
import onnx  # noqa: E402
from onnx import TensorProto, helper  # noqa: E402
from server import Server  # noqa: E402

READY_SECONDS_MAX = 30


def model_bytes(nodes, inputs, outputs, initializers=()):
    graph = helper.make_graph(nodes, "graph", inputs, outputs, list(initializers))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def scaling(factor):
    """y = factor * x, float [-1, 3]."""
    return model_bytes([helper.make_node("Mul", ["x", "factor"], ["y"])],
                       [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])],
                       [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])],
                       [helper.make_tensor("factor", TensorProto.FLOAT, [1], [factor])])


def identity(data_type, shape):
    return model_bytes([helper.make_node("Identity", ["x"], ["y"])],
                       [helper.make_tensor_value_info("x", data_type, shape)], [helper.make_tensor_value_info("y", data_type, shape)])


class Deployed(unittest.TestCase):
    """One server for the class, with models registered through the unmodified mlflow client."""
    server_arguments = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(arguments=cls.server_arguments)
        cls.server.start()
        mlflow.set_tracking_uri(cls.server.url)
        cls.mlflow = mlflow.MlflowClient()
        cls.mlflow_run = cls.mlflow.create_run("0").info.run_id
        cls.deploy("scale", scaling(10))

    @classmethod
    def tearDownClass(cls):
        exit_code = cls.server.stop()
        cls.server.__exit__()
        assert exit_code == 0, f"the server ended with {exit_code}"

    @classmethod
    def register(cls, name, content):
        """A new version of the model; its number."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.onnx")
            with open(path, "wb") as file:
                file.write(content)
            count = len(cls.mlflow.search_model_versions(f"name='{name}'"))
            cls.mlflow.log_artifact(cls.mlflow_run, path, f"{name}-{count}")
            if count == 0:
                cls.mlflow.create_registered_model(name)
            version = cls.mlflow.create_model_version(name, f"runs:/{cls.mlflow_run}/{name}-{count}", cls.mlflow_run)
        return int(version.version)

    @classmethod
    def deploy(cls, name, content, **spec):
        version = cls.register(name, content)
        cls.mlflow.set_registered_model_alias(name, "production", version)
        cls.server.call("POST", "/api/v1/deployments", {"name": name, "model": f"model:{name}@production", **spec})
        cls.wait(name)

    @classmethod
    def wait(cls, name, **wanted):
        end = time.monotonic() + READY_SECONDS_MAX
        while True:
            found = cls.server.call("GET", f"/api/v1/deployments/{name}")
            if found["state"] == "ready" and all(found[key] == value for key, value in wanted.items()):
                return found
            if found["state"] == "failed" or time.monotonic() > end:
                raise AssertionError(f"the deployment is {found['state']}: {found['message']}")
            time.sleep(0.05)
