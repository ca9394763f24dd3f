r"""Hodgkin-Huxley neurons: spikes from voltage-dependent sodium and potassium conductances.

Opening rates of the form :math:`k x/(1 - e^{-x/s})` are written with :math:`\mathrm{exprel}(x) = (e^x - 1)/x`, which
has no singularity: :math:`k s/\mathrm{exprel}(-x/s)`.
"""

from textwrap import dedent

from snncompare.network.named_quantities import named_quantities
from snncompare.network.neuron import NeuronModel
from snncompare.units import QuantityLike, quantity

__all__ = ["squid_axon", "traub_miles"]

_MEMBRANE = "dv/dt = (g_L*(E_L - v) + g_Na*m**3*h*(E_Na - v) + g_K*n**4*(E_K - v) + I)/C : volt"
_GATES = "\n".join(f"d{gate}/dt = alpha_{gate}*(1 - {gate}) - beta_{gate}*{gate} : 1" for gate in "mhn")


def squid_axon(
    *,
    C: QuantityLike = "1 uF/cm**2",
    g_L: QuantityLike = "0.3 mS/cm**2",
    g_Na: QuantityLike = "120 mS/cm**2",
    g_K: QuantityLike = "36 mS/cm**2",
    E_L: QuantityLike = "-54.387 mV",
    E_Na: QuantityLike = "50 mV",
    E_K: QuantityLike = "-77 mV",
) -> NeuronModel:
    r"""Return the squid giant axon of Hodgkin and Huxley, per area of membrane, at rest at -65 mV.

    .. math::
        C \dot v &= g_L (E_L - v) + g_{Na} m^3 h (E_{Na} - v) + g_K n^4 (E_K - v) + I \\
        \dot x &= \alpha_x(v) (1 - x) - \beta_x(v) x, \qquad x \in \{m, h, n\}

    :math:`v` membrane potential (volt), :math:`C` capacitance, :math:`g` conductances, :math:`E` reversal potentials,
    :math:`I` input current, all per area. A spike is an upward crossing of 0 mV; nothing is reset. Sustained firing
    starts at 6.3 microampere per square centimetre. Hodgkin and Huxley (1952) Journal of Physiology 117:500, eq. 26
    with 7, 15, 16 and the rates 12, 13, 20, 21, 23, 24, in the modern sign of the potential.
    """
    rates = """
        alpha_m = 1/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
        beta_m = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
        alpha_h = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
        beta_h = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : Hz
        alpha_n = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
        beta_n = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
    """
    return NeuronModel(
        equations=f"{_MEMBRANE}\n{_GATES}\n{dedent(rates).strip()}",
        threshold="v > v_spike",
        refractory="v > v_spike",
        parameters=named_quantities(C=C, g_L=g_L, g_Na=g_Na, g_K=g_K, E_L=E_L, E_Na=E_Na, E_K=E_K, v_spike="0 mV"),
        inputs={"I": "amp/metre**2"},
        initial=named_quantities(v="-65 mV", m="0.05293", h="0.59612", n="0.31768"),
    )


def traub_miles(
    *,
    C: QuantityLike = "200 pF",
    g_L: QuantityLike = "10 nS",
    g_Na: QuantityLike = "20 uS",
    g_K: QuantityLike = "6 uS",
    E_L: QuantityLike = "-60 mV",
    E_Na: QuantityLike = "50 mV",
    E_K: QuantityLike = "-90 mV",
    v_T: QuantityLike = "-63 mV",
    refractory: QuantityLike = "3 ms",
) -> NeuronModel:
    r"""Return the Hodgkin-Huxley neuron of Traub and Miles as used in network benchmarks.

    .. math::
        C \dot v &= g_L (E_L - v) + g_{Na} m^3 h (E_{Na} - v) + g_K n^4 (E_K - v) + I \\
        \dot x &= \alpha_x(v - v_T) (1 - x) - \beta_x(v - v_T) x, \qquad x \in \{m, h, n\}

    :math:`v_T` shifts the rates; :math:`I` input current (ampere); the rest as in `squid_axon`. A spike is counted
    above -20 mV and not again for the refractory period; nothing is reset. With the leak of the benchmark the neuron
    fires at 14 Hz without input; with ``E_L="-65 mV"`` it is silent. Traub and Miles (1991) Neuronal Networks of the
    Hippocampus; Brette et al. (2007) Journal of Computational Neuroscience 23:349, appendix B, benchmark 3 (COBAHH), in
    the values of Brian2's example, with 20000 square micrometres of membrane.
    """
    rates = """
        alpha_m = 1.28/exprel(-(v - v_T - 13*mV)/(4*mV))/ms : Hz
        beta_m = 1.4/exprel((v - v_T - 40*mV)/(5*mV))/ms : Hz
        alpha_h = 0.128*exp(-(v - v_T - 17*mV)/(18*mV))/ms : Hz
        beta_h = 4/(1 + exp(-(v - v_T - 40*mV)/(5*mV)))/ms : Hz
        alpha_n = 0.16/exprel(-(v - v_T - 15*mV)/(5*mV))/ms : Hz
        beta_n = 0.5*exp(-(v - v_T - 10*mV)/(40*mV))/ms : Hz
    """
    return NeuronModel(
        equations=f"{_MEMBRANE}\n{_GATES}\n{dedent(rates).strip()}",
        threshold="v > v_spike",
        refractory=quantity(refractory),
        parameters=named_quantities(
            C=C, g_L=g_L, g_Na=g_Na, g_K=g_K, E_L=E_L, E_Na=E_Na, E_K=E_K, v_T=v_T, v_spike="-20 mV"
        ),
        inputs={"I": "amp"},
        initial={"v": "E_L", "h": quantity("1")},
    )
