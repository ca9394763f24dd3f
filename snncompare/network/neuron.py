"""What one neuron of a population is: equations with units, threshold, reset, refractory rule, method."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from snncompare.errors import DescriptionError, unknown
from snncompare.network.equations import (
    assigned_names,
    check_equations,
    check_statements,
    check_unit,
    defined_names,
    names_in_equations,
    names_in_expression,
    names_in_statements,
)
from snncompare.network.expressions import check_expression
from snncompare.network.names import check_free_names, is_known
from snncompare.units import TIME, Quantity, quantity
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
            raise DescriptionError(f"refractory must be a time such as '2 ms', not negative, got '{given}'.")
        return given

    @field_validator("initial", mode="before")
    @classmethod
    def _quantity_or_name(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        is_name = {name: isinstance(value, str) and value.isidentifier() for name, value in given.items()}
        return {name: value if is_name[name] else quantity(value) for name, value in given.items()}

    @field_validator("inputs")
    @classmethod
    def _inputs_have_units(cls, given: dict[str, str]) -> dict[str, str]:
        for unit in given.values():
            check_unit(unit)
        return given

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = defined_names(self.equations)
        check_free_names(self.parameters, "parameter")
        check_free_names(self.inputs, "input")
        twice = (set(names) | set(self.inputs)) & set(self.parameters) or set(names) & set(self.inputs)
        if twice:
            raise DescriptionError(
                f"'{sorted(twice)[0]}' is defined twice; keep it in the equations, the inputs or the parameters."
            )
        if self.reset and self.threshold is None:
            raise DescriptionError("a reset needs a threshold; add for example threshold: 'v > v_threshold'.")
        states = [name for name, kind in names.items() if kind != "subexpression"]
        for where, changed in (("initial", self.initial), ("reset", assigned_names(self.reset))):
            for name in changed:
                if name not in states:
                    raise DescriptionError(f"{where}: " + unknown("state variable", name, states))
        for name, value in self.initial.items():
            if isinstance(value, str) and value not in self.parameters:
                raise DescriptionError(f"initial of '{name}': " + unknown("parameter", value, self.parameters))
        return self

    @model_validator(mode="after")
    def _names_read_exist(self) -> Self:
        there = self.names()
        read = {
            "equations": names_in_equations(self.equations),
            "threshold": names_in_expression(self.threshold or "True"),
            "reset": names_in_statements(self.reset),
        }
        for where, names in read.items():
            for name in sorted(names):
                if name not in there and not is_known(name):
                    raise DescriptionError(f"{where}: " + unknown("variable, input or parameter", name, there))
        return self

    def names(self) -> list[str]:
        """Return what its equations may name: variables, inputs and parameters."""
        return [*defined_names(self.equations), *self.inputs, *self.parameters]


class SpikeSource(Value):
    """Neurons that fire when they are told to: the spikes are given to `Program.run` as a `Recording`."""

    type: Literal["SpikeSource"] = "SpikeSource"
