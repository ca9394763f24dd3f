"""Store and recall: a stream of bits, one of which is to be remembered when told, and given back when asked."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from snncompare.datasets.samplers.generated_trials import (
    STEP,
    GeneratedTrials,
    checked_rate,
    outputs_over_time,
    spikes_in_steps,
    whole_steps,
)
from snncompare.encoding.encoder import Spikes
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["GROUPS", "StoreRecall", "store_recall"]

GROUPS = ("0", "1", "store", "recall")
"""Groups of input neurons, in this order: the two bits, the two commands."""

_SYMBOLS, _FIRING = 0, 1
"""Purposes of the randomness of a trial."""

_NO_COMMAND, _STORE, _RECALL = 0, 1, 2


def store_recall(
    files: Mapping[str, Path],  # noqa: ARG001 (nothing is read)
    *,
    n_symbols: int = 12,
    symbol: QuantityLike = "200 ms",
    expected_delay: float = 6.0,
    n_per_group: int = 25,
    rate: QuantityLike = "50 Hz",
    n_train: int = 640,
    n_validation: int = 64,
    n_test: int = 64,
    seed: int = 0,
) -> "StoreRecall":
    """Return trials of the store-recall task.

    A trial is a sequence of symbols. Each shows a random bit, except that nothing is shown while RECALL is asked. A
    STORE, shown with its bit, is followed by a RECALL before the next STORE; when none is stored, a symbol is a STORE
    with the probability 1 / expected_delay, otherwise a RECALL with the same probability. Sequences without a RECALL
    are drawn again. Neurons of a group fire while their bit or command is shown, in steps of 1 ms, independently.

    Parameters
    ----------
    files : mapping
        Empty.
    n_symbols : int
        In a trial, at least 2.
    symbol : time
        Duration of a symbol, whole milliseconds.
    expected_delay : float
        Mean number of symbols from STORE to RECALL in an endless sequence, at least 1.
    n_per_group : int
        Neurons in each of the four groups.
    rate : rate
        Of the neurons of a group that is shown.
    n_train, n_validation, n_test : int
        Sizes of the parts; trial i of a part is the same for any size.
    seed : int

    Returns
    -------
    StoreRecall
        Labels ``symbols`` (such as ``"1 S0 1 R 0"``), ``n_recalls``, ``split``. Targets have the outputs ``"0"`` and
        ``"1"``: 1 for the stored bit and 0 for the other during RECALL, NaN elsewhere.

    Raises
    ------
    InputError
        For numbers and times below the ones named above.

    References
    ----------
    Bellec, Salaj, Subramoney, Legenstein & Maass (2018) NeurIPS 31:787-797, arXiv 1803.09574; the task with e-prop:
    Bellec et al. (2020) Nat Commun 11:3625, supplement. Symbols, delay and rate as in the authors' tutorial.
    """
    for name, number, least in (("n_symbols", n_symbols, 2), ("n_per_group", n_per_group, 1)):
        if isinstance(number, bool) or not isinstance(number, int) or number < least:
            raise InputError(f"{name} must be a whole number of at least {least}, got {number!r}.")
    if not 1 <= expected_delay <= n_symbols:
        raise InputError(f"expected_delay must lie from 1 to n_symbols={n_symbols}, got {expected_delay!r}.")
    steps, hz = whole_steps(symbol, "symbol"), checked_rate(rate, "rate")
    sizes = {"train": n_train, "validation": n_validation, "test": n_test}
    return StoreRecall(n_symbols, steps, expected_delay, n_per_group, hz, sizes, seed)


class StoreRecall(GeneratedTrials):
    """Trials of the task; see `store_recall`."""

    def __init__(
        self,
        n_symbols: int,
        steps: int,
        expected_delay: float,
        n_per_group: int,
        rate: float,
        sizes: Mapping[str, int],
        seed: int,
    ) -> None:
        settings: dict[str, Any] = {"n_symbols": n_symbols, "steps": steps, "expected_delay": expected_delay}
        super().__init__(sizes, seed, settings | {"n_per_group": n_per_group, "rate": rate})
        self._n_symbols = n_symbols
        self._steps = steps
        self._expected_delay = expected_delay
        self._n_per_group = n_per_group
        self._rate = rate

    @cached_property
    def units(self) -> pd.DataFrame:
        """One row per neuron, with its ``group``."""
        names = [f"{name} {i}" for name in GROUPS for i in range(self._n_per_group)]
        return pd.DataFrame({"group": np.repeat(GROUPS, self._n_per_group)}, index=names)

    def target(self, position: int) -> xr.DataArray:
        """Return 1 for the stored bit and 0 for the other during RECALL, NaN elsewhere."""
        values = np.full((self._n_symbols, 2), np.nan)
        stored = -1
        for number, (bit, command) in enumerate(self._drawn(position)):
            if command == _STORE:
                stored = bit
            elif command == _RECALL:
                values[number] = np.arange(2) == stored
        return outputs_over_time(np.repeat(values, self._steps, axis=0), GROUPS[:2])

    def _described(self, position: int) -> tuple[float, dict[str, Any]]:
        sequence = self._drawn(position)
        names = [
            ("R" if command == _RECALL else ("S" if command == _STORE else "") + str(bit)) for bit, command in sequence
        ]
        n_recalls = sum(command == _RECALL for _, command in sequence)
        return self._n_symbols * self._steps * STEP, {"symbols": " ".join(names), "n_recalls": n_recalls}

    def _drawn(self, position: int) -> list[tuple[int, int]]:
        """Return bit and command of every symbol."""
        rng = self.randomness(position, _SYMBOLS)
        while True:
            bits, lots = rng.integers(2, size=self._n_symbols), rng.random(self._n_symbols)
            sequence, waits_for = [], _STORE
            for bit, lot in zip(bits, lots, strict=True):
                command = waits_for if lot < 1.0 / self._expected_delay else _NO_COMMAND
                if command != _NO_COMMAND:
                    waits_for = _STORE + _RECALL - command
                sequence.append((int(bit), command))
            if any(command == _RECALL for _, command in sequence):
                return sequence

    def _fired(self, position: int) -> Spikes:
        shown = np.zeros((len(GROUPS), self._n_symbols))
        for number, (bit, command) in enumerate(self._drawn(position)):
            if command != _RECALL:
                shown[bit, number] = 1.0
            if command != _NO_COMMAND:
                shown[1 + command, number] = 1.0
        rates = self._rate * np.repeat(np.repeat(shown, self._steps, axis=1), self._n_per_group, axis=0)
        return spikes_in_steps(rates, self.randomness(position, _FIRING))
