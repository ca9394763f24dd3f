"""Neurons with a quadratic upstroke: quadratic integrate-and-fire, the equivalent theta neuron, Izhikevich's model."""

import math

from snncompare.errors import DescriptionError, unknown
from snncompare.network.named_quantities import named_quantities
from snncompare.network.neuron import NeuronModel
from snncompare.units import Quantity, QuantityLike, quantity

__all__ = ["IZHIKEVICH_PATTERNS", "izhikevich", "quadratic_integrate_and_fire", "theta_neuron"]

IZHIKEVICH_PATTERNS: dict[str, tuple[float, float, float, float]] = {
    "regular spiking": (0.02, 0.2, -65, 8),
    "intrinsically bursting": (0.02, 0.2, -55, 4),
    "chattering": (0.02, 0.2, -50, 2),
    "fast spiking": (0.1, 0.2, -65, 2),
    "low-threshold spiking": (0.02, 0.25, -65, 2),
    "thalamo-cortical": (0.02, 0.25, -65, 0.05),
    "resonator": (0.1, 0.26, -65, 2),
}
"""Name to a, b, c, d of Izhikevich (2003), figure 2, with potentials in mV and times in ms."""


def quadratic_integrate_and_fire(
    *,
    tau: QuantityLike = "10 ms",
    v_peak: QuantityLike = "30",
    v_reset: QuantityLike = "-30",
) -> NeuronModel:
    r"""Return the quadratic integrate-and-fire neuron (QIF) in its canonical form.

    .. math::
        \tau \dot v = v^2 + I, \qquad v > v_{peak}: \; v \leftarrow v_{reset}

    :math:`v` membrane potential and :math:`I` input, dimensionless, :math:`\tau` time constant. A constant
    :math:`I > 0` gives the period :math:`\tau/\sqrt{I} \, [\arctan(v_{peak}/\sqrt I) - \arctan(v_{reset}/\sqrt I)]`,
    close to :math:`\pi\tau/\sqrt I`. Ermentrout and Kopell (1986) SIAM Journal on Applied Mathematics 46:233;
    Gerstner et al. (2014) Neuronal Dynamics, eq. 5.16.
    """
    return NeuronModel(
        equations="dv/dt = (v**2 + I)/tau : 1",
        threshold="v > v_peak",
        reset="v = v_reset",
        method="rk4",
        parameters=named_quantities(tau=tau, v_peak=v_peak, v_reset=v_reset),
        inputs={"I": "1"},
        initial={"v": "v_reset"},
    )


def theta_neuron(*, tau: QuantityLike = "10 ms") -> NeuronModel:
    r"""Return the theta neuron: the quadratic integrate-and-fire neuron on a circle, :math:`v = \tan(\theta/2)`.

    .. math::
        \tau \dot\theta = 1 - \cos\theta + (1 + \cos\theta) I, \qquad \theta > \pi: \; \theta \leftarrow \theta - 2\pi

    :math:`\theta` phase and :math:`I` input, dimensionless. Peak and reset of the equivalent neuron are infinite.
    Ermentrout and Kopell (1986) SIAM Journal on Applied Mathematics 46:233.
    """
    return NeuronModel(
        equations="dtheta/dt = (1 - cos(theta) + (1 + cos(theta))*I)/tau : 1",
        threshold="theta > pi",
        reset="theta -= 2*pi",
        method="rk4",
        parameters=named_quantities(tau=tau),
        inputs={"I": "1"},
        initial={"theta": Quantity(-math.pi / 2)},
    )


def izhikevich(pattern: str = "regular spiking") -> NeuronModel:
    r"""Return Izhikevich's neuron, in the units of Brian2's documentation.

    .. math::
        \dot v &= 0.04\,v^2 + 5 v + 140 - u + I, \qquad \dot u = a (b v - u) \\
        v &> 30 \text{ mV}: \; v \leftarrow c, \; u \leftarrow u + d

    with potentials in mV and times in ms: :math:`v` membrane potential (volt), :math:`u` recovery and :math:`I` input
    (volt per second; the paper's 10 is ``"10 mV/ms"``). Parameters :math:`a` (per second), :math:`b` (per second),
    :math:`c` (volt), :math:`d` (volt per second). Starts at :math:`v = c, u = b c`. Izhikevich (2003) IEEE
    Transactions on Neural Networks 14:1569, eq. 1-3.

    Parameters
    ----------
    pattern : str
        One of `IZHIKEVICH_PATTERNS`.

    Raises
    ------
    DescriptionError
        For another pattern.
    """
    if pattern not in IZHIKEVICH_PATTERNS:
        raise DescriptionError(unknown("pattern", pattern, IZHIKEVICH_PATTERNS))
    a, b, c, d = IZHIKEVICH_PATTERNS[pattern]
    return NeuronModel(
        equations=(
            "dv/dt = (0.04/ms/mV)*v**2 + (5/ms)*v + 140*mV/ms - u + I : volt\ndu/dt = a*(b*v - u) : volt/second"
        ),
        threshold="v > v_peak",
        reset="v = c; u += d",
        method="euler",
        parameters=named_quantities(a=f"{a} 1/ms", b=f"{b} 1/ms", c=f"{c} mV", d=f"{d} mV/ms", v_peak="30 mV"),
        inputs={"I": "volt/second"},
        initial={"v": "c", "u": quantity(f"{b * c!r} mV/ms")},
    )
