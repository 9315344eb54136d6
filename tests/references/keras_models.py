#!/usr/bin/env python3
"""Whole models as Keras saves them, and what they predict, computed with numpy alone, in double:

    python3 tests/references/keras_models.py [FOLDER]

writes keras_models/*.h5, *.keras and predictions.inc beside this file. Needs h5py (python3-h5py). FOLDER holds
fer2013_mini_XCEPTION.107-0.66.hdf5 (of the project face_classification) and fashion.keras, which are not kept here; without it
predictions.inc is left alone. The test is tests/io/keras_model_test.cpp.
"""
import io
import json
import pathlib
import sys
import zipfile

import h5py
import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent / "keras_models"


# Layers, from their definitions: NHWC, kernels HWIO.
def pads(size, kernel, stride, same):
    if not same:
        return (size - kernel) // stride + 1, 0, 0
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return out, total // 2, total - total // 2


def windows(x, kernel, stride, same, fill):
    """The picture under each tap: yields (row, column, pixels)."""
    (oh, top, bottom), (ow, left, right) = (pads(x.shape[i + 1], kernel[i], stride, same) for i in (0, 1))
    x = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    for r in range(kernel[0]):
        for s in range(kernel[1]):
            yield r, s, x[:, r : r + (oh - 1) * stride + 1 : stride, s : s + (ow - 1) * stride + 1 : stride]


def conv(x, kernel, bias=0, stride=1, same=False):
    return sum(p @ kernel[r, s] for r, s, p in windows(x, kernel.shape, stride, same, 0)) + bias


def depthwise(x, kernel, bias=0, stride=1, same=False):
    y = sum(p[..., None] * kernel[r, s] for r, s, p in windows(x, kernel.shape, stride, same, 0))
    return y.reshape(y.shape[:3] + (-1,)) + bias


def max_pool(x, size, stride, same=False):
    return np.max([p for _, _, p in windows(x, (size, size), stride, same, -np.inf)], axis=0)


def batch_norm(x, gamma, beta, mean, variance, epsilon=1e-3):
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


def relu(x):
    return np.maximum(x, 0)


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def up_bilinear(x, factor):
    for axis in (1, 2):
        n = x.shape[axis]
        place = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        below = np.floor(place).astype(int)
        above = np.minimum(below + 1, n - 1)
        shape = [1] * 4
        shape[axis] = -1
        part = (place - below).reshape(shape)
        x = np.take(x, below, axis) * (1 - part) + np.take(x, above, axis) * part
    return x


def pixels(*shape):
    """The test's input: numbers in -1 ... 1, exact in float."""
    return ((np.arange(np.prod(shape)) * 7919) % 257 / 128 - 1).reshape(shape)


# The nested model: "base" inside a Sequential, both with a layer named "conv".
def nested_weights():
    random = np.random.RandomState(3)
    shapes = {
        "base": {
            "conv": [("kernel", (3, 3, 2, 3)), ("bias", (3,))],
            "bn": [("gamma", (3,)), ("beta", (3,)), ("moving_mean", (3,)), ("moving_variance", (3,))],
            "dw": [("depthwise_kernel", (3, 3, 3, 2)), ("bias", (6,))],
            "sep": [("depthwise_kernel", (2, 2, 3, 1)), ("pointwise_kernel", (1, 1, 3, 6)), ("bias", (6,))],
        },
        "": {"conv": [("kernel", (3, 3, 6, 4)), ("bias", (4,))], "dense": [("kernel", (4, 3)), ("bias", (3,))]},
    }
    draw = lambda name, shape: (random.uniform(0.5, 2, shape) if "variance" in name else random.normal(0, 0.6, shape))
    return {m: {l: {n: draw(n, s).astype("<f4") for n, s in ws} for l, ws in ls.items()} for m, ls in shapes.items()}


def nested(weights, x):
    base = {layer: [w.astype(float) for w in ws.values()] for layer, ws in weights["base"].items()}
    own = {layer: [w.astype(float) for w in ws.values()] for layer, ws in weights[""].items()}
    y = batch_norm(relu(conv(x, *base["conv"], stride=2, same=True)), *base["bn"])
    y = np.where(y > 0, y, 0.125 * y)
    kernel, pointwise, bias = base["sep"]
    y = depthwise(y, *base["dw"], same=True) + conv(depthwise(y, kernel, same=True), pointwise, bias)
    y = up_bilinear(y, 2)
    y = conv(y, *own["conv"]).max(axis=(1, 2))
    return softmax(y @ own["dense"][0] + own["dense"][1])


def layer(kind, name, **config):
    return {"class_name": kind, "config": {"name": name, "trainable": True, "dtype": "float32", **config}}


def nested_config(keras_3):
    """As model.to_json() has it, without what says nothing."""

    def call(made, *names):
        if keras_3:
            tensors = [{"class_name": "__keras_tensor__", "config": {"keras_history": [n, 0, 0]}} for n in names]
            inbound = [{"args": [tensors] if len(names) > 1 else tensors, "kwargs": {}}]
        else:
            inbound = [[[n, 0, 0, {}] for n in names]]
        return {**made, "name": made["config"]["name"], "inbound_nodes": inbound if names else []}

    shape = {"batch_shape" if keras_3 else "batch_input_shape": [None, 9, 8, 2]}
    slope = {"negative_slope" if keras_3 else "alpha": 0.125}
    new = lambda kind, name, **config: layer(kind, name, **config)
    glorot = {"class_name": "GlorotUniform", "config": {"seed": None}}
    base = [
        call(new("InputLayer", "base_in", **shape)),
        call(new("Conv2D", "conv", filters=3, kernel_size=[3, 3], strides=[2, 2], padding="same", activation="relu",
                 kernel_initializer=glorot, kernel_regularizer={"class_name": "L2", "config": {"l2": 0.25}},
                 **({"groups": 1} if keras_3 else {})), "base_in"),
        call(new("BatchNormalization", "bn", axis=-1 if keras_3 else [3], momentum=0.75, epsilon=1e-3), "conv"),
        call(new("LeakyReLU", "leaky", **slope), "bn"),
        call(new("DepthwiseConv2D", "dw", kernel_size=[3, 3], padding="same", depth_multiplier=2,
                 depthwise_initializer=glorot), "leaky"),
        call(new("SeparableConv2D", "sep", filters=6, kernel_size=[2, 2], padding="same"), "leaky"),
        call(new("Add", "add"), "dw", "sep"),
        call(new("UpSampling2D", "up", size=[2, 2], interpolation="bilinear", data_format="channels_last"), "add"),
    ]
    base[1]["config"]["trainable"] = False
    functional = {"class_name": "Functional", "config": {"name": "base", "trainable": True, "layers": base,
                  "input_layers": [["base_in", 0, 0]], "output_layers": [["up", 0, 0]]}}
    layers = [
        functional,
        new("Conv2D", "conv", filters=4, kernel_size=[3, 3], strides=[1, 1], padding="valid", activation="linear"),
        new("GlobalMaxPooling2D", "max"),
        new("Reshape", "shape", target_shape=[2, -1]),
        new("Flatten", "flatten"),
        new("Dropout", "drop", rate=0.5, noise_shape=None, seed=None),
        new("Dense", "dense", units=3, activation="softmax"),
    ]
    return {"class_name": "Sequential", "config": {"name": "outer", "layers": layers}}


def write_keras_2(path, config, layers):
    """tf.keras's model.save("x.h5"); layers: {group: {weight: values}}, in order."""
    with h5py.File(path, "w", libver="earliest") as f:
        f.attrs["keras_version"] = "2.15.0"
        f.attrs["backend"] = "tensorflow"
        f.attrs["model_config"] = json.dumps(config)
        groups = f.create_group("model_weights")
        groups.attrs["layer_names"] = [n.encode() for n in layers]
        for name, values in layers.items():
            group = groups.create_group(name)
            group.attrs["weight_names"] = [weight.encode() for weight in values]
            for weight, value in values.items():
                group.create_dataset(weight, data=value)


def write_nested_2(path, weights):
    """The model inside is one group, what is trained before the rest; its "conv" is frozen."""
    base = [(l, n) for l, ws in weights["base"].items() for n in ws if l != "conv" and not n.startswith("moving")]
    base += [("conv", "kernel"), ("conv", "bias"), ("bn", "moving_mean"), ("bn", "moving_variance")]
    layers = {"base": {f"{l}/{n}:0": weights["base"][l][n] for l, n in base}}
    for name in ("conv", "max", "shape", "flatten", "drop", "dense"):
        layers[name] = {f"{name}/{n}:0": value for n, value in weights[""].get(name, {}).items()}
    write_keras_2(path, nested_config(False), layers)


def write_pictures(path):
    """A classifier of pictures of any size, for the programs: four outputs."""
    random = np.random.RandomState(4)
    config = {"class_name": "Sequential", "config": {"name": "pictures", "layers": [
        layer("Conv2D", "conv", filters=4, kernel_size=[3, 3], activation="relu", batch_input_shape=[None, None, None, 3]),
        layer("GlobalAveragePooling2D", "pool"),
        layer("Dense", "dense", units=4, activation="softmax"),
    ]}}
    draw = lambda *shape: random.normal(0, 0.5, shape).astype("<f4")
    write_keras_2(path, config, {"conv": {"conv/kernel:0": draw(3, 3, 3, 4), "conv/bias:0": draw(4)}, "pool": {},
                                 "dense": {"dense/kernel:0": draw(4, 4), "dense/bias:0": draw(4)}})


def write_nested_3(path, weights):
    """Keras 3's model.save("x.keras"): every layer's weights under its class."""
    keys = {"conv": "conv2d", "bn": "batch_normalization", "dw": "depthwise_conv2d", "sep": "separable_conv2d", "dense": "dense"}
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver="earliest") as f:
        for model, prefix in (("base", "layers/functional/layers"), ("", "layers")):
            for name, values in weights[model].items():
                for i, value in enumerate(values.values()):
                    f[f"{prefix}/{keys[name]}/vars/{i}"] = value
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("metadata.json"), json.dumps({"keras_version": "3.10.0"}))
        archive.writestr(zipfile.ZipInfo("config.json"), json.dumps(nested_config(True)))
        archive.writestr(zipfile.ZipInfo("model.weights.h5"), memory.getvalue())


# The two real models, written down by hand.
def mini_xception(path, x):
    with h5py.File(path) as f:
        group = f["model_weights"]
        w = {name.decode(): [np.asarray(group[name][n], float) for n in group[name].attrs["weight_names"]]
             for name in group.attrs["layer_names"]}
    bn = lambda i, y: batch_norm(y, *w[f"batch_normalization_{i}"])
    separable = lambda i, y: conv(depthwise(y, w[f"separable_conv2d_{i}"][0], same=True), w[f"separable_conv2d_{i}"][1])
    y = relu(bn(1, conv(x, *w["conv2d_1"])))
    y = relu(bn(2, conv(y, *w["conv2d_2"])))
    for i in range(4):
        short = bn(3 * i + 3, conv(y, *w[f"conv2d_{i + 3}"], stride=2, same=True))
        y = relu(bn(3 * i + 4, separable(2 * i + 1, y)))
        y = max_pool(bn(3 * i + 5, separable(2 * i + 2, y)), 3, 2, same=True) + short
    return softmax(conv(y, *w["conv2d_7"], same=True).mean(axis=(1, 2)))


def fashion(path, x):
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as f:
        w = {name: [np.asarray(f[f"layers/{name}/vars/{i}"], float) for i in (0, 1)]
             for name in ("conv2d", "conv2d_1", "dense", "dense_1")}
    y = max_pool(relu(conv(x, *w["conv2d"])), 2, 2)
    y = max_pool(relu(conv(y, *w["conv2d_1"])), 2, 2)
    y = relu(y.reshape(len(y), -1) @ w["dense"][0] + w["dense"][1])
    return softmax(y @ w["dense_1"][0] + w["dense_1"][1])


def array(name, values):
    lines, line = [], ""
    for value in values.ravel():
        word = f"{value:.9g}, "
        if len(line) + len(word) > 116:
            lines.append(line.rstrip())
            line = ""
        line += word
    return f"constexpr double {name}[] = {{\n    " + "\n    ".join(lines + [line.rstrip(", ")]) + "};\n"


def main():
    FOLDER.mkdir(exist_ok=True)
    weights = nested_weights()
    write_nested_2(FOLDER / "nested_2.h5", weights)
    write_nested_3(FOLDER / "nested_3.keras", weights)
    write_pictures(FOLDER / "pictures.h5")
    if len(sys.argv) < 2:
        return
    models = pathlib.Path(sys.argv[1])
    with open(FOLDER / "predictions.inc", "w") as out:
        out.write("// Written by keras_models.py.\n")
        out.write(array("nested_predictions", nested(weights, pixels(2, 9, 8, 2))))
        out.write(array("mini_xception_predictions",
                        mini_xception(models / "fer2013_mini_XCEPTION.107-0.66.hdf5", pixels(2, 64, 64, 1))))
        out.write(array("fashion_predictions", fashion(models / "fashion.keras", 0.25 * pixels(2, 28, 28, 1))))


if __name__ == "__main__":
    main()
