"""Generated stimuli of several classes: every presentation is drawn from a seed of its own."""

from functools import cached_property

import numpy as np
import pandas as pd

from snncompare.datasets.samples import Samples
from snncompare.errors import InputError

__all__ = ["GeneratedClasses"]

_NOISE, _PRESENTATIONS = 0, 1
"""First number of the keys that keep the randomness of encoders and of presentations apart; classes take others."""

_MOST_PER_CLASS = 1_000_000
"""Presentations are numbered class by class, this far apart."""

_TEST_EVERY = 5


class GeneratedClasses(Samples):
    """Presentations of classes; presentation i of a class is the same however many there are.

    Parameters
    ----------
    label : str
        Column that names the class.
    classes : tuple of str
    n_per_class : int
    seed : int

    Raises
    ------
    InputError
        For no classes, numbers that are no whole numbers of at least 1, or a negative seed.
    """

    def __init__(self, label: str, classes: tuple[str, ...], n_per_class: int, seed: int) -> None:
        if not classes or len(set(classes)) < len(classes):
            raise InputError(f"one or more different classes of '{label}' are needed, got {classes}.")
        if isinstance(n_per_class, bool) or not isinstance(n_per_class, int) or not 1 <= n_per_class <= _MOST_PER_CLASS:
            raise InputError(
                f"n_per_class must be a whole number from 1 to {_MOST_PER_CLASS}, got {n_per_class!r}; give some."
            )
        if seed < 0:
            raise InputError(f"seed must not be negative, got {seed}.")
        self.label = label
        self.classes = classes
        self.n_per_class = n_per_class
        self.seed = seed

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per presentation, class by class: class, ``presentation``, ``split`` (every fifth is ``test``)."""
        number = np.tile(np.arange(self.n_per_class), len(self.classes))
        name = np.repeat(self.classes, self.n_per_class)
        split = np.where(number % _TEST_EVERY == _TEST_EVERY - 1, "test", "train")
        names = [f"{a} presentation {i}" for a, i in zip(name, number, strict=True)]
        return pd.DataFrame({self.label: name, "presentation": number, "split": split}, index=names)

    def number(self, position: int) -> int:
        """Return a number that depends on class and presentation, not on how many of each there are."""
        c, i = divmod(position, self.n_per_class)
        return c * _MOST_PER_CLASS + i

    def noise_seed(self, seed: int) -> int:
        """Return a seed of its own, so that the noise of the encoder shares nothing with the stimuli."""
        return int(np.random.SeedSequence(seed, spawn_key=(_NOISE,)).generate_state(1)[0])

    def randomness(self, position: int) -> np.random.Generator:
        """Return the randomness of a presentation."""
        key = (_PRESENTATIONS, *divmod(position, self.n_per_class))
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
