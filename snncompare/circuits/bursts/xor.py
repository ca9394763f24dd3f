"""The network of Payeur et al. (2021) Nature Neuroscience 24:1010 that learns exclusive or by bursts (figure 4).

Values as in the authors' code (``sim_xor.cpp``).
"""

from collections.abc import Mapping
from types import MappingProxyType

from snncompare.circuits.bursts.background import DENDRITE, HIDDEN_SOMA, OUTPUT_SOMA, SOMA, Background, with_background
from snncompare.circuits.bursts.relays import with_relays
from snncompare.circuits.bursts.synapses import conductance, initial_potential, projection
from snncompare.errors import InputError, unknown
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neurons.background import leak_units, with_input_current
from snncompare.network.neurons.bias import with_bias
from snncompare.network.neurons.burst_poisson import burst_poisson_neuron
from snncompare.network.neurons.two_compartment import DendriticDrive
from snncompare.network.synapses.bursts import burst_dependent, of_bursts, of_events
from snncompare.units import QuantityLike, quantity

__all__ = ["FEEDBACK", "SYMMETRIC_FEEDBACK", "XOR_POPULATIONS", "burst_xor_network"]

XOR_POPULATIONS = ("in1", "in2", "hid1", "hid2", "out")
FEEDBACK: Mapping[str, tuple[float, float]] = MappingProxyType({"hid1": (0.26, 0.06), "hid2": (0.026, 0.27)})
"""Weights of excitation and inhibition from ``out`` to the dendrites of a hidden population, in units of the leak."""
SYMMETRIC_FEEDBACK: Mapping[str, tuple[float, float]] = MappingProxyType({"hid1": (0.26, 0.06), "hid2": (0.26, 0.06)})
"""The same feedback to both; that learning works then too is in their Extended Data figure 3."""

_SOMA: Mapping[str, Background] = {
    "in1": SOMA, "in2": SOMA, "hid1": HIDDEN_SOMA, "hid2": HIDDEN_SOMA, "out": OUTPUT_SOMA
}  # fmt: skip
_DENDRITIC_CURRENT = {"hid1": "0 pA", "hid2": "500 pA", "out": "400 pA"}
_FORWARD = {
    ("in1", "hid1"): 8e-3, ("in1", "hid2"): 8e-3, ("in2", "hid1"): 8e-3, ("in2", "hid2"): 8e-3,
    ("hid1", "out"): 4e-3, ("hid2", "out"): 4e-3,
}  # fmt: skip
"""Learning rates of the feed-forward projections, in units of the leak."""
_INITIAL, _INHIBITION, _LARGEST = 0.234, 0.25, 1.0
_MOST_SHARED = 0.25


def burst_xor_network(
    size: int = 500,
    *,
    plastic: bool = True,
    learning_rate: float = 1.0,
    in_degree: float = 100.0,
    feedback: Mapping[str, tuple[float, float]] = FEEDBACK,
    homeostasis: bool = True,
    tau_average: QuantityLike = "2 s",
    tau_pre: QuantityLike = "100 ms",
    dendritic_drive: DendriticDrive = "soma",
    relays: bool = False,
    name: str = "burst XOR network",
) -> Network:
    r"""Return the network: two inputs, two hidden populations, one output, all of burst-Poisson neurons.

    Upwards only events are transmitted, to somata: excitation, which is plastic (`burst_dependent`; 0.234 at first,
    between 0 and 1, in units of the leak), and fixed inhibition of 0.25 from the same neurons by synapses of their own.
    Downwards only bursts, from ``out`` to the dendrites of the hidden populations, which get both signs as well: more
    excitation in ``hid1``, more inhibition in ``hid2``. Nothing has a delay. Projections are called
    ``in1_to_hid1_excitation``, ``in1_to_hid1_inhibition``, ``out_to_hid1_feedback_excitation`` and so on.

    Inputs are coded and targets taught by currents of each neuron that a `Simulation` sets: ``I_in`` of ``in1`` and
    ``in2``, into the soma, +150 pA for 1 and -350 pA for 0; ``I_teacher`` of ``out``, into the dendrite. The gate of
    plasticity, ``plasticity`` of each excitatory feed-forward projection, is shut at first.

    The inhibition from pyramidal neurons stands for interneurons that are left out (marked ``disynaptic``); with
    `relays` it goes through interneurons, and Dale's law holds.

    Parameters
    ----------
    size : int
        Neurons of each population.
    plastic : bool
        Without, the feed-forward weights are fixed: the same network, faster.
    learning_rate : float
        Multiplies the rates of both layers, 8e-3 (hidden) and 4e-3 (output).
    in_degree : float
        Mean number of inputs of a neuron from each projection.
    feedback : mapping
        Hidden population to weights of excitation and inhibition, `FEEDBACK` or `SYMMETRIC_FEEDBACK`.
    homeostasis : bool
        The two homeostatic terms of the authors' rule: 2 Hz and 10 Hz.
    tau_average, tau_pre : time
        Of the moving averages of bursts and events, and of the presynaptic eligibility.
    dendritic_drive : str
        As in `two_compartment_pyramidal`; ``"soma"`` is that of the authors.
    relays : bool
        See `with_relays`.
    name : str

    Raises
    ------
    InputError
        If a projection would connect more than a quarter of the pairs. Then excitation and inhibition come from nearly
        the same neurons and cancel: at 100 neurons and all pairs the hidden populations fall silent (0.3 to 1 Hz).
        Also for a negative rate or weight, or feedback to a population that is not hidden.
    """
    _check(size, in_degree, learning_rate, feedback)
    neuron = burst_poisson_neuron(
        dendritic_drive=dendritic_drive, tau_average=tau_average, tau_rate="30 s" if homeostasis else None
    )
    populations = {}
    for which in XOR_POPULATIONS:
        model = with_background(with_background(neuron, _SOMA[which]), DENDRITE, "dendrite")
        if which in _DENDRITIC_CURRENT:
            model = with_bias(model, _DENDRITIC_CURRENT[which], into="I_d")
        else:
            model = with_input_current(model, "I", "I_in")
        if which == "out":
            model = with_input_current(model, "I_d", "I_teacher")
        initial = {"v": initial_potential()} | ({"spike_rate": quantity("0.1 Hz")} if homeostasis else {})
        populations[which] = Population(size=size, neuron=model, initial=initial, cell_type="pyramidal")
    projections: dict[str, Projection] = {}
    for (source, target), rate in _FORWARD.items():
        events = of_events(conductance("excitation"))
        if plastic:
            soma = populations[target].model
            events = burst_dependent(
                events,
                rate=leak_units(soma, "soma", rate * learning_rate),
                w_max=leak_units(soma, "soma", _LARGEST),
                tau_pre=tau_pre,
                plasticity=0.0,
                min_rate="2 Hz" if homeostasis else None,
                max_rate="10 Hz" if homeostasis else None,
            )
        projections[f"{source}_to_{target}_excitation"] = projection(
            populations, source, target, events, _INITIAL, in_degree=in_degree
        )
        projections[f"{source}_to_{target}_inhibition"] = projection(
            populations, source, target, of_events(conductance("inhibition")), _INHIBITION, in_degree=in_degree,
            disynaptic=True,
        )  # fmt: skip
    for target, weights in feedback.items():
        for kind, weight in zip(("excitation", "inhibition"), weights, strict=True):
            projections[f"out_to_{target}_feedback_{kind}"] = projection(
                populations, "out", target, of_bursts(conductance(kind, "dendrite")), weight, in_degree=in_degree,
                compartment="dendrite", disynaptic=kind == "inhibition",
            )  # fmt: skip
    network = Network(name=name, populations=populations, projections=projections)
    return with_relays(network) if relays else network


def _check(size: int, in_degree: float, learning_rate: float, feedback: Mapping[str, tuple[float, float]]) -> None:
    if not in_degree > 0:
        raise InputError(f"in_degree must be above zero, got {in_degree!r}.")
    if size < in_degree / _MOST_SHARED:
        raise InputError(
            f"{in_degree:g} inputs from populations of {size} neurons connect more than a quarter of all pairs: "
            "excitation and inhibition would come from the same neurons and cancel. Give at least "
            f"{in_degree / _MOST_SHARED:g} neurons or a smaller in_degree."
        )
    if not 0 <= learning_rate < float("inf"):
        raise InputError(f"learning_rate must be a finite number from 0 on, got {learning_rate!r}.")
    for target in feedback:
        if target not in ("hid1", "hid2"):
            raise InputError("feedback: " + unknown("hidden population", target, ["hid1", "hid2"]))
