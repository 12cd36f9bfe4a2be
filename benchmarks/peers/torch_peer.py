"""PyTorch on the works that benchmarks/training times, in the best of its modes: a request a line in, a JSON line back.

    torch_peer.py --images FOLDER [--threads N] [--quick]          requests come on standard input
    torch_peer.py --images FOLDER --memory f32|bf16 [--updates N]  peak memory of training

FOLDER holds images.npy (N x 3 x 32 x 32 bytes) and labels.npy of training, test_images.npy and test_labels.npy.
A mode is a memory format, eager or compiled (compiled: the pixels' conversion, loss and optimiser too); in bf16 under
autocast or, without training, as a network of bf16 weights. Every mode is verified against float64 and tried; the
fastest is then measured. Parameters have no gradient in attacks; forward passes run in inference mode.
"""

import argparse
import contextlib
import itertools
import json
import pathlib
import re
import resource
import statistics
import sys
import time

import numpy
import torch
import torch.nn.functional as F
from torch import nn

ATTACKED = 1000  # images of a forward pass or an attack
EPSILON, STEPS = 0.01, 10
CHUNKS = (125, 250, 1000)  # images at a time that a forward pass or an attack may choose
TRIAL_SECONDS = 0.7


class Residual(nn.Module):
    def __init__(self, *branch):
        super().__init__()
        self.branch = nn.Sequential(*branch)

    def forward(self, x):
        return x + self.branch(x)


def residual_layers():
    """Three residual branches, with batch normalisation after every convolution."""
    layers, channels = [], 3
    for width in (32, 64, 128):
        norm = [nn.Conv2d(channels, width, 3, 1 if channels == 3 else 2, 1), nn.BatchNorm2d(width)]
        first, second = ([nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width)] for _ in range(2))
        layers += [*norm, nn.ReLU(inplace=True), Residual(*first, nn.ReLU(inplace=True), *second), nn.ReLU(inplace=True)]
        channels = width
    return [*layers, nn.AvgPool2d(8), nn.Flatten(), nn.Linear(128, 10)]


def vgg_layers(name):
    widths = {"paper": (32, 64, 128), "wide": (64, 128, 256)}[name]
    layers, channels = [], 3
    for width, convolutions in zip(widths, (2, 3, 3)):
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
            channels = width
        layers += [nn.MaxPool2d(2), nn.Dropout(0.25)]
    return [*layers, nn.Flatten(), nn.Linear(channels * 16, 512), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Linear(512, 10)]


def network(name):
    """The paper's network, one of twice its width, or a residual one; Glorot's initial weights."""
    torch.manual_seed(7)
    net = nn.Sequential(*(residual_layers() if name == "residual" else vgg_layers(name)))
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
    return net


class Data:
    """Bytes in memory, in both orders: N x C x H x W, and N x H x W x C for channels-last."""

    def __init__(self, folder):
        def read(name):
            return torch.from_numpy(numpy.load(folder / name))

        self.labels, self.test_labels = read("labels.npy").long(), read("test_labels.npy").long()[:ATTACKED]
        self.planar, self.test_planar = read("images.npy"), read("test_images.npy")[:ATTACKED]
        self.last, self.test_last = (b.permute(0, 2, 3, 1).contiguous() for b in (self.planar, self.test_planar))

    def training(self, last):
        return self.last if last else self.planar

    def test(self, last):
        return self.test_last if last else self.test_planar


def pixels(data, last):
    """Bytes to floats in [0, 1], N x C x H x W to look at, in memory as they came."""
    x = data.permute(0, 3, 1, 2) if last else data
    return x.float() / 255


class Mode:
    """How the network is held and run."""

    def __init__(self, precision, last, compiled=False, held_in_bf16=False):
        self.precision, self.last, self.compiled, self.held_in_bf16 = precision, last, compiled, held_in_bf16

    def __str__(self):
        words = ["compiled" if self.compiled else "eager", "channels last" if self.last else "contiguous"]
        if self.precision == "bf16":
            words.append("bf16 weights" if self.held_in_bf16 else "autocast")
        return ", ".join(words)

    def hold(self, net):
        if self.held_in_bf16:
            net = net.bfloat16()
        return net.to(memory_format=torch.channels_last) if self.last else net

    def casting(self):
        if self.precision == "bf16" and not self.held_in_bf16:
            return torch.autocast("cpu", dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def compile(self, function, **options):
        return torch.compile(function, dynamic=False, **options) if self.compiled else function

    def take(self, x):
        return x.bfloat16() if self.held_in_bf16 else x


def modes(precision, work):
    for compiled, last in itertools.product((False, True), (True, False)):
        yield Mode(precision, last, compiled)
        if precision == "bf16" and work != "training":
            yield Mode(precision, last, compiled, held_in_bf16=True)


class Training:
    """Keras' RMSprop on shuffled bytes, half of them mirrored: `step()` makes one update and returns its images."""

    def __init__(self, name, batch, mode, data, items=None, rate=1e-4):
        self.batch, self.mode = batch, mode
        self.bytes, self.labels = data.training(mode.last), data.labels
        self.items = torch.arange(len(self.labels) // batch * batch) if items is None else items
        self.net = mode.hold(network(name).train())
        self.rate, self.updates, self.position, self.total = rate, 0, 0, torch.zeros(())
        # As a tensor, so that a compiled update need not be compiled again for each rate.
        self.current = torch.tensor(rate) if mode.compiled else rate
        self.optimiser = torch.optim.RMSprop(self.net.parameters(), lr=self.current, alpha=0.9, eps=1e-8, foreach=True)
        self.loss = mode.compile(self.loss_of)
        self.update = mode.compile(self.optimiser.step)
        self.order = self.items[torch.randperm(len(self.items))]

    def loss_of(self, images, mirrored, y):
        across = 2 if self.mode.last else 3
        images = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(across), images)
        with self.mode.casting():
            return F.cross_entropy(self.net(pixels(images, self.mode.last)).float(), y)

    def step(self):
        if self.position == len(self.order):
            self.order, self.position = self.items[torch.randperm(len(self.items))], 0
        picked = self.order[self.position : self.position + self.batch]
        self.position += self.batch
        loss = self.loss(self.bytes[picked], torch.rand(len(picked)) < 0.5, self.labels[picked])
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        rate = self.rate / (1 + 1e-5 * self.updates)
        if self.mode.compiled:
            self.current.fill_(rate)
        else:
            self.optimiser.param_groups[0]["lr"] = rate
        self.update()
        self.updates += 1
        self.total += loss.detach()
        return self.batch

    def verify(self, name, data):
        course = Training(name, 32, self.mode, data, torch.arange(32), rate=1e-3)
        losses = []
        for _ in range(4):
            course.total.zero_()
            for _ in range(3):
                course.step()
            losses.append(course.total.item() / 3)
        if not losses[-1] < losses[0]:
            raise RuntimeError(f"{self.mode}: 12 updates took the loss from {losses[0]} to {losses[-1]}")


class Passes:
    """A forward pass or an attack on the test images, `chunk` at a time: `step()` does all of them."""

    def __init__(self, name, work, chunk, mode, data):
        self.work, self.chunk, self.mode = work, chunk, mode
        self.net = mode.hold(network(name).eval()).requires_grad_(False)
        self.bytes, self.labels = data.test(mode.last), data.test_labels
        self.logits = mode.compile(self.logits_of, **({"options": {"freezing": True}} if work == "forward" else {}))
        self.loss, self.start, self.moved = mode.compile(self.loss_of), mode.compile(pixels), mode.compile(self.moved_by)

    def logits_of(self, images):
        with self.mode.casting():
            return self.net(self.mode.take(pixels(images, self.mode.last))).float()

    def loss_of(self, x, y):
        with self.mode.casting():
            return F.cross_entropy(self.net(self.mode.take(x)).float(), y, reduction="sum")

    @staticmethod
    def moved_by(x, origin, gradient, size, radius):
        moved = x + size * gradient.sign()
        return torch.minimum(torch.maximum(moved, origin - radius), origin + radius).clamp(0, 1)

    def gradient(self, x, y):
        x = x.detach().requires_grad_()
        return torch.autograd.grad(self.loss(x, y), x)[0]

    def attack(self, images, y):
        steps = STEPS if self.work == "iterative" else 1
        origin = x = self.start(images, self.mode.last)
        for _ in range(steps):
            g = self.gradient(x, y)
            with torch.no_grad():
                if steps == 1 and not self.mode.compiled:
                    x = g.sign_().mul_(EPSILON).add_(x).clamp_(0, 1)
                else:
                    x = self.moved(x, origin, g, EPSILON / steps, EPSILON)
        return x

    def step(self):
        out = []
        for images, y in zip(self.bytes.split(self.chunk), self.labels.split(self.chunk)):
            if self.work == "forward":
                with torch.inference_mode():
                    out.append(self.logits(images))
            else:
                out.append(self.attack(images, y).contiguous())  # N x C x H x W, as a user gets it
        self.result = torch.cat(out)
        return len(self.bytes)

    def verify(self, name, data):
        self.step()
        right = network(name).double().eval().requires_grad_(False)
        x = pixels(data.test(False)[:16], False).double()
        # Gradients are far less smooth than logits: rounding turns a few rectifiers and maxima over.
        bound = {"f32": (1e-3, 0.02), "bf16": (0.1, 0.5)}[self.mode.precision][self.work != "forward"]
        if self.work == "forward":
            error, size = self.result[:16].double() - right(x), right(x)
        else:
            x.requires_grad_()
            size = torch.autograd.grad(F.cross_entropy(right(x), data.test_labels[:16], reduction="sum"), x)[0]
            mine = self.start(self.bytes[: self.chunk], self.mode.last)
            error = self.gradient(mine, self.labels[: self.chunk])[:16].double() - size
            moved = (self.result[:16] - x.detach()).abs().max().item()
            if not 0.9 * EPSILON < moved < 1.01 * EPSILON:
                raise RuntimeError(f"{self.mode}: the attack moved pixels by {moved}")
        error = (error.norm() / size.norm()).item()
        if not error < bound:
            raise RuntimeError(f"{self.mode}: {self.work} differs from float64's by {error} of its size")


def measure(step, seconds, threads):
    step()
    an_image, start, work = [], time.perf_counter(), time.process_time()
    while not an_image or time.perf_counter() - start < seconds:
        begin = time.perf_counter()
        count = step()
        an_image.append((time.perf_counter() - begin) / count)
    share = (time.process_time() - work) / ((time.perf_counter() - start) * threads)
    return {
        "images_per_second": 1 / statistics.median(an_image),
        "calls": len(an_image),
        "processor_share": share,
        "peak_mib": peak_mebibytes(),
    }


def peak_mebibytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class Answers:
    def __init__(self, data, threads, quick, eager):
        self.data, self.threads, self.compiling, self.best = data, threads, not (quick or eager), {}
        self.chunks = CHUNKS[:1] if quick else CHUNKS

    def candidates(self, precision, name, work, batch, only):
        """Ways to do a work; chunks are chosen eagerly, and compiled for once, unless one way is asked for."""
        if work == "training":
            for mode in modes(precision, work):
                if self.compiling or not mode.compiled:
                    yield str(mode), lambda mode=mode: Training(name, batch, mode, self.data)
            return
        chunk_of = dict.fromkeys(itertools.product((True, False), repeat=2), CHUNKS[-1])
        for mode in modes(precision, work):
            if mode.compiled and not self.compiling:
                continue
            key = (mode.last, mode.held_in_bf16)
            for chunk in (chunk_of[key],) if mode.compiled and only is None else self.chunks:
                title = f"{mode}, {chunk} at a time"
                yield title, lambda mode=mode, chunk=chunk: Passes(name, work, chunk, mode, self.data)
                if not mode.compiled:
                    tried = self.trials.get(title, 0)
                    if tried >= max(self.trials.get(f"{mode}, {c} at a time", 0) for c in self.chunks):
                        chunk_of[key] = chunk

    def find_best(self, precision, name, work, batch, only):
        """The fastest way, or the one called `only`; with it the speeds of all that were tried."""
        self.trials, best = {}, None
        for title, make in self.candidates(precision, name, work, batch, only):
            if only not in (None, title):
                continue
            began = time.perf_counter()
            unit = make()
            unit.verify(name, self.data)
            self.trials[title] = measure(unit.step, TRIAL_SECONDS, self.threads)["images_per_second"]
            print(f"{work} {name} {precision}: {title}: {self.trials[title]:.0f} images/s, made and tried in "
                  f"{time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
            if self.trials[title] >= max(self.trials.values()):
                best = title, unit
        if best is None:
            raise ValueError(f"there is no mode {only!r}")
        return *best, self.trials

    def __call__(self, request):
        precision = request["backend"].removeprefix("torch-")
        if precision not in ("f32", "bf16"):
            raise ValueError(f"there is no backend {request['backend']!r}")
        key = precision, request["network"], request["work"], request.get("batch", 128)
        if key not in self.best:
            self.best[key] = self.find_best(*key, request.get("mode"))
        title, unit, trials = self.best[key]
        answer = {k: request[k] for k in ("backend", "network", "work")} | {"batch": key[3], "threads": self.threads}
        answer |= {"mode": title, "trials": {k: round(v, 1) for k, v in trials.items()}}
        return answer | measure(unit.step, request.get("seconds", 1.0), self.threads)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=pathlib.Path, required=True)
    options.add_argument("--threads", type=int, default=torch.get_num_threads())
    options.add_argument("--quick", action="store_true", help="try eager modes only, and one number of images at a time")
    options.add_argument("--eager", action="store_true", help="try eager modes only")
    options.add_argument("--memory", choices=("f32", "bf16"), help="instead: peak memory of training at batch 128")
    options.add_argument("--updates", type=int, default=64)
    wish = options.parse_args()
    torch.set_num_threads(wish.threads)
    torch.set_num_interop_threads(1)
    data = Data(wish.images)

    if wish.memory:
        data.planar = None  # one copy of the images
        course = Training("paper", 128, Mode(wish.memory, last=True), data)
        for _ in range(wish.updates):
            course.step()
        print(json.dumps({"backend": f"torch-{wish.memory}", "network": "paper", "work": "memory", "batch": 128,
                          "threads": wish.threads, "images": len(data.labels), "updates": wish.updates,
                          "peak_mib": peak_mebibytes()}))
        return

    print(json.dumps({"program": "PyTorch", "version": torch.__version__, "backends": ["torch-f32", "torch-bf16"],
                      "instruction_set": torch.backends.cpu.get_cpu_capability(),
                      "onednn": re.search(r"MKL-DNN v([\d.]+)", torch.__config__.show())[1],
                      "threads": wish.threads}), flush=True)
    answers = Answers(data, wish.threads, wish.quick, wish.eager)
    for line in sys.stdin:
        try:
            print(json.dumps(answers(json.loads(line))), flush=True)
        except Exception as problem:  # what goes wrong with one request is its answer
            print(json.dumps({"error": f"{type(problem).__name__}: {problem}"}), flush=True)


if __name__ == "__main__":
    main()
