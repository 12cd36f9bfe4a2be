"""The tables of docs/results/README.md and the README that are made of a study's CSV files."""

import re

from .document import points, table
from .run import KINDS, mean

SOURCES = {"clean": "clean", "different": "other", "same": "own"}


def table_1(run, printed):
    """A class a row; of each kind of network, what is right without attack and under it, the paper's in brackets."""
    columns = {f"clean/{kind}": run.clean(kind) for kind in KINDS}
    columns |= {f"{s}/{kind}": run.attacked(f"{s}/{kind}") for s in ("different", "same") for kind in KINDS}
    order = [f"{source}/{kind}" for kind in KINDS for source in SOURCES]
    head = ["class"] + [f"{kind}: {name}" for kind in KINDS for name in SOURCES.values()]

    def cell(column, value):
        theirs = value(printed[column]) if column in printed else None
        return points(value(columns[column])) + (f" ({round(theirs, 9):.4g})" if theirs is not None else "")

    rows = [[c] + [cell(column, lambda values, c=c: values[c]) for column in order] for c in columns["clean/under"]]
    return table(head, rows + [["average"] + [cell(column, mean) for column in order]])


def claim_words(root):
    """{"C3 under": "another network's gradient is weaker", ...}, from the table of docs/claims.md."""
    words = {}
    text = (root / "docs/claims.md").read_text(encoding="utf-8")
    for name, what in re.findall(r"^\| (C\d[\w, ]*) \| ([^|]+) \|", text, re.M):
        first, *kinds = name.replace(",", "").split()
        for claim in [f"{first} {kind}" for kind in kinds] or [first]:
            words[claim] = what
    return words


def claims(run, words):
    rows = run.rows("claims")
    seeds = [name for name in run.rows("claim_seeds")[0] if name.startswith("seed ")]
    alone = len(seeds) == 1
    head = ["claim", "what is claimed", "mean"] + ([] if alone else seeds)
    head += ["images" if alone else "seeds and images", "for", "against", "left out"]
    lines = []
    for row in rows:
        if not row["mean"]:
            continue
        digits, unit = (2, " (log ratio)") if row["unit"] == "log ratio" else (1, "")
        values = [] if alone else [points(v, digits) for v in run.seeds(row["claim"])]
        interval = f"{points(float(row['images low']), digits)} to {points(float(row['images high']), digits)}"
        left_out = re.sub(r" \([^)]*\)", "", row["left out"]).replace(";", ",")
        lines.append(
            [
                row["claim"],
                words[row["claim"]] + unit,
                points(float(row["mean"]), digits),
                *values,
                interval,
                row["for"],
                row["against"],
                left_out,
            ]
        )
    return table(head, lines, left=2)


def another_machine(there, here):
    """Own gradients on the classes that were trained on both: one seed there, two here."""
    rows = []
    for kind in KINDS:
        for c, value in there.attacked(f"same/{kind}").items():
            pair = here.seed_pair(f"same/{kind}", c)
            number = list(here.attacked("same/under")).index(c)
            # Near epsilon 0.01: which of the two seeds has the lower value.
            left = [sum(here.swept(kind, number, seed)[e] for e in (0.007843138, 0.011764706)) for seed in (0, 1)]
            first, second = pair if left[0] < left[1] else pair[::-1]
            rows.append([c, kind, points(value), points(first), points(second)])
    return table(["class", "network", "tiles, seed 1", "here, seed 1", "here, seed 2"], rows, left=2)
