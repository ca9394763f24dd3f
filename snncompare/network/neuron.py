"""What one neuron of a population is: equations with units, threshold, reset, refractory rule, method."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from snncompare.errors import DescriptionError, unknown
from snncompare.network.equations import (
    assigned_names,
    check_equations,
    check_expression,
    check_statements,
    defined_names,
)
from snncompare.units import TIME, Quantity, parse_unit, quantity
from snncompare.values import Value

__all__ = ["Method", "NeuronModel", "SpikeSource"]

Method = Literal["exponential_euler", "euler", "exact", "rk2", "rk4"]


class NeuronModel(Value):
    """A neuron model in Brian2's equation language.

    Parameters
    ----------
    equations : str
        Differential equations, subexpressions and parameters with units, e.g. ``dv/dt = (EL - v + I)/tau : volt``.
    threshold, reset : str, optional
        Condition for a spike, and the statements executed at one. Without a threshold the population never spikes
        (a readout).
    refractory : Quantity, optional
        Time after a spike in which variables marked ``(unless refractory)`` do not change and no spike is fired.
    method : str
        Brian2's state updater.
    parameters : dict
        Name to quantity; shared by all neurons of the population.
    inputs : dict
        Names that the equations use and that projections supply, with their units: ``{"I": "volt"}``. The value is the
        sum over projections, zero if there are none.
    initial : dict
        State variable to initial value (a quantity or the name of a parameter); zero where not given.
    """

    type: Literal["NeuronModel"] = "NeuronModel"
    equations: Annotated[str, AfterValidator(check_equations)]
    threshold: Annotated[str, AfterValidator(check_expression)] | None = None
    reset: Annotated[str, AfterValidator(check_statements)] = ""
    refractory: Quantity | None = None
    method: Method = "exponential_euler"
    parameters: dict[str, Quantity] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(default_factory=dict)
    initial: dict[str, Quantity | str] = Field(default_factory=dict)

    @field_validator("refractory")
    @classmethod
    def _refractory_is_a_time(cls, given: Quantity | None) -> Quantity | None:
        if given is not None and (given.dimension != TIME or given.value < 0):
            raise DescriptionError(f"refractory must be a time such as '2 ms', got '{given}'.")
        return given

    @field_validator("initial", mode="before")
    @classmethod
    def _quantity_or_name(cls, given: dict[str, object]) -> dict[str, object]:
        is_name = {name: isinstance(value, str) and value.isidentifier() for name, value in given.items()}
        return {name: value if is_name[name] else quantity(value) for name, value in given.items()}

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = defined_names(self.equations)
        for unit in self.inputs.values():
            parse_unit(unit)
        for name in self.initial:
            if names.get(name) not in ("differential", "parameter"):
                states = [n for n, kind in names.items() if kind != "subexpression"]
                raise DescriptionError("initial: " + unknown("state variable", name, states))
        for name, value in self.initial.items():
            if isinstance(value, str) and value not in self.parameters:
                raise DescriptionError(f"initial of '{name}': " + unknown("parameter", value, self.parameters))
        twice = (set(names) | set(self.inputs)) & set(self.parameters) or set(names) & set(self.inputs)
        if twice:
            raise DescriptionError(
                f"'{sorted(twice)[0]}' is defined twice; keep it in the equations, the inputs or the parameters."
            )
        for name in assigned_names(self.reset):
            if names.get(name) not in ("differential", "parameter"):
                states = [n for n, kind in names.items() if kind != "subexpression"]
                raise DescriptionError("reset: " + unknown("state variable", name, states))
        if self.reset and self.threshold is None:
            raise DescriptionError("a reset needs a threshold; add for example threshold: 'v > v_threshold'.")
        return self


class SpikeSource(Value):
    """Neurons that fire when they are told to: the spikes are given to `Program.run` as a `Recording`."""

    type: Literal["SpikeSource"] = "SpikeSource"
