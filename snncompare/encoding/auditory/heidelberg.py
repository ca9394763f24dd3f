"""The cochlea of the Heidelberg Spiking Datasets: travelling wave, hair cells, bushy cells."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.auditory.heidelberg_bushy_cell import PoolingBushyCell
from snncompare.encoding.auditory.heidelberg_hair_cell import MeddisHairCell
from snncompare.encoding.auditory.place_maps import INNER_HAIR_CELLS
from snncompare.encoding.auditory.resampling import rate_ratio, resampled
from snncompare.encoding.auditory.travelling_wave import TravellingWave
from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.parameters import check_positive, check_whole, keep_frequencies, keep_times
from snncompare.encoding.stimuli import Sound
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["Heidelberg"]

_LOWEST_RATE = 4000.0
"""Sampling rate of a sound, hertz, below which most channels would hear nothing."""


@dataclass(frozen=True, kw_only=True)
class Heidelberg(Encoder):
    r"""Sounds as the Heidelberg Spiking Datasets encode them: one bushy cell per place of the cochlea.

    The sound is resampled, brought to a common level, faded in and out, and moves a `TravellingWave`; the velocity of
    each place opens a `MeddisHairCell`, whose fibres drive a `PoolingBushyCell`.

    Parameters
    ----------
    n_channels : int
        Places, equally spaced from base to apex: unit 0 has the highest characteristic frequency.
    membrane : TravellingWave
    hair_cell : MeddisHairCell
    bushy_cell : PoolingBushyCell
    sampling_rate : frequency
        To which sounds are brought (`scipy.signal.resample_poly`); the membrane is followed at half of it, as in the
        published implementation. 48 kHz is the rate of the Heidelberg Digits; sounds of a lower rate leave channels
        above half of it at their spontaneous rate.
    level : float, optional
        Root mean square to which each sound is scaled; silence stays silence. None: sounds as they are, relative to
        full scale.
    ramp : time
        Length of the raised-cosine fade at each end (at most half the sound). The published implementation fades over
        half of the sound; ``"0 ms"`` leaves the ends as they are.

    Raises
    ------
    InputError
        For parameters out of range, sampling rates too low for the hair cell; on firing for sounds below 4 kHz sampling
        rate, or rates whose ratio to `sampling_rate` is not that of whole numbers up to 20 000.

    Notes
    -----
    Silence is a sound: bushy cells then fire at their spontaneous rate. Spikes of the same parameters are those of
    `lauscher` 1.0.1 in distribution, if ``membrane=TravellingWave(published_phase=True)``.

    References
    ----------
    Cramer, Stradmann, Schemmel & Zenke (2022) IEEE Trans Neural Netw Learn Syst 33:2744-2757,
    doi:10.1109/TNNLS.2020.3044364.
    """

    takes: ClassVar[type] = Sound

    n_channels: int = 700
    membrane: TravellingWave = field(default_factory=TravellingWave)
    hair_cell: MeddisHairCell = field(default_factory=MeddisHairCell)
    bushy_cell: PoolingBushyCell = field(default_factory=PoolingBushyCell)
    sampling_rate: QuantityLike = "48 kHz"
    level: float | None = 0.3
    ramp: QuantityLike = "30 ms"

    def __post_init__(self) -> None:
        check_whole(self, "n_channels", 2, INNER_HAIR_CELLS)
        keep_frequencies(self, "sampling_rate")
        keep_times(self, "ramp", zero=True)
        if self.level is not None:
            check_positive(self, "level")
        self.hair_cell.refuse_coarse(self._dt)

    @property
    def _dt(self) -> float:
        return 2.0 / self.sampling_rate.value

    def units(self, stimulus: Sound) -> pd.DataFrame:  # noqa: ARG002 (the ear is the same for every sound)
        """Return the bushy cells: ``place``, distance from the stapes (m), and ``characteristic_frequency`` (Hz)."""
        places = self.membrane.places(self.n_channels)
        frequencies = self.membrane.characteristic_frequencies(places)
        return pd.DataFrame(
            {"place": places / 100.0, "characteristic_frequency": frequencies}, index=range(self.n_channels)
        )

    def _check(self, stimulus: Sound) -> None:
        """Refuse sounds of a sampling rate that the ear cannot use."""
        if stimulus.sampling_rate < _LOWEST_RATE:
            raise InputError(
                f"the sound has a sampling rate of {stimulus.sampling_rate:g} Hz, which leaves most of the cochlea "
                f"without sound; it needs at least {_LOWEST_RATE:g} Hz."
            )
        rate_ratio(stimulus.sampling_rate, self.sampling_rate.value)

    def fire(self, stimulus: Sound, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of all bushy cells to a sound; the memory this takes is that of one channel."""
        rng, dt = np.random.default_rng(randomness), self._dt
        trains = [
            self.bushy_cell.spikes(self.hair_cell.probabilities(velocity, dt), dt, rng)
            for velocity in self.membrane.velocities(
                self.heard(stimulus),
                self.sampling_rate.value,
                self.n_channels,
            )
        ]
        counts = np.array([train.size for train in trains], dtype=np.int64)
        return Spikes(np.minimum(np.concatenate(trains), stimulus.duration), counts)

    def heard(self, stimulus: Sound) -> NDArray[np.float64]:
        """Return the sound as it reaches the membrane: resampled, scaled and faded, shape (n_samples,)."""
        rate = self.sampling_rate.value
        samples = resampled(stimulus, rate).copy()
        loudness = np.sqrt(np.mean(samples**2))
        if self.level is not None and loudness > 0.0:
            samples *= self.level / loudness
        n = min(round(self.ramp.value * rate), samples.size // 2)
        if n > 0:
            fade = np.hanning(2 * n)[:n]
            samples[:n] *= fade
            samples[-n:] *= fade[::-1]
        return samples
