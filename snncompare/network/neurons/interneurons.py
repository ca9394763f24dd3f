r"""Interneurons of the burst-multiplexing circuit of Payeur et al. (2021) Nature Neuroscience 24:1010: AdEx neurons.

.. math::
    C \dot v = g_L (E_L - v) + g_L \Delta_T e^{(v - v_T)/\Delta_T} - w + I_{bias} + I, \qquad
    \tau_w \dot w = a (v - E_L) - w

Their values are those of the authors' code (Auryn's ``AdExGroup``, ``sim_propagation.cpp``). There a refractory neuron
is held at the leak reversal potential, so that the reset potential shows for a single step; ``hold="reset"`` is the
usual rule. The authors' clipping of the potential to -80 ... +20 mV is left out.
"""

import math
from typing import Literal

from snncompare.errors import DescriptionError, unknown
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons.bias import with_bias
from snncompare.network.neurons.exponential import adaptive_exponential_integrate_and_fire
from snncompare.units import QuantityLike

__all__ = ["Hold", "parvalbumin_interneuron", "somatostatin_interneuron"]

Hold = Literal["rest", "reset"]


def parvalbumin_interneuron(*, bias: QuantityLike = "205 pA", hold: Hold = "rest") -> NeuronModel:
    """Return the PV-like interneuron: fast, without adaptation, just above its rheobase of 200 pA by a bias current.

    Parameters
    ----------
    bias : current
        The parameter ``bias_I``.
    hold : str
        Where the membrane stays for the refractory 1 ms: at ``"rest"`` (-70 mV, the authors' code) or at ``"reset"``
        (-55 mV).
    """
    model = adaptive_exponential_integrate_and_fire(
        C="100 pF",
        g_L="10 nS",
        E_L="-70 mV",
        v_T="-48 mV",
        Delta_T="2 mV",
        tau_w="100 ms",  # without effect, a and b are zero
        a="0 nS",
        b="0 pA",
        v_reset=_held_at(hold, "-55 mV"),
        refractory="1 ms",
    )
    return with_bias(model, bias)


def somatostatin_interneuron(*, bias: QuantityLike = "0 pA", hold: Hold = "rest") -> NeuronModel:
    r"""Return the SOM-like interneuron: slow, adapting; its rheobase is 25 pA.

    It follows from :math:`v_T = I_{rh}/(g_L + a) + E_L + \Delta_T - \Delta_T \ln(1 + a/g_L)`, where the resting state
    vanishes at the current :math:`I_{rh}` (saddle-node; Touboul and Brette 2008, Biological Cybernetics 99:319).

    Parameters
    ----------
    bias : current
        The parameter ``bias_I``.
    hold : str
        Where the membrane stays for the refractory 2 ms: at ``"rest"`` (-70 mV, the authors' code) or at ``"reset"``
        (-65 mV).
    """
    g_L, a, Delta_T, rheobase = 5.0, 0.5, 4.0, 25.0  # nS, nS, mV, pA
    v_T = rheobase / (g_L + a) - 70.0 + Delta_T - Delta_T * math.log(1 + a / g_L)
    model = adaptive_exponential_integrate_and_fire(
        C="100 pF",
        g_L=f"{g_L} nS",
        E_L="-70 mV",
        v_T=f"{v_T!r} mV",
        Delta_T=f"{Delta_T} mV",
        tau_w="500 ms",
        a=f"{a} nS",
        b="10 pA",
        v_reset=_held_at(hold, "-65 mV"),
        refractory="2 ms",
    )
    return with_bias(model, bias)


def _held_at(hold: Hold, v_reset: str) -> str:
    match hold:
        case "rest":
            return "-70 mV"
        case "reset":
            return v_reset
    raise DescriptionError("hold: " + unknown("choice", hold, ["rest", "reset"]))
