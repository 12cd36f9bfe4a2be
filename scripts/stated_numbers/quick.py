"""What docs/results/README.md states of the quick study, whose files are in docs/results/quick."""

from .document import points, table, thousands, word
from .run import KINDS, Run, mean, over

HEADING = "## The quick study, embedded data"
COLUMNS = {
    "no attack": "clean",
    "fast": "fast, own gradient",
    "iterative, 20 steps": "iterative (20 steps), own",
    "fast, another's gradient": "fast, another balanced network's gradient",
    "permuted sign": "permuted sign",
    "random sign": "random sign",
}


def series(run, figure, kind):
    """A figure's marks of one kind of network by class, without their average."""
    rows = [row for row in run.rows(figure) if row["series_title"] == kind and row["x_name"] != "average"]
    return {row["x_name"]: float(row["y"]) for row in rows}


def attacks(run):
    rows = [[kind, *(points(float(run.row("controls", network=kind)[c])) for c in COLUMNS)] for kind in KINDS]
    return table(["network", *COLUMNS.values()], rows)


def flows(run):
    """A row a class of the balanced network: how many errors, and which share of them names the look-alike."""
    found = []
    similarity = [row["x"] for row in run.rows("similarity") if row["series_title"] == "balanced"]
    rows = [row for row in run.rows("confusion_flow") if row["network"] == "balanced"]
    for row, alike in zip(rows, similarity, strict=True):
        wrong = round((100 - series(run, "figure_2", "balanced")[row["class"]]) / 100 * images(run))
        found.append({**row, "similarity": float(alike), "wrong without": wrong, "wrong with": int(row["errors"])})
    return found


def images(run):
    """Test images of a class."""
    return int(run.row("claims", claim="C0")["matched"]) // len(series(run, "figure_2", "balanced"))


def confusion(run):
    rows = [
        [
            f"{row['class']} → {row['taken for']}",
            points(row["similarity"], 2),
            str(row["wrong without"]),
            points(float(row["clean"])),
            str(row["wrong with"]),
            points(float(row["same model"])),
            points(float(row["flow"])),
        ]
        for row in flows(run)
    ]
    head = ["class → look-alike", "similarity", "errors without attack", "of these to the look-alike, %"]
    return table([*head, "errors with attack", "of these to the look-alike, %", "the attack adds, points"], rows)


def check(document, folder):
    page, run = document("docs/results/README.md"), Run(folder)
    page.block("the quick study", attacks(run))
    page.block("confusion against similarity", confusion(run))

    relative = {kind: series(run, "figure_5", kind) for kind in KINDS}
    all_have = set.intersection(*map(set, relative.values()))
    missing = [c for c in relative["balanced"] if c not in all_have]
    balanced = run.row("controls", network="balanced")
    cost = float(balanced["no attack"]) - float(balanced["random sign"])
    first = run.rows("trainings")[0]
    page.states(
        f"{len(run.rows('trainings'))} networks of five weight layers, {thousands(int(first['images']))} training "
        f"images",
        f"{word(int(first['rounds']))} rounds of {int(first['updates']) // int(first['rounds'])} updates, "
        f"{images(run)} test images a class",
        f"over the {word(len(all_have))} classes that have 50 correct predictions under every kind of network: "
        + ", ".join(f"{points(over(relative[kind], all_have))} % {kind}" for kind in KINDS)
        + f". Left out are {', '.join(missing[:-1])} and {missing[-1]}",
        f"clean accuracy 70 to 92 % ({points(float(balanced['no attack']))} seen), relative difference under the fast "
        f"method 30 to 90 % ({points(mean(relative['balanced']))} over all ten classes), random signs cost less than "
        f"3 points ({points(cost)})",
    )
    for claim in ("C1", "C2"):
        page.holds(f"matched flips move one way ({claim})", run.row("claims", claim=claim)["against"] == "0")

    rows = flows(run)
    added = [float(row["flow"]) for row in rows]
    counts = {key: (min(r[key] for r in rows), max(r[key] for r in rows)) for key in ("wrong without", "wrong with")}
    enough = [row["class"] for row in rows if row["wrong without"] >= 50]
    page.states(
        f"What the attack adds, between {points(min(added))} and {points(max(added))} points, shows no trend",
        "rest on {} to {} errors a class without the attack and on {} to {} with it".format(
            *counts["wrong without"], *counts["wrong with"]
        ),
        f"{'Only ' + ' and '.join(enough) if enough else 'No class'} has the 50 errors that a claim asks for without the attack",
    )
    page.given(
        "1,000 a class, 100 more a class held out",
        "epsilon 0.01, seed 1",
        "g++ 12",
        "AVX-512",
        "of 2026-11-28",
        "took 4 min 41 s on 2026-11-25",
        "build, 24 trainings",
    )
    page.checked_whole(HEADING)
