"""What one neuron of a population is: equations with units, threshold, reset, refractory rule, method."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from snncompare.errors import DescriptionError, unknown
from snncompare.network.amount import Amount, quantities_or_names
from snncompare.network.equations import (
    assigned_names,
    check_equations,
    check_statements,
    check_unit,
    defined_names,
    definitions,
    names_in_equations,
    names_in_expression,
    names_in_statements,
)
from snncompare.network.expressions import check_condition, check_expression
from snncompare.network.functions import check_functions, with_functions
from snncompare.network.model_units import check_neuron_units
from snncompare.network.names import check_free_names, is_known
from snncompare.units import TIME, Quantity, quantity
from snncompare.values import FrozenDict, Value

__all__ = ["Method", "NeuronModel", "SpikeSource"]

Method = Literal["exponential_euler", "euler", "exact", "heun", "milstein", "rk2", "rk4", "auto"]


_QUANTITY = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?\s*\*?\s*[A-Za-zµμ]*")


def _quantity_or_expression(given: Any) -> Any:
    return given if isinstance(given, str) and not _QUANTITY.fullmatch(given.strip()) else quantity(given)


class NeuronModel(Value):
    """A neuron model in Brian2's equation language.

    Parameters
    ----------
    functions : dict
        User functions as expressions of their arguments, ``{"sigmoid(x)": "1/(1 + exp(-x))"}``; written out wherever
        they are called.
    equations : str
        Differential equations, subexpressions and parameters with units, e.g. ``dv/dt = (EL - v + I)/tau : volt``.
        A parameter declared here (``tau : second (constant)``) has one value per neuron, given by `initial`.
    threshold, reset : str, optional
        Condition for a spike, and the statements executed at one. Without a threshold the population never spikes
        (a readout).
    refractory : Quantity or str, optional
        Time after a spike in which variables marked ``(unless refractory)`` do not change and no spike is fired; an
        expression is such a time, or a condition under which the neuron stays refractory.
    method : str
        Brian2's state updater; ``"auto"`` lets Brian2 choose.
    parameters : dict
        Name to quantity; shared by all neurons of the population unless the population says otherwise.
    inputs : dict
        Names that the equations use and that projections supply, with their units: ``{"I": "volt"}``. The value is the
        sum over projections, zero if there are none.
    initial : dict
        State variable or declared parameter to initial value (a quantity, the name of a parameter, or a distribution
        with one draw per neuron); zero where not given.
    longest_step : time, optional
        The longest time step with which the model is what it says; longer ones are refused when it is compiled.
    """

    type: Literal["NeuronModel"] = "NeuronModel"
    functions: Annotated[dict[str, str], AfterValidator(check_functions)] = Field(default_factory=dict)
    equations: str
    threshold: str | None = None
    reset: str = ""
    refractory: Annotated[Quantity | str, BeforeValidator(_quantity_or_expression)] | None = None
    method: Method = "exponential_euler"
    parameters: dict[str, Quantity] = Field(default_factory=dict)
    inputs: dict[str, str] = Field(default_factory=dict)
    initial: dict[str, Annotated[str | Amount, Field(union_mode="left_to_right")]] = Field(default_factory=dict)
    longest_step: Quantity | None = None

    @field_validator("equations", "reset")
    @classmethod
    def _plain_arithmetic(cls, given: str, info: ValidationInfo) -> str:
        check = check_equations if info.field_name == "equations" else check_statements
        check(with_functions(given, info.data.get("functions", {})))
        return given

    @field_validator("threshold")
    @classmethod
    def _plain_condition(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given is not None:
            check_expression(with_functions(given, info.data.get("functions", {})))
        return given

    @field_validator("refractory")
    @classmethod
    def _refractory_is_a_time(cls, given: Quantity | str | None, info: ValidationInfo) -> Quantity | str | None:
        if isinstance(given, str):
            check_expression(with_functions(given, info.data.get("functions", {})))
        elif given is not None and (given.dimension != TIME or given.value < 0):
            raise DescriptionError(f"refractory must be a time such as '2 ms', not negative, got '{given}'.")
        return given

    @field_validator("longest_step")
    @classmethod
    def _longest_step_is_a_time(cls, given: Quantity | None) -> Quantity | None:
        if given is not None and (given.dimension != TIME or given.value <= 0):
            raise DescriptionError(f"longest_step must be a time longer than zero such as '2 ms', got '{given}'.")
        return given

    @field_validator("initial", mode="before")
    @classmethod
    def _quantity_or_name(cls, given: object) -> object:
        return quantities_or_names(given)

    @field_validator("inputs")
    @classmethod
    def _inputs_have_units(cls, given: dict[str, str]) -> dict[str, str]:
        for unit in given.values():
            check_unit(unit)
        return given

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = defined_names(self.written_out().equations if self.functions else self.equations)
        check_free_names(self.parameters, "parameter")
        check_free_names(self.inputs, "input")
        twice = (set(names) | set(self.inputs)) & set(self.parameters) or set(names) & set(self.inputs)
        if twice:
            raise DescriptionError(
                f"'{sorted(twice)[0]}' is defined twice; keep it in the equations, the inputs or the parameters."
            )
        if self.reset and self.threshold is None:
            raise DescriptionError("a reset needs a threshold; add for example threshold: 'v > v_threshold'.")
        for where, changed in (("initial", self.initial), ("reset", assigned_names(self._plain(self.reset)))):
            for name in changed:
                if name not in self.states():
                    raise DescriptionError(f"{where}: " + unknown("state variable", name, self.states()))
        for name, value in self.initial.items():
            if isinstance(value, str) and value not in self.parameters:
                raise DescriptionError(f"initial of '{name}': " + unknown("parameter", value, self.parameters))
        return self

    @model_validator(mode="after")
    def _names_read_exist(self) -> Self:
        there, plain = self.names(), self.written_out()
        read = {
            "equations": names_in_equations(plain.equations),
            "threshold": names_in_expression(plain.threshold or "True"),
            "reset": names_in_statements(plain.reset),
            "refractory": names_in_expression(plain.refractory) if isinstance(plain.refractory, str) else set(),
        }
        for where, names in read.items():
            for name in sorted(names):
                if name not in there and not is_known(name):
                    raise DescriptionError(f"{where}: " + unknown("variable, input or parameter", name, there))
        if plain.threshold is not None:
            booleans = [n for n, line in definitions(plain.equations).items() if line.unit == "boolean"]
            check_condition("threshold", plain.threshold, booleans)
        check_neuron_units(plain)
        return self

    def written_out(self) -> Self:
        """Return the same model with its user functions written out in every text."""
        if not self.functions:
            return self
        texts = {name: self._plain(getattr(self, name)) for name in ("equations", "reset")}
        conditions = {
            name: self._plain(text)
            for name in ("threshold", "refractory")
            if isinstance(text := getattr(self, name), str)
        }
        return BaseModel.model_copy(self, update={"functions": FrozenDict(), **texts, **conditions})

    def _plain(self, text: str) -> str:
        return with_functions(text, self.functions)

    def states(self) -> list[str]:
        """Return the names of variables that hold a value for each neuron: state variables and declared parameters."""
        return [name for name, kind in defined_names(self._plain(self.equations)).items() if kind != "subexpression"]

    def names(self) -> list[str]:
        """Return what its equations may name: variables, inputs and parameters."""
        return [*defined_names(self._plain(self.equations)), *self.inputs, *self.parameters]


class SpikeSource(Value):
    """Neurons that fire when they are told to: the spikes are given to `Program.run` as a `Recording`."""

    type: Literal["SpikeSource"] = "SpikeSource"
