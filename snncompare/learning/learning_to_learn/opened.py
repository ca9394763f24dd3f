"""A population without its loops: it receives recorded spikes instead of those of the network it is in."""

from snncompare.errors import DescriptionError, UnsupportedError, unknown
from snncompare.network.network import Network, Population
from snncompare.network.neuron import SpikeSource

__all__ = ["RECORDED", "opened"]

RECORDED = "recorded_"
"""Before the name of a population whose spikes are given."""


def opened(network: Network, population: str) -> Network:
    """Return the network of one population and its projections, whose sources send what they are told to send.

    Nothing that the population does comes back to it but its own reset and adaptation, so that a derivative by its
    weights is an eligibility trace: that of e-prop if the reset of the membrane is left out. Given the spikes of
    the closed network, its neurons fire as they do there.

    Parameters
    ----------
    network : Network
    population : str

    Returns
    -------
    Network
        Spike sources keep their names, spiking populations become the source `RECORDED` + name; projections keep
        theirs.

    Raises
    ------
    DescriptionError
        For a population that the network does not have.
    UnsupportedError
        For a population whose neurons are given and not computed.
    """
    if population not in network.populations:
        raise DescriptionError(unknown("population", population, network.populations))
    if population in network.sources():
        raise UnsupportedError(f"'{population}' is a spike source; only neurons with equations can be taught.")
    into = {name: each for name, each in network.projections.items() if each.target == population}
    populations = {population: network.populations[population]}
    for name, each in into.items():
        source = network.populations[each.source]
        renamed = each.source if isinstance(source.neuron, SpikeSource) else RECORDED + each.source
        populations[renamed] = Population(size=source.size, neuron=SpikeSource())
        into[name] = each.model_copy(update={"source": renamed})
    return Network(name=f"{network.name}, opened", populations=populations, projections=into)
