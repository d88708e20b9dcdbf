"""Holds answers of a server against its own description of /api/v1.

    document = Document(server.request("GET", "/api/v1/openapi.json").json())
    problems = document.check("GET", "/api/v1/runs?page_size=1", None, answer)

Everything that the description does not say is a problem: an operation, a status, a content type, a member of a closed
record, a member that is missing or of another type. So is a request that the server took although it does not fit.
"""
import json
import re
import urllib.parse
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from jsonschema import Draft202012Validator, RefResolver

from server import Server

PREFIX = "/api/v1/"
SHOWN_CHARACTERS_MAX = 300
PROBLEMS_SHOWN_MAX = 5


class Document:
    def __init__(self, document):
        self._document = document
        self._resolver = RefResolver("", document)
        self._validators = {}
        self._templates = sorted((self._template(path, item) for path, item in document["paths"].items()), key=lambda template: template[0])

    def check(self, method, target, body, answer):
        """The problems of one exchange, as sentences. `body` is the request's bytes or None; `answer` has status, headers, body."""
        path, _, query = target.partition("?")
        if not path.startswith(PREFIX):
            return []
        operation, item = self._find("GET" if method == "HEAD" else method, path)
        if operation is None:
            return [] if answer.status in (404, 405) else [f"{method} {path} is not described, but answered {answer.status}"]
        response = self._resolve(operation["responses"].get(str(answer.status)))
        if response is None:
            return [f"{answer.status} is no described answer of {operation['operationId']}"]
        problems = self._check_answer(operation, response, answer) if method != "HEAD" else []
        if answer.status < 300:
            problems += self._check_request(operation, item, query, body)
        return [f"{operation['operationId']}: {problem}" for problem in problems]

    def _template(self, path, item):
        """(how little it says, regular expression, item): literal segments go before parameters, as in the server."""
        with_slashes = {parameter["name"] for parameter in map(self._resolve, item["parameters"]) if parameter.get("x-slashes")}
        parts = re.split(r"\{(\w+)\}", path)
        pattern = "".join(re.escape(part) if index % 2 == 0 else ".*" if part in with_slashes else "[^/]+" for index, part in enumerate(parts))
        openness = [1 if "{" in segment else 0 for segment in path.split("/")]
        return openness, path, re.compile(pattern), item

    def _find(self, method, path):
        for _, _, pattern, item in self._templates:
            if pattern.fullmatch(path) and method.lower() in item:
                return item[method.lower()], item
        return None, None

    def _resolve(self, part):
        return self._resolver.resolve(part["$ref"])[1] if part and "$ref" in part else part

    def _check_answer(self, operation, response, answer):
        contents = response.get("content", {})
        if not contents:
            return [f"{answer.status} came with a body of {len(answer.body)} bytes; described is none"] if answer.body else []
        media_type = answer.headers.get("content-type", "").split(";")[0]
        content = contents.get(media_type) or contents.get("*/*")
        if content is None:
            return [f"{answer.status} came as '{media_type}'; described is {' or '.join(contents)}"]
        if media_type != "application/json" or media_type not in contents:
            return []
        return self._problems(content["schema"], json.loads(answer.body), f"the answer {answer.status}")

    def _check_request(self, operation, item, query, body):
        known = {parameter["name"] for parameter in map(self._resolve, [*item["parameters"], *operation["parameters"]]) if parameter["in"] == "query"}
        problems = [f"the query's '{name}' is not described" for name, _ in urllib.parse.parse_qsl(query, keep_blank_values=True) if name not in known]
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is not None and body:
            problems += self._problems(content["schema"], json.loads(body), "the request, which was taken,")
        return problems

    def _problems(self, schema, value, what):
        key = json.dumps(schema)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator(schema, resolver=self._resolver)
        errors = sorted(self._validators[key].iter_errors(value), key=lambda error: str(error.json_path))
        return [f"{what} at {error.json_path}: {error.message[:SHOWN_CHARACTERS_MAX]}" for error in errors[:PROBLEMS_SHOWN_MAX]]


class DescribedServer(Server):
    """A server that is held against its own description with every request(); `contradictions` has what was found."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.contradictions = []
        self._description = None

    def request(self, method, path, body=None, headers=None, seconds_max=60):
        answer = super().request(method, path, body, headers, seconds_max)
        if path.startswith(PREFIX):
            if self._description is None:
                self._description = Document(super().request("GET", PREFIX + "openapi.json").json())
            sent = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
            self.contradictions += self._description.check(method, path, sent, answer)
        return answer
