"""Leaky integrate-and-fire neurons: fixed or adaptive threshold, conductances, and a readout that never fires."""

from snncompare.network.named_quantities import named_quantities
from snncompare.network.neuron import NeuronModel
from snncompare.units import QuantityLike, quantity

__all__ = [
    "adaptive_leaky_integrate_and_fire",
    "conductance_leaky_integrate_and_fire",
    "leaky_integrate_and_fire",
    "leaky_readout",
]


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
        parameters=named_quantities(tau=tau, v_threshold=v_threshold, v_reset=v_reset),
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
        parameters=named_quantities(
            tau=tau, tau_adaptation=tau_adaptation, adaptation=adaptation, v_threshold=v_threshold, v_reset=v_reset
        ),
        inputs={"I": "volt"},
    )


def conductance_leaky_integrate_and_fire(
    *,
    C: QuantityLike = "200 pF",
    g_L: QuantityLike = "10 nS",
    E_L: QuantityLike = "-60 mV",
    v_threshold: QuantityLike = "-50 mV",
    v_reset: QuantityLike = "-60 mV",
    refractory: QuantityLike = "5 ms",
) -> NeuronModel:
    r"""Return the leaky integrate-and-fire neuron on an absolute voltage scale, for conductance-based synapses.

    .. math::
        C \dot v = g_L (E_L - v) + I, \qquad v > v_{threshold}: \; v \leftarrow v_{reset}

    :math:`v` membrane potential (volt), :math:`C` capacitance, :math:`g_L` leak conductance, :math:`E_L` leak reversal
    potential, :math:`I` input current (ampere), for example :math:`g (E - v)` of a conductance. Conductances enter the
    exponential Euler step through its decay. Defaults: benchmark 1 (COBA) of Brette et al. (2007) Journal of
    Computational Neuroscience 23:349, appendix B, with the 200 pF and 10 nS of 20000 square micrometres of membrane.
    """
    return NeuronModel(
        equations="dv/dt = (g_L*(E_L - v) + I)/C : volt (unless refractory)",
        threshold="v > v_threshold",
        reset="v = v_reset",
        refractory=quantity(refractory),
        parameters=named_quantities(C=C, g_L=g_L, E_L=E_L, v_threshold=v_threshold, v_reset=v_reset),
        inputs={"I": "amp"},
        initial={"v": "E_L"},
    )


def leaky_readout(*, tau: QuantityLike = "20 ms") -> NeuronModel:
    r"""Return a leaky integrator that never fires, :math:`\tau \dot v = -v + I`: the readout of a trained network."""
    return NeuronModel(
        equations="dv/dt = (-v + I)/tau : volt", parameters=named_quantities(tau=tau), inputs={"I": "volt"}
    )
