"""What one synapse is: what a presynaptic spike does, and the current that follows from it."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

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
from snncompare.network.neuron import NeuronModel
from snncompare.units import Quantity
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
    weight_unit: Annotated[str, AfterValidator(check_unit)] = "1"
    parameters: dict[str, Quantity] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        names = set(defined_names(self.equations))
        check_free_names(self.parameters, "parameter")
        twice = names & set(self.parameters) | ({"w"} & (names | set(self.parameters)))
        if twice:
            raise DescriptionError(f"'{sorted(twice)[0]}' is defined twice; 'w' is the weight of the projection.")
        for name in sorted(assigned_names(self.on_pre)):
            if not name.endswith("_post"):
                raise DescriptionError(
                    f"on_pre changes '{name}'; write '{name}_post' for the variable '{name}' of the target neuron."
                )
        if self.current is not None and self.current.isidentifier() and self.current not in names:
            raise DescriptionError("current: " + unknown("variable of the synapse", self.current, sorted(names)))
        return self

    def check_target(self, neuron: NeuronModel) -> None:
        """Refuse a target whose variables are not those that the synapse names.

        Raises
        ------
        DescriptionError
            With the name that neither the synapse nor the target has.
        """
        own = defined_names(self.equations)
        there = [*own, *self.parameters, *neuron.names()]
        read = names_in_equations(self.equations) | names_in_expression(self.current or "True")
        for name in sorted(read):
            if name not in there and not is_known(name):
                raise DescriptionError(unknown("variable or parameter of synapse or target", name, there))
        states = [*own, *defined_names(neuron.equations)]
        on_target = [f"{name}_post" for name in [*states, *neuron.inputs]]
        for name in sorted(names_in_statements(self.on_pre)):
            if name not in [*on_target, *self.parameters, "w"] and not is_known(name) and not name.endswith("_pre"):
                raise DescriptionError("on_pre: " + unknown("name", name, [*on_target, *self.parameters, "w"]))
