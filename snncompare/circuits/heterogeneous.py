"""Recurrent networks whose neurons differ in their time constants, by nature or by learning."""

import math
from typing import Literal, get_args

from snncompare.circuits.discrete_projections import dense, positive_times, uniform
from snncompare.errors import InputError, unknown
from snncompare.network.amount import Amount
from snncompare.network.initialisers import Gamma, Normal, Uniform
from snncompare.network.network import Network, Population
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import current_based_leaky_integrate_and_fire, current_based_readout
from snncompare.network.trainable import Trainable
from snncompare.units import TIME, Quantity, QuantityLike, quantity, seconds

__all__ = ["Heterogeneity", "heterogeneous_recurrent_network", "times_of_clipped_decays"]

Heterogeneity = Literal["homogeneous", "gamma", "normal", "uniform"]

_SHAPE = 3.0
"""Of the gamma distribution; the normal one has its standard deviation."""

_DECAYS = (2 / math.e, 0.995)


def heterogeneous_recurrent_network(
    *,
    inputs: int,
    hidden: int = 128,
    classes: int,
    tau: QuantityLike = "20 ms",
    tau_syn: QuantityLike = "10 ms",
    heterogeneity: Heterogeneity = "gamma",
    train_time_constants: bool = True,
    bounds: tuple[QuantityLike, QuantityLike] | None = None,
    gain: float = 1.0,
    delay: QuantityLike = "0 ms",
    name: str = "heterogeneous recurrent network",
) -> Network:
    r"""Return the recurrent network of current-based neurons of Perez-Nieves et al.

    .. math::
        I^t &= \alpha_s I^{t-1} + W x^t + V z^t, \qquad
        v^{t+1} = \alpha v^t + (1 - \alpha) I^t - z^t, \qquad z^t = H(v^t - 1)

    with :math:`\alpha_s = e^{-dt/\tau_{syn}}`, :math:`\alpha = e^{-dt/\tau}`, different in every neuron or the same in
    all, trained or not: four conditions. The readout has the same two filters and does not fire.

    What differs from the authors' code: its spikes act one step later (give ``delay`` the length of a time step for
    the same course of the hidden population); it trains the decays and stops the gradient at the factor
    :math:`1 - \alpha`, here time constants are trained by the full derivative; and here the readout's time constants
    are the means, and are not trained.

    Parameters
    ----------
    inputs, hidden, classes : int
        Sizes of the populations ``input``, ``hidden`` and ``readout``.
    tau, tau_syn : time
        Means of membrane and synaptic time constants.
    heterogeneity : str
        ``"gamma"``: with shape 3; ``"normal"``: with the same standard deviation, :math:`\tau/\sqrt 3`, cut off at a
        twentieth of the mean; ``"uniform"``: from nearly 0 to twice the mean; ``"homogeneous"``: all the same.
    train_time_constants : bool
        Whether every neuron learns both of its own.
    bounds : (time, time), optional
        What training keeps time constants within, see `times_of_clipped_decays`; by default they stay positive. What
        is drawn is to lie within.
    gain : float
        Times the weights, which are uniform within :math:`\pm 1/\sqrt n` for n sources.
    delay : time
        Of input and recurrence.
    name : str

    Raises
    ------
    InputError
        For a distribution that is not known, or a gain that is not positive.

    References
    ----------
    Perez-Nieves N, Leung VCH, Dragotti PL, Goodman DFM (2021). Neural heterogeneity promotes robust learning. Nature
    Communications 12:5791.
    """
    if heterogeneity not in get_args(Heterogeneity):
        raise InputError("heterogeneity: " + unknown("distribution", heterogeneity, get_args(Heterogeneity)))
    if not 0 < gain < math.inf:
        raise InputError(f"gain must be positive, got {gain}.")
    marks = positive_times("tau", "tau_syn")
    if bounds is not None:
        marks = dict.fromkeys(marks, Trainable(low=quantity(bounds[0]), high=quantity(bounds[1])))
    means = {"tau": seconds(tau, "tau"), "tau_syn": seconds(tau_syn, "tau_syn")}
    populations = {
        "input": Population(size=inputs, neuron=SpikeSource()),
        "hidden": Population(
            size=hidden,
            neuron=current_based_leaky_integrate_and_fire(reset="subtract base threshold"),
            parameters={key: _times(mean, heterogeneity) for key, mean in means.items()},
            trainable=marks if train_time_constants else {},
        ),
        "readout": Population(size=classes, neuron=current_based_readout(tau=tau, tau_syn=tau_syn)),
    }
    ends = {"feed": ("input", "hidden"), "recur": ("hidden", "hidden"), "read": ("hidden", "readout")}
    projections = {
        key: dense(
            source,
            target,
            uniform(gain / populations[source].size ** 0.5),
            delay=delay if target == "hidden" else "0 ms",
        )
        for key, (source, target) in ends.items()
    }
    return Network(name=name, populations=populations, projections=projections)


def times_of_clipped_decays(dt: QuantityLike) -> tuple[Quantity, Quantity]:
    r"""Return the time constants whose decays per step are :math:`2/e` and 0.995, the bounds of the authors' code."""
    step = seconds(dt, "dt")
    low, high = (_time(-step / math.log(decay)) for decay in _DECAYS)
    return low, high


def _times(mean: float, heterogeneity: Heterogeneity) -> Amount:
    match heterogeneity:
        case "gamma":
            return Gamma(mean=_time(mean), sd=_time(mean / math.sqrt(_SHAPE)))
        case "normal":
            return Normal(mean=_time(mean), sd=_time(mean / math.sqrt(_SHAPE)), low=_time(mean / 20))
        case "uniform":
            return Uniform(low=_time(mean / 100), high=_time(2 * mean - mean / 100))
    return _time(mean)


def _time(value: float) -> Quantity:
    return Quantity(value, TIME, f"{value * 1e3:.12g} ms")
