"""RDMs with labels, and rsatoolbox with a seed and without progress bars."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import xarray as xr
from rsatoolbox.rdm import RDMs
from scipy.spatial.distance import pdist, squareform

from snncompare.comparison.alignment import Aligned, MetricKey
from snncompare.representation.estimators import BetweenMinusWithin
from snncompare.representation.rdm import rdm_from_distances
from snncompare.representation.repeats.replicates import replicates


def labelled(vectors, conditions=None, *, metric="van Rossum", time_scale=None, **descriptors) -> RDMs:
    vectors = np.atleast_2d(np.asarray(vectors, dtype=float))
    n = round((1 + np.sqrt(1 + 8 * vectors.shape[1])) / 2)
    names = [f"c{k}" for k in range(n)] if conditions is None else list(conditions)
    scales = [np.nan] * len(vectors) if time_scale is None else list(time_scale)
    return RDMs(
        vectors.copy(),
        rdm_descriptors={"metric": [metric] * len(vectors), "time_scale": scales, **descriptors},
        pattern_descriptors={"condition": names},
    )


def aligned(data, models) -> Aligned:
    """Return one metric with data (n_subjects, n_pairs) and models (n_models, n_pairs)."""
    n = round((1 + np.sqrt(1 + 8 * data.shape[1])) / 2)
    names = tuple(str(k) for k in range(len(models)))
    return Aligned(tuple(range(n)), (MetricKey("m", np.nan),), tuple(range(len(data))), names, data[None], models[None])


def recorded(generator, truth, n_trials, noise, *, n_resamples=60, n_splits=20) -> tuple[RDMs, Any]:
    """Return RDM and replicates of noisy trials around points ``truth`` (n_conditions, n_dimensions)."""
    n, d = truth.shape
    points = (truth[:, None] + noise * generator.normal(size=(n, n_trials, d))).reshape(-1, d)
    distances = xr.DataArray(
        squareform(pdist(points))[None],
        dims=("metric", "trial", "trial_"),
        coords={"label": ("metric", ["m"]), "time_scale": ("metric", [0.02]), "euclidean": ("metric", [True])},
    )
    names = [f"c{k}" for k in range(n) for _ in range(n_trials)]
    seed = int(generator.integers(2**31))
    given = replicates(distances, names, BetweenMinusWithin(), n_resamples=n_resamples, n_splits=n_splits, seed=seed)
    return rdm_from_distances(distances, names, BetweenMinusWithin()), given


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    before = np.random.get_state()  # noqa: NPY002  rsatoolbox draws from the global generator
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


@pytest.fixture(autouse=True)
def _no_progress_bars(monkeypatch):
    monkeypatch.setattr("rsatoolbox.inference.evaluate.tqdm.trange", range)


@pytest.fixture(scope="session")
def make_rdms() -> Callable[..., RDMs]:
    return labelled


@pytest.fixture(scope="session")
def make_aligned() -> Callable[..., Aligned]:
    return aligned


@pytest.fixture(scope="session")
def record() -> Callable[..., Any]:
    return recorded


@pytest.fixture(scope="session")
def seeded_rsatoolbox() -> Callable[[int], Any]:
    return seeded
