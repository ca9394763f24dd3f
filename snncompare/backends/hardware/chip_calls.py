"""A network as the calls that hxtorch takes to run it on BrainScaleS-2, and what comes back as a `Recording`.

Nothing here needs the library or the chip: calls are plain data in the units of the hardware (its own seconds, levels
of the weights, steps of the converter), so that the translation can be checked anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.backends.activity import RunPlan, output_recording, planned_run, spiking
from snncompare.backends.analog.frozen.maps import WeightMap
from snncompare.backends.realisation import Realisation
from snncompare.errors import UnsupportedError
from snncompare.network.network import Network, Projection
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import exponential
from snncompare.recording.recording import Recording
from snncompare.units import Quantity, QuantityLike

__all__ = ["LEAK_LSB", "THRESHOLD_LSB", "ChipCalls", "Layer", "chip_calls", "recording_of"]

LEAK_LSB = 80.0
"""Calibration target of the leak, in steps of the membrane's converter: calix' default (neuron_calib_target.cpp)."""
THRESHOLD_LSB = 125.0
"""That of the threshold, likewise."""

_LIF = leaky_integrate_and_fire()


@dataclass(frozen=True, eq=False)
class Layer:
    """A population and the synapses onto it: one ``Synapse`` and one ``LIF`` of hxtorch.

    Attributes
    ----------
    population, source, projection : str
    levels : float64 array (n_target, n_source)
        Weights as they are written: whole numbers from -63 to 63, a sign being a pair of rows.
    tau_mem, tau_syn, refractory_time : float
        Seconds of the hardware.
    reset : float
        Steps of the converter; leak and threshold are `LEAK_LSB` and `THRESHOLD_LSB`.
    """

    population: str
    source: str
    projection: str
    levels: NDArray[np.float64]
    tau_mem: float
    tau_syn: float
    refractory_time: float
    reset: float


@dataclass(frozen=True, eq=False)
class ChipCalls:
    """One run: layers in the order in which they are called, and the spikes that go in.

    Attributes
    ----------
    dt : float
        Step of the grid, seconds of the hardware.
    n_steps : int
    layers : tuple of Layer
    inputs : mapping
        Spike source to bool array (n_steps, n_trials, n_neurons).
    recorded : tuple of str
        Populations whose spikes are wanted.
    trials : DataFrame or None
        Of the inputs.
    """

    dt: float
    n_steps: int
    layers: tuple[Layer, ...]
    inputs: Mapping[str, NDArray[np.bool_]]
    recorded: tuple[str, ...]
    trials: pd.DataFrame | None


def chip_calls(
    network: Network,
    realisation: Realisation,
    weight_maps: Mapping[str, WeightMap],
    inputs: Mapping[str, Recording],
    *,
    duration: QuantityLike,
    record: Sequence[str] | None = None,
    dt: float,
    speedup: float,
) -> ChipCalls:
    """Return the calls that run a network of leaky integrate-and-fire neurons in layers.

    Parameters
    ----------
    network, realisation, inputs, duration, record
        As for `HardwareAdapter.run`.
    weight_maps : mapping
        Projection to what the chip makes of its weights; only the levels are used.
    dt : float
        Step of the grid in biological seconds.
    speedup : float
        Biological time per time of the hardware.

    Raises
    ------
    UnsupportedError
        For what is not translated: other neurons than `leaky_integrate_and_fire`, other synapses than `exponential`,
        recurrent or several projections onto a population, delays, values that differ between neurons, traces.
    InputError
        For inputs that do not fit to the network.
    """
    plan = planned_run(network, realisation, dt, inputs, duration, record)
    if plan.recorded.traces:
        raise UnsupportedError("this adapter returns spikes only; leave traces out of record=[...].")
    layers = tuple(_layer(network, realisation, weight_maps, name, speedup) for name in _in_order(network))
    rasters = {name: _raster(network, name, plan) for name in network.sources()}
    return ChipCalls(dt / speedup, plan.steps, layers, rasters, plan.recorded.spikes, plan.trials)


def recording_of(
    calls: ChipCalls,
    spikes: Mapping[str, NDArray[np.bool_]],
    network: Network,
    *,
    speedup: float,
    provenance: Mapping[str, object],
) -> Recording:
    """Return what the chip answered, in biological time.

    Parameters
    ----------
    calls : ChipCalls
    spikes : mapping
        Population to array (n_steps, n_trials, n_neurons), true where a neuron fired.
    network : Network
    speedup : float
    provenance : mapping
        What ran it.

    Raises
    ------
    UnsupportedError
        If an answer is missing or has another shape than what was asked for.
    """
    n_trials, found = len(calls.trials) if calls.trials is not None else 1, {}
    for name in calls.recorded:
        wanted = (calls.n_steps, n_trials, network.populations[name].size)
        raster = np.asarray(spikes[name]) if name in spikes else np.zeros(0)
        if raster.shape != wanted:
            raise UnsupportedError(f"the spikes of '{name}' came back in the shape {raster.shape}, not {wanted}.")
        trial, step, neuron = np.nonzero(raster.transpose(1, 0, 2))
        found[name] = (trial, step, neuron)
    given = {**provenance, "network": network.fingerprint()}
    return output_recording(network, found, calls.dt * speedup, calls.n_steps, calls.trials, given)


def _in_order(network: Network) -> list[str]:
    """Return the populations that fire, each after the one that it listens to; readouts change no spike."""
    waiting = spiking(network)
    ready, ordered = set(network.sources()), list[str]()
    while waiting:
        able = [name for name in waiting if {p.source for p in network.incoming(name).values()} <= ready]
        if not able:
            raise UnsupportedError(
                f"'{waiting[0]}' listens to itself or in a circle; this adapter runs layers one after the other."
            )
        ordered += able
        ready |= set(able)
        waiting = [name for name in waiting if name not in able]
    return ordered


def _layer(
    network: Network, realisation: Realisation, maps: Mapping[str, WeightMap], name: str, speedup: float
) -> Layer:
    model = network.populations[name].model
    incoming = network.incoming(name)
    if (model.equations, model.threshold, model.reset) != (_LIF.equations, _LIF.threshold, _LIF.reset):
        raise UnsupportedError(
            f"'{name}' is no leaky_integrate_and_fire(...); this adapter translates no other neuron."
        )
    if len(incoming) != 1:
        raise UnsupportedError(f"'{name}' has {len(incoming)} projections onto it; this adapter translates one.")
    projection_name, projection = next(iter(incoming.items()))
    _check_synapse(projection_name, projection)
    if projection_name not in maps:
        raise UnsupportedError(f"the profile says nothing of how the weights of '{projection_name}' are written.")
    connections = realisation.connections[projection_name]
    levels = np.zeros(connections.shape[::-1])
    np.add.at(levels, (connections.target, connections.source), maps[projection_name].levels(connections.weight))
    threshold, reset = (_one(network, realisation, name, key) for key in ("v_threshold", "v_reset"))
    refractory = model.refractory.value if isinstance(model.refractory, Quantity) else 0.0
    return Layer(
        population=name,
        source=projection.source,
        projection=projection_name,
        levels=levels,
        tau_mem=_one(network, realisation, name, "tau") / speedup,
        tau_syn=projection.synapse.parameters["tau_syn"].value / speedup,
        refractory_time=refractory / speedup,
        reset=LEAK_LSB + (THRESHOLD_LSB - LEAK_LSB) * reset / threshold,
    )


def _check_synapse(name: str, projection: Projection) -> None:
    like = exponential()
    synapse = projection.synapse
    if (synapse.equations, synapse.on_pre, synapse.current) != (like.equations, like.on_pre, like.current):
        raise UnsupportedError(f"projection '{name}' is no exponential(...); this adapter translates no other synapse.")
    if not isinstance(projection.delay, Quantity) or projection.delay.value != 0:
        raise UnsupportedError(f"projection '{name}' has a delay, and the chip has no synaptic delays.")


def _one(network: Network, realisation: Realisation, population: str, name: str) -> float:
    """Return the value that all neurons have in common."""
    each = realisation.values.get(population, {}).get(name)
    if each is None:
        return float(network.populations[population].parameter(name).value)
    if np.ptp(each) > 0:
        raise UnsupportedError(f"'{name}' of '{population}' differs between neurons; this adapter sets one value.")
    return float(each[0])


def _raster(network: Network, source: str, plan: RunPlan) -> NDArray[np.bool_]:
    given = plan.inputs[source]
    raster = np.zeros((plan.steps, plan.n_trials, network.populations[source].size), dtype=bool)
    raster[given.step, given.trial, given.neuron] = True
    return raster
