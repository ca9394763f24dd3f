"""What networks are shown to compare how they represent it, and how the network without a chip responds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.backends.activity import planned_run, spiking
from snncompare.comparison.measures import Measure, Spearman, check_measure
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.recording.recording import Recording
from snncompare.representation.distances import distances, several_metrics
from snncompare.representation.metrics import Metric
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

    from snncompare.learning.trained import Trained
    from snncompare.network.network import Network

__all__ = ["Ideal", "Probe", "check_probe", "ideal_responses", "inputs_of", "of_population"]

FEWEST_CONDITIONS = 3


@dataclass(frozen=True, eq=False)
class Probe:
    """What is shown to compare representations.

    Parameters
    ----------
    dataset : SpikeDataset
        Its units are the neurons of the network's spike source.
    by : str
        Label of the trials that names the condition; at least three conditions.
    metrics : sequence of Metric
        Of the distances between spike trains.
    population : str, optional
        Whose spikes are compared; default: all that fire by themselves.
    measure : Measure
        Of the similarity between RDMs.
    recording : rsatoolbox.rdm.RDMs, optional
        Of an animal that was shown the same conditions: one RDM per metric, and per subject.
    window : two times, optional
        Part of each trial that is compared; default: all of it.

    Raises
    ------
    InputError
        For a label that the trials do not have, too few conditions, or what is no metric or measure.
    """

    dataset: SpikeDataset
    by: str
    metrics: tuple[Metric, ...]
    population: str | None = None
    measure: Measure = Spearman()  # noqa: RUF009 - a frozen value
    recording: "RDMs | None" = None
    window: tuple[QuantityLike, QuantityLike] | None = None

    def __post_init__(self) -> None:
        labels = [name for name in self.dataset.trials if name not in {"start", "stop"}]
        if self.by not in labels:
            raise InputError(f"by: {unknown('label of the trials', self.by, labels)}")
        object.__setattr__(self, "metrics", tuple(several_metrics(self.metrics)))
        check_measure(self.measure)
        n_conditions = self.dataset.trials[self.by].nunique()
        if n_conditions < FEWEST_CONDITIONS:
            raise InputError(
                f"'{self.by}' names {n_conditions} conditions in '{self.dataset.name}'; representations can be "
                f"compared from {FEWEST_CONDITIONS} on."
            )

    def of(self, activity: Recording) -> Recording:
        """Return the part of a network's activity that is compared."""
        part = of_population(activity, self.population)
        if self.window is None:
            return part
        from snncompare.recording.cutting import cut_at_zero

        return cut_at_zero(part, self.window)


@dataclass(frozen=True, eq=False)
class Ideal:
    """How the network responds where it is what was asked for.

    Attributes
    ----------
    spikes : Recording
        What is compared, one trial per trial of the probe.
    rdms : rsatoolbox.rdm.RDMs
        One per metric.
    between : array (n_metrics,)
        Mean distance between trials of different conditions.
    cost : Cost or None
        Operations of one trial; None where they cannot be counted.
    no_cost : str
        Why not, in words.
    rate : float
        Mean firing rate, hertz.
    """

    spikes: Recording
    rdms: "RDMs"
    between: NDArray[np.float64]
    cost: Any
    no_cost: str
    rate: float


def ideal_responses(trained: "Trained", probe: Probe, *, dt: QuantityLike) -> Ideal:
    """Return how a network responds to a probe in float64 without any chip.

    Raises
    ------
    InputError
        If the probe does not fit the network, or the network never fires in what is compared.
    """
    from snncompare.backends.registry import compile as compile_network
    from snncompare.representation.rdm import rdm

    network = trained.network
    inputs, duration = check_probe(trained, probe, dt=dt)
    program = compile_network(network, "torch", dt=dt, weights=trained.realisation)
    activity = program.run(inputs, duration=duration)
    spikes = probe.of(activity)
    if spikes.times.size == 0:
        raise InputError(f"the network '{network.name}' never fires in what is compared; nothing can be said of chips.")
    metrics = list(probe.metrics)
    cost, no_cost = _cost(trained, inputs, activity, dt)
    return Ideal(
        spikes=spikes,
        rdms=rdm(spikes, metrics, probe.by),
        between=_between_conditions(spikes, metrics, probe.by),
        cost=cost,
        no_cost=no_cost,
        rate=float(activity.times.size / (activity.n_units * activity.n_trials * seconds(duration))),
    )


def check_probe(trained: "Trained", probe: Probe, *, dt: QuantityLike) -> tuple[dict[str, Recording], str]:
    """Refuse a probe that does not fit a network before anything runs; return inputs and duration of a run.

    Raises
    ------
    InputError
    """
    network = trained.network
    if probe.population is not None and probe.population not in spiking(network):
        raise InputError("population: " + unknown("population that spikes", probe.population, spiking(network)))
    inputs, duration = inputs_of(network, probe.dataset, dt)
    if probe.window is not None:
        first, last = (seconds(edge, "window") for edge in probe.window)
        if not 0 <= first < last <= seconds(duration) * (1 + 1e-9):
            raise InputError(
                f"window: begins before it ends, within the trials from 0 s to {duration}; got "
                f"[{probe.window[0]}, {probe.window[1]}]."
            )
    planned_run(network, trained.realisation, seconds(dt, "dt"), inputs, duration, None)
    return inputs, duration


def inputs_of(network: "Network", dataset: SpikeDataset, dt: QuantityLike) -> tuple[dict[str, Recording], str]:
    """Return the trials of a dataset as the input of a network, with times from 0, and how long a trial lasts.

    Raises
    ------
    InputError
        If the network has not one spike source with a neuron for each unit.
    """
    sources = network.sources()
    if len(sources) != 1:
        raise InputError(f"a dataset needs a network with one spike source, '{network.name}' has {sources}.")
    size = network.populations[sources[0]].size
    if len(dataset.units) != size:
        raise InputError(f"the spike source has {size} neurons, '{dataset.name}' has {len(dataset.units)} units.")
    spikes, step = dataset.spikes, seconds(dt, "dt")
    starts, stops = (spikes.trials[edge].to_numpy(np.float64) for edge in ("start", "stop"))
    trial = spikes.spike_index()[0]
    longest = step * math.ceil(float((stops - starts).max()) / step - 1e-6)
    given = Recording(
        times=spikes.times - starts[trial],
        offsets=spikes.offsets,
        units=pd.DataFrame(index=range(size)),
        trials=spikes.trials.assign(start=0.0, stop=longest),
        provenance={},
    )
    return {sources[0]: given}, f"{longest!r} s"


def of_population(activity: Recording, population: str | None) -> Recording:
    """Return the units of one population, or all."""
    if population is None:
        return activity
    return activity.select(units=(activity.units["population"] == population).to_numpy())


def _between_conditions(spikes: Recording, metrics: list[Metric], by: str) -> NDArray[np.float64]:
    labels = spikes.trials[by].to_numpy()
    differ = labels[:, None] != labels[None, :]
    return np.array([between.to_numpy()[differ].mean() for between in distances(spikes, metrics)])


def _cost(
    trained: "Trained", inputs: Mapping[str, Recording], activity: Recording, dt: QuantityLike
) -> tuple[Any, str]:
    from snncompare.learning.cost.spiking import cost_of_recording

    try:
        return cost_of_recording(trained.network, trained.realisation, inputs, activity, dt=dt), ""
    except UnsupportedError as problem:
        return None, str(problem)
