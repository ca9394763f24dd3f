r"""Neurons that fire at random: escape noise, white-noise input, Poisson firing.

Backends draw different random numbers, so their spikes agree statistically only.
"""

from typing import Literal

from snncompare.errors import DescriptionError, unknown
from snncompare.network.named_quantities import named_quantities
from snncompare.network.neuron import NeuronModel
from snncompare.units import QuantityLike, quantity

__all__ = ["Hazard", "escape_noise_leaky_integrate_and_fire", "noisy_leaky_integrate_and_fire", "poisson_neuron"]

Hazard = Literal["exponential", "sigmoid"]

_HAZARDS = {
    "exponential": "rate*exp((v - v_threshold)/width)",
    "sigmoid": "rate/(1 + exp(-(v - v_threshold)/width))",
}


def escape_noise_leaky_integrate_and_fire(
    *,
    hazard: Hazard = "exponential",
    tau: QuantityLike = "20 ms",
    v_threshold: QuantityLike = "10 mV",
    width: QuantityLike = "1 mV",
    rate: QuantityLike = "100 Hz",
    v_reset: QuantityLike = "0 mV",
    refractory: QuantityLike = "2 ms",
) -> NeuronModel:
    r"""Return the leaky integrate-and-fire neuron with a soft threshold (escape noise).

    .. math::
        \tau \dot v = -v + I, \qquad P(\text{spike in } dt) = 1 - e^{-\lambda(v) dt}, \qquad
        \lambda = \lambda_0 e^{(v - v_{threshold})/\Delta} \text{ or } \frac{\lambda_0}{1 + e^{-(v -
        v_{threshold})/\Delta}}

    :math:`\lambda` hazard (hertz), :math:`\lambda_0` (``rate``) its value at threshold, or its limit for the sigmoid,
    :math:`\Delta` (``width``) softness of the threshold (volt); the rest as in `leaky_integrate_and_fire`. Gerstner et
    al. (2014) Neuronal Dynamics, section 9.1.

    Parameters
    ----------
    hazard : str
        ``"exponential"`` or ``"sigmoid"``.

    Raises
    ------
    DescriptionError
        For another hazard.
    """
    if hazard not in _HAZARDS:
        raise DescriptionError("hazard: " + unknown("choice", hazard, _HAZARDS))
    return NeuronModel(
        equations=f"dv/dt = (-v + I)/tau : volt (unless refractory)\nhazard = {_HAZARDS[hazard]} : Hz",
        threshold="rand() < 1 - exp(-hazard*dt)",
        reset="v = v_reset",
        refractory=quantity(refractory),
        parameters=named_quantities(tau=tau, v_threshold=v_threshold, width=width, rate=rate, v_reset=v_reset),
        inputs={"I": "volt"},
    )


def noisy_leaky_integrate_and_fire(
    *,
    tau: QuantityLike = "20 ms",
    sigma: QuantityLike = "2 mV",
    v_threshold: QuantityLike = "10 mV",
    v_reset: QuantityLike = "0 mV",
    refractory: QuantityLike = "2 ms",
) -> NeuronModel:
    r"""Return the leaky integrate-and-fire neuron with white-noise input.

    .. math::
        \tau \dot v = -v + I + \sigma \sqrt{2 \tau}\, \xi(t), \qquad v > v_{threshold}: \; v \leftarrow v_{reset}

    :math:`\xi` Gaussian white noise, :math:`\sigma` standard deviation of the membrane potential without threshold
    (volt); the rest as in `leaky_integrate_and_fire`. Gerstner et al. (2014) Neuronal Dynamics, section 8.1, whose
    noise amplitude is :math:`\sqrt 2 \sigma`.
    """
    return NeuronModel(
        equations="dv/dt = (-v + I)/tau + sigma*sqrt(2/tau)*xi : volt (unless refractory)",
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=quantity(refractory),
        method="euler",
        parameters=named_quantities(tau=tau, sigma=sigma, v_threshold=v_threshold, v_reset=v_reset),
        inputs={"I": "volt"},
    )


def poisson_neuron(*, rate: QuantityLike = "10 Hz") -> NeuronModel:
    r"""Return a neuron that fires at random with a rate, whatever it fired before.

    .. math::
        P(\text{spike in } dt) = (\lambda_0 + I)\, dt

    :math:`\lambda_0` (``rate``) and :math:`I` input, both in hertz; a negative sum fires nothing.
    """
    return NeuronModel(
        equations="intensity = rate + I : Hz",
        threshold="rand() < intensity*dt",
        parameters=named_quantities(rate=rate),
        inputs={"I": "hertz"},
    )
