"""Interneurons that hand every spike on, in place of inhibition that a pyramidal population would send itself."""

from snncompare.errors import DescriptionError
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons.bursts import with_bursts
from snncompare.network.synapses.currents import delta
from snncompare.network.wiring import OneToOne
from snncompare.units import quantity

__all__ = ["relay_neuron", "with_relays"]


def relay_neuron() -> NeuronModel:
    """Return a neuron that fires once for every spike that reaches its ``v`` with weight 1, one time step later."""
    return NeuronModel(equations="v : 1", threshold="v > 0.5", reset="v -= 1")


def with_relays(network: Network) -> Network:
    """Return a network whose disynaptic projections start at interneurons: it keeps Dale's law.

    A population with projections marked ``disynaptic`` gets a partner ``<population>_relay`` of the same size, cell
    type ``"I"``. Each relay neuron copies one neuron of the population, spike for spike, and makes its disynaptic
    projections, which are then ordinary ones. Whether a spike begins an event or marks a burst is read from the relay's
    own intervals, the same ones. The path is one time step longer; nothing else changes.

    Parameters
    ----------
    network : Network

    Raises
    ------
    DescriptionError
        If a population has the name of a relay already.
    """
    populations, projections = dict(network.populations), dict(network.projections)
    for name, projection in network.projections.items():
        if not projection.disynaptic:
            continue
        source, relay = projection.source, f"{projection.source}_relay"
        if relay in network.populations:
            raise DescriptionError(
                f"'{relay}' is the name of the relay of '{source}' and taken; rename that population."
            )
        populations[relay] = Population(
            size=network.populations[source].size, neuron=with_bursts(relay_neuron()), cell_type="I"
        )
        projections[f"{source}_to_relay"] = Projection(
            source=source,
            target=relay,
            synapse=delta(unit="1"),
            wiring=OneToOne(),
            weight=Constant(value=quantity(1.0)),
            sign="positive",
            trainable={},
        )
        projections[name] = projection.model_copy(update={"source": relay, "disynaptic": False})
    return Network(name=network.name, populations=populations, projections=projections)
