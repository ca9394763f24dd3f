"""Is a model closer to the data than if the stimuli had nothing to do with it? Relabelling of conditions."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned, pair_numbers
from snncompare.comparison.measures import Measure
from snncompare.comparison.members import Members
from snncompare.comparison.resampling.draws import blocks, similarities

__all__ = ["Relabellings", "holm", "observed_similarity", "relabellings"]

Array = NDArray[np.float64]
Integers = NDArray[np.intp]

MOST_EXACT = 5040
MONTE_CARLO = 9999

# Similarities that differ by less than this are the same up to rounding, so that exact ties count.
ROUNDING = 1e-10


@dataclass(frozen=True, eq=False)
class Relabellings:
    """Orders in which the conditions of the data are renamed.

    Attributes
    ----------
    orders : integer array (n, n_conditions)
    exact : bool
        Whether these are all orders there are, the original included.
    """

    orders: Integers
    exact: bool

    @property
    def smallest_p(self) -> float:
        """The smallest p that can come out; larger still for a model with symmetries, see `attainable_p`."""
        return 1 / (len(self.orders) + (not self.exact))

    def attainable_p(self, models: Array) -> Array:
        r"""Return the smallest p that each model can reach, however well it fits, array (n_metrics, n_models).

        A renaming that leaves the RDM of the model as it is gives the similarity itself, whatever the data, so

        .. math:: p \ge \frac{|G|}{n!}, \qquad G = \{\pi : m_{\pi(i) \pi(j)} = m_{ij} \text{ for all } i, j\}

        for all orders; of random orders, 1 and those that happen to lie in G, over 1 + K.

        Parameters
        ----------
        models : array (n_metrics, n_models, n_pairs)
        """
        n = self.orders.shape[1]
        table, (first, second) = pair_numbers(n), np.triu_indices(n, 1)
        vectors, which = np.unique(models.reshape(-1, len(first)), axis=0, return_inverse=True)
        count = np.zeros(len(vectors))
        for part in blocks(len(self.orders), len(first)):
            renamed = table[self.orders[part][:, first], self.orders[part][:, second]]
            count += [_n_unchanged(vector, renamed) for vector in vectors]
        found = count / len(self.orders) if self.exact else (1 + count) / (1 + len(self.orders))
        return found[which.ravel()].reshape(models.shape[:2])

    def p_values(self, aligned: Aligned, measure: Measure) -> Array:
        r"""Return the one-sided p of each similarity, array (n_metrics, n_models).

        The null hypothesis: the conditions of the data could be exchanged without consequence for the model, i.e. no
        relation. With :math:`S_\pi` the similarity (mean over sessions, subjects and seeds) after renaming the
        conditions by :math:`\pi`,

        .. math:: p = \frac{1}{n!} \sum_\pi [S_\pi \ge S] \quad\text{(exact)},\qquad
                  p = \frac{1 + \sum_k [S_{\pi_k} \ge S]}{1 + K} \quad\text{(K random ones)}.

        Renamings that leave a symmetric model as it is tie with the original and count. Mantel (1967), Cancer Research
        27:209; Kriegeskorte, Mur and Bandettini (2008), Frontiers in Systems Neuroscience 2:4; the 1 + K:
        Phipson and Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9:39.

        The test speaks of the recorded animals and the given network instances. The rate of false alarms is measured
        in tests/comparison/test_inference_is_honest.py and analyses/calibration.
        """
        count = np.zeros((len(aligned.metrics), len(aligned.names)))
        observed = observed_similarity(aligned, measure)
        for part in self.similarities(aligned, measure):
            count += (part >= observed[..., None] - ROUNDING).sum(axis=2)
        return count / len(self.orders) if self.exact else (1 + count) / (1 + len(self.orders))

    def similarities(self, aligned: Aligned, measure: Measure) -> Iterator[Array]:
        """Yield the similarities after renaming the conditions, in blocks (n_metrics, n_models, n_orders of them)."""
        table = pair_numbers(len(aligned.conditions))
        first, second = np.triu_indices(len(aligned.conditions), 1)
        recordings, instances = aligned.recordings, aligned.instances
        groups = _subjects_of_equal_weight(recordings)
        for part in blocks(len(self.orders), len(first)):
            order = self.orders[part]
            renamed = table[order[:, first], order[:, second]]
            found = np.empty((len(aligned.metrics), len(aligned.names), len(order)))
            for k, models in enumerate(instances.vectors):
                each = [measure.relabelled(recordings.vectors[k, rows], models, renamed) for rows in groups]
                found[k] = instances.averaged(np.mean(each, axis=0), axis=1).T
            yield found


def observed_similarity(aligned: Aligned, measure: Measure) -> Array:
    """Return the similarities, means over sessions, animals and network instances: (n_metrics, n_models)."""
    return aligned.instances.averaged(similarities(aligned, measure).mean(axis=1), axis=1)


def _subjects_of_equal_weight(recordings: Members) -> list[Integers]:
    """Return sets of recordings whose plain means have the same weight in the mean over animals."""
    if (recordings.number == recordings.number[0]).all():
        return [np.arange(recordings.n_members)]
    return [np.flatnonzero(recordings.owner == subject) for subject in range(len(recordings.number))]


def _n_unchanged(vector: Array, renamed: Integers) -> int:
    """Return how many rows of renamed pairs leave the vector as it is; a few pairs rule out almost all of them."""
    nearly = ROUNDING * np.abs(vector).max()
    few = slice(0, 12)
    left = (np.abs(vector[renamed[:, few]] - vector[few]) <= nearly).all(axis=1)
    return int((np.abs(vector[renamed[left]] - vector) <= nearly).all(axis=1).sum())


def relabellings(n_conditions: int, seed: int, n_random: int | None = None) -> Relabellings:
    """Return all orders of the conditions where there are at most 5040 (7 conditions), else random ones (9999)."""
    if math.factorial(n_conditions) <= MOST_EXACT:
        return Relabellings(np.array(list(itertools.permutations(range(n_conditions)))), exact=True)
    generator = np.random.default_rng(seed)
    rows = np.tile(np.arange(n_conditions), (MONTE_CARLO if n_random is None else n_random, 1))
    return Relabellings(generator.permuted(rows, axis=1), exact=False)


def holm(p: Array) -> Array:
    r"""Return p values corrected for their number by Holm's step-down method.

    Sorted upwards, :math:`\tilde p_{(k)} = \max_{j \le k} \min(1, (m - j + 1)\, p_{(j)})`. Holm (1979),
    Scandinavian Journal of Statistics 6:65. Holds under any dependence between the tests.

    Parameters
    ----------
    p : array of any shape
        nan where there is no test; these do not count.
    """
    flat = np.ravel(p)
    corrected = np.full(flat.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(flat))
    order = tested[np.argsort(flat[tested], kind="stable")]
    factors = len(order) - np.arange(len(order))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(factors * flat[order])) if len(order) else 0.0
    return corrected.reshape(np.shape(p))
