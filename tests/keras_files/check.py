#!/usr/bin/env python3
"""Reads what write_files wrote with h5py, as Keras's loader does, and compares it with the same model as safetensors."""
import json
import os
import pathlib
import struct
import sys

import h5py
import numpy as np


# The arguments of the constructors of Keras 2's layers: what from_config may be given.
KERNEL = "use_bias bias_initializer bias_regularizer bias_constraint activity_regularizer activation"
WINDOW = "kernel_size strides padding data_format dilation_rate"
POOL = "pool_size strides padding data_format"
RANDOM = "fill_mode interpolation fill_value seed"


def own(*names):
    """A kernel's initializer, regularizer and constraint."""
    return " ".join(f"{name}_{kind}" for name in names for kind in ("initializer", "regularizer", "constraint"))


ARGUMENTS = {
    "InputLayer": "batch_input_shape sparse",
    "Activation": "activation",
    "Add": "",
    "AveragePooling2D": POOL,
    "BatchNormalization": f"axis momentum epsilon center scale moving_mean_initializer moving_variance_initializer {own('beta', 'gamma')}",
    "Concatenate": "axis",
    "Conv2D": f"filters groups {WINDOW} {KERNEL} {own('kernel')}",
    "Conv2DTranspose": f"filters output_padding {WINDOW} {KERNEL} {own('kernel')}",
    "Dense": f"units {KERNEL} {own('kernel')}",
    "DepthwiseConv2D": f"depth_multiplier {WINDOW} {KERNEL} {own('depthwise')}",
    "Dropout": "rate noise_shape seed",
    "Flatten": "data_format",
    "GlobalAveragePooling2D": "data_format keepdims",
    "GlobalMaxPooling2D": "data_format keepdims",
    "LeakyReLU": "alpha",
    "MaxPooling2D": POOL,
    "RandomFlip": "mode seed",
    "RandomRotation": f"factor {RANDOM}",
    "RandomTranslation": f"height_factor width_factor {RANDOM}",
    "Rescaling": "scale offset",
    "Reshape": "target_shape",
    "SeparableConv2D": f"filters depth_multiplier {WINDOW} {KERNEL} {own('depthwise', 'pointwise')}",
    "UpSampling2D": "size data_format interpolation",
    "ZeroPadding2D": "padding data_format",
}


def architecture(path):
    """The model as mien's own file describes it."""
    data = path.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    return json.loads(json.loads(data[8:8 + length])["__metadata__"]["model"])


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


def check_layer(layer, expected, dtype, first):
    kind, config = layer["class_name"], layer["config"]
    keys = {"name", "dtype", *ARGUMENTS[kind].split()}
    keys |= {"trainable"} if kind != "InputLayer" else set()
    keys |= {"batch_input_shape"} if first else set()
    assert set(config) == keys, (kind, set(config) ^ keys)
    assert kind == expected["type"] and config["name"] == expected["name"] and config["dtype"] == dtype
    assert config.get("trainable", True) == expected["trainable"], config["name"]
    assert config.get("data_format", "channels_last") == "channels_last"
    for key, value in config.items():
        if key.endswith(("_initializer", "_regularizer")) and value is not None:
            assert set(value) == {"class_name", "config"}, value
        assert not key.endswith("_constraint") or value is None, key


def check_model(folder, name, dtype="float32"):
    """A whole model: what is at the root, its architecture, its weights. Returns the architecture."""
    mine = architecture(folder / f"{name}.safetensors")
    layers = mine["layers"]
    tensors, names_in_order = safetensors(folder / f"{name}.safetensors")
    with h5py.File(folder / f"{name}.h5", "r") as f:
        assert sorted(f.attrs) == ["backend", "keras_version", "model_config"] and list(f) == ["model_weights"]
        for key in f.attrs:  # texts of variable length: they lie in the heap, however long they are
            kind = h5py.check_string_dtype(f.attrs.get_id(key).dtype)
            assert kind is not None and kind.length is None and f.attrs.get_id(key).shape == (), key
        assert f.attrs["backend"] == "tensorflow" and f.attrs["keras_version"].startswith("2.")
        model = json.loads(f.attrs["model_config"])
        check_weights(f["model_weights"], tensors, names_in_order[1 if mine["sequential"] else 0:])
        size = len(f.attrs["model_config"])
    config = model["config"]
    assert set(model) == {"class_name", "config"} and config["name"] == mine["name"]
    assert model["class_name"] == ("Sequential" if mine["sequential"] else "Functional")
    places = set() if mine["sequential"] else {"input_layers", "output_layers"}
    assert set(config) == {"name", "layers"} | places and len(config["layers"]) == len(layers)
    if places:
        assert config["input_layers"] == [[layers[0]["name"], 0, 0]]
        assert config["output_layers"] == [[layers[-1]["name"], 0, 0]]
    assert config["layers"][0]["config"]["batch_input_shape"] == [None, *layers[0]["shape"]]
    for i, (layer, expected) in enumerate(zip(config["layers"], layers)):
        check_layer(layer, expected, dtype, mine["sequential"] and i == 1)
        assert set(layer) == {"class_name", "config"} | ({"name", "inbound_nodes"} if places else set())
        if places:
            calls = [[[source, 0, 0, {}] for source in expected["inputs"]]] if i > 0 else []
            assert layer["name"] == expected["name"] and layer["inbound_nodes"] == calls
    return model, size


def check_against_keras(model, original):
    """mini_XCEPTION, read and written, against the file that Keras wrote: the same layers, calls and values."""
    theirs = json.loads(h5py.File(original, "r").attrs["model_config"])["config"]
    config, same = model["config"], 0
    for key in ("name", "input_layers", "output_layers"):
        assert config[key] == theirs[key], key
    order = {layer["name"]: layer for layer in config["layers"]}
    assert set(order) == {layer["name"] for layer in theirs["layers"]}
    for layer in theirs["layers"]:
        written = order[layer["name"]]
        assert written["class_name"] == layer["class_name"] and written["inbound_nodes"] == layer["inbound_nodes"]
        missing = set(layer["config"]) - set(written["config"])
        assert not missing, (layer["name"], missing)
        for key, value in layer["config"].items():
            if key.endswith("_initializer"):  # Keras 2.0 wrote VarianceScaling where later ones have GlorotUniform
                continue
            assert written["config"][key] == value, (layer["name"], key, value, written["config"][key])
            same += 1
    print(f"mini_XCEPTION is written as Keras wrote it: {len(order)} layers, {same} values")


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
    assert check_model(folder, "whole_many")[1] > 100_000
    check_model(folder, "whole_sequential")
    every = check_model(folder, "whole_functional")[0]
    assert {layer["class_name"] for layer in every["config"]["layers"]} == set(ARGUMENTS)
    check_model(folder, "whole_double", "float64")
    if "MIEN_KERAS_MODELS" in os.environ:
        model = check_model(folder, "whole_xception")[0]
        check_against_keras(model, pathlib.Path(os.environ["MIEN_KERAS_MODELS"]) / "fer2013_mini_XCEPTION.107-0.66.hdf5")
    print("h5py reads every file with the layout that Keras expects")


if __name__ == "__main__":
    sys.exit(main())
