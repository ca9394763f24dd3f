"""What spike timing contributes to the match of a model: similarity of the recording against that of its surrogates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned, align
from snncompare.comparison.measures import Measure, Spearman, check_measure
from snncompare.comparison.permutation import ROUNDING
from snncompare.comparison.wording import time_words
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.recording.surrogates import Surrogate, WindowedJitter
from snncompare.representation.conditions import Conditions
from snncompare.representation.distances import several_metrics
from snncompare.representation.estimators import Estimator, checked_estimator, default_estimator
from snncompare.representation.metrics import Metric
from snncompare.representation.pooled_conditions import condition_dissimilarities
from snncompare.representation.rdm import rdm
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["TimingContribution", "surrogate_similarities", "timing_contribution"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TimingContribution:
    """Similarity of models with a recording, and with its surrogates at every width.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per model, metric, time scale and width (seconds): ``similarity`` of the recording; ``surrogate``, the
        mean over surrogates; ``surrogate_low`` and ``surrogate_high``, beyond which a share of
        ``level`` of the surrogates lies at any time scale; ``contribution``, similarity minus surrogate; ``p`` of one
        width and time scale; ``p_corrected`` for all of the model's.
    level : float
        Of the tests.
    n_surrogates : int
        Per width.
    surrogate : str
        What was done to the spikes, in words.
    seed : int
    provenance : dict
    """

    table: pd.DataFrame
    level: float
    n_surrogates: int
    surrogate: str
    seed: int
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def breaking_width(self) -> "pd.Series[float]":
        """The width at which the match breaks, seconds, by model; not a number where no width breaks it.

        The smallest width from which on the similarity of the recording lies above the band of the surrogates, at one
        time scale at least.
        """
        breaks = self.table["width"].where(self.table["p_corrected"] <= self.level)
        return breaks.groupby(self.table["model"], sort=False).min().rename("breaking_width")

    def summary(self) -> str:
        """Return one sentence per model."""
        return "\n".join(self._sentence(str(name), width) for name, width in self.breaking_width.items())

    def _sentence(self, model: str, width: float) -> str:
        widths = self.table["width"]
        if np.isnan(width):
            return (
                f"{model}: no sign that its match uses spike times finer than {time_words(widths.max())} "
                f"(all corrected p > {self.level:g})."
            )
        here = self.table[(self.table["model"] == model) & (widths == width)]
        best = here.iloc[int(here["p_corrected"].to_numpy().argmin())]
        return (
            f"{model}: moving spikes within {time_words(width)} lowers the similarity from {best['similarity']:.2f} to "
            f"{best['surrogate']:.2f} (corrected p = {best['p_corrected']:.3g}); the match uses timing at this scale."
        )


def timing_contribution(
    recording: Recording,
    models: "Mapping[str, RDMs]",
    metric: Metric | Sequence[Metric],
    by: str,
    widths: Sequence[QuantityLike],
    *,
    n_surrogates: int = 199,
    estimator: Estimator | None = None,
    measure: Measure = Spearman(),  # noqa: B008  a frozen value
    surrogate: Callable[[QuantityLike], Surrogate] = WindowedJitter,
    level: float = 0.05,
    seed: int = 0,
) -> TimingContribution:
    r"""Return how much of a model's similarity with a recording is lost when spikes are moved within a width.

    The spikes are moved before the RDM is made. The null hypothesis at a width w is that of the surrogate: for
    `WindowedJitter`, given the counts in windows of w, it does not matter where in them the spikes lie. Under it the
    recording is one more surrogate, whatever the metric, the estimator and the measure, so with the similarities
    :math:`S_0` of the recording and :math:`S_1 \dots S_n` of the surrogates

    .. math:: p = \frac{1 + \#\{k: S_k \ge S_0\}}{1 + n}

    is exact. *Time scales* are corrected for by the maximum: each similarity is standardised by mean and standard
    deviation over recording and surrogates, and the recording's is compared with the largest of each surrogate over
    all metrics and time scales of the model. *Widths* are tested from the widest down, and the first that is not
    significant ends the search (a fixed sequence: Maurer, Hothorn & Lehmacher 1995): ``p_corrected`` at a width is the
    largest p at this and all wider ones. The chance of any false claim for a model, over all widths and time scales,
    is then at most the level. (A maximum over widths would be needlessly strict: the recording has one similarity for
    all of them, the surrogates have a new one each.) Several models are several questions and not corrected for.

    Parameters
    ----------
    recording : Recording
        With trials of one common window.
    models : mapping of name to rsatoolbox.rdm.RDMs
        As in `snncompare.comparison.compare.compare`.
    metric : Metric or sequence of Metric
    by : str
        Column of the trials table that names the condition.
    widths : sequence of times
        For example ``["5 ms", "20 ms", "100 ms"]``.
    n_surrogates : int
        Per width; at least ``1 / level - 1``.
    estimator : Estimator, optional
        As in `snncompare.representation.rdm.rdm`.
    measure : Measure
    surrogate : surrogate of a width
        `WindowedJitter`, `ExchangedTimes` (responses share a time course) or `Jitter` (not exact).
    level : float
    seed : int

    Raises
    ------
    InputError
        If recording and models do not fit together, or an argument cannot be used.

    References
    ----------
    Amarasingham, Harrison, Hatsopoulos & Geman 2012, J. Neurophysiol. 107:517. Maurer, Hothorn & Lehmacher 1995, in
    Biometrie in der chemisch-pharmazeutischen Industrie 6:3.
    """
    check_measure(measure)
    moved = _surrogates(widths, surrogate)
    _check_numbers(n_surrogates, level, seed)
    metrics = several_metrics(metric)
    chosen = checked_estimator(estimator) or default_estimator(Conditions.of(recording, by))
    aligned = align(rdm(recording, metrics, by, chosen), models)
    similarity = _similarities(recording, metrics, by, chosen, measure, aligned)
    seeds = np.random.SeedSequence(int(seed)).generate_state(len(moved) * n_surrogates).reshape(len(moved), -1)
    each = [
        surrogate_similarities(recording, value, own, metrics, by, chosen, measure, aligned)
        for value, own in zip(moved.values(), seeds.tolist(), strict=True)
    ]
    return TimingContribution(
        table=_table(aligned, np.array(list(moved)), similarity, np.stack(each), level),
        level=float(level),
        n_surrogates=int(n_surrogates),
        surrogate=f"{surrogate.__name__ if isinstance(surrogate, type) else surrogate}: keeps "
        f"{next(iter(moved.values())).keeps}; destroys {next(iter(moved.values())).destroys}",
        seed=int(seed),
        provenance=_provenance(moved, metrics, chosen, measure, n_surrogates, seed),
    )


def surrogate_similarities(
    recording: Recording,
    surrogate: Surrogate,
    seeds: Sequence[int],
    metrics: Sequence[Metric],
    by: str,
    estimator: Estimator,
    measure: Measure,
    aligned: Aligned,
) -> Array:
    """Return the similarities of the models with a surrogate for each seed, array (n_seeds, n_metrics, n_models)."""
    return np.stack(
        [
            _similarities(surrogate.apply(recording, seed), metrics, by, estimator, measure, aligned)
            for seed in map(int, seeds)
        ]
    )


def _similarities(
    recording: Recording,
    metrics: Sequence[Metric],
    by: str,
    estimator: Estimator,
    measure: Measure,
    aligned: Aligned,
) -> Array:
    vectors = condition_dissimilarities(recording, metrics, by, estimator)
    pairs = zip(vectors, aligned.models, strict=True)
    return np.stack([measure.between(vector[None], models)[0] for vector, models in pairs])


def _table(aligned: Aligned, widths: Array, similarity: Array, surrogates: Array, level: float) -> pd.DataFrame:
    """Return the table; ``similarity (n_metrics, n_models)``, ``surrogates (n_widths, n, n_metrics, n_models)``."""
    n = surrogates.shape[1]
    together = np.concatenate([np.broadcast_to(similarity, surrogates[:, :1].shape), surrogates], axis=1)
    centre, spread = together.mean(axis=1, keepdims=True), together.std(axis=1, keepdims=True)
    usable = spread > ROUNDING
    z = np.where(usable, (together - centre) / np.where(usable, spread, 1.0), 0.0)
    p = (1 + (surrogates >= similarity - ROUNDING).sum(axis=1)) / (1 + n)
    largest, smallest = z[:, 1:].max(axis=2), z[:, 1:].min(axis=2)
    over_scales = (1 + (largest[:, :, None] >= z[:, :1] - ROUNDING).sum(axis=1)) / (1 + n)
    corrected = np.maximum.accumulate(over_scales[::-1], axis=0)[::-1]
    allowed = int(np.floor(level * (1 + n) + ROUNDING)) - 1  # surrogates that may lie above a significant recording
    above = np.sort(largest, axis=1)[:, n - 1 - allowed, None]
    below = np.sort(smallest, axis=1)[:, allowed, None]
    mean, unit = surrogates.mean(axis=1), np.where(usable, spread, 0.0)[:, 0]
    columns = {
        "similarity": np.broadcast_to(similarity, mean.shape),
        "surrogate": mean,
        "surrogate_low": centre[:, 0] + unit * below,
        "surrogate_high": centre[:, 0] + unit * above,
        "contribution": similarity - mean,
        "p": p,
        "p_corrected": corrected,
    }
    rows = [
        (m, k, w) for m in range(len(aligned.names)) for k in range(len(aligned.metrics)) for w in range(widths.size)
    ]
    return pd.DataFrame(
        {
            "model": [aligned.names[m] for m, _, _ in rows],
            "metric": [aligned.metrics[k].label for _, k, _ in rows],
            "time_scale": [aligned.metrics[k].time_scale for _, k, _ in rows],
            "width": [widths[w] for _, _, w in rows],
            **{name: [values[w, k, m] for m, k, w in rows] for name, values in columns.items()},
        }
    )


def _surrogates(
    widths: Sequence[QuantityLike], surrogate: Callable[[QuantityLike], Surrogate]
) -> dict[float, Surrogate]:
    """Return the surrogate of each width in seconds, from the smallest width up."""
    if isinstance(widths, str) or not hasattr(widths, "__iter__") or not list(widths):
        raise InputError(f"widths must be a list of times such as ['5 ms', '50 ms'], got {widths!r}.")
    found: dict[float, Surrogate] = {}
    for width in widths:
        value = seconds(width, "a width")
        if value <= 0 or value in found:
            fault = "given twice" if value in found else "not above zero"
            raise InputError(f"the width {width} is {fault}; give widths above zero, each once.")
        strange = isinstance(surrogate, type) and not issubclass(surrogate, Surrogate)
        made = surrogate(width) if callable(surrogate) and not strange else None
        if not isinstance(made, Surrogate):
            raise InputError(
                f"surrogate must make a surrogate of a width, such as WindowedJitter; got {surrogate!r:.80}."
            )
        found[value] = made
    return dict(sorted(found.items()))


def _check_numbers(n_surrogates: object, level: float, seed: object) -> None:
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 0.5:
        raise InputError(f"level must lie between 0 and 0.5, got {level!r}.")
    least = int(np.ceil(1 / level - 1 - ROUNDING))
    for name, value, smallest in (("n_surrogates", n_surrogates, least), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < smallest:
            why = f" (fewer can never reach the level {level:g})" if name == "n_surrogates" else ""
            raise InputError(f"{name} must be a whole number of at least {smallest}{why}, got {value!r}.")


def _provenance(
    moved: dict[float, Surrogate],
    metrics: Sequence[Metric],
    estimator: Estimator,
    measure: Measure,
    n_surrogates: int,
    seed: int,
) -> dict[str, Any]:
    from snncompare.provenance import collect

    return collect(
        seed=int(seed),
        surrogates=[repr(value) for value in moved.values()],
        n_surrogates=int(n_surrogates),
        metrics=[repr(metric) for metric in metrics],
        estimator=repr(estimator),
        measure=type(measure).__name__,
    )
