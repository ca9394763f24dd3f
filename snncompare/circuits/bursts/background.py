"""The Poisson background of the burst circuits, as published: independent conductances for every neuron."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from snncompare.circuits.bursts.synapses import Compartment
from snncompare.errors import InputError
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons.background import leak_units, with_poisson_background

__all__ = [
    "DENDRITE",
    "HIDDEN_SOMA",
    "INTERNEURONS",
    "OUTPUT_SOMA",
    "PLASTICITY",
    "SOMA",
    "Background",
    "with_background",
]


class Background(NamedTuple):
    """Poisson excitation and inhibition of a compartment: rates in hertz, weights in units of its leak conductance."""

    excitatory_rate: float
    excitatory_weight: float
    inhibitory_rate: float
    inhibitory_weight: float


SOMA = Background(500.0, 0.35, 500.0, 0.35)
"""Somata of pyramidal neurons, and of the input populations of the XOR network (code of Payeur et al. 2021)."""
DENDRITE = Background(500.0, 0.05, 500.0, 0.05)
"""Dendrites of both."""
HIDDEN_SOMA = Background(150.0, 0.385, 150.0, 0.49)
OUTPUT_SOMA = Background(150.0, 0.35, 150.0, 0.35)
PLASTICITY: Mapping[str, Background] = MappingProxyType(
    {"soma": Background(500.0, 0.17, 150.0, 0.26), "dendrite": Background(500.0, 0.0425, 150.0, 0.065)}
)
"""The presynaptic population of the plasticity experiment (their figure 2)."""
INTERNEURONS: Mapping[str, Background] = MappingProxyType(
    {"som": Background(500.0, 0.4, 500.0, 0.5), "pv": Background(500.0, 0.75, 500.0, 1.125)}
)


def with_background(model: NeuronModel, background: Background, compartment: Compartment = "soma") -> NeuronModel:
    """Return the model with Poisson excitation (5 ms, 0 mV) and inhibition (10 ms, -80 mV) of one compartment.

    Parameters
    ----------
    model : NeuronModel
    background : Background
    compartment : str
        ``"soma"`` (input ``I``) or ``"dendrite"`` (input ``I_d``, driving force from ``v_drive``).

    Raises
    ------
    InputError
        For a rate or weight below zero.
    """
    for name, given in background._asdict().items():
        if not 0 <= given < float("inf"):
            raise InputError(f"{name} of a background must be a finite number from 0 on, got {given!r}.")
    into, voltage = ("I", "v") if compartment == "soma" else ("I_d", "v_drive")
    synapses = (
        ("excitation", background.excitatory_rate, background.excitatory_weight, "5 ms", "0 mV"),
        ("inhibition", background.inhibitory_rate, background.inhibitory_weight, "10 ms", "-80 mV"),
    )
    for kind, rate, weight, tau, reversal in synapses:
        if rate * weight > 0:
            model = with_poisson_background(
                model,
                rate=f"{rate!r} Hz",
                weight=leak_units(model, compartment, weight),
                tau=tau,
                reversal=reversal,
                into=into,
                voltage=voltage,
                name=f"{kind}_{compartment}",
            )
    return model
