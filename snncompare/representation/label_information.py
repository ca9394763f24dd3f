"""Which code the labels of trials live in: what counts, first spikes, and whole spike trains tell about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import a_recording, whole_number
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions
from snncompare.representation.decoding import confusion as confusions
from snncompare.representation.decoding.codes import CODES, TIMING, codes_of
from snncompare.representation.decoding.discriminant import linear_decoding
from snncompare.representation.decoding.folds import Folds, folds_of, permuted_labels
from snncompare.representation.decoding.nearest_class import nearest_class_decoding
from snncompare.representation.decoding.samples import sampled, with_common_window
from snncompare.representation.distances import aligned_trains, distances, several_metrics
from snncompare.representation.metrics import Metric
from snncompare.representation.metrics.time_scales import positive_seconds, several_time_scales
from snncompare.units import QuantityLike

__all__ = ["TIME_SCALES", "LabelInformation", "label_information"]

TIME_SCALES = ("2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms")
"""Time constants of the exponential filter of spike trains, where no others are asked for."""
SIGNIFICANT = 0.05
COUNT_FREE = (*TIMING, "synchrony")
"""Codes whose errors may tell counts, although what they read does not: trials that fire less are noisier."""


@dataclass(frozen=True, eq=False, repr=False)
class LabelInformation:
    """What spikes tell about the labels of trials, code by code.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per code and time scale. ``code`` (of `decoding.codes.CODES`, or ``"metric"``), ``measure``,
        ``time_scale`` (s), ``readout``; ``accuracy`` (mean over classes of the share decoded right) with its 95 %
        interval ``accuracy_low, accuracy_high``, the mean ``chance`` and the 95 % point ``chance_high`` with permuted
        labels, ``p``, and ``p_corrected`` for the largest accuracy of all rows; ``information`` (bits, bias corrected)
        with its 95 % interval, ``information_chance_high``, and ``information_uncorrected``. For codes given counts and
        for synchrony the information is the least that the accuracy implies (`decoding.confusion.least_information`):
        which errors are made may tell the count.
    label : str
    classes : tuple
    confusion : tuple of arrays (n_classes, n_classes)
        Per row of the table: true class in rows, decoded in columns.
    entropy : float
        Of the labels, bits: what a perfect readout tells.
    trials, units : int
        That were used.
    statements : tuple of str
        How it was done, and what to beware of.
    seed : int
    """

    table: pd.DataFrame
    label: str
    classes: tuple[Any, ...]
    confusion: tuple[NDArray[np.float64], ...]
    entropy: float
    trials: int
    units: int
    statements: tuple[str, ...]
    seed: int

    def best(self, code: str) -> "pd.Series[Any]":
        """Return the row of a code with the largest accuracy; chosen after the fact where there are time scales.

        Raises
        ------
        InputError
            If there is no such code.
        """
        rows = self.table[self.table["code"] == code]
        if rows.empty:
            raise InputError(f"no code '{code}' in this table; it has {list(self.table['code'].unique())}.")
        return rows.iloc[int(rows["accuracy"].argmax())]

    def lives_in(self) -> tuple[str, ...]:
        """Return which of ``"counts"``, ``"timing"`` (given counts) and ``"synchrony"`` tell the labels, p < 0.05."""
        told = set(self.table.loc[self.table["p_corrected"] < SIGNIFICANT, "code"])
        found = {"counts": "counts" in told, "timing": bool(told & set(TIMING)), "synchrony": "synchrony" in told}
        return tuple(name for name, yes in found.items() if yes)

    def summary(self) -> str:
        """Return a line per code at its best time scale, where the labels live, and how it was done."""
        what = f"{len(self.classes)} classes ({self.entropy:.2f} bits), {self.trials} trials, {self.units} units"
        lines = [f"'{self.label}': {what}; chance {1 / len(self.classes):.1%}."]
        for code in self.table["code"].unique():
            row = self.best(code)
            scale = "" if np.isnan(row["time_scale"]) else f" at {row['time_scale'] * 1e3:g} ms"
            lines.append(
                f"{code}{scale}: {row['accuracy']:.1%} ({row['accuracy_low']:.1%} to {row['accuracy_high']:.1%}), "
                f"{row['information']:.2f} bits, p = {row['p_corrected']:.3g}"
            )
        lives = self.lives_in()
        lines.append(f"The labels live in: {', '.join(lives) if lives else 'none that was found'}.")
        if "counts" in lives and self.best("latencies")["p_corrected"] < SIGNIFICANT and "timing" not in lives:
            lines.append("First spikes tell them too, but nothing that was found beyond the counts.")
        return "\n".join([*lines, *self.statements])

    def __repr__(self) -> str:
        return f"LabelInformation({self.label!r}: {len(self.classes)} classes, {self.trials} trials)"


@dataclass(frozen=True)
class _Decoded:
    """One row of the table before its numbers: names, and the classes that every labelling was decoded as."""

    code: str
    measure: str
    time_scale: float
    readout: str
    decoded: NDArray[np.int64]


def label_information(
    recording: Recording,
    by: str,
    *,
    groups: str | None = None,
    time_scales: Sequence[QuantityLike] = TIME_SCALES,
    metrics: Metric | Sequence[Metric] = (),
    folds: int | None = None,
    n_permutations: int = 200,
    most_trials: int | None = 400,
    most_units: int | None = 200,
    seed: int = 0,
) -> LabelInformation:
    """Say how much of a label lives in spike counts, in first spikes, and in whole spike trains.

    The same readout, a regularised linear discriminant (`decoding.discriminant.linear_decoding`), is trained on each
    code, so that codes differ in what they hold and not in who reads them; trains are read after exponential
    filtering with each time constant, and become counts as it grows. Codes *given counts* hold only what the times
    tell beyond the counts (`decoding.codes.codes_of`). Tested trials are never those that trained. Chance is found with
    permuted labels, decoded in the same way; information is that of the decoded label, a lower bound of what the
    trials tell (`decoding.confusion.corrected_information`).

    Parameters
    ----------
    recording : Recording
        Of any origin. Where windows end at different times, the shorter ones are taken to be silent afterwards.
    by : str
        Column of the trials table that names the label.
    groups : str, optional
        Column of groups that are left out whole, such as ``"speaker"``: then the readout is tested on groups that it
        has never met.
    time_scales : sequence of quantities, s
        Time constants of the exponential filter.
    metrics : Metric or sequence of Metric, optional
        Further ones, such as ``VictorPurpura.sweep(["5 ms", "50 ms"])``: Euclidean metrics are read by the same
        discriminant, others by the nearest class (`decoding.nearest_class.nearest_class_decoding`).
    folds : int, optional
        Default: 5 with an equal share of every class each, or one per group.
    n_permutations : int
        At least 20, with which p can be below 0.05.
    most_trials, most_units : int or None
        Where there are more, so many are drawn at random, trials evenly from the classes, and the result says it.
        None: all; the cost grows with the square of the trials, and with the units.
    seed : int
        Of the folds, the permutations and the draws.

    Raises
    ------
    InputError
        If the label does not exist or has one value only, a class has too few trials, or an argument is wrong.

    References
    ----------
    Quian Quiroga & Panzeri 2009, Nat. Rev. Neurosci. 10:173. Permutation: Ojala & Garriga 2010, J. Mach. Learn. Res.
    11:1833. Largest statistic: Nichols & Holmes 2002, Hum. Brain Mapp. 15:1.
    """
    checked = several_metrics(metrics) if isinstance(metrics, Metric) or len(metrics) else []
    scales = np.array([positive_seconds(scale, "time_scales") for scale in several_time_scales(time_scales)])
    whole_number("n_permutations", n_permutations, 20)
    whole_number("seed", seed, 0)
    whole = Conditions.of(a_recording(recording), by, groups)
    padded, statements = with_common_window(recording)
    rng = np.random.default_rng(seed)
    used, said = sampled(padded, whole, most_trials, most_units, rng)
    conditions = Conditions.of(used, by, groups).ordered(whole.labels)
    chosen = folds_of(conditions, folds, rng)
    labels = permuted_labels(conditions.index, chosen.block, n_permutations, rng)
    rows = list(_rows(used, scales, checked, labels, chosen))
    how = (
        f"Linear discriminant, {chosen.words}; chance from {n_permutations} permutations; information of the decoded "
        "label, a lower bound of what the trials tell."
    )
    share = np.bincount(conditions.index) / conditions.n_all
    return LabelInformation(
        table=_table(rows, labels, conditions),
        label=by,
        classes=conditions.labels,
        confusion=tuple(confusions.confusion_matrices(labels[0], row.decoded[0], share.size) for row in rows),
        entropy=float(-(share * np.log2(share)).sum()),
        trials=used.n_trials,
        units=used.n_units,
        statements=(how, *statements, *said),
        seed=int(seed),
    )


def _rows(
    recording: Recording, scales: NDArray[np.float64], metrics: list[Metric], labels: NDArray[np.int64], folds: Folds
) -> Iterator[_Decoded]:
    for code in codes_of(aligned_trains(recording), scales, folds):
        decoded = linear_decoding(code.gram, labels, folds)
        yield _Decoded(code.name, CODES[code.name], code.time_scale, "linear discriminant", decoded)
    if not metrics:
        return
    between = distances(recording, metrics).to_numpy()
    for metric, values in zip(metrics, between, strict=True):
        if metric.euclidean:
            gram = -0.5 * values**2
            decoded, readout = linear_decoding(_centred(gram), labels, folds), "linear discriminant"
        else:
            decoded, readout = nearest_class_decoding(values, labels, folds), "nearest class"
        yield _Decoded("metric", metric.label, metric.time_scale, readout, decoded)


def _centred(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    column = gram.mean(axis=0)
    return gram - column - column[:, None] + column.mean()


def _table(rows: list[_Decoded], labels: NDArray[np.int64], conditions: Conditions) -> pd.DataFrame:
    n = conditions.n_conditions
    grouped = conditions.group is not None
    block = np.arange(conditions.n_all) if conditions.group is None else conditions.group
    found = [confusions.confusion_matrices(labels, row.decoded, n) for row in rows]
    accuracy = np.stack([confusions.balanced_accuracy(matrices) for matrices in found])
    largest = accuracy.max(axis=0)
    table = []
    for row, matrices, shares in zip(rows, found, accuracy, strict=True):
        low, high = (
            confusions.grouped_accuracy_interval(labels[0], row.decoded[0], block, n)
            if grouped
            else confusions.accuracy_interval(matrices[0])
        )
        if row.code in COUNT_FREE:
            bits = confusions.least_information(np.concatenate([[low, high], shares]), n)
            information, ends = bits[2:], (bits[0], bits[1])
        else:
            information = confusions.corrected_information(matrices)
            error = confusions.Z95 * confusions.information_error(labels[0], row.decoded[0], block, n)
            ends = (information[0] - error, information[0] + error)
        table.append({
            "code": row.code, "measure": row.measure, "time_scale": row.time_scale, "readout": row.readout,
            "accuracy": shares[0], "accuracy_low": low, "accuracy_high": high,
            "chance": shares[1:].mean(), "chance_high": np.quantile(shares[1:], 0.95),
            "p": (shares >= shares[0] - 1e-12).mean(), "p_corrected": (largest >= shares[0] - 1e-12).mean(),
            "information": information[0], "information_low": ends[0], "information_high": ends[1],
            "information_chance_high": np.quantile(information[1:], 0.95),
            "information_uncorrected": confusions.plugin_information(matrices[0]),
        })  # fmt: skip
    return pd.DataFrame(table)
