"""Recognition of frozen songs: generated sounds, heard by model receptors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from snncompare.datasets.card import DatasetCard
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.encoding.envelopes import BandLimitedEnvelope, mixture
from snncompare.encoding.receptors import ReceptorPopulation
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["song_envelopes"]

_TEMPLATES, _PRESENTATIONS, _NOISE = 0, 1, 2
"""First number of the keys that keep the three sources of randomness apart."""

_MOST_PER_CLASS = 1_000_000
"""Presentations are numbered song by song, this far apart."""


def song_envelopes(
    card: DatasetCard,
    *,
    n_classes: int = 4,
    n_per_class: int = 50,
    duration: QuantityLike = "300 ms",
    similarity: float = 0.7,
    cutoffs: Sequence[QuantityLike] = ("200 Hz",),
    receptors: ReceptorPopulation | None = None,
    seed: int = 0,
) -> SpikeDataset:
    r"""Return presentations of songs, as spikes of a population of receptors.

    Each song :math:`c` has one frozen modulation :math:`g_c`; a presentation has
    :math:`g = \sqrt{\rho} g_c + \sqrt{1 - \rho} g_{fresh}` (`mixture`), so that presentations of all songs have the
    same statistics as the sounds of ``grasshopper_receptor``, and only the temporal pattern tells the song.

    Parameters
    ----------
    card : DatasetCard
    n_classes, n_per_class : int
        Number of songs, and of presentations of each.
    duration : time
        Length of a presentation.
    similarity : float
        :math:`\rho`, correlation of the modulations of two presentations of one song.
    cutoffs : sequence of frequencies
        Cutoff of the modulation; song ``c`` has ``cutoffs[c % len(cutoffs)]``. With more than one, the spectrum tells
        songs apart too.
    receptors : ReceptorPopulation, optional
        Who listens; default ``ReceptorPopulation()``.
    seed : int
        Songs, presentations and receptor noise. Presentation i of song c is the same for any ``n_classes`` and
        ``n_per_class``.

    Returns
    -------
    SpikeDataset
        Label ``song`` (``"song 1"``, ...); trial labels ``cutoff_hz``, ``presentation``; ``stimulus`` holds the
        envelopes, dimensions ``trial, time``, attribute ``sampling_rate`` in hertz.

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
    envelopes = np.concatenate(
        [
            sound.amplitude(_modulations(sound, duration, n_per_class, similarity, (seed, c)))
            for c, sound in enumerate(sounds)
        ]
    )
    trials = _trial_labels(sounds, n_per_class)
    rate = sounds[0].sampling_rate.value
    spikes = (receptors or ReceptorPopulation()).encode(
        envelopes,
        sounds[0].sampling_rate,
        seed=_noise_seed(seed),
        trials=trials,
        presentations=_presentation_numbers(n_classes, n_per_class),
    )
    stimulus = xr.DataArray(
        envelopes,
        dims=("trial", "time"),
        coords={"trial": trials.index.to_numpy(), "time": np.arange(envelopes.shape[1]) / rate},
        name="envelope",
        attrs={"sampling_rate": rate},
    )
    return SpikeDataset(spikes=spikes, label="song", name=card.name, stimulus=stimulus, card=card)


def _modulations(
    sound: BandLimitedEnvelope, duration: QuantityLike, n: int, similarity: float, song: tuple[int, int]
) -> NDArray[np.float64]:
    seed, c = song
    template = sound.modulation(duration, _generator(seed, _TEMPLATES, c))
    fresh = [sound.modulation(duration, _generator(seed, _PRESENTATIONS, c, i)) for i in range(n)]
    return mixture(template, np.concatenate(fresh), similarity)


def _trial_labels(sounds: Sequence[BandLimitedEnvelope], n_per_class: int) -> pd.DataFrame:
    rows = [(c, sound.cutoff.value, i) for c, sound in enumerate(sounds) for i in range(n_per_class)]
    return pd.DataFrame(
        [(f"song {c + 1}", cutoff, i) for c, cutoff, i in rows],
        columns=["song", "cutoff_hz", "presentation"],
        index=[f"song {c + 1} presentation {i}" for c, _, i in rows],
    )


def _presentation_numbers(n_classes: int, n_per_class: int) -> NDArray[np.int64]:
    return (np.arange(n_classes)[:, np.newaxis] * _MOST_PER_CLASS + np.arange(n_per_class)).ravel()


def _generator(seed: int, *key: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _noise_seed(seed: int) -> int:
    return int(np.random.SeedSequence(seed, spawn_key=(_NOISE,)).generate_state(1)[0])
