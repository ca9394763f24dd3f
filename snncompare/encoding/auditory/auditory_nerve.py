"""Sound to spikes of the auditory nerve."""

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.auditory.basilar_membrane import (
    REFERENCE_PRESSURE,
    DualResonance,
    MembraneFilters,
    MembraneStages,
)
from snncompare.encoding.auditory.fibres import HIGH_RATE, LOW_RATE, MEDIUM_RATE, FibreType, Refractoriness
from snncompare.encoding.auditory.hair_cell import HairCell
from snncompare.encoding.auditory.place_maps import INNER_HAIR_CELLS, characteristic_frequencies, place_of
from snncompare.encoding.auditory.resampling import rate_ratio, resampled
from snncompare.encoding.auditory.single_precision import LANES
from snncompare.encoding.auditory.synapse import Synapse
from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.parameters import check_between, check_whole, keep_frequencies, keep_times
from snncompare.encoding.stimuli import Sound
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["AuditoryNerve"]

_STEPS_PER_PERIOD = 4
"""Internal samples per period of the highest characteristic frequency."""
_SILENCE = 0.05
"""Seconds at rest before each sound."""
_PARTS = {
    "filters": MembraneFilters,
    "hair_cell": HairCell,
    "synapse": Synapse,
    "refractoriness": Refractoriness,
    "low": FibreType,
    "medium": FibreType,
    "high": FibreType,
}


@dataclass(frozen=True, kw_only=True)
class AuditoryNerve(Encoder):
    r"""Fibres of the auditory nerve of one ear: basilar membrane, inner hair cells, synapses, refractory spikes.

    Each channel is a place on the basilar membrane with one inner hair cell, from which several fibres leave; places
    are at equal distances. Pressure is that at the eardrum: outer and middle ear are not modelled, so that thresholds
    at the characteristic frequency (CF) hardly depend on it. The levels that digital sounds stand for are a choice:

    .. math:: p(t) = \sqrt{2} \cdot 20\,\mu Pa \cdot 10^{L_{full}/20} \cdot s(t)

    Parameters
    ----------
    n_channels : int
        Number of places, at most those of the inner hair cells of a human, 3500.
    lowest, highest : frequency
        CFs of the first and the last channel.
    species : str
        Whose map of places, of `place_maps.PLACE_MAPS`. How sharply places are tuned is a parameter of the filters.
    filters : MembraneFilters
        `Gammatone`, `Gammachirp` or `DualResonance`; the first two are linear, so that all fibres saturate within a
        narrow range of levels.
    hair_cell : HairCell
    synapse : Synapse
    refractoriness : Refractoriness
    low, medium, high : FibreType
        The three classes of spontaneous rate.
    fibres_per_channel : tuple of three int
        How many of low, medium, high spontaneous rate; (1, 1, 3) is near the 16, 23 and 61 % of the cat.
    delay : time
        Of synapse and conduction, added to all spikes.
    sampling_rate : frequency
        Internal; every sound is resampled to it. At least 4 samples per period of `highest`.
    full_scale_db : float
        :math:`L_{full}`, level (dB SPL) of a sine of full scale.
    level_db : float, optional
        If given, every sound is played at this level instead (root mean square over all of it, dB SPL); silence stays
        silent.
    seed : int
        Of the fibres' spontaneous rates.

    Raises
    ------
    InputError
        For parameters that describe no ear; in `fire`, for sounds sampled at less than twice `highest`.

    References
    ----------
    Place: Greenwood (1990); classes of fibres: Liberman (1978) J Acoust Soc Am 63:442-455, thresholds there Fig. 10;
    shapes of rate-level functions: Sachs & Abbas (1974) J Acoust Soc Am 56:1835-1847, Winter, Robertson & Yates
    (1990) Hear Res 45:191-202, Yates, Winter & Robertson (1990) Hear Res 45:203-220. The parts cite their own.
    """

    takes: ClassVar[type] = Sound

    n_channels: int = 70
    lowest: QuantityLike = "125 Hz"
    highest: QuantityLike = "8 kHz"
    species: str = "cat"
    filters: MembraneFilters = field(default_factory=DualResonance)
    hair_cell: HairCell = field(default_factory=HairCell)
    synapse: Synapse = field(default_factory=Synapse)
    refractoriness: Refractoriness = field(default_factory=Refractoriness)
    low: FibreType = LOW_RATE
    medium: FibreType = MEDIUM_RATE
    high: FibreType = HIGH_RATE
    fibres_per_channel: tuple[int, int, int] = (1, 1, 3)
    delay: QuantityLike = "1 ms"
    sampling_rate: QuantityLike = "40 kHz"
    full_scale_db: float = 100.0
    level_db: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole(self, "n_channels", 1, INNER_HAIR_CELLS)
        check_whole(self, "seed", 0)
        keep_frequencies(self, "lowest", "highest", "sampling_rate")
        keep_times(self, "delay", zero=True)
        check_between(self, "full_scale_db", -20.0, 140.0)
        if self.level_db is not None:
            check_between(self, "level_db", -20.0, 140.0)
        for name, kind in _PARTS.items():
            if not isinstance(getattr(self, name), kind):
                raise InputError(f"{name} is a {kind.__name__}, got {getattr(self, name)!r:.60}.")
        self._check_counts()
        if self.lowest.value >= self.highest.value:
            raise InputError(f"lowest < highest must hold, got {self.lowest} and {self.highest}.")
        if self.sampling_rate.value < _STEPS_PER_PERIOD * self.highest.value:
            raise InputError(
                f"fibres tuned to {self.highest} need a sampling_rate of at least "
                f"{_STEPS_PER_PERIOD * self.highest.value:g} Hz, got {self.sampling_rate}."
            )
        characteristic_frequencies(self.lowest.value, self.highest.value, self.n_channels, self.species)
        _release_constants(self)

    def _check_counts(self) -> None:
        counts = self.fibres_per_channel
        if not isinstance(counts, tuple) or len(counts) != 3 or not all(type(n) is int and n >= 0 for n in counts):
            raise InputError(
                f"fibres_per_channel is three whole numbers: of low, medium, high spontaneous rate; got {counts!r:.60}."
            )
        if sum(counts) == 0:
            raise InputError("fibres_per_channel has no fibres; give at least one.")

    @property
    def fibre_classes(self) -> tuple[str, ...]:
        """Class of spontaneous rate of each fibre of a channel, in the order of the units."""
        return tuple(np.repeat(["low", "medium", "high"], self.fibres_per_channel).tolist())

    def units(self, stimulus: Sound | None = None) -> pd.DataFrame:  # noqa: ARG002 (the same for every sound)
        """Return the fibres by channel, then class.

        Columns: ``channel``, ``characteristic_frequency`` (Hz), ``place_mm`` (from the apex),
        ``spontaneous_rate_class`` and ``spontaneous_rate`` (1/s).
        """
        frequencies = self._frequencies()
        classes = self.fibre_classes
        channel = np.repeat(np.arange(self.n_channels), len(classes))
        return pd.DataFrame(
            {
                "channel": channel,
                "characteristic_frequency": frequencies[channel],
                "place_mm": place_of(frequencies, self.species)[channel],
                "spontaneous_rate_class": list(classes) * self.n_channels,
                "spontaneous_rate": _spontaneous_rates(self).ravel(),
            },
            index=[f"channel {k} fibre {j}" for k in range(self.n_channels) for j in range(len(classes))],
        )

    def _check(self, stimulus: Sound) -> None:
        """Refuse sounds of a sampling rate that leaves fibres without sound, or that cannot be changed."""
        needed = 2.0 * self.highest.value
        if stimulus.sampling_rate < needed:
            raise InputError(
                f"a sound sampled at {stimulus.sampling_rate:g} Hz has nothing for fibres tuned to {self.highest}; "
                f"give one sampled at {needed:g} Hz or more, or highest='{stimulus.sampling_rate / 2:g} Hz' or less."
            )
        rate_ratio(stimulus.sampling_rate, self.sampling_rate.value)

    def fire(self, stimulus: Sound, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of one presentation.

        Raises
        ------
        InputError
            For a sound that is sampled too slowly, or at a rate that is no fraction of the internal one.
        """
        from snncompare.encoding.auditory.fibre_kernel import fibre_spikes, ordered_by_fibre

        rate, delay = self.sampling_rate.value, self.delay.value
        pressure = self.pressure(stimulus).astype(np.float32)
        refractory = self.refractoriness
        recovery = np.array(
            [refractory.absolute.value, refractory.fast.value, refractory.slow.value, refractory.slow_part]
        )
        rng, stages = np.random.default_rng(randomness), _stages(self)
        found = [
            fibre_spikes(
                self._potential(stages, pressure, group.channels),
                1.0 / rate,
                _SILENCE,
                group.release,
                group.fibres,
                float(self.synapse.exponent),
                recovery,
                stimulus.duration - delay,
                rng,
            )
            for group in _groups(self)
        ]
        times, fibres = (np.concatenate(parts) for parts in zip(*found, strict=True))
        times, counts = ordered_by_fibre(times, fibres, self.n_channels * len(self.fibre_classes))
        return Spikes(np.minimum(times + delay, stimulus.duration), counts)

    def potentials(self, stimulus: Sound) -> NDArray[np.float64]:
        """Return the receptor potentials of the hair cells, relative to their range, shape (n_channels, n_samples).

        Samples are those of the internal `sampling_rate`.
        """
        pressure = self.pressure(stimulus).astype(np.float32)
        found, stages = np.empty((self.n_channels, pressure.size)), _stages(self)
        for group in _groups(self):
            found[group.channels] = self._potential(stages, pressure, group.channels).reshape(pressure.size, -1).T
        return found

    def pressure(self, stimulus: Sound) -> NDArray[np.float64]:
        """Return the sound pressure at the eardrum in pascal, at the internal `sampling_rate`.

        Raises
        ------
        InputError
            As for `fire`.
        """
        self.check(stimulus)
        scale = np.sqrt(2.0) * REFERENCE_PRESSURE * 10.0 ** (self.full_scale_db / 20.0)
        if self.level_db is not None:
            loudness = np.sqrt(np.mean(stimulus.samples**2))
            scale = REFERENCE_PRESSURE * 10.0 ** (self.level_db / 20.0) / loudness if loudness > 0.0 else 0.0
        return scale * resampled(stimulus, self.sampling_rate.value)

    def _frequencies(self) -> NDArray[np.float64]:
        return characteristic_frequencies(self.lowest.value, self.highest.value, self.n_channels, self.species)

    def _potential(
        self, stages: MembraneStages, pressure: NDArray[np.float32], channels: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        potential = stages.motion(pressure, channels)
        self.hair_cell.respond(potential, self.sampling_rate.value)
        return potential


class _Group(NamedTuple):
    """Hair cells that are computed together, and their fibres in rows.

    ``channels``: shape (LANES,), a channel again where there are fewer or has more than one fibre in a row;
    ``fibres``: numbers of the fibres, -1 for none, shape (n_rows, LANES); ``release``: see `fibre_spikes`.
    """

    channels: NDArray[np.int64]
    fibres: NDArray[np.int64]
    release: NDArray[np.float64]


@lru_cache(maxsize=8)
def _groups(nerve: AuditoryNerve) -> tuple[_Group, ...]:
    constants = _release_constants(nerve)
    n_fibres = constants.shape[1]
    groups = []
    for first in range(0, nerve.n_channels, LANES):
        n = min(LANES, nerve.n_channels - first)
        copies = LANES // n
        lane = np.arange(LANES)
        channels = first + lane % n
        position = np.arange(ceil(n_fibres / copies))[:, np.newaxis] * copies + lane // n
        absent = (position >= n_fibres) | (lane >= copies * n)
        position[absent] = 0
        fibres = np.where(absent, -1, channels * n_fibres + position)
        release = np.ascontiguousarray(constants[channels, position].transpose(0, 2, 1))
        groups.append(_Group(channels, fibres, release))
    return tuple(groups)


@lru_cache(maxsize=8)
def _stages(nerve: AuditoryNerve) -> MembraneStages:
    return nerve.filters.stages(nerve._frequencies(), nerve.sampling_rate.value)


@lru_cache(maxsize=8)
def _spontaneous_rates(nerve: AuditoryNerve) -> NDArray[np.float64]:
    """Return spontaneous rates (1/s), shape (n_channels, n_fibres)."""
    kinds = [getattr(nerve, name) for name in nerve.fibre_classes]
    low = np.array([kind.lowest_rate.value for kind in kinds])
    high = np.array([kind.highest_rate.value for kind in kinds])
    rates = low + (high - low) * np.random.default_rng(nerve.seed).random((nerve.n_channels, len(kinds)))
    rates.setflags(write=False)
    return rates


@lru_cache(maxsize=8)
def _release_constants(nerve: AuditoryNerve) -> NDArray[np.float64]:
    """Return the constants of all synapses, shape (n_channels, n_fibres, 8); see `fibre_spikes`."""
    spontaneous = nerve.refractoriness.undisturbed(_spontaneous_rates(nerve))
    constants = np.empty((*spontaneous.shape, 8))
    for position, name in enumerate(nerve.fibre_classes):
        kind: FibreType = getattr(nerve, name)
        limit = float(nerve.refractoriness.undisturbed(kind.saturated_rate.value))
        constants[:, position, :5] = nerve.synapse.constants(limit)
        constants[:, position, 5] = nerve.synapse.drive_at_rest(spontaneous[:, position], limit)
        constants[:, position, 6:] = kind.threshold, kind.half_activation
        _refuse_coarse_steps(nerve, name, constants[:, position])
    constants.setflags(write=False)
    return constants


def _refuse_coarse_steps(nerve: AuditoryNerve, name: str, constants: NDArray[np.float64]) -> None:
    """Refuse steps in which a fully driven synapse would release more than its immediate store holds."""
    limit, local, _, immediate, _, rest, threshold, half = constants.T
    strongest = limit * (rest + (1.0 - threshold) / half) ** nerve.synapse.exponent
    needed = float(((strongest + local) / immediate).max())
    if nerve.sampling_rate.value < needed:
        raise InputError(
            f"fibres of {name} spontaneous rate with half_activation={half[0]:g} empty their stores within "
            f"{1e6 / needed:.2g} us; take a sampling_rate of at least {np.ceil(needed):.0f} Hz or a larger "
            "half_activation."
        )
