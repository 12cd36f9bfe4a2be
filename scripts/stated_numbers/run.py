"""One study's committed tables (docs/results/NAME), and the numbers that the paper published."""

import csv
import functools
import pathlib
import re
import statistics

KINDS = ("balanced", "under", "over")
T_OF_TWO = 12.706204736432095  # Student's t, 95 %, one degree of freedom


class Run:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    @functools.cache
    def rows(self, name):
        with open(self.folder / f"{name}.csv", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))

    def row(self, table, **wanted):
        for row in self.rows(table):
            if all(row[key.replace("_", " ")] == value for key, value in wanted.items()):
                return row
        raise KeyError(f"{self.folder.name}/{table}.csv has no row {wanted}")

    def claim(self, name, column="mean"):
        return float(self.row("claims", claim=name)[column])

    def beside(self, claim, name, column="mean"):
        return float(self.row("claims_beside", claim=claim, beside_it=name)[column])

    def seeds(self, claim):
        row = self.row("claim_seeds", claim=claim)
        return [float(value) for key, value in row.items() if key.startswith("seed ")]

    def by_class(self, claim):
        """The classes' means over the seeds: those that the claim has."""
        row = self.row("claim_class_means", claim=claim)
        return {c: float(v) for c, v in row.items() if c not in ("claim", "unit") and v}

    def attacked(self, column):
        """Percent right under the fast attack by class, `column` as "same/under"."""
        rows = [row for row in self.rows("table_1") if row[column] and row["class"] != "average"]
        return {row["class"]: float(row[column]) for row in rows}

    def clean(self, kind):
        """Percent right without attack by class: what the attack left and took (C0), and what skew moved (C5)."""
        right = {c: v + self.by_class("C0")[c] for c, v in self.attacked("same/balanced").items()}
        if kind == "under":
            return {c: v - self.by_class("C5 under")[c] for c, v in right.items()}
        return {c: v + self.by_class("C5 over")[c] for c, v in right.items()} if kind == "over" else right

    def seed_pair(self, column, c):
        """Both seeds' values of a cell of Table 1, the lower first, from their mean and Student's interval."""
        row = self.row("table_1", **{"class": c})
        half = (float(row[f"{column} high"]) - float(row[column])) / T_OF_TWO
        return float(row[column]) - half, float(row[column]) + half

    def swept(self, kind, c, seed):
        """Correct predictions on class number `c` over epsilon, of its network under the own gradient. Cells stand in the
        plan's order: of each seed the balanced network under two sources, then each skewed one under three."""
        rows = self.rows("sweep")
        cells = sorted({int(row["cell"]) for row in rows})
        cell = cells[(len(cells) // 2) * seed + {"balanced": 2 * c, "under": 20 + 3 * c, "over": 50 + 3 * c}[kind]]
        return {float(row["epsilon"]): int(row["correct"]) for row in rows if int(row["cell"]) == cell}


def paper(root):
    """Table 1 and Figure 2 as the library has them: {"clean/under": {"airplane": 69, ...}, ...}."""
    text = (root / "include/skewgrad/report/paper.hpp").read_text(encoding="utf-8")
    columns = [
        "clean/balanced",
        "clean/under",
        "clean/over",
        "same/balanced",
        "same/under",
        "same/over",
        "different/under",
        "different/over",
    ]
    table = {column: {} for column in columns}
    for values, c in re.findall(r"^    \{([\d., ]+)\},\s*// (\w+)$", text.split("balanced_confusion")[0], re.M):
        for column, value in zip(columns, values.split(","), strict=True):
            table[column][c] = float(value)
    return table


def mean(values):
    return statistics.mean(values.values() if isinstance(values, dict) else values)


def over(values, classes):
    return mean([values[c] for c in classes])
