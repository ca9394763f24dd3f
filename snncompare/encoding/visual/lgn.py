"""Relay cells of the lateral geniculate nucleus, each driven by a ganglion cell or a few."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.parameters import check_between, check_not_negative, check_positive, check_whole, keep_times
from snncompare.encoding.randomness import child
from snncompare.encoding.stimuli import Movie
from snncompare.encoding.visual.relay import relay_spikes
from snncompare.encoding.visual.retina import Retina
from snncompare.errors import InputError
from snncompare.units import QuantityLike

__all__ = ["LGN"]


@dataclass(frozen=True, kw_only=True)
class LGN(Encoder):
    r"""One relay cell per ganglion cell, which sums synaptic potentials as in Carandini et al. (2007).

    .. math::

        V(t) = \sum_i u_i \frac{t - t_i - D}{\tau_e} e^{1 - (t - t_i - D) / \tau_e}
               - \sum_k u_r e^{-(t - \hat t_k) / \tau_r} + n(t), \qquad V \ge 1: \text{ spike}

    with :math:`t_i` spikes of ganglion cells and :math:`\hat t_k` the relay cell's own. A potential alone does not
    reach threshold but for the noise :math:`n`; a second one within some 30 ms adds to the first.

    Parameters
    ----------
    retina : Retina
    inputs : int
        How many ganglion cells of one class converge: the driver and its nearest neighbours.
    potential : float
        :math:`u`, peak of the driver's potential, in thresholds.
    neighbour : float
        Potential of each other input relative to the driver's, from 0 to 1.
    rise : time
        :math:`\tau_e`, time to peak.
    reset : float
        :math:`u_r`, after-potential, in thresholds.
    recovery : time
        :math:`\tau_r`.
    noise : float
        Standard deviation of :math:`n`, in thresholds; chosen.
    noise_time : time
        Its correlation time; chosen.
    delay : time
        :math:`D`, of conduction; chosen within the 1 to 5 ms of Benardete & Kaplan (1997).
    step : time
        Longest step of integration.

    References
    ----------
    Carandini, Horton & Sincich (2007) J Vis 7(14):20 (potential, rise, reset and recovery as in their model in NEST,
    iaf_chs_2007). Usrey, Reppas & Reid (1998) Nature 395:384-387. Sincich, Adams, Economides & Horton (2007) J Neurosci
    27:2683-2692 (more than 95 % of spikes follow one ganglion cell).
    """

    takes: ClassVar[type] = Movie

    retina: Retina = field(default_factory=Retina)
    inputs: int = 1
    potential: float = 0.77
    neighbour: float = 0.2
    rise: QuantityLike = "8.5 ms"
    reset: float = 2.31
    recovery: QuantityLike = "15.4 ms"
    noise: float = 0.12
    noise_time: QuantityLike = "10 ms"
    delay: QuantityLike = "2 ms"
    step: QuantityLike = "0.5 ms"

    def __post_init__(self) -> None:
        if not isinstance(self.retina, Retina):
            raise InputError(f"LGN relays the spikes of a Retina, got {self.retina!r}.")
        check_whole(self, "inputs", 1)
        check_positive(self, "potential")
        check_between(self, "neighbour", 0.0, 1.0)
        check_not_negative(self, "reset", "noise")
        keep_times(self, "rise", "recovery", "noise_time", "step")
        keep_times(self, "delay", zero=True)

    def units(self, stimulus: Movie) -> pd.DataFrame:
        """Return one row per relay cell: what the retina says of its driver, the driver's name, and the layer.

        Layers are magnocellular for parasol drivers, parvocellular for midget ones, and otherwise empty.
        """
        table = self.retina.units(stimulus)
        layers = table["cell_class"].map({"parasol": "magnocellular", "midget": "parvocellular"}).fillna("")
        table = table.assign(driver=table.index, layer=layers)
        table.index = pd.Index([f"relay of {name}" for name in table.index], name=table.index.name)
        return table

    def fire(self, stimulus: Movie, randomness: np.random.SeedSequence) -> Spikes:
        """Return the spikes of all relay cells in one presentation of the movie."""
        retinal = self.retina.fire(stimulus, child(randomness, 0))
        return self.relay(retinal, stimulus.duration, np.random.default_rng(child(randomness, 1)))

    def relay(self, retinal: Spikes, duration: float, rng: np.random.Generator) -> Spikes:
        """Return the spikes that those of the retina lead to.

        Parameters
        ----------
        retinal : Spikes
            Of all ganglion cells in one presentation, counts of shape (n_units,).
        duration : float
            Seconds.
        rng : numpy.random.Generator
            Of the noise of relay cells.

        Raises
        ------
        InputError
            For spikes of another number of cells than the retina has, where several converge.
        """
        ends = np.cumsum(retinal.counts)
        trains = [retinal.times[e - n : e] + self.delay.value for e, n in zip(ends, retinal.counts, strict=True)]
        sources = self._sources(len(trains))
        constants = (self.rise.value, self.reset, self.recovery.value, self.noise, self.noise_time.value)
        relayed = []
        for drivers in sources:
            arrivals = np.concatenate([trains[k] for k in drivers])
            sizes = np.full(arrivals.size, self.potential * self.neighbour)
            sizes[: trains[drivers[0]].size] = self.potential
            order = np.argsort(arrivals, kind="stable")
            relayed.append(relay_spikes(arrivals[order], sizes[order], duration, self.step.value, *constants, rng))
        return Spikes(np.concatenate(relayed), np.asarray([train.size for train in relayed], dtype=np.int64))

    def _sources(self, n_units: int) -> NDArray[np.int64]:
        """Return the inputs of each relay cell, the driver first, shape (n_units, n_inputs)."""
        if self.inputs == 1:
            return np.arange(n_units)[:, np.newaxis]
        sources = _nearest(self.retina, self.inputs)
        if len(sources) != n_units:
            raise InputError(f"the retina has {len(sources)} ganglion cells, got spikes of {n_units}.")
        return sources


@lru_cache(maxsize=8)
def _nearest(retina: Retina, n_inputs: int) -> NDArray[np.int64]:
    """Return each cell and its nearest neighbours of the same class.

    Raises
    ------
    InputError
        If a class has fewer cells.
    """
    from scipy.spatial import cKDTree

    table = retina.cells().reset_index(drop=True)
    sources = np.empty((len(table), n_inputs), dtype=np.int64)
    for (kind, polarity), rows in table.groupby(["cell_class", "polarity"], sort=False):
        if len(rows) < n_inputs:
            raise InputError(
                f"{n_inputs} inputs converge, but the field holds only {len(rows)} {polarity} {kind} cells."
            )
        places = rows[["x_degrees", "y_degrees"]].to_numpy()
        nearest = cKDTree(places).query(places, k=n_inputs)[1]
        sources[rows.index] = rows.index.to_numpy()[nearest]
    return sources
