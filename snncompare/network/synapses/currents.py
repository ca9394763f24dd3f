"""Synapses that add to a variable of the target or feed a current into it."""

from snncompare.errors import DescriptionError
from snncompare.network.named_quantities import named_quantities
from snncompare.network.synapse import SynapseModel
from snncompare.units import QuantityLike, seconds

__all__ = ["alpha", "delta", "double_exponential", "exponential"]


def delta(*, unit: str = "volt", variable: str = "v") -> SynapseModel:
    """Return the delta synapse: a presynaptic spike moves the target's `variable` by the weight."""
    return SynapseModel(on_pre=f"{variable}_post += w", weight_unit=unit)


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
        parameters=named_quantities(tau_syn=tau),
    )


def alpha(*, tau: QuantityLike = "5 ms", unit: str = "volt") -> SynapseModel:
    r"""Return the alpha synapse, whose current rises and falls with one time constant and peaks at the weight.

    .. math::
        \tau_{syn} \dot x = y - x, \quad \tau_{syn} \dot y = -y, \quad y \leftarrow y + e\,w \text{ at a presynaptic
        spike}, \quad I = x = w \frac{t}{\tau_{syn}} e^{1 - t/\tau_{syn}}

    :math:`x` synaptic current and :math:`y` its drive, in ``unit``; the peak comes :math:`\tau_{syn}` after the spike.
    The target's method integrates it: to first order in the time step by exponential Euler, exactly by ``"exact"``.
    Rall (1967) Journal of Neurophysiology 30:1138.
    """
    return SynapseModel(
        equations=f"dx/dt = (y - x)/tau_syn : {unit}\ndy/dt = -y/tau_syn : {unit}",
        on_pre="y_post += exp(1)*w",
        current="x",
        weight_unit=unit,
        parameters=named_quantities(tau_syn=tau),
    )


def double_exponential(
    *, tau_rise: QuantityLike = "1 ms", tau_decay: QuantityLike = "5 ms", unit: str = "volt"
) -> SynapseModel:
    r"""Return the synapse whose current rises and falls with two time constants and peaks at the weight.

    .. math::
        \tau_d \dot x = -x, \quad \tau_r \dot y = -y, \quad x \leftarrow x + w, \; y \leftarrow y + w \text{ at a
        presynaptic spike}, \quad I = \frac{x - y}{e^{-t_p/\tau_d} - e^{-t_p/\tau_r}}

    :math:`x, y` decaying and rising part, in ``unit``, :math:`\tau_d, \tau_r` their time constants,
    :math:`t_p = \frac{\tau_r \tau_d}{\tau_d - \tau_r} \ln\frac{\tau_d}{\tau_r}` the time of the peak. Exponential
    Euler integrates both parts exactly. Roth and van Rossum (2009), in Computational Modeling Methods for
    Neuroscientists, MIT Press.

    Raises
    ------
    DescriptionError
        If both time constants are the same; that is the `alpha` synapse.
    """
    if seconds(tau_rise, "tau_rise") == seconds(tau_decay, "tau_decay"):
        raise DescriptionError(f"tau_rise and tau_decay are both '{tau_rise}'; use 'alpha' for one time constant.")
    return SynapseModel(
        equations="\n".join(
            [
                f"dx/dt = -x/tau_decay : {unit}",
                f"dy/dt = -y/tau_rise : {unit}",
                "t_peak = tau_rise*tau_decay/(tau_decay - tau_rise)*log(tau_decay/tau_rise) : second",
                "peak = exp(-t_peak/tau_decay) - exp(-t_peak/tau_rise) : 1",
            ]
        ),
        on_pre="x_post += w; y_post += w",
        current="(x - y)/peak",
        weight_unit=unit,
        parameters=named_quantities(tau_rise=tau_rise, tau_decay=tau_decay),
    )
