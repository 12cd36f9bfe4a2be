"""Averages over classes in committed tables and figures: over the classes that all columns have, the paper's too."""

import csv
import re
import statistics

TABLES, FIGURES = ("table_1.csv", "square.csv"), ("table_1.svg", "figure_2.svg", "figure_5.svg", "square.svg")
# Columns that are no average of classes' values: intervals.
INTERVAL = (" low", " high")


def table_columns(file):
    with open(file, encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    names = [name for name in rows[0] if name != "class" and not name.endswith(INTERVAL)]
    return [{name: {row["class"]: float(row[name]) for row in rows if row[name]} for name in names}]


def figure_columns(file):
    """Each panel's series, from what its marks say of themselves: "under, paper, cat: 98.08 (90.00 to 99.00)"."""
    panels = []
    for panel in file.read_text(encoding="utf-8").split('<g class="panel">')[1:]:
        columns = {}
        for name, at, value in re.findall(r"<title>([^<]+), ([^<,:]+): (-?[\d.]+)[^<]*</title>", panel):
            columns.setdefault(name, {})[at] = float(value)
        panels.append(columns)
    return panels


def faults(folder):
    found = []
    for file in sorted(f for name in TABLES + FIGURES for f in folder.glob(f"*/{name}")):
        for columns in table_columns(file) if file.suffix == ".csv" else figure_columns(file):
            ours = [c for name, c in columns.items() if not re.search(r"[, ]paper$", name)]
            classes = set.intersection(*map(set, ours)) - {"average"}
            for name, column in columns.items():
                if not classes or "average" not in column:
                    continue
                mean = statistics.mean(column[c] for c in classes)
                # Figures print two decimals; a sum of floats has no more than these.
                if abs(mean - column["average"]) > (0.0101 if file.suffix == ".svg" else 1e-9):
                    found.append(
                        f"{file.parent.name}/{file.name}, {name}: the average is {column['average']:.4f}, "
                        f"that of the {len(classes)} classes that all columns have {mean:.4f}"
                    )
    return found
