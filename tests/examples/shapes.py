"""examples/shapes: pictures with masks, so a task, a dataset and a model of another form than a digit and its name."""
import filecmp
import json
import math
import pathlib
import shutil
import statistics
import sys

import numpy
import tritonclient.http as triton

from story import Story, aside, expect, step
from user import ROOT, User

EXAMPLE = ROOT / "examples" / "shapes"
sys.path.insert(0, str(EXAMPLE))
from pictures import read_png, write_png  # noqa: E402

WRONG_BELOW = 0.5      # an answer whose mask overlaps less is what users complain about
IOU_MIN = 0.7          # of the first version on the pictures it was made for
HELD_OUT_PASS_MIN = 0.75
STUDENT_479 = 1.964927  # the 97.5% point of Student's t with 479 degrees of freedom
STATES_OVER = ("finished", "failed", "killed")


def iou_of(found, wanted):
    """Mean over the classes that are in either mask."""
    kinds = numpy.union1d(found, wanted)
    return float(numpy.mean([((found == kind) & (wanted == kind)).sum() / ((found == kind) | (wanted == kind)).sum() for kind in kinds]))


class Scene:
    """One picture of production and the mask that a person would draw."""

    def __init__(self, rgb_file):
        self.rgb_file = rgb_file
        self.mask_file = pathlib.Path(str(rgb_file).replace("/rgb/", "/mask/"))
        self.name = rgb_file.stem
        self.at_night = int(self.name[-4:]) % 2 == 1

    def rgb(self):
        return self.rgb_file.read_bytes()

    def mask(self):
        return self.mask_file.read_bytes()

    def iou(self, output):
        return iou_of(numpy.array(output["data"], numpy.float32).reshape(output["shape"])[0].argmax(0), read_png(self.mask()))


class Shapes(Story):
    def __init__(self, server, folder):
        self.folder, self.pictures = folder, folder / "pictures"
        shutil.copytree(EXAMPLE, folder / "code", ignore=shutil.ignore_patterns("__pycache__"))
        self.user = User(server, folder / "code")
        self.server = server

    # --- data ---

    @step
    def drawing_twice_gives_the_same_bytes(self):
        for name in ("pictures", "again"):
            self.user.does("/usr/bin/python3", "-B", "draw.py", self.folder / name)
        files = [str(file.relative_to(self.pictures)) for file in self.pictures.rglob("*.png")]
        _, different, missing = filecmp.cmpfiles(self.pictures, self.folder / "again", files, shallow=False)
        expect(len(files) == 2 * 1410 and not different and not missing, f"{len(files)} files, different {different[:3]}, missing {missing[:3]}")
        self.scenes = [Scene(file) for file in sorted((self.pictures / "production" / "rgb").rglob("*.png"), key=lambda file: file.stem)]

    @step
    def folders_become_samples_with_both_streams(self):
        self.user.slipway("data", "add", "shapes", self.pictures / "main", "--message", "scenes by day")
        self.user.slipway("data", "add", "shapes", self.pictures / "test", "--branch", "test", "--replace")
        for branch, count in (("main", 480), ("test", 480)):
            samples = self.user.pages(f"/api/v1/datasets/shapes/commits/{branch}/samples", "samples")
            expect(len(samples) == count, f"{branch} has {len(samples)} samples")
            expect(all(set(sample["streams"]) == {"rgb", "mask"} for sample in samples), "a stream is missing")
            expect(all(file["width"] == file["height"] == 48 for sample in samples for file in sample["streams"].values()), "a size is wrong")

    @aside
    def attributes_are_what_the_pictures_show(self):
        for sample in self.user.pages("/api/v1/datasets/shapes/commits/test/samples?filter=key%20LIKE%20'dock/%25'", "samples")[:20]:
            site, name = sample["key"].split("/")
            rgb = read_png((self.pictures / "test" / "rgb" / site / f"{name}.png").read_bytes())
            mask = read_png((self.pictures / "test" / "mask" / site / f"{name}.png").read_bytes())
            brightness = (rgb @ numpy.array([0.299, 0.587, 0.114])).round().mean() / 255
            found = sample["attributes"]
            expect(found["site"] == site == "dock", f"site {found}")
            expect(abs(found["brightness"] - brightness) < 2e-3, f"{sample['key']}: brightness {found['brightness']}, numpy says {brightness}")
            expect(abs(found["mask_area"] - (mask > 0).mean()) < 1e-5, f"{sample['key']}: mask_area {found['mask_area']}, numpy says {(mask > 0).mean()}")

    @aside
    def samples_are_found_by_what_they_show(self):
        found = self.user.json("data", "samples", "shapes@test", "--filter", "mask_area > 0.25 and site = 'hall'", "--limit", "500")["samples"]
        expect(found and all(sample["attributes"]["mask_area"] > 0.25 and sample["attributes"]["site"] == "hall" for sample in found), f"{len(found)} samples")

    def refuses(self, sentence, spoil):
        """A folder with one bad thing in it is refused whole."""
        bad = self.folder / "bad"
        shutil.rmtree(bad, ignore_errors=True)
        for number, scene in enumerate(self.scenes[:6]):
            for kind, content in (("rgb", scene.rgb()), ("mask", scene.mask())):
                (bad / kind / "dock").mkdir(parents=True, exist_ok=True)
                (bad / kind / "dock" / f"{number}.png").write_bytes(content)
        spoil(bad)
        before = self.user.get("/api/v1/datasets/shapes/commits/main")["id"]
        self.user.is_refused(sentence, "data", "add", "shapes", bad)
        expect(self.user.get("/api/v1/datasets/shapes/commits/main")["id"] == before, "something was committed all the same")

    @aside
    def a_mask_with_an_unknown_value_is_refused(self):
        def spoil(bad):
            mask = read_png(self.scenes[3].mask()).copy()
            mask[5, 7] = 9
            (bad / "mask/dock/3.png").write_bytes(write_png(mask))
        self.refuses("mask/dock/3.png: the value 9 at column 7, row 5; labels_in allows 0, 1, 2, 3", spoil)

    @aside
    def a_scene_without_its_mask_is_refused(self):
        self.refuses("the sample 'dock/2' has no file for its stream mask; expected mask/dock/2.png", lambda bad: (bad / "mask/dock/2.png").unlink())

    @aside
    def a_mask_of_another_size_is_refused(self):
        self.refuses("same_size asks for equal ones", lambda bad: (bad / "mask/dock/1.png").write_bytes(write_png(read_png(self.scenes[1].mask())[:40])))

    @aside
    def a_mask_that_is_cut_off_is_refused(self):
        self.refuses("mask/dock/0.png", lambda bad: (bad / "mask/dock/0.png").write_bytes(self.scenes[0].mask()[:-30]))

    # --- a run ---

    @step
    def a_run_takes_the_uncommitted_change_along(self):
        for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "the example"]):
            self.user.does("git", *words)
        with open(self.user.folder / "train.py", "a", encoding="utf-8") as file:
            file.write("# an uncommitted change\n")
        log = self.user.slipway("run", "train")
        expect("epoch 10/10" in log, f"the log ends with {log[-500:]}")
        self.run_id = self.user.get("/api/v1/runs?page_size=1")["runs"][0]["id"]
        snapshot = self.user.get(f"/api/v1/runs/{self.run_id}/snapshot")
        expect(snapshot["dirty"] and "+# an uncommitted change" in snapshot["diff"], f"the diff is {snapshot['diff']!r}")

    @step
    def an_unmodified_mlflow_logged_it(self):
        run = self.user.get(f"/api/v1/runs/{self.run_id}")
        expect(run["state"] == "finished", f"the run is {run['state']}")
        expect(run["metrics"]["loss"]["count"] == 10 * math.ceil(432 / 16), f"{run['metrics']['loss']}")
        expect(run["metrics"]["val_iou"]["last"] > IOU_MIN, f"val_iou {run['metrics']['val_iou']}")
        expect(run["parameters"]["scenes"] == "480", f"parameters {run['parameters']}")
        return f"val_iou {run['metrics']['val_iou']['last']:.3f}"

    @aside
    def the_environment_is_recorded_package_by_package(self):
        packages = {package["name"].lower(): package["version"] for package in self.user.get(f"/api/v1/runs/{self.run_id}/environment")["packages"]}
        expect(packages.get("mlflow-skinny") == "3.17.2" and "torch" in packages, f"{sorted(packages)[:20]}")

    @step
    def its_output_is_a_version_that_knows_its_tensors(self):
        version = self.user.get("/api/v1/models/shapes/versions/1")
        expect(version["run_id"] == self.run_id, f"made by {version['run_id']}")
        return f"version 1 of shapes, {version['files'][0]['size']} bytes"

    # --- evaluation ---

    @step
    def an_evaluation_tells_iou_with_its_interval_slice_by_slice(self):
        self.first = self.user.json("evaluate", "model:shapes/1", "dataset:shapes@test", "--task", "segmentation", "--input", "rgb", "--target", "mask", "--slice-by", "site",
                                    "--slice", "small=mask_area < 0.12", "--slice", "large=mask_area > 0.25")
        score = self.first["metrics"]["iou"]
        expect(self.first["state"] == "finished" and score["n"] == 480, f"{self.first['state']}, {score}")
        expect(IOU_MIN < score["low"] < score["value"] < score["high"] <= 1, f"{score}")
        slices = {slice_["name"]: slice_["metrics"]["iou"] for slice_ in self.first["slices"]}
        expect(set(slices) == {"site dock", "site hall", "site yard", "small", "large"}, f"slices {sorted(slices)}")
        expect(sum(slices[f"site {site}"]["n"] for site in ("dock", "hall", "yard")) == 480, f"{slices}")
        expect(all(one["low"] < one["value"] < one["high"] and one["n"] > 10 for one in slices.values()), f"{slices}")
        return f"IoU {score['value']:.3f}, 95% from {score['low']:.3f} to {score['high']:.3f}"

    @aside
    def the_interval_is_students(self):
        scores = [sample["score"] for sample in self.user.pages(f"/api/v1/evaluations/{self.first['id']}/samples", "samples")]
        mean, half = statistics.mean(scores), STUDENT_479 * statistics.stdev(scores) / math.sqrt(len(scores))
        told = self.first["metrics"]["iou"]
        expect(len(scores) == 480 and max(abs(told["value"] - mean), abs(told["low"] - mean + half), abs(told["high"] - mean - half)) < 1e-6,
               f"told {told}, from the samples {mean - half} to {mean + half}")

    # --- a deployment ---

    @step
    def a_deployment_answers(self):
        deployment = self.user.json("deploy", "shapes")
        expect(deployment["state"] == "ready" and deployment["version"] == 1, f"{deployment['state']}, version {deployment['version']}")

    @step
    def curl_sends_a_picture_as_it_is(self):
        scene = self.scenes[0]
        said = self.user.does("curl", "-sS", "--fail-with-body", "-H", "Content-Type: image/png", "--data-binary", f"@{scene.rgb_file}", f"{self.server.url}/v2/models/shapes/infer")
        self.output = json.loads(said)["outputs"][0]
        expect(self.output["name"] == "classes" and self.output["shape"] == [1, 4, 48, 48], f"{self.output['name']} {self.output['shape']}")
        expect(scene.iou(self.output) > WRONG_BELOW, f"IoU {scene.iou(self.output)}")

    def tensor(self, *scenes):
        """As the model wants them, by the declaration that pictures go by: 0..255 to 0..1, channels first."""
        return numpy.stack([read_png(scene.rgb()) for scene in scenes]).transpose(0, 3, 1, 2).astype(numpy.float32) / numpy.float32(255)

    def ask_by_tritonclient(self, *scenes):
        client = triton.InferenceServerClient(self.server.url.split("//")[1])
        values = self.tensor(*scenes)
        tensor = triton.InferInput("rgb", list(values.shape), "FP32")
        tensor.set_data_from_numpy(values, binary_data=True)
        return client.infer("shapes", [tensor], outputs=[triton.InferRequestedOutput("classes", binary_data=True)]).as_numpy("classes")

    @step
    def tritonclient_sends_binary_tensors_and_gets_the_same(self):
        found = self.ask_by_tritonclient(self.scenes[0])
        by_curl = numpy.array(self.output["data"], numpy.float32).reshape(self.output["shape"])
        expect(found.shape == (1, 4, 48, 48) and numpy.abs(found - by_curl).max() < 1e-5, f"shape {found.shape}, apart by {numpy.abs(found - by_curl).max()}")

    @aside
    def several_scenes_in_one_tensor_are_answered_each(self):
        together = self.ask_by_tritonclient(*self.scenes[:3])
        apart = numpy.concatenate([self.ask_by_tritonclient(scene) for scene in self.scenes[:3]])
        expect(numpy.abs(together - apart).max() < 1e-4, f"apart by {numpy.abs(together - apart).max()}")

    @aside
    def the_scores_of_the_evaluation_are_those_of_the_answers(self):
        scores = {sample["key"]: sample["score"] for sample in self.user.pages(f"/api/v1/evaluations/{self.first['id']}/samples", "samples")}
        for file in sorted((self.pictures / "test" / "rgb").rglob("*.png"))[::12]:
            scene = Scene(file)
            output, _ = self.user.ask("shapes", scene.rgb())
            told = scores[f"{file.parent.name}/{file.stem}"]
            expect(abs(scene.iou(output) - told) < 1e-6, f"{file.stem}: the evaluation says {told}, numpy {scene.iou(output)}")

    # --- production ---

    def give_feedback(self, scene, answer):
        blob = self.server.call("POST", "/api/v1/blobs", scene.mask(), {"Content-Type": "application/octet-stream"})
        self.server.call("POST", "/api/v1/feedback", {"answer_id": answer, "correct": False, "target": blob["hash"]})

    @step
    def production_brings_nights_and_users_send_the_right_masks(self):
        self.failing, by_day = {}, []
        for scene in self.scenes:
            output, answer = self.user.ask("shapes", scene.rgb())
            if scene.iou(output) >= WRONG_BELOW:
                continue
            if not self.failing:
                self.user.slipway("feedback", answer, "--wrong", "--target", scene.mask_file)
            else:
                self.give_feedback(scene, answer)
            self.failing[answer] = scene
            by_day += [] if scene.at_night else [scene.name]
        expect(len(self.failing) >= 190 and len(by_day) <= 40, f"{len(self.failing)} answers were wrong, {len(by_day)} of them by day")
        return f"{len(self.failing)} of {len(self.scenes)} answers were wrong"

    @step
    def each_of_them_is_a_case_with_its_own_bytes(self):
        cases = self.user.pages("/api/v1/cases?state=labelled&deployment=shapes", "cases")
        expect({case["answer_id"] for case in cases} == set(self.failing), f"{len(cases)} cases for {len(self.failing)} wrong answers")
        for case in cases[::9]:
            scene = self.failing[case["answer_id"]]
            for key, content in (("input_hash", scene.rgb()), ("target_hash", scene.mask())):
                found = self.server.request("GET", f"/api/v1/blobs/{case[key]}").body
                expect(found == content, f"the {key} of {case['id']} has other bytes than were sent")
        self.cases = {case["id"]: self.failing[case["answer_id"]] for case in cases}

    @aside
    def a_drift_of_the_pictures_is_found(self):
        findings = self.user.wait("/api/v1/findings?state=open", lambda record: record["findings"])["findings"]
        expect(any(finding["deployment"] == "shapes" and finding["kind"] == "drift" for finding in findings), f"{findings}")
        return findings[0]["message"]

    @aside
    def a_right_answer_that_is_no_png_is_refused(self):
        blob = self.server.call("POST", "/api/v1/blobs", b"no picture", {"Content-Type": "application/octet-stream"})
        for target, sentence in ((blob["hash"], "is no PNG"), ("0" * 64, "is not on the server"), ("a mask", "'target' is the hash of a PNG")):
            refused = self.server.request("POST", "/api/v1/feedback", {"answer_id": next(iter(self.failing)), "target": target})
            expect(400 <= refused.status < 500 and sentence in refused.json()["error"]["message"], f"{refused.status}: {refused.body[:300]}")

    @aside
    def a_case_without_a_mask_cannot_become_a_sample(self):
        scene = next(scene for scene in self.scenes if scene not in self.failing.values())
        _, answer = self.user.ask("shapes", scene.rgb())
        case = self.server.call("POST", "/api/v1/feedback", {"answer_id": answer, "correct": False, "label": "blurred"})["case_id"]
        before = self.user.get("/api/v1/datasets/shapes")["commit_count"]
        self.user.is_refused(f"the case {case} has no target yet, which would be its mask", "cases", "send", "shapes", case, "--branch", "cases")
        expect(self.user.get("/api/v1/datasets/shapes")["commit_count"] == before, "something was committed all the same")
        self.user.slipway("cases", "dismiss", case)

    # --- back to the data ---

    @step
    def cases_become_samples_of_a_branch_and_a_share_is_held_out(self):
        self.sent = self.user.json("cases", "send", "shapes", "--deployment", "shapes", "--branch", "cases", "--hold-out", "0.3", "--slice", "failing")
        every = set(self.sent["sent"]) | set(self.sent["held_out"])
        expect(every == set(self.cases), f"{len(every)} of {len(self.cases)} cases were sent or held out")
        share = len(self.sent["held_out"]) / len(every)
        expect(abs(share - 0.3) < 0.02, f"{share:.3f} are held out")

    @step
    def a_merge_adds_exactly_those_samples_byte_for_byte(self):
        before = self.user.get("/api/v1/datasets/shapes/commits/main")["id"]
        self.user.slipway("data", "merge", "shapes", "cases")
        after = self.user.get("/api/v1/datasets/shapes/commits/main")["id"]
        diff = self.user.get(f"/api/v1/datasets/shapes/diff?from={before}&to={after}&page_size=1000")
        expect(diff["counts"] == {"added": len(self.sent["sent"]), "removed": 0, "changed": 0}, f"{diff['counts']}, {len(self.sent['sent'])} were sent")
        expect({sample["attributes"]["case"] for sample in diff["added"]} == set(self.sent["sent"]), "other cases were added than were sent")
        for name, commit in (("before", before), ("after", after)):
            self.user.slipway("data", "get", f"shapes@{commit}", self.folder / name)
        files = {name: {str(file.relative_to(self.folder / name)): file.read_bytes() for file in (self.folder / name).rglob("*.png")} for name in ("before", "after")}
        added = {path: content for path, content in files["after"].items() if path not in files["before"]}
        expect(all(files["after"].get(path) == content for path, content in files["before"].items()), "a file that was there is gone or has other bytes")
        expected = {}
        for sample in diff["added"]:
            scene = self.cases[sample["attributes"]["case"]]
            expected[sample["streams"]["rgb"]["path"]], expected[sample["streams"]["mask"]["path"]] = scene.rgb(), scene.mask()
        expect(added == expected, f"{len(added)} files were added, {len(expected)} expected, {sum(added.get(path) == content for path, content in expected.items())} of them equal")
        return f"{len(self.sent['sent'])} samples"

    # --- a better version ---

    def nodes(self, pipeline_run):
        return {node["name"]: node for node in pipeline_run["nodes"]}

    @step
    def the_pipeline_trains_compares_and_ships(self):
        done = self.user.json("pipelines", "run", "refresh")
        nodes = self.nodes(done)
        expect(done["state"] == "finished", f"the pipeline {done['state']}: {[(node['name'], node['state'], node['message']) for node in done['nodes']]}")
        expect(self.user.get("/api/v1/models/shapes")["aliases"]["production"] == 2, "production is not version 2")
        self.second = self.user.get(f"/api/v1/evaluations/{nodes['check']['evaluation_id']}")
        self.look = nodes["look"]["run_id"]
        failing = next(one for one in self.second["slices"] if one["name"] == "failing")["metrics"]["iou"]
        return f"IoU {failing['value']:.3f} on what was held out"

    @step
    def it_is_better_on_what_was_held_out_and_no_worse_anywhere(self):
        evaluations = self.user.pages("/api/v1/evaluations?model=shapes", "evaluations")
        against = next(one for one in evaluations if one["version"] == 1 and one["commit_id"] == self.second["commit_id"])
        slices = {one["name"]: one for one in self.user.get(f"/api/v1/evaluations/{against['id']}/compare/{self.second['id']}")["slices"]}
        expect(slices["failing"]["n"] == len(self.sent["held_out"]) and slices["failing"]["low"] > 0.1, f"{slices['failing']}")
        worst = min(slices.values(), key=lambda one: one["low"])
        expect(set(slices) == {"all", "dock", "hall", "yard", "small", "large", "failing"} and worst["low"] >= -0.03, f"{slices}")
        return f"{slices['failing']['low'] * 100:+.1f} points at least on what was held out, {worst['low'] * 100:+.1f} at least on {worst['name']}"

    @aside
    def a_step_of_the_machines_own_interpreter_ran_beside(self):
        report = json.loads(self.server.request("GET", f"/api/v1/runs/{self.look}/artifacts/content/report.json").body)
        expect(report["scenes"] == 480 + len(self.sent["sent"]) and abs(sum(report["share"].values()) - 1) < 1e-3, f"{report}")
        expect(self.user.get(f"/api/v1/runs/{self.look}/environment")["kind"] == "interpreter", "another environment")

    @step
    def the_held_out_requests_are_right_now(self):
        deployment = self.user.wait("/api/v1/deployments/shapes", lambda record: record["version"] == 2 and record["state"] == "ready")
        held_out = [self.cases[case] for case in self.sent["held_out"]]
        right = sum(scene.iou(self.user.ask("shapes", scene.rgb())[0]) >= WRONG_BELOW for scene in held_out)
        expect(right >= HELD_OUT_PASS_MIN * len(held_out), f"{right} of {len(held_out)} by version {deployment['version']}")
        return f"{right} of {len(held_out)}"

    def refresh_with_one_epoch(self):
        """Runs the pipeline with a training that is too short to be of use; answers its nodes."""
        file = self.user.folder / "slipway.yaml"
        text = file.read_text()
        file.write_text(text.replace("train: {step: improve}", "train: {step: train, parameters: {epochs: 1}}"))
        done = self.user.run("slipway", "pipelines", "run", "refresh", "-o", "json")
        file.write_text(text)
        expect(done.returncode == 1, f"it ended with {done.returncode}: {done.stderr[-500:]}")
        return self.nodes(json.loads(done.stdout))

    @aside
    def a_worse_version_is_not_shipped(self):
        nodes = self.refresh_with_one_epoch()
        states = {name: node["state"] for name, node in nodes.items()}
        expect(states == {"look": "finished", "train": "finished", "check": "failed", "ship": "skipped"}, f"{states}")
        expect("iou on" in nodes["check"]["message"] and "points worse is allowed" in nodes["check"]["message"], nodes["check"]["message"])
        expect(self.user.get("/api/v1/models/shapes")["aliases"]["production"] == 2, "production moved")
        expect(self.user.get("/api/v1/deployments/shapes")["version"] == 2, "the deployment moved")
        return nodes["check"]["message"].split(";")[0]

    @aside
    def what_did_not_change_is_not_run_again(self):
        nodes = self.refresh_with_one_epoch()
        expect(nodes["look"]["cache"] == "hit" and nodes["train"]["cache"] == "hit", f"{[(node['name'], node['cache'], node['why']) for node in nodes.values()]}")

    @step
    def why_tells_where_an_answer_came_from(self):
        _, answer = self.user.ask("shapes", self.scenes[1].rgb())
        for one, version in ((answer, 2), (next(iter(self.failing)), 1)):
            links = {link["kind"]: link for link in self.user.json("why", one)["chain"]}
            expect({"deployment", "model_version", "run", "code", "dataset_commit", "environment", "member", "machine"} <= set(links), f"{sorted(links)}")
            expect(links["model_version"]["title"] == f"shapes version {version}", links["model_version"]["title"])
        return "of an answer of either version"
