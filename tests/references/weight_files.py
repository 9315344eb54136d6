"""Writes the small weight files of tests/formats and tests/io with numpy's and PyTorch's own writers.

    python3 tests/references/weight_files.py        writes tests/references/weights/*

In every array of numbers, element k in row-major order is k / 2 - 1; of whole numbers it is k, of booleans k % 2.
"""
import collections
import os
import pathlib
import zipfile

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).parent / "weights"


def numbers(*shape):
    return np.arange(int(np.prod(shape))).reshape(shape) / 2 - 1


def archives():
    """Members of each kind that zip files of weights have."""
    noise = np.random.default_rng(1).integers(0, 256, 2000).astype(np.uint8).tobytes()
    with zipfile.ZipFile(FOLDER / "members.zip", "w") as archive:
        archive.comment = b"a comment"
        for name, content in [("text", b"happy " * 500), ("noise", noise), ("empty", b"")]:
            for method, kind in [(zipfile.ZIP_STORED, "stored"), (zipfile.ZIP_DEFLATED, "deflated")]:
                info = zipfile.ZipInfo(f"{kind}/{name}")
                info.compress_type = method
                with archive.open(info, "w", force_zip64=kind == "stored") as member:
                    member.write(content)


def arrays():
    everything = {
        "half": numbers(2, 3).astype("<f2"),
        "layer/kernel": numbers(3, 3, 2, 4).astype("<f4"),
        "double": numbers(5).astype("<f8"),
        "columns": np.asfortranarray(numbers(2, 3, 4).astype("<f4")),
        "scalar": np.array(-1.0, "<f4"),
        "nothing": np.zeros((0, 3), "<f4"),
        "long": np.arange(4, dtype="<i8"),
        "byte": np.arange(6, dtype="u1").reshape(2, 3),
        "truth": np.arange(3) % 2 == 1,
    }
    np.savez(FOLDER / "stored.npz", **everything)
    np.savez_compressed(FOLDER / "deflated.npz", zeros=np.zeros(9000, "<f4"), **everything)
    np.save(FOLDER / "rows.npy", everything["layer/kernel"])
    np.save(FOLDER / "columns.npy", everything["columns"])
    np.save(FOLDER / "big_endian.npy", numbers(3).astype(">f4"))
    np.save(FOLDER / "objects.npy", np.array([{}, None], dtype=object), allow_pickle=True)


class Evil:
    def __reduce__(self):
        return (os.system, ("touch executed",))


class Evaluated:
    def __reduce__(self):
        return (eval, ("1 + 1",))


def tensor(*shape):
    return torch.from_numpy(numbers(*shape).astype("f4"))


def state_dicts():
    memory = torch.cat([torch.full((3,), 9.0), tensor(2, 2).flatten(), torch.full((1,), 9.0)])
    state = collections.OrderedDict(
        weight=torch.nn.Parameter(tensor(4, 2, 3, 3)),
        transposed=tensor(5, 3).t().contiguous().t(),
        view=memory[3:7].reshape(2, 2),
        half=tensor(3).half(),
        bfloat=tensor(3).bfloat16(),
        double=tensor(2, 3).double(),
        num_batches_tracked=torch.tensor(0),
        truth=torch.arange(3) % 2 == 1,
        none=torch.zeros(0, 3),
    )
    state["tied"] = state["weight"]
    state._metadata = collections.OrderedDict([("", {"version": 1})])
    checkpoint = {
        "epoch": 3,
        "best": 0.5,
        "name": "net",
        "long": 1 << 70,
        "shape": torch.ones(2, 3).size(),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "optimizer": {"state": {0: {"momentum": torch.ones(2)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
        "state_dict": collections.OrderedDict(("module." + name, value) for name, value in state.items()),
    }
    nested = {"conv": {"weight": tensor(2, 2)}, "list": [tensor(3), 1], 7: tensor(1)}
    for kind, new in [("zip", True), ("legacy", False)]:
        for name, value in [
            ("state", state),
            ("checkpoint", checkpoint),
            ("nested", nested),
            ("evil", {"weight": tensor(2), "x": Evil()}),
            ("eval", Evaluated()),
            ("module", torch.nn.Linear(2, 2)),
        ]:
            torch.save(value, FOLDER / f"{name}_{kind}.pt", _use_new_zipfile_serialization=new)


class Net(torch.nn.Module):
    """Each thing that an import must turn round: kernels, dense kernels, the order behind a flatten."""

    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, 4, 3, padding=1)
        self.bn1 = torch.nn.BatchNorm2d(4)
        self.conv2 = torch.nn.Conv2d(4, 6, (3, 2), groups=2, bias=False)
        self.bn2 = torch.nn.BatchNorm1d(6 * 4 * 4)
        self.fc1 = torch.nn.Linear(6 * 4 * 4, 6)
        self.fc2 = torch.nn.Linear(6, 6)
        for norm in (self.bn1, self.bn2):
            for values in (norm.weight, norm.bias, norm.running_mean, norm.running_var):
                torch.nn.init.uniform_(values, 0.5, 1.5)

    def forward(self, x, keep):
        keep["conv1"] = x = self.conv1(x)
        keep["bn1"] = x = self.bn1(x)
        keep["conv2"] = x = self.conv2(torch.relu(x))
        keep["bn2"] = x = self.bn2(torch.flatten(x, 1))
        keep["fc1"] = x = torch.relu(self.fc1(x))
        keep["fc2"] = self.fc2(x)


def networks():
    """A network, in several files, and what it computes (channels last)."""
    torch.manual_seed(1)
    net, x, outputs = Net(), torch.randn(2, 3, 6, 5), {}
    net.eval()(x, outputs)
    outputs = {"input": x, **outputs}
    outputs = {name: value.detach() for name, value in outputs.items()}
    np.savez(FOLDER / "net_outputs.npz",
             **{name: (value.permute(0, 2, 3, 1) if value.ndim == 4 else value).numpy() for name, value in outputs.items()})
    state = net.state_dict()
    torch.save(state, FOLDER / "net.pt")
    torch.save({name: value.half() if value.is_floating_point() else value for name, value in state.items()},
               FOLDER / "net_half.pt")
    torch.save({name: value.double() if value.is_floating_point() else value for name, value in state.items()},
               FOLDER / "net_double.pt", _use_new_zipfile_serialization=False)
    numbered = torch.nn.Sequential(net.conv1, net.bn1, torch.nn.ReLU(), net.conv2, torch.nn.Flatten(), net.bn2, net.fc1,
                                   torch.nn.ReLU(), net.fc2)
    torch.save(numbered.state_dict(), FOLDER / "net_numbered.pt")
    broken = collections.OrderedDict(state)
    broken["conv1.weight"] = state["conv1.weight"].clone()
    broken["conv1.weight"].view(-1)[5] = float("nan")
    broken["conv1.weight"].view(-1)[7] = float("inf")
    torch.save(broken, FOLDER / "net_nan.pt")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    archives()
    arrays()
    state_dicts()
    networks()
