"""Averages over classes in committed tables and figures: over the classes that all columns have, the paper's too."""

import csv
import re
import statistics

TABLES, FIGURES = ("table_1", "square"), ("table_1", "figure_2", "figure_5", "square")


def table_panels(file):
    """One panel: {column: {class: (value, whether an interval stands beside it)}}."""
    with open(file, encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    names = [name for name in rows[0] if name != "class" and not name.endswith((" low", " high"))]
    return [
        {name: {r["class"]: (float(r[name]), bool(r.get(f"{name} low"))) for r in rows if r[name]} for name in names}
    ]


def plot_panels(file):
    """The same of a figure's CSV file, which has a row a mark."""
    panels = {}
    with open(file, encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            column = panels.setdefault(row["panel"], {}).setdefault(row["series_title"], {})
            column[row["x_name"]] = (float(row["y"]), bool(row["low"]))
    return list(panels.values())


def figure_panels(file):
    """The same of each panel, from what its marks say of themselves: "under, paper, cat: 98.08 (90.00 to 99.00)"."""
    panels = []
    for panel in file.read_text(encoding="utf-8").split('<g class="panel">')[1:]:
        columns = {}
        for name, at, value, low in re.findall(r"<title>([^<]+), ([^<,:]+): (-?[\d.]+)( \([^<]*)?</title>", panel):
            columns.setdefault(name, {})[at] = (float(value), bool(low))
        panels.append(columns)
    return panels


def faults_of(columns, tolerance):
    ours = {name: column for name, column in columns.items() if not re.search(r"[, ]paper$", name)}
    for name, column in ours.items():
        with_interval = {c for c, (_, interval) in column.items() if interval}
        if with_interval - {"average"}:
            for c in sorted(set(column) - with_interval - {"average"}):
                yield f"{name}: {c} has no interval where others have, so some seeds lack it"
    classes = set.intersection(*map(set, ours.values())) - {"average"}
    for name, column in columns.items():
        if classes and "average" in column:
            mean, stated = statistics.mean(column[c][0] for c in classes), column["average"][0]
            if abs(mean - stated) > tolerance:
                yield f"{name}: the average is {stated:.4f}, over the {len(classes)} classes in all columns {mean:.4f}"


def faults(folder):
    files = {folder_file for name in (*TABLES, *FIGURES) for folder_file in folder.glob(f"*/{name}.*")}
    found = []
    for file in sorted(files):
        # A drawn figure prints two decimals; in other files sums differ in their last bits.
        if file.suffix == ".svg":
            panels, tolerance = figure_panels(file), 0.0101
        else:
            header = file.read_text(encoding="utf-8").split(",", 1)[0]
            panels, tolerance = (plot_panels if header == "panel" else table_panels)(file), 1e-9
        found += [f"{file.parent.name}/{file.name}, {f}" for columns in panels for f in faults_of(columns, tolerance)]
    return found
