"""Every shipped neuron model with every shipped synapse model: small networks on which backends must agree.

`NEURONS` and `SYNAPSES` name the parts, `conformance_network` puts two together: spike sources, one population with a
constant current of its own for every neuron, and a synapse of its own strength for every pair. Any synapse fits any
neuron because `Drive` says what the neuron's input and membrane are measured in, and how strong an input it needs.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from snncompare.errors import InputError, unknown
from snncompare.network.initialisers import Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import (
    adaptive_current_based_leaky_integrate_and_fire,
    adaptive_exponential_integrate_and_fire,
    adaptive_leaky_integrate_and_fire,
    conductance_leaky_integrate_and_fire,
    current_based_leaky_integrate_and_fire,
    escape_noise_leaky_integrate_and_fire,
    exponential_integrate_and_fire,
    firing_pattern,
    izhikevich,
    leaky_integrate_and_fire,
    noisy_leaky_integrate_and_fire,
    parvalbumin_interneuron,
    poisson_neuron,
    quadratic_integrate_and_fire,
    somatostatin_interneuron,
    squid_axon,
    theta_neuron,
    traub_miles,
    two_compartment_pyramidal,
    with_bias,
)
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import (
    alpha,
    as_conductance,
    delta,
    depressing,
    double_exponential,
    exponential,
    facilitating,
    nmda,
    pair_stdp,
    saturating_nmda,
    triplet_stdp,
)
from snncompare.recording.recording import Recording
from snncompare.testing.networks import poisson_input
from snncompare.units import TIME, Quantity, QuantityLike, base_unit, hertz, quantity, seconds
from snncompare.values import Value

__all__ = ["NEURONS", "NOISY_NEURONS", "SYNAPSES", "Drive", "conformance_input", "conformance_network"]

SOURCES, CELLS = 20, 20


class Drive(Value):
    """What a neuron model needs in order to fire some ten times a second and more.

    Attributes
    ----------
    low, high : Quantity
        Range of the constant current of the neurons, in the unit of the input ``I``.
    current : Quantity
        Peak of the current of one spike.
    jump : Quantity
        By how much a delta synapse moves `moved`.
    reversal, force : Quantity
        Excitatory reversal potential, and its usual distance from the membrane potential.
    membrane, moved : str
        The variable in the driving force of a conductance, and the one that a delta synapse moves.
    block_slope : Quantity
        Slope of the magnesium block, per unit of the membrane.
    """

    low: Quantity
    high: Quantity
    current: Quantity
    jump: Quantity
    reversal: Quantity
    force: Quantity
    membrane: str = "v"
    moved: str = "v"
    block_slope: Quantity = quantity("62 1/volt")

    @property
    def conductance(self) -> Quantity:
        """A conductance with the `current` at the usual driving force."""
        dimension = tuple(i - v for i, v in zip(self.current.dimension, self.force.dimension, strict=True))
        return Quantity(self.current.value / self.force.value, dimension)  # type: ignore[arg-type] # seven exponents


def _above_rest(low: str, high: str, current: str) -> Drive:
    """Return the drive of a neuron whose potential counts from rest."""
    return Drive(low=low, high=high, current=current, jump="0.3 mV", reversal="70 mV", force="65 mV")


def _absolute(low: str, high: str, current: str) -> Drive:
    """Return the drive of a neuron whose potential is that against the outside."""
    return Drive(low=low, high=high, current=current, jump="0.3 mV", reversal="0 mV", force="60 mV")


def _bare(low: str, high: str, current: str, jump: str, *, moved: str = "x", force: str = "7", **more: str) -> Drive:
    """Return the drive of a neuron without unit."""
    given = {"block_slope": "1", **more}
    return Drive(low=low, high=high, current=current, jump=jump, reversal=force, force=force, moved=moved, **given)


_Neuron = tuple[NeuronModel, Drive]

NEURONS: Mapping[str, Callable[[], _Neuron]] = MappingProxyType({
    "LIF": lambda: (leaky_integrate_and_fire(), _above_rest("18 mV", "26 mV", "1.2 mV")),
    "adaptive LIF": lambda: (adaptive_leaky_integrate_and_fire(), _above_rest("30 mV", "40 mV", "2 mV")),
    "conductance LIF": lambda: (conductance_leaky_integrate_and_fire(), _absolute("0.25 nA", "0.4 nA", "15 pA")),
    "CuBa-LIF, stork": lambda: (current_based_leaky_integrate_and_fire(), _bare("1.5", "2.5", "0.1", "0.05")),
    "CuBa-LIF, spytorch": lambda: (
        current_based_leaky_integrate_and_fire(input_gain="plain", reset="zero and hold"),
        _bare("0.008", "0.013", "0.0005", "0.0003"),
    ),
    "ALIF, e-prop": lambda: (
        adaptive_current_based_leaky_integrate_and_fire(beta=0.05, adaptation_gain="plain", refractory_steps=20),
        _bare("2", "3", "0.1", "5"),
    ),
    "ALIF, SRNN": lambda: (
        adaptive_current_based_leaky_integrate_and_fire(
            tau_syn="5 ms", beta=200.0, reset="subtract current threshold"
        ),
        _bare("3.2", "4.5", "0.1", "0.1"),
    ),
    "EIF": lambda: (exponential_integrate_and_fire(), _absolute("0.25 nA", "0.5 nA", "20 pA")),
    "AdEx": lambda: (adaptive_exponential_integrate_and_fire(), _absolute("2 nA", "3 nA", "100 pA")),
    "AdEx, bursting": lambda: (firing_pattern("regular bursting")[0], _absolute("0.6 nA", "0.9 nA", "30 pA")),
    "PV interneuron": lambda: (parvalbumin_interneuron(), _absolute("0.3 nA", "0.5 nA", "15 pA")),
    "SOM interneuron": lambda: (somatostatin_interneuron(), _absolute("0.4 nA", "0.6 nA", "15 pA")),
    "QIF": lambda: (
        quadratic_integrate_and_fire(), _bare("3", "6", "0.2", "0.1", moved="v", force="30", block_slope="0.062")
    ),
    "theta": lambda: (theta_neuron(), _bare("3", "6", "0.2", "0.02", moved="theta", force="4", membrane="theta")),
    "Izhikevich": lambda: (izhikevich(), _absolute("20 mV/ms", "30 mV/ms", "1 mV/ms")),
    "Izhikevich, chattering": lambda: (izhikevich("chattering"), _absolute("10 mV/ms", "15 mV/ms", "0.5 mV/ms")),
    "squid axon": lambda: (squid_axon(), _absolute("10 uA/cm**2", "20 uA/cm**2", "0.5 uA/cm**2")),
    "Traub-Miles": lambda: (traub_miles(), _absolute("0.8 nA", "1.5 nA", "30 pA")),
    "two-compartment": lambda: (two_compartment_pyramidal(), _absolute("1.8 nA", "2.5 nA", "50 pA")),
})  # fmt: skip
"""Deterministic neuron models: name to a function that returns the model and its `Drive`."""

NOISY_NEURONS: Mapping[str, Callable[[], _Neuron]] = MappingProxyType({
    "escape noise": lambda: (escape_noise_leaky_integrate_and_fire(), _above_rest("18 mV", "26 mV", "1 mV")),
    "escape noise, sigmoid": lambda: (
        escape_noise_leaky_integrate_and_fire(hazard="sigmoid", rate="200 Hz"), _above_rest("22 mV", "32 mV", "1 mV")
    ),
    "white noise": lambda: (noisy_leaky_integrate_and_fire(), _above_rest("16 mV", "24 mV", "1 mV")),
    "Poisson": lambda: (
        _with_membrane(poisson_neuron()),
        Drive(low="40 Hz", high="80 Hz", current="3 Hz", jump="1", reversal="7", force="7", block_slope="1"),
    ),
})  # fmt: skip
"""Neuron models that fire at random, on which backends agree statistically."""


def _with_membrane(model: NeuronModel) -> NeuronModel:
    """Return the Poisson neuron with a variable that delta synapses and driving forces may use."""
    equations = f"{model.equations.replace('rate + I', 'rate + I + v*Hz')}\ndv/dt = -v/(20*ms) : 1"
    return model.model_copy(update={"equations": equations})


def _scaled(amount: Quantity, factor: float) -> Quantity:
    return Quantity(amount.value * factor, amount.dimension)


def _unit(amount: Quantity) -> str:
    return base_unit(amount.dimension)


_Synapse = tuple[SynapseModel, Quantity]


def _current(synapse: Callable[..., SynapseModel], drive: Drive) -> _Synapse:
    return synapse(unit=_unit(drive.current)), drive.current


def _conductance(drive: Drive) -> _Synapse:
    synapse = exponential(unit=_unit(drive.conductance))
    return as_conductance(synapse, reversal=drive.reversal, voltage=drive.membrane), drive.conductance


def _inhibition(drive: Drive) -> _Synapse:
    reversal = Quantity(drive.reversal.value - 1.2 * drive.force.value, drive.reversal.dimension)
    synapse = exponential(tau="10 ms", unit=_unit(drive.conductance))
    return as_conductance(synapse, reversal=reversal, voltage=drive.membrane), drive.conductance


def _nmda(synapse: Callable[..., SynapseModel], drive: Drive) -> _Synapse:
    made = synapse(
        reversal=drive.reversal,
        voltage=drive.membrane,
        unit=_unit(drive.conductance),
        block_slope=drive.block_slope,
    )
    return made, _scaled(drive.conductance, 0.1)


def _plastic(rule: Callable[..., SynapseModel], drive: Drive) -> _Synapse:
    synapse, weight = _current(exponential, drive)
    return rule(synapse, w_max=_scaled(weight, 2.0)), weight


SYNAPSES: Mapping[str, Callable[[Drive], _Synapse]] = MappingProxyType(
    {
        "delta": lambda drive: (delta(unit=_unit(drive.jump), variable=drive.moved), drive.jump),
        "exponential": lambda drive: _current(exponential, drive),
        "alpha": lambda drive: _current(alpha, drive),
        "double exponential": lambda drive: _current(double_exponential, drive),
        "conductance": _conductance,
        "inhibitory conductance": _inhibition,
        "NMDA": lambda drive: _nmda(nmda, drive),
        "saturating NMDA": lambda drive: _nmda(saturating_nmda, drive),
        "depressing": lambda drive: (depressing(_current(exponential, drive)[0]), drive.current),
        "facilitating": lambda drive: (facilitating(_conductance(drive)[0]), _scaled(drive.conductance, 8.0)),
        "STDP": lambda drive: _plastic(pair_stdp, drive),
        "triplet STDP": lambda drive: _plastic(triplet_stdp, drive),
    }
)
"""Synapse models: name to a function that returns, for the `Drive` of a neuron, the model and a mean weight."""


def conformance_network(neuron: str, synapse: str, *, dt: QuantityLike = "0.1 ms") -> Network:
    """Return sources and cells of one neuron model, joined all to all by one synapse model, three steps of delay away.

    Parameters
    ----------
    neuron : str
        One of `NEURONS` or `NOISY_NEURONS`.
    synapse : str
        One of `SYNAPSES`.
    dt : time
        Time step with which the network will be compiled.

    Raises
    ------
    InputError
        For a name that does not exist.
    """
    neurons = {**NEURONS, **NOISY_NEURONS}
    if neuron not in neurons:
        raise InputError(unknown("neuron model", neuron, neurons))
    if synapse not in SYNAPSES:
        raise InputError(unknown("synapse model", synapse, SYNAPSES))
    model, drive = neurons[neuron]()
    made, weight = SYNAPSES[synapse](drive)
    return Network(
        name=f"{neuron} with {synapse}",
        populations={
            "source": Population(size=SOURCES, neuron=SpikeSource()),
            "cells": Population(
                size=CELLS,
                neuron=with_bias(model, drive.low),
                parameters={"bias_I": Uniform(low=drive.low, high=drive.high)},
            ),
        },
        projections={
            "feed": Projection(
                source="source",
                target="cells",
                synapse=made,
                into="I" if made.current else None,
                weight=Uniform(low=_scaled(weight, 0.5), high=_scaled(weight, 1.5)),
                delay=Quantity(3 * seconds(dt, "dt"), TIME),
            )
        },
    )


def conformance_input(
    *,
    dt: QuantityLike = "0.1 ms",
    duration: QuantityLike = "1 s",
    rate: QuantityLike = "40 Hz",
    trials: int = 1,
    seed: int = 0,
) -> dict[str, Recording]:
    """Return random spikes for `conformance_network`: what `Program.run` takes as inputs."""
    given = {"duration": seconds(duration, "duration"), "dt": seconds(dt, "dt"), "rate": hertz(rate, "rate")}
    return {"source": poisson_input(units=SOURCES, trials=trials, seed=seed, **given)}
