"""A feed-forward network that computes with the times of first spikes."""

from collections.abc import Sequence
from itertools import pairwise

from snncompare.errors import InputError
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import exponential
from snncompare.units import Quantity, QuantityLike, quantity, seconds

__all__ = ["latency_network"]


def latency_network(
    sizes: Sequence[int],
    *,
    tau: QuantityLike = "10 ms",
    tau_synapse: QuantityLike = "5 ms",
    v_threshold: QuantityLike = "10 mV",
    gain: float = 3.0,
    spread: float = 1.0,
    trial: QuantityLike = "1 s",
    name: str = "latency network",
) -> Network:
    r"""Return layers of neurons that fire at most once a trial, the earlier the stronger their input.

    Leaky integrate-and-fire neurons with exponential synapses; the refractory time is the trial. Weights are normal,
    with a mean at which the spikes of a whole layer, if they came together, would drive the next one to `gain` times
    its threshold,

    .. math::
        \langle w \rangle = \frac{\text{gain} \cdot v_{threshold}}{N \, \epsilon_{max}}, \qquad
        \text{sd}(w) = \text{spread} \cdot \langle w \rangle

    with N sources and :math:`\epsilon_{max}` the peak of the postsynaptic potential of a unit weight. First-spike
    networks of this kind: Mostafa (2018) IEEE TNNLS 29:3227; Goeltz et al. (2021) Nature Machine Intelligence 3:823.

    Parameters
    ----------
    sizes : sequence of int
        Neurons of the input and of every layer.
    tau, tau_synapse : quantity
        Time constants of membrane and synapse; different ones.
    v_threshold : quantity
    gain, spread : float
    trial : quantity
        Time after a spike in which a neuron stays silent: at least as long as the trials.
    name : str

    Returns
    -------
    Network
        Populations ``input`` (a spike source), ``layer_1``, ``layer_2``, ...; projections ``to_layer_1``, ...

    Raises
    ------
    InputError
        For fewer than two sizes, or equal time constants.
    """
    if len(sizes) < 2:
        raise InputError(
            f"a latency network needs the sizes of its input and of at least one layer, got {list(sizes)}."
        )
    slow, fast = seconds(tau, "tau"), seconds(tau_synapse, "tau_synapse")
    if slow == fast:
        raise InputError(f"tau and tau_synapse must be different times, got '{tau}' for both.")
    threshold = quantity(v_threshold)
    names = ["input", *(f"layer_{k}" for k in range(1, len(sizes)))]
    neuron = leaky_integrate_and_fire(tau=tau, v_threshold=threshold, refractory=trial)
    populations = {"input": Population(size=sizes[0], neuron=SpikeSource())}
    populations |= {layer: Population(size=n, neuron=neuron) for layer, n in zip(names[1:], sizes[1:], strict=True)}
    projections = {}
    for (source, target), n_sources in zip(pairwise(names), sizes, strict=False):
        mean = gain * threshold.value / (n_sources * _peak(slow, fast))
        projections[f"to_{target}"] = Projection(
            source=source,
            target=target,
            synapse=exponential(tau=tau_synapse),
            into="I",
            weight=Normal(mean=_like(threshold, mean), sd=_like(threshold, spread * abs(mean))),
        )
    return Network(name=name, populations=populations, projections=projections)


def _peak(slow: float, fast: float) -> float:
    r"""Return the peak of :math:`\tau_s (e^{-t/\tau_m} - e^{-t/\tau_s})/(\tau_m - \tau_s)`."""
    ratio = slow / fast
    return float(ratio ** (-ratio / (ratio - 1)))


def _like(unit: Quantity, value: float) -> Quantity:
    return Quantity(value, unit.dimension)
