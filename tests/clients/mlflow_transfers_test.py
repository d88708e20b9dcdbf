"""Large artifacts in parts and by signed URLs, as the mlflow client does by itself or when it is told to."""
import hashlib
import os
import threading
import unittest
import urllib.error
import urllib.request
from unittest import mock

import mlflow_test
from mlflow_postgres_test import database as postgres_database

MIB = 1 << 20
IN_PARTS = {"MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "true", "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": str(5 * MIB),
            "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 * MIB), "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "true",
            "MLFLOW_MULTIPART_DOWNLOAD_MINIMUM_FILE_SIZE": str(5 * MIB), "MLFLOW_MULTIPART_DOWNLOAD_CHUNK_SIZE": str(5 * MIB)}

LARGE_HERE = {key: value for key, value in IN_PARTS.items() if "ENABLE" not in key}  # what is large, not what to do with it


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def put(url, body):
    """A PUT as a client without credentials sends it; answers (status, ETag)."""
    request = urllib.request.Request(url, data=body, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers.get("ETag")
    except urllib.error.HTTPError as error:
        error.read()
        return error.code, None


class Transfers(mlflow_test.OnServer):
    def file(self, mebibytes, name="big.bin"):
        path = self.folder / name
        with open(path, "wb") as file:
            for _ in range(mebibytes):
                file.write(os.urandom(MIB))
        return str(path)

    def proxy(self, verb, run, folder="", **body):
        path = f"/api/2.0/mlflow-artifacts/mpu/{verb}/{self.experiment}/{run}/artifacts{folder}"
        return self.server.request("POST", path, body)

    def begin(self, run, parts, name="/data/whole.bin"):
        made = self.proxy("create", run, path=name, num_parts=parts)
        self.assertEqual(made.status, 200, made.body)
        return made.json()

    @mock.patch.dict(os.environ, IN_PARTS)
    def test_a_file_comes_back_as_it_went(self):
        path, run = self.file(37), self.new_run()
        with mock.patch("requests.put", wraps=__import__("requests").put) as sent:
            self.client.log_artifact(run, path, "models/deep")
        self.assertEqual(sent.call_count, 8)  # it really went in parts
        self.assertEqual([(f.path, f.file_size) for f in self.client.list_artifacts(run, "models/deep")], [("models/deep/big.bin", 37 * MIB)])
        with mock.patch("mlflow.store.artifact.mlflow_artifacts_repo.MlflowArtifactsRepository._multipart_download",
                        autospec=True, side_effect=self._real_download()) as fetched:
            got = self.client.download_artifacts(run, "models/deep/big.bin", str(self.folder))
        self.assertEqual(fetched.call_count, 1)
        self.assertEqual(digest(got), digest(path))

    @staticmethod
    def _real_download():
        from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository
        return MlflowArtifactsRepository._multipart_download

    @mock.patch.dict(os.environ, LARGE_HERE)
    def test_a_large_file_goes_in_parts_without_being_told_to(self):
        """The client asks server-info, whose answer is all that switches parts on here; a small file goes in one stream."""
        large, small, run = self.file(12), self.file(1, "small.bin"), self.new_run()
        mlflow_test.mlflow.set_tracking_uri(self.server.url)
        with mock.patch("requests.put", wraps=__import__("requests").put) as sent, mlflow_test.mlflow.start_run(run_id=run):
            mlflow_test.mlflow.log_artifact(small)
            self.assertEqual(sent.call_count, 0)
            mlflow_test.mlflow.log_artifact(large)
        self.assertEqual(sent.call_count, 3)
        (self.folder / "back").mkdir()
        for path in (large, small):
            got = self.client.download_artifacts(run, os.path.basename(path), str(self.folder / "back"))
            self.assertEqual(digest(got), digest(path))

    @mock.patch.dict(os.environ, IN_PARTS)
    def test_memory_stays_flat(self):
        run, path = self.new_run(), self.file(8, "warm.bin")
        self.client.log_artifact(run, path)
        before, uploads = self.server.resident_bytes(), set((self.server.data / "uploads").iterdir())
        path = self.file(400)
        self.client.log_artifact(run, path)
        self.assertLess(self.server.resident_bytes() - before, 64 * MIB)
        self.assertEqual(set((self.server.data / "uploads").iterdir()), uploads)  # nothing of it is left

    def test_a_part_may_be_sent_again_and_late(self):
        run = self.new_run()
        upload = self.begin(run, 3)
        urls = {c["part_number"]: c["url"] for c in upload["credentials"]}
        etags = {3: put(urls[3], b"three")[1]}
        self.assertNotEqual(put(urls[1], b"wrong")[1], None)
        senders = [threading.Thread(target=put, args=(urls[2], b"two")) for _ in range(8)]
        for each in senders:
            each.start()
        for each in senders:
            each.join()
        etags[2] = put(urls[2], b"two")[1]
        stale = put(urls[1], b"stale")[1]
        etags[1] = put(urls[1], b"one")[1]

        def complete(names):
            parts = [{"part_number": n, "etag": e, "url": urls[n]} for n, e in names.items()]
            return self.proxy("complete", run, path="/data/whole.bin", upload_id=upload["upload_id"], parts=parts)

        self.assertEqual(complete({**etags, 1: stale}).status, 400)
        self.assertEqual(complete({1: etags[1], 2: etags[2]}).status, 400)
        self.assertEqual(self.client.list_artifacts(run), [])
        self.server.kill()
        self.server.start()
        self.assertEqual(complete(etags).status, 200)
        self.assertEqual(complete(etags).status, 200)  # a client that missed the answer asks again
        self.assertEqual(mlflow_test.mlflow.artifacts.load_text(f"runs:/{run}/whole.bin"), "onetwothree")
        self.assertEqual(put(urls[1], b"late")[0], 400)

    def test_an_aborted_upload_leaves_nothing(self):
        run = self.new_run()
        upload = self.begin(run, 1)
        url = upload["credentials"][0]["url"]
        put(url, b"x" * MIB)
        self.assertEqual(self.proxy("abort", run, path="whole.bin", upload_id=upload["upload_id"]).status, 200)
        self.assertEqual(put(url, b"x")[0], 404)
        self.assertEqual(self.client.list_artifacts(run), [])
        self.assertNotIn(upload["upload_id"], [path.name for path in (self.server.data / "uploads").iterdir()])

    def test_an_abandoned_upload_is_swept_when_the_next_begins(self):
        run = self.new_run()
        old = self.begin(run, 1)["upload_id"]
        folder = self.server.data / "uploads" / old
        os.utime(folder, (1, 1))
        self.begin(run, 1)
        self.assertFalse(folder.exists())

    def test_a_url_is_good_for_its_part_only(self):
        run = self.new_run()
        urls = [c["url"] for c in self.begin(run, 2)["credentials"]]
        other = self.begin(run, 1)["credentials"][0]["url"]
        path, query = urls[0].split("?")
        for forged in (path, path + "?expires=99999999999&signature=" + query.split("=")[-1], path[:-1] + "2?" + query,
                       other.split("?")[0] + "?" + query, urls[0][:-1] + ("0" if urls[0][-1] != "0" else "1")):
            self.assertEqual(put(forged, b"x")[0], 403, forged)

    def test_nonsense_is_refused_in_a_sentence(self):
        run = self.new_run()
        for body in ({"path": "x", "num_parts": 0}, {"path": "x", "num_parts": 10001}, {"path": "x", "num_parts": -1}, {"num_parts": 1},
                     {"path": "", "num_parts": 1}, {"path": "a/..", "num_parts": 1}, {"path": "a/", "num_parts": 1}):
            self.assertEqual(self.proxy("create", run, **body).status, 400, body)
        self.assertEqual(self.proxy("create", run, "/../../x", path="x", num_parts=1).status, 400)
        self.assertEqual(self.proxy("create", "0" * 32, path="x", num_parts=1).status, 404)
        upload = self.begin(run, 1)["upload_id"]
        for parts in ([], [{"part_number": 1}], [{"part_number": 1, "etag": "../x"}], "x", [{"etag": "0" * 64}],
                      [{"part_number": 2, "etag": "0" * 64}], [{"part_number": 1, "etag": "0" * 64}] * 2):
            self.assertEqual(self.proxy("complete", run, path="whole.bin", upload_id=upload, parts=parts).status, 400, parts)
        self.assertEqual(self.proxy("complete", run, path="other.bin", upload_id=upload, parts=[{"part_number": 1, "etag": "0" * 64}]).status, 404)
        self.assertEqual(self.proxy("complete", run, path="x", upload_id="../../x", parts=[{"part_number": 1, "etag": "0" * 64}]).status, 404)

    def test_presigned_urls_need_no_credential_and_expire(self):
        run = self.new_run()
        ask = lambda what, **body: self.server.request("POST", f"/api/2.0/mlflow/artifacts/presigned-{what}-url", {"run_id": run, **body})
        made = ask("upload", path="notes/a b.txt").json()
        self.assertEqual(put(made["presigned_url"], b"hello")[0], 200)
        answer = ask("download", path="notes/a b.txt").json()
        self.assertEqual(answer["file_size"], 5)
        with urllib.request.urlopen(answer["presigned_url"], timeout=30) as got:
            self.assertEqual((got.read(), got.headers["Content-Security-Policy"]), (b"hello", "sandbox"))
        part = urllib.request.Request(answer["presigned_url"], headers={"Range": "bytes=1-2"})
        with urllib.request.urlopen(part, timeout=30) as got:
            self.assertEqual((got.status, got.read()), (206, b"el"))
        self.assertEqual(put(answer["presigned_url"], b"forged")[0], 403)  # signed for reading
        self.assertEqual(ask("download", path="none").status, 404)
        for body in ({"path": "../x"}, {"path": ""}, {"path": "x", "expiration": 0}, {"path": "x", "expiration": 10**9}):
            self.assertEqual(ask("upload", **body).status, 400, body)


class TransfersOnPostgres(Transfers):
    database = staticmethod(postgres_database)


if __name__ == "__main__":
    unittest.main()
