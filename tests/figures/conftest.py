"""Synthetic recordings, matrices and results of a realistic size."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from snncompare.recording.recording import Recording

MODELS = ("SRNN, BPTT", "SRNN, e-prop", "SRNN, untrained", "Burst microcircuit", "Envelope", "Rate only")


def poisson_recording(n_units=40, repeats=1, duration=10.0, sounds=("sound 1", "sound 2"), rate=8.0, seed=0):
    rng = np.random.default_rng(seed)
    trials = pd.DataFrame(
        [{"start": 0.0, "stop": duration, "sound": s, "repeat": r} for s in sounds for r in range(repeats)],
        index=[f"{s} #{r}" for s in sounds for r in range(repeats)],
    )
    units = pd.DataFrame({"population": ["hidden"] * n_units}, index=[f"u{i}" for i in range(n_units)])
    times, unit, trial = [], [], []
    for name, row in trials.iterrows():
        phase = 0.4 * sounds.index(row["sound"])
        for i, u in enumerate(units.index):
            mean = rate * (i % 7 + 0.2) / 3.2
            t = np.sort(rng.uniform(0, duration, rng.poisson(2 * mean * duration)))
            t = t[rng.uniform(size=t.size) < 0.5 * (1 + np.sin(2 * np.pi * (3 * t + phase)))]
            times.append(t)
            unit += [u] * t.size
            trial += [name] * t.size
    return Recording.from_arrays(times=np.concatenate(times), unit=unit, trial=trial, units=units, trials=trials)


def synthetic_result(
    models=MODELS, scales=(1, 2, 5, 10, 20, 50, 100), metrics=("Victor-Purpura", "van Rossum"), seed=0
):
    rng = np.random.default_rng(seed)
    rows, pairs = [], []
    for metric in metrics:
        for scale in scales:
            bump = np.exp(-0.5 * (np.log10(scale / 12) / 0.6) ** 2)
            for i, model in enumerate(models):
                value = bump * (0.34 - 0.06 * i) + rng.normal(0, 0.008)
                p = 0.0005 if value > 0.09 else 0.3
                rows.append(
                    (
                        model,
                        metric,
                        scale * 1e-3,
                        value,
                        value - 0.06,
                        value + 0.06,
                        p,
                        min(1, 6 * p),
                        0.30 * bump + 0.1,
                        0.36 * bump + 0.14,
                        "partial",
                    )
                )
            for i, a in enumerate(models):
                for j, b in enumerate(models[i + 1 :], i + 1):
                    d = 0.06 * (j - i) * bump
                    pairs.append((metric, scale * 1e-3, a, b, d, d - 0.08, d + 0.08, 0.01, 0.01 if d > 0.1 else 0.5))
    columns = [
        "model",
        "metric",
        "time_scale",
        "similarity",
        "ci_low",
        "ci_high",
        "p",
        "p_corrected",
        "ceiling_low",
        "ceiling_high",
        "verdict",
    ]
    pair_columns = ["metric", "time_scale", "model_a", "model_b", "difference", "ci_low", "ci_high", "p", "p_corrected"]
    return SimpleNamespace(
        table=pd.DataFrame(rows, columns=columns),
        differences=pd.DataFrame(pairs, columns=pair_columns),
        measure=SimpleNamespace(label="Spearman"),
        statements=("The noise ceiling is low.",),
    )


def synthetic_rdm(n, seed, structure=1.0):
    rng = np.random.default_rng(seed)
    points = np.column_stack([np.cos(np.arange(n) / 5), np.sin(np.arange(n) / 7), np.arange(n) >= n // 2])
    points = structure * points + rng.normal(0, 0.6, points.shape)
    return np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1))


@pytest.fixture(scope="session")
def animal():
    return poisson_recording(n_units=1, repeats=5, rate=400.0, seed=1)


@pytest.fixture(scope="session")
def model():
    return poisson_recording(n_units=60, seed=2)


@pytest.fixture
def result():
    return synthetic_result()


@pytest.fixture(scope="session")
def make_result():
    return synthetic_result


@pytest.fixture(scope="session")
def make_rdm():
    return synthetic_rdm


@pytest.fixture(scope="session")
def models():
    return MODELS


@pytest.fixture(scope="session")
def envelope():
    t = np.arange(0, 10, 0.001)
    return pd.Series(np.abs(np.sin(2 * np.pi * 1.5 * t)) * (1 + 0.3 * np.sin(2 * np.pi * 11 * t)), index=t)
