"""Are the tests and intervals of a comparison as good as they say? Simulated experiments with known truth.

Every way through `snncompare.comparison.compare.compare`: how often an unrelated model is called related, how often the
intervals hold the truth, how often a related model is found; and controls that are wrong on purpose.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rsatoolbox.rdm import RDMs
from scipy import stats
from scipy.spatial.distance import pdist, squareform

from snncompare import provenance
from snncompare.comparison.compare import compare
from snncompare.comparison.measures import Pearson
from snncompare.comparison.precision.selection import select_time_scale
from snncompare.comparison.precision.time_scale import time_scale_test
from snncompare.comparison.result import Result
from snncompare.figures.style import DOUBLE_COLUMN, FAINT_COLOUR, PALETTE, new_figure, style
from snncompare.representation.estimators import BetweenMinusWithin
from snncompare.representation.rdm import rdm_from_distances
from snncompare.representation.repeats.replicates import Replicates, replicates

Array = NDArray[np.float64]
Generator = np.random.Generator
Outcome = dict[str, Any]
Study = Callable[[Generator, int], list[Outcome]]

LEVEL, COVERAGE, RESAMPLES = 0.05, 0.95, 200
SCALES, MODELS, CONDITIONS = 8, 3, 16
DIMENSIONS = 6
ANIMAL, SESSION, SEED = 0.5, 0.4, 0.6
"""Standard deviations of what is particular to an animal, a session, a network instance; that of the stimuli is 1."""
TRIALS = {"label": "simulated", "time_scale": np.nan, "euclidean": True}
OWN = {"true": 0.0, "half": 0.5, "other half": 0.5, "unrelated": 1.0}
"""Share of a model's dimensions that have nothing to do with the animals."""


def rdms(vectors: Any, **descriptors: Any) -> RDMs:
    """Return labelled RDMs, one per row."""
    rows = np.atleast_2d(np.asarray(vectors, dtype=np.float64))
    scales = descriptors.pop("time_scale", [np.nan] * len(rows))
    n = round((1 + np.sqrt(1 + 8 * rows.shape[1])) / 2)
    return RDMs(
        rows,
        rdm_descriptors={"metric": ["simulated"] * len(rows), "time_scale": list(scales), **descriptors},
        pattern_descriptors={"condition": [f"c{k}" for k in range(n)]},
    )


def noisy(rng: Generator, points: Array, deviation: float) -> Array:
    return points + deviation * rng.normal(size=points.shape)


def recordings(rng: Generator, stimuli: Array, animals: int, sessions: int) -> list[list[Array]]:
    """Return an RDM for every session of every animal; where there are several, they differ in how noisy they are."""
    found = []
    for _ in range(animals):
        animal = noisy(rng, stimuli, ANIMAL * (rng.uniform(0.5, 1.5) if animals > 1 else 1))
        found.append([pdist(_session(rng, animal, varied=sessions > 1)) for _ in range(sessions)])
    return found


def _session(rng: Generator, animal: Array, *, varied: bool) -> Array:
    return noisy(rng, animal, SESSION * (rng.uniform(0.5, 1.5) if varied else 1))


def networks(rng: Generator, stimuli: Array, own: float, seeds: int) -> list[Array]:
    """Return an RDM for every instance of a model; instances differ in how noisy they are, too."""
    shared = np.hstack([np.sqrt(1 - own) * stimuli, np.sqrt(own) * rng.normal(size=stimuli.shape)])
    if seeds == 1:
        return [pdist(shared)]
    return [pdist(noisy(rng, shared, SEED * rng.uniform(0.2, 1.8))) for _ in range(seeds)]


def expected(rng: Generator, n: int, animals: int, sessions: int, seeds: int, *, draws: int) -> Array:
    """Return the mean similarity of every model over many animals, instances and stimuli."""
    found = []
    for _ in range(draws):
        stimuli = rng.normal(size=(n, DIMENSIONS))
        data = np.concatenate(recordings(rng, stimuli, animals, sessions))
        found.append(
            [Pearson().between(data, np.array(networks(rng, stimuli, own, seeds))).mean() for own in OWN.values()]
        )
    return np.mean(found, axis=0)


def simulated(
    rng: Generator, n: int, animals: int, sessions: int, seeds: int, stimuli: Array | None = None
) -> tuple[RDMs, dict[str, RDMs]]:
    """Return one experiment: data and models."""
    points = rng.normal(size=(n, DIMENSIONS)) if stimuli is None else stimuli
    each = recordings(rng, points, animals, sessions)
    who: dict[str, Any] = {}
    if animals > 1:
        who["subject"] = [f"a{a}" for a in range(animals) for _ in range(sessions)]
    if sessions > 1:
        who["session"] = [f"s{s}" for _ in range(animals) for s in range(sessions)]
    labels = {"seed": list(range(seeds))} if seeds > 1 else {}
    models = {name: rdms(networks(rng, points, own, seeds), **labels) for name, own in OWN.items()}
    return rdms(np.concatenate(each), **who), models


Few = tuple[Array, RDMs, "Replicates | None"]
"""RDMs of many repetitions with the same stimuli; the data of one experiment; its replicates."""


def few_subjects(rng: Generator, stimuli: Array, animals: int) -> Few:
    """Return an experiment in which animals vary and the stimuli stay."""
    many = np.concatenate(recordings(rng, stimuli, 150, 1))
    data = np.concatenate(recordings(rng, stimuli, animals, 1))
    return many, rdms(data, subject=[f"a{a}" for a in range(animals)]), None


def few_nested(rng: Generator, stimuli: Array, animals: int) -> Few:
    """Return an experiment in which animals vary, each with six sessions, and the stimuli stay."""
    many = np.concatenate(recordings(rng, stimuli, 150, 6))
    data = np.concatenate(recordings(rng, stimuli, animals, 6))
    who = {"subject": [f"a{a}" for a in range(animals) for _ in range(6)], "session": list(range(6)) * animals}
    return many, rdms(data, **who), None


def sessions_as_animals(rng: Generator, stimuli: Array, animals: int) -> Few:
    """Return the same with every session called an animal: the control."""
    many, data, _ = few_nested(rng, stimuli, animals)
    data.rdm_descriptors["subject"] = [f"a{k}" for k in range(data.n_rdm)]
    return many, data, None


def few_sessions(rng: Generator, stimuli: Array, sessions: int) -> Few:
    """Return an experiment in which the sessions of one animal vary and the stimuli stay."""
    animal = noisy(rng, stimuli, ANIMAL)
    each = [pdist(_session(rng, animal, varied=True)) for _ in range(150 + sessions)]
    return np.array(each[sessions:]), rdms(each[:sessions], session=[f"s{s}" for s in range(sessions)]), None


def few_trials(rng: Generator, stimuli: Array, trials: int) -> Few:
    """Return an experiment in which the trials of one animal vary and the stimuli stay."""
    animal = noisy(rng, stimuli, ANIMAL)

    def trial_points() -> Array:
        return noisy(rng, np.repeat(animal[:, None], trials, axis=1), 1.0)

    many = np.array([between_minus_within(trial_points()) for _ in range(150)])
    points = trial_points().reshape(-1, DIMENSIONS)
    distances = xr.DataArray(
        squareform(pdist(points))[None],
        dims=("metric", "trial", "trial_"),
        coords={name: ("metric", [value]) for name, value in TRIALS.items()},
    )
    names = [f"c{k}" for k in range(len(stimuli)) for _ in range(trials)]
    seed = int(rng.integers(2**31))
    given = replicates(distances, names, BetweenMinusWithin(), n_resamples=100, n_splits=20, seed=seed)
    return many, rdm_from_distances(distances, names, BetweenMinusWithin()), given


def between_minus_within(points: Array) -> Array:
    """Return unbiased squared distances between conditions from points (n_conditions, n_trials, n_dimensions)."""
    error = points.var(axis=1, ddof=1).sum(axis=1) / points.shape[1]
    first, second = np.triu_indices(len(points), 1)
    return pdist(points.mean(axis=1)) ** 2 - error[first] - error[second]


def sweep(rng: Generator, n: int, scales: int, models: int, related: Array) -> tuple[RDMs, dict[str, RDMs]]:
    """Return data and models over time scales of which neighbours are alike; ``related``: share of the first model."""
    data, networks_ = _drifting(rng, n, scales), [_drifting(rng, n, scales) for _ in range(models)]
    networks_[0] = [
        np.hstack([np.sqrt(a) * x, np.sqrt(1 - a) * y]) for a, x, y in zip(related, data, networks_[0], strict=True)
    ]
    values = np.geomspace(1e-3, 1.0, scales)

    def of(points: list[Array]) -> RDMs:
        return rdms([pdist(each) for each in points], time_scale=values)

    return of(data), {f"model {k}": of(points) for k, points in enumerate(networks_)}


def _drifting(rng: Generator, n: int, scales: int) -> list[Array]:
    points = [rng.normal(size=(n, DIMENSIONS))]
    for _ in range(scales - 1):
        points.append(np.sqrt(0.5) * points[-1] + np.sqrt(0.5) * rng.normal(size=(n, DIMENSIONS)))
    return points


def judged(result: Result, truth: Array) -> Outcome:
    """Return what one experiment found, given the similarities that many would find on average."""
    table = result.table.set_index("model")
    pairs = result.differences.set_index(["model_a", "model_b"])
    difference = pairs.loc[("half", "other half")]
    covered = (table["ci_low"].to_numpy() <= truth) & (truth <= table["ci_high"].to_numpy())
    return {
        "resampled": result.resampled,
        "false alarm": bool(table.loc["unrelated", "p"] <= LEVEL),
        **{f"covered, {name}": bool(held) for name, held in zip(OWN, covered, strict=True)},
        "covered, difference": bool(difference["ci_low"] <= truth[1] - truth[2] <= difference["ci_high"]),
        "related model found": bool(table.loc["half", "p"] <= LEVEL),
        "true and unrelated told apart": bool(pairs.loc[("true", "unrelated"), "p"] <= LEVEL),
    }


def crossed(n: int, animals: int, sessions: int, seeds: int, *, one_seed: bool = False) -> Study:
    """Return experiments in which all is drawn every time; with ``one_seed`` only one of the instances is known."""

    def study(rng: Generator, experiments: int) -> list[Outcome]:
        truth = expected(rng, 150, animals, sessions, seeds, draws=min(60, experiments))
        found = []
        for seed in range(experiments):
            data, models = simulated(rng, n, animals, sessions, seeds)
            if one_seed:
                models = {name: model.subset("seed", 0) for name, model in models.items()}
            found.append(judged(compare(data, models, Pearson(), seed, n_resamples=RESAMPLES), truth))
        return found

    return study


def fixed(world: Callable[[Generator, Array, int], Few], number: int, n: int = 6) -> Study:
    """Return experiments with few stimuli, which stay while animals, sessions or trials are drawn anew."""

    def study(rng: Generator, experiments: int) -> list[Outcome]:
        found = []
        for seed in range(experiments):
            stimuli = rng.normal(size=(n, 6))
            vectors = np.concatenate([networks(rng, stimuli, own, 1) for own in OWN.values()])
            many, data, repeated = world(rng, stimuli, number)
            models = {name: rdms(vector) for name, vector in zip(OWN, vectors, strict=True)}
            result = compare(data, models, Pearson(), seed, replicates=repeated, n_resamples=RESAMPLES)
            found.append(judged(result, Pearson().between(many, vectors).mean(axis=0)))
        return found

    return study


def time_scales(rng: Generator, experiments: int) -> list[Outcome]:
    """Return experiments with models over time scales: none related, then one at one time scale."""
    none, one = np.zeros(SCALES), np.where(np.arange(SCALES) == 3, 0.5, 0.0)
    found = []
    for seed in range(experiments):
        null = time_scale_test(*sweep(rng, CONDITIONS, SCALES, MODELS, none), Pearson(), seed, n=499).table
        data, models = sweep(rng, CONDITIONS, SCALES, MODELS, one)
        some = time_scale_test(data, models, Pearson(), seed, n=499).table
        apart = select_time_scale(*_unrelated(rng), Pearson(), seed=seed, repeats=2)
        found.append(
            {
                "resampled": "relabelled conditions, largest statistic",
                "false alarm": bool((null["p_max"] <= LEVEL).any()),
                "false alarm, one model": bool((null.loc[null["model"] == "model 0", "p_model"] <= LEVEL).any()),
                "false alarm, no correction": bool((null["p"] <= LEVEL).any()),
                "false alarm of the others": bool((some.loc[some["model"] != "model 0", "p_max"] <= LEVEL).any()),
                "related model found": bool((some.loc[some["model"] == "model 0", "p_max"] <= LEVEL).any()),
                "score": apart.score,
                "score, same data": apart.same_data,
            }
        )
    return found


def _unrelated(rng: Generator) -> tuple[RDMs, RDMs]:
    data, models = sweep(rng, CONDITIONS, SCALES, 1, np.zeros(SCALES))
    return data, models["model 0"]


PATHS: dict[str, Study] = {
    "one animal, 20 conditions": crossed(20, 1, 1, 1),
    "6 animals, 20 conditions": crossed(20, 6, 1, 1),
    "6 animals, 6 conditions": fixed(few_subjects, 6),
    "one animal, 6 conditions, 8 trials": fixed(few_trials, 8),
    "one animal, 5 sessions, 20 conditions": crossed(20, 1, 5, 1),
    "one animal, 6 sessions, 6 conditions": fixed(few_sessions, 6),
    "4 animals, 6 sessions each, 6 conditions": fixed(few_nested, 4),
    "5 animals, 3 sessions each, 20 conditions": crossed(20, 5, 3, 1),
    "one animal, 20 conditions, 5 seeds": crossed(20, 1, 1, 5),
    "5 animals, 20 conditions, 5 seeds": crossed(20, 5, 1, 5),
    "time scales": time_scales,
}
CONTROLS: dict[str, Study] = {
    "sessions counted as animals": fixed(sessions_as_animals, 4),
    "one of the seeds": crossed(40, 1, 1, 5, one_seed=True),
}


def rate(hits: "pd.Series[Any]") -> dict[str, Any]:
    """Return a proportion with its 95 % Clopper-Pearson interval."""
    k, n = int(hits.sum()), len(hits)
    low = stats.beta.ppf(0.025, k, n - k + 1) if k else 0.0
    high = stats.beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
    return {"value": k / n, "low": round(float(low), 4), "high": round(float(high), 4), "n": n}


def summarised(name: str, found: list[Outcome]) -> list[dict[str, Any]]:
    """Return one row per quantity of a path."""
    table = pd.DataFrame(found)
    rows = []
    for quantity in table.columns.drop("resampled"):
        if table[quantity].dtype == bool:
            rows.append({"path": name, "quantity": quantity, **rate(table[quantity])})
            continue
        mean, error = float(table[quantity].mean()), float(1.96 * table[quantity].std() / np.sqrt(len(table)))
        bounds = {"value": mean, "low": mean - error, "high": mean + error, "n": len(table)}
        rows.append({"path": name, "quantity": quantity, **bounds})
    return [{**row, "generalises over": str(table["resampled"].iloc[0])} for row in rows]


def failures(rows: pd.DataFrame) -> list[str]:
    """Return which false alarm rates lie above their level and which coverages below, beyond chance (1 in 1000)."""
    failed = []
    for row in rows.itertuples():
        hits = round(row.value * row.n)
        alarm = row.quantity in {"false alarm", "false alarm, one model", "false alarm of the others"}
        too_many = alarm and hits > stats.binom.ppf(0.999, row.n, LEVEL)
        if too_many or (row.quantity.startswith("covered") and hits < stats.binom.ppf(0.001, row.n, COVERAGE)):
            failed.append(f"{row.path}: {row.quantity}")
    return failed


def drawn(rows: pd.DataFrame) -> Figure:
    """Return the figure: rate of false alarms, coverage and power of every path."""
    panels: dict[str, tuple[dict[str, str], float, tuple[float, float]]] = {
        "False alarms at the 5 % level": ({"false alarm": "unrelated model"}, LEVEL, (0, 0.1)),
        "Coverage of 95 % intervals": ({"half": "similarity", "difference": "difference"}, COVERAGE, (0.85, 1.002)),
        "Power": ({"related model found": "half related", "told apart": "true against unrelated"}, np.nan, (0, 1.02)),
    }
    names = list(dict.fromkeys(rows["path"]))
    with style():
        figure = new_figure(DOUBLE_COLUMN, 85.0)
        for ax, (title, (labels, line, limits)) in zip(figure.subplots(1, 3, sharey=True), panels.items(), strict=True):
            for shift, ((quantity, label), colour) in enumerate(zip(labels.items(), PALETTE, strict=False)):
                ends = rows["quantity"].str.endswith(quantity) & ~rows["quantity"].str.endswith(f"other {quantity}")
                here = rows[ends].set_index("path")
                y = np.array([names.index(name) for name in here.index]) + 0.24 * shift - 0.12
                error = np.array([here["value"] - here["low"], here["high"] - here["value"]])
                ax.errorbar(here["value"], y, xerr=error, fmt="o", markersize=2.5, color=colour, label=label)
            ax.axvline(line, color=FAINT_COLOUR, linewidth=0.6, linestyle="--")
            ax.set(
                xlabel=title, yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5), xlim=limits
            )
            ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    return figure


def main(given: Iterable[str] | None = None) -> int:
    """Run the study and return 0 if every path holds what it says, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/calibration"))
    parser.add_argument("--experiments", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", help="run paths with one of these texts in the name; keep others of --out")
    options = parser.parse_args(None if given is None else list(given))
    number = 4 if options.quick else options.experiments
    begin = time.perf_counter()
    rows: list[dict[str, Any]] = []
    earlier = pd.read_csv(options.out / "calibration.csv") if options.only else pd.DataFrame()
    for k, (name, study) in enumerate({**PATHS, **CONTROLS}.items()):
        if options.only and not any(text in name for text in options.only):
            rows += earlier[earlier["path"] == name].to_dict("records")
            continue
        found = summarised(name, study(np.random.default_rng([options.seed, k]), number))
        rows += [{**row, "control": name in CONTROLS} for row in found]
        print(f"{time.perf_counter() - begin:6.0f} s  {name}", flush=True)
    table = pd.DataFrame(rows)
    judged_rows = table[~table["control"]]
    options.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out / "calibration.csv", index=False)
    drawn(judged_rows[judged_rows["path"] != "time scales"]).savefig(options.out / "calibration.png", dpi=200)
    failed = failures(judged_rows)
    metrics = {
        f"{row['path']}: {row['quantity']}": {
            "value": row["value"],
            "published": None,
            "source": f"ours, {row['n']} experiments, 95 % interval {row['low']:.3f} to {row['high']:.3f}",
        }
        for row in rows
    }
    results = {
        "study": "calibration",
        "failed": failed,
        "metrics": metrics,
        "seconds": round(time.perf_counter() - begin, 1),
        "provenance": provenance.collect(seed=options.seed, experiments=number),
    }
    (options.out / "results.json").write_text(json.dumps(results, indent=2, default=str) + "\n", encoding="utf-8")
    print(table.drop(columns=["generalises over", "control"]).to_string(index=False))
    print("every path holds what it says" if not failed else f"does not hold what it says: {'; '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
