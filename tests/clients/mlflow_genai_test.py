"""Evaluation datasets and scorers with the mlflow client: what mlflow.genai's guides do with a server."""
import json
import unittest

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.genai.datasets import create_dataset, delete_dataset, get_dataset, search_datasets
from mlflow.genai.judges import make_judge
from mlflow.genai.scorers import Guidelines, RelevanceToQuery, ScorerSamplingConfig, delete_scorer, get_scorer, list_scorers, scorer
from mlflow.genai.scorers.registry import list_scorer_versions
from mlflow_test import OnServer
from mlflow_traces_test import OnTraces


class EvaluationDatasets(OnTraces):
    def make(self, name="qa", **arguments):
        return create_dataset(name=f"{self.id()}.{name}", experiment_id=self.experiment, **arguments)

    def refused(self, action, code):
        with self.assertRaises(MlflowException) as caught:
            action()
        self.assertEqual(caught.exception.error_code, code)
        return str(caught.exception)

    def test_a_dataset_is_made_filled_and_read_as_a_table(self):
        dataset = self.make(tags={"stage": "early", "version": 2})
        self.assertTrue(dataset.dataset_id.startswith("d-"))
        self.assertEqual((dataset.schema, dataset.profile), (None, None))
        dataset.merge_records([
            {"inputs": {"question": "why?", "context": {"lang": "de", "ü": [1, 2.5, None]}}, "expectations": {"answer": "so"}, "tags": {"kind": "hard"}},
            {"inputs": {"question": "who?"}, "outputs": {"answer": "me"}},
        ])
        read = get_dataset(dataset_id=dataset.dataset_id)
        self.assertEqual(json.loads(read.schema)["inputs"], {"question": "string", "context": "object"})
        self.assertEqual(json.loads(read.profile), {"num_records": 2})
        self.assertEqual({key: read.tags[key] for key in ("stage", "version")}, {"stage": "early", "version": "2"})
        self.assertEqual(read.experiment_ids, [self.experiment])
        self.assertNotEqual(read.digest, dataset.digest)
        table = read.to_df()
        self.assertEqual(list(table["inputs"]), [{"question": "why?", "context": {"lang": "de", "ü": [1, 2.5, None]}}, {"question": "who?"}])
        self.assertEqual(list(table["source_type"]), ["HUMAN", "CODE"])
        self.assertEqual(table["expectations"][0], {"answer": "so"})
        self.assertEqual(table["outputs"][1], {"answer": "me"})
        self.assertEqual(table["tags"][0]["kind"], "hard")

    def test_records_with_equal_inputs_are_merged(self):
        dataset = self.make()
        dataset.merge_records([{"inputs": {"a": 1, "b": 2}, "expectations": {"x": 1}}])
        before = get_dataset(dataset_id=dataset.dataset_id).to_df()
        dataset.merge_records([{"inputs": {"b": 2, "a": 1}, "expectations": {"y": 2}, "outputs": "late"}, {"inputs": {"a": 3}}])
        after = get_dataset(dataset_id=dataset.dataset_id).to_df()
        self.assertEqual(len(after), 2)
        self.assertEqual(after["dataset_record_id"][0], before["dataset_record_id"][0])
        self.assertEqual((after["expectations"][0], after["outputs"][0]), ({"x": 1, "y": 2}, "late"))

    def test_many_records_come_in_pages(self):
        dataset = self.make()
        dataset.merge_records([{"inputs": {"n": n}} for n in range(2500)])
        self.assertEqual([inputs["n"] for inputs in get_dataset(dataset_id=dataset.dataset_id).to_df()["inputs"]], list(range(2500)))
        page, token = mlflow.tracking._tracking_service.utils._get_store()._load_dataset_records(dataset.dataset_id, max_results=3)
        self.assertEqual(([record.inputs["n"] for record in page], bool(token)), ([0, 1, 2], True))

    def test_traces_become_records(self):
        trace = self.make_trace("asked")
        mlflow.log_expectation(trace_id=trace.info.trace_id, name="answer", value="42")
        dataset = self.make()
        dataset.merge_records([self.client.get_trace(trace.info.trace_id)])
        record = get_dataset(dataset_id=dataset.dataset_id).to_df().iloc[0]
        self.assertEqual((record["inputs"], record["expectations"]), ({"q": "asked"}, {"answer": "42"}))
        self.assertEqual((record["source_type"], record["source_id"]), ("TRACE", trace.info.trace_id))

    def make_trace(self, name):
        return super().make(name)

    def test_records_are_deleted(self):
        dataset = self.make()
        dataset.merge_records([{"inputs": {"n": n}} for n in range(3)])
        ids = list(dataset.to_df()["dataset_record_id"])
        self.assertEqual(dataset.delete_records(ids[:2]), 2)
        self.assertEqual(dataset.delete_records(ids[:2]), 0)
        self.assertEqual(list(dataset.to_df()["dataset_record_id"]), ids[2:])
        self.assertEqual(json.loads(get_dataset(dataset_id=dataset.dataset_id).profile), {"num_records": 1})

    def test_search_filters_orders_and_pages(self):
        for n in range(5):
            self.make(f"d{n}", tags={"parity": "odd" if n % 2 else "even"})
        other = mlflow.create_experiment(self.id() + ".other")
        create_dataset(name="elsewhere", experiment_id=other)

        def names(filter_string=None, **arguments):
            return [d.name.rsplit(".", 1)[1] for d in search_datasets(experiment_ids=self.experiment, filter_string=filter_string, **arguments)]
        self.assertEqual(names(order_by=["name"]), ["d0", "d1", "d2", "d3", "d4"])
        self.assertEqual(names("tags.parity = 'odd'", order_by=["name DESC"]), ["d3", "d1"])
        self.assertEqual(names("name LIKE '%d_' AND tags.parity != 'odd'", max_results=2, order_by=["name"]), ["d0", "d2"])
        self.assertEqual(len(names("created_time > 1700000000000")), 5)
        self.assertIn("Invalid attribute", self.refused(lambda: names("nonsense = 'x'"), "INVALID_PARAMETER_VALUE"))
        self.assertEqual([d.name for d in search_datasets(experiment_ids=[other])], ["elsewhere"])
        page = self.client.search_datasets(experiment_ids=[self.experiment], max_results=2)
        rest = self.client.search_datasets(experiment_ids=[self.experiment], max_results=10, page_token=page.token)
        self.assertEqual(len({d.dataset_id for d in list(page) + list(rest)}), 5)

    def test_a_dataset_is_found_by_its_name(self):
        name = self.make("it's").name
        self.assertEqual(get_dataset(name=name).name, name)
        self.make("it's")
        self.assertIn("Multiple datasets", self.refused(lambda: get_dataset(name=name), "INVALID_PARAMETER_VALUE"))
        self.refused(lambda: get_dataset(name="none of that name"), "RESOURCE_DOES_NOT_EXIST")

    def test_tags_and_experiments_change(self):
        dataset = self.make(tags={"a": "1"})
        mlflow.genai.datasets.set_dataset_tags(dataset_id=dataset.dataset_id, tags={"a": "2", "b": "3"})
        mlflow.genai.datasets.delete_dataset_tag(dataset_id=dataset.dataset_id, key="b")
        self.assertEqual(get_dataset(dataset_id=dataset.dataset_id).tags["a"], "2")
        self.assertNotIn("b", get_dataset(dataset_id=dataset.dataset_id).tags)
        other = mlflow.create_experiment(self.id() + ".other")
        mlflow.genai.datasets.add_dataset_to_experiments(dataset_id=dataset.dataset_id, experiment_ids=[other])
        self.assertEqual(set(get_dataset(dataset_id=dataset.dataset_id).experiment_ids), {self.experiment, other})
        mlflow.genai.datasets.remove_dataset_from_experiments(dataset_id=dataset.dataset_id, experiment_ids=[self.experiment])
        self.assertEqual(get_dataset(dataset_id=dataset.dataset_id).experiment_ids, [other])
        self.refused(lambda: mlflow.genai.datasets.add_dataset_to_experiments(dataset_id=dataset.dataset_id, experiment_ids=["nowhere"]),
                     "RESOURCE_DOES_NOT_EXIST")

    def test_a_deleted_dataset_is_gone(self):
        dataset = self.make()
        delete_dataset(dataset_id=dataset.dataset_id)
        delete_dataset(dataset_id=dataset.dataset_id)
        self.refused(lambda: get_dataset(dataset_id=dataset.dataset_id), "RESOURCE_DOES_NOT_EXIST")
        self.refused(lambda: dataset.merge_records([{"inputs": {"a": 1}}]), "INVALID_PARAMETER_VALUE")

    def test_a_dataset_survives_a_kill(self):
        dataset = self.make()
        dataset.merge_records([{"inputs": {"n": 1}}])
        self.server.kill()
        self.server.start()
        self.assertEqual(len(get_dataset(dataset_id=dataset.dataset_id).to_df()), 1)


class Scorers(OnServer):
    def refused(self, action, code):
        with self.assertRaises(MlflowException) as caught:
            action()
        self.assertEqual(caught.exception.error_code, code)

    def test_scorers_are_registered_in_versions_and_read_back(self):
        relevance = RelevanceToQuery().register(name="relevance")
        Guidelines(name="polite", guidelines=["Be polite"]).register()
        Guidelines(name="polite", guidelines=["Be very polite"]).register()
        self.assertEqual(relevance.name, "relevance")
        self.assertEqual([s.name for s in list_scorers()], ["polite", "relevance"])
        self.assertEqual(get_scorer(name="polite").guidelines, ["Be very polite"])
        self.assertEqual(get_scorer(name="polite", version=1).guidelines, ["Be polite"])
        self.assertEqual([version for _, version in list_scorer_versions(name="polite")], [1, 2])
        other = mlflow.create_experiment(self.id() + ".other")
        self.assertEqual(list_scorers(experiment_id=other), [])

    def test_a_judge_comes_back_with_its_instructions(self):
        judge = make_judge(name="concise", instructions="Is {{ outputs }} a short answer to {{ inputs }}?", model="openai:/gpt-4o-mini", feedback_value_type=bool)
        judge.register(experiment_id=self.experiment)
        found = get_scorer(name="concise", experiment_id=self.experiment)
        self.assertEqual((found.instructions, found.model), (judge.instructions, "openai:/gpt-4o-mini"))

    def test_a_scorer_is_deleted_by_version_and_whole(self):
        for guideline in ("one", "two", "three"):
            Guidelines(name="rule", guidelines=[guideline]).register()
        delete_scorer(name="rule", version=2)
        self.assertEqual([version for _, version in list_scorer_versions(name="rule")], [1, 3])
        delete_scorer(name="rule", version="all")
        self.refused(lambda: get_scorer(name="rule"), "RESOURCE_DOES_NOT_EXIST")
        self.refused(lambda: delete_scorer(name="rule", version=1), "RESOURCE_DOES_NOT_EXIST")

    def test_code_of_somebody_is_not_stored_for_others(self):
        @scorer
        def length(outputs):
            return len(outputs)
        self.refused(lambda: length.register(), "INVALID_PARAMETER_VALUE")
        self.assertEqual(list_scorers(), [])

    def test_nothing_is_scored_by_the_server(self):
        registered = Guidelines(name="rule", guidelines=["one"]).register()
        self.refused(lambda: registered.start(sampling_config=ScorerSamplingConfig(sample_rate=0.5)), "INVALID_PARAMETER_VALUE")
        registered.stop()
        self.assertEqual(get_scorer(name="rule").sample_rate, 0)
        self.assertEqual(list_scorers()[0].sample_rate, 0)

    def test_a_judge_behind_a_gateway_is_not_found(self):
        judge = make_judge(name="behind", instructions="Is {{ outputs }} good?", model="gateway:/mine", feedback_value_type=bool)
        self.refused(lambda: judge.register(), "RESOURCE_DOES_NOT_EXIST")


if __name__ == "__main__":
    unittest.main()
