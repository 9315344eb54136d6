#!/usr/bin/env python3
"""Writes small HDF5 files with h5py, laid out as Keras lays out its own, and the odd ones that a reader must know or refuse:

    python3 tests/references/keras_hdf5.py           # writes keras_hdf5/*.h5 beside this file

Needs h5py (python3-h5py). Every number follows from the path of its dataset and its position (`numbers`), so that a test
knows what is in a file without another copy of it. The tests are tests/formats/hdf5_test.cpp and keras_hdf5_test.cpp.
"""
import ctypes
import ctypes.util
import json
import pathlib
import sys
import zipfile

import h5py
import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent / "keras_hdf5"
CONV, BATCH_NORMALIZATION = ("kernel", "bias"), ("gamma", "beta", "moving_mean", "moving_variance")


def numbers(path, shape, dtype="<f4"):
    """Multiples of 1/16 between -8 and 8 (whole numbers for integers), the same in every type."""
    count = int(np.prod(shape, dtype=np.int64))
    values = ((37 * np.arange(count) + sum(path.encode())) % 256 - 128) / 16
    return (np.floor(values) if np.dtype(dtype).kind in "iu" else values).astype(dtype).reshape(shape)


def dataset(group, name, shape, dtype="<f4", **options):
    path = f"{group.name.rstrip('/')}/{name}"
    return group.create_dataset(name, data=numbers(path, shape, dtype).astype(dtype), **options)


def network():
    """(layer, [(weight, shape)]) in the order of the model, which is not that of the alphabet."""
    return [("input_1", []),
            ("stem", [("kernel", (3, 3, 1, 2)), ("bias", (2,))]),
            ("norm", [(name, (2,)) for name in BATCH_NORMALIZATION]),
            ("top", [("kernel", (2, 3)), ("bias", (3,))])]


def fixed(names):
    """What numpy makes of a list of bytes, and what Keras 1 to 2.3 wrote: strings of one width, or an empty float64 array."""
    return np.asarray([name.encode() for name in names])


def variable(names):
    """What h5py 3 makes of a list of bytes: strings of variable length, or an empty float64 array."""
    return [name.encode() for name in names] if names else np.zeros(0)


def write_layers(group, layers, strings, weight_name):
    """Keras's save_weights_to_hdf5_group: the names as attributes, a group for each layer."""
    group.attrs["layer_names"] = strings([layer for layer, _ in layers])
    for layer, weights in layers:
        inner = group.create_group(layer)
        names = [weight_name(layer, weight) for weight, _ in weights]
        inner.attrs["weight_names"] = strings(names)
        for name, (_, shape) in zip(names, weights):
            dataset(inner, name, shape)


def keras_2(layer, weight):
    return f"{layer}/{weight}:0"


def keras_1_file(path):
    short = {"kernel": "W", "bias": "b", "moving_mean": "running_mean", "moving_variance": "running_std"}
    with h5py.File(path, "w") as f:
        write_layers(f, network(), fixed, lambda layer, weight: f"{layer}_{short.get(weight, weight)}_1:0")


def keras_2_file(path):
    with h5py.File(path, "w") as f:
        f.attrs["backend"] = "tensorflow"
        f.attrs["keras_version"] = "2.8.0"
        write_layers(f, network(), variable, keras_2)


def vggface_file(path):
    """Names of layers with a slash."""
    layers = [("conv1_1", [("kernel", (1, 1, 3, 2)), ("bias", (2,))]), ("fc6", [("kernel", (2, 3)), ("bias", (3,))]),
              ("fc6/relu", []), ("fc7", [("kernel", (3, 3)), ("bias", (3,))]), ("fc7/relu", [])]
    with h5py.File(path, "w") as f:
        f.attrs["backend"] = b"tensorflow"
        f.attrs["keras_version"] = b"2.0.6"
        write_layers(f, layers, fixed, keras_2)


def whole_model_file(path, strings, version, weight_name):
    """model.save("x.h5"), compiled and trained for some steps."""
    config = {"class_name": "Functional", "config": {"name": "caf\u00e9", "layers": ["x" * 600]}}
    with h5py.File(path, "w") as f:
        text = np.bytes_ if strings is fixed else str
        f.attrs["keras_version"] = version
        f.attrs["backend"] = "tensorflow"
        f.attrs["model_config"] = json.dumps(config).encode() if strings is variable else json.dumps(config)
        f.attrs["training_config"] = json.dumps({"loss": "categorical_crossentropy"})
        group = f.create_group("model_weights")
        group.attrs["backend"] = text("tensorflow")
        group.attrs["keras_version"] = text(version)
        write_layers(group, network(), strings, weight_name)
        if strings is variable:
            group.create_group("top_level_model_weights").attrs["weight_names"] = np.zeros(0)
        optimizer = f.create_group("optimizer_weights")
        optimizer.attrs["weight_names"] = strings(["iterations:0", "Variable_1:0"])
        optimizer.create_dataset("iterations:0", data=np.int64(42))
        dataset(optimizer, "Variable_1:0", (2,))


def split_names_file(path):
    """Lists of names beyond 64,512 bytes stand in name0, name1, ...; here they are cut early."""
    with h5py.File(path, "w") as f:
        names = [f"layer_{i}" for i in range(3)]
        for part in range(2):
            f.attrs[f"layer_names{part}"] = fixed(names[2 * part:2 * part + 2])
        for name in names:
            group = f.create_group(name)
            group.attrs["weight_names0"] = fixed([f"{name}/kernel:0"])
            group.attrs["weight_names1"] = fixed([f"{name}/bias:0"])
            dataset(group, f"{name}/kernel:0", (2, 2))
            dataset(group, f"{name}/bias:0", (2,))


def deep_tree_file(path):
    """The groups' B-trees with two children a node: several levels for a few layers, as 175 layers have by default."""
    settings = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    library = ctypes.CDLL(ctypes.util.find_library("hdf5_serial") or ctypes.util.find_library("hdf5"))
    library.H5Pset_sym_k.argtypes = [ctypes.c_int64, ctypes.c_uint, ctypes.c_uint]
    assert library.H5Pset_sym_k(settings.id, 1, 1) >= 0, "h5py uses another HDF5 library than the system's"
    with h5py.File(h5py.h5f.create(str(path).encode(), fcpl=settings)) as f:
        write_layers(f, [(f"layer_{i}", [("w", (1,))] if i % 4 == 0 else []) for i in range(11)], variable, keras_2)


def keras_3_file(path, with_names):
    """model.weights.h5: layers by class and number. A vars group of twelve shows that 10 comes after 9."""
    layers = [("input_layer", "image", []), ("conv2d", "stem", [(3, 3, 1, 2), (2,)]),
              ("conv2d_1", "conv_a", [(1, 1, 2, 2), (2,)]), ("conv2d_10", "conv_b", [(1, 1, 2, 1)]),
              ("conv2d_9", "conv_c", [(1, 1, 1, 2)]), ("many", "many", [(1 + i,) for i in range(11)])]
    layers = layers if with_names else layers[1:3]
    with h5py.File(path, "w") as f:
        for key, name, shapes in layers:
            group = f.create_group(f"layers/{key}/vars")
            if with_names:
                group.attrs["name"] = name
            for i, shape in enumerate(shapes):
                dataset(group, str(i), shape)
        if not with_names:
            return
        seed = f.create_group("layers/dropout/seed_generator/vars")
        seed.create_dataset("0", data=np.array([1, 2], "<u4"))
        inner = f.create_group("layers/functional/layers/conv2d/vars")
        inner.attrs["name"] = "base_conv"
        dataset(inner, "0", (1, 1, 2, 2))
        f.create_group("vars")
        optimizer = f.create_group("optimizer/vars")
        optimizer.create_dataset("0", data=np.int64(7))
        optimizer.create_dataset("1", data=np.float32(0.001))


def keras_archive(path, weights, method):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in (("metadata.json", json.dumps({"keras_version": "3.10.0"}).encode()),
                              ("config.json", json.dumps({"class_name": "Sequential"}).encode()),
                              ("model.weights.h5", weights.read_bytes())):
            archive.writestr(zipfile.ZipInfo(name, (2025, 1, 1, 0, 0, 0)), content, method)


def newer_format_file(path):
    """Superblock 3, object headers and links of HDF5 1.8; few enough links to stand in the header."""
    with h5py.File(path, "w", libver="latest") as f:
        write_layers(f, network()[:3], variable, keras_2)


def kinds_file(path):
    """Every type and kind of storage that is read."""
    with h5py.File(path, "w") as f:
        for dtype in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"):
            dataset(f, dtype, (3,), "<" + dtype)
        dataset(f, "scalar", ())
        f.create_dataset("no_elements", data=np.zeros((0, 3), "<f4"))
        dataset(f, "chunked", (5, 3, 4), chunks=(2, 2, 3))
        dataset(f, "shuffled", (7, 3), "<f8", chunks=(4, 2), shuffle=True)
        dataset(f, "line", (70,), chunks=(1,))
        f.create_dataset("never_written", (2, 2), "<f4")
        f.create_dataset("filled", (3,), "<f4", fillvalue=0.5)
        f.create_dataset("filled_chunks", (4,), "<f4", fillvalue=0.25, chunks=(2,))[2:] = numbers("/filled_chunks", (2,))
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        values = numbers("/compact", (3,))
        h5py.h5d.create(f.id, b"compact", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((3,)), compact).write(
            h5py.h5s.ALL, h5py.h5s.ALL, values)
        f.attrs["whole"] = np.int32(-3)
        f.attrs["numbers"] = np.array([0.5, 1.5])
        f.attrs["nothing"] = h5py.Empty("f")


def deflated_file(path):
    with h5py.File(path, "w") as f:
        dataset(f, "deflated", (5, 3, 4), chunks=(2, 2, 3), compression="gzip")
        dataset(f, "both", (40, 5), chunks=(16, 5), compression="gzip", shuffle=True)


def odd_file(path):
    """What is HDF5, but not read."""
    with h5py.File(path, "w") as f:
        f.create_dataset("big_endian", data=np.zeros(2, ">f4"))
        f.create_dataset("strings", data=[b"a", b"bc"])
        f.create_dataset("compound", data=np.zeros(1, [("a", "<f4"), ("b", "<i4")]))
        f.create_dataset("complex", data=np.zeros(1, "<c8"))
        f.create_dataset("truth", data=np.zeros(2, "?"))
        f.create_dataset("checksums", data=np.zeros(4, "<f4"), chunks=(2,), fletcher32=True)
        f.create_dataset("rank_7", data=np.zeros((1,) * 7, "<f4"))
        f["soft"] = h5py.SoftLink("/big_endian")
        f.attrs["compound"] = np.zeros(1, [("a", "<f4")])[0]
        f.attrs["text"] = "good"
        f["committed"] = np.dtype("<f4")
        f.create_dataset("of_committed", data=np.zeros(2, "<f4"), dtype=f["committed"])


def dense_file(path):
    with h5py.File(path, "w", libver="latest") as f:
        for i in range(12):
            f.create_group(f"layer_{i}")


def hard_links_file(path):
    with h5py.File(path, "w") as f:
        group = f.create_group("a")
        group["again"] = group.create_group("b")


def cycle_file(path):
    with h5py.File(path, "w") as f:
        group = f.create_group("a")
        group.create_group("b")["up"] = group


def main():
    FOLDER.mkdir(exist_ok=True)
    keras_1_file(FOLDER / "keras_1.h5")
    keras_2_file(FOLDER / "keras_2.h5")
    vggface_file(FOLDER / "vggface.h5")
    # Keras 2.0.5 after a reload: the inner group has another name than the layer.
    whole_model_file(FOLDER / "whole_2_0.h5", fixed, "2.0.5", lambda layer, weight: f"{layer}_1/{weight}:0")
    # Keras 3's .h5: the path of the variable, without ":0".
    whole_model_file(FOLDER / "whole_3.h5", variable, "3.4.1", lambda layer, weight: f"functional/{layer}/{weight}")
    split_names_file(FOLDER / "split_names.h5")
    deep_tree_file(FOLDER / "deep_tree.h5")
    keras_3_file(FOLDER / "keras_3.weights.h5", with_names=True)
    keras_3_file(FOLDER / "keras_3_unnamed.weights.h5", with_names=False)
    keras_archive(FOLDER / "stored.keras", FOLDER / "keras_3_unnamed.weights.h5", zipfile.ZIP_STORED)
    keras_archive(FOLDER / "deflated.keras", FOLDER / "keras_3.weights.h5", zipfile.ZIP_DEFLATED)
    newer_format_file(FOLDER / "newer_format.h5")
    kinds_file(FOLDER / "kinds.h5")
    deflated_file(FOLDER / "deflated.h5")
    odd_file(FOLDER / "odd.h5")
    dense_file(FOLDER / "dense.h5")
    hard_links_file(FOLDER / "hard_links.h5")
    cycle_file(FOLDER / "cycle.h5")


if __name__ == "__main__":
    sys.exit(main())
