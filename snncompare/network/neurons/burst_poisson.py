r"""The burst-Poisson neuron: a spike of the soma, and a second one with a probability that the dendrite sets."""

from snncompare.errors import DescriptionError, unknown
from snncompare.network.named_quantities import named_quantities
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons.bursts import with_bursts
from snncompare.network.neurons.two_compartment import DendriticDrive
from snncompare.units import QuantityLike, quantity

__all__ = ["burst_poisson_neuron"]

_EQUATIONS = """
dv/dt = ((E_L - v)*C_s/tau_s - b*w_s + I)/C_s : volt
dv_d/dt = ((E_L - v_d)*C_d/tau_d - a*w_d + I_d)/C_d : volt
dw_s/dt = -w_s/tau_ws : 1
dw_d/dt = (v_d - E_L - w_d)/tau_wd : volt
dtheta/dt = (theta_0 - theta)/tau_theta : volt
plateau = 1/(1 + exp(-(v_d - E_d)/D_d)) : 1
v_drive = {drive} : volt
due = int(timestep(t, dt) == timestep(t_again, dt)) : 1
again : 1
t_again : second
t_spike : second
"""
_THRESHOLD = (
    "(v > theta and timestep(t - t_spike, dt) >= timestep(pause, dt)) or timestep(t, dt) == timestep(t_again, dt)"
)
_RESET = """
v = v_reset*(1 - due) + v*due
theta += Delta_theta*(1 - due)
w_s += 1 - due
again = int(rand() < plateau)*(1 - due)
t_again = again*(t + delay_min + (delay_max - delay_min)*rand()) - (1 - again)*second
t_spike = t
"""


def burst_poisson_neuron(
    *,
    E_d: QuantityLike = "-57 mV",
    D_d: QuantityLike = "6 mV",
    pause: QuantityLike = "20 ms",
    delay_min: QuantityLike = "5 ms",
    delay_max: QuantityLike = "15 ms",
    dendritic_drive: DendriticDrive = "soma",
    interval: QuantityLike = "16 ms",
    tau_average: QuantityLike | None = None,
    tau_rate: QuantityLike | None = None,
) -> NeuronModel:
    r"""Return the neuron of the XOR network of Payeur et al. (2021): two compartments, bursts drawn at random.

    .. math::
        C_s \dot v &= -\frac{C_s}{\tau_s} (v - E_L) - b w_s + I, \qquad
        C_d \dot v_d = -\frac{C_d}{\tau_d} (v_d - E_L) - a w_d + I_d \\
        \tau_{ws} \dot w_s &= -w_s, \qquad \tau_{wd} \dot w_d = -w_d + v_d - E_L, \qquad
        \tau_\theta \dot\theta = -(\theta - \theta_0)

    Where :math:`v > \theta` and the last spike is at least ``pause`` ago, the neuron fires: :math:`v \leftarrow
    v_{reset}, \theta \leftarrow \theta + \Delta_\theta, w_s \leftarrow w_s + 1`, and with the probability
    :math:`f(v_d) = 1/(1 + e^{-(v_d - E_d)/D_d})` (``plateau``) it will fire once more, after a delay drawn evenly from
    ``delay_min`` to ``delay_max``. The second spike begins the pause anew and changes nothing else; ``v`` is integrated
    during the pause. So the rate of events depends on the soma, the probability that an event is a burst on the
    dendrite. Symbols, values and inputs as in `two_compartment_pyramidal`, without plateau and back-propagating spike;
    events, bursts and their averages as `with_bursts` gives them. Payeur, Guerguiev, Zenke, Richards and Naud (2021)
    Nature Neuroscience 24:1010; the authors' code, ``BurstPoissonGroup``.

    Parameters
    ----------
    E_d, D_d : voltage
        Dendritic potential at which half of the events are bursts, and the width of the sigmoid.
    pause, delay_min, delay_max : time
    dendritic_drive : str
        As in `two_compartment_pyramidal`.
    interval, tau_average, tau_rate : time
        As in `with_bursts`.

    Raises
    ------
    DescriptionError
        For delays of the second spike that are not in order, or that reach beyond the pause or the burst interval.
    """
    drives = {"soma": "v", "local": "v_d"}
    if dendritic_drive not in drives:
        raise DescriptionError("dendritic_drive: " + unknown("choice", dendritic_drive, drives))
    shortest, longest, most = (
        quantity(delay_min),
        quantity(delay_max),
        min(quantity(pause), quantity(interval), key=lambda q: q.value),
    )
    if not 0 < shortest.value <= longest.value <= most.value:
        raise DescriptionError(
            "the second spike must come after the first, within the pause and the burst interval; "
            f"got delay_min '{delay_min}', delay_max '{delay_max}', pause '{pause}', interval '{interval}'."
        )
    model = NeuronModel(
        equations=_EQUATIONS.format(drive=drives[dendritic_drive]).strip(),
        threshold=_THRESHOLD,
        reset=_RESET.strip(),
        method="euler",
        parameters=named_quantities(
            E_L="-70 mV", v_reset="-70 mV", C_s="370 pF", tau_s="16 ms", b="200 pA", tau_ws="100 ms", C_d="170 pF",
            tau_d="7 ms", a="13 nS", tau_wd="30 ms", E_d=E_d, D_d=D_d, theta_0="-50 mV", Delta_theta="2 mV",
            tau_theta="27 ms", pause=pause, delay_min=delay_min, delay_max=delay_max,
        ),
        inputs={"I": "amp", "I_d": "amp"},
        initial={
            "v": "E_L", "v_d": "E_L", "theta": "theta_0", "w_d": quantity("0.1 mV"), "t_spike": quantity("-1 s"),
            "t_again": quantity("-1 s"),
        },
    )  # fmt: skip
    return with_bursts(model, interval=interval, tau_average=tau_average, tau_rate=tau_rate)
