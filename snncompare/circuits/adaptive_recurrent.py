"""Recurrent networks of adaptive neurons whose time constants are learnt neuron by neuron (SRNN)."""

from collections.abc import Sequence
from itertools import pairwise

from snncompare.circuits.discrete_projections import dense, positive_times, uniform
from snncompare.errors import InputError
from snncompare.network.amount import Amount
from snncompare.network.network import Network, Population
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import (
    adaptive_current_based_leaky_integrate_and_fire,
    current_based_readout,
    with_bias,
)
from snncompare.network.trainable import Trainable
from snncompare.units import QuantityLike, quantity

__all__ = ["adaptive_recurrent_network"]


def adaptive_recurrent_network(
    *,
    inputs: int,
    hidden: int | Sequence[int],
    classes: int,
    tau: Amount | str = "20 ms",
    tau_adaptation: Amount | str = "150 ms",
    tau_readout: Amount | str = "20 ms",
    v_threshold: QuantityLike = "0.01",
    beta: QuantityLike = "1.8",
    train_time_constants: bool = True,
    name: str = "adaptive recurrent network",
) -> Network:
    r"""Return the spiking recurrent network (SRNN) of Yin, Corradi and Bohte.

    .. math::
        a^t &= \rho a^{t-1} + (1 - \rho) z^{t-1}, \qquad A^t = b_0 + \beta a^t \\
        v^t &= \alpha v^{t-1} + (1 - \alpha) (W x^t + V z^{t-1} + b) - A^t z^{t-1} \\
        z^t &= H(v^t - A^t), \qquad y^t = \kappa y^{t-1} + (1 - \kappa) (U z^t + c)

    with :math:`\alpha = e^{-dt/\tau}`, :math:`\rho = e^{-dt/\tau_a}`, :math:`\kappa = e^{-dt/\tau_{out}}`: adaptation
    comes before the membrane, and the reset subtracts the current threshold; train it with ``Paths()``, which follows
    the derivative through the reset too. Every layer feeds back on itself. In Brian2's order a spike acts in the next
    step: the spikes of the first layer come one step later than in these equations, those of the n-th n steps, and
    the readout n + 1 steps.

    Weights are drawn as by Glorot and Bengio, uniform within :math:`\pm\sqrt{6/(n_{in} + n_{out})}`; recurrent ones are
    normal with the variance :math:`1/n` of the orthogonal matrices of the authors' code. Biases begin at zero.

    Parameters
    ----------
    inputs, classes : int
        Sizes of the populations ``input`` and ``readout``.
    hidden : int or sequence of int
        Sizes of the layers ``hidden``, or ``hidden_1``, ``hidden_2``, ...
    tau, tau_adaptation, tau_readout : time, or a distribution of times
        At first; authors' code: 20 time steps, 7 (heartbeats) to 150 (spoken digits), and 20 (heartbeats).
    v_threshold, beta : quantity
        :math:`b_0` and :math:`\beta`.
    train_time_constants : bool
        Whether every neuron learns its own time constants.
    name : str

    Raises
    ------
    InputError
        Without a hidden layer.

    References
    ----------
    Yin B, Corradi F, Bohté SM (2021). Accurate and efficient time-domain classification with adaptive spiking recurrent
    neural networks. Nature Machine Intelligence 3:905-913.
    """
    sizes = [hidden] if isinstance(hidden, int) else list(hidden)
    if not sizes:
        raise InputError("an adaptive recurrent network needs at least one hidden layer, got none.")
    layers = ["hidden"] if len(sizes) == 1 else [f"hidden_{k + 1}" for k in range(len(sizes))]
    model = adaptive_current_based_leaky_integrate_and_fire(
        v_threshold=v_threshold, beta=beta, reset="subtract current threshold"
    )
    biased, readout = with_bias(model, "0"), with_bias(current_based_readout(tau_syn=None), "0")
    bias = {"bias_I": Trainable(low=quantity("-1"), high=quantity("1"))}
    learnt = positive_times("tau", "tau_adaptation") if train_time_constants else {}
    times = {"tau": tau, "tau_adaptation": tau_adaptation}
    populations = {
        "input": Population(size=inputs, neuron=SpikeSource()),
        **{
            layer: Population(size=size, neuron=biased, parameters=times, trainable=bias | learnt)
            for layer, size in zip(layers, sizes, strict=True)
        },
        "readout": Population(
            size=classes,
            neuron=readout,
            parameters={"tau": tau_readout},
            trainable=bias | (positive_times("tau") if train_time_constants else {}),
        ),
    }
    projections = {}
    for source, target in pairwise(populations):
        sizes_of_ends = populations[source].size + populations[target].size
        projections[f"{source}_to_{target}"] = dense(source, target, uniform((6 / sizes_of_ends) ** 0.5))
    for layer in layers:
        projections[f"{layer}_to_{layer}"] = dense(layer, layer, None)
    return Network(name=name, populations=populations, projections=projections)
