"""Ready synapse models, each an equation with symbols, units and source."""

from snncompare.network.synapse import SynapseModel
from snncompare.units import QuantityLike, quantity

__all__ = ["delta", "exponential"]


def exponential(*, tau: QuantityLike = "5 ms", unit: str = "volt") -> SynapseModel:
    r"""Return the exponential synapse.

    .. math::
        \tau_{syn} \dot x = -x, \qquad x \leftarrow x + w \text{ at a presynaptic spike}, \qquad I = x

    :math:`x` synaptic current, in ``unit``, :math:`\tau_{syn}` its time constant, :math:`w` the weight.
    Gerstner et al. (2014) Neuronal Dynamics, eq. 3.1.
    """
    return SynapseModel(
        equations=f"dx/dt = -x/tau_syn : {unit}",
        on_pre="x_post += w",
        current="x",
        weight_unit=unit,
        parameters={"tau_syn": quantity(tau)},
    )


def delta(*, unit: str = "volt", variable: str = "v") -> SynapseModel:
    """Return the delta synapse: a presynaptic spike moves the target's `variable` by the weight."""
    return SynapseModel(on_pre=f"{variable}_post += w", weight_unit=unit)
