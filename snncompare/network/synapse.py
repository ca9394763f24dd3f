"""What one synapse is: what a presynaptic spike does, and the current that follows from it."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from snncompare.errors import DescriptionError, unknown
from snncompare.network.equations import check_equations, check_expression, check_statements, defined_names
from snncompare.units import Quantity, parse_unit
from snncompare.values import Value

__all__ = ["SynapseModel"]


class SynapseModel(Value):
    """A synapse model in Brian2's language, whose state lives on the target neuron, one per projection.

    Parameters
    ----------
    equations : str
        State on the target neuron, e.g. ``dx/dt = -x/tau_syn : volt``. May use the target's variables.
    on_pre : str
        Statements at a presynaptic spike; ``name_post`` is a variable of the target, ``w`` the weight:
        ``x_post += w``.
    current : str, optional
        What the projection adds to the target's input each step, e.g. ``x`` or ``g*(E - v)``.
    weight_unit : str
        Unit of ``w``.
    parameters : dict
        Name to quantity.
    """

    type: Literal["SynapseModel"] = "SynapseModel"
    equations: Annotated[str, AfterValidator(check_equations)] = ""
    on_pre: Annotated[str, AfterValidator(check_statements)]
    current: Annotated[str, AfterValidator(check_expression)] | None = None
    weight_unit: str = "1"
    parameters: dict[str, Quantity] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        parse_unit(self.weight_unit)
        names = set(defined_names(self.equations))
        twice = names & set(self.parameters) | ({"w"} & (names | set(self.parameters)))
        if twice:
            raise DescriptionError(f"'{sorted(twice)[0]}' is defined twice; 'w' is the weight of the projection.")
        if self.current is not None and self.current.isidentifier() and self.current not in names:
            raise DescriptionError("current: " + unknown("variable of the synapse", self.current, sorted(names)))
        return self
