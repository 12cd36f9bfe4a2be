# Our attacks against foolbox, torchattacks and ART on the same weights and images: peers.py <the attack_dump program>.
"""Weights go over as a PyTorch state_dict. Pixels are multiples of 1/256 and steps multiples of 1/1024, so that every
iterate is exact in f32 and in f64 and pixels can be compared for equality.

f64: one-step and iterative images equal on every pixel whose |gradient| is 0 or exceeds 1e-9 of its image's root mean
square at each step. f32: the one-step images, and each single step from the peer's own iterate, differ on at most 0.1 % of the
pixels, each with |gradient| below 1e-3 of its image's root mean square. The whole attack in f32 is compared with foolbox's, and may
differ on 0.1 % of the pixels.

Two networks: the paper's, and one whose pools of 4 leave many pixels without any gradient. There sign(0) is 0, and a pixel
that moves is wrong.

Where a rectifier or a pool's maximum is about to switch, the gradient jumps, and sums in f32 may fall on either side. So
images are chosen before ours is asked, by the peers' iterates and the f64 gradient alone: the first COUNT of the
candidates on whose way no gradient above that bound changes its sign within f32's rounding of the pixels.
"""

import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import networks

warnings.filterwarnings("ignore")
import foolbox  # noqa: E402
import torchattacks  # noqa: E402
from art.attacks.evasion import BasicIterativeMethod, FastGradientMethod  # noqa: E402
from art.estimators.classification import PyTorchClassifier  # noqa: E402

SEED, CANDIDATES, COUNT, STEPS = 26, 20, 4, 10
EPSILON, ALPHA = 10 / 1024, 1 / 1024
#: How far sums in f32 may stand from exact ones, as a change of the pixels (a third of it does not cover all that was seen),
#: and at how many points as far it is looked.
BESIDE, POINTS = 3e-7, 6
#: The |gradient| over its image's root mean square above which a sign is certain in f32.
CERTAIN = 1e-3


# Each peer: (network, images, labels, targets or None, steps or None) -> images. With targets it descends to them.


def by_foolbox(network, x, y, targets, steps):
    model = foolbox.PyTorchModel(network, bounds=(0, 1), device="cpu")
    aim = foolbox.criteria.Misclassification(y) if targets is None else foolbox.criteria.TargetedMisclassification(targets)
    if steps is None and targets is None:
        attack = foolbox.attacks.LinfFastGradientAttack(random_start=False)
    else:  # its fast attack takes no targets; one full step of the iterative one is the same
        size, count = (EPSILON, 1) if steps is None else (ALPHA, steps)
        attack = foolbox.attacks.LinfBasicIterativeAttack(abs_stepsize=size, steps=count, random_start=False)
    return attack.run(model, x, aim, epsilon=EPSILON)


def by_torchattacks(network, x, y, targets, steps):
    if steps is None:
        attack = torchattacks.FGSM(network, eps=EPSILON)
    else:
        attack = torchattacks.BIM(network, eps=EPSILON, alpha=ALPHA, steps=steps)
    if targets is not None:
        attack.set_mode_targeted_by_label(quiet=True)
    return attack(x, y if targets is None else targets)


def by_art(network, x, y, targets, steps):
    classifier = PyTorchClassifier(
        model=network,
        loss=torch.nn.CrossEntropyLoss(),
        input_shape=tuple(x.shape[1:]),
        nb_classes=10,
        clip_values=(0.0, 1.0),
        device_type="cpu",
    )
    aimed = targets is not None
    if steps is None:
        attack = FastGradientMethod(classifier, eps=EPSILON, targeted=aimed)
    else:
        attack = BasicIterativeMethod(
            classifier, eps=EPSILON, eps_step=ALPHA, max_iter=steps, targeted=aimed, verbose=False
        )
    wanted = torch.nn.functional.one_hot(targets if aimed else y, 10).float().numpy()
    return torch.from_numpy(attack.generate(x.numpy(), wanted))


#: ART rounds everything to f32, so it takes part in the f32 comparison only.
PEERS = {"foolbox": by_foolbox, "torchattacks": by_torchattacks, "art": by_art}
EXACT_PEERS = ("foolbox", "torchattacks")


def signed_slopes(network, x, y):
    """dL/dx over its image's root mean square, in f64."""
    x = x.double().clone().requires_grad_()
    torch.nn.functional.cross_entropy(network(x), y, reduction="sum").backward()
    return x.grad / x.grad.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()


def slopes(network, x, y):
    return signed_slopes(network, x, y).abs()


def unsure_in_f64(network, x, y):
    slope = slopes(network, x, y)
    return (slope > 0) & (slope <= 1e-9)


def smooth(network, x, y):
    """For each image: does every gradient above CERTAIN keep its sign at points within BESIDE of all its pixels?"""
    generator = torch.Generator().manual_seed(SEED)
    here = signed_slopes(network, x, y)
    kept = torch.ones_like(here, dtype=torch.bool)
    for _ in range(POINTS):
        step = BESIDE * (2 * torch.rand(x.shape[1:], generator=generator, dtype=torch.float64) - 1)
        there = signed_slopes(network, x.double() + step, y)
        kept &= (here * there > 0) | ((here.abs() < CERTAIN) & (there.abs() < CERTAIN))
    return kept.flatten(1).all(dim=1)


class Sets:
    """The network in both types, and `count` images with their labels and, for descent, the labels that they are pulled to."""

    def __init__(self, name, count):
        self.name = name
        self.single = networks.build(name, SEED, torch.float32)
        self.double = networks.build(name, SEED, torch.float64)
        stored = networks.images(SEED, count, networks.IMAGE[name])
        self.x = torch.from_numpy(stored.astype(np.float32) / np.float32(256))
        self.y = torch.from_numpy(networks.labels(SEED, count, 10))
        self.targets = (self.y + 3) % 10
        self.modes = {"ascent": (self.y, None), "descent": (self.targets, self.targets)}

    def keep(self, chosen):
        self.x, self.y, self.targets = self.x[chosen], self.y[chosen], self.targets[chosen]
        self.modes = {"ascent": (self.y, None), "descent": (self.targets, self.targets)}


def choose(sets, trails):
    """The indices of the first COUNT images that are smooth at every peer's every iterate."""
    fine = torch.ones(len(sets.x), dtype=torch.bool)
    for mode, (labels, _) in sets.modes.items():
        looked_at = set()  # most iterates are the same whoever made them
        for name in PEERS:
            for x in trails[name, mode][:-1]:
                new = torch.tensor([(i, image.numpy().tobytes()) not in looked_at for i, image in enumerate(x)])
                looked_at |= {(i, image.numpy().tobytes()) for i, image in enumerate(x)}
                rows = (new & fine).nonzero().flatten()
                if len(rows):
                    fine[rows] = smooth(sets.double, x[rows], labels[rows])
    chosen = fine.nonzero().flatten()[:COUNT]
    print(f"{int(fine.sum())} of {len(fine)} images have smooth gradients all along; taken: {chosen.tolist()}")
    assert len(chosen) == COUNT, "more candidates are needed"
    return chosen


def run_ours(program, sets, iterates, wanted):
    """What attack_dump answers. `iterates` are stepped on from, each toward or away from the label beside it."""
    with tempfile.TemporaryDirectory() as folder:
        question, answer = pathlib.Path(folder) / "question", pathlib.Path(folder) / "answer"
        tensors = {
            **sets.single.state_dict(),
            "images": sets.x,
            "labels": sets.y,
            "targets": sets.targets,
            "iterates": iterates,
            "iterate_labels": wanted,
            "epsilon": torch.tensor([EPSILON], dtype=torch.float32),
            "alpha": torch.tensor([ALPHA], dtype=torch.float32),
            "steps": torch.tensor([STEPS]),
        }
        save_file({k: v.contiguous() for k, v in tensors.items()}, question)
        subprocess.run([program, sets.name, question, answer], check=True)
        return load_file(answer)


def check_f64(name, kind, theirs, ours, unsure):
    differ = theirs != ours
    where = f"f64 {kind}, {name}"
    print(f"{where}: {int(differ.sum())} of {differ.numel()} pixels differ, {int(unsure.sum())} may")
    assert not (differ & ~unsure).any(), where


def check_f32(name, kind, theirs, ours, network, x, y):
    differ = theirs != ours
    share = differ.double().mean().item()
    slope = slopes(network, x, y)
    worst = slope[differ].max().item() if differ.any() else 0.0
    print(f"f32 {kind}, {name}: {100 * share:.4f} % of the pixels differ, the largest gradient there {worst:.1e}")
    assert worst < CERTAIN and share <= 1e-3, (kind, name)


def check_whole(kind, theirs, ours):
    share = (theirs != ours).double().mean().item()
    print(f"f32 {kind}, foolbox: {100 * share:.4f} % of the pixels differ")
    assert share <= 1e-3, kind


def compare(program, network):
    print(f"{network}:")
    sets = Sets(network, CANDIDATES)

    # The peers' own iterates in f32, first to last; their first step is the one-step attack's with a smaller step.
    trails = {}
    for name, peer in PEERS.items():
        for mode, (_, targets) in sets.modes.items():
            later = [peer(sets.single, sets.x, sets.y, targets, steps) for steps in range(1, STEPS + 1)]
            trails[name, mode] = [sets.x, *later]
    chosen = choose(sets, trails)
    sets.keep(chosen)
    trails = {key: [x[chosen] for x in trail] for key, trail in trails.items()}
    modes = sets.modes
    keys = list(trails)
    iterates = torch.cat([x for key in keys for x in trails[key][:-1]])
    wanted = torch.cat([modes[mode][0].repeat(STEPS) for _, mode in keys])
    signs = torch.cat([torch.full((STEPS * COUNT,), 1 if mode == "ascent" else -1) for _, mode in keys])
    ours = run_ours(program, sets, iterates, wanted)

    for mode, (labels, targets) in modes.items():
        x = sets.x.double()
        for name in EXACT_PEERS:
            one = PEERS[name](sets.double, x, sets.y, targets, None)
            assert one.dtype == torch.float64
            check_f64(name, f"one step, {mode}", one, ours[f"fgsm.{mode}.f64"], unsure_in_f64(sets.double, x, labels))
            unsure, at = torch.zeros_like(x, dtype=torch.bool), x
            for steps in range(1, STEPS + 1):
                unsure |= unsure_in_f64(sets.double, at, labels)
                at = PEERS[name](sets.double, x, sets.y, targets, steps)
            moved = (at - x).abs()
            assert moved.max() == EPSILON and (moved < EPSILON).any(), "the iterates fill the ball and not only its corners"
            check_f64(name, f"{STEPS} steps, {mode}", at, ours[f"iterative.{mode}.f64"], unsure)

        for name, peer in PEERS.items():
            one = peer(sets.single, sets.x, sets.y, targets, None)
            check_f32(name, f"one step, {mode}", one, ours[f"fgsm.{mode}.f32"], sets.double, sets.x, labels)
        check_whole(f"{STEPS} steps, {mode}", trails["foolbox", mode][-1], ours[f"iterative.{mode}.f32"])

    # One step of ours from each iterate, into the ball around the image and into [0, 1]: exact here.
    moved = torch.where((signs == 1).reshape(-1, 1, 1, 1), ours["away.f32"], ours["toward.f32"])
    for i, (name, mode) in enumerate(keys):
        labels = modes[mode][0]
        theirs = torch.cat(trails[name, mode][1:])
        rows = slice(i * STEPS * COUNT, (i + 1) * STEPS * COUNT)
        origin = sets.x.repeat(STEPS, 1, 1, 1)
        mine = torch.minimum(torch.maximum(moved[rows], origin - EPSILON), origin + EPSILON)
        check_f32(name, f"{STEPS} single steps, {mode}", theirs, mine, sets.double, iterates[rows], labels.repeat(STEPS))


def main():
    torch.set_num_threads(1)
    for network in ("paper", "pools_of_4"):
        compare(sys.argv[1], network)
    return 0


if __name__ == "__main__":
    sys.exit(main())
