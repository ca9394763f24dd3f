"""Distances between trials into dissimilarities between conditions."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import instance
from snncompare.representation.conditions import Conditions
from snncompare.representation.pair_sums import apart, ordered_sums, pair_counts, weighted_sums

__all__ = [
    "BetweenMinusWithin",
    "Estimator",
    "MeanDistance",
    "PairEstimator",
    "checked_estimator",
    "default_estimator",
]

Blocks = Iterable[tuple[range, range, NDArray[np.float64]]]


class Estimator(ABC):
    """How the distances between trials become one dissimilarity per pair of conditions.

    Attributes
    ----------
    trials_needed : int
        Smallest number of trials of each condition.
    across : str or None
        Column of the trials table such that only trials that differ in it are paired; None pairs all trials.
    """

    trials_needed: ClassVar[int]
    across: str | None = None

    @abstractmethod
    def estimate(
        self,
        distances: NDArray[np.float64],
        euclidean: NDArray[np.bool_],
        conditions: Conditions,
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return dissimilarities ``(n_metrics, n_samples, n_pairs)``.

        Parameters
        ----------
        distances : array (n_metrics, n_trials, n_trials)
            Symmetric, zero diagonal.
        euclidean : array (n_metrics,)
            Which metrics are Euclidean.
        conditions : Conditions
            Of the trials.
        weights : array (n_samples, n_trials)
            How often each trial occurs in each sample: ones for the data as they are, multiplicities for a bootstrap
            sample, zeros and ones for a part of the trials. A trial is never paired with itself or its own copies.

        Returns
        -------
        array (n_metrics, n_samples, n_pairs)
            Pairs of conditions in the order of the upper triangle.
        """

    def check(self, conditions: Conditions) -> None:
        """Raise an `InputError` if a condition has too few trials for this estimator."""
        conditions.require_trials(self.trials_needed, type(self).__name__)


class PairEstimator(Estimator):
    """An estimator that needs no more than sums over pairs of trials, so that it can be fed block by block.

    Attributes
    ----------
    squares : bool
        Whether the distances of Euclidean metrics are squared before they are added.
    """

    squares: ClassVar[bool]

    @abstractmethod
    def combine(self, sums: NDArray[np.float64], pairs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return dissimilarities ``(..., n_pairs)`` from sums over pairs of trials and the numbers of these pairs.

        Parameters
        ----------
        sums, pairs : arrays (..., n_conditions, n_conditions)
            Over ordered pairs of different trials; within a condition on the diagonal.
        """

    def estimate(
        self,
        distances: NDArray[np.float64],
        euclidean: NDArray[np.bool_],
        conditions: Conditions,
        weights: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return dissimilarities ``(n_metrics, n_samples, n_pairs)``; see `Estimator.estimate`."""
        self.check(conditions)
        relevant, every = self._grouped(conditions), range(conditions.n_all)
        pairs = pair_counts(weights, relevant)
        return np.stack(
            [
                self.combine(
                    weighted_sums(self._terms(one[None], square, relevant, every, every)[0], relevant, weights), pairs
                )
                for one, square in zip(distances, np.asarray(euclidean)[:, None], strict=True)
            ]
        )

    def from_blocks(self, blocks: Blocks, euclidean: NDArray[np.bool_], conditions: Conditions) -> NDArray[np.float64]:
        """Return dissimilarities ``(n_metrics, n_pairs)`` of all trials, each once.

        Parameters
        ----------
        blocks : iterable of (rows, columns, distances (n_metrics, n_rows, n_columns))
            The blocks on and above the diagonal, row by row. How the matrix is cut does not change a digit.
        euclidean : array (n_metrics,)
        conditions : Conditions
        """
        self.check(conditions)
        relevant = self._grouped(conditions)
        sums, pairs = self.sums_from_blocks(blocks, euclidean, relevant)
        return self.combine(sums, pairs)

    def sums_from_blocks(
        self, blocks: Blocks, euclidean: NDArray[np.bool_], conditions: Conditions
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the sums ``(n_metrics, n_conditions, n_conditions)`` and how many pairs are in them."""
        relevant = self._grouped(conditions)
        terms = ((rows, columns, self._terms(d, euclidean, relevant, rows, columns)) for rows, columns, d in blocks)
        pairs = pair_counts(np.ones((1, relevant.n_all)), relevant)[0]
        return ordered_sums(terms, len(euclidean), relevant), pairs

    def _grouped(self, conditions: Conditions) -> Conditions:
        """Forget the groups that this estimator does not ask for."""
        return Conditions(conditions.labels, conditions.index) if self.across is None else conditions

    def _terms(
        self,
        distances: NDArray[np.float64],
        euclidean: NDArray[np.bool_],
        conditions: Conditions,
        rows: range,
        columns: range,
    ) -> NDArray[np.float64]:
        terms = distances
        if self.squares and np.any(euclidean):
            terms = np.where(np.asarray(euclidean)[:, None, None], distances**2, distances)
        return terms if conditions.group is None else np.where(apart(conditions, rows, columns), terms, 0.0)


def _upper(values: NDArray[np.float64]) -> NDArray[np.float64]:
    first, second = np.triu_indices(values.shape[-1], k=1)
    return values[..., first, second]


@final
@dataclass(frozen=True)
class MeanDistance(PairEstimator):
    r"""Mean distance over all pairs of trials, one of each condition.

    .. math:: d(a, b) = \frac{1}{n_a n_b} \sum_{i \in a} \sum_{j \in b} D_{ij}

    Biased upwards by the noise between trials: two conditions with the same response are as far apart as two trials
    of one of them. It is the only choice where a condition has a single trial; else use `BetweenMinusWithin`.
    """

    trials_needed: ClassVar[int] = 1
    squares: ClassVar[bool] = False

    def combine(self, sums: NDArray[np.float64], pairs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the means between conditions; see `PairEstimator.combine`."""
        return _upper(sums) / _upper(pairs)


@final
@dataclass(frozen=True, repr=False)
class BetweenMinusWithin(PairEstimator):
    r"""Mean between the conditions minus the mean within them, over pairs of different trials (a U-statistic).

    .. math::

        d(a, b) = \frac{1}{|P_{ab}|} \sum_{(i,j) \in P_{ab}} S_{ij}
        - \frac{1}{2 |P_{aa}|} \sum_{(i,i') \in P_{aa}} S_{ii'}
        - \frac{1}{2 |P_{bb}|} \sum_{(j,j') \in P_{bb}} S_{jj'}

    where :math:`P_{ab}` holds all pairs of different trials, one of condition a and one of b (:math:`n_a n_b` pairs
    between, :math:`n_a (n_a - 1)` within).

    For a Euclidean metric :math:`S = D^2` is the squared distance and :math:`d` is an unbiased estimate of the squared
    distance between the mean responses (the squared maximum mean discrepancy of Gretton et al. 2012, lemma 6). For
    any other metric :math:`S = D`, the energy-distance form, zero on average for conditions with the same responses,
    without a guarantee that it is positive for others. Single estimates may be negative: that is what keeps the mean
    right.

    With ``across="session"`` the pairs are those of trials of *different* sessions (or runs, or whatever the column of
    the trials table names), so that noise shared inside a session enters no pair, neither between nor within. On
    spike counts, where every condition has equally many trials in every session, this is the crossnobis estimator
    with the sessions as folds and without noise normalisation (Walther et al. 2016, eq. 8); rsatoolbox divides by the
    number of channels on top. Where trials are missing, all pairs still count equally; the mean is then right if
    sessions are equally noisy. (rsatoolbox's ``calc_rdm_unbalanced`` averages products instead of distances, so there
    its estimate depends on where the origin lies, and is noisier the further away that is.)

    A bootstrap sample holds copies of trials; a copy is not a new trial, so pairs of copies are left out of sum and
    count alike.

    Parameters
    ----------
    across : str, optional
        Column of the trials table. Every condition needs trials of two different values.

    References
    ----------
    Gretton et al. 2012, J. Mach. Learn. Res. 13:723. Naud, Gerhard, Mensi & Gerstner 2011, Neural Comput. 23:3016.
    Walther et al. 2016, NeuroImage 137:188.
    """

    across: str | None = None

    trials_needed: ClassVar[int] = 2
    squares: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.across is not None and (not isinstance(self.across, str) or not self.across):
            raise InputError(f"BetweenMinusWithin.across must be a column of the trials table, got {self.across!r}.")

    def __repr__(self) -> str:
        return f"BetweenMinusWithin({'' if self.across is None else f'across={self.across!r}'})"

    def check(self, conditions: Conditions) -> None:
        """Raise an `InputError` if a condition has too few trials, or too few sessions to pair across them."""
        super().check(conditions)
        if self.across is None:
            return
        if conditions.across != self.across:
            raise InputError(
                f"{self!r} needs the '{self.across}' of every trial; give Conditions.of(recording, by, "
                f"across={self.across!r}) instead of plain labels."
            )
        shortage = conditions.group_shortage(2)
        if shortage:
            raise InputError(
                f"{self!r} needs trials of 2 different values of '{self.across}' per condition; {shortage}."
            )

    def combine(self, sums: NDArray[np.float64], pairs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the means between minus those within; see `PairEstimator.combine`."""
        means = sums / pairs
        within = np.diagonal(means, axis1=-2, axis2=-1)
        return _upper(means) - _upper(within[..., :, None] + within[..., None, :]) / 2


def default_estimator(conditions: Conditions) -> Estimator:
    """Return `BetweenMinusWithin` if every condition has two trials or more, else `MeanDistance`."""
    enough = bool((conditions.n_trials >= BetweenMinusWithin.trials_needed).all())
    return BetweenMinusWithin() if enough else MeanDistance()


def checked_estimator(estimator: Estimator | None) -> Estimator | None:
    """Return the estimator that was given, or None; refuse anything else, the class itself included.

    Raises
    ------
    InputError
    """
    example = "an estimator such as BetweenMinusWithin() or MeanDistance()"
    return None if estimator is None else instance(estimator, Estimator, "estimator", example)  # type: ignore[type-abstract]
