"""Globular bushy cells of the cochlear nucleus: coincidences of auditory-nerve fibres."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.auditory.auditory_nerve import AuditoryNerve
from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.parameters import check_positive, check_whole, keep_times
from snncompare.encoding.stimuli import Sound
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["BushyCells"]


@dataclass(frozen=True, kw_only=True)
class BushyCells(Encoder):
    r"""Leaky integrate-and-fire cells with a short memory, so that they fire where several inputs coincide.

    .. math:: \tau \dot v = -v + \frac{\tau}{N_c} \sum_k \delta(t - t_k)

    over the spikes :math:`t_k` of all inputs. Where :math:`v` reaches 1 the cell fires; then :math:`v = 0` for the
    refractory period. Each input is one fibre of the nerve, of the cell's own channel or a near one.

    Parameters
    ----------
    nerve : AuditoryNerve
        Default: with 30 fibres per channel, in the proportions of `AuditoryNerve`, so that 20 of one channel converge.
    cells_per_channel : int
    inputs_per_cell : int
        Fibres that converge on a cell, each drawn once; cells may share fibres.
    reach : int
        Inputs come from channels at most so far away. Fibres of other channels fire at other phases of a tone, so that
        a reach costs synchrony.
    coincidences : float
        :math:`N_c`, inputs that must arrive at the same instant to make the cell fire.
    membrane_time_constant : time
        :math:`\tau`.
    refractory_period : time
    delay : time
        Of synapse and axon, added to all spikes.
    seed : int
        Of which fibres converge on which cell.

    Raises
    ------
    InputError
        For parameters that describe no cells, or more inputs than there are fibres within reach.

    References
    ----------
    Rothman, Young & Manis (1993) J Neurophysiol 70:2562-2583 (convergence of subthreshold inputs enhances
    synchronisation); Spirou, Rager & Manis (2005) Neuroscience 136:843-863 (9 to 69 inputs, 23 on average, in the
    cat); Joris, Carney, Smith & Yin (1994) J Neurophysiol 71:1022-1036 (the synchronisation). Why cells with few,
    large inputs synchronise as well is open: Joris & Smith (2008) Neuroscience 154:65-76; they are not modelled.
    """

    takes: ClassVar[type] = Sound

    nerve: AuditoryNerve = field(default_factory=lambda: AuditoryNerve(fibres_per_channel=(6, 6, 18)))
    cells_per_channel: int = 1
    inputs_per_cell: int = 20
    reach: int = 0
    coincidences: float = 4.0
    membrane_time_constant: QuantityLike = "0.4 ms"
    refractory_period: QuantityLike = "1.5 ms"
    delay: QuantityLike = "0.5 ms"
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.nerve, AuditoryNerve):
            raise InputError(f"nerve is an AuditoryNerve, got {self.nerve!r:.60}.")
        for name, least in (("cells_per_channel", 1), ("inputs_per_cell", 1), ("reach", 0), ("seed", 0)):
            check_whole(self, name, least)
        check_positive(self, "coincidences")
        keep_times(self, "membrane_time_constant", "refractory_period")
        keep_times(self, "delay", zero=True)
        per_channel = len(self.nerve.fibre_classes)
        fewest = per_channel * min(self.reach + 1, self.nerve.n_channels)
        if self.inputs_per_cell > fewest:
            raise InputError(
                f"a cell at the end of the cochlea has {fewest} fibres within reach, so no {self.inputs_per_cell} "
                "inputs; take fewer inputs_per_cell, a wider reach, or more fibres per channel."
            )

    def units(self, stimulus: Sound | None = None) -> pd.DataFrame:
        """Return the cells by channel.

        Columns: ``channel``, ``characteristic_frequency`` (Hz), ``place_mm`` (from the apex), ``inputs``.
        """
        fibres = self.nerve.units(stimulus)
        own = fibres.iloc[:: len(self.nerve.fibre_classes)]
        own = own.loc[own.index.repeat(self.cells_per_channel)]
        table = own[["channel", "characteristic_frequency", "place_mm"]].assign(inputs=self.inputs_per_cell)
        table.index = pd.Index([f"cell {k}" for k in range(len(table))])
        return table

    def _check(self, stimulus: Sound) -> None:
        """Refuse what the nerve refuses."""
        self.nerve.check(stimulus)

    def fire(self, stimulus: Sound, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of one presentation.

        Raises
        ------
        InputError
            As for `AuditoryNerve.fire`.
        """
        from snncompare.encoding.auditory.coincidence_kernel import coincidences

        nerve = self.nerve.fire(stimulus, randomness)
        trains = np.split(nerve.times, np.cumsum(nerve.counts)[:-1])
        cells = []
        for inputs in _convergence(self):
            arriving = np.sort(np.concatenate([trains[fibre] for fibre in inputs]))
            fired = coincidences(
                arriving,
                1.0 / float(self.coincidences),
                self.membrane_time_constant.value,
                self.refractory_period.value,
            )
            late = fired + self.delay.value
            cells.append(late[late <= stimulus.duration])
        return Spikes(np.concatenate(cells), np.array([cell.size for cell in cells], dtype=np.int64))


@lru_cache(maxsize=8)
def _convergence(cells: BushyCells) -> NDArray[np.int64]:
    """Return the numbers of the fibres that converge on each cell, shape (n_cells, inputs_per_cell)."""
    rng = np.random.default_rng(cells.seed)
    per_channel, n_channels = len(cells.nerve.fibre_classes), cells.nerve.n_channels
    drawn = []
    for channel in np.repeat(np.arange(n_channels), cells.cells_per_channel):
        near = range(max(channel - cells.reach, 0), min(channel + cells.reach + 1, n_channels))
        fibres = np.arange(near.start * per_channel, near.stop * per_channel)
        drawn.append(rng.choice(fibres, cells.inputs_per_cell, replace=False))
    return np.array(drawn)
