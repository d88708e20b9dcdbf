"""Trains a small convolutional net on a dataset of digits, or goes on with one, and logs it with MLflow.

Nothing here knows of Slipway: parameters and metrics go to whatever MLFLOW_TRACKING_URI names, the data is a folder, and
the model is an ONNX file with the weights beside it. The same data, seed and machine give the same net.
"""

import argparse
import pathlib
import time

import mlflow
import numpy
import torch
from PIL import Image

WARM_SHARE = 0.2        # of the steps in which the learning rate rises; then it falls
AVERAGED_SHARE = 0.3    # of the steps whose weights are averaged at the end: that net is steadier than any single one of them
VALIDATION_SHARE = 20   # one picture in so many is kept back
TURN, SCALE, SHIFT = 0.2, 0.12, 2 / 14  # how far a picture is moved: radians, share of its size, share of half its width


def load(folder):
    """images: float32 [n, 1, 28, 28] in 0..1; labels: int64 [n]."""
    files = sorted((folder / "images").glob("*.png"))
    images = numpy.stack([numpy.asarray(Image.open(file).convert("L"), dtype=numpy.float32) for file in files])
    labels = [int((folder / "labels" / f"{file.stem}.txt").read_text()) for file in files]
    return torch.from_numpy(images / 255).unsqueeze(1), torch.tensor(labels)


def make_net():
    layer = torch.nn
    return layer.Sequential(
        layer.Conv2d(1, 16, 3, padding=1), layer.ReLU(), layer.MaxPool2d(2),
        layer.Conv2d(16, 32, 3, padding=1), layer.ReLU(), layer.MaxPool2d(2),
        layer.Flatten(), layer.Linear(32 * 7 * 7, 64), layer.ReLU(), layer.Linear(64, 10))


def moved(images):
    """Each picture a little turned, scaled and shifted, as another hand would have written it."""
    def chance(reach, *shape):
        return (torch.rand(len(images), *shape) * 2 - 1) * reach
    angle, size = chance(TURN), 1 + chance(SCALE)
    turn = torch.stack([torch.cos(angle) * size, -torch.sin(angle) * size, torch.sin(angle) * size, torch.cos(angle) * size], 1).view(-1, 2, 2)
    grid = torch.nn.functional.affine_grid(torch.cat([turn, chance(SHIFT, 2, 1)], 2), images.shape, align_corners=False)
    return torch.nn.functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def accuracy(net, images, labels):
    net.eval()
    with torch.no_grad():
        return (net(images).argmax(1) == labels).float().mean().item()


class Average:
    """The mean of the weights that it was shown."""

    def __init__(self, net):
        self.net = torch.optim.swa_utils.AveragedModel(net)

    def add(self, net):
        self.net.update_parameters(net)

    def copy_to(self, net):
        net.load_state_dict(self.net.module.state_dict())


def save(net, images, folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(net.state_dict(), folder / "weights.pt")
    torch.onnx.export(torch.nn.Sequential(net, torch.nn.Softmax(1)), images[:1], str(folder / "model.onnx"), opset_version=13, input_names=["image"],
                      output_names=["probabilities"], dynamic_axes={"image": {0: "batch"}, "probabilities": {0: "batch"}})
    mlflow.log_artifact(str(folder / "model.onnx"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--start", type=pathlib.Path, help="weights to go on from")
    parser.add_argument("--lr", type=float, default=0.004)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("model"))
    arguments = parser.parse_args()

    torch.manual_seed(arguments.seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)  # sums are the same whatever the machine, and a second thread gains nothing on pictures so small
    images, labels = load(arguments.data)
    kept_back = torch.arange(len(images)) % VALIDATION_SHARE == 0
    used = torch.nonzero(~kept_back).flatten()
    net = make_net()
    if arguments.start:
        net.load_state_dict(torch.load(arguments.start))
    optimizer = torch.optim.Adam(net.parameters(), lr=arguments.lr)
    steps = arguments.epochs * -(-len(used) // arguments.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, arguments.lr, total_steps=steps, pct_start=WARM_SHARE)
    average = Average(net)

    with mlflow.start_run():
        mlflow.log_params({"lr": arguments.lr, "epochs": arguments.epochs, "batch": arguments.batch, "seed": arguments.seed, "samples": len(images)})
        step = 0
        for epoch in range(arguments.epochs):
            net.train()
            started = time.time()
            for batch in used[torch.randperm(len(used))].split(arguments.batch):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(net(moved(images[batch])), labels[batch])
                loss.backward()
                optimizer.step()
                schedule.step()
                if step >= steps * (1 - AVERAGED_SHARE):
                    average.add(net)
                mlflow.log_metric("loss", loss.item(), step=step)
                step += 1
            right = accuracy(net, images[kept_back], labels[kept_back])
            mlflow.log_metric("val_accuracy", right, step=step)
            print(f"epoch {epoch + 1}/{arguments.epochs}: val_accuracy {right:.4f} in {time.time() - started:.1f} s", flush=True)

        average.copy_to(net)
        right = accuracy(net, images[kept_back], labels[kept_back])
        mlflow.log_metric("val_accuracy", right, step=step + 1)
        print(f"averaged: val_accuracy {right:.4f}", flush=True)
        save(net, images, arguments.out)


if __name__ == "__main__":
    main()
