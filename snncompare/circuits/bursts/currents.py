"""Currents that follow a course over time, written into the equations of a neuron."""

from snncompare.errors import DescriptionError, InputError, unknown
from snncompare.network.equations import renamed_equations
from snncompare.network.named_quantities import named_quantities
from snncompare.network.neuron import NeuronModel
from snncompare.units import QuantityLike, quantity

__all__ = ["with_fluctuating_current", "with_rectangular_current", "with_sinusoidal_current"]


def with_sinusoidal_current(
    model: NeuronModel,
    *,
    mean: QuantityLike,
    amplitude: QuantityLike,
    period: QuantityLike,
    onset: QuantityLike = "0 s",
    into: str = "I",
) -> NeuronModel:
    r"""Return the model with a sinusoidal current :math:`\bar I + A \sin(2\pi (t - t_0)/T)` into an input.

    Before :math:`t_0` it is :math:`\bar I`.

    Parameters
    ----------
    model : NeuronModel
    mean, amplitude : current
        :math:`\bar I, A`.
    period, onset : time
        :math:`T, t_0`.
    into : str
        The input; the current is the variable ``course_`` and its name.

    Raises
    ------
    InputError
        For a period that is not above zero.
    DescriptionError
        For an input that the model does not have, or one that has a course already.
    """
    _check_positive("period", period)
    course = "{mean} + {amplitude}*sin(2*pi*(t - {onset})/{period})*int(t >= {onset})"
    return _with_course(model, course, into, mean=mean, amplitude=amplitude, period=period, onset=onset)


def with_rectangular_current(
    model: NeuronModel,
    *,
    first: QuantityLike,
    second: QuantityLike,
    first_duration: QuantityLike,
    second_duration: QuantityLike,
    lag: QuantityLike = "0 s",
    into: str = "I",
) -> NeuronModel:
    """Return the model with a current that jumps between two values, again and again.

    Parameters
    ----------
    model : NeuronModel
    first, second : current
        The two values.
    first_duration, second_duration : time
        How long each of them lasts; multiples of the time step.
    lag : time
        When the first begins, at most the two durations together; before, the current runs as if it had always been.
    into : str
        The input; the current is the variable ``course_`` and its name.

    Raises
    ------
    InputError
        For a duration that is not above zero.
    DescriptionError
        For an input that the model does not have, or one that has a course already.
    """
    _check_positive("first_duration", first_duration)
    _check_positive("second_duration", second_duration)
    together = "({first_duration} + {second_duration})"
    since = f"timestep(t + {together} - {{lag}}, dt) % timestep({together}, dt)"
    course = f"{{second}} + ({{first}} - {{second}})*int({since} < timestep({{first_duration}}, dt))"
    given = {"first_duration": first_duration, "second_duration": second_duration, "lag": lag}
    return _with_course(model, course, into, first=first, second=second, **given)


def with_fluctuating_current(
    model: NeuronModel, *, mean: QuantityLike, sd: QuantityLike, tau: QuantityLike = "2 ms", into: str = "I"
) -> NeuronModel:
    r"""Return the model with an Ornstein-Uhlenbeck current of its own into an input.

    .. math:: \tau \dot x = \mu - x + \sigma \sqrt{2 \tau}\, \xi(t)

    :math:`\mu` mean and :math:`\sigma` standard deviation of the current, :math:`\tau` its time constant, :math:`\xi`
    white noise. Parameters ``noise_mean_``, ``noise_sd_`` and ``noise_tau_`` and the name of the input.

    Parameters
    ----------
    model : NeuronModel
    mean, sd : current
    tau : time
    into : str
        The input; the current is the variable ``noise_`` and its name, from its mean on.

    Raises
    ------
    InputError
        For a standard deviation below zero or a time constant that is not above it.
    DescriptionError
        For an input that the model does not have, or one that fluctuates already.
    """
    _check_positive("tau", tau)
    if quantity(sd).value < 0:
        raise InputError(f"sd must not be negative, got '{sd}'.")
    name = f"noise_{into}"
    given = {f"noise_{key}_{into}": value for key, value in {"mean": mean, "sd": sd, "tau": tau}.items()}
    line = (
        f"d{name}/dt = (noise_mean_{into} - {name})/noise_tau_{into} "
        f"+ noise_sd_{into}*sqrt(2/noise_tau_{into})*xi_{into} : {_unit(model, into)}"
    )
    return _with_line(model, name, line, into, given, {name: f"noise_mean_{into}"})


def _with_course(model: NeuronModel, course: str, into: str, **given: QuantityLike) -> NeuronModel:
    names = {key: f"{key}_{into}" for key in given}
    line = f"course_{into} = {course.format(**names)} : {_unit(model, into)}"
    return _with_line(model, f"course_{into}", line, into, {names[key]: value for key, value in given.items()}, {})


def _with_line(
    model: NeuronModel, name: str, line: str, into: str, given: dict[str, QuantityLike], initial: dict[str, str]
) -> NeuronModel:
    if name in model.names():
        raise DescriptionError(f"the input '{into}' has a current '{name}' already; describe one that is both.")
    equations = renamed_equations(model.equations, {into: f"({into} + {name})"})
    return model.model_copy(
        update={
            "equations": f"{equations}\n{line}",
            "parameters": {**model.parameters, **named_quantities(**given)},
            "initial": {**model.initial, **initial},
        }
    )


def _unit(model: NeuronModel, into: str) -> str:
    if into not in model.inputs:
        raise DescriptionError("into: " + unknown("input", into, model.inputs))
    return model.inputs[into]


def _check_positive(name: str, given: QuantityLike) -> None:
    if quantity(given).value <= 0:
        raise InputError(f"{name} must be above zero, got '{given}'.")
