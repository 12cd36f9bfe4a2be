# Makes fixtures/statistics.json with SciPy and statsmodels; --check compares with what is there.
"""Inputs are written out, so that the C++ test needs no generator; outputs are theirs, in double."""

import argparse
import json
import math
import pathlib
import sys

import numpy as np
import scipy
import statsmodels
import statsmodels.api
from scipy import special, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

FIXTURE = pathlib.Path(__file__).resolve().parent / "fixtures" / "statistics.json"

# Seeds' values of an effect: few, many, none scattered much, one far out, ties, a mean below 0.
SAMPLES = [
    [0.031, 0.052],
    [0.021, 0.034, 0.055],
    [0.101, 0.092, 0.085, 0.11, 0.097],
    [0.02, -0.01, 0.03, 0.005, 0.04, 0.015],
    [-0.2, -0.21, -0.19, -0.25, -0.23, -0.22, -0.2],
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.500001],
    [1.5, -2.25, 0.125, 3.0, -0.5, 40.0, 2.0, 1.0, -1.0, 0.25],
    [0.01, 0.01, -0.01, 0.02, -0.02, 0.03, 0.03, 0.0, 0.01, 0.02],
]


def t_interval(values, level):
    values = np.asarray(values)
    test = stats.ttest_1samp(values, 0)
    interval = test.confidence_interval(level)
    constant = statsmodels.api.OLS(values, np.ones_like(values)).fit()
    prediction = constant.get_prediction([1.0]).conf_int(obs=True, alpha=1 - level)[0]
    return {
        "values": values.tolist(),
        "level": level,
        "mean": values.mean(),
        "deviation": values.std(ddof=1),
        "low": interval.low,
        "high": interval.high,
        "prediction_low": prediction[0],
        "prediction_high": prediction[1],
        "p": test.pvalue,
    }


def sign_flip(values):
    test = stats.permutation_test((np.asarray(values),), np.mean, permutation_type="samples", n_resamples=math.inf)
    return {"values": values, "p": test.pvalue}


def wilcoxon(values):
    kept = np.asarray([v for v in values if v != 0])
    tied = len(set(np.abs(kept))) < len(kept)
    method = stats.PermutationMethod(n_resamples=math.inf) if tied else "exact"
    # With alternative "greater" the statistic is the sum of the positive ranks.
    return {
        "values": values,
        "positive": stats.wilcoxon(kept, alternative="greater").statistic,
        "p": stats.wilcoxon(kept, method=method).pvalue,
    }


def everything():
    curves = [
        ([0.5, 1.5, 2.0, 2.5, 9.0], [0.1, 0.5, 0.7, 2.0]),
        ([1.0, 1.0, 1.0], [1.0, 1.0]),
        ([-3.0, 0.25], [4.0, 5.0, 6.0, 0.0]),
        (np.linspace(0, 2, 41).round(3).tolist(), np.linspace(-1, 1.5, 33).round(3).tolist()),
    ]
    lines = [([0.1, 0.25, 0.4, 0.55, 0.7], [0.02, 0.01, 0.05, 0.07, 0.06]), ([-5.6, -4.1, -3.3], [0.8, 0.7, 0.75])]
    families = [[0.01, 0.04, 0.03, 0.005], [0.9, 0.8], [0.05], [0.001, 0.001, 0.2, 0.013, 0.02, 0.0, 1.0, 0.04, 0.2, 0.03]]
    return {
        "made": f"SciPy {scipy.__version__}, statsmodels {statsmodels.__version__}, numpy {np.__version__}",
        "incomplete_beta": [
            {"x": x, "a": a, "b": b, "value": special.betainc(a, b, x)}
            for a, b in [(0.5, 0.5), (2.5, 0.5), (4.5, 0.5), (1, 1), (3, 48), (30, 21), (250.5, 0.5), (1e4, 2e4)]
            for x in [1e-8, 0.01, 0.06, 0.3333, 0.5, 0.77, 0.999, 1 - 2**-40]
        ],
        "t_both_tails": [
            {"t": t, "freedom": v, "p": 2 * stats.t.sf(t, v)}
            for v in [1, 2, 4, 5, 9, 30, 2.5, 1000]
            for t in [0.0, 1e-3, 0.3, 1.0, 2.571, 5.0, 40.0, 1e6]
        ],
        "t_quantile": [
            {"level": level, "freedom": v, "t": stats.t.isf((1 - level) / 2, v)}
            for v in [1, 2, 3, 5, 9, 100, 1e6]
            for level in [0.5, 0.9, 0.95, 0.99, 0.999]
        ],
        "binomial_at_least": [
            {"k": k, "n": n, "chance": p, "p": stats.binom.sf(k - 1, n, p)}
            for k, n, p in [(0, 50, 0.05), (1, 50, 0.05), (3, 50, 0.05), (9, 50, 0.05), (50, 50, 0.05), (7, 10, 0.5)]
        ],
        "mean_estimate": [t_interval(s, level) for s in SAMPLES for level in [0.95, 0.99]],
        "sign_flip": [sign_flip(s) for s in SAMPLES],
        "signed_ranks": [wilcoxon(s) for s in SAMPLES],
        "mcnemar": [
            {"b": b, "c": c, "p": mcnemar([[10, b], [c, 10]], exact=True).pvalue}
            for b, c in [(0, 5), (3, 9), (40, 61), (12, 12), (250, 300)]
        ],
        "wilson": [
            {"hits": k, "of": n, "level": level, "low": low, "high": high}
            for k, n, level in [(5, 10, 0.95), (0, 20, 0.95), (999, 1000, 0.99), (110, 1000, 0.9)]
            for low, high in [proportion_confint(k, n, alpha=1 - level, method="wilson")]
        ],
        "holm": [{"p": p, "adjusted": multipletests(p, method="holm")[1].tolist()} for p in families],
        "area_under_curve": [
            {"positives": a, "negatives": b, "area": stats.mannwhitneyu(a, b).statistic / (len(a) * len(b))}
            for a, b in curves
        ],
        "slope": [{"x": x, "y": y, "slope": stats.linregress(x, y).slope} for x, y in lines],
        "quantile": [
            {"sorted": sorted(s), "share": q, "value": np.quantile(s, q)} for s in SAMPLES[2:5] for q in [0, 0.025, 0.5, 0.975, 1]
        ],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()

    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        return value.item() if isinstance(value, np.generic) else value

    made = plain(everything())
    lines = [f' "made": {json.dumps(made.pop("made"))}']
    for name, rows in made.items():
        lines.append(f' "{name}": [\n' + ",\n".join("  " + json.dumps(row) for row in rows) + "\n ]")
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    if not options.check:
        FIXTURE.write_text(text)
        print(f"{FIXTURE.name}: {len(text)} bytes")
        return 0

    def differs(a, b):
        if isinstance(a, dict):
            return a.keys() != b.keys() or any(differs(a[k], b[k]) for k in a)
        if isinstance(a, list):
            return len(a) != len(b) or any(differs(x, y) for x, y in zip(a, b))
        return not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-300)

    stored = json.loads(FIXTURE.read_text())
    wrong = [name for name in made if differs(made[name], stored[name])]
    print(f"{FIXTURE.name} as made: " + (f"differs in {', '.join(wrong)}" if wrong else "the same"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
