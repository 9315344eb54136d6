"""Times the custom networks in PyTorch, in its faster memory format: the opponent of model_benchmark.

usage: pytorch_models.py [--model custom2] [--threads 2] [--steps 10]
Prints a line for each of train/MODEL/batch:32, predict/MODEL/batch:1 and predict/MODEL/batch:32: the median in ms.
Needs torch (Debian: python3-torch)."""
import argparse
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

SHAPES = {  # filters of the blocks, units of the dense layers, batch normalisation
    "custom1": ((64, 128, 256), (128, 32), False),
    "custom2": ((64, 128, 256), (128, 32), True),
    "custom3": ((32, 256, 256), (256, 64), True),
}


def build(name):
    filters, units, normalise = SHAPES[name]
    layers, channels = [], 3
    for count in filters:
        layers += [nn.Conv2d(channels, count, 3), nn.Conv2d(count, count, 3)]
        if normalise:
            layers.append(nn.BatchNorm2d(count, eps=1e-3, momentum=0.01))
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
        channels = count
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    for count, rate in zip(units, (0.25, 0.1)):
        layers += [nn.Linear(channels, count), nn.ReLU(), nn.Dropout(rate)]
        channels = count
    layers.append(nn.Linear(channels, 3))
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def pictures(batch):
    return torch.rand(batch, 3, 48, 48).contiguous(memory_format=torch.channels_last)


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
    x, y = pictures(batch), torch.arange(batch) % 3

    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    return median_ms(step, count)


def time_prediction(name, batch, count):
    model, x = build(name).eval(), pictures(batch)
    with torch.inference_mode():
        return median_ms(lambda: torch.softmax(model(x), 1), count)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model", choices=SHAPES, action="append")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--steps", type=int, default=10)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    for name in options.model or SHAPES:
        print(f"train/{name}/batch:32 {time_training(name, 32, options.steps):.3f}", flush=True)
        for batch in (1, 32):
            print(f"predict/{name}/batch:{batch} {time_prediction(name, batch, 3 * options.steps):.3f}", flush=True)


if __name__ == "__main__":
    main()
