"""Trains a Keras model on JAX with nothing of MLflow but autolog(), and prints as JSON what it saw itself."""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"

import keras  # noqa: E402
import mlflow  # noqa: E402
from sklearn.datasets import load_iris  # noqa: E402
from sklearn.utils import shuffle  # noqa: E402

keras.utils.set_random_seed(0)
features, labels = shuffle(*load_iris(return_X_y=True), random_state=0)

mlflow.autolog()
model = keras.Sequential([
    keras.Input([4]), keras.layers.Dense(16, activation="relu", name="hidden"), keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer=keras.optimizers.Adam(0.02), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(features, labels, batch_size=25, epochs=3, validation_split=0.2, verbose=0)

[logged] = mlflow.search_logged_models(output_format="list")
print(json.dumps({
    "epochs": [dict(zip(history.history, values)) for values in zip(*history.history.values())],
    "predictions": model.predict(features[:5], verbose=0).tolist(),
    "loaded": mlflow.keras.load_model(logged.model_uri).predict(features[:5], verbose=0).tolist(),
}))
