"""Recurrent networks of regular and adaptive neurons (long short-term memory spiking neural networks, LSNN)."""

from snncompare.circuits.discrete_projections import dense, normal
from snncompare.errors import InputError
from snncompare.network.amount import Amount
from snncompare.network.network import Network, Population
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import (
    adaptive_current_based_leaky_integrate_and_fire,
    current_based_leaky_integrate_and_fire,
    current_based_readout,
)
from snncompare.units import QuantityLike

__all__ = ["lsnn"]


def lsnn(
    *,
    inputs: int,
    regular: int = 50,
    adaptive: int = 50,
    outputs: int,
    tau: QuantityLike = "20 ms",
    tau_adaptation: Amount | str = "2 s",
    tau_readout: QuantityLike = "20 ms",
    v_threshold: QuantityLike = "0.6",
    beta: QuantityLike = "0.0174",
    refractory_steps: int = 5,
    delay: QuantityLike = "0 ms",
    name: str = "LSNN",
) -> Network:
    r"""Return the LSNN of Bellec et al.: all neurons connected to all, some of which adapt.

    .. math::
        v^t &= \alpha v^{t-1} + W x^t + V z^{t-1} - \theta z^{t-1} \\
        a^t &= \rho a^{t-1} + z^{t-1}, \qquad z^t = H(v^t - \theta - \beta a^t) \\
        y^t &= \kappa y^{t-1} + (1 - \kappa) U z^t

    with :math:`\beta = 0` in the regular neurons; a neuron pauses for some steps after a spike, in which its membrane
    goes on. Weights are normal with variance :math:`1/n` for n sources (the recurrent ones for all neurons together),
    and no neuron has a synapse on itself. In Brian2's order spikes come one step later than in these equations, and
    the readout two steps. Defaults: the task of evidence accumulation.

    Parameters
    ----------
    inputs, regular, adaptive, outputs : int
        Sizes of the populations ``input``, ``regular``, ``adaptive`` and ``readout``; ``regular`` or ``adaptive`` may
        be 0 and is then absent.
    tau, tau_readout : time
    tau_adaptation : time, or a distribution of times
    v_threshold, beta : quantity
        :math:`\theta` and :math:`\beta`. With :math:`\beta'` for an adaptation that rises by :math:`1 - \rho` and an
        input that counts :math:`1 - \alpha`, as in the first paper, :math:`\beta = \beta' (1 - \rho)/(1 - \alpha)`.
    refractory_steps : int
    delay : time
        Of the recurrent synapses.
    name : str

    Raises
    ------
    InputError
        Without any neuron between input and readout.

    References
    ----------
    Bellec G, Salaj D, Subramoney A, Legenstein R, Maass W (2018). Long short-term memory and learning-to-learn in
    networks of spiking neurons. NeurIPS 31:795-805. Bellec G, Scherr F, Subramoney A, Hajek E, Salaj D, Legenstein R,
    Maass W (2020). A solution to the learning dilemma for recurrent networks of spiking neurons. Nature Communications
    11:3625, eq. 6-8.
    """
    shared = {
        "tau": tau,
        "v_threshold": v_threshold,
        "refractory_steps": refractory_steps,
        "reset": "subtract base threshold",
        "input_gain": "plain",
        "tau_syn": None,
    }
    models = {
        "regular": current_based_leaky_integrate_and_fire(**shared),
        "adaptive": adaptive_current_based_leaky_integrate_and_fire(**shared, beta=beta, adaptation_gain="plain"),
    }
    sizes = {kind: size for kind, size in (("regular", regular), ("adaptive", adaptive)) if size}
    if not sizes:
        raise InputError("an LSNN needs regular or adaptive neurons, got none.")
    cells = {kind: Population(size=size, neuron=models[kind]) for kind, size in sizes.items()}
    if "adaptive" in cells:
        cells["adaptive"] = Population(
            size=adaptive, neuron=models["adaptive"], parameters={"tau_adaptation": tau_adaptation}
        )
    populations = {
        "input": Population(size=inputs, neuron=SpikeSource()),
        **cells,
        "readout": Population(size=outputs, neuron=current_based_readout(tau=tau_readout, tau_syn=None)),
    }
    projections = {f"input_to_{kind}": dense("input", kind, None) for kind in sizes}
    total = sum(sizes.values())
    for source in sizes:
        weight = normal(1 / total**0.5)
        for target in sizes:
            projections[f"{source}_to_{target}"] = dense(source, target, weight, delay=delay, autapses=False)
        projections[f"{source}_to_readout"] = dense(source, "readout", weight)
    return Network(name=name, populations=populations, projections=projections)
