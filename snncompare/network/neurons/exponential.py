r"""Exponential integrate-and-fire neurons: the spike upstroke is part of the equation, the threshold only ends it.

Close to the peak the upstroke grows so steeply that a gradient through it is of no use; for training, set ``v_peak`` to
:math:`v_T + 5 \Delta_T` or lower. Spike times change by less than the rest of the upstroke, a fraction of a
millisecond.
"""

from snncompare.errors import DescriptionError, unknown
from snncompare.network.named_quantities import named_quantities
from snncompare.network.neuron import NeuronModel
from snncompare.units import Quantity, QuantityLike, quantity

__all__ = [
    "FIRING_PATTERNS",
    "adaptive_exponential_integrate_and_fire",
    "exponential_integrate_and_fire",
    "firing_pattern",
]

FIRING_PATTERNS: dict[str, tuple[float, ...]] = {
    "tonic": (200, 10, -70, 2, 30, 0, -58, 500),
    "adapting": (200, 12, -70, 2, 300, 60, -58, 500),
    "initial burst": (130, 18, -58, 4, 150, 120, -50, 400),
    "regular bursting": (200, 10, -58, 2, 120, 100, -46, 210),
    "delayed accelerating": (200, 12, -70, -10, 300, 0, -58, 300),
    "delayed regular bursting": (100, 10, -65, -10, 90, 30, -47, 110),
    "transient": (100, 10, -65, 10, 90, 100, -47, 180),
    "irregular": (100, 12, -60, -11, 130, 30, -48, 160),
}
"""Name to C (pF), g_L (nS), E_L (mV), a (nS), tau_w (ms), b (pA), v_reset (mV) and the constant current (pA).

Naud et al. (2008) Biological Cybernetics 99:335, table 1; v_T = -50 mV and Delta_T = 2 mV throughout.
"""


def exponential_integrate_and_fire(
    *,
    C: QuantityLike = "200 pF",
    g_L: QuantityLike = "20 nS",
    E_L: QuantityLike = "-65 mV",
    v_T: QuantityLike = "-59.9 mV",
    Delta_T: QuantityLike = "3.48 mV",
    v_peak: QuantityLike = "0 mV",
    v_reset: QuantityLike = "-68 mV",
    refractory: QuantityLike = "1.7 ms",
) -> NeuronModel:
    r"""Return the exponential integrate-and-fire neuron (EIF).

    .. math::
        C \dot v = g_L (E_L - v) + g_L \Delta_T e^{(v - v_T)/\Delta_T} + I, \qquad
        v > v_{peak}: \; v \leftarrow v_{reset}

    :math:`v` membrane potential (volt), :math:`C` capacitance, :math:`g_L` leak conductance, :math:`E_L` leak reversal
    potential, :math:`v_T` potential at the rheobase, :math:`\Delta_T` slope factor, :math:`I` input current (ampere).
    The rheobase is :math:`g_L (v_T - E_L - \Delta_T)`. Fourcaud-Trocme et al. (2003) Journal of Neuroscience 23:11628,
    whose values per area are the defaults with 20000 square micrometres of membrane; Gerstner et al. (2014) Neuronal
    Dynamics, eq. 5.6.
    """
    return NeuronModel(
        equations="dv/dt = (g_L*(E_L - v) + g_L*Delta_T*exp((v - v_T)/Delta_T) + I)/C : volt (unless refractory)",
        threshold="v > v_peak",
        reset="v = v_reset",
        refractory=quantity(refractory),
        method="euler",
        parameters=named_quantities(C=C, g_L=g_L, E_L=E_L, v_T=v_T, Delta_T=Delta_T, v_peak=v_peak, v_reset=v_reset),
        inputs={"I": "amp"},
        initial={"v": "E_L"},
    )


def adaptive_exponential_integrate_and_fire(
    *,
    C: QuantityLike = "281 pF",
    g_L: QuantityLike = "30 nS",
    E_L: QuantityLike = "-70.6 mV",
    v_T: QuantityLike = "-50.4 mV",
    Delta_T: QuantityLike = "2 mV",
    tau_w: QuantityLike = "144 ms",
    a: QuantityLike = "4 nS",
    b: QuantityLike = "80.5 pA",
    v_peak: QuantityLike = "0 mV",
    v_reset: QuantityLike = "-70.6 mV",
    refractory: QuantityLike | None = None,
) -> NeuronModel:
    r"""Return the adaptive exponential integrate-and-fire neuron (AdEx).

    .. math::
        C \dot v &= g_L (E_L - v) + g_L \Delta_T e^{(v - v_T)/\Delta_T} - w + I \\
        \tau_w \dot w &= a (v - E_L) - w, \qquad
        v > v_{peak}: \; v \leftarrow v_{reset}, \; w \leftarrow w + b

    :math:`w` adaptation current (ampere), :math:`\tau_w` its time constant, :math:`a` its coupling to the membrane
    below threshold (siemens), :math:`b` its jump at a spike; the rest as in `exponential_integrate_and_fire`. Brette
    and Gerstner (2005) Journal of Neurophysiology 94:3637, eq. 1-3, with their values except for the peak (20 mV
    there); Gerstner et al. (2014) Neuronal Dynamics, eq. 6.3-6.4.
    """
    upstroke = "g_L*Delta_T*exp((v - v_T)/Delta_T)"
    held = "" if refractory is None else " (unless refractory)"
    return NeuronModel(
        equations=(
            f"dv/dt = (g_L*(E_L - v) + {upstroke} - w + I)/C : volt{held}\ndw/dt = (a*(v - E_L) - w)/tau_w : amp"
        ),
        threshold="v > v_peak",
        reset="v = v_reset; w += b",
        refractory=None if refractory is None else quantity(refractory),
        method="euler",
        parameters=named_quantities(
            C=C, g_L=g_L, E_L=E_L, v_T=v_T, Delta_T=Delta_T, tau_w=tau_w, a=a, b=b, v_peak=v_peak, v_reset=v_reset
        ),
        inputs={"I": "amp"},
        initial={"v": "E_L"},
    )


def firing_pattern(name: str) -> tuple[NeuronModel, Quantity]:
    """Return an AdEx neuron that fires in a published pattern, and the constant current that makes it do so.

    Parameters
    ----------
    name : str
        One of `FIRING_PATTERNS`: ``"tonic"``, ``"adapting"``, ``"initial burst"``, ``"regular bursting"``, ``"delayed
        accelerating"``, ``"delayed regular bursting"``, ``"transient"``, ``"irregular"``.

    Raises
    ------
    DescriptionError
        For another name.
    """
    if name not in FIRING_PATTERNS:
        raise DescriptionError(unknown("firing pattern", name, FIRING_PATTERNS))
    C, g_L, E_L, a, tau_w, b, v_reset, current = FIRING_PATTERNS[name]
    model = adaptive_exponential_integrate_and_fire(
        C=f"{C} pF",
        g_L=f"{g_L} nS",
        E_L=f"{E_L} mV",
        v_T="-50 mV",
        Delta_T="2 mV",
        a=f"{a} nS",
        tau_w=f"{tau_w} ms",
        b=f"{b} pA",
        v_reset=f"{v_reset} mV",
    )
    return model, quantity(f"{current} pA")
