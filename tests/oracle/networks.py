# The networks that the fixtures speak of, as PyTorch modules, with the library's initial weights drawn once more.
"""A network is a list of (layer, values...) as in the C++ type of the same name in networks.hpp.

Weights are never stored: both sides draw them from the counters, multiply them by `GAIN`, and draw small biases where
the library starts from zero, so that biases are tested too. Batch normalisation's four rows are drawn near what the
library starts from.
"""

import math

import numpy as np
import torch
from torch import nn

import philox

#: Both sides multiply the drawn weights by this (exact in f32): logits and gradients of an untrained network spread.
GAIN = np.float32(1.5)
#: Biases are drawn from (-limit, limit), words of item 1 of their node's stream, and are not multiplied. So is what
#: batch normalisation's gamma, beta, mean and variance are apart from 1, 0, 0, 1.
BIAS_LIMIT = np.float32(0.1)


class Normalize(nn.Module):
    """(x - mean[c]) / deviation[c]; the constants are f32 numbers."""

    def __init__(self, mean, deviation):
        super().__init__()
        self.register_buffer("mean", torch.tensor(np.float32(mean)).reshape(1, -1, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(np.float32(deviation)).reshape(1, -1, 1, 1), persistent=False)

    def forward(self, x):
        return (x - self.mean) / self.deviation


class Residual(nn.Module):
    def __init__(self, branch):
        super().__init__()
        self.branch = branch

    def forward(self, x):
        return self.branch(x) + x


class Dense(nn.Linear):
    """Flattens its input, channels first, so that entries are numbered as the library numbers them."""

    def forward(self, x):
        return super().forward(x.flatten(1))


class CounterDropout(nn.Module):
    """Inverted dropout whose mask is a function of (seed, node, item, epoch, copy).

    Element (h W + w) C + c of an image consults 16 bits, two to a word, the low half first, and is dropped where they
    are below round(65536 p). `visits` is set before a training pass: (seed, epoch, [(item, copy), ...]).
    """

    def __init__(self, percent, node):
        super().__init__()
        self.percent, self.node, self.visits = percent, node, None

    def forward(self, x):
        if not self.training:
            return x
        seed, epoch, picks = self.visits
        size = x[0].numel()
        threshold = round(65536 * self.percent / 100)
        masks = []
        for item, copy in picks:
            drawn = philox.words(seed, "dropout", (size + 1) // 2, self.node, item, epoch, copy)
            halves = np.stack([drawn & np.uint32(0xFFFF), drawn >> np.uint32(16)], axis=1).reshape(-1)[:size]
            kept = halves >= threshold
            if x.dim() == 4:
                _, c, h, w = x.shape
                kept = kept.reshape(h, w, c).transpose(2, 0, 1)
            masks.append(kept)
        kept = torch.from_numpy(np.stack(masks)).reshape(x.shape)
        return x * kept / (1 - self.percent / 100)


def conv(out, kernel=3, stride=1, padding="same"):
    return ("conv", out, kernel, stride, kernel // 2 if padding == "same" else 0)


RELU = ("relu",)
NORM = ("batch_norm",)

IMAGE = {}
LAYERS = {}

IMAGE["paper"] = (3, 32, 32)
LAYERS["paper"] = [
    *[conv(32), RELU, conv(32), RELU, ("max_pool", 2), ("dropout", 25)],
    *[conv(64), RELU, conv(64), RELU, conv(64), RELU, ("max_pool", 2), ("dropout", 25)],
    *[conv(128), RELU, conv(128), RELU, conv(128), RELU, ("max_pool", 2), ("dropout", 25)],
    *[("dense", 512), RELU, ("dropout", 50), ("dense", 10)],
]

# Small networks: one question each, on extents that are no multiples of anything.
IMAGE["dense_only"] = (2, 3, 5)
LAYERS["dense_only"] = [("dense", 7)]
IMAGE["same3"] = (3, 7, 9)
LAYERS["same3"] = [conv(5), RELU, ("dense", 4)]
IMAGE["same5"] = (3, 9, 7)
LAYERS["same5"] = [conv(4, 5), RELU, ("dense", 4)]
IMAGE["valid3"] = (2, 9, 7)
LAYERS["valid3"] = [conv(6, 3, 1, "valid"), RELU, ("dense", 5)]
IMAGE["valid5"] = (3, 9, 8)
LAYERS["valid5"] = [conv(4, 5, 1, "valid"), RELU, ("dense", 3)]
IMAGE["pointwise"] = (5, 6, 5)
LAYERS["pointwise"] = [conv(7, 1), RELU, ("dense", 4)]
IMAGE["stride2"] = (3, 11, 8)
LAYERS["stride2"] = [conv(6, 3, 2), RELU, conv(5, 3, 2), RELU, ("dense", 4)]
IMAGE["stride2_of_5"] = (2, 10, 13)
LAYERS["stride2_of_5"] = [conv(5, 5, 2), RELU, ("dense", 4)]
IMAGE["stride3_valid"] = (3, 13, 11)
LAYERS["stride3_valid"] = [conv(4, 3, 3, "valid"), RELU, ("dense", 4)]
IMAGE["average_pool"] = (3, 6, 9)
LAYERS["average_pool"] = [conv(4), RELU, ("average_pool", 3), ("dense", 4)]
IMAGE["max_pool3"] = (3, 9, 6)
LAYERS["max_pool3"] = [conv(4), ("max_pool", 3), RELU, ("dense", 4)]
IMAGE["normalized"] = (3, 6, 5)
LAYERS["normalized"] = [
    ("normalize", (0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    *[conv(4), RELU, ("dense", 4)],
]
IMAGE["residual"] = (3, 6, 7)
LAYERS["residual"] = [
    *[conv(5), RELU],
    *[("residual", [conv(5), RELU, conv(5)]), RELU],
    *[("dense", 4)],
]
IMAGE["batch_norm"] = (3, 6, 8)
LAYERS["batch_norm"] = [
    *[conv(5), NORM, RELU],
    *[("residual", [conv(5), NORM, RELU, conv(5), NORM]), RELU],
    *[("average_pool", 2), ("dense", 4)],
]
SMALL = [name for name in LAYERS if name != "paper"]

# The README's network: pools of 4 leave pixels that no gradient reaches.
IMAGE["pools_of_4"] = (3, 32, 32)
LAYERS["pools_of_4"] = [*[conv(16), RELU, ("max_pool", 4)], *[conv(32), RELU, ("max_pool", 4)], ("dense", 10)]

# Trained for some steps, dropout and flips on.
IMAGE["trained"] = (3, 8, 8)
LAYERS["trained"] = [
    *[conv(6), RELU, ("max_pool", 2), ("dropout", 25)],
    *[conv(8), RELU, ("max_pool", 2), ("dropout", 25)],
    *[("dense", 11), RELU, ("dropout", 50), ("dense", 4)],
]

# Trained for some steps with the batches' statistics.
IMAGE["trained_by_batch"] = IMAGE["batch_norm"]
LAYERS["trained_by_batch"] = LAYERS["batch_norm"]


class Built:
    """Walks a network's layers as the library's tape does: nodes counted from 1, the image being 0."""

    def __init__(self, name, seed):
        self.seed, self.node, self.start = seed, 0, []
        self.shape = IMAGE[name]
        self.module = self.chain(LAYERS[name])

    def chain(self, layers):
        return nn.Sequential(*[self.layer(kind, *values) for kind, *values in layers])

    def layer(self, kind, *values):
        c, h, w = self.shape
        if kind == "residual":
            branch = self.chain(values[0])
            self.node += 1  # the join
            return Residual(branch)
        self.node += 1
        if kind == "conv":
            out, kernel, stride, padding = values
            self.draw((out, c, kernel, kernel), c * kernel * kernel, out * kernel * kernel)
            self.shape = (out, (h + 2 * padding - kernel) // stride + 1, (w + 2 * padding - kernel) // stride + 1)
            return nn.Conv2d(c, out, kernel, stride, padding)
        if kind == "dense":
            (out,) = values
            self.draw((out, c * h * w), c * h * w, out)
            self.shape = (out, 1, 1)
            return Dense(c * h * w, out)
        if kind in ("max_pool", "average_pool"):
            self.shape = (c, h // values[0], w // values[0])
            return (nn.MaxPool2d if kind == "max_pool" else nn.AvgPool2d)(values[0])
        if kind == "dropout":
            return CounterDropout(values[0], self.node)
        if kind == "batch_norm":
            apart = philox.symmetric(philox.words(self.seed, "initial_weights", 4 * c, self.node, 1), BIAS_LIMIT)
            rows = apart.reshape(4, c) + np.array([[1], [0], [0], [1]], dtype=np.float32)
            self.start.append(list(rows))
            return nn.BatchNorm2d(c, eps=float(np.float32(1e-5)), momentum=float(np.float32(0.1)))  # held in f32
        return {"relu": nn.ReLU, "normalize": Normalize}[kind](*values)

    def draw(self, shape, fan_in, fan_out):
        count = math.prod(shape)
        limit = np.float32(math.sqrt(6.0 / (fan_in + fan_out)))
        glorot = philox.symmetric(philox.words(self.seed, "initial_weights", count, self.node, 0), limit)
        bias = philox.symmetric(philox.words(self.seed, "initial_weights", shape[0], self.node, 1), BIAS_LIMIT)
        self.start.append([glorot.reshape(shape), bias])


def initial_weights(name, seed):
    """What the library's model starts from: Glorot's weights, zero biases, one canonical f32 vector."""
    parts = [[w.reshape(-1), np.zeros_like(b)] for w, b in Built(name, seed).start]
    return np.concatenate([x for pair in parts for x in pair])


def state(network):
    """A network's parameters, and statistics where it has them, in the library's order."""
    layers = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear, nn.BatchNorm2d))]
    return [
        [m.weight, m.bias, *([m.running_mean, m.running_var] if isinstance(m, nn.BatchNorm2d) else [])] for m in layers
    ]


def build(name, seed, dtype):
    """The network in evaluation mode with the fixtures' parameters and statistics, computing in `dtype`."""
    built = Built(name, seed)
    with torch.no_grad():
        for tensors, start in zip(state(built.module), built.start, strict=True):
            for tensor, values in zip(tensors, start, strict=True):
                tensor.copy_(torch.from_numpy(values * GAIN if values.ndim > 1 else values))
    return built.module.to(dtype).eval()


def images(seed, count, shape):
    """Bytes count x C x H x W: tilted triangle waves under noise, often enough at 0 and 255 for clipping to matter.

    All in whole numbers, so that another language gives the same bytes. Stream (noise, node 0, item = image) gives
    the noise, word (c H + h) W + w; (noise, node 1, item) gives three words a channel: slopes and phase.
    """
    c, h, w = shape
    made = np.zeros((count, c, h, w), dtype=np.uint8)
    rows, columns = np.arange(h)[:, None], np.arange(w)[None, :]
    for n in range(count):
        waves = philox.words(seed, "noise", 3 * c, 1, n).astype(np.int64).reshape(c, 3)
        noise = philox.words(seed, "noise", c * h * w, 0, n).astype(np.int64).reshape(c, h, w) % 64
        for k, (down, right, phase) in enumerate(waves):
            ramp = (rows * (down % 24) + columns * (right % 24) + phase % 512) % 512
            triangle = abs(ramp - 256)
            made[n, k] = np.clip(triangle * 5 // 4 - 64 + noise[k], 0, 255)
    return made


def labels(seed, count, classes):
    return (philox.words(seed, "noise", count, 2).astype(np.int64)) % classes


def pixels(stored):
    """Bytes to f32 in [0, 1]: x / 255, correctly rounded."""
    return torch.from_numpy(stored.astype(np.float32) / np.float32(255))


def flat(tensors):
    return np.concatenate([t.detach().numpy().reshape(-1) for t in tensors])
