r"""The two-compartment pyramidal neuron: its dendrite fires plateaus, coincident input to both ends fires a burst."""

from typing import Literal

from snncompare.errors import DescriptionError, unknown
from snncompare.network.named_quantities import named_quantities
from snncompare.network.neuron import NeuronModel
from snncompare.units import QuantityLike, quantity

__all__ = ["DendriticDrive", "two_compartment_pyramidal"]

DendriticDrive = Literal["soma", "local"]

_EQUATIONS = """
dv/dt = ((E_L - v)*C_s/tau_s + g_s*plateau - b*w_s + I)/C_s : volt{held}
dv_d/dt = ((E_L - v_d)*C_d/tau_d + g_d*plateau + zeta*box - a*w_d + I_d)/C_d : volt
dw_s/dt = -w_s/tau_ws : 1
dw_d/dt = (v_d - E_L - w_d)/tau_wd : volt
dtheta/dt = (theta_0 - theta)/tau_theta : volt
plateau = 1/(1 + exp(-(v_d - E_d)/D_d)) : 1
box = int(since > timestep(box_delay, dt))*int(since <= timestep(box_delay + box_duration, dt)) : 1
since = timestep(t - t_spike, dt) : integer
v_drive = {drive} : volt
t_spike : second
"""


def two_compartment_pyramidal(
    *,
    tau_d: QuantityLike = "7 ms",
    box_delay: QuantityLike = "0 ms",
    box_duration: QuantityLike = "2 ms",
    Delta_theta: QuantityLike = "2 mV",
    refractory: QuantityLike | None = None,
    dendritic_drive: DendriticDrive = "soma",
) -> NeuronModel:
    r"""Return the pyramidal neuron of Naud and Sprekeler (2018) as used by Payeur et al. (2021).

    .. math::
        C_s \dot v &= -\frac{C_s}{\tau_s} (v - E_L) + g_s f(v_d) - b w_s + I \\
        C_d \dot v_d &= -\frac{C_d}{\tau_d} (v_d - E_L) + g_d f(v_d) + \zeta K(t - \hat t) - a w_d + I_d \\
        \tau_{ws} \dot w_s &= -w_s, \qquad \tau_{wd} \dot w_d = -w_d + v_d - E_L, \qquad
        \tau_\theta \dot\theta = -(\theta - \theta_0) \\
        f(v_d) &= \frac{1}{1 + e^{-(v_d - E_d)/D_d}}, \qquad
        v > \theta: \; v \leftarrow v_{reset}, \; \theta \leftarrow \theta + \Delta_\theta, \; w_s \leftarrow w_s + 1,
        \; \hat t \leftarrow t

    :math:`v, v_d` potentials of soma and dendrite (volt), :math:`w_s` spike-triggered (dimensionless) and :math:`w_d`
    dendritic adaptation (volt), :math:`\theta` moving threshold, :math:`K` box of ``box_duration`` in which the
    back-propagating spike depolarises the dendrite; a spike inside the box restarts it. Inputs :math:`I` (soma) and
    :math:`I_d` (dendrite) in ampere; :math:`g_s, g_d, \zeta` are currents too. The other parameters are those of
    Payeur et al. (2021) Nature Neuroscience 24:1010 (methods; Auryn's ``NaudGroup``); the form is that of Naud and
    Sprekeler (2018) PNAS 115:E6329.

    Conductances: the leak is 23.13 nS (soma) and 24.29 nS (dendrite); published weights in units of the leak are
    multiplied by it. For a synapse on the dendrite read the driving force from ``v_drive``: ``into="I_d"``,
    ``voltage="v_drive"``.

    Parameters
    ----------
    tau_d : time
        Membrane time constant of the dendrite; 8 ms in the course version of the model.
    box_delay, box_duration : time
        When the back-propagating spike reaches the dendrite, and for how long; 0.5 ms and 2 ms in the course version.
    Delta_theta : voltage
        Rise of the threshold by a spike; ``"0 mV"`` for the fixed threshold of the course version.
    refractory : time, optional
        None in Payeur et al.; 3 ms in the course version.
    dendritic_drive : str
        What ``v_drive`` is: ``"soma"``, as in the simulations of Payeur et al., whose dendritic conductances read the
        somatic potential; ``"local"``, the dendritic potential, as the equations are normally read.
    """
    drives = {"soma": "v", "local": "v_d"}
    if dendritic_drive not in drives:
        raise DescriptionError("dendritic_drive: " + unknown("choice", dendritic_drive, drives))
    held = "" if refractory is None else " (unless refractory)"
    return NeuronModel(
        equations=_EQUATIONS.format(held=held, drive=drives[dendritic_drive]).strip(),
        threshold="v > theta",
        reset="v = v_reset; theta += Delta_theta; w_s += 1; t_spike = t",
        refractory=None if refractory is None else quantity(refractory),
        method="euler",
        parameters=named_quantities(
            E_L="-70 mV", v_reset="-70 mV", C_s="370 pF", tau_s="16 ms", g_s="1300 pA", b="200 pA", tau_ws="100 ms",
            C_d="170 pF", tau_d=tau_d, g_d="1200 pA", zeta="2600 pA", a="13 nS", tau_wd="30 ms", E_d="-38 mV",
            D_d="6 mV", theta_0="-50 mV", Delta_theta=Delta_theta, tau_theta="27 ms", box_delay=box_delay,
            box_duration=box_duration,
        ),
        inputs={"I": "amp", "I_d": "amp"},
        initial={
            "v": "E_L", "v_d": "E_L", "theta": "theta_0", "w_d": quantity("0.1 mV"), "t_spike": quantity("-1 s"),
        },
    )  # fmt: skip
