"""Rate, first-spike latency and residual timing: what the RDM of a recording, and a model's fit to it, are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.comparison.alignment import align, pair_numbers, pair_order
from snncompare.comparison.precision.variance_partition import commonality, explained, increment_p, increments
from snncompare.errors import InputError, UnsupportedError
from snncompare.recording.arguments import whole_number
from snncompare.recording.recording import Recording
from snncompare.recording.surrogates import ExchangedAfterFirst, ExchangedTimes, Surrogate
from snncompare.representation.conditions import Conditions
from snncompare.representation.estimators import Estimator, checked_estimator, default_estimator
from snncompare.representation.labelled import labelled_rdms
from snncompare.representation.metrics import Metric
from snncompare.representation.pooled_conditions import condition_dissimilarities
from snncompare.representation.rdm import rdm

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["COMPONENTS", "Decomposition", "decompose"]

Array = NDArray[np.float64]

COMPONENTS = ("rate", "latency", "timing")
"""What counts tell; what first spikes tell beyond; what all spike times tell beyond both."""


@dataclass(frozen=True, eq=False)
class Decomposition:
    """Components of an RDM, and how much of the variance of data and models each explains.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per response (``"data"`` and the models) and component: ``attributed``, the variance that it explains
        beyond the components before it; ``unique``, beyond all others; ``alone``, by itself; ``p`` of ``attributed``.
        The row ``"unexplained"`` makes ``attributed`` add up to 1.
    commonality : pandas.DataFrame
        One row per response and set of components (``"rate + timing"``): ``share``, the variance that these explain in
        common and no other does. The shares of a response add up to all that is explained.
    components : rsatoolbox.rdm.RDMs
        The three RDMs, in the order of ``rdm_descriptors["name"]``; they add up to the RDM of the recording.
    metric : Metric
    seed : int
    provenance : dict
    """

    table: pd.DataFrame
    commonality: pd.DataFrame
    components: "RDMs"
    metric: Metric
    seed: int
    provenance: dict[str, Any] = field(default_factory=dict)


def decompose(
    recording: Recording,
    by: str,
    metric: Metric,
    models: "Mapping[str, RDMs] | None" = None,
    *,
    estimator: Estimator | None = None,
    n_surrogates: int = 20,
    n_splits: int = 10,
    n_permutations: int = 999,
    seed: int = 0,
) -> Decomposition:
    r"""Split the RDM of a recording into what rate, first-spike latency and residual timing give to it.

    The components are differences of expectations under surrogates of the same spikes, in one metric:

    .. math::

        D_\text{rate} = E[D \mid n], \qquad
        D_\text{latency} = E[D \mid n, t_1] - E[D \mid n], \qquad
        D_\text{timing} = D - E[D \mid n, t_1]

    given the counts n (`ExchangedTimes`), and given counts and first spikes :math:`t_1` (`ExchangedAfterFirst`). They
    add up to D, and D of a code by rate only has a rate component only, however saturated the metric is. Regressing
    latencies on counts could not do that: two noisy RDMs of the same code each explain what the other leaves.

    Then the variance of a *response* is partitioned by regression on the components with non-negative weights, see
    `snncompare.comparison.precision.variance_partition`. Components stand in the order of the information they use,
    so each is attributed what simpler ones do not explain; ``unique`` and ``commonality`` do not depend on the order.
    Responses:

    - each model's RDM, on the components of all trials: which part of the data's code the model shares;
    - ``"data"``: the RDM of one half of the trials, on the components of the other half, mean over random splits.
      Noise is not explained by the other half and stays in ``"unexplained"``.

    Parameters
    ----------
    recording : Recording
        With trials of one common window.
    by : str
        Column of the trials table that names the condition.
    metric : Metric
        For example ``VanRossum("10 ms")``.
    models : mapping of name to rsatoolbox.rdm.RDMs, optional
        As in `snncompare.comparison.compare.compare`.
    estimator : Estimator, optional
        As in `snncompare.representation.rdm.rdm`.
    n_surrogates : int
        Per expectation; each half of them makes its own components for the regression.
    n_splits : int
        0 leaves the response ``"data"`` out.
    n_permutations : int
        Of the test, see `snncompare.comparison.precision.variance_partition.increment_p`.
    seed : int

    Raises
    ------
    InputError
        If recording and models do not fit together, a condition has too few trials for two halves, or there is nothing
        to partition.
    """
    _check(recording, metric, models, n_surrogates=n_surrogates, n_splits=n_splits, n_permutations=n_permutations)
    conditions = Conditions.of(recording, by)
    chosen = checked_estimator(estimator) or default_estimator(conditions)
    chosen.check(Conditions.of(recording, by, chosen.across))
    rng = np.random.default_rng(whole_number("seed", seed, 0))

    def parts(of: Recording) -> tuple[Array, Array, Array]:
        every, exact, apart = _components(of, by, metric, chosen, n_surrogates, rng)
        order = pair_order(Conditions.of(of, by).labels, conditions.labels, "half of the trials")
        return every[order], exact[:, order], apart[:, order]

    _, components, apart = parts(recording)
    cases: dict[str, list[tuple[Array, Array]]] = {}
    if n_splits:
        cases["data"] = []
        _require_halves(conditions, chosen)
        for _ in range(n_splits):
            (d_1, _, c_1), (d_2, _, c_2) = (parts(half) for half in _halves(recording, conditions, rng))
            cases["data"] += [(d_2, c_1), (d_1, c_2)]
    if models:
        aligned = align(rdm(recording, metric, by, chosen), models)
        cases |= {name: [(aligned.models[0, m], apart)] for m, name in enumerate(aligned.names)}
    renamed = _renamed_pairs(conditions.n_conditions, n_permutations, rng)
    tables = [_partition(name, several, renamed) for name, several in cases.items()]
    return Decomposition(
        table=pd.concat([table for table, _ in tables], ignore_index=True),
        commonality=pd.concat([shares for _, shares in tables], ignore_index=True),
        components=labelled_rdms(
            components,
            conditions.labels,
            metric=[metric.label] * 3,
            time_scale=[metric.time_scale] * 3,
            name=list(COMPONENTS),
            estimator=repr(chosen),
        ),
        metric=metric,
        seed=int(seed),
        provenance=_provenance(metric, chosen, n_surrogates, n_splits, n_permutations, seed),
    )


def _components(
    recording: Recording, by: str, metric: Metric, estimator: Estimator, n: int, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Return the dissimilarities ``(n_pairs,)`` and their components ``(3, n_pairs)``, exact and for regression.

    The exact components share the noise of the surrogates with opposite signs, which would let one explain what the
    noise of the other hides; those for regression come from one half of the surrogates each.
    """

    def expected(surrogate: Surrogate) -> Array:
        seeds = rng.integers(2**32, size=n).tolist()
        moved = [condition_dissimilarities(surrogate.apply(recording, k), [metric], by, estimator)[0] for k in seeds]
        return np.stack([np.mean(moved[0::2], axis=0), np.mean(moved[1::2], axis=0)])

    every = condition_dissimilarities(recording, [metric], by, estimator)[0]
    counts, first = expected(ExchangedTimes()), expected(ExchangedAfterFirst())
    exact = np.stack([counts.mean(axis=0), (first - counts).mean(axis=0), every - first.mean(axis=0)])
    apart = np.stack([counts[0], first[0] - counts[1], every - first[1]])
    return every, exact, apart


def _partition(
    name: str, cases: list[tuple[Array, Array]], renamed: NDArray[np.intp]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    shares = [explained(response[None], components) for response, components in cases]
    mean = {subset: np.mean([case[subset] for case in shares], axis=0) for subset in shares[0]}
    attributed, common = increments(mean)[:, 0], {s: float(c[0]) for s, c in commonality(mean).items()}
    table = pd.DataFrame(
        {
            "response": name,
            "component": [*COMPONENTS, "unexplained"],
            "attributed": [*attributed, 1 - attributed.sum()],
            "unique": [*(common[(k,)] for k in range(len(COMPONENTS))), np.nan],
            "alone": [*(float(mean[(k,)][0]) for k in range(len(COMPONENTS))), np.nan],
            "p": [*increment_p(cases, renamed), np.nan],
        }
    )
    words = [" + ".join(COMPONENTS[k] for k in subset) for subset in common]
    return table, pd.DataFrame({"response": name, "components": words, "share": list(common.values())})


def _halves(recording: Recording, conditions: Conditions, rng: np.random.Generator) -> tuple[Recording, Recording]:
    """Return two recordings with half of the trials of every condition each."""
    first = np.zeros(recording.n_trials, dtype=bool)
    for condition in range(conditions.n_conditions):
        rows = rng.permutation(np.flatnonzero(conditions.index == condition))
        first[rows[: rows.size // 2]] = True
    return recording.select(trials=first), recording.select(trials=~first)


def _require_halves(conditions: Conditions, estimator: Estimator) -> None:
    if estimator.across is not None:
        raise UnsupportedError(
            f"the data's own variance is told from halves of single trials, and {estimator!r} needs whole values of "
            f"'{estimator.across}' in each half. Give models and n_splits=0 to decompose their fit only."
        )
    shortage = conditions.shortage(2 * estimator.trials_needed)
    if shortage:
        raise InputError(
            f"the data's own variance needs two halves of at least {estimator.trials_needed} trials of every "
            f"condition; {shortage}. Give models and n_splits=0 to decompose their fit only."
        )


def _renamed_pairs(n_conditions: int, n: int, rng: np.random.Generator) -> NDArray[np.intp]:
    orders = rng.permuted(np.tile(np.arange(n_conditions), (n, 1)), axis=1)
    first, second = np.triu_indices(n_conditions, 1)
    return pair_numbers(n_conditions)[orders[:, first], orders[:, second]]


def _check(recording: object, metric: object, models: object, **numbers: object) -> None:
    if not isinstance(recording, Recording):
        raise InputError(f"recording must be a Recording, got {type(recording).__name__}.")
    if not isinstance(metric, Metric):
        raise InputError(f"metric must be one metric such as VanRossum(tau='10 ms'), got {metric!r}.")
    least = {"n_surrogates": 2, "n_splits": 0, "n_permutations": 19}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least[name]:
            raise InputError(f"{name} must be a whole number of at least {least[name]}, got {value!r}.")
    if models is not None and not isinstance(models, Mapping):
        raise InputError(f"models must be a mapping such as {{'my model': rdms}}, got {type(models).__name__}.")
    if not models and not numbers["n_splits"]:
        raise InputError("there is nothing to partition: give models, or n_splits above 0 for the data themselves.")


def _provenance(
    metric: Metric, estimator: Estimator, n_surrogates: int, n_splits: int, n_permutations: int, seed: int
) -> dict[str, Any]:
    from snncompare.provenance import collect

    return collect(
        seed=int(seed),
        metric=repr(metric),
        estimator=repr(estimator),
        n_surrogates=int(n_surrogates),
        n_splits=int(n_splits),
        n_permutations=int(n_permutations),
    )
