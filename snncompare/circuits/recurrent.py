"""A recurrent network of adaptive neurons between a sensory population and a readout."""

from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import exponential
from snncompare.units import quantity

__all__ = ["recurrent_classifier"]


def recurrent_classifier(*, inputs: int, hidden: int, classes: int, name: str = "recurrent classifier") -> Network:
    """Return a spiking recurrent network (SRNN): receptors, adaptive hidden neurons, one leaky readout per class.

    Fast enough for insect hearing: membranes of 5 ms, synapses of 2 ms, spike-frequency adaptation of 50 ms. Weights
    are drawn so that the hidden neurons fire at some tens of hertz when the receptors fire at about 90 Hz.

    Parameters
    ----------
    inputs, hidden, classes : int
        Sizes of the populations ``receptors``, ``hidden`` and ``readout``.
    name : str
        Of the network.
    """
    fast = exponential(tau="2 ms")
    neuron = adaptive_leaky_integrate_and_fire(
        tau="5 ms", tau_adaptation="50 ms", adaptation="1 mV", v_threshold="10 mV"
    )
    return Network(
        name=name,
        populations={
            "receptors": Population(size=inputs, neuron=SpikeSource()),
            "hidden": Population(size=hidden, neuron=neuron),
            "readout": Population(size=classes, neuron=leaky_readout(tau="20 ms")),
        },
        projections={
            "feed": _dense("receptors", "hidden", fast, mean="0.5 mV", sd="60 mV"),
            "recur": _dense("hidden", "hidden", fast, mean="0 mV", sd="30 mV"),
            "read": _dense("hidden", "readout", exponential(tau="5 ms"), mean="0 mV", sd="10 mV"),
        },
    )


def _dense(source: str, target: str, synapse: SynapseModel, *, mean: str, sd: str) -> Projection:
    weight = Normal(mean=quantity(mean), sd=quantity(sd), scale_by_sources=True)
    return Projection(source=source, target=target, synapse=synapse, into="I", weight=weight)
