"""PyTorch on a GPU, on the works that benchmark_training_throughput times there: a JSON line for each.

    torch_gpu_peer.py [--images FOLDER] [--seconds S] [--compiled]

FOLDER holds CIFAR-10's binary files; without it images are noise of realistic brightness. Images lie on the GPU as
bytes, networks channels last; bf16 under autocast. A training step (gathering, mirroring, forward, backward, RMSprop)
is recorded once as a CUDA graph and replayed, which is what an expert does with networks this small; --compiled has
torch.compile make its kernels first (minutes). f32 means f32: TF32 is off, as in Cuda<f32>.
"""

import argparse
import contextlib
import json
import pathlib
import sys
import time

import numpy
import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from torch_peer import EPSILON, network  # noqa: E402

ATTACKED = 1000


class Work:
    def __init__(self, precision, compiled):
        self.precision, self.compiled = precision, compiled

    def casting(self):
        if self.precision == "bf16":
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def make(self, function):
        return torch.compile(function, dynamic=False) if self.compiled else function

    def record(self, step):
        """`step` as a graph, after the warm-up that recording asks for."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        return graph


class Training(Work):
    def __init__(self, images, labels, precision, batch, compiled):
        super().__init__(precision, compiled)
        self.images, self.labels, self.batch = images, labels, batch
        self.net = network("paper").cuda().train().to(memory_format=torch.channels_last)
        self.rate = torch.tensor(1e-4, device="cuda")
        self.optimiser = torch.optim.RMSprop(
            self.net.parameters(), lr=self.rate, alpha=0.9, eps=1e-8, foreach=True, capturable=True
        )
        self.picked = torch.zeros(batch, dtype=torch.long, device="cuda")
        self.mirrored = torch.zeros(batch, dtype=torch.bool, device="cuda")
        self.total = torch.zeros((), device="cuda")
        self.loss = self.make(self.loss_of)
        self.order = torch.randperm(len(labels), device="cuda")
        self.position = 0
        self.graph = self.record(self.step)

    def loss_of(self, images, mirrored, y):
        x = torch.where(mirrored.view(-1, 1, 1, 1), images.flip(2), images).permute(0, 3, 1, 2).float() / 255
        with self.casting():
            return F.cross_entropy(self.net(x).float(), y)

    def step(self):
        self.optimiser.zero_grad(set_to_none=False)
        loss = self.loss(self.images[self.picked], self.mirrored, self.labels[self.picked])
        loss.backward()
        self.optimiser.step()
        self.total += loss.detach()

    def __call__(self):
        if self.position + self.batch > len(self.order):
            self.order, self.position = torch.randperm(len(self.labels), device="cuda"), 0
        self.picked.copy_(self.order[self.position : self.position + self.batch])
        self.mirrored.copy_(torch.rand(self.batch, device="cuda") < 0.5)
        self.position += self.batch
        self.graph.replay()
        return self.batch


class Pass(Work):
    def __init__(self, images, labels, precision, work, compiled):
        super().__init__(precision, compiled)
        self.images, self.labels = images[:ATTACKED], labels[:ATTACKED]
        self.net = network("paper").cuda().eval().to(memory_format=torch.channels_last).requires_grad_(False)
        self.logits = self.make(self.logits_of)
        self.step = self.forward if work == "forward" else self.fgsm
        self.graph = self.record(self.step)

    def logits_of(self, x):
        with self.casting():
            return self.net(x).float()

    def forward(self):
        with torch.no_grad():
            self.out = self.logits(self.images.permute(0, 3, 1, 2).float() / 255)

    def fgsm(self):
        x = (self.images.permute(0, 3, 1, 2).float() / 255).requires_grad_()
        g = torch.autograd.grad(F.cross_entropy(self.logits(x), self.labels, reduction="sum"), x)[0]
        with torch.no_grad():
            self.out = (x + EPSILON * g.sign()).clamp(0, 1)

    def __call__(self):
        self.graph.replay()
        self.out.contiguous().cpu()  # as ours: what comes back is the host's
        return ATTACKED


def measure(unit, seconds):
    for _ in range(20):
        unit()
    torch.cuda.synchronize()
    images, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(32):
            images += unit()
        torch.cuda.synchronize()
    return images / (time.perf_counter() - start)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--images", type=pathlib.Path)
    options.add_argument("--seconds", type=float, default=1.0)
    options.add_argument("--compiled", action="store_true")
    wish = options.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    if wish.images:
        rows = numpy.concatenate([numpy.fromfile(f, numpy.uint8) for f in sorted(wish.images.glob("data_batch_*.bin"))])
        rows = torch.from_numpy(rows).view(-1, 3073)
        labels, planar = rows[:, 0].long().cuda(), rows[:, 1:].view(-1, 3, 32, 32)
    else:
        labels = torch.randint(0, 10, (50000,), device="cuda")
        planar = torch.randint(0, 256, (50000, 3, 32, 32), dtype=torch.uint8)
    images = planar.permute(0, 2, 3, 1).contiguous().cuda()
    print(json.dumps({"program": "PyTorch", "version": torch.__version__, "device": torch.cuda.get_device_name()}))
    for precision in ("f32", "bf16"):
        for work, batch in (("training", 128), ("training", 32), ("forward", 0), ("fgsm", 0)):
            if work == "training":
                unit = Training(images, labels, precision, batch, wish.compiled)
            else:
                unit = Pass(images, labels, precision, work, wish.compiled)
            line = {"backend": f"torch-{precision}", "network": "paper", "work": work, "batch": batch}
            line["images_per_second"] = measure(unit, wish.seconds)
            if work == "training":
                line["loss"] = unit.total.item()
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
