r"""Two populations that send events up and bursts down, and the interneurons that read them, after Payeur et al.

The decoding motif: what targets the soma depresses, excitation and disynaptic inhibition alike, and so reads events;
what targets the dendrite facilitates, and so reads bursts. Payeur, Guerguiev, Zenke, Richards and Naud (2021) Nature
Neuroscience 24:1010, figure 3; values as in the authors' code (``sim_propagation.cpp``).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from snncompare.circuits.bursts.background import INTERNEURONS, with_background
from snncompare.circuits.bursts.currents import with_sinusoidal_current
from snncompare.circuits.bursts.population import noisy_pyramidal
from snncompare.circuits.bursts.relays import with_relays
from snncompare.circuits.bursts.synapses import Compartment, conductance, initial_potential, projection
from snncompare.errors import InputError, unknown
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons.interneurons import parvalbumin_interneuron, somatostatin_interneuron
from snncompare.network.neurons.two_compartment import DendriticDrive, two_compartment_pyramidal
from snncompare.network.synapses.short_term import depressing, facilitating
from snncompare.units import QuantityLike

__all__ = [
    "PRESETS",
    "Preset",
    "Site",
    "burst_decoding_network",
    "decoding_interneurons",
    "decoding_projection",
    "weights_of",
]

Preset = Literal["robust", "payeur2021"]

_PUBLISHED = {
    "upwards": 0.05,
    "onto_pv": 0.05,
    "from_pv": 0.07,
    "downwards": 0.37,
    "onto_som": 0.3,
    "from_som": 0.035,
    "recurrent": 0.1,
}
PRESETS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "robust": MappingProxyType({**_PUBLISHED, "downwards": 0.30, "from_som": 0.045}),
        "payeur2021": MappingProxyType(_PUBLISHED),
    }
)
"""Weights in units of the leak conductance of the compartment that they reach."""


class Site(NamedTuple):
    """Where a projection of the motif ends, and how."""

    kind: Literal["excitation", "inhibition"]
    dynamics: Literal["depressing", "facilitating", "static"]
    compartment: Compartment
    in_degree: float


_SITES = {
    "upwards": Site("excitation", "depressing", "soma", 200.0),
    "onto_pv": Site("excitation", "depressing", "soma", 200.0),
    "from_pv": Site("inhibition", "static", "soma", 50.0),
    "downwards": Site("excitation", "facilitating", "dendrite", 200.0),
    "onto_som": Site("excitation", "facilitating", "soma", 200.0),
    "from_som": Site("inhibition", "static", "dendrite", 50.0),
    "recurrent": Site("inhibition", "facilitating", "dendrite", 200.0),
}
_ROLES = (
    ("pyr1", "pyr2", "upwards"), ("pyr1", "pv", "onto_pv"), ("pv", "pyr2", "from_pv"),
    ("pyr2", "pyr1", "downwards"), ("pyr2", "som", "onto_som"), ("som", "pyr1", "from_som"),
    ("pyr1", "pyr1", "recurrent"), ("pyr2", "pyr2", "recurrent"),
)  # fmt: skip
_DELAY = "0.8 ms"


def burst_decoding_network(
    preset: Preset = "robust",
    *,
    size: int = 4000,
    weights: Mapping[str, float] | None = None,
    signals: bool = True,
    onset: QuantityLike = "1 s",
    dendritic_drive: DendriticDrive = "soma",
    relays: bool = False,
    name: str = "burst decoding network",
) -> Network:
    r"""Return the network of two pyramidal populations, PV-like and SOM-like interneurons.

    .. list-table::
       :header-rows: 1

       * - projection
         - role (name of the weight)
       * - ``pyr1_to_pyr2``, ``pyr1_to_pv``, ``pv_to_pyr2``
         - events, to the soma: ``upwards``, ``onto_pv``, ``from_pv``
       * - ``pyr2_to_pyr1``, ``pyr2_to_som``, ``som_to_pyr1``
         - bursts, to the dendrite: ``downwards``, ``onto_som``, ``from_som``
       * - ``pyr1_to_pyr1``, ``pyr2_to_pyr2``
         - inhibition of dendrites by bursts of the same population: ``recurrent``

    Every neuron has on average 200 inputs from each pyramidal and 50 from each interneuron population, at any size,
    with a delay of 0.8 ms. The bottom-up signal is a current into the somata of ``pyr1``, the top-down signal one into
    the dendrites of ``pyr2``:

    .. math::
        I_s^1 = 200 \text{ pA} \sin \frac{2\pi t}{500 \text{ ms}}, \; I_d^1 = 50 \text{ pA}, \qquad
        I_s^2 = -100 \text{ pA}, \; I_d^2 = 100 \text{ pA} \left(1 + \sin \frac{2\pi t}{500 \sqrt 5 \text{ ms}}\right)

    with :math:`t` from `onset` on; before, their means.

    The recurrent inhibition comes from pyramidal cells and stands for interneurons that are left out (marked
    ``disynaptic``); with `relays` it goes through interneurons, and Dale's law holds.

    Parameters
    ----------
    preset : str
        ``"payeur2021"``: the weights of the authors' code. With them this implementation is, like another one made from
        the same sources, at the edge of a synchronous instability that the paper does not show; why is not known.
        ``"robust"``: less direct feedback (``downwards`` 0.30 instead of 0.37) and more inhibition of the dendrite
        (``from_som`` 0.045 instead of 0.035). These two weights are ours, not published; all others are the authors'.
    size : int
        Neurons of each pyramidal population; interneurons are a quarter of it. Published: 4000.
    weights : mapping, optional
        Name to weight in units of the leak, instead of the preset's; ``{"downwards": 0, "onto_som": 0}`` is the network
        without feedback.
    signals : bool
        Without, all currents stay at their means.
    onset : time
        When the signals begin.
    dendritic_drive : str
        As in `two_compartment_pyramidal`; ``"soma"`` is that of the authors.
    relays : bool
        See `with_relays`.
    name : str

    Raises
    ------
    InputError
        For an unknown preset or weight, a negative weight, or fewer than 200 neurons.
    """
    chosen = weights_of(preset, weights)
    _check_size(size)
    bare = two_compartment_pyramidal(dendritic_drive=dendritic_drive)
    amplitudes = ("200 pA", "100 pA") if signals else ("0 pA", "0 pA")
    lower = with_sinusoidal_current(
        noisy_pyramidal(bare, "multiplexing", I_d="50 pA"),
        mean="0 pA", amplitude=amplitudes[0], period="500 ms", onset=onset,
    )  # fmt: skip
    upper = with_sinusoidal_current(
        noisy_pyramidal(bare, "multiplexing", I_s="-100 pA"),
        mean="100 pA", amplitude=amplitudes[1], period=f"{500 * 5**0.5!r} ms", onset=onset, into="I_d",
    )  # fmt: skip
    populations = {
        "pyr1": _cells(size, lower, "pyramidal"),
        "pyr2": _cells(size, upper, "pyramidal"),
        **decoding_interneurons(size, pv="pv", som="som"),
    }
    projections = {
        f"{source}_to_{target}": decoding_projection(populations, source, target, role, chosen[role])
        for source, target, role in _ROLES
        if chosen[role] > 0
    }
    network = Network(name=name, populations=populations, projections=projections)
    return with_relays(network) if relays else network


def weights_of(preset: str, changed: Mapping[str, float] | None) -> dict[str, float]:
    """Return the weights of a preset with some of them changed.

    Raises
    ------
    InputError
        For an unknown preset or weight, or one below zero.
    """
    if preset not in PRESETS:
        raise InputError("preset: " + unknown("choice", preset, PRESETS))
    for key, weight in (changed or {}).items():
        if key not in PRESETS[preset]:
            raise InputError("weights: " + unknown("weight", key, PRESETS[preset]))
        if not 0 <= weight < float("inf"):
            raise InputError(f"the weight '{key}' is a finite number from 0 on, got {weight!r}.")
    return {**PRESETS[preset], **(changed or {})}


def decoding_interneurons(size: int, **names: str) -> dict[str, Population]:
    """Return interneuron populations for pyramidal populations of a size, a quarter as large.

    Parameters
    ----------
    size : int
        Neurons of a pyramidal population.
    **names
        ``pv`` and ``som``, or one of them: the name of the population.
    """
    models = {"pv": parvalbumin_interneuron, "som": somatostatin_interneuron}
    return {
        name: _cells(max(1, round(size / 4)), with_background(models[kind](), INTERNEURONS[kind]), kind.upper())
        for kind, name in names.items()
    }


def decoding_projection(
    populations: dict[str, Population], source: str, target: str, role: str, weight: float
) -> Projection:
    """Return a projection of the motif.

    Parameters
    ----------
    populations : dict
    source, target : str
    role : str
        Name of a weight in `PRESETS`.
    weight : float
        In units of the leak.
    """
    site = _SITES[role]
    synapse = conductance(site.kind, site.compartment)
    if site.dynamics != "static":
        synapse = depressing(synapse) if site.dynamics == "depressing" else facilitating(synapse)
    return projection(
        populations, source, target, synapse, weight,
        in_degree=site.in_degree, compartment=site.compartment, delay=_DELAY, disynaptic=role == "recurrent",
    )  # fmt: skip


def _cells(size: int, neuron: NeuronModel, cell_type: str) -> Population:
    return Population(size=size, neuron=neuron, initial={"v": initial_potential()}, cell_type=cell_type)


def _check_size(size: int) -> None:
    least = _SITES["upwards"].in_degree
    if size < least:
        raise InputError(
            f"every neuron has {least:g} inputs from a pyramidal population; give it at least that many "
            f"neurons, got {size}."
        )
