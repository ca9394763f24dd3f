r"""Input that needs no population of its own: random background conductances, currents that an experiment sets."""

from typing import Literal

from snncompare.errors import DescriptionError, unknown
from snncompare.network.equations import renamed_equations
from snncompare.network.named_quantities import named_quantities
from snncompare.network.names import check_free_names
from snncompare.network.neuron import NeuronModel
from snncompare.units import Quantity, QuantityLike, parse_unit, quantity

__all__ = ["Compartment", "leak_units", "with_input_current", "with_poisson_background"]

Compartment = Literal["soma", "dendrite"]

_LEAKS = {"soma": ("C_s", "tau_s"), "dendrite": ("C_d", "tau_d")}


def with_poisson_background(
    model: NeuronModel,
    *,
    rate: QuantityLike,
    weight: QuantityLike,
    tau: QuantityLike,
    reversal: QuantityLike,
    into: str = "I",
    voltage: str = "v",
    name: str = "background",
) -> NeuronModel:
    r"""Return the model with a conductance that jumps at the spikes of a Poisson process, one for each neuron.

    .. math::
        \tau \dot g = -g + \tau w \sum_k \delta(t - t_k), \qquad I \leftarrow I + g (E - v)

    :math:`g` (``g_name``) conductance, :math:`w` (``weight_name``) its jump, :math:`E` (``reversal_name``),
    :math:`\tau` (``tau_name``); the times :math:`t_k` of many independent sources with the total rate ``rate_name``.
    A step of the decay multiplies by exactly :math:`e^{-dt/\tau}`, also where the model is integrated by Euler's method
    (its equation is written for that). At most one spike is drawn in a time step, with the probability rate times step;
    `NeuronModel.longest_step` becomes the step for which that is one. Both are as in Auryn, the simulator of Payeur et
    al. (2021) Nature Neuroscience 24:1010. Call it again with another name for a second background.

    Parameters
    ----------
    model : NeuronModel
    rate : frequency
    weight : conductance
    tau : time
    reversal : voltage
    into, voltage : str
        Input of the model and variable in the driving force; ``"I_d"`` and ``"v_drive"`` for the dendrite of
        `two_compartment_pyramidal`.
    name : str
        What the background is called; the end of the names of its parameters.

    Raises
    ------
    DescriptionError
        For an input or variable that the model does not have, a name that is taken, a negative rate or weight, or
        units that do not fit.
    """
    _check_input(model, into)
    if voltage not in model.names():
        raise DescriptionError("voltage: " + unknown("variable", voltage, model.names()))
    check_free_names([name], "background")
    own = {key: f"{key}_{name}" for key in ("rate", "weight", "tau", "reversal", "g", "spike")}
    given = named_quantities(rate=rate, weight=weight, tau=tau, reversal=reversal)
    for key in ("rate", "weight"):
        if given[key].value < 0:
            raise DescriptionError(f"{key} of the background '{name}' must not be negative, got '{given[key]}'.")
    decay = "g*(1 - exp(-dt/tau))/dt" if model.method == "euler" else "g/tau"
    unit = "siemens" if parse_unit(model.inputs[into])[1] == parse_unit("amp")[1] else "1"
    lines = f"spike = int(rand() < rate*dt) : 1 (constant over dt)\ndg/dt = -{decay} + weight*spike/dt : {unit}"
    current = renamed_equations(model.equations, {into: f"({into} + {own['g']}*({own['reversal']} - {voltage}))"})
    return model.model_copy(
        update={
            "equations": f"{current}\n{renamed_equations(lines, own)}",
            "parameters": {**model.parameters, **{own[key]: value for key, value in given.items()}},
            "longest_step": _shortest(model.longest_step, given["rate"]),
        }
    )


def with_input_current(model: NeuronModel, into: str = "I", name: str = "I_in") -> NeuronModel:
    """Return the model with a current of each neuron that an experiment sets: a state variable, zero at first.

    A `Simulation` changes it between stretches of a run (``simulation.set("out", "I_teacher", values)``).

    Parameters
    ----------
    model : NeuronModel
    into : str
        The input of the model that it is added to, whose unit it has.
    name : str
        What it is called.

    Raises
    ------
    DescriptionError
        For an input that the model does not have, or a name that is taken.
    """
    _check_input(model, into)
    equations = renamed_equations(model.equations, {into: f"({into} + {name})"})
    return model.model_copy(update={"equations": f"{equations}\n{name} : {model.inputs[into]}"})


def leak_units(model: NeuronModel, compartment: Compartment, number: float) -> Quantity:
    r"""Return a conductance that is given in units of the leak of a compartment, :math:`g_L` or :math:`C/\tau`.

    The weights of Payeur et al. (2021) are such numbers; the leaks of their pyramidal neurons are 23.125 nS (soma) and
    24.286 nS (dendrite).

    Parameters
    ----------
    model : NeuronModel
        With a parameter ``g_L`` (`adaptive_exponential_integrate_and_fire` and the interneurons made of it), or with
        ``C_s, tau_s`` and ``C_d, tau_d`` (`two_compartment_pyramidal`, `burst_poisson_neuron`).
    compartment : str
        ``"soma"`` or ``"dendrite"``.
    number : float

    Raises
    ------
    DescriptionError
        For a model without that compartment.
    """
    if compartment not in _LEAKS:
        raise DescriptionError("compartment: " + unknown("compartment", compartment, _LEAKS))
    if compartment == "soma" and "g_L" in model.parameters:
        leak = model.parameters["g_L"].value
    else:
        missing = [name for name in _LEAKS[compartment] if name not in model.parameters]
        if missing:
            raise DescriptionError(f"{compartment}: " + unknown("parameter of its leak", missing[0], model.parameters))
        capacitance, tau = (model.parameters[name].value for name in _LEAKS[compartment])
        leak = capacitance / tau
    return quantity(f"{number * leak * 1e9!r} nS")


def _check_input(model: NeuronModel, into: str) -> None:
    if into not in model.inputs:
        raise DescriptionError("into: " + unknown("input", into, model.inputs))


def _shortest(longest: Quantity | None, rate: Quantity) -> Quantity | None:
    if rate.value == 0:
        return longest
    step = quantity(f"{1e3 / rate.value!r} ms")
    return step if longest is None or step.value < longest.value else longest
