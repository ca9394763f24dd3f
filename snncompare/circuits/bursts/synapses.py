"""Synapses and weights of the burst circuits, in units of the leak conductance of the compartment that they reach."""

from typing import Any, Literal

from snncompare.errors import InputError
from snncompare.network.initialisers import Constant, Normal
from snncompare.network.network import Population, Projection
from snncompare.network.neurons.background import leak_units
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses.conductances import ampa, gaba_a
from snncompare.network.wiring import FixedProbability
from snncompare.units import quantity

__all__ = [
    "Compartment",
    "conductance",
    "connection_probability",
    "initial_potential",
    "leak_weight",
    "projection",
]

Compartment = Literal["soma", "dendrite"]


def conductance(kind: str, compartment: Compartment = "soma") -> SynapseModel:
    r"""Return the synapse of ``"excitation"`` (5 ms, 0 mV) or ``"inhibition"`` (10 ms, -80 mV) onto a compartment.

    The membranes of these circuits are integrated by Euler's method, their conductances decay exactly, as in the
    authors' code: the rate of decay is written such that a step of Euler's method multiplies by
    :math:`e^{-dt/\tau}`.
    """
    voltage = "v" if compartment == "soma" else "v_drive"
    synapse = ampa(voltage=voltage) if kind == "excitation" else gaba_a(voltage=voltage)
    return synapse.model_copy(update={"equations": "dx/dt = -x*(1 - exp(-dt/tau_syn))/dt : siemens"})


def leak_weight(target: Population, compartment: Compartment, number: float) -> Constant:
    """Return a weight given in units of the leak conductance of a compartment, in siemens.

    Raises
    ------
    InputError
        If it is below zero: the synapse says whether it excites or inhibits.
    """
    if not 0 <= number < float("inf"):
        raise InputError(f"a weight in units of the leak is a finite number from 0 on, got {number!r}.")
    return Constant(value=leak_units(target.model, compartment, number))


def connection_probability(in_degree: float, size: int) -> float:
    """Return the probability that gives neurons this mean number of inputs from a population.

    Raises
    ------
    InputError
        If the population is smaller than that.
    """
    if size < in_degree:
        raise InputError(f"{in_degree:g} inputs per neuron need a source of at least as many neurons, got {size}.")
    return in_degree / size


def initial_potential() -> Normal:
    """Return the distribution of membrane potentials at the beginning, -70 mV with a standard deviation of 5 mV."""
    return Normal(mean=quantity("-70 mV"), sd=quantity("5 mV"))


def projection(
    populations: dict[str, Population],
    source: str,
    target: str,
    synapse: SynapseModel,
    weight: float,
    *,
    in_degree: float,
    compartment: Compartment = "soma",
    delay: str = "0 ms",
    **fields: Any,
) -> Projection:
    """Return a random projection with a mean number of inputs per neuron, and a weight in units of the leak.

    Raises
    ------
    InputError
        For a weight below zero, or a source smaller than the number of inputs.
    """
    return Projection(
        source=source,
        target=target,
        synapse=synapse,
        into="I" if compartment == "soma" else "I_d",
        wiring=FixedProbability(p=connection_probability(in_degree, populations[source].size)),
        weight=leak_weight(populations[target], compartment, weight),
        delay=quantity(delay),
        sign="positive",
        trainable={},
        **fields,
    )
