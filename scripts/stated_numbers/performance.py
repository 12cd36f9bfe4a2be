"""What the README and docs/performance.md state of the tables of docs/performance.md."""

import re
import statistics

from .document import points, table

T_OF_THREE = 4.302652729911275  # Student's t, 95 %, two degrees of freedom
WORKS = {
    "training, batch 128": "training, batch 128",
    "training, batch 32": "training, batch 32",
    "forward, 1,000 images": "forward",
    "FGSM, 1,000 images": "fast method (FGSM)",
}


def number(text):
    return float(text.replace(",", ""))


class Speeds:
    """A table of benchmarks/compare: {"paper network, FGSM, 1,000 images, f32, 2 threads": its row beside PyTorch}."""

    def __init__(self, text):
        self.rows = {}
        for line in re.findall(r"^\| (?:paper|wide) network, .*\|$", text, re.M):
            work, ours, theirs, peer, _, ratio, bar, _ = (cell.strip() for cell in line.strip("|").split("|"))
            if peer == "PyTorch":
                self.rows[work] = {"ours": ours, "theirs": theirs, "ratio": ratio, "bar": bar}

    def __call__(self, work, precision, threads=2, network="paper"):
        return self.rows[f"{network} network, {work}, {precision}, {threads} thread{'s' if threads > 1 else ''}"]

    def bars(self, precision):
        """Which works have a bar, and whether they meet it."""
        rows = {work: row for work, row in self.rows.items() if f", {precision}," in work and row["bar"] != "–"}
        return {work: number(row["ratio"]) >= number(row["bar"]) for work, row in rows.items()}

    def of_two_threads(self, precision):
        """How much faster than one: training, forward, FGSM."""
        works = [work for work in WORKS if work != "training, batch 32"]
        return [points(number(self(w, precision)["ours"]) / number(self(w, precision, 1)["ours"]), 2) for w in works]


def readme_table(speeds):
    rows = []
    for work, title in WORKS.items():
        f32, bf16 = speeds(work, "f32"), speeds(work, "bf16")
        rows.append([title, f32["ours"], f32["ratio"], bf16["ours"], bf16["ratio"]])
    return table(["", "`Cpu<f32>`", "ratio", "`Cpu<bf16>`", "ratio"], rows)


def convolutions(text):
    """% of the peak: {("forward", "f32"): {32: 167, ...}, ...}."""
    found = {}
    for channels, work, precision, peak in re.findall(
        r"^\| (\d+) to \d+ at \w+, ([\w ]+), (\w+) \| [\d,]+ \| (\d+) \|", text, re.M
    ):
        found.setdefault((work, precision), {})[int(channels)] = int(peak)
    return found


def between(values, channels):
    found = [values[c] for c in channels]
    return f"{min(found)} to {max(found)}"


def on_gpu(text):
    """Rows of the table on a GPU: work, then ours, PyTorch's and their ratio in f32 and in bf16."""
    speeds = r"([\d,]+) \| ([\d,]+) \| ([\d.]+)"
    return {row[0]: row[1:] for row in re.findall(rf"^\| ([^|]+) \| {speeds} \| {speeds} \|$", text, re.M)}


def check(document, root):
    page, readme = document("docs/performance.md"), document("README.md")
    first, second = page.text.split("<!-- benchmarks/compare ends -->")
    tiles, plain = Speeds(first), Speeds(second)

    readme.block("speeds", readme_table(tiles))
    train, small, forward, fgsm = (plain(work, "f32") for work in WORKS)
    readme.states(
        f"trains at {train['ours']} and {small['ours']} images a second ({train['ratio']} and {small['ratio']} times "
        f"PyTorch), runs forward at {forward['ours']} ({forward['ratio']}) and attacks at {fgsm['ours']} "
        f"({fgsm['ratio']})",
    )

    fgsm_alone = {"paper network, FGSM, 1,000 images, f32, 2 threads": False}
    for speeds in (tiles, plain):
        missed = {work: met for work, met in speeds.bars("f32").items() if not met}
        page.holds("f32 meets every bar but FGSM's", missed == fgsm_alone)
    page.holds("bf16 meets no bar in the first table", not any(tiles.bars("bf16").values()))

    def of(row):
        return f"{row['ratio']} of {row['bar']}"

    works = list(WORKS)
    page.states(
        f"In f32 all are met but FGSM ({of(tiles(works[3], 'f32'))}",
        f"training {of(tiles(works[0], 'bf16'))} ({tiles(works[0], 'bf16', 1)['ratio']} on one thread), at batch 32 "
        f"{of(tiles(works[1], 'bf16'))}, the wide network {of(tiles(works[0], 'bf16', network='wide'))}, FGSM "
        f"{of(tiles(works[3], 'bf16'))}. The forward pass, {of(tiles(works[2], 'bf16'))}",
        f"meets every bar but FGSM's ({of(plain(works[3], 'f32'))})",
        "f32 training {}, forward {}, FGSM {}; bf16 training {}, forward {}, FGSM {}".format(
            *tiles.of_two_threads("f32"), *tiles.of_two_threads("bf16")
        ),
        "By the second's: f32 {}, {}, {}; bf16 {}, {}, {}".format(
            *plain.of_two_threads("f32"), *plain.of_two_threads("bf16")
        ),
        f"is {1e6 / (3 * number(plain(works[3], 'f32')['theirs'])):.0f} µs an image on two threads; FGSM takes "
        f"{1e6 / number(fgsm['ours']):.0f}",
    )

    peak = convolutions(first)
    bf16 = [peak[work, "bf16"] for work in ("forward", "backward data", "backward weights")]
    f32 = [between(peak[work, "f32"], (32, 64, 128)) for work in ("forward", "backward data", "backward weights")]
    page.states(
        f"{bf16[0][64]} and {bf16[0][128]} % forward, {bf16[1][64]} and {bf16[1][128]} % for input gradients",
        f"Weight gradients reach {bf16[2][64]} and {bf16[2][128]} %",
        f"forward passes of 32 to 128 channels reach {f32[0]} %, input gradients {f32[1]} %, "
        f"weight gradients {f32[2]} %",
        "(256 channels, which the paper's network does not have: {}, {} and {} %.)".format(
            *(peak[work, "f32"][256] for work in ("forward", "backward data", "backward weights"))
        ),
        f"in a network (the table's single convolutions, both threads) at {between(bf16[0], bf16[0])} % forward",
    )

    gpu = on_gpu(second)
    for work, (ours, theirs, ratio, ours16, theirs16, ratio16) in gpu.items():
        now = [points(number(a) / number(b), 2) for a, b in ((ours, theirs), (ours16, theirs16))]
        page.holds(f"the ratios of '{work}' on a GPU are those of its speeds", now == [ratio, ratio16])
    f32_ours, f32_theirs, _, bf16_ours, bf16_theirs, _ = gpu["training, batch 128"]
    readme.states(
        f"`Cuda<bf16>` trains the same network at {bf16_ours} images a second and `Cuda<f32>` at {f32_ours} "
        f"(batch 128; PyTorch with CUDA graphs {bf16_theirs} and {f32_theirs})"
    )

    pairs = re.findall(r"^\| \d \| ([\d.]+) \| ([\d.]+) \| (-?[\d.]+) \| [\d.]+ \| [\d.]+ \|$", second, re.M)
    less = [round(float(b) - float(a), 2) for a, b, _ in pairs]
    stated = [float(difference) for _, _, difference in pairs]
    page.holds("bf16 less f32 is the difference of three pairs of accuracies", len(pairs) == 3 and less == stated)
    mean, half = statistics.mean(less), T_OF_THREE * statistics.stdev(less) / len(less) ** 0.5
    page.states(
        f"The mean difference is {mean:.2f} points (target: less than 1), Student's 95 % interval over three pairs "
        f"{mean - half:.2f} to {mean + half:.2f}"
    )
