"""What docs/results/README.md and the README state of the studies under docs/results."""

import math
import re

from . import quick
from .document import points, thousands, word
from .run import KINDS, Run, mean, over, paper
from .study_tables import another_machine, claim_words, claims, table_1

BATCH = 32
CIFAR = "## The paper's study on CIFAR-10, 12 rounds"


def trained(run):
    rows = run.rows("trainings")
    return {
        "networks": len(rows),
        "last round best": sum(row["best round"] == row["rounds"] for row in rows),
        "images": sum(int(row["updates"]) for row in rows) * BATCH,
    }


def seconds(text):
    """Of "3 min 24 s"."""
    return sum(int(n) * {"min": 60, "s": 1}[unit] for n, unit in re.findall(r"(\d+) (min|s)\b", text))


def in_words(s):
    return f"{s // 60} min {s % 60} s"


def cost(document, as_written):
    """The times stand in no file: their sum and the rate follow from them."""
    trainings, cells, after = "3 min 24 s", "4 min", "40 s"
    n, images = trained(as_written)["networks"], trained(as_written)["images"]
    rate = thousands(round(images / seconds(trainings), -2))
    both = in_words(sum(map(seconds, (trainings, cells, after))))
    document("docs/results/README.md").states(
        f"the {n} networks took {trainings}, which is {rate} training images a second. Their cells took {cells}.",
        f"ended {after} after the first: {both} for both",
    )
    document("README.md").states(
        f"{n} networks of two seeds of the study took {trainings}, {rate} images a second, and their 2,260 "
        f"cells {cells}"
    )
    document("docs/cuda.md").states(f"in {trainings}, {rate} images a second, and their 2,260 cells in {cells}")
    document("docs/performance.md").states(f"{n} networks in {trainings}, {rate} images a second")


def what_differs(as_written, as_run, printed):
    w, r = trained(as_written), trained(as_run)
    right = {kind: as_written.clean(kind) for kind in KINDS}
    papers = {kind: points(mean(printed[f"clean/{kind}"])) for kind in KINDS}

    def falls_short(kind):
        theirs = printed[f"clean/{kind}"]
        c = max(theirs, key=lambda c: theirs[c] - right[kind][c])
        return f"{c} falls short most ({points(right[kind][c])} against {theirs[c]:.0f})"

    cats = sorted(as_written.swept("under", 3, seed)[0.0] for seed in (0, 1))
    return [
        f"the last round was the best in {w['last round best']} of the {w['networks']} networks *as written* and in "
        f"{r['last round best']} of the {r['networks']} *as run*",
        f"right on {points(mean(right['balanced']))} % of the test images where the paper's was right on "
        f"{papers['balanced']}; {falls_short('balanced')}",
        f"right on {points(mean(right['under']))} % where the paper's were on {papers['under']}; "
        f"{falls_short('under')}",
        f"do not fall short: {points(mean(right['over']))} against {papers['over']}",
        f"Under-sampled cat is right on {cats[0]} and on {cats[1]} of 1,000 images",
    ]


def papers_cells(run):
    cells = run.rows("paper_cells")
    outside = [row for row in cells if row["outside"]]
    no_width = [(row["cell"], row["class"]) for row in outside if row["low"] == row["high"]]
    one = "One of the" if no_width == [("same/under", "cat")] else f"{no_width} of the"
    return [
        f"Of the paper's {len(cells)} numbers, {len(cells) - len(outside)} lie in the prediction interval of "
        f"our two seeds "
        f"and {len(outside)} outside; chance would give {len(cells) * 0.05:.1f}",
        f"{one} {len(outside)} says nothing: both seeds give 0 for under-sampled cat under its own gradient",
        f"least p after Holm's correction is {min(float(r['Holm p']) for r in run.rows('claims') if r['Holm p']):.3f}",
    ]


def of_all(run, claim):
    """ "ten of ten": the classes for a claim, of those that it has."""
    row = run.row("claims", claim=claim)
    return f"{word(int(row['for']))} of {word(len(run.by_class(claim)))}"


def vulnerability(run):
    stay = run.by_class("C1")
    took = {kind: {c: run.clean(kind)[c] - run.attacked(f"same/{kind}")[c] for c in stay} for kind in KINDS}
    eight = word(int(run.row("claims", claim="C1")["for"]))
    log_odds = [points(run.beside("C1", "drop in log-odds", column), 2) for column in ("mean", "low", "high")]
    left = {claim: points(run.beside(claim, "logits adjusted")) for claim in ("C1", "C2")}
    return [
        f"at least {points(run.beside('C0', 'random sign less attack'))} points more from a class than random "
        f"signs take",
        f"in each of the {eight} classes with enough images. By the absolute drop it is the other way round, "
        f"{points(mean(took['under']) - mean(took['balanced']))} points over the same {word(len(stay))} classes",
        f"says {log_odds[0]} with an interval from {log_odds[1]} to {log_odds[2]}. "
        f"With logits adjusted {left['C1']} points of matched flips are left",
        f"by matched flips in {of_all(run, 'C2')} classes, and the median epsilon that flips is "
        f"{math.exp(run.claim('C2b')):.1f} times as large",
        f"The drop in log-odds says {points(run.beside('C2', 'drop in log-odds'), 2)}. "
        f"With logits adjusted {left['C2']} points of matched flips are left",
        f"is weaker in {of_all(run, 'C3 under')} classes",
        f"is weaker in {of_all(run, 'C3 over')} classes",
        f"{points(run.claim('C3c under'))} and {points(run.claim('C3c over'))} points more than its permuted signs",
        f"The area under the curve is {0.5 + run.claim('C7') / 100:.3f}",
        f"adds flips in {of_all(run, 'C8')} classes, but by {points(run.seeds('C8')[0])} points in one seed and "
        f"{points(run.seeds('C8')[1])} in the other",
    ]


def confusion(run):
    pairs = ("automobile", "truck", "cat", "dog")
    ours = [points(run.by_class("C4a")[c]) for c in pairs]
    pooled = [points(float(run.row("confusion_flow", network="balanced", **{"class": c})["flow"])) for c in pairs]
    return [
        f"({ours[0]} and {ours[1]} points), fewer of those on cats to dog and of those on dogs to cat "
        f"({ours[2]} and {ours[3]})",
        f"the claim's {points(run.claim('C4a'))} is their average",
        f"pools the seeds' errors instead ({pooled[0]}, {pooled[1]}, {pooled[2]} and {pooled[3]})",
        f"gain {points(run.claim('C5b under'))} points where one is cut. They lose "
        f"{points(run.claim('C5b over'))} where",
    ]


def controls(run):
    shams = [
        float(re.search(r"mean (-?[\d.]+) %", row["numbers"])[1])
        for row in run.rows("self_checks")
        if row["self-check"].startswith("a sham skew shows nothing")
    ]
    lost = {
        sign: [float(row["no attack"]) - float(row[sign]) for row in run.rows("controls") if row[sign]]
        for sign in ("random sign", "permuted sign")
    }
    between = {sign: f"{points(min(values))} to {points(max(values))}" for sign, values in lost.items()}
    return [
        f"moved C1 by {points(shams[0])}, C2 by {points(shams[1])} and C8 by {points(shams[2])} points. Random "
        f"signs of the "
        f"same size cost {between['random sign']} points, permuted signs of other images {between['permuted sign']}",
    ]


def two_machines(there, here):
    both = ("automobile", "truck")
    above = {
        row["class"]: float(row["under less balanced"])
        for row in there.rows("matched_flips")
        if row["under less balanced"]
    }
    ours = [
        mean([float(here.row("matched_flips", seed=seed, **{"class": c})["under less balanced"]) for c in both])
        for seed in ("1", "2")
    ]
    return [
        f"(C1 over automobile and truck) are {points(over(above, both))} points above the balanced network's there, "
        f"{points(ours[0])} here with the same seed and {points(ours[1])} with the other",
    ]


def updates(run, sampler):
    """That of all networks of a kind, which is one number."""
    (found,) = {int(row["updates"]) for row in run.rows("trainings") if row["network"].startswith(sampler)}
    return thousands(found)


def as_run_prose(run, as_written):
    both = [c for c in run.by_class("C1") if c in as_written.by_class("C1")]
    ours, theirs = (
        [points(over(r.by_class(claim), both)) for claim in ("C1", "C6", "C8")] for r in (as_written, run)
    )
    left = [points(run.beside(claim, "logits adjusted")) for claim in ("C1", "C2")]
    return [
        f"over-sampled networks of 11,200 images make {updates(run, 'Over')} updates where the balanced one makes "
        f"{updates(run, 'Balanced, ')}",
        f"C7's area is {0.5 + run.claim('C7') / 100:.3f}. With logits adjusted {left[0]} points of C1 and "
        f"{left[1]} of C2 are "
        f"left",
        f"Over the {word(len(both))} classes that have enough images in both, *as written* gives {ours[0]} "
        f"(C1), {ours[1]} (C6) "
        f"and {ours[2]} (C8), *as run* {theirs[0]}, {theirs[1]} and {theirs[2]}",
        f"make {updates(run, 'Over')} and {updates(run, 'Balanced 1000')} updates, the under-sampled ones "
        f"{updates(run, 'Under')}",
    ]


def check(document, root):
    folder = root / "docs/results"
    quick.check(document, folder / "quick")
    as_written, as_run = Run(folder / "as-written-12-rounds"), Run(folder / "as-run-12-rounds")
    tiles = Run(folder / "as-written-12-rounds-tiles")
    printed, words = paper(root), claim_words(root)

    page = document("docs/results/README.md")
    page.block("table 1, as written", table_1(as_written, printed))
    page.block("claims, as written", claims(as_written, words))
    page.block("another machine", another_machine(tiles, as_written))
    page.block("table 1, as run", table_1(as_run, printed))
    page.block("claims, as run", claims(as_run, words))
    cost(document, as_written)
    page.states(
        *what_differs(as_written, as_run, printed),
        *papers_cells(as_written),
        *vulnerability(as_written),
        *confusion(as_written),
        *controls(as_written),
        *two_machines(tiles, as_written),
        *as_run_prose(as_run, as_written),
    )
    page.given(
        "two seeds, 46 networks and 2,260 cells",
        "one seed, 24 networks and 1,130 cells",
        "H100 80 GB",
        "Table 1",
        "Figure 3",
        "4,500 and 900 a class",
        "ended at 12 rounds",
        "epsilon 0.01",
        "fewer than 50 images",
        "above and below 0",
        "40 minutes of two cores",
        "with seed 1 were",
        "the last 20 % of",
        "CIFAR-10",
    )
    page.checked_whole(CIFAR)
    for kind in KINDS:
        swept = [sum(as_written.swept(kind, c, seed)[0.0] for seed in (0, 1)) / 20 for c in range(10)]
        clean = [round(right, 6) for right in as_written.clean(kind).values()]
        page.holds(f"sweep.csv begins with the clean accuracy of {kind} networks", swept == clean)

    readme = document("README.md")
    readme.block("table 1, as written", table_1(as_written, printed))
    under = [points(mean(as_written.clean("under"))), f"{mean(printed['clean/under']):.4g}"]
    attacked = [points(mean(as_written.attacked("same/under"))), f"{mean(printed['same/under']):.4g}"]
    readme.states(
        f"under-sampled networks classify {under[0]} % correctly without attack and {attacked[0]} % under their own "
        f"gradient; the paper has {under[1]} and {attacked[1]}"
    )
    for claim, what in (("C1", "under-sampled is turned more often"), ("C2", "over-sampled less often")):
        row = as_written.row("claims", claim=claim)
        readme.holds(
            f"in every class what is {what}",
            row["against"] == "0" and int(row["for"]) == len(as_written.by_class(claim)),
        )
        readme.holds(
            f"adjusted logits take most of {claim} away",
            as_written.beside(claim, "logits adjusted") < as_written.claim(claim) / 2,
        )
