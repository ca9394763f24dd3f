"""Ask every measure what it sees of populations that code by rate, latency, patterns or synchrony only."""

import argparse
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd

import snncompare as sc
from snncompare import provenance
from snncompare.comparison.precision.decomposition import COMPONENTS, decompose
from snncompare.comparison.precision.timing import timing_contribution
from snncompare.errors import InputError
from snncompare.figures.save import save_figure
from snncompare.figures.style import PALETTE, new_figure, panel_letters, settle, style
from snncompare.recording.observation import with_equal_counts
from snncompare.representation import metrics
from snncompare.testing.ground_truth import Design, latency_code, pattern_code, rate_code, synchrony_code, true_rdm

DESIGN = Design(conditions=8, repeats=10, units=12, layout="line")
SMALL = Design(conditions=6, repeats=5, units=6)
CODES: dict[str, Callable[[Design], sc.Recording]] = {
    "rate": rate_code,
    "rate,\nequal counts": lambda design: with_equal_counts(rate_code(design), design.noise),
    "latency": latency_code,
    "pattern": pattern_code,
    "synchrony": synchrony_code,
}
ARGUMENTS = {
    "tau": "20 ms", "sigma": "20 ms", "width": "20 ms", "cost": "50 Hz", "silent": "500 ms", "prior_rate": "1 Hz"
}  # fmt: skip
VARIANTS = ({}, {"pooled": True}, {"mixing": 1.0}, {"rate_independent": True})
RELABELLINGS, CHANCE = 200, 3.3
"""Two-sided p = 0.001 for a normal mean over populations: 0.2 false cells in 200."""


def measures() -> tuple[dict[str, metrics.Metric], list[str]]:
    """Return every metric of the package at one time scale, in all population codings, and what could not be made."""
    found, left_out = {}, []
    for name in metrics.__all__:
        kind = getattr(metrics, name)
        if not isinstance(kind, type) or not issubclass(kind, metrics.Metric) or kind is metrics.Metric:
            continue
        fields = {field.name: field for field in dataclasses.fields(kind)}
        needed = {key for key, field in fields.items() if field.default is dataclasses.MISSING}
        given = {key: ARGUMENTS[key] for key in needed & set(ARGUMENTS)}
        for variant in VARIANTS:
            if not set(variant) <= set(fields):
                continue
            try:
                metric = kind(**given, **variant)
            except (InputError, TypeError):
                left_out.append(f"{name}({', '.join(variant)})" if variant else name)
                continue
            found[_words(metric, variant)] = metric
    return dict(sorted(found.items(), key=lambda item: item[0].endswith("pooled"))), left_out


def _words(metric: metrics.Metric, variant: dict[str, object]) -> str:
    return metric.label.split(",")[0] + ", pooled" if variant and "rate_independent" not in variant else metric.label


def seen(recording: sc.Recording, metric: metrics.Metric, rng: np.random.Generator) -> tuple[float, float]:
    """Return Spearman's correlation with the known RDM, and its standard deviation when conditions are renamed."""
    known = true_rdm(recording).get_matrices()[0]
    vector = sc.rdm(recording, metric, by="condition").get_vectors()
    pairs = np.triu_indices(len(known), 1)
    orders = rng.permuted(np.tile(np.arange(len(known)), (RELABELLINGS, 1)), axis=1)
    renamed = np.stack([known[pairs], *(known[np.ix_(order, order)][pairs] for order in orders)])
    if not np.isfinite(vector).all():
        return np.nan, np.nan
    found = sc.Spearman().between(vector, renamed)[0]
    return float(found[0]), float(found[1:].std())


def matrix(n_populations: int) -> tuple[pd.DataFrame, list[str]]:
    """Return one row per measure and code: similarity (mean over populations) and the half-width of its chance band."""
    several, left_out = measures()
    rng = np.random.default_rng(0)
    rows = []
    for code, make in CODES.items():
        populations = [make(dataclasses.replace(DESIGN, noise=k)) for k in range(n_populations)]
        for name, metric in several.items():
            found = np.array([seen(recording, metric, rng) for recording in populations])
            chance = CHANCE * np.sqrt((found[:, 1] ** 2).mean() / n_populations)
            rows.append((name, code.replace("\n", " "), found[:, 0].mean(), chance))
    return pd.DataFrame(rows, columns=["measure", "code", "similarity", "chance"]), left_out


def curves(n_surrogates: int) -> pd.DataFrame:
    """Return the timing contribution of one population per code."""
    widths = ["2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms", "200 ms", "500 ms"]
    tables = []
    for code in ("rate", "latency", "pattern"):
        recording = CODES[code](dataclasses.replace(DESIGN, layout="circle"))
        found = timing_contribution(
            recording,
            {code: true_rdm(recording)},
            sc.VanRossum("20 ms"),
            "condition",
            widths,
            n_surrogates=n_surrogates,
        )
        tables.append(found.table)
    return pd.concat(tables, ignore_index=True)


def components(**numbers: int) -> pd.DataFrame:
    """Return how the variance of one population per code is attributed; ``numbers`` are those of `decompose`."""
    tables = []
    for code in ("rate", "latency", "pattern"):
        found = decompose(CODES[code](DESIGN), "condition", sc.VanRossum("20 ms"), **numbers)
        tables.append(found.table.assign(code=code))
    return pd.concat(tables, ignore_index=True)


def false_claims(n: int) -> dict[str, float]:
    """Return how often timing is claimed, out of n data sets: rate codes with their own RDM, precise patterns."""
    widths = ["30 ms", "150 ms"]
    claims = {"rate codes": 0, "patterns": 0}
    attributed = 0
    for k in range(n):
        for name, make in (("rate codes", rate_code), ("patterns", pattern_code)):
            if name == "patterns" and k >= n // 5:
                continue
            recording = make(dataclasses.replace(SMALL, noise=k))
            found = timing_contribution(
                recording, {"truth": true_rdm(recording)}, sc.VanRossum.sweep(["5 ms", "30 ms"]), "condition", widths,
                n_surrogates=19, seed=k,
            )  # fmt: skip
            claims[name] += bool((found.table["p_corrected"] <= 0.05).any())
        recording = rate_code(dataclasses.replace(SMALL, noise=k), depth=0.4)
        parts = decompose(
            recording, "condition", sc.VanRossum("20 ms"), {"truth": true_rdm(recording)}, n_splits=0,
            n_surrogates=5, n_permutations=39, seed=k,
        )  # fmt: skip
        attributed += bool(parts.table.set_index("component").loc["timing", "p"] <= 0.05)
    return {
        f"timing claimed, {n} rate codes": claims["rate codes"] / n,
        f"timing claimed, {n // 5} precise patterns": claims["patterns"] / (n // 5),
        f"residual timing attributed, {n} rate codes": attributed / n,
    }


def figure(cells: pd.DataFrame, contribution: pd.DataFrame, parts: pd.DataFrame) -> mpl.figure.Figure:
    with style():
        drawn = new_figure(180, 130)
        left, right = drawn.subfigures(1, 2, width_ratios=[1.25, 1])
        axes = [left.subplots(), *right.subplots(2, 1)]
        draw_matrix(axes[0], cells)
        draw_curves(axes[1], contribution)
        draw_parts(axes[2], parts)
        panel_letters(axes)
        return settle(drawn)


def draw_matrix(ax: mpl.axes.Axes, cells: pd.DataFrame) -> None:
    codes, names = list(dict.fromkeys(cells["code"])), list(dict.fromkeys(cells["measure"]))
    value = cells.pivot_table(index="measure", columns="code", values="similarity", dropna=False).loc[names, codes]
    chance = cells.pivot_table(index="measure", columns="code", values="chance", dropna=False).loc[names, codes]
    blind = ~(np.abs(value) > chance).to_numpy()
    shown = np.where(blind, np.nan, value.to_numpy())
    colours = mpl.colormaps["RdBu_r"].with_extremes(bad="#EDEDED")
    image = ax.imshow(shown, cmap=colours, vmin=-1, vmax=1, aspect="auto")
    for (row, column), number in np.ndenumerate(value.to_numpy()):
        dark = not blind[row, column] and abs(number) > 0.6
        colour = "white" if dark else "#8C8C8C" if blind[row, column] else "black"
        ax.text(
            column,
            row,
            f"{number:.2f}".replace("-", "\N{MINUS SIGN}"),
            ha="center",
            va="center",
            fontsize=6,
            color=colour,
        )
    ax.set_xticks(range(len(codes)), [code.replace(", ", ",\n").replace(" counts", "\ncounts") for code in codes])
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(length=0)
    ax.xaxis.tick_top()
    ax.spines[:].set_visible(False)
    ax.set_xlabel("grey: not told from chance (p > 0.001)")
    bar = ax.figure.colorbar(image, ax=ax, location="bottom", shrink=0.6, aspect=30, pad=0.02)
    bar.set_label("Spearman correlation with the known RDM")
    bar.outline.set_linewidth(0.5)


def draw_curves(ax: mpl.axes.Axes, contribution: pd.DataFrame) -> None:
    for (code, curve), colour in zip(contribution.groupby("model", sort=False), PALETTE, strict=False):
        width = 1000 * curve["width"]
        ax.axhline(curve["similarity"].iloc[0], color=colour, linewidth=0.75, linestyle=":")
        ax.fill_between(width, curve["surrogate_low"], curve["surrogate_high"], color=colour, alpha=0.2, linewidth=0)
        ax.plot(width, curve["surrogate"], color=colour, marker="o", label=f"{code} code")
    ax.set_xscale("log")
    ax.set_xticks([2, 5, 10, 20, 50, 100, 200, 500], ["2", "5", "10", "20", "50", "100", "200", "500"])
    ax.minorticks_off()
    ax.set_xlabel("width within which spikes are moved (ms)")
    ax.set_ylabel("similarity with the known RDM")
    ax.legend(loc="lower left")


def draw_parts(ax: mpl.axes.Axes, parts: pd.DataFrame) -> None:
    codes = list(dict.fromkeys(parts["code"]))
    bottom = np.zeros(len(codes))
    for component, colour in zip([*COMPONENTS, "unexplained"], [*PALETTE[:3], "#D9D9D9"], strict=True):
        share = parts[parts["component"] == component]["attributed"].to_numpy()
        label = {"timing": "residual timing", "unexplained": "not reproduced by the other half"}.get(
            component, component
        )
        ax.barh(codes, share, left=bottom, color=colour, height=0.6, label=label)
        bottom += share
    ax.invert_yaxis()
    ax.set_xlim(0, 1)
    ax.set_xlabel("variance that halves of the trials share")
    ax.set_ylabel("code")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 1.28), ncols=2)


def entry(value: float, source: str) -> dict[str, object]:
    return {"value": value, "published": None, "source": source}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/ground_truth"))
    parser.add_argument(
        "--quick", action="store_true", help="2 populations instead of 10, 10 null data sets for 500, few splits"
    )
    arguments = parser.parse_args()
    begin = time.perf_counter()
    cells, left_out = matrix(2 if arguments.quick else 10)
    few = {"n_surrogates": 5, "n_splits": 3, "n_permutations": 39}
    contribution = curves(19 if arguments.quick else 99)
    parts = components(**few) if arguments.quick else components(n_permutations=199)
    n = 10 if arguments.quick else 500
    numbers = false_claims(n)
    values = {
        f"{row.measure}: {row.code}": entry(row.similarity, f"chance +-{row.chance:.3f}") for row in cells.itertuples()
    }
    values |= {name: entry(value, "level 0.05") for name, value in numbers.items()}
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_figure(
        figure(cells, contribution, parts),
        {"measures": cells, "timing": contribution, "components": parts},
        arguments.out,
        "ground_truth",
        dpi=200,
    )
    results = {"study": "ground_truth", "metrics": values, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": arguments.quick, "left_out": left_out, "provenance": provenance.collect(seed=0)}
    file = arguments.out / "results.json"
    file.write_text(json.dumps(results, indent=2) + "\n")
    print(cells.assign(seen=cells["similarity"].abs() > cells["chance"]).round(3).to_string())
    print(json.dumps(numbers, indent=1), "not tried:", left_out)
    print(file)


if __name__ == "__main__":
    main()
