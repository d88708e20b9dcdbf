"""mlflow.autolog with scikit-learn and XGBoost: a script that says nothing but autolog() leaves a whole run on the server."""
import json
import os
import unittest
import warnings

import mlflow
import numpy
import xgboost
from mlflow_test import OnServer
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")


class OnAutolog(OnServer):
    def setUp(self):
        super().setUp()
        mlflow.autolog(silent=True)
        self.addCleanup(mlflow.autolog, disable=True, silent=True)
        features, labels = load_iris(return_X_y=True)
        self.train, self.test, self.train_labels, self.test_labels = train_test_split(features, labels, random_state=0)

    def run_of(self, parent=None):
        """The only run of this test's experiment, or below `parent` its children."""
        runs = self.client.search_runs([self.experiment], filter_string=f"tags.mlflow.parentRunId = '{parent}'" if parent else "")
        if parent:
            return runs
        roots = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
        self.assertEqual(len(roots), 1)
        self.assertEqual(roots[0].info.status, "FINISHED")
        return roots[0]

    def paths(self, run, folder=""):
        for file in self.client.list_artifacts(run.info.run_id, folder):
            if file.is_dir:
                yield from self.paths(run, file.path)
            else:
                yield file.path

    def model_of(self, run):
        models = mlflow.search_logged_models([self.experiment], output_format="list")
        self.assertEqual([model.source_run_id for model in models], [run.info.run_id])
        self.assertEqual(str(models[0].status), "READY")
        return models[0]


class ScikitLearn(OnAutolog):
    def test_a_fit_is_a_run_with_parameters_metrics_and_a_model_that_predicts(self):
        pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=300))
        pipeline.fit(self.train, self.train_labels)
        run = self.run_of()
        self.assertEqual((run.data.params["logisticregression__C"], run.data.params["logisticregression__max_iter"]), ("0.5", "300"))
        self.assertAlmostEqual(run.data.metrics["training_accuracy_score"], pipeline.score(self.train, self.train_labels))
        self.assertEqual(run.data.tags["estimator_name"], "Pipeline")
        self.assertEqual([one.dataset.source_type for one in run.inputs.dataset_inputs], ["code"])
        self.assertIn("estimator.html", set(self.paths(run)))
        loaded = mlflow.sklearn.load_model(self.model_of(run).model_uri)
        numpy.testing.assert_array_equal(loaded.predict(self.test), pipeline.predict(self.test))

    def test_what_is_computed_later_joins_the_run(self):
        with mlflow.start_run() as run:
            model = RandomForestClassifier(n_estimators=5, random_state=0).fit(self.train, self.train_labels)
            held_back = self.test
            score = model.score(held_back, self.test_labels)
        metrics = self.client.get_run(run.info.run_id).data.metrics
        self.assertAlmostEqual(metrics["RandomForestClassifier_score_held_back"], score)
        self.assertIn("training_confusion_matrix.png", set(self.paths(self.client.get_run(run.info.run_id))))

    def test_a_grid_search_is_a_parent_with_children(self):
        search = GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1, 10]}, cv=2).fit(self.train, self.train_labels)
        run = self.run_of()
        self.assertAlmostEqual(run.data.metrics["best_cv_score"], search.best_score_)
        children = self.run_of(parent=run.info.run_id)
        self.assertEqual(sorted(float(child.data.params["C"]) for child in children), [0.1, 1, 10])
        self.assertIn("cv_results.csv", set(self.paths(run)))

    def test_a_fit_that_fails_is_a_failed_run(self):
        with self.assertRaises(ValueError):
            LogisticRegression().fit(self.train, self.train_labels[:-1])
        runs = self.client.search_runs([self.experiment])
        self.assertEqual([run.info.status for run in runs], ["FAILED"])


class XGBoost(OnAutolog):
    def test_training_is_a_run_with_a_history_and_a_model_that_predicts(self):
        train, test = (xgboost.DMatrix(x, label=y) for x, y in ((self.train, self.train_labels), (self.test, self.test_labels)))
        booster = xgboost.train({"objective": "multi:softprob", "num_class": 3, "eta": 0.3, "nthread": 1}, train, num_boost_round=8,
                                evals=[(train, "train"), (test, "test")], verbose_eval=False)
        run = self.run_of()
        self.assertEqual((run.data.params["eta"], run.data.params["num_boost_round"]), ("0.3", "8"))
        history = self.client.get_metric_history(run.info.run_id, "train-mlogloss")
        self.assertEqual([point.step for point in history], list(range(8)))
        self.assertLess(history[-1].value, history[0].value)
        importance = json.loads(mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/feature_importance_weight.json"))
        self.assertEqual(importance, booster.get_score(importance_type="weight"))
        loaded = mlflow.xgboost.load_model(self.model_of(run).model_uri)
        numpy.testing.assert_allclose(loaded.predict(test), booster.predict(test))

    def test_early_stopping_says_where_it_stopped(self):
        train, test = (xgboost.DMatrix(x, label=y) for x, y in ((self.train, self.train_labels), (self.test, self.test_labels)))
        booster = xgboost.train({"objective": "multi:softprob", "num_class": 3, "eta": 1.0, "nthread": 1}, train, num_boost_round=50,
                                evals=[(test, "test")], early_stopping_rounds=3, verbose_eval=False)
        metrics = self.run_of().data.metrics
        self.assertEqual(metrics["best_iteration"], booster.best_iteration)
        self.assertEqual(metrics["stopped_iteration"], len(self.client.get_metric_history(self.run_of().info.run_id, "test-mlogloss")) - 2)

    def test_the_scikit_learn_wrapper_is_one_run(self):
        model = xgboost.XGBClassifier(n_estimators=4, max_depth=2, n_jobs=1).fit(self.train, self.train_labels)
        run = self.run_of()
        self.assertEqual((run.data.params["num_boost_round"], run.data.params["max_depth"]), ("4", "2"))
        self.assertEqual(numpy.asarray(model.predict(self.test)).shape, (38,))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    unittest.main()
