r"""Ready neuron models, each an equation with symbols, units and source.

Every function returns a plain `NeuronModel`; nothing about these is special to any backend.
"""

from snncompare.network.neuron import NeuronModel
from snncompare.units import QuantityLike, quantity

__all__ = ["adaptive_leaky_integrate_and_fire", "leaky_integrate_and_fire", "leaky_readout"]


def leaky_integrate_and_fire(
    *,
    tau: QuantityLike = "20 ms",
    v_threshold: QuantityLike = "10 mV",
    v_reset: QuantityLike = "0 mV",
    refractory: QuantityLike = "2 ms",
) -> NeuronModel:
    r"""Return the leaky integrate-and-fire neuron.

    .. math::
        \tau \dot v = -v + I, \qquad v > v_{threshold}: \; v \leftarrow v_{reset}

    :math:`v` membrane potential relative to rest (volt), :math:`\tau` membrane time constant, :math:`I` input (volt:
    current times membrane resistance). Gerstner et al. (2014) Neuronal Dynamics, eq. 1.5 and 1.9.
    """
    return NeuronModel(
        equations="dv/dt = (-v + I)/tau : volt (unless refractory)",
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=quantity(refractory),
        parameters={"tau": quantity(tau), "v_threshold": quantity(v_threshold), "v_reset": quantity(v_reset)},
        inputs={"I": "volt"},
    )


def adaptive_leaky_integrate_and_fire(
    *,
    tau: QuantityLike = "20 ms",
    tau_adaptation: QuantityLike = "100 ms",
    adaptation: QuantityLike = "1 mV",
    v_threshold: QuantityLike = "10 mV",
    v_reset: QuantityLike = "0 mV",
    refractory: QuantityLike = "2 ms",
) -> NeuronModel:
    r"""Return the leaky integrate-and-fire neuron with an adaptive threshold.

    .. math::
        \tau \dot v = -v + I, \qquad \tau_a \dot a = -a, \qquad
        v > v_{threshold} + a: \; v \leftarrow v_{reset}, \; a \leftarrow a + b

    :math:`a` rise of the threshold (volt), :math:`\tau_a` its time constant, :math:`b` (``adaptation``) its jump at a
    spike. Bellec et al. (2020) Nature Communications 11:3625, eq. 6-8, in continuous time.
    """
    return NeuronModel(
        equations="dv/dt = (-v + I)/tau : volt (unless refractory)\nda/dt = -a/tau_adaptation : volt",
        threshold="v > v_threshold + a",
        reset="v = v_reset; a += adaptation",
        refractory=quantity(refractory),
        parameters={
            "tau": quantity(tau),
            "tau_adaptation": quantity(tau_adaptation),
            "adaptation": quantity(adaptation),
            "v_threshold": quantity(v_threshold),
            "v_reset": quantity(v_reset),
        },
        inputs={"I": "volt"},
    )


def leaky_readout(*, tau: QuantityLike = "20 ms") -> NeuronModel:
    r"""Return a leaky integrator that never fires, :math:`\tau \dot v = -v + I`: the readout of a trained network."""
    return NeuronModel(equations="dv/dt = (-v + I)/tau : volt", parameters={"tau": quantity(tau)}, inputs={"I": "volt"})
