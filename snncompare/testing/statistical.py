r"""Whether two backends give the same noisy network: agreement in distribution, with other seeds as the yardstick.

Every run with another seed is one draw. With the van Rossum distance :math:`d` between draws,

.. math::
    E = 2 \langle d(a, b) \rangle - \langle d(a, a') \rangle - \langle d(b, b') \rangle

is zero on average if both backends draw from the same distribution (energy distance; Szekely and Rizzo 2013, Journal of
Statistical Planning and Inference 143:1249). Its probability under exchanged labels is the test.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.backends.registry import compile as compile_network
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.representation.distances import distances
from snncompare.representation.metrics import VanRossum

__all__ = ["SameDistribution", "energy_test", "same_distribution"]

N_PERMUTATIONS = 2000


@dataclass(frozen=True)
class SameDistribution:
    """Result of the test.

    Attributes
    ----------
    name : str
    spikes : int
        Of all runs of the reference.
    within, between : float
        Mean distance of two runs of the reference with different seeds, and of a run of each backend.
    p : float
        Probability of so large an energy distance if the two draw from one distribution.
    """

    name: str
    spikes: int
    within: float
    between: float
    p: float

    @property
    def agrees(self) -> bool:
        """Whether nothing speaks against one distribution (at one percent)."""
        return self.p > 0.01


def energy_test(distance: NDArray[np.float64], first: int, *, seed: int = 0) -> tuple[float, float]:
    """Return energy distance and permutation probability of the first `first` draws against the others.

    Parameters
    ----------
    distance : array, shape (n, n)
        Between all draws, symmetric.
        With zeros on the diagonal.
    first : int
    seed : int
    """
    rng = np.random.default_rng(seed)
    n = len(distance)
    labels = np.zeros(n, dtype=bool)
    labels[:first] = True
    observed = float(_energies(distance, labels[None])[0])
    shuffled = _energies(distance, rng.permuted(np.tile(labels, (N_PERMUTATIONS, 1)), axis=1))
    p = (1 + int((shuffled >= observed - 1e-12 * abs(observed)).sum())) / (1 + N_PERMUTATIONS)
    return observed, p


def _energies(distance: NDArray[np.float64], ours: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the energy distance for every row of labels, shape (n_labellings, n)."""
    a, b = ours.astype(float), (~ours).astype(float)
    n_a, n_b = a.sum(axis=1), b.sum(axis=1)
    to_a, to_b = a @ distance, b @ distance
    between = (to_a * b).sum(axis=1) / (n_a * n_b)
    within: NDArray[np.float64] = (to_a * a).sum(axis=1) / (n_a * (n_a - 1)) + (to_b * b).sum(axis=1) / (
        n_b * (n_b - 1)
    )
    return 2 * between - within


def _mean_off_diagonal(block: NDArray[np.float64]) -> float:
    n = len(block)
    return float((block.sum() - np.trace(block)) / (n * (n - 1)))


def same_distribution(
    name: str,
    network: Network,
    backend: str,
    *,
    inputs: Callable[[int], dict[str, Recording]],
    duration: str,
    reference: str = "brian2",
    dt: str = "0.1 ms",
    runs: int = 8,
    tau: str = "20 ms",
    record: list[str] | None = None,
    changed: Network | None = None,
    seed: int = 1,
) -> SameDistribution:
    """Run a network several times on each of two backends, all with different seeds, and test for one distribution.

    Parameters
    ----------
    name : str
    network : Network
    backend, reference : str
    inputs : callable
        Trials to inputs of that many equal trials.
    duration, dt : str
    runs : int
        Draws of each backend.
    tau : str
        Time scale of the van Rossum distance.
    record : list of str, optional
        Populations whose spikes count.
    changed : Network, optional
        Another network for `backend`, as a negative control.
    seed : int
        Of weights and of the first run.
    """
    program = compile_network(network, reference, dt=dt, seed=seed)
    other = compile_network(changed or network, backend, dt=dt, seed=seed, weights=program.realisation)
    drawn = [
        chosen.run(inputs(1), duration=duration, seed=seed + 1000 * (k + 1) + offset, record=record)
        for chosen, offset in ((program, 0), (other, 500))
        for k in range(runs)
    ]
    matrix = distances(_joined(drawn), VanRossum(tau=tau)).to_numpy()
    _, p = energy_test(matrix, runs, seed=seed)
    within = _mean_off_diagonal(matrix[:runs, :runs])
    between = float(matrix[:runs, runs:].mean())
    return SameDistribution(name, sum(r.times.size for r in drawn[:runs]), within, between, p)


def _joined(recordings: list[Recording]) -> Recording:
    """Return the runs as trials of one recording."""
    parts, tables = [], []
    for k, recording in enumerate(recordings):
        _, unit = recording.spike_index()
        parts.append((recording.times, recording.units.index.to_numpy()[unit], np.full(unit.size, f"run {k}")))
        tables.append(recording.trials.iloc[:1].set_axis([f"run {k}"]))
    times, unit, trial = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Recording.from_arrays(
        times=times, unit=unit, trial=trial, units=recordings[0].units, trials=pd.concat(tables)
    )
