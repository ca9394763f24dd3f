"""A recurrent network of excitatory and inhibitory neurons with currents, the benchmark of Vogels and Abbott."""

from snncompare.network.initialisers import Constant, Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import exponential
from snncompare.network.wiring import FixedProbability
from snncompare.units import QuantityLike, quantity

__all__ = ["excitatory_inhibitory_network"]


def excitatory_inhibitory_network(
    size: int = 4000,
    *,
    excitatory_fraction: float = 0.8,
    connection_probability: float = 0.02,
    excitatory_weight: QuantityLike = "1.62 mV",
    inhibitory_weight: QuantityLike = "-9 mV",
    delay: QuantityLike = "0 ms",
    name: str = "excitatory-inhibitory network",
) -> Network:
    r"""Return the current-based network of Vogels and Abbott (2005), Journal of Neuroscience 25:10786.

    .. math::
        \tau_m \dot v = E_L - v + I, \qquad \tau_{syn} \dot x = -x, \qquad x \leftarrow x + w, \qquad I = x_E + x_I

    :math:`v` membrane potential (volt), :math:`\tau_m` = 20 ms, :math:`E_L` = -49 mV, threshold -50 mV, reset -60 mV,
    refractory 5 ms; :math:`x_E`, :math:`x_I` synaptic input (volt) with time constants 5 and 10 ms. Parameters as in
    benchmark 2 (CUBA) of Brette et al. (2007), Journal of Computational Neuroscience 23:349. The weights are for 4000
    neurons connected with probability 0.02; scale them with the inverse of the number of inputs for another size.

    Parameters
    ----------
    size : int
        Neurons in all.
    excitatory_fraction, connection_probability : float
    excitatory_weight, inhibitory_weight : quantity
        Jump of the input at a spike; Dale's law holds.
    delay : quantity
    name : str

    Returns
    -------
    Network
        Populations ``excitatory`` and ``inhibitory``, projections ``<source>_to_<target>``.
    """
    n_excitatory = round(size * excitatory_fraction)
    sizes = {"excitatory": n_excitatory, "inhibitory": size - n_excitatory}
    begin = Normal(mean=quantity("-55 mV"), sd=quantity("3 mV"), high=quantity("-50 mV"))
    populations = {
        kind: Population(size=number, neuron=_neuron(), initial={"v": begin}, cell_type=kind[0].upper())
        for kind, number in sizes.items()
    }
    synapses: dict[str, tuple[SynapseModel, QuantityLike]] = {
        "excitatory": (exponential(tau="5 ms"), excitatory_weight),
        "inhibitory": (exponential(tau="10 ms"), inhibitory_weight),
    }
    projections = {
        f"{source}_to_{target}": Projection(
            source=source,
            target=target,
            synapse=synapses[source][0],
            into="I",
            wiring=FixedProbability(p=connection_probability),
            weight=Constant(value=quantity(synapses[source][1])),
            delay=quantity(delay),
            sign="positive" if source == "excitatory" else "negative",
        )
        for source in sizes
        for target in sizes
    }
    return Network(name=name, populations=populations, projections=projections)


def _neuron() -> NeuronModel:
    return NeuronModel(
        equations="dv/dt = (E_L - v + I)/tau_m : volt (unless refractory)",
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=quantity("5 ms"),
        parameters={
            "E_L": quantity("-49 mV"),
            "tau_m": quantity("20 ms"),
            "v_threshold": quantity("-50 mV"),
            "v_reset": quantity("-60 mV"),
        },
        inputs={"I": "volt"},
    )
