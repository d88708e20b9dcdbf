"""Trains a small net that names each pixel of a scene, or goes on with one, and logs it with MLflow.

Nothing here knows of Slipway: parameters and metrics go to whatever MLFLOW_TRACKING_URI names, the data is a folder, and the
model is an ONNX file with the weights beside it. The same data, seed and machine give the same net.
"""

import argparse
import pathlib

import mlflow
import numpy
import torch

from pictures import read_png

CLASSES = 4
VALIDATION_SHARE = 10  # one scene in so many is kept back


def load(folder):
    """scenes: float32 [n, 3, side, side] in 0..1; masks: int64 [n, side, side]."""
    files = sorted((folder / "rgb").rglob("*.png"))
    scenes = numpy.stack([read_png(file.read_bytes()) for file in files])
    masks = numpy.stack([read_png((folder / "mask" / file.relative_to(folder / "rgb")).read_bytes()) for file in files])
    return torch.from_numpy(scenes).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(masks.astype(numpy.int64))


def block(inputs, outputs, dilation=1):
    layer = torch.nn
    return layer.Sequential(layer.Conv2d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False), layer.BatchNorm2d(outputs), layer.ReLU())


class Net(torch.nn.Module):
    """Looks at half the resolution for what a shape is, and at the whole one for where it ends."""

    def __init__(self):
        super().__init__()
        self.fine = block(3, 12)
        self.coarse = torch.nn.Sequential(torch.nn.MaxPool2d(2), block(12, 24), block(24, 24, 2), block(24, 24, 4), torch.nn.Upsample(scale_factor=2, mode="nearest"))
        self.join = torch.nn.Sequential(block(36, 16), torch.nn.Conv2d(16, CLASSES, 1))

    def forward(self, scenes):
        fine = self.fine(scenes)
        return self.join(torch.cat([fine, self.coarse(fine)], 1))


def mean_iou(net, scenes, masks):
    """Over the classes that are there or were found, over all pixels at once."""
    net.eval()
    with torch.no_grad():
        found = torch.cat([net(batch).argmax(1) for batch in scenes.split(64)])
    overlaps = []
    for kind in range(CLASSES):
        either = ((found == kind) | (masks == kind)).sum().item()
        if either:
            overlaps.append(((found == kind) & (masks == kind)).sum().item() / either)
    return sum(overlaps) / len(overlaps)


def mirrored(scenes, masks):
    """Half of the batches are seen in a mirror."""
    if torch.rand(1).item() < 0.5:
        return scenes, masks
    return scenes.flip(3), masks.flip(2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--start", type=pathlib.Path, help="weights to go on from")
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("model"))
    arguments = parser.parse_args()

    torch.manual_seed(arguments.seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)  # sums are the same whatever the machine
    scenes, masks = load(arguments.data)
    kept_back = torch.arange(len(scenes)) % VALIDATION_SHARE == 0
    used = torch.nonzero(~kept_back).flatten()
    net = Net()
    if arguments.start:
        net.load_state_dict(torch.load(arguments.start))
    optimizer = torch.optim.Adam(net.parameters(), lr=arguments.lr)
    steps = arguments.epochs * -(-len(used) // arguments.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, arguments.lr, total_steps=steps)

    with mlflow.start_run():
        mlflow.log_params({"lr": arguments.lr, "epochs": arguments.epochs, "batch": arguments.batch, "seed": arguments.seed, "scenes": len(scenes)})
        step = 0
        for epoch in range(arguments.epochs):
            net.train()
            for batch in used[torch.randperm(len(used))].split(arguments.batch):
                seen, wanted = mirrored(scenes[batch], masks[batch])
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(net(seen), wanted)
                loss.backward()
                optimizer.step()
                schedule.step()
                mlflow.log_metric("loss", loss.item(), step=step)
                step += 1
            iou = mean_iou(net, scenes[kept_back], masks[kept_back])
            mlflow.log_metric("val_iou", iou, step=step)
            print(f"epoch {epoch + 1}/{arguments.epochs}: val_iou {iou:.4f}", flush=True)

        net.eval()
        arguments.out.mkdir(parents=True, exist_ok=True)
        torch.save(net.state_dict(), arguments.out / "weights.pt")
        torch.onnx.export(torch.nn.Sequential(net, torch.nn.Softmax(1)), scenes[:1], str(arguments.out / "model.onnx"), opset_version=13,
                          input_names=["rgb"], output_names=["classes"], dynamic_axes={"rgb": {0: "batch"}, "classes": {0: "batch"}})
        mlflow.log_artifact(str(arguments.out / "model.onnx"))


if __name__ == "__main__":
    main()
