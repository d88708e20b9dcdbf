"""Trains a Lightning module with nothing of MLflow but autolog(), and prints as JSON what it saw itself."""
import json

import torch_of_debian  # noqa: F401
import mlflow  # noqa: I001
import pytorch_lightning as lightning
import torch
from sklearn.datasets import load_iris
from sklearn.utils import shuffle
from torch.utils.data import DataLoader, TensorDataset


class Classifier(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))

    def forward(self, features):
        return self.layers(features)

    def loss_of(self, batch, name, **when):
        features, labels = batch
        scores = self(features)
        loss = torch.nn.functional.cross_entropy(scores, labels)
        self.log(f"{name}_loss", loss, **when)
        self.log(f"{name}_accuracy", (scores.argmax(1) == labels).float().mean(), on_epoch=True, on_step=False)
        return loss

    def training_step(self, batch, _):
        return self.loss_of(batch, "train", on_epoch=True, on_step=True)

    def validation_step(self, batch, _):
        self.loss_of(batch, "val")

    def test_step(self, batch, _):
        self.loss_of(batch, "test")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.02)


class Witness(lightning.Callback):
    """Keeps what each epoch ended with."""

    def __init__(self):
        self.epochs = []

    def on_train_epoch_end(self, trainer, _):
        self.epochs.append({name: float(value) for name, value in trainer.callback_metrics.items()})


lightning.seed_everything(0)
features, labels = shuffle(*load_iris(return_X_y=True), random_state=0)
features, labels = torch.tensor(features, dtype=torch.float32), torch.tensor(labels)
train = DataLoader(TensorDataset(features[:100], labels[:100]), batch_size=20, shuffle=True)
held_back = DataLoader(TensorDataset(features[100:], labels[100:]), batch_size=25)

mlflow.autolog()
witness = Witness()
stopping = lightning.callbacks.EarlyStopping(monitor="val_loss", patience=5)
trainer = lightning.Trainer(max_epochs=3, accelerator="cpu", callbacks=[witness, stopping], enable_progress_bar=False, log_every_n_steps=1)
model = Classifier()
trainer.fit(model, train, held_back)
tested = trainer.test(model, held_back, verbose=False)[0]

[logged] = mlflow.search_logged_models(output_format="list")


def predictions(of):
    with torch.no_grad():
        return of.eval()(features[:5]).tolist()


print(json.dumps({
    "epochs": witness.epochs,
    "test": tested,
    "predictions": predictions(model),
    "loaded": predictions(mlflow.pytorch.load_model(logged.model_uri)),
    "checkpoint": predictions(mlflow.pytorch.load_checkpoint(Classifier, run_id=logged.source_run_id)),
}))
