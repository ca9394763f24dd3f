"""A trial of a dataset or recording as the spike generator of a Brian2 script."""

import brian2
import numpy as np
import pandas as pd

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.recording.time_steps import brian2_step
from snncompare.units import QuantityLike, seconds

__all__ = ["spike_generator"]


def spike_generator(
    spikes: SpikeDataset | Recording, trial: int, dt: QuantityLike, *, name: str = "spikegeneratorgroup*"
) -> brian2.SpikeGeneratorGroup:
    r"""Return a group whose neuron k fires when unit k does in one trial, from the start of the run.

    Parameters
    ----------
    spikes : SpikeDataset or Recording
    trial : int
        Its position.
    dt : time
        Time step of the group, which emits a spike in step :math:`k = \lfloor (t + 10^{-3} dt) / dt \rfloor`, where
        :math:`t` is the time since the start of the trial.
    name : str
        Of the group; a star at the end stands for a number that makes it unique.

    Raises
    ------
    InputError
        For a position that does not exist, a time step that is not positive, or two spikes of a unit in one step, which
        Brian2 cannot emit.
    """
    step = seconds(dt, "dt")
    if not 0 < step < np.inf:
        raise InputError(f"dt must be positive, got {step:g} s.")
    one = spikes.recording([trial]) if isinstance(spikes, SpikeDataset) else _trial(spikes, trial)
    times = one.times - float(one.trials["start"].iloc[0])
    _, unit = one.spike_index()
    cells = pd.DataFrame({"step": brian2_step(times, step), "unit": unit})
    twice = cells[cells.duplicated()]
    if len(twice):
        at, which = twice.iloc[0]
        raise InputError(
            f"{len(twice)} spikes share a step of {step:g} s with another spike of their unit, the first of unit "
            f"{one.units.index[which]!r} in step {at}; Brian2 emits one, take a smaller dt."
        )
    return brian2.SpikeGeneratorGroup(one.n_units, unit, times * brian2.second, dt=step * brian2.second, name=name)


def _trial(recording: Recording, trial: int) -> Recording:
    if not 0 <= trial < recording.n_trials:
        raise InputError(f"the recording has the trials 0 to {recording.n_trials - 1}, got {trial}.")
    return recording.select(trials=np.arange(recording.n_trials) == trial)
