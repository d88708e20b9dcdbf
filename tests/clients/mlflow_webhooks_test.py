"""MLflow's webhooks through its own client, with a receiver that verifies signatures by mlflow's own code."""
import http.server
import json
import threading
import time
import unittest

import mlflow_test  # sets up the client; its tests are counted there
from mlflow import MlflowClient, set_tracking_uri
from mlflow.entities.webhook import WebhookEvent, WebhookStatus
from mlflow.exceptions import MlflowException
from mlflow.webhooks.delivery import _generate_hmac_signature
from mlflow_postgres_test import database as postgres_database
from server import Server

SECRET = "a secret of the receiver"
PATIENCE_SECONDS = 20


class Receiver:
    """Takes deliveries on 127.0.0.1 and keeps them; answers `status`, or takes nothing while it is down."""

    def __init__(self):
        self.deliveries = []  # (headers, body)
        self.status = 200
        self.port = 0
        self._changed = threading.Condition()
        self.start()

    def start(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                with receiver._changed:
                    receiver.deliveries.append((dict(self.headers), body))
                    receiver._changed.notify_all()
                self.send_response(receiver.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook"

    def wait_for(self, count):
        with self._changed:
            self._changed.wait_for(lambda: len(self.deliveries) >= count, PATIENCE_SECONDS)
            return [(headers, json.loads(body)) for headers, body in self.deliveries]

    def events(self, count):
        return [f"{body['entity']}.{body['action']}" for _, body in self.wait_for(count)]


def verify(headers, body, secret=SECRET):
    """What mlflow's documentation tells receivers to do."""
    expected = _generate_hmac_signature(secret, headers["X-MLflow-Delivery-Id"], headers["X-MLflow-Timestamp"], body)
    return headers.get("X-MLflow-Signature") == expected and abs(time.time() - int(headers["X-MLflow-Timestamp"])) < 300


class Webhooks(unittest.TestCase):
    arguments = ["--webhook-private-addresses"]

    @staticmethod
    def database():
        return None

    def setUp(self):
        self.server = Server(database=self.database(), arguments=self.arguments)
        self.addCleanup(self.server.__exit__)
        self.server.start()
        set_tracking_uri(self.server.url)
        self.client = MlflowClient()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)

    def test_create_list_get_update_delete(self):
        made = self.client.create_webhook("first", self.receiver.url, ["model_version.created", "prompt.created"],
                                          description="of ours", secret=SECRET, status="DISABLED")
        self.assertEqual((made.name, made.status, made.description), ("first", WebhookStatus.DISABLED, "of ours"))
        self.assertIsNone(made.secret)
        other = self.client.create_webhook("second", self.receiver.url, [WebhookEvent.from_str("registered_model.created")])
        self.assertEqual([w.webhook_id for w in self.client.list_webhooks()], [other.webhook_id, made.webhook_id])
        page = self.client.list_webhooks(max_results=1)
        self.assertEqual([w.name for w in self.client.list_webhooks(max_results=1, page_token=page.token)], ["first"])
        changed = self.client.update_webhook(made.webhook_id, name="renamed", status="ACTIVE", events=["model_version_tag.set"])
        self.assertEqual((changed.name, changed.status, [str(e) for e in changed.events], changed.url),
                         ("renamed", WebhookStatus.ACTIVE, ["model_version_tag.set"], self.receiver.url))
        self.assertEqual(self.client.get_webhook(made.webhook_id).name, "renamed")
        self.client.delete_webhook(made.webhook_id)
        with self.assertRaises(MlflowException) as caught:
            self.client.get_webhook(made.webhook_id)
        self.assertEqual(caught.exception.error_code, "RESOURCE_DOES_NOT_EXIST")

    def test_what_is_wrong_is_said(self):
        for name, url in (("-x", self.receiver.url), ("x y", self.receiver.url), ("x", "file:///etc/passwd"), ("x", "ftp://host/")):
            with self.subTest(name=name, url=url), self.assertRaises(MlflowException) as caught:
                self.client.create_webhook(name, url, ["model_version.created"])
            self.assertEqual(caught.exception.error_code, "INVALID_PARAMETER_VALUE")

    def test_the_registrys_changes_are_delivered_and_signed(self):
        events = ["registered_model.created", "model_version.created", "model_version_tag.set", "model_version_tag.deleted",
                  "model_version_alias.created", "model_version_alias.deleted"]
        self.client.create_webhook("all", self.receiver.url, events, secret=SECRET)
        self.client.create_registered_model("m", tags={"team": "vision"}, description="about it")
        self.client.create_model_version("m", "s3://bucket/m", tags={"k": "v"})
        self.client.set_model_version_tag("m", "1", "note", "two\nlines, ü")
        self.client.delete_model_version_tag("m", "1", "note")
        self.client.set_registered_model_alias("m", "best", "1")
        self.client.delete_registered_model_alias("m", "best")
        self.assertEqual(sorted(self.receiver.events(6)), sorted(events))
        self.assertTrue(all(verify(headers, body) for headers, body in self.receiver.deliveries))
        data = {f"{body['entity']}.{body['action']}": body["data"] for _, body in self.receiver.wait_for(6)}
        self.assertEqual(data["registered_model.created"], {"name": "m", "tags": {"team": "vision"}, "description": "about it"})
        self.assertEqual(data["model_version.created"], {"name": "m", "version": "1", "source": "s3://bucket/m", "run_id": None,
                                                         "tags": {"k": "v"}, "description": None})
        self.assertEqual(data["model_version_tag.set"], {"name": "m", "version": "1", "key": "note", "value": "two\nlines, ü"})
        self.assertEqual(data["model_version_alias.created"], {"name": "m", "alias": "best", "version": "1"})

    def test_a_prompt_is_told_as_a_prompt(self):
        self.client.create_webhook("prompts", self.receiver.url,
                                   ["prompt.created", "prompt_version.created", "prompt_alias.created", "registered_model.created"])
        self.client.register_prompt("greeting", "Hello {{name}}!", commit_message="first")
        self.client.set_prompt_alias("greeting", "live", 1)
        bodies = [body for _, body in self.receiver.wait_for(3)]
        self.assertEqual(sorted(body["entity"] for body in bodies), ["prompt", "prompt_alias", "prompt_version"])
        version = next(body["data"] for body in bodies if body["entity"] == "prompt_version")
        self.assertEqual((version["name"], version["template"]), ("greeting", "Hello {{name}}!"))
        self.assertNotIn("mlflow.prompt.is_prompt", version["tags"])

    def test_a_test_sends_an_example_at_once(self):
        made = self.client.create_webhook("tested", self.receiver.url, ["model_version.created"], secret=SECRET)
        result = self.client.test_webhook(made.webhook_id)
        self.assertEqual((result.success, result.response_status, result.response_body), (True, 200, "ok"))
        self.assertTrue(verify(*self.receiver.deliveries[0]))
        self.receiver.status = 500
        result = self.client.test_webhook(made.webhook_id, "prompt.created")
        self.assertEqual((result.success, result.response_status), (False, 500))
        self.receiver.stop()
        self.assertRegex(self.client.test_webhook(made.webhook_id).error_message, "no answer")
        self.receiver.start()

    def test_a_busy_receiver_is_asked_again(self):
        self.client.create_webhook("busy", self.receiver.url, ["registered_model.created"], secret=SECRET)
        self.receiver.status = 503
        self.client.create_registered_model("m")
        self.receiver.wait_for(1)
        self.receiver.status = 200
        first, second = (headers for headers, _ in self.receiver.wait_for(2))
        self.assertEqual(first["X-MLflow-Delivery-Id"], second["X-MLflow-Delivery-Id"])

    def test_nothing_is_lost_when_server_and_receiver_die(self):
        self.client.create_webhook("durable", self.receiver.url, ["model_version.created"], secret=SECRET)
        self.client.create_registered_model("m")
        self.receiver.stop()
        for _ in range(20):
            self.client.create_model_version("m", "s3://bucket/m")
        self.server.kill()
        self.receiver.start()
        self.server.start()
        bodies = [body for _, body in self.receiver.wait_for(20)]
        self.assertEqual(sorted(int(body["data"]["version"]) for body in bodies), list(range(1, 21)))
        self.assertTrue(all(verify(headers, body) for headers, body in self.receiver.deliveries))
        self.assertEqual(len({headers["X-MLflow-Delivery-Id"] for headers, _ in self.receiver.deliveries}), 20)

    def test_a_secret_is_nowhere_on_the_disk(self):
        self.client.create_webhook("hidden", self.receiver.url, ["model_version.created"], secret=SECRET)
        self.server.stop()
        for path in self.server.home.rglob("*"):
            if path.is_file():
                self.assertNotIn(SECRET.encode(), path.read_bytes(), path)
        self.server.start()


class WebhooksOnPostgres(Webhooks):
    database = staticmethod(postgres_database)


class ClosedToTheHouse(Webhooks):
    """Without the flag nothing inside can be reached, however it is spelled."""
    arguments = []

    test_create_list_get_update_delete = test_the_registrys_changes_are_delivered_and_signed = None
    test_a_prompt_is_told_as_a_prompt = test_a_test_sends_an_example_at_once = test_a_busy_receiver_is_asked_again = None
    test_nothing_is_lost_when_server_and_receiver_die = test_a_secret_is_nowhere_on_the_disk = None

    def test_private_addresses_are_refused(self):
        for host in ("127.0.0.1", "localhost", "0.0.0.0", "10.0.0.1", "169.254.169.254", "192.168.0.1", "[::1]", "[::ffff:127.0.0.1]",
                     "2130706433", "0x7f.1", "127.1"):
            for scheme in ("https", "http"):
                with self.subTest(host=host, scheme=scheme), self.assertRaises(MlflowException) as caught:
                    self.client.create_webhook("x", f"{scheme}://{host}:{self.receiver.port}/hook", ["model_version.created"])
                self.assertEqual(caught.exception.error_code, "INVALID_PARAMETER_VALUE")
        self.assertEqual(self.receiver.deliveries, [])
