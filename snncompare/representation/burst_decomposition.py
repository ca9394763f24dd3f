"""Which part of a stimulus RDM lives in events, which in bursts, and what bursts say beyond the firing rate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import a_recording, whole_number
from snncompare.recording.bursts import BURST, EVENT, burst_interval, burst_statistics, spike_kinds
from snncompare.recording.exchange import ExchangedWithinCondition
from snncompare.recording.recording import Recording
from snncompare.recording.spike_moves import refuse_unlike_windows
from snncompare.representation.burst_excess import burst_excess, crossed_excess
from snncompare.representation.conditions import Conditions
from snncompare.representation.labelled import labelled_rdms
from snncompare.representation.sessions import split_sessions
from snncompare.representation.unit_dissimilarities import (
    condition_means,
    crossed_dissimilarities,
    halves_of_trials,
    unit_dissimilarities,
)
from snncompare.units import QuantityLike

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["BURST_CODES", "BurstDecomposition", "burst_decomposition"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

BURST_CODES = ("spikes", "events", "later spikes", "bursts", "excess")
"""Numbers of every train: all spikes; events; spikes after events; bursts; bursts that event rates do not explain."""
_PARTS = ("events alone", "later spikes alone", "both together")


@dataclass(frozen=True, eq=False, repr=False)
class BurstDecomposition:
    """What events and bursts carry of the dissimilarities between conditions.

    Attributes
    ----------
    shares : pandas.DataFrame
        Index ``events alone``, ``later spikes alone``, ``both together``: ``share`` of the dissimilarity in the counts
        of all spikes (they add up to 1), ``ci_low, ci_high`` (95 %, over units), and ``surrogate, surrogate_low,
        surrogate_high``, mean and central 95 % of surrogates without bursts; ``p`` (one-sided): as much in later
        spikes alone by chance.
    codes : pandas.DataFrame
        One row per code of `BURST_CODES`: ``dissimilarity``, mean over pairs of conditions, unbiased; ``ci_low,
        ci_high`` and one-sided ``p`` over units; ``relative`` to that of all spikes; ``pattern_reliability``, the
        correlation of mean responses (units by conditions, without the units' means) of halves of the trials, and
        ``rdm_reliability``, Spearman's of the RDMs of halves; both are means over splits, raised to all trials
        (Spearman-Brown). The RDM of ``excess`` has none: in a half it is biased.
    units : pandas.DataFrame
        `burst_statistics`, and ``expected_probability`` (of a burst, in the surrogates), ``propensity`` (Hz, hazard of
        a second spike beyond chance), ``clustering``, and the ``dissimilarity`` and ``excess`` of the unit.
    rdms : rsatoolbox.rdm.RDMs
        One per code; ``rdm_descriptors["name"]`` is the code.
    interval : float
        Seconds.
    provenance : dict
    """

    shares: pd.DataFrame
    codes: pd.DataFrame
    units: pd.DataFrame
    rdms: "RDMs"
    interval: float
    provenance: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"BurstDecomposition({len(self.units)} units, interval {self.interval * 1e3:g} ms)"

    def summary(self, level: float = 0.05) -> str:
        """Return three sentences: the shares, those of trains without bursts, and what bursts say beyond rates."""
        share, codes = self.shares["share"], self.codes
        relative, p = (float(codes[column].loc["excess"]) for column in ("relative", "p"))
        low, high = (
            float(codes[end].loc["excess"]) / float(codes["dissimilarity"].loc["spikes"])
            for end in ("ci_low", "ci_high")
        )
        surrogate = float(self.shares["surrogate"].loc["later spikes alone"])
        return (
            f"Of the dissimilarity in all spikes, events alone carry {share['events alone']:.0%}, later spikes of "
            f"bursts alone {share['later spikes alone']:.0%}, and {share['both together']:.0%} is in both alike. "
            f"Trains with the same counts and rates but no bursts have {surrogate:.0%} in later spikes alone. "
            f"{'Bursts say' if p <= level else 'There is no sign that bursts say'} more about the conditions than "
            f"follows from the event rate (excess {relative:.1%} of the dissimilarity, 95 % interval {low:.1%} to "
            f"{high:.1%}, p = {p:.2g})."
        )


def burst_decomposition(
    recording: Recording,
    by: str,
    *,
    interval: QuantityLike = "16 ms",
    join: str | None = None,
    n_surrogates: int = 199,
    n_splits: int = 10,
    n_resamples: int = 1000,
    seed: int = 0,
) -> BurstDecomposition:
    r"""Return how much of the dissimilarity between conditions events carry, how much bursts, and how much by chance.

    Every spike is an event (E) or a later spike of a burst (L), so counts are :math:`n = E + L`, and the squared
    distance between mean responses falls apart exactly:

    .. math::

        \lVert \Delta n \rVert^2 = \lVert \Delta E \rVert^2 + \lVert \Delta L \rVert^2
        + 2 \langle \Delta E, \Delta L \rangle

    events alone, later spikes alone, both together. All terms are unbiased (`BetweenMinusWithin`).

    A high rate makes short intervals by chance. *Surrogates* (`ExchangedWithinCondition`) keep every train's count and
    the time course of unit and condition, hence the RDM of all spikes to the last bit, and have bursts by chance only:
    what they put into later spikes follows from rates.

    Where events become bursts with one probability, bursts repeat what events say. The *excess* is what is left of the
    bursts after those of chance and of the unit's propensity (see `crossed_excess`), zero on average in every condition
    if rates vary and the propensity does not. Its dissimilarity is estimated across halves of the trials, and tested
    over units (t-test, one-sided; conservative, since squares are skewed).

    Parameters
    ----------
    recording : Recording
        With trials of one common window.
    by : str
        Column of the trials table that names the condition; four trials of each at least.
    interval : time
        Of bursts, see `snncompare.recording.bursts.events`.
    join : str, optional
        As in `snncompare.representation.rdm.rdm`: sessions are joined by condition, unit by unit.
    n_surrogates, n_splits, n_resamples : int
        Of the bursts; of the trials into halves; of the units.
    seed : int

    Raises
    ------
    InputError
        If a condition has fewer than four trials (in a session), trials are shorter than three intervals, there are
        fewer than three units, counts do not tell the conditions apart, or an argument cannot be used.
    """
    longest = burst_interval(interval)
    least = {"n_surrogates": (n_surrogates, 19), "n_splits": (n_splits, 1), "n_resamples": (n_resamples, 100)}
    for name, (value, smallest) in least.items():
        whole_number(name, value, smallest)
    rng = np.random.default_rng(whole_number("seed", seed, 0))
    labels, sessions = _sessions(a_recording(recording), by, join)
    _refuse_short_window(recording, longest)
    found = _codes(sessions, interval)
    pieces = [_halved(part, index, interval, n_splits, rng) for part, index in sessions]
    found["excess"] = np.concatenate([excess for excess, _ in pieces])
    counts = found["spikes"].mean(axis=1).sum()
    if counts <= 0:
        raise InputError(
            f"counts do not tell '{by}' apart (dissimilarity {counts:.3g}); there is nothing to share out."
        )
    surrogates, chance = _surrogates(sessions, by, interval, n_surrogates, rng)
    shares = _shares(found, surrogates, n_resamples, rng)
    return BurstDecomposition(
        shares=shares,
        codes=_table(found, [halves for _, halves in pieces], n_resamples, rng),
        units=_units(recording, sessions, interval, join, chance, found),
        rdms=labelled_rdms(
            np.stack([found[code].sum(axis=0) for code in BURST_CODES]),
            labels,
            metric=["spike count"] * len(BURST_CODES),
            time_scale=[float("nan")] * len(BURST_CODES),
            name=list(BURST_CODES),
            estimator="BetweenMinusWithin(); excess: across halves of the trials",
        ),
        interval=longest,
        provenance=_provenance(longest, by, join, int(seed), n_surrogates, n_splits, n_resamples),
    )


def _sessions(
    recording: Recording, by: str, join: str | None
) -> tuple[tuple[Any, ...], list[tuple[Recording, Integers]]]:
    """Return the labels of the conditions, and each session with the condition of its trials by number."""
    refuse_unlike_windows(recording, "sharing dissimilarities out between events and bursts")
    labels = Conditions.of(recording, by).labels
    parts: Mapping[Any, Recording] = {"": recording} if join is None else split_sessions(recording, join)
    sessions = []
    for name, part in parts.items():
        own = Conditions.of(part, by)
        if set(own.labels) != set(labels):
            missing = sorted(set(labels) - set(own.labels), key=str)
            raise InputError(f"session {name!r} lacks the conditions {missing[:5]}; select those that all have.")
        own.require_trials(4, f"an excess across halves of the trials{f' of session {name!r}' if join else ''}")
        sessions.append((part, own.ordered(labels).index))
    if sum(part.n_units for part, _ in sessions) < 3:
        raise InputError("a test over units needs at least three of them.")
    return labels, sessions


def _refuse_short_window(recording: Recording, longest: float) -> None:
    start, stop = recording.trials[["start", "stop"]].to_numpy(dtype=np.float64)[0]
    if stop - start < 3 * longest:
        raise InputError(
            f"trials of {1e3 * (stop - start):g} ms are too short for bursts of up to {1e3 * longest:g} ms; take a "
            "window three times as long, or a shorter interval: else no time is left in which events come."
        )


def _numbers(recording: Recording, interval: QuantityLike) -> dict[str, Array]:
    """Return the numbers of every train, arrays (n_trials, n_units)."""
    kinds, shape = spike_kinds(recording, interval), (recording.n_trials, recording.n_units)
    train = np.repeat(np.arange(shape[0] * shape[1]), np.diff(recording.offsets))
    first, second = (np.bincount(train[kinds == k], minlength=shape[0] * shape[1]) for k in (EVENT, BURST))
    spikes = np.diff(recording.offsets)
    values = {"spikes": spikes, "events": first, "later spikes": spikes - first, "bursts": second}
    return {name: value.reshape(shape).astype(np.float64) for name, value in values.items()}


def _codes(sessions: list[tuple[Recording, Integers]], interval: QuantityLike) -> dict[str, Array]:
    """Return the dissimilarities of every unit in every code but the excess, arrays (n_units, n_pairs)."""
    numbers = [(_numbers(part, interval), index) for part, index in sessions]
    return {
        code: np.concatenate([unit_dissimilarities(of[code], index) for of, index in numbers])
        for code in BURST_CODES[:-1]
    }


def _halved(
    recording: Recording, condition: Integers, interval: QuantityLike, n_splits: int, rng: np.random.Generator
) -> tuple[Array, list[dict[str, tuple[Array, ...]]]]:
    """Return the units' dissimilarities of the excess, and what the halves of every split have: means, and RDMs."""
    n_conditions = int(condition.max()) + 1
    total = np.zeros((recording.n_units, n_conditions * (n_conditions - 1) // 2))
    kept: list[dict[str, tuple[Array, ...]]] = []
    for _ in range(n_splits):
        chosen = halves_of_trials(condition, rng)
        of_half: list[dict[str, tuple[Array, Array]]] = []
        for mask in (chosen, ~chosen):
            part, index = recording.select(trials=mask, traces=[]), condition[mask]
            values = _numbers(part, interval)
            of_half.append({c: (condition_means(v, index), unit_dissimilarities(v, index)) for c, v in values.items()})
        a, b = of_half
        for half, excess in zip(of_half, crossed_excess(recording, condition, chosen, interval), strict=True):
            half["excess"] = (excess, np.zeros(total.shape))
        total = total + crossed_dissimilarities(a["excess"][0], b["excess"][0])
        kept.append({code: (*a[code], *b[code]) for code in BURST_CODES})
    return total / n_splits, kept


def _surrogates(
    sessions: list[tuple[Recording, Integers]], by: str, interval: QuantityLike, n: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return the shares of surrogates (n, 3), and the burst probability of every unit in them."""
    exchange, shares = ExchangedWithinCondition(by), np.empty((n, 3))
    n_units = sum(part.n_units for part, _ in sessions)
    bursts, events = np.zeros(n_units), np.zeros(n_units)
    for k in range(n):
        moved = [(exchange.apply(part, int(rng.integers(2**32))), index) for part, index in sessions]
        numbers = [(_numbers(part, interval), index) for part, index in moved]
        of_units = {c: [unit_dissimilarities(v[c], i) for v, i in numbers] for c in BURST_CODES[:3]}
        shares[k] = _three(*(np.concatenate(of_units[c]).mean(axis=1)[None] for c in BURST_CODES[:3]))[0]
        bursts = bursts + np.concatenate([v["bursts"].sum(axis=0) for v, _ in numbers])
        events = events + np.concatenate([v["events"].sum(axis=0) for v, _ in numbers])
    return shares, np.divide(bursts, events, out=np.full(events.shape, np.nan), where=events > 0)


def _three(spikes: Array, events: Array, later: Array) -> Array:
    """Return the shares (n, 3) from dissimilarities (n, n_units) of counts and of their two parts."""
    whole, first, second = (values.sum(axis=1) for values in (spikes, events, later))
    parts = np.stack([first, second, whole - first - second], axis=1)
    return np.divide(parts, whole[:, None], out=np.full(parts.shape, np.nan), where=whole[:, None] != 0)


def _shares(found: dict[str, Array], surrogates: Array, n_resamples: int, rng: np.random.Generator) -> pd.DataFrame:
    of_units = np.stack([found[code].mean(axis=1) for code in BURST_CODES[:3]])
    share = _three(*of_units[:, None])[0]
    draws = rng.integers(of_units.shape[1], size=(n_resamples, of_units.shape[1]))
    low, high = np.nanquantile(_three(*of_units[:, draws]), [0.025, 0.975], axis=0)
    chance_low, chance_high = np.quantile(surrogates, [0.025, 0.975], axis=0)
    p = (1 + (surrogates[:, 1] >= share[1]).sum()) / (1 + len(surrogates))
    return pd.DataFrame(
        {
            "share": share,
            "ci_low": low,
            "ci_high": high,
            "surrogate": surrogates.mean(axis=0),
            "surrogate_low": chance_low,
            "surrogate_high": chance_high,
            "p": [np.nan, p, np.nan],
        },
        index=pd.Index(_PARTS, name="part"),
    )


def _table(
    found: dict[str, Array],
    pieces: list[list[dict[str, tuple[Array, ...]]]],
    n_resamples: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    from scipy.stats import spearmanr, ttest_1samp

    rows = []
    for code in BURST_CODES:
        of_units = found[code].mean(axis=1)
        draws = of_units[rng.integers(of_units.size, size=(n_resamples, of_units.size))].sum(axis=1)
        patterns, rdms = [], []
        for split in zip(*pieces, strict=True):
            mean_a, rdm_a, mean_b, rdm_b = zip(*(session[code] for session in split), strict=True)
            a, b = (np.concatenate([m - m.mean(axis=0) for m in means], axis=1).ravel() for means in (mean_a, mean_b))
            patterns.append((a @ b) / np.sqrt((a @ a) * (b @ b)) if a.any() and b.any() else np.nan)
            if code != "excess":
                rdms.append(spearmanr(*(np.concatenate(r).sum(axis=0) for r in (rdm_a, rdm_b))).statistic)
        low, high = np.quantile(draws, [0.025, 0.975])
        rows.append(
            {
                "dissimilarity": of_units.sum(),
                "ci_low": low,
                "ci_high": high,
                "p": ttest_1samp(of_units, 0.0, alternative="greater").pvalue if of_units.any() else 1.0,
                "relative": of_units.sum() / found["spikes"].mean(axis=1).sum(),
                "pattern_reliability": _raised(np.mean(patterns)),
                "rdm_reliability": _raised(np.mean(rdms)) if rdms else np.nan,
            }
        )
    return pd.DataFrame(rows, index=pd.Index(BURST_CODES, name="code"))


def _raised(correlation: float) -> float:
    return float(2 * correlation / (1 + correlation)) if correlation > -1 else float("nan")


def _units(
    recording: Recording,
    sessions: list[tuple[Recording, Integers]],
    interval: QuantityLike,
    join: str | None,
    chance: Array,
    found: dict[str, Array],
) -> pd.DataFrame:
    excess = [burst_excess(part, index, interval) for part, index in sessions]
    own = pd.DataFrame(
        {
            "expected_probability": chance,
            "propensity": np.concatenate([one.hazard for one in excess]),
            "clustering": np.concatenate([one.clustering for one in excess]),
            "dissimilarity": found["spikes"].mean(axis=1),
            "excess": found["excess"].mean(axis=1),
        },
        index=np.concatenate([part.units.index for part, _ in sessions]),
    )
    return burst_statistics(recording, interval, join=join).join(own)


def _provenance(interval: float, by: str, join: str | None, seed: int, *numbers: int) -> dict[str, Any]:
    from snncompare.provenance import collect

    names = ("n_surrogates", "n_splits", "n_resamples")
    how = dict(zip(names, map(int, numbers), strict=True))
    return collect(seed=seed, decomposition={"interval_s": interval, "by": by, "join": join, **how})
