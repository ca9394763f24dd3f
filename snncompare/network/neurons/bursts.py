r"""Any neuron that knows what its spikes are: the beginning of an event, the second spike of a burst, or neither."""

from snncompare.errors import DescriptionError
from snncompare.network.named_quantities import named_quantities
from snncompare.network.neuron import NeuronModel
from snncompare.units import TIME, Quantity, QuantityLike, quantity

__all__ = ["STEPS_IN_INTERVAL", "with_bursts"]

STEPS_IN_INTERVAL = 8
"""Time steps that the longest interval within a burst has at least: 16 ms are resolved by steps of 2 ms or less."""

_DETECTION = """
event = int(timestep(t - t_last_spike, dt) > timestep({interval}, dt)) : 1
burst = (1 - event)*(1 - marked) : 1
t_last_spike : second
marked : 1
"""
_AVERAGES = """
devents_average/dt = -events_average/({tau_average}) : 1
dbursts_average/dt = -bursts_average/({tau_average}) : 1
event_rate = events_average/({tau_average}) : Hz
burst_rate = bursts_average/({tau_average}) : Hz
without_history = int(events_average <= 0) : 1
burst_probability = clip((bursts_average + without_history)/(events_average + without_history), 0, 1) : 1
"""
_RATE = """
dspike_rate/dt = -spike_rate/({tau_rate}) : Hz
"""


def with_bursts(
    model: NeuronModel,
    *,
    interval: QuantityLike = "16 ms",
    tau_average: QuantityLike | None = None,
    tau_rate: QuantityLike | None = None,
) -> NeuronModel:
    r"""Return the model with detection of events and bursts, and with running averages of both.

    A spike that follows the one before by more than `interval` is an *event*: an isolated spike or the first of a
    burst. The second spike after an event, within `interval`, marks a *burst*; later spikes of the same burst are
    neither. ``event`` and ``burst`` are 1 or 0 and say what a spike *now* would be: synapses read them
    (``event_pre``, ``burst_post``) before the reset of the spike that reaches them changes the bookkeeping. Intervals
    are compared in whole time steps.

    .. math::
        \tau_{avg} \dot{\bar E} = -\bar E, \; \bar E \leftarrow \bar E + 1 \text{ at an event}, \qquad
        \tau_{avg} \dot{\bar B} = -\bar B, \; \bar B \leftarrow \bar B + 1 \text{ at a burst}, \qquad
        \bar P = \min(1, \bar B/\bar E)

    :math:`\bar E` (``events_average``) and :math:`\bar B` (``bursts_average``) are dimensionless states, in hertz they
    are ``event_rate`` and ``burst_rate``, :math:`\bar E/\tau_{avg}` and :math:`\bar B/\tau_{avg}`; :math:`\bar P`
    (``burst_probability``) is 1 for a neuron without history, :math:`\bar E = 0`. Payeur, Guerguiev, Zenke, Richards
    and Naud (2021) Nature Neuroscience 24:1010, eq. 1; the order, :math:`\bar P` before :math:`\bar E`, and
    :math:`\bar P = 1` without history are those of the authors' code (``AdaptiveEBCPConnection``), the exact intervals
    those of their analysis.

    Parameters
    ----------
    model : NeuronModel
        With a threshold.
    interval : time
        `NeuronModel.longest_step` becomes an eighth of it: with longer steps a burst is not defined.
    tau_average : time, optional
        Of the averages; without it there are none.
    tau_rate : time, optional
        Time constant of ``spike_rate``, the running rate of all spikes in hertz, a state that a homeostatic term of
        `burst_dependent` reads; without it there is none.

    Raises
    ------
    DescriptionError
        For a model without a threshold or with variables of these names, or a time that is not longer than zero.
    """
    if model.threshold is None:
        raise DescriptionError("a neuron without a threshold has no bursts; give it a threshold.")
    times = {"interval": interval, "tau_average": tau_average, "tau_rate": tau_rate}
    given = {name: _positive(name, value) for name, value in times.items() if value is not None}
    equations, resets = [model.equations, _DETECTION], ["marked = 1 - event", "t_last_spike = t"]
    if tau_average is not None:
        equations.append(_AVERAGES)
        resets = ["events_average += event", "bursts_average += burst", *resets]
    if tau_rate is not None:
        equations.append(_RATE)
        resets.append(f"spike_rate += 1/({_text(given['tau_rate'])})")
    # Times stand in the equations as numbers: synapses read these subexpressions, and know no parameters of a neuron.
    texts = {name: _text(time) for name, time in given.items()}
    return model.model_copy(
        update={
            "equations": "\n".join([equations[0], *(text.strip().format(**texts) for text in equations[1:])]),
            "reset": "\n".join(filter(None, [model.reset, *resets])),
            "initial": {**model.initial, **named_quantities(t_last_spike="-10000 s")},
            "longest_step": _shorter(model.longest_step, given["interval"]),
        }
    )


def _text(time: Quantity) -> str:
    return f"{time.value!r}*second"


def _positive(name: str, value: QuantityLike) -> Quantity:
    given = quantity(value)
    if given.dimension != TIME or given.value <= 0:
        raise DescriptionError(f"{name} must be a time longer than zero, such as '16 ms', got '{value}'.")
    return given


def _shorter(longest: Quantity | None, interval: Quantity) -> Quantity:
    step = quantity(f"{interval.value * 1e3 / STEPS_IN_INTERVAL!r} ms")
    return step if longest is None or step.value < longest.value else longest
