"""Writes torchvision's VGG16 and ResNet50 with random weights, and what they compute, for tests/torchvision: as PyTorch writes
them, as safetensors, and with h5py as Keras's files (without it, none of these).

    python3 tests/references/torchvision_files.py DIR        about 1.4 GB

Outputs are channels last, under the names that keras.applications gives the layers.
"""
import json
import pathlib
import struct
import sys

import numpy as np
import torch
import torchvision

try:
    import h5py
except ImportError:
    h5py = None

VGG16 = {"features.0": "block1_conv1", "features.2": "block1_conv2", "features.5": "block2_conv1",
         "features.7": "block2_conv2", "features.10": "block3_conv1", "features.12": "block3_conv2",
         "features.14": "block3_conv3", "features.17": "block4_conv1", "features.19": "block4_conv2",
         "features.21": "block4_conv3", "features.24": "block5_conv1", "features.26": "block5_conv2",
         "features.28": "block5_conv3", "classifier.0": "fc1", "classifier.3": "fc2", "classifier.6": "predictions"}


def resnet50_names():
    names = {"conv1": "conv1_conv", "bn1": "conv1_bn", "fc": "predictions"}
    for layer, blocks in [(1, 3), (2, 4), (3, 6), (4, 3)]:
        for b in range(blocks):
            theirs, ours = f"layer{layer}.{b}.", f"conv{layer + 1}_block{b + 1}_"
            for i in (1, 2, 3):
                names[f"{theirs}conv{i}"], names[f"{theirs}bn{i}"] = f"{ours}{i}_conv", f"{ours}{i}_bn"
        names[f"layer{layer}.0.downsample.0"] = f"conv{layer + 1}_block1_0_conv"
        names[f"layer{layer}.0.downsample.1"] = f"conv{layer + 1}_block1_0_bn"
    return names


def channels_last(value):
    return np.ascontiguousarray(value.permute(0, 2, 3, 1).numpy() if value.ndim == 4 else value.numpy())


def outputs(net, names, x, relu_after=()):
    """What the named layers compute. Where Keras's layer has the relu in it, or the softmax, so has what is kept."""
    kept, hooks = {"input": channels_last(x)}, []
    for theirs, ours in names.items():
        module = net.get_submodule(theirs)

        def keep(_, __, value, ours=ours):
            if ours == "predictions":
                value = torch.softmax(value, 1)
            elif ours in relu_after:
                value = torch.relu(value)
            kept[ours] = channels_last(value)

        hooks.append(module.register_forward_hook(keep))
    with torch.no_grad():
        net.eval()(x)
    for hook in hooks:
        hook.remove()
    return kept


def keras_tensors(net, names):
    """The weights under Keras's names, in Keras's layout."""
    roles = {"weight": "kernel", "bias": "bias"}
    norm = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
    tensors = {}
    for name, value in net.state_dict().items():
        layer, role = name.rsplit(".", 1)
        if role == "num_batches_tracked":
            continue
        ours, value = names[layer], value.numpy()
        if value.ndim == 4:
            tensors[f"{ours}/bias"] = np.zeros(value.shape[0], "f4")
        value = value.transpose(2, 3, 1, 0) if value.ndim == 4 else value.T
        tensors[f"{ours}/{(norm if ours.endswith('bn') else roles)[role]}"] = np.ascontiguousarray(value)
    return tensors


def write_safetensors(path, tensors):
    header, at = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
        at += value.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(np.ascontiguousarray(value, "<f4").tobytes())


KERAS_1 = {"kernel": "W", "moving_mean": "running_mean", "moving_variance": "running_std"}  # running_std holds the variance


def by_layer(tensors):
    """[(layer, {weight: values})], in the order of the network; a layer's weights in Keras's: conv kernel, bias."""
    layers = {}
    for name, value in tensors.items():
        layers.setdefault(name.rsplit("/", 1)[0], {})[name.rsplit("/", 1)[1]] = value
    order = ["kernel", "gamma", "bias", "beta", "moving_mean", "moving_variance"]
    return [(layer, {role: weights[role] for role in order if role in weights}) for layer, weights in layers.items()]


def write_keras_1(path, layers):
    """No version; strings of one width; /conv1/conv1_W_1:0."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.asarray([layer.encode() for layer, _ in layers])
        for layer, weights in layers:
            names = [f"{layer}_{KERAS_1.get(role, role if role in ('gamma', 'beta') else role[0])}_1:0" for role in weights]
            group = file.create_group(layer)
            group.attrs["weight_names"] = np.asarray([name.encode() for name in names])
            for name, value in zip(names, weights.values()):
                group.create_dataset(name, data=value)


def write_keras_2(path, layers, whole=False):
    """Strings of variable length; /conv1/conv1/kernel:0, in a whole model's file below model_weights."""
    with h5py.File(path, "w") as file:
        group = file.create_group("model_weights") if whole else file
        group.attrs["backend"], group.attrs["keras_version"] = "tensorflow", "2.8.0"
        group.attrs["layer_names"] = [layer.encode() for layer, _ in layers]
        for layer, weights in layers:
            inner = group.create_group(layer)
            inner.attrs["weight_names"] = [f"{layer}/{role}:0".encode() for role in weights]
            for role, value in weights.items():
                inner.create_dataset(f"{layer}/{role}:0", data=value)


def write_keras_3(path, layers):
    """model.weights.h5: /layers/conv2d_1/vars/0, the layer's own name an attribute."""
    counts = {}
    with h5py.File(path, "w") as file:
        for layer, weights in layers:
            kind = "conv2d" if "kernel" in weights else "batch_normalization"
            count = counts[kind] = counts.get(kind, -1) + 1
            group = file.create_group(f"layers/{kind}{f'_{count}' if count else ''}/vars")
            group.attrs["name"] = layer
            for i, value in enumerate(weights.values()):
                group.create_dataset(str(i), data=value)


def old_resnet50_name(layer):
    """conv2_block1_0_conv was res2a_branch1, its normalisation bn2a_branch1."""
    if layer.startswith("conv1"):
        return {"conv1_conv": "conv1", "conv1_bn": "bn_conv1"}[layer]
    stage, block, branch, kind = layer.split("_")
    place = f"{stage[4:]}{chr(ord('a') + int(block[5:]) - 1)}_branch{'1' if branch == '0' else '2' + ' abc'[int(branch)]}"
    return ("res" if kind == "conv" else "bn") + place


def vgg16_keras(folder, net):
    tensors = {f"{ours}/{role}": value.numpy() for theirs, ours in VGG16.items() if theirs.startswith("features")
               for role, value in (("kernel", net.get_submodule(theirs).weight.detach().permute(2, 3, 1, 0)),
                                   ("bias", net.get_submodule(theirs).bias.detach()))}
    write_keras_1(folder / "vgg16_keras_1.h5", by_layer(tensors))
    write_keras_2(folder / "vgg16_keras_2.h5", by_layer(tensors))
    write_keras_2(folder / "vgg16_whole.h5", by_layer(tensors), whole=True)
    write_keras_3(folder / "vgg16.weights.h5", by_layer(tensors))


def vgg16(folder):
    net = torchvision.models.vgg16()
    relu = set(VGG16.values()) - {"predictions"}
    last = dict(list(VGG16.items())[-4:])
    np.savez(folder / "vgg16_224.npz", **outputs(net, last, torch.randn(1, 3, 224, 224), relu))
    torch.save(net.state_dict(), folder / "vgg16.pth")
    features = {theirs[9:]: ours for theirs, ours in VGG16.items() if theirs.startswith("features")}
    np.savez(folder / "vgg16_48.npz", **outputs(net.features, features, torch.randn(2, 3, 48, 48), relu))
    if h5py:
        vgg16_keras(folder, net)


def resnet50(folder):
    net, names = torchvision.models.resnet50(), resnet50_names()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for values in (module.weight, module.bias, module.running_mean, module.running_var):
                torch.nn.init.uniform_(values, 0.5, 1.5)
    x = torch.randn(2, 3, 64, 64)
    np.savez(folder / "resnet50_v15.npz", **outputs(net, names, x))
    torch.save(net.state_dict(), folder / "resnet50.pth")
    torch.save(net.state_dict(), folder / "resnet50_legacy.pth", _use_new_zipfile_serialization=False)
    state = {name: value.numpy() for name, value in net.state_dict().items() if value.is_floating_point()}
    write_safetensors(folder / "resnet50.safetensors", state)
    for layer in (net.layer2, net.layer3, net.layer4):
        layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 1.001e-5
    np.savez(folder / "resnet50_v1.npz", **outputs(net, names, x))
    write_safetensors(folder / "resnet50_v1.safetensors", keras_tensors(net, names))
    if not h5py:
        return
    layers = by_layer(keras_tensors(net, names))
    write_keras_2(folder / "resnet50_keras_2.h5", layers)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 1e-3  # as when the older file was trained
    base = {theirs: ours for theirs, ours in names.items() if theirs != "fc"}
    np.savez(folder / "resnet50_old.npz", **outputs(net, base, x))
    older = [(old_resnet50_name(layer), weights) for layer, weights in layers if layer != "predictions"]
    write_keras_1(folder / "resnet50_keras_1.h5", older)


if __name__ == "__main__":
    torch.manual_seed(1)
    vgg16(pathlib.Path(sys.argv[1]))
    resnet50(pathlib.Path(sys.argv[1]))
