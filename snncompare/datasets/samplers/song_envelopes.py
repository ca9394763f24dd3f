"""Frozen songs: generated sounds that only their temporal pattern tells apart."""

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.samples import Samples
from snncompare.encoding.envelopes import BandLimitedEnvelope, mixture
from snncompare.encoding.stimuli import Signal
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["SongEnvelopes", "song_envelopes"]

_TEMPLATES, _PRESENTATIONS, _NOISE = 0, 1, 2
"""First number of the keys that keep the three sources of randomness apart."""

_MOST_PER_CLASS = 1_000_000
"""Presentations are numbered song by song, this far apart."""


def song_envelopes(
    files: Mapping[str, Path],  # noqa: ARG001 (nothing is read)
    *,
    n_classes: int = 4,
    n_per_class: int = 50,
    duration: QuantityLike = "300 ms",
    similarity: float = 0.7,
    cutoffs: Sequence[QuantityLike] = ("200 Hz",),
    seed: int = 0,
) -> "SongEnvelopes":
    r"""Return presentations of songs.

    Each song :math:`c` has one frozen modulation :math:`g_c`; a presentation has
    :math:`g = \sqrt{\rho} g_c + \sqrt{1 - \rho} g_{fresh}` (`mixture`), so that presentations of all songs have the
    same statistics as the sounds of ``grasshopper_receptor``, and only the temporal pattern tells the song.

    Parameters
    ----------
    files : mapping
        Empty.
    n_classes, n_per_class : int
        Number of songs, and of presentations of each.
    duration : time
        Length of a presentation.
    similarity : float
        :math:`\rho`, correlation of the modulations of two presentations of one song.
    cutoffs : sequence of frequencies
        Cutoff of the modulation; song ``c`` has ``cutoffs[c % len(cutoffs)]``. With more than one, the spectrum tells
        songs apart too.
    seed : int
        Songs, presentations and the noise of who listens. Presentation i of song c is the same for any ``n_classes``
        and ``n_per_class``.

    Returns
    -------
    SongEnvelopes
        Labels ``song`` (``"song 1"``, ...), ``cutoff_hz``, ``presentation``.

    Raises
    ------
    InputError
        For numbers below one, a similarity outside 0 to 1, no cutoff, or a duration that is no whole number of samples.
    """
    if n_classes < 1 or not 1 <= n_per_class <= _MOST_PER_CLASS or seed < 0 or not cutoffs:
        raise InputError(
            "n_classes and n_per_class must be at least 1 (and not millions), seed at least 0, cutoffs not empty; got "
            f"n_classes={n_classes}, n_per_class={n_per_class}, seed={seed}, cutoffs={tuple(cutoffs)}."
        )
    sounds = [BandLimitedEnvelope(cutoff=cutoffs[c % len(cutoffs)]) for c in range(n_classes)]
    return SongEnvelopes(sounds, n_per_class, duration, similarity, seed)


class SongEnvelopes(Samples):
    """Envelopes of songs, signals of one channel; see `song_envelopes`."""

    def __init__(
        self,
        sounds: Sequence[BandLimitedEnvelope],
        n_per_class: int,
        duration: QuantityLike,
        similarity: float,
        seed: int,
    ) -> None:
        self._sounds = tuple(sounds)
        self._n_per_class = n_per_class
        self._duration = duration
        self._similarity = similarity
        self._seed = seed
        self._template = lru_cache(maxsize=None)(self._new_template)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per presentation, song by song."""
        rows = [
            (f"song {c + 1}", sound.cutoff.value, i)
            for c, sound in enumerate(self._sounds)
            for i in range(self._n_per_class)
        ]
        names = [f"{song} presentation {i}" for song, _, i in rows]
        return pd.DataFrame(rows, columns=["song", "cutoff_hz", "presentation"], index=names)

    def stimulus(self, position: int) -> Signal:
        """Return the envelope, relative to the largest amplitude that is played."""
        c, i = divmod(position, self._n_per_class)
        sound = self._sounds[c]
        fresh = sound.modulation(self._duration, self._generator(_PRESENTATIONS, c, i))
        envelope = sound.amplitude(mixture(self._template(c), fresh, self._similarity))
        return Signal(envelope, sound.sampling_rate, ("envelope",))

    def stimuli(self) -> xr.DataArray:
        """Return the envelopes, dimensions (trial, time), attribute ``sampling_rate`` in hertz."""
        every = [self.stimulus(position) for position in range(len(self.table))]
        rate, envelopes = every[0].sampling_rate, np.concatenate([one.values for one in every])
        return xr.DataArray(
            envelopes,
            dims=("trial", "time"),
            coords={"trial": self.table.index.to_numpy(), "time": np.arange(envelopes.shape[1]) / rate},
            name="envelope",
            attrs={"sampling_rate": rate},
        )

    def number(self, position: int) -> int:
        """Return a number that depends on song and presentation, not on how many of each there are."""
        c, i = divmod(position, self._n_per_class)
        return c * _MOST_PER_CLASS + i

    def noise_seed(self, seed: int) -> int:
        """Return a seed of its own, so that the noise of who listens shares nothing with the songs."""
        return int(np.random.SeedSequence(seed, spawn_key=(_NOISE,)).generate_state(1)[0])

    def _new_template(self, c: int) -> NDArray[np.float64]:
        return self._sounds[c].modulation(self._duration, self._generator(_TEMPLATES, c))

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=key))
