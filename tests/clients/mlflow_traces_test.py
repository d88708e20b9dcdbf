"""Tracing with the mlflow client: what its tutorials do, and what its search, feedback and deletion promise."""
import base64
import gzip
import json
import threading
import time
import unittest
import urllib.error
import urllib.request

import mlflow
from mlflow.entities import AssessmentSource, Feedback, SpanType, TraceData
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracing.attachments import Attachment
from mlflow_test import OnServer

# The exporter is asynchronous; a trace that has not come after this long never will.
PATIENCE_SECONDS = 20


class OnTraces(OnServer):
    def setUp(self):
        super().setUp()
        mlflow.set_experiment(experiment_id=self.experiment)

    def flushed(self):
        """The trace that was made last, once it is on the server with all its spans."""
        mlflow.flush_trace_async_logging()
        return self.on_server(mlflow.get_last_active_trace_id())

    def on_server(self, trace_id):
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.client.get_trace(trace_id)
            except MlflowException:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)

    def found(self, filter_string=None, **arguments):
        traces = mlflow.search_traces(locations=[self.experiment], filter_string=filter_string, return_type="list", **arguments)
        return [trace.info.tags.get("mlflow.traceName") for trace in traces]

    def make(self, name, **tags):
        with mlflow.start_span(name=name) as span:
            span.set_inputs({"q": name})
            mlflow.update_current_trace(tags=tags)
        return self.flushed()


class Traces(OnTraces):
    def test_the_server_says_that_it_takes_spans(self):
        with urllib.request.urlopen(self.server.url + "/version") as answer:
            self.assertEqual(answer.read().decode(), "3.17.2")

    def test_a_traced_function_comes_back_with_its_spans(self):
        @mlflow.trace(span_type=SpanType.CHAIN, attributes={"stage": "late"})
        def answer(question, choices):
            with mlflow.start_span(name="think", span_type=SpanType.LLM) as span:
                span.set_inputs({"question": question, "choices": choices})
                span.set_attributes({"temperature": 0.5, "tokens": 12, "deep": {"list": [1, "zwei ü", None, True]}})
                span.set_outputs(["so", 42])
            return {"answer": 42}

        answer("why?", choices=("a", "b"))
        trace = self.flushed()
        self.assertEqual(trace.info.state, "OK")
        self.assertEqual(trace.info.experiment_id, self.experiment)
        self.assertEqual(trace.info.tags["mlflow.traceName"], "answer")
        self.assertEqual(trace.info.tags["mlflow.trace.spansLocation"], "TRACKING_STORE")
        self.assertEqual(json.loads(trace.info.request_preview), {"question": "why?", "choices": ["a", "b"]})
        root, child = trace.data.spans
        self.assertEqual((root.name, root.span_type, root.parent_id), ("answer", "CHAIN", None))
        self.assertEqual(root.outputs, {"answer": 42})
        self.assertEqual(root.get_attribute("stage"), "late")
        self.assertEqual((child.name, child.span_type, child.parent_id), ("think", "LLM", root.span_id))
        self.assertEqual(child.get_attribute("deep"), {"list": [1, "zwei ü", None, True]})
        self.assertEqual(child.get_attribute("temperature"), 0.5)
        self.assertEqual(child.outputs, ["so", 42])
        self.assertLessEqual(root.start_time_ns, child.start_time_ns)
        self.assertGreaterEqual(root.end_time_ns, child.end_time_ns)

    def test_an_exception_is_an_error_with_an_event(self):
        @mlflow.trace
        def break_down():
            raise ValueError("on purpose")

        with self.assertRaises(ValueError):
            break_down()
        trace = self.flushed()
        self.assertEqual(trace.info.state, "ERROR")
        span = trace.data.spans[0]
        self.assertEqual(span.status.status_code, "ERROR")
        self.assertIn("on purpose", span.events[0].attributes["exception.message"])

    def test_a_trace_inside_a_run_is_found_by_it(self):
        with mlflow.start_run() as run:
            self.make("inside")
        self.make("outside")
        self.assertEqual(self.found(run_id=run.info.run_id), ["inside"])
        other = self.new_run()
        linked = self.make("linked").info.trace_id
        self.client.link_traces_to_run([linked], other)
        self.assertEqual(self.found(f"attributes.run_id = '{other}'"), ["linked"])

    def test_search_filters_orders_and_pages(self):
        for n in range(5):
            self.make(f"t{n}", number=str(n), parity="odd" if n % 2 else "even")
        self.assertEqual(self.found("tags.parity = 'even'", order_by=["timestamp_ms ASC"]), ["t0", "t2", "t4"])
        self.assertEqual(self.found("trace.status = 'OK' AND tags.number IN ('1', '3')", order_by=["timestamp_ms DESC"]), ["t3", "t1"])
        self.assertEqual(self.found("name LIKE 't%' AND tags.missing IS NULL", max_results=2, order_by=["name DESC"]), ["t4", "t3"])
        self.assertEqual(self.found("span.name = 't3'"), ["t3"])
        self.assertEqual(self.found("trace.text LIKE '%t1%'"), ["t1"])
        first = self.client.search_traces(locations=[self.experiment], max_results=3, include_spans=False)
        rest = self.client.search_traces(locations=[self.experiment], max_results=3, page_token=first.token)
        self.assertEqual(len({t.info.trace_id for t in list(first) + list(rest)}), 5)
        self.assertEqual(len(mlflow.search_traces(locations=[self.experiment])), 5)  # as a table
        with self.assertRaises(MlflowException) as caught:
            self.found("nonsense = 'x'")
        self.assertEqual(caught.exception.error_code, "INVALID_PARAMETER_VALUE")

    def test_regular_expressions_are_searched_for(self):
        for name, team in (("pay/card", "blue-1"), ("pay/cash", "red"), ("list", "blue-22")):
            self.make(name, team=team)

        def names(filter_string):
            return self.found(filter_string, order_by=["timestamp_ms ASC"])
        self.assertEqual(names("name RLIKE '^pay/'"), ["pay/card", "pay/cash"])
        self.assertEqual(names("tags.team RLIKE 'blue-[0-9]{2}$'"), ["list"])
        self.assertEqual(names("span.name RLIKE 'ca(r|s)' AND tags.team != 'red'"), ["pay/card"])
        self.assertEqual(names("span.attributes.`mlflow.spanInputs` RLIKE 'li.t'"), ["list"])
        self.assertEqual(names("trace.status RLIKE '^(OK|ERROR)$' AND name RLIKE 't$'"), ["list"])
        with self.assertRaises(MlflowException) as caught:
            names("name RLIKE '('")
        self.assertEqual(caught.exception.error_code, "INVALID_PARAMETER_VALUE")

    def test_attachments_come_back_as_they_went(self):
        picture = b"\x89PNG\r\n" + bytes(range(256)) * 100
        with mlflow.start_span(name="look") as span:
            span.set_inputs({"image": Attachment(content_type="image/png", content_bytes=picture), "question": "which ship?"})
        trace = self.flushed()
        reference = Attachment.parse_ref(trace.data.spans[0].inputs["image"])
        self.assertEqual((reference["content_type"], reference["size"]), ("image/png", len(picture)))
        repository = get_artifact_repository(trace.info.tags["mlflow.artifactLocation"])
        self.assertEqual(repository.download_trace_attachment(reference["attachment_id"]), picture)
        page = f"{self.server.url}/ajax-api/3.0/mlflow/get-trace-artifact?request_id={trace.info.trace_id}"
        with urllib.request.urlopen(f"{page}&path={reference['attachment_id']}") as answer:
            self.assertEqual((answer.read(), answer.headers["X-Content-Type-Options"]), (picture, "nosniff"))
        with urllib.request.urlopen(page) as answer:
            whole = TraceData.from_dict(json.load(answer))
        self.assertEqual([(one.name, one.inputs) for one in whole.spans], [(one.name, one.inputs) for one in trace.data.spans])
        self.client.delete_traces(self.experiment, trace_ids=[trace.info.trace_id])
        with self.assertRaises(Exception):
            repository.download_trace_attachment(reference["attachment_id"])

    def test_tags_are_set_and_deleted(self):
        trace_id = self.make("tagged", early="yes").info.trace_id
        mlflow.set_trace_tag(trace_id, "late", "ü")
        self.assertEqual(self.client.get_trace(trace_id).info.tags["late"], "ü")
        mlflow.delete_trace_tag(trace_id, "early")
        self.assertNotIn("early", self.client.get_trace(trace_id).info.tags)
        with self.assertRaises(MlflowException):
            mlflow.delete_trace_tag(trace_id, "early")

    def test_traces_are_deleted_by_id_and_by_time(self):
        first, second = (self.make(name).info.trace_id for name in ("first", "second"))
        self.assertEqual(self.client.delete_traces(self.experiment, trace_ids=[first]), 1)
        with self.assertRaises(MlflowException) as caught:
            self.client.get_trace(first)
        self.assertEqual(caught.exception.error_code, "RESOURCE_DOES_NOT_EXIST")
        self.assertEqual(self.client.delete_traces(self.experiment, max_timestamp_millis=int(time.time() * 1000), max_traces=10), 1)
        self.assertEqual(self.found(), [])
        self.assertIsNotNone(second)

    def test_tokens_and_sessions_are_summed_and_searched(self):
        with mlflow.start_span(name="chat") as span:
            mlflow.update_current_trace(session_id="session-1", user="ann")
            with mlflow.start_span(name="model", span_type=SpanType.CHAT_MODEL) as model:
                model.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12})
            span.set_outputs("done")
        trace = self.flushed()
        self.assertEqual(trace.info.token_usage["total_tokens"], 12)
        self.assertEqual(self.found("metadata.`mlflow.trace.session` = 'session-1'"), ["chat"])
        self.assertEqual(self.found("metadata.mlflow.trace.user = 'bob'"), [])

    def test_many_threads_lose_nothing(self):
        def work(n):
            for k in range(5):
                with mlflow.start_span(name=f"{n}-{k}"):
                    pass

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        mlflow.flush_trace_async_logging()
        self.assertEqual(sorted(self.found()), sorted(f"{n}-{k}" for n in range(8) for k in range(5)))

    def test_two_filters_are_held_against_each_other(self):
        for n in range(4):
            self.make(f"c{n}", left="yes" if n < 2 else "no", right="yes" if n < 2 else "no")
        from mlflow.tracking._tracking_service.utils import _get_store

        found = _get_store().calculate_trace_filter_correlation([self.experiment], "tags.left = 'yes'", "tags.right = 'yes'")
        self.assertEqual((found.filter1_count, found.filter2_count, found.joint_count, found.total_count), (2, 2, 2, 4))
        self.assertAlmostEqual(found.npmi, 1.0)

    def test_numbers_over_many_traces(self):
        from mlflow.entities.trace_metrics import AggregationType as Type, MetricAggregation as Of, MetricViewType as View
        from mlflow.tracking._tracking_service.utils import _get_store

        for n in range(4):
            with mlflow.start_span(name="even" if n % 2 == 0 else "odd") as span:
                span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": n, "output_tokens": 1, "total_tokens": n + 1})
                with mlflow.start_span(name="inner", span_type=SpanType.TOOL):
                    pass
            mlflow.log_feedback(trace_id=self.flushed().info.trace_id, name="score", value=n / 2)

        def ask(view, metric, aggregations, **more):
            points = _get_store().query_trace_metrics([self.experiment], view, metric, aggregations, **more)
            return [(point.dimensions, point.values) for point in points]

        self.assertEqual(ask(View.TRACES, "trace_count", [Of(Type.COUNT)], dimensions=["trace_name"]), [({"trace_name": "even"}, {"COUNT": 2.0}), ({"trace_name": "odd"}, {"COUNT": 2.0})])
        self.assertEqual(ask(View.TRACES, "total_tokens", [Of(Type.SUM), Of(Type.MAX), Of(Type.PERCENTILE, 50)]), [({}, {"SUM": 10.0, "MAX": 4.0, "P50.0": 2.5})])
        self.assertEqual(ask(View.TRACES, "total_tokens", [Of(Type.SUM)], filters=["trace.status = 'ERROR'"]), [])
        self.assertEqual(ask(View.SPANS, "span_count", [Of(Type.COUNT)], dimensions=["span_type"], filters=["span.name = 'inner'"]), [({"span_type": "TOOL"}, {"COUNT": 4.0})])
        self.assertEqual(ask(View.ASSESSMENTS, "assessment_value", [Of(Type.AVG)], dimensions=["assessment_name"]), [({"assessment_name": "score"}, {"AVG": 0.75})])
        now = int(time.time() * 1000)
        buckets = ask(View.TRACES, "latency", [Of(Type.AVG)], time_interval_seconds=3600, start_time_ms=now - 7_200_000, end_time_ms=now)
        self.assertIn(len(buckets), (1, 2))
        self.assertRegex(buckets[0][0]["time_bucket"], r"^\d{4}-\d\d-\d\dT\d\d:00:00\+00:00$")
        for wrong in [("nonsense", [Of(Type.COUNT)], {}), ("trace_count", [Of(Type.SUM)], {}), ("latency", [Of(Type.AVG)], {"dimensions": ["span_name"]})]:
            with self.assertRaises(MlflowException) as caught:
                ask(View.TRACES, wrong[0], wrong[1], **wrong[2])
            self.assertEqual(caught.exception.error_code, "INVALID_PARAMETER_VALUE")

    def test_what_older_clients_ask_for_is_answered(self):
        def ask(method, path, body=None):
            request = urllib.request.Request(f"{self.server.url}/api/2.0/mlflow/{path}", method=method, headers={"Content-Type": "application/json"}, data=body and json.dumps(body).encode())
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)

        begun = ask("POST", "traces", {"experiment_id": self.experiment, "timestamp_ms": 1000, "request_metadata": [{"key": "m", "value": "1"}], "tags": [{"key": "t", "value": "2"}]})["trace_info"]
        self.assertEqual(begun["status"], "IN_PROGRESS")
        ended = ask("PATCH", f"traces/{begun['request_id']}", {"timestamp_ms": 1500, "status": "OK", "request_metadata": [], "tags": [{"key": "u", "value": "3"}]})["trace_info"]
        self.assertEqual((ended["status"], ended["execution_time_ms"], len(ended["tags"])), ("OK", 500, 3))
        self.assertEqual(ask("GET", f"traces/{begun['request_id']}/info")["trace_info"], ended)
        self.assertEqual(ask("GET", f"traces?experiment_ids={self.experiment}&max_results=5")["traces"], [ended])


class Assessments(OnTraces):
    def test_feedback_is_logged_changed_overridden_and_deleted(self):
        trace_id = self.make("assessed").info.trace_id
        source = AssessmentSource(source_type="HUMAN", source_id="ann")
        first = mlflow.log_feedback(trace_id=trace_id, name="correct", value=True, rationale="it is", source=source, metadata={"m": "1"})
        self.assertTrue(first.assessment_id.startswith("a-"))
        got = self.client.get_trace(trace_id).info.assessments
        self.assertEqual([(a.name, a.feedback.value, a.rationale, a.source.source_id, a.metadata) for a in got], [("correct", True, "it is", "ann", {"m": "1"})])
        changed = mlflow.update_assessment(trace_id, first.assessment_id, Feedback(name="correct", value=False, rationale="no"))
        self.assertEqual((changed.feedback.value, changed.rationale), (False, "no"))
        second = mlflow.override_feedback(trace_id=trace_id, assessment_id=first.assessment_id, value=True, source=source)
        self.assertFalse(mlflow.get_assessment(trace_id, first.assessment_id).valid)
        mlflow.delete_assessment(trace_id, second.assessment_id)
        self.assertTrue(mlflow.get_assessment(trace_id, first.assessment_id).valid)
        self.assertEqual(self.found("feedback.correct = 'false'"), ["assessed"])
        self.assertEqual(self.found("feedback.correct = 'true'"), [])

    def test_expectations_hold_any_json(self):
        trace_id = self.make("expected").info.trace_id
        for name, value in {"text": "forty", "number": 4.5, "list": [1, {"a": None}], "map": {"k": [True]}}.items():
            made = mlflow.log_expectation(trace_id=trace_id, name=name, value=value)
            self.assertEqual(mlflow.get_assessment(trace_id, made.assessment_id).expectation.value, value)

    def test_an_error_is_feedback_too(self):
        trace_id = self.make("failed").info.trace_id
        made = mlflow.log_feedback(trace_id=trace_id, name="judge", error=RuntimeError("no model"))
        got = mlflow.get_assessment(trace_id, made.assessment_id)
        self.assertEqual((got.feedback.value, got.feedback.error.error_message), (None, "no model"))

    def test_a_trace_that_is_not_there_is_said_so(self):
        with self.assertRaises(MlflowException) as caught:
            mlflow.log_feedback(trace_id="tr-none", name="x", value=1)
        self.assertEqual(caught.exception.error_code, "RESOURCE_DOES_NOT_EXIST")


class OpenTelemetry(OnTraces):
    """Any exporter, without mlflow in the program that is traced."""

    def export(self, body, content_type="application/x-protobuf", **headers):
        named = {"Content-Type": content_type, "x-mlflow-experiment-id": self.experiment, **{k.replace("_", "-"): v for k, v in headers.items()}}
        request = urllib.request.Request(self.server.url + "/v1/traces", data=body, headers=named)
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()

    def request(self, trace=b"\x07" * 16):
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        service = resource_spans.resource.attributes.add()
        service.key, service.value.string_value = "service.name", "shop"
        spans = resource_spans.scope_spans.add().spans
        for n in range(2):
            span = spans.add()
            span.trace_id, span.span_id, span.name = trace, bytes([n + 1]) * 8, f"step {n}"
            span.parent_span_id = b"" if n == 0 else b"\x01" * 8
            span.start_time_unix_nano, span.end_time_unix_nano = 1_700_000_000_000_000_000 + n, 1_700_000_001_000_000_000
        return request

    def test_protobuf_plain_and_compressed_is_read_by_mlflow(self):
        plain = self.request().SerializeToString()
        self.assertEqual(self.export(plain), (200, "application/x-protobuf", b""))
        self.export(gzip.compress(self.request(b"\x08" * 16).SerializeToString()), Content_Encoding="gzip")
        for trace_id in ("tr-" + "07" * 16, "tr-" + "08" * 16):
            trace = self.client.get_trace(trace_id)
            self.assertEqual([span.name for span in trace.data.spans], ["step 0", "step 1"])
            self.assertEqual(trace.info.tags["service.name"], "shop")
            self.assertEqual((trace.info.state, trace.info.execution_duration), ("OK", 1000))

    def test_json_says_the_same(self):
        from google.protobuf.json_format import MessageToDict

        body = MessageToDict(self.request(b"\x09" * 16))
        for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]:
            for name in ("traceId", "spanId", "parentSpanId"):
                if name in span:
                    span[name] = base64.b64decode(span[name]).hex()
        self.assertEqual(self.export(json.dumps(body).encode(), "application/json")[2], b"{}")
        self.assertEqual(len(self.client.get_trace("tr-" + "09" * 16).data.spans), 2)

    def test_spans_are_linked_to_the_run_that_a_header_names(self):
        run = self.new_run()
        self.export(self.request(b"\x0a" * 16).SerializeToString(), x_mlflow_run_id=run)
        found = mlflow.search_traces(locations=[self.experiment], filter_string=f"run_id = '{run}'", return_type="list")
        self.assertEqual([trace.info.trace_id for trace in found], ["tr-" + "0a" * 16])

    def test_the_sdk_of_opentelemetry_exports_here(self):
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import Compression, OTLPSpanExporter
        except ImportError:
            self.skipTest("opentelemetry-exporter-otlp-proto-http is not installed")
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider(resource=Resource.create({"service.name": "checkout"}))
        exporter = OTLPSpanExporter(self.server.url + "/v1/traces", headers={"x-slipway-experiment": "checkout"}, compression=Compression.Gzip)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        tracer = provider.get_tracer("test")
        with tracer.start_as_current_span("pay") as root, tracer.start_as_current_span("charge"):
            trace_id = f"tr-{root.get_span_context().trace_id:032x}"
        provider.shutdown()
        trace = self.client.get_trace(trace_id)
        self.assertEqual([span.name for span in trace.data.spans], ["pay", "charge"])
        self.assertEqual(self.client.get_experiment(trace.info.experiment_id).name, "checkout")

    def test_what_is_broken_is_refused_and_never_a_5xx(self):
        for body, content_type in [(b"not protobuf", "application/x-protobuf"), (b"{", "application/json"), (b"{}", "application/json"), (b"", "application/x-protobuf"), (b"x", "text/plain")]:
            with self.assertRaises(urllib.error.HTTPError) as caught:
                self.export(body, content_type)
            self.assertEqual(caught.exception.code, 400, body)
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.export(self.request(b"\x0b" * 16).SerializeToString(), x_mlflow_experiment_id="none")
        self.assertEqual(caught.exception.code, 404)


if __name__ == "__main__":
    unittest.main()
