"""Trains a small convolutional net on a dataset of digits and logs it with MLflow.

Nothing here knows of Slipway: parameters and metrics go to whatever MLFLOW_TRACKING_URI names, the data is a folder, and
the model is an ONNX file.
"""

import argparse
import pathlib
import time

import mlflow
import numpy
import torch
from PIL import Image

EPOCHS_WARM = 1  # the learning rate rises during this many epochs, then falls


def load(folder):
    """images: float32 [n, 1, 28, 28] in 0..1; labels: int64 [n]."""
    files = sorted((folder / "images").glob("*.png"))
    images = numpy.stack([numpy.asarray(Image.open(f).convert("L"), dtype=numpy.float32) for f in files])
    labels = [int((folder / "labels" / f"{f.stem}.txt").read_text()) for f in files]
    return torch.from_numpy(images / 255).unsqueeze(1), torch.tensor(labels)


def make_net():
    layer = torch.nn
    return layer.Sequential(
        layer.Conv2d(1, 16, 3, padding=1), layer.ReLU(), layer.MaxPool2d(2),
        layer.Conv2d(16, 32, 3, padding=1), layer.ReLU(), layer.MaxPool2d(2),
        layer.Flatten(), layer.Linear(32 * 7 * 7, 64), layer.ReLU(), layer.Linear(64, 10))


def accuracy(net, images, labels):
    net.eval()
    with torch.no_grad():
        return (net(images).argmax(1) == labels).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--lr", type=float, default=0.004)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("model.onnx"))
    arguments = parser.parse_args()

    torch.manual_seed(arguments.seed)
    images, labels = load(arguments.data)
    order = torch.randperm(len(images))
    held_out, used = order[:len(order) // 10], order[len(order) // 10:]
    net = make_net()
    optimizer = torch.optim.Adam(net.parameters(), lr=arguments.lr)
    steps = arguments.epochs * -(-len(used) // arguments.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, arguments.lr, total_steps=steps, pct_start=EPOCHS_WARM / max(2, arguments.epochs))

    with mlflow.start_run():
        mlflow.log_params({"lr": arguments.lr, "epochs": arguments.epochs, "batch": arguments.batch, "seed": arguments.seed, "samples": len(images)})
        step = 0
        for epoch in range(arguments.epochs):
            net.train()
            started = time.time()
            shuffled = used[torch.randperm(len(used))]
            for batch in shuffled.split(arguments.batch):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(net(images[batch]), labels[batch])
                loss.backward()
                optimizer.step()
                schedule.step()
                mlflow.log_metric("loss", loss.item(), step=step)
                step += 1
            right = accuracy(net, images[held_out], labels[held_out])
            mlflow.log_metric("val_accuracy", right, step=step)
            print(f"epoch {epoch + 1}/{arguments.epochs}: val_accuracy {right:.4f} in {time.time() - started:.1f} s", flush=True)

        net.eval()
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        probabilities = torch.nn.Sequential(net, torch.nn.Softmax(1))
        torch.onnx.export(probabilities, images[:1], str(arguments.out), opset_version=13, input_names=["image"], output_names=["probabilities"],
                          dynamic_axes={"image": {0: "batch"}, "probabilities": {0: "batch"}})
        mlflow.log_artifact(str(arguments.out))


if __name__ == "__main__":
    main()
