r"""Synapses that transmit events or bursts alone, and the plasticity that bursts drive."""

from typing import Literal

from snncompare.errors import DescriptionError
from snncompare.network.equations import assigned_names, renamed_expression
from snncompare.network.named_quantities import named_quantities
from snncompare.network.synapse import SynapseModel
from snncompare.units import FREQUENCY, TIME, Quantity, QuantityLike, parse_unit, quantity

__all__ = ["burst_dependent", "of_bursts", "of_events"]

_ARRIVALS = "arrived_event : 1\narrived_burst : 1\nafter_event : 1\nt_last_arrival : second"
_ON_ARRIVAL = (
    "arrived_event = int(timestep(t - t_last_arrival, dt) > timestep(burst_interval, dt))\n"
    "arrived_burst = (1 - arrived_event)*after_event\n"
    "after_event = arrived_event\n"
    "t_last_arrival = t"
)


def of_events(synapse: SynapseModel, *, interval: QuantityLike | None = None) -> SynapseModel:
    r"""Return a synapse that transmits only events of its source: isolated spikes and first spikes of bursts.

    The weight becomes :math:`w\,E_{pre}`, with :math:`E_{pre} = 1` at an event, else 0: an ideal depressing synapse,
    as in the XOR network of Payeur et al. (2021) Nature Neuroscience 24:1010.

    Parameters
    ----------
    synapse : SynapseModel
        What a spike does; one that does not change the weight itself (make it plastic afterwards).
    interval : time, optional
        Without it the source says what its spikes are: it is made by `with_bursts`, and the projection has no delay.
        With it the synapse itself compares the intervals of the spikes that arrive, so that any source and any delay
        will do.

    Raises
    ------
    DescriptionError
        If the synapse changes its own weight, or for an interval that is not a time longer than zero.
    """
    return _transmitting(synapse, "event", interval)


def of_bursts(synapse: SynapseModel, *, interval: QuantityLike | None = None) -> SynapseModel:
    r"""Return a synapse that transmits only bursts of its source, one spike for each: the second spike of an event.

    The weight becomes :math:`w\,B_{pre}`: an ideal facilitating synapse. Parameters and errors as for `of_events`.
    """
    return _transmitting(synapse, "burst", interval)


def burst_dependent(
    synapse: SynapseModel,
    *,
    rate: QuantityLike,
    tau_pre: QuantityLike,
    w_max: QuantityLike,
    w_min: QuantityLike | None = None,
    plasticity: float = 1.0,
    interval: QuantityLike | None = None,
    min_rate: QuantityLike | None = None,
    max_rate: QuantityLike | None = None,
) -> SynapseModel:
    r"""Return a synapse whose weight bursts of the target raise and events of the target lower.

    .. math::
        \frac{dw}{dt} = M \eta\, [B(t) - \bar P(t) E(t)]\, \tilde E(t), \qquad
        \tau_{pre} \dot{\tilde E} = -\tilde E + \tau_{pre} E_{pre}(t), \qquad w_{min} \le w \le w_{max}

    :math:`E, B` events and bursts of the target (`with_bursts`), :math:`\bar P` its ``burst_probability`` before it
    counts the event, :math:`E_{pre}` events of the source, :math:`\tilde E` (``eligibility``), :math:`\eta`
    (``learning_rate``), :math:`\tau_{pre}` (``tau_eligibility``). The gate :math:`M` (``plasticity``) is a state of
    each synapse, 1 or 0, that an experiment opens and closes. At coincident spikes the source comes first:
    :math:`\tilde E` holds the event already. Payeur, Guerguiev, Zenke, Richards and Naud (2021) Nature Neuroscience
    24:1010, eq. 1; the authors' code, ``AdaptiveEBCPConnection``, which has two homeostatic terms more, off unless
    given here:

    .. math::
        E(t): \; w \leftarrow w - M \eta\, \tilde E\, \frac{\bar e - e_{max}}{\bar e} \text{ if } \bar e > e_{max},
        \qquad E_{pre}(t): \; w \leftarrow w + M \eta\, (r_{min} - r)/\text{Hz} \text{ if } r < r_{min}

    :math:`\bar e` (``event_rate``) and :math:`r` (``spike_rate``) running rates of the target.

    Parameters
    ----------
    synapse : SynapseModel
        What a spike does; the weight is changed here and nowhere else. `of_events` for a synapse that also transmits
        events only.
    rate, w_max, w_min : quantity
        In the unit of the weight; `w_min` is zero where not given.
    tau_pre : time
    plasticity : float
        :math:`M` at the beginning, 0 or 1.
    interval : time, optional
        As in `of_events`: without it, the source is made by `with_bursts` and the projection has no delay.
    min_rate, max_rate : frequency, optional
        :math:`r_{min}`, which needs `with_bursts` with ``tau_rate`` in the target, and :math:`e_{max}`.

    Raises
    ------
    DescriptionError
        If the synapse changes its weight already, or for a value out of range or in another unit.
    """
    if "w" in assigned_names(synapse.on_pre) | assigned_names(synapse.on_post):
        raise DescriptionError("this synapse changes 'w' already; one rule at a time can.")
    weights = _weights(synapse, rate, w_min, w_max)
    if plasticity not in (0, 1):
        raise DescriptionError(f"plasticity is 0 or 1, got {plasticity!r}.")
    seen = synapse if interval is None else _arrivals(synapse, interval)
    event = "event_pre" if interval is None else "arrived_event"
    parameters = {**weights, "tau_eligibility": _positive("tau_pre", tau_pre, TIME, "100 ms")}
    on_pre, falls = [f"eligibility += {event}"], "burst_probability_post"
    if min_rate is not None:
        parameters["min_rate"] = _positive("min_rate", min_rate, FREQUENCY, "2 Hz")
        lacking = "int(spike_rate_post < min_rate)*(min_rate - spike_rate_post)/hertz"
        on_pre.append(f"w = clip(w + plasticity*learning_rate*{event}*{lacking}, w_min, w_max)")
    if max_rate is not None:
        parameters["max_rate"] = _positive("max_rate", max_rate, FREQUENCY, "10 Hz")
        above = "int(event_rate_post > max_rate)"
        excess = f"{above}*(event_rate_post - max_rate)/(event_rate_post + (1 - {above})*max_rate)"
        falls = f"(burst_probability_post + {excess})"
    change = f"plasticity*learning_rate*(burst_post - {falls}*event_post)*eligibility"
    return seen.model_copy(
        update={
            "synapse_equations": _joined(
                seen.synapse_equations,
                "deligibility/dt = -eligibility/tau_eligibility : 1 (event-driven)\nplasticity : 1",
            ),
            "on_pre": _joined(seen.on_pre, *on_pre),
            "on_post": _joined(seen.on_post, f"w = clip(w + {change}, w_min, w_max)"),
            "parameters": {**seen.parameters, **parameters},
            "initial": {**seen.initial, **named_quantities(plasticity=float(plasticity))},
        }
    )


def _transmitting(
    synapse: SynapseModel, what: Literal["event", "burst"], interval: QuantityLike | None
) -> SynapseModel:
    if "w" in assigned_names(synapse.on_pre) | assigned_names(synapse.on_post):
        raise DescriptionError(
            f"this synapse changes 'w' itself; first choose what it transmits: burst_dependent(of_{what}s(ampa()), ...)"
        )
    seen = synapse if interval is None else _arrivals(synapse, interval)
    source = f"{what}_pre" if interval is None else f"arrived_{what}"
    return seen.model_copy(update={"on_pre": renamed_expression(seen.on_pre, {"w": f"(w*{source})"})})


def _arrivals(synapse: SynapseModel, interval: QuantityLike) -> SynapseModel:
    """Return the synapse with states that say what the spike is that has arrived."""
    if "arrived_event" in synapse.synapse_names():
        return synapse
    return synapse.model_copy(
        update={
            "synapse_equations": _joined(synapse.synapse_equations, _ARRIVALS),
            "on_pre": _joined(_ON_ARRIVAL, synapse.on_pre),
            "parameters": {**synapse.parameters, "burst_interval": _positive("interval", interval, TIME, "16 ms")},
            "initial": {**synapse.initial, **named_quantities(t_last_arrival="-10000 s")},
        }
    )


def _weights(
    synapse: SynapseModel, rate: QuantityLike, w_min: QuantityLike | None, w_max: QuantityLike
) -> dict[str, Quantity]:
    zero = f"0 {synapse.weight_unit}".removesuffix(" 1")
    found = named_quantities(learning_rate=rate, w_min=zero if w_min is None else w_min, w_max=w_max)
    if {given.dimension for given in found.values()} != {parse_unit(synapse.weight_unit)[1]}:
        raise DescriptionError(f"rate, w_min and w_max must have the unit '{synapse.weight_unit}' of the weight.")
    if found["learning_rate"].value < 0:
        raise DescriptionError(f"rate must not be negative, got '{found['learning_rate']}'.")
    if found["w_min"].value >= found["w_max"].value:
        raise DescriptionError(f"w_min must lie below w_max, got '{found['w_min']}' and '{found['w_max']}'.")
    return found


def _positive(name: str, value: QuantityLike, dimension: object, example: str) -> Quantity:
    given = quantity(value)
    if given.dimension != dimension or given.value <= 0:
        raise DescriptionError(f"{name} must be longer or higher than zero, such as '{example}', got '{value}'.")
    return given


def _joined(*texts: str) -> str:
    return "\n".join(filter(None, texts))
