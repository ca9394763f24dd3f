"""Networks on which burst-dependent plasticity is tried out (Payeur et al. 2021, figure 2)."""

from snncompare.circuits.bursts.population import noisy_pyramidal
from snncompare.circuits.bursts.relays import relay_neuron
from snncompare.circuits.bursts.synapses import conductance, initial_potential, leak_weight, projection
from snncompare.errors import InputError
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons.background import leak_units, with_input_current
from snncompare.network.neurons.bias import with_bias
from snncompare.network.neurons.bursts import with_bursts
from snncompare.network.neurons.stochastic import poisson_neuron
from snncompare.network.neurons.two_compartment import DendriticDrive, two_compartment_pyramidal
from snncompare.network.synapses.bursts import burst_dependent, of_events
from snncompare.network.synapses.currents import delta
from snncompare.network.wiring import FixedProbability, OneToOne
from snncompare.units import QuantityLike, quantity

__all__ = ["DENDRITIC_WEIGHT", "burst_plasticity_network", "pairing_network"]

DENDRITIC_WEIGHT = 0.25
"""Weight of an input of the postsynaptic dendrites, in units of the leak, that an experiment scales."""

_POOL, _POOL_SHARE = 100, 0.2
_LARGEST = 1.0


def burst_plasticity_network(
    size: int = 1000,
    *,
    weight: float = 0.08,
    in_degree: float = 200.0,
    rate: float = 3.5e-3,
    tau_pre: QuantityLike = "100 ms",
    tau_average: QuantityLike = "5 s",
    dendritic_drive: DendriticDrive = "soma",
    name: str = "burst plasticity network",
) -> Network:
    """Return two populations of pyramidal neurons, ``sender`` and ``receiver``, and the ``pool`` that drives dendrites.

    ``sender`` has noise in both compartments. ``receiver`` has none but what arrives: events of ``sender`` at its soma,
    by the plastic projection ``sender_to_receiver``, and at its dendrite 50 pA and the excitation ``pool_to_receiver``
    (100 Poisson neurons of 1 Hz, a fifth of all pairs). The weight of the latter controls the burst probability of
    ``receiver``; the current ``I_extra`` of its dendrites, a state that a `Simulation` sets, that of ``sender``. The
    gate of plasticity is shut at first. Payeur, Guerguiev, Zenke, Richards and Naud (2021) Nature Neuroscience 24:1010,
    figure 2e-g; values of the authors' code (``sim_plasticity_rule.cpp``).

    Parameters
    ----------
    size : int
        Neurons of ``sender`` and of ``receiver``.
    weight : float
        Of ``sender_to_receiver`` at first, in units of the leak; at most 1.
    in_degree : float
        Mean number of inputs of a ``receiver`` neuron from ``sender``.
    rate : float
        Learning rate, in units of the leak.
    tau_pre, tau_average : time
        Of the presynaptic eligibility and of the moving averages of bursts and events.
    dendritic_drive : str
        As in `two_compartment_pyramidal`.
    name : str

    Raises
    ------
    InputError
        For a negative rate, a weight outside 0 to 1, or a source smaller than the number of inputs.
    """
    if not 0 <= rate < float("inf"):
        raise InputError(f"rate must be a finite number from 0 on, got {rate!r}.")
    if not 0 <= weight <= _LARGEST:
        raise InputError(f"weight must lie between 0 and {_LARGEST:g}, got {weight!r}.")
    pyramidal = two_compartment_pyramidal(dendritic_drive=dendritic_drive)
    pre = with_input_current(
        noisy_pyramidal(with_bursts(pyramidal, tau_average=tau_average), "plasticity"), "I_d", "I_extra"
    )
    post = with_bias(with_bursts(pyramidal, tau_average=tau_average), "50 pA", into="I_d")
    first = {"v": initial_potential()}
    populations = {
        "pool": Population(size=_POOL, neuron=poisson_neuron(rate="1 Hz")),
        "sender": Population(size=size, neuron=pre, initial=first, cell_type="pyramidal"),
        "receiver": Population(size=size, neuron=post, initial=first, cell_type="pyramidal"),
    }
    plastic = burst_dependent(
        of_events(conductance("excitation")),
        rate=leak_units(post, "soma", rate),
        w_max=leak_units(post, "soma", _LARGEST),
        tau_pre=tau_pre,
        plasticity=0.0,
    )
    projections = {
        "pool_to_receiver": Projection(
            source="pool",
            target="receiver",
            synapse=conductance("excitation", "dendrite"),
            into="I_d",
            wiring=FixedProbability(p=_POOL_SHARE),
            weight=leak_weight(populations["receiver"], "dendrite", DENDRITIC_WEIGHT),
            sign="positive",
        ),
        "sender_to_receiver": projection(populations, "sender", "receiver", plastic, weight, in_degree=in_degree),
    }
    return Network(name=name, populations=populations, projections=projections)


def pairing_network(
    pairs: int,
    *,
    rate: float = 0.1,
    tau_pre: QuantityLike = "50 ms",
    tau_average: QuantityLike = "15 s",
    events_average: float = 75.0,
    bursts_average: float = 11.25,
    weight: float = 5.0,
    largest: float = 10.0,
    dt: QuantityLike = "1 ms",
    name: str = "pairing",
) -> Network:
    """Return pairs of neurons whose spikes are prescribed, each pair joined by one plastic synapse.

    The spike source ``sender`` is joined to ``receiver`` by ``synapses``, neuron k to neuron k; ``receiver`` fires one
    time step after every spike of the source ``forced``, and the synapses have a delay of one time step, so that
    spikes of both sources at one time are at once. Nothing else acts on ``receiver``: what becomes of the weights is
    what `snncompare.learning.bursts.rule.BurstRule` says of the two trains.

    Parameters
    ----------
    pairs : int
    rate, tau_pre, tau_average
        As in `burst_dependent`; weights have no unit.
    events_average, bursts_average : float
        The moving averages at first: rates times `tau_average`.
    weight, largest : float
        At first, and upper bound.
    dt : time
        The time step with which it will be compiled.
    name : str

    Raises
    ------
    DescriptionError
        For values out of range.
    """
    relay = relay_neuron()
    listening = relay.model_copy(update={"equations": f"{relay.equations}\nheard : 1"})
    receiver = with_bursts(listening, tau_average=tau_average)
    first = {"events_average": quantity(events_average), "bursts_average": quantity(bursts_average)}
    plastic = burst_dependent(
        delta(unit="1", variable="heard"), rate=rate, tau_pre=tau_pre, w_max=largest, interval="16 ms"
    )
    return Network(
        name=name,
        populations={
            "sender": Population(size=pairs, neuron=SpikeSource()),
            "forced": Population(size=pairs, neuron=SpikeSource()),
            "receiver": Population(size=pairs, neuron=receiver, initial=first),
        },
        projections={
            "forcing": Projection(
                source="forced",
                target="receiver",
                synapse=delta(unit="1"),
                wiring=OneToOne(),
                weight=Constant(value=quantity(1.0)),
            ),
            "synapses": Projection(
                source="sender",
                target="receiver",
                synapse=plastic,
                wiring=OneToOne(),
                weight=Constant(value=quantity(weight)),
                delay=quantity(dt),
            ),
        },
    )
