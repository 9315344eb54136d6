"""Writes down where a training of custom model 2 in PyTorch begins: accuracy_benchmark trains from there in mien.

usage: pytorch_start.py FACES [--seed 0] [--epochs 12] START
       pytorch_start.py FACES [--seed 0] [--epochs 12] --train
FACES holds train/ and validation/ with folders angry, happy and sad of 48x48 .jpg files. START.pt gets the first
weights, START.npz the pictures as PIL reads them, their classes, the order of each epoch, and the dropout masks. With
--train PyTorch trains from there itself (Adam 1e-3, batches of 32) and prints a line for each epoch: the random numbers
are the same, since neither weights nor losses take part in them.
Needs torch, numpy and PIL (Debian: python3-torch, python3-pil)."""
import argparse
import pathlib

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

from pytorch_models import CUSTOM, RATES, custom

BATCH = 32
CLASSES = ("angry", "happy", "sad")


def first_network():
    network = custom("custom2")
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return network.to(memory_format=torch.channels_last)


def read_faces(folder):
    files = [(file, y) for y, name in enumerate(CLASSES) for file in sorted((folder / name).glob("*.jpg"))]
    if not files:
        raise SystemExit(f"pytorch_start.py: {folder}: no .jpg files in folders {', '.join(CLASSES)}")
    return (np.stack([np.asarray(Image.open(file).convert("RGB")) for file, _ in files]),
            np.array([y for _, y in files], dtype=np.int64))


def draw_epoch(count):
    """The order of one epoch and its masks, drawn in the order in which training draws them."""
    order, masks = torch.randperm(count).numpy(), [[], []]
    for begin in range(0, count, BATCH):
        for mask, units, rate in zip(masks, CUSTOM["custom2"][1], RATES):
            ones = torch.ones(min(BATCH, count - begin), units)
            mask.append(F.dropout(ones, rate, training=True).numpy() > 0)
    return order, *(np.concatenate(mask) for mask in masks)


def write_start(network, faces, epochs, start):
    torch.save(network.state_dict(), start + ".pt")
    (x, y), (x_validation, y_validation) = faces
    order, dropout, dropout_1 = map(np.stack, zip(*(draw_epoch(len(x)) for _ in range(epochs))))
    np.savez(start + ".npz", x=x, y=y, x_validation=x_validation, y_validation=y_validation, order=order,
             dropout=dropout, dropout_1=dropout_1)
    print(f"{start}.pt, {start}.npz: {len(x)} pictures, {len(x_validation)} to validate, {epochs} epochs")


def pixels(x):
    return torch.from_numpy(x).permute(0, 3, 1, 2).float().div(255).contiguous(memory_format=torch.channels_last)


def evaluate(network, x, y):
    network.eval()
    with torch.inference_mode():
        outputs = torch.cat([network(pixels(x[i:i + 64])) for i in range(0, len(x), 64)])
    return F.cross_entropy(outputs, y).item(), (outputs.argmax(1) == y).float().mean().item()


def train(network, faces, epochs):
    (x, y), (x_validation, y_validation) = [(x, torch.from_numpy(y)) for x, y in faces]
    optimizer, highest = torch.optim.Adam(network.parameters(), 1e-3), 0
    for epoch in range(epochs):
        network.train()
        order, total = torch.randperm(len(x)), 0
        for batch in order.split(BATCH):
            optimizer.zero_grad()
            loss = F.cross_entropy(network(pixels(x[batch.numpy()])), y[batch])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        val_loss, val_accuracy = evaluate(network, x_validation, y_validation)
        highest = max(highest, val_accuracy)
        print(f"epoch {epoch + 1} loss {total / len(x):.4f} val_loss {val_loss:.4f} val_accuracy {val_accuracy:.4f}",
              flush=True)
    print(f"highest val_accuracy {highest:.4f}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("faces", type=pathlib.Path)
    arguments.add_argument("start", nargs="?")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--epochs", type=int, default=12)
    arguments.add_argument("--train", action="store_true")
    options = arguments.parse_intermixed_args()
    if options.train == (options.start is not None) or options.epochs < 1:
        arguments.error("expected START or --train, and an epoch at least")
    faces = [read_faces(options.faces / part) for part in ("train", "validation")]
    torch.manual_seed(options.seed)
    network = first_network()
    if options.train:
        train(network, faces, options.epochs)
    else:
        write_start(network, faces, options.epochs, options.start)


if __name__ == "__main__":
    main()
