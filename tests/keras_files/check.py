#!/usr/bin/env python3
"""Reads what write_files wrote with h5py, as Keras's loader does, and compares it with the same model as safetensors."""
import json
import pathlib
import struct
import sys

import h5py
import numpy as np


def safetensors(path):
    """The tensors, and the names of the layers in the order of the model."""
    data = path.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    layers = json.loads(header.pop("__metadata__")["model"])["layers"]
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]).reshape(entry["shape"])
    return tensors, [layer["name"] for layer in layers]


def names(group, attribute):
    """A list of names, whole or in parts."""
    if attribute in group.attrs:
        return [name.decode("utf8") for name in group.attrs[attribute]]
    result, part = [], 0
    while f"{attribute}{part}" in group.attrs:
        result += [name.decode("utf8") for name in group.attrs[f"{attribute}{part}"]]
        part += 1
    assert part > 1, f"no {attribute} in {group.name}"
    return result


def check_weights(group, tensors, layers):
    assert group.attrs["backend"] == "tensorflow" and group.attrs["keras_version"].startswith("2.")
    assert names(group, "layer_names") == layers, names(group, "layer_names")
    seen = []
    for layer in layers:
        for name in names(group[layer], "weight_names"):
            assert name.startswith(layer + "/") and name.endswith(":0"), name
            dataset = group[layer][name]
            expected = tensors[name[:-2]]
            assert dataset.chunks is None and dataset.compression is None and dataset.dtype == expected.dtype
            assert dataset.shape == expected.shape and np.array_equal(dataset[()], expected), name
            seen.append(name[:-2])
    assert sorted(seen) == sorted(tensors), set(tensors) ^ set(seen)
    return seen


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, dtype in (("single", "<f4"), ("double", "<f8")):
        tensors, layers = safetensors(folder / f"{name}.safetensors")
        with h5py.File(folder / f"{name}.h5", "r") as f:
            assert sorted(f.attrs) == ["backend", "keras_version", "layer_names"], list(f.attrs)
            seen = check_weights(f, tensors, layers)
            assert f["top"]["top/bias:0"].dtype == dtype
        norm = [weight.split("/")[-1] for weight in seen if weight.startswith("block/norm")]
        assert norm == ["gamma", "beta", "moving_mean", "moving_variance"], norm
    with h5py.File(folder / "many.h5", "r") as f:
        assert "layer_names" not in f.attrs and "layer_names1" in f.attrs
        layers = names(f, "layer_names")
        assert len(layers) == 700 and layers[699].startswith("a699x") and all(layer in f for layer in layers)
    print("h5py reads every file with the layout that Keras expects")


if __name__ == "__main__":
    sys.exit(main())
