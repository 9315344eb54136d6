#!/usr/bin/env python3
"""Trains two small networks for ten steps in PyTorch, in double precision, and writes what came out:

    python3 tests/references/ten_steps.py            # writes emotion_cnn.inc and residual.inc beside this file

Needs PyTorch (python3-torch). Only PyTorch's derivatives are used: the optimizers are Keras's and are written out
below, batch normalisation keeps its statistics as Keras does. Weights are in Keras's layout, which is mien's: kernels
HWIO and (in, out), pictures NHWC. The test is tests/model/ten_steps_test.cpp.
"""
import math
import pathlib

import torch
import torch.nn.functional as F

STEPS, BATCH, CLASSES = 10, 6, 3


class Network:
    """Parameters by mien's names, made when a layer first asks for them; pictures are NCHW inside."""

    def __init__(self, seed):
        self.random = torch.Generator().manual_seed(seed)
        self.values, self.statistics = {}, {}

    def uniform(self, *shape, low=-1.0, high=1.0):
        """Multiples of 1/4096, which are short to write."""
        values = low + (high - low) * torch.rand(*shape, generator=self.random, dtype=torch.float64)
        return torch.round(values * 4096) / 4096

    def parameter(self, name, *shape, low=-1.0, high=1.0):
        if name not in self.values:
            self.values[name] = self.uniform(*shape, low=low, high=high).requires_grad_()
        return self.values[name]

    def statistic(self, name, *shape, low, high):
        if name not in self.statistics:
            self.statistics[name] = self.uniform(*shape, low=low, high=high)
        return self.statistics[name]

    def kernel_and_bias(self, name, *shape):
        limit = math.sqrt(6 / (math.prod(shape[:-1]) + math.prod(shape[:-2]) * shape[-1]))
        kernel = self.parameter(name + "/kernel", *shape, low=-limit, high=limit)
        return kernel, self.parameter(name + "/bias", shape[-1], low=-0.1, high=0.1)

    def conv(self, name, x, filters, size, stride=1, same=False):
        kernel, bias = self.kernel_and_bias(name, size, size, x.shape[1], filters)
        if same:  # the odd row or column goes bottom, right
            total = max((math.ceil(x.shape[2] / stride) - 1) * stride + size - x.shape[2], 0)
            x = F.pad(x, (total // 2, total - total // 2) * 2)
        return F.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride)

    def batch_norm(self, name, x, epsilon=1e-3, momentum=0.99):
        channels = x.shape[1]
        gamma = self.parameter(name + "/gamma", channels, low=0.5, high=1.5)
        beta = self.parameter(name + "/beta", channels, low=-0.5, high=0.5)
        moving_mean = self.statistic(name + "/moving_mean", channels, low=-0.5, high=0.5)
        moving_variance = self.statistic(name + "/moving_variance", channels, low=0.5, high=1.5)
        mean = x.mean((0, 2, 3))
        variance = ((x - mean[:, None, None]) ** 2).mean((0, 2, 3))  # of the population, for the statistics too
        moving_mean.mul_(momentum).add_((1 - momentum) * mean.detach())
        moving_variance.mul_(momentum).add_((1 - momentum) * variance.detach())
        normalized = (x - mean[:, None, None]) / torch.sqrt(variance + epsilon)[:, None, None]
        return gamma[:, None, None] * normalized + beta[:, None, None]

    def dense(self, name, x, units):
        kernel, bias = self.kernel_and_bias(name, x.shape[1], units)
        return x @ kernel + bias


def emotion_cnn(net, x):
    """Custom model 2 with few filters: logits, and the penalty of the regularizers."""
    for block, filters in enumerate([4, 6, 8]):
        x = net.conv(f"conv_layer_{block + 1}a", x, filters, 3)
        x = net.conv(f"conv_layer_{block + 1}b", x, filters, 3)
        x = net.batch_norm("batch_normalization" + (f"_{block}" if block else ""), x)
        x = F.max_pool2d(torch.relu(x), 2)
    x = x.mean((2, 3))
    x = torch.relu(net.dense("dense", x, 8))
    x = torch.relu(net.dense("dense_1", x, 6))
    return net.dense("dense_2", x, CLASSES), 0.0


def residual(net, x):
    """A bottleneck as ResNet50 has it, behind a strided convolution; l2 on the last kernel."""
    def norm(name, y):
        return net.batch_norm(name, y, epsilon=1.001e-5)

    x = torch.relu(norm("stem_bn", net.conv("stem", x, 6, 3, stride=2, same=True)))
    y = torch.relu(norm("bn_1", net.conv("conv_1", x, 4, 1)))
    y = torch.relu(norm("bn_2", net.conv("conv_2", y, 4, 3, same=True)))
    y = norm("bn_3", net.conv("conv_3", y, 8, 1))
    x = torch.relu(norm("bn_0", net.conv("conv_0", x, 8, 1)) + y)
    logits = net.dense("probs", x.mean((2, 3)), CLASSES)
    return logits, 0.01 * (net.values["probs/kernel"] ** 2).sum()


def adam(w, g, slots, t, rate=0.001, b1=0.9, b2=0.999, epsilon=1e-7):
    """Keras's form: epsilon is added to the root of v as it is, not corrected for the start."""
    m, v = slots.setdefault("m", torch.zeros_like(w)), slots.setdefault("v", torch.zeros_like(w))
    m.mul_(b1).add_((1 - b1) * g)
    v.mul_(b2).add_((1 - b2) * g * g)
    w.sub_(rate * math.sqrt(1 - b2**t) / (1 - b1**t) * m / (torch.sqrt(v) + epsilon))


def nesterov(w, g, slots, t, rate=0.01, momentum=0.9):
    """Keras's form: the learning rate is inside the velocity."""
    velocity = slots.setdefault("velocity", torch.zeros_like(w))
    velocity.mul_(momentum).sub_(rate * g)
    w.add_(momentum * velocity - rate * g)


def all_values(net):
    return {name: value.detach().clone() for name, value in {**net.values, **net.statistics}.items()}


def train(build, net, x, targets, update):
    slots, losses = {}, []
    for t in range(1, STEPS + 1):
        logits, penalty = build(net, x)
        loss = -(targets * torch.log_softmax(logits, 1)).sum(1).mean() + penalty
        gradients = torch.autograd.grad(loss, list(net.values.values()))
        losses.append(loss.item())
        with torch.no_grad():
            for (name, w), g in zip(net.values.items(), gradients):
                update(w, g, slots.setdefault(name, {}), t)
    return losses, all_values(net)


def in_lines(words, width=118):
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line += word
    return "\n".join(lines + [line])


def number(x):
    mantissa, exponent = float(x).hex().split("p")
    return (mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa) + "p" + str(int(exponent))


def array(name, values):
    return f"inline constexpr double {name}[] = {{\n" + in_lines(number(v) + "," for v in values) + "};\n"


def flat(values):
    return [v for tensor in values.values() for v in tensor.flatten().tolist()]


def write(name, build, size, seed):
    random = torch.Generator().manual_seed(seed)
    digits = torch.randint(0, 10, (BATCH, size, size, 3), generator=random)
    x = digits.to(torch.float64).permute(0, 3, 1, 2) / 8
    targets = F.one_hot(torch.arange(BATCH) % CLASSES, CLASSES).to(torch.float64)

    def fresh():
        net = Network(seed)
        build(net, x)  # makes the parameters, and moves the statistics: both runs start from there
        return net

    initial = all_values(fresh())
    text = "// Written by ten_steps.py. PyTorch in double precision: ten steps on one batch of pictures.\n"
    text += f"namespace references::{name} {{\n"
    text += "/// The parameters, in the order of the values below.\n"
    text += "inline constexpr const char* names[] = {\n" + in_lines(f'"{n}",' for n in initial) + "};\n"
    text += "/// The pictures (N, H, W, C): one digit for each number, which is an eighth of it.\n"
    string = "".join(str(d) for d in digits.flatten().tolist())
    text += "inline constexpr const char* pixels =\n"
    text += "\n".join(f'"{string[i:i + 116]}"' for i in range(0, len(string), 116)) + ";\n"
    text += array("targets", targets.flatten().tolist())
    text += array("initial", flat(initial))
    for update in (adam, nesterov):
        losses, final = train(build, fresh(), x, targets, update)
        assert list(final) == list(initial)
        text += array(update.__name__ + "_losses", losses)
        text += array(update.__name__ + "_final", flat(final))
    text += f"}}  // namespace references::{name}\n"
    pathlib.Path(__file__).with_name(name + ".inc").write_text(text)


if __name__ == "__main__":
    torch.set_num_threads(1)
    write("emotion_cnn", emotion_cnn, size=44, seed=1)
    write("residual", residual, size=12, seed=2)
