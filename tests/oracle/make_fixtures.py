# Makes the fixtures with PyTorch: make_fixtures.py writes fixtures/, make_fixtures.py --check compares with what is there.
"""Everything that fixtures.cpp compares with. Inputs are small or drawn from counters; outputs are stored.

Per network `N`, in f64 unless the name ends in .f32:
  images (bytes), labels, logits, losses (per image), input_gradient (of each image's own loss),
  parameter_gradient (of the batch's mean loss, canonical order, 0 at statistics), and for the paper's network a part of it:
  parameter_gradient.indices / .entries, and .norms, .sums per tensor.
Pixels are x / 255 rounded to f32, also where PyTorch computes in f64.
"""

import argparse
import decimal
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.numpy import save_file

import networks
import philox

HERE = pathlib.Path(__file__).resolve().parent
F32, F64 = np.float32, np.float64


# Networks ------------------------------------------------------------------------------------------------------------


class Case:
    """One network with its weights, images and labels, computing in one type."""

    def __init__(self, name, seed, count, dtype, stored=None, weights_seed=None):
        self.network = networks.build(name, seed if weights_seed is None else weights_seed, dtype)
        self.stored = networks.images(seed, count, networks.IMAGE[name]) if stored is None else stored
        self.x = networks.pixels(self.stored).to(dtype)
        classes = networks.LAYERS[name][-1][1]
        self.labels = networks.labels(seed, count, classes)
        self.y = torch.from_numpy(self.labels)

    def losses(self, x):
        return F.cross_entropy(self.network(x), self.y, reduction="none")

    def input_gradient(self, x):
        x = x.detach().clone().requires_grad_()
        self.losses(x).sum().backward()
        return x.grad

    def parameter_gradient(self):
        parameters = list(self.network.parameters())
        return torch.autograd.grad(self.losses(self.x).mean(), parameters)

    def state_gradient(self):
        """As the library has it: 0 at statistics."""
        of = dict(zip(self.network.parameters(), self.parameter_gradient(), strict=True))
        return [of.get(t, torch.zeros_like(t)) for tensors in networks.state(self.network) for t in tensors]

    def state(self):
        return [t for tensors in networks.state(self.network) for t in tensors]

    def smallest_gap(self):
        """How far the nearest kink is: the least |input of a ReLU| and the least lead of a maximum that counts, each
        over the layer's root mean square. Rounding errors above it would turn gradients on or off."""
        gaps = []

        def note(module, inputs):
            x = inputs[0].detach()
            scale = x.square().mean().sqrt().item()
            if isinstance(module, torch.nn.ReLU):
                gaps.append(x.abs().min().item() / scale)
            else:
                k = module.kernel_size
                tiles = x.unfold(2, k, k).unfold(3, k, k).reshape(-1, k * k).sort(dim=1).values
                lead = tiles[:, -1] - tiles[:, -2]
                gaps.append(lead[(tiles[:, -1] != 0) | (lead != 0)].min().item() / scale)

        kinds = (torch.nn.ReLU, torch.nn.MaxPool2d)
        hooks = [m.register_forward_pre_hook(note) for m in self.network.modules() if isinstance(m, kinds)]
        self.network(self.x)
        for hook in hooks:
            hook.remove()
        return min(gaps, default=1.0)


def rms(g):
    """Per image, shaped to broadcast."""
    return g.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()


def attack(case, step, radius, steps, ascent=True, clip=True):
    """x <- clip(project(x + step sign(g))). Gives the images, and which pixels had |g| below 1e-6 of the image's root
    mean square at some step: their sign is a matter of rounding."""
    x, sign = case.x, 1 if ascent else -1
    unsure = torch.zeros_like(x, dtype=torch.bool)
    for _ in range(steps):
        g = case.input_gradient(x)
        unsure |= g.abs() < 1e-6 * rms(g)
        x = x + sign * step * g.sign()
        if radius is not None:
            x = torch.minimum(torch.maximum(x, case.x - radius), case.x + radius)
        if clip:
            x = x.clamp(0, 1)
    return x, unsure


def network_tensors(case):
    logits = case.network(case.x)
    losses = case.losses(case.x)
    return {
        "images": case.stored,
        "labels": case.labels,
        "logits": logits.detach().numpy(),
        "losses": losses.detach().numpy(),
        "input_gradient": case.input_gradient(case.x).numpy(),
    }


def relative(a, b):
    return float(np.linalg.norm((a.astype(F64) - b).reshape(-1)) / np.linalg.norm(b.reshape(-1)))


#: Found by trying seeds in turn: the first whose nearest kink lies this far away, so that f32 is on the same side.
PAPER_SEED, PAPER_IMAGES, PAPER_GAP = 26, 4, 6.5e-6


def paper_fixture():
    case = Case("paper", PAPER_SEED, PAPER_IMAGES, torch.float64)
    single = Case("paper", PAPER_SEED, PAPER_IMAGES, torch.float32)
    gap = case.smallest_gap()
    assert gap >= PAPER_GAP, gap
    out = network_tensors(case)

    gradients = case.parameter_gradient()
    whole = networks.flat(gradients)
    starts = np.cumsum([0] + [g.numel() for g in gradients])
    kept = [np.arange(0, whole.size, 997), np.arange(gradients[0].numel())]
    kept += [np.arange(starts[i], starts[i + 1]) for i, g in enumerate(gradients) if g.dim() == 1]
    indices = np.unique(np.concatenate(kept))
    out["parameter_gradient.indices"] = indices.astype(np.int32)
    out["parameter_gradient.entries"] = whole[indices]
    out["parameter_gradient.norms"] = np.array([g.norm().item() for g in gradients])
    out["parameter_gradient.sums"] = np.array([g.sum().item() for g in gradients])

    epsilon, steps = F32(0.01), 10
    alpha = epsilon / F32(steps)
    out["fgsm"], doubtful = attack(case, float(epsilon), None, 1)
    out["iterative"], unsure = attack(case, float(alpha), float(epsilon), steps)
    out["unsure"] = np.flatnonzero((doubtful | unsure).numpy()).astype(np.int32)
    for name in ("fgsm", "iterative"):
        out[name] = out[name].numpy().astype(F32)

    out["logits.f32"] = single.network(single.x).detach().numpy()
    errors = {
        "logits": relative(out["logits.f32"], out["logits"]),
        "input gradient": relative(single.input_gradient(single.x).numpy(), out["input_gradient"]),
        "parameter gradient": relative(networks.flat(single.parameter_gradient()), whole),
    }
    notes = f"nearest kink {gap:.1e}; PyTorch in f32 against f64: " + ", ".join(
        f"{name} {error:.1e}" for name, error in errors.items()
    )
    out["seed"] = np.array([PAPER_SEED])

    start = networks.initial_weights("paper", PAPER_SEED)
    assert start.size == 1_525_738
    picked = np.arange(0, start.size, 3001)
    out["initial_weights.indices"] = picked.astype(np.int32)
    out["initial_weights.entries"] = start[picked]
    out["initial_weights.sum"] = np.array([start.astype(F64).sum(), np.abs(start.astype(F64)).sum()])
    return out, notes


#: Per small network the seed whose nearest kink lies at least 1e-4 away (found in turn from 1).
SMALL_GAP = 1e-4


def small_seed(name):
    return next(s for s in range(1, 1000) if Case(name, s, 3, torch.float64).smallest_gap() >= SMALL_GAP)


def small_fixture(name):
    seed = small_seed(name)
    case = Case(name, seed, 3, torch.float64)
    out = network_tensors(case)
    out["parameter_gradient"] = networks.flat(case.state_gradient())
    out["parameters"] = networks.flat(case.state()).astype(F32)
    out["seed"] = np.array([seed])
    return {f"{name}/{key}": value for key, value in out.items()}


def small_fixtures():
    tensors = {}
    for name in networks.SMALL:
        tensors |= small_fixture(name)
    return tensors, ""


def attack_fixture():
    """Every kind of step on the normalised network, in pixels: epsilon is not divided by the deviation."""
    name = "normalized"
    case = Case(name, small_seed(name), 3, torch.float64)
    epsilon = F32(0.05)
    many = epsilon / F32(10)
    kinds = {
        "fgsm.ascent": attack(case, float(epsilon), None, 1),
        "fgsm.unclipped": attack(case, float(epsilon), None, 1, clip=False),
        "fgsm.descent": attack(case, float(epsilon), None, 1, ascent=False),
        "iterative": attack(case, float(many), float(epsilon), 10),
        "iterative.descent": attack(case, float(many), float(epsilon), 10, ascent=False),
        "iterative.large_steps": attack(case, float(F32(0.03)), float(epsilon), 5),
        "iterative.unprojected": attack(case, float(epsilon), None, 3),
    }
    case.y = case.network(case.x).argmax(dim=1)
    kinds["fgsm.predicted"] = attack(case, float(epsilon), None, 1)
    assert (case.y.numpy() != case.labels).any()
    out = {f"{kind}.images": images.numpy() for kind, (images, _) in kinds.items()}
    for kind, (_, unsure) in kinds.items():
        assert not unsure.any(), kind
    out["seed"] = np.array([small_seed(name)])
    return {"images": case.stored, "labels": case.labels, **out}, f"network {name}, epsilon {epsilon}"


# The loss ------------------------------------------------------------------------------------------------------------


def loss_fixture():
    """Cross-entropy and its gradient with 60 digits: margins up to 80, where p_y - 1 has no digits left in f64."""
    decimal.getcontext().prec = 60
    logits = philox.symmetric(philox.words(5, "noise", 12 * 10, 3), 4).reshape(12, 10)
    answers = labels = networks.labels(6, 12, 10)
    for row, margin in enumerate([0, 0, 0, 0, 5, 17, 20, 30, 60, 80, -30, -80]):
        logits[row, labels[row]] += F32(margin)
    losses, gradients = np.zeros(12), np.zeros((12, 10))
    for row in range(12):
        powers = [decimal.Decimal(float(z)).exp() for z in logits[row]]
        total = sum(powers)
        losses[row] = float((total / powers[labels[row]]).ln())
        for k in range(10):
            others = total - powers[k] if k == labels[row] else powers[k]
            gradients[row, k] = float((-others if k == labels[row] else others) / total)
    # PyTorch agrees where f64 can tell.
    z = torch.from_numpy(logits.astype(F64)).requires_grad_()
    value = F.cross_entropy(z, torch.from_numpy(answers), reduction="none")
    value.sum().backward()
    assert np.allclose(value.detach().numpy(), losses, rtol=1e-12, atol=1e-14)
    assert np.allclose(z.grad.numpy(), gradients, rtol=1e-12, atol=1e-15)
    return {"logits": logits, "labels": labels, "losses": losses, "gradients": gradients}, ""


# Optimisers ----------------------------------------------------------------------------------------------------------

STEPS, ROUNDS = 50, (1, 10, 50)


def optimiser_inputs():
    """Gradients over eight orders of magnitude, some of them zero, whose signs come and go."""
    count = 40
    start = philox.symmetric(philox.words(11, "noise", count, 4), 1)
    drawn = philox.symmetric(philox.words(11, "noise", STEPS * count, 5), 1).reshape(STEPS, count)
    drift = philox.symmetric(philox.words(11, "noise", count, 6), 1)
    # Literals, correctly rounded: powers in f32 differ in the last bit from processor to processor.
    scale = np.array([float(f"1e{k % 9 - 6}") for k in range(count)], dtype=F32)
    gradients = ((drawn + drift) * scale).astype(F32)
    gradients[:, 7] = 0
    gradients[0, 8:12] = 0
    gradients[5:20, 13] = 0
    return start, gradients


def keras_rmsprop(w, gradients, number, lr, decay, rho, epsilon):
    """Keras 2.0's formula as numerics.md writes it, every operation in `number`; lr_t is computed in f64."""
    w, a, seen = w.astype(number), np.zeros_like(w, dtype=number), []
    rho, epsilon = number(F32(rho)), number(F32(epsilon))
    for t, g in enumerate(gradients.astype(number)):
        a = rho * a + (number(1) - rho) * (g * g)
        rate = number(float(F32(lr)) / (1.0 + float(F32(decay)) * t))
        w = w - rate * g / (np.sqrt(a) + epsilon)
        assert w.dtype == number
        seen.append(w)
    return seen


def tensorflow_rmsprop(w, gradients, number, lr, rho, epsilon):
    """TensorFlow 1: the average starts at 1, epsilon is inside the root."""
    w, a, seen = w.astype(number), np.ones_like(w, dtype=number), []
    lr, rho, epsilon = (number(F32(v)) for v in (lr, rho, epsilon))
    for g in gradients.astype(number):
        a = rho * a + (number(1) - rho) * (g * g)
        w = w - lr * g / np.sqrt(a + epsilon)
        seen.append(w)
    return seen


def by_torch(w, gradients, number, make):
    parameter = torch.nn.Parameter(torch.from_numpy(w.astype(number)))
    optimiser, seen = make([parameter]), []
    for g in gradients.astype(number):
        parameter.grad = torch.from_numpy(g.copy())
        optimiser.step()
        seen.append(parameter.detach().numpy().copy())
    return seen


def rate(x):
    """A rate as the library holds it: f32."""
    return float(F32(x))


def optimiser_fixture():
    start, gradients = optimiser_inputs()
    torch_cases = {
        "torch_rmsprop": lambda p: torch.optim.RMSprop(p, lr=rate(1e-2), alpha=rate(0.99), eps=rate(1e-8), foreach=False),
        "sgd": lambda p: torch.optim.SGD(p, lr=rate(1e-2), foreach=False),
        "sgd_momentum": lambda p: torch.optim.SGD(p, lr=rate(1e-2), momentum=rate(0.9), foreach=False),
        "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=rate(1e-2), momentum=rate(0.9), nesterov=True, foreach=False),
        "sgd_decay": lambda p: torch.optim.SGD(p, lr=rate(1e-2), weight_decay=rate(5e-2), foreach=False),
        "sgd_all": lambda p: torch.optim.SGD(
            p, lr=rate(1e-2), momentum=rate(0.9), nesterov=True, weight_decay=rate(5e-2), foreach=False
        ),
        "adam": lambda p: torch.optim.Adam(
            p, lr=rate(1e-2), betas=(rate(0.9), rate(0.999)), eps=rate(1e-8), foreach=False
        ),
    }
    out = {"start": start, "gradients": gradients}
    for kind, number in (("f32", F32), ("f64", F64)):
        runs = {
            "keras_rmsprop": keras_rmsprop(start, gradients, number, 1e-2, 1e-2, 0.9, 1e-8),
            "keras_rmsprop_paper": keras_rmsprop(start, gradients, number, 1e-4, 1e-5, 0.9, 1e-8),
            "tensorflow_rmsprop": tensorflow_rmsprop(start, gradients, number, 1e-3, 0.9, 1e-10),
            **{name: by_torch(start, gradients, number, make) for name, make in torch_cases.items()},
        }
        for name, seen in runs.items():
            out[f"{name}.{kind}"] = np.stack([seen[round - 1] for round in ROUNDS])
    return out, f"after {', '.join(map(str, ROUNDS))} steps"


# Training ------------------------------------------------------------------------------------------------------------


def epoch_order(items, seed, epoch):
    """Visits (item, copy) sorted by a 64-bit draw of each; ties by item and copy."""
    tickets, seen = [], {}
    for item in items:
        copy = seen.get(item, 0)
        seen[item] = copy + 1
        low, high = (int(w) for w in philox.words(seed, "order", 2, 0, item, epoch, copy))
        tickets.append((high << 32 | low, item, copy))
    return [(item, copy) for _, item, copy in sorted(tickets)]


class KerasRmsProp:
    """Keras 2.0's, as the library's `RmsProp`."""

    def __init__(self, parameters):
        self.averages = [torch.zeros_like(p) for p in parameters]

    def __call__(self, parameters, gradients, updates):
        lr, decay, rho, epsilon = rate(1e-3), rate(1e-2), rate(0.9), rate(1e-8)
        for p, g, a in zip(parameters, gradients, self.averages, strict=True):
            a.mul_(rho).add_((1 - rho) * g * g)
            p.sub_(lr / (1 + decay * updates) * g / (a.sqrt() + epsilon))


class TorchSgd:
    def __init__(self, parameters):
        self.sgd = torch.optim.SGD(parameters, lr=rate(0.05), momentum=rate(0.9), weight_decay=rate(5e-4), foreach=False)

    def __call__(self, parameters, gradients, updates):
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = g
        self.sgd.step()


def trained_fixture(name, seed, make_optimiser):
    """Fifty updates with dropout, flips, a short last batch and an image that is in the list twice, in f64."""
    batch, items = 5, [*range(11), 3]
    case = Case(name, seed, 11, torch.float64)
    network = case.network.train()
    parameters = list(network.parameters())
    optimiser = make_optimiser(parameters)
    losses, order, updates = [], [], 0
    for epoch in range(STEPS):
        visits = epoch_order(items, seed, epoch)
        for first in range(0, len(visits), batch):
            if updates == STEPS:
                break
            picks = visits[first : first + batch]
            x = case.x[[item for item, _ in picks]].clone()
            for n, (item, copy) in enumerate(picks):
                if philox.words(seed, "flip", 1, 0, item, epoch, copy)[0] >> np.uint32(31):
                    x[n] = x[n].flip(2)
            for module in network.modules():
                if isinstance(module, networks.CounterDropout):
                    module.visits = (seed, epoch, picks)
            loss = F.cross_entropy(network(x), case.y[[item for item, _ in picks]], reduction="sum")
            gradients = torch.autograd.grad(loss / len(picks), parameters)
            with torch.no_grad():
                optimiser(parameters, gradients, updates)
            losses.append(loss.item())
            order += [[epoch, item, copy] for item, copy in picks]
            updates += 1
    out = {
        "images": case.stored,
        "labels": case.labels,
        "loss_sums": np.array(losses),
        "visits": np.array(order, dtype=np.int32),
        "parameters": networks.flat(case.state()),
        "seed": np.array([seed]),
    }
    return out, f"batches of {batch}"


def training_fixture():
    return trained_fixture("trained", 21, KerasRmsProp)


def batch_norm_fixture():
    """By SGD: a bias before batch normalisation has no gradient but roundings, which RMSprop would divide by their
    size. The statistics move too, by PyTorch's own rule."""
    return trained_fixture("trained_by_batch", 22, TorchSgd)


# Files ---------------------------------------------------------------------------------------------------------------

FIXTURES = {
    "paper_network": paper_fixture,
    "small_networks": small_fixtures,
    "attacks": attack_fixture,
    "loss": loss_fixture,
    "optimisers": optimiser_fixture,
    "training": training_fixture,
    "batch_norm": batch_norm_fixture,
}


def finite_differences():
    """Central differences of the mean loss against the gradients that the fixtures hold, a few entries each."""
    for name in networks.LAYERS:
        if name.startswith("trained"):
            continue
        paper = name == "paper"
        case = Case(name, PAPER_SEED if paper else small_seed(name), PAPER_IMAGES if paper else 3, torch.float64)
        gradients = case.parameter_gradient()
        wanted = [(p, g, case.losses(case.x).numel()) for p, g in zip(case.network.parameters(), gradients, strict=True)]
        wanted.append((case.x, case.input_gradient(case.x), 1))
        worst = 0.0
        with torch.no_grad():
            for place, (tensor, gradient, count) in enumerate(wanted):
                entries, slopes = tensor.view(-1), gradient.reshape(-1)
                scale = slopes.square().mean().sqrt().item()
                for pick in philox.words(place, "noise", 2 if paper else 6, 7) % entries.numel():
                    old, h, sides = entries[pick].item(), 1e-7, []
                    for side in (h, -h):
                        entries[pick] = old + side
                        sides.append(case.losses(case.x).sum().item() / count)
                    entries[pick] = old
                    error = abs((sides[0] - sides[1]) / (2 * h) - slopes[pick].item()) / scale
                    worst = max(worst, error)
        print(f"  {name}: worst error {worst:.1e} of the tensor's root mean square")
        # Differences of a loss near 1 with h = 1e-7 carry 1e-9 of rounding, over gradients of 1e-4 and more.
        assert worst < 1e-3, name


def compare(name, tensors):
    """A fixture on disk against one made now: bytes for integers, and for numbers a tolerance between libraries."""
    with safe_open(HERE / "fixtures" / f"{name}.safetensors", "np") as stored:
        assert sorted(stored.keys()) == sorted(tensors), f"{name}: other tensors than the script makes"
        for key, made in tensors.items():
            there = stored.get_tensor(key)
            assert there.dtype == made.dtype and there.shape == made.shape, f"{name}: {key}"
            if made.dtype == F64 or (made.dtype == F32 and key.endswith(".f32")):
                limit = 1e-10 if made.dtype == F64 else 2e-5
                assert relative(made, there.astype(F64)) <= limit, f"{name}: {key} differs"
            elif made.dtype == F32:
                assert abs(made - there).max(initial=0) <= 2.0**-23, f"{name}: {key} differs"
            else:
                assert np.array_equal(made, there), f"{name}: {key} differs"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the files that are there, write nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    philox.check()
    print("gradients against finite differences:")
    finite_differences()
    total = 0
    for name, make in FIXTURES.items():
        tensors, notes = make()
        if options.check:
            compare(name, tensors)
            print(f"{name}: as stored")
            continue
        # One note: the format's library writes several in no fixed order.
        note = f"PyTorch {torch.__version__}, numpy {np.__version__}" + (f"; {notes}" if notes else "")
        path = HERE / "fixtures" / f"{name}.safetensors"
        path.parent.mkdir(exist_ok=True)
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, path, metadata={"made": note})
        path.chmod(0o644)
        total += path.stat().st_size
        print(f"{name}: {path.stat().st_size} bytes; {note}")
    if not options.check:
        print(f"together {total} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
