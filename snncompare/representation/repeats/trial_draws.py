"""Trials drawn with replacement, and trials split in halves: singly within conditions, or in whole sessions."""

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.conditions import Conditions
from snncompare.representation.estimators import Estimator

__all__ = ["draw_samples", "split_in_halves"]

Draws = tuple[NDArray[np.float64] | None, str]

MOST_ROUNDS = 100
"""How often samples of sessions in which a condition is too rare are drawn again."""


def draw_samples(conditions: Conditions, n_samples: int, estimator: Estimator, rng: np.random.Generator) -> Draws:
    """Draw how often each trial occurs in each bootstrap sample: ``(n_samples, n_trials)``, or say why not.

    A sample that holds only copies of fewer trials (or sessions) than the estimator needs is drawn again.
    """
    needed = estimator.trials_needed
    if estimator.across is None:
        reason = _few_trials(conditions, needed + 1, "a bootstrap of trials", estimator)
        return (None, reason) if reason else (_multiplicities(conditions, n_samples, needed, rng), "")
    what = f"a bootstrap of '{estimator.across}'"
    reason = _few_groups(conditions, needed + 1, what, estimator)
    return (None, reason) if reason else _whole_groups(conditions, n_samples, needed, what, rng)


def split_in_halves(conditions: Conditions, n_splits: int, estimator: Estimator, rng: np.random.Generator) -> Draws:
    """Draw which trials form the first half in each split, as ones ``(n_splits, n_trials)``, or say why not."""
    needed = estimator.trials_needed
    if estimator.across is None:
        reason = _few_trials(conditions, 2 * needed, "split halves", estimator)
        return (None, reason) if reason else (_halves(conditions, n_splits, rng), "")
    what = f"split halves of '{estimator.across}'"
    reason = _few_groups(conditions, 2 * needed, what, estimator)
    return (None, reason) if reason else _halved_groups(conditions, n_splits, needed, what, rng)


def _few_trials(conditions: Conditions, needed: int, what: str, estimator: Estimator) -> str:
    shortage = conditions.shortage(needed)
    if not shortage:
        return ""
    return f"{what} with {type(estimator).__name__} needs at least {needed} trials of every condition; {shortage}"


def _few_groups(conditions: Conditions, needed: int, what: str, estimator: Estimator) -> str:
    shortage = conditions.group_shortage(needed)
    if not shortage:
        return ""
    return f"{what} with {estimator!r} needs every condition in at least {needed}; {shortage}"


def _multiplicities(
    conditions: Conditions, n_samples: int, least_different: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    drawn = np.zeros((n_samples, conditions.index.size))
    for condition in range(conditions.n_conditions):
        of = np.flatnonzero(conditions.index == condition)
        todo = np.arange(n_samples)
        while todo.size:
            drawn[np.ix_(todo, of)] = rng.multinomial(of.size, np.full(of.size, 1.0 / of.size), size=todo.size)
            todo = todo[(drawn[np.ix_(todo, of)] > 0).sum(axis=1) < least_different]
    return drawn


def _halves(conditions: Conditions, n_splits: int, rng: np.random.Generator) -> NDArray[np.float64]:
    first = np.zeros((n_splits, conditions.index.size))
    for condition in range(conditions.n_conditions):
        of = np.flatnonzero(conditions.index == condition)
        first[:, of] = _random_half(of.size, n_splits, rng)
    return first


def _random_half(n: int, n_splits: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw which of n form the first half; of an odd number, the odd one goes to either half by chance."""
    rank = rng.permuted(np.tile(np.arange(n), (n_splits, 1)), axis=1)
    size = n // 2 + rng.integers(0, n % 2 + 1, size=(n_splits, 1))
    return rank < size


def _whole_groups(conditions: Conditions, n_samples: int, needed: int, what: str, rng: np.random.Generator) -> Draws:
    present = conditions.in_group
    n_groups = present.shape[1]
    drawn = np.zeros((n_samples, n_groups))
    todo = np.arange(n_samples)
    for _ in range(MOST_ROUNDS):
        drawn[todo] = rng.multinomial(n_groups, np.full(n_groups, 1.0 / n_groups), size=todo.size)
        todo = todo[_too_rare(drawn[todo] > 0, present, needed)]
        if not todo.size:
            return drawn[:, conditions.group], ""
    return None, _unlucky(what, needed)


def _halved_groups(conditions: Conditions, n_splits: int, needed: int, what: str, rng: np.random.Generator) -> Draws:
    present = conditions.in_group
    first = np.zeros((n_splits, present.shape[1]), dtype=bool)
    todo = np.arange(n_splits)
    for _ in range(MOST_ROUNDS):
        first[todo] = _random_half(present.shape[1], todo.size, rng)
        todo = todo[_too_rare(first[todo], present, needed) | _too_rare(~first[todo], present, needed)]
        if not todo.size:
            return first[:, conditions.group].astype(np.float64), ""
    return None, _unlucky(what, needed)


def _too_rare(chosen: NDArray[np.bool_], present: NDArray[np.bool_], needed: int) -> NDArray[np.bool_]:
    """Return which samples have a condition in fewer than ``needed`` different groups."""
    in_groups = chosen.astype(np.int64) @ present.T.astype(np.int64)
    return in_groups.min(axis=1) < needed


def _unlucky(what: str, needed: int) -> str:
    return (
        f"{what}: {MOST_ROUNDS} draws did not find samples that have every condition {needed} times; the conditions "
        "are spread too thinly"
    )
