"""A recurrent network with a policy and a value, for learning by reward."""

from snncompare.errors import InputError
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import delta
from snncompare.units import QuantityLike, quantity

__all__ = ["actor_critic"]


def actor_critic(
    *,
    inputs: int,
    actions: int,
    hidden: int = 50,
    adaptive: int = 0,
    tau: QuantityLike = "20 ms",
    tau_adaptation: QuantityLike = "500 ms",
    adaptation: QuantityLike = "2 mV",
    tau_readout: QuantityLike = "20 ms",
    feed: QuantityLike = "12 mV",
    recur: QuantityLike = "5 mV",
    read: QuantityLike = "0.5 mV",
    name: str = "actor and critic",
) -> Network:
    """Return sensory neurons, spiking neurons that reach each other, and a readout of policy and value.

    The spiking neurons are a population ``hidden`` with a fixed threshold and, if wished, one with an adaptive
    threshold, ``adaptive``, which remembers what made it fire (Bellec et al. 2020, Nature Communications 11:3625).

    Parameters
    ----------
    inputs, actions : int
        Size of ``sensory``, and number of actions: ``readout`` has a neuron for each, and a last one for the value.
    hidden, adaptive : int
        Neurons with a fixed and with an adaptive threshold of 10 mV; either may be 0.
    tau, tau_adaptation, tau_readout : time
        Of the membranes, the adaptive threshold and the readouts.
    adaptation : voltage
        Rise of the threshold at a spike.
    feed, recur, read : voltage
        Standard deviation of what all sensory neurons, all spiking neurons, and all spiking neurons onto the readout
        add together when each fires once. The last one is small, so that at first all actions are about equally likely.
    name : str
        Of the network.

    Raises
    ------
    InputError
        Without spiking neurons or actions.
    """
    spiking: dict[str, tuple[int, NeuronModel]] = {
        "hidden": (hidden, leaky_integrate_and_fire(tau=tau)),
        "adaptive": (
            adaptive,
            adaptive_leaky_integrate_and_fire(tau=tau, tau_adaptation=tau_adaptation, adaptation=adaptation),
        ),
    }
    spiking = {key: value for key, value in spiking.items() if value[0] != 0}
    if not spiking or actions < 1:
        raise InputError(
            f"an actor needs spiking neurons and at least one action, got hidden={hidden}, adaptive={adaptive} and "
            f"actions={actions}."
        )
    populations = {"sensory": Population(size=inputs, neuron=SpikeSource())}
    populations |= {key: Population(size=size, neuron=neuron) for key, (size, neuron) in spiking.items()}
    populations["readout"] = Population(size=actions + 1, neuron=leaky_readout(tau=tau_readout))
    projections = {}
    total = sum(size for size, _ in spiking.values())
    for target in spiking:
        projections[f"sensory_{target}"] = _dense("sensory", target, feed, inputs)
        projections |= {f"{source}_{target}": _dense(source, target, recur, total) for source in spiking}
    projections |= {f"{source}_readout": _dense(source, "readout", read, total) for source in spiking}
    return Network(name=name, populations=populations, projections=projections)


def _dense(source: str, target: str, sd: QuantityLike, n_sources: int) -> Projection:
    each = Normal(mean=quantity("0 mV"), sd=quantity(f"{quantity(sd).value / n_sources**0.5!r} V"))
    return Projection(source=source, target=target, synapse=delta(), weight=each)
