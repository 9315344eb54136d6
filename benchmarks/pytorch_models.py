"""Times the networks in PyTorch, in its faster memory format: the opponent of model_benchmark.

usage: pytorch_models.py [--model custom2] [--threads 2] [--steps 10] [--only train] [--export FILE.onnx]
Prints a line for each of train/MODEL/batch:B and predict/MODEL/batch:B: the median in ms. vgg16 and resnet50 take
48 x 48 pixels, vggface 224 x 224; each has three classes on average pooling.
Needs torch (Debian: python3-torch); no torchvision."""
import argparse
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

CUSTOM = {  # filters of the blocks, units of the dense layers, batch normalisation
    "custom1": ((64, 128, 256), (128, 32), False),
    "custom2": ((64, 128, 256), (128, 32), True),
    "custom3": ((32, 256, 256), (256, 64), True),
}
RATES = (0.25, 0.1)  # of the dropout behind each dense layer but the last
# Pixels, batch of a training step, batches of predictions: as model_benchmark has them.
SMALL = (48, 32, (1, 32))
TIMED = {**{name: SMALL for name in CUSTOM}, "vgg16": SMALL, "resnet50": SMALL, "vggface": (224, 8, (1, 8))}


def custom(name):
    filters, units, normalise = CUSTOM[name]
    layers, channels = [], 3
    for count in filters:
        layers += [nn.Conv2d(channels, count, 3), nn.Conv2d(count, count, 3)]
        if normalise:
            layers.append(nn.BatchNorm2d(count, eps=1e-3, momentum=0.01))
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        channels = count
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    for count, rate in zip(units, RATES):
        layers += [nn.Linear(channels, count), nn.ReLU(), nn.Dropout(rate)]
        channels = count
    layers.append(nn.Linear(channels, 3))
    return nn.Sequential(*layers)


def vgg16():
    layers, channels = [], 3
    for count, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, count, 3, padding=1), nn.ReLU(inplace=True)]
            channels = count
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 3))


def normalised(inputs, outputs, size, stride=1, padding=0):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding), nn.BatchNorm2d(outputs, eps=1.001e-5, momentum=0.01))


class Bottleneck(nn.Module):
    """Keras's, with the stride in the first 1x1 convolution, and biases."""

    def __init__(self, inputs, filters, stride, first):
        super().__init__()
        self.shortcut = normalised(inputs, 4 * filters, 1, stride) if first else nn.Identity()
        self.main = nn.Sequential(
            normalised(inputs, filters, 1, stride), nn.ReLU(inplace=True),
            normalised(filters, filters, 3, 1, 1), nn.ReLU(inplace=True), normalised(filters, 4 * filters, 1))

    def forward(self, x):
        return F.relu(self.shortcut(x) + self.main(x), inplace=True)


def resnet50():
    layers, channels = [normalised(3, 64, 7, 2, 3), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)], 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for block in range(blocks):
            filters = 64 << stage
            layers.append(Bottleneck(channels, filters, 2 if stage > 0 and block == 0 else 1, block == 0))
            channels = 4 * filters
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 3))


def build(name):
    network = custom(name) if name in CUSTOM else resnet50() if name == "resnet50" else vgg16()
    return network.to(memory_format=torch.channels_last)


def pictures(name, batch):
    size = TIMED[name][0]
    return torch.rand(batch, 3, size, size).contiguous(memory_format=torch.channels_last)


def median_ms(step, count):
    step(), step()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def time_training(name, batch, count):
    model = build(name).train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    x, y = pictures(name, batch), torch.arange(batch) % 3

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    return median_ms(step, count)


def time_prediction(name, batch, count):
    model, x = build(name).eval(), pictures(name, batch)
    with torch.inference_mode():
        return median_ms(lambda: torch.softmax(model(x), 1), count)


def export(name, path):
    network = nn.Sequential(build(name).eval(), nn.Softmax(1))
    torch.onnx.export(network, pictures(name, 1).contiguous(), path, input_names=["x"], output_names=["p"],
                      dynamic_axes={"x": {0: "n"}, "p": {0: "n"}})


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", choices=TIMED, action="append")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--steps", type=int, default=10)
    arguments.add_argument("--only", choices=("train", "predict"), help="one of the two")
    arguments.add_argument("--export", help="write the network, softmax included, to this ONNX file and time nothing")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    for name in options.model or TIMED:
        _, train_batch, predict_batches = TIMED[name]
        if options.export:
            export(name, options.export)
            continue
        if options.only != "predict":
            print(f"train/{name}/batch:{train_batch} {time_training(name, train_batch, options.steps):.3f}", flush=True)
        for batch in () if options.only == "train" else predict_batches:
            count = 3 * options.steps if name != "vggface" else options.steps
            print(f"predict/{name}/batch:{batch} {time_prediction(name, batch, count):.3f}", flush=True)


if __name__ == "__main__":
    main()
