"""What one synapse is: its state, what a spike before or behind it does, and the current that follows from it."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationInfo, field_validator, model_validator

from snncompare.errors import DescriptionError, unknown
from snncompare.network.amount import Amount, quantities_or_names
from snncompare.network.equations import (
    SYNAPSE_FLAGS,
    assigned_names,
    check_current,
    check_equations,
    check_statements,
    check_unit,
    defined_names,
    definitions,
    names_in_equations,
    names_in_expression,
    names_in_statements,
    renamed_equations,
    renamed_expression,
)
from snncompare.network.functions import check_functions, with_functions
from snncompare.network.model_units import check_synapse_units
from snncompare.network.names import check_free_names, is_known
from snncompare.network.neuron import Method, NeuronModel, SpikeSource
from snncompare.units import Quantity
from snncompare.values import FrozenDict, Value

__all__ = ["SynapseModel"]


class SynapseModel(Value):
    """A synapse model in Brian2's language.

    State that all synapses of a projection share on a target neuron (the sum of their currents or conductances) stands
    in `equations`; state that each synapse has for itself (short-term plasticity, eligibility, a saturating gate) in
    `synapse_equations`, which is the language of Brian2's ``Synapses``.

    Parameters
    ----------
    functions : dict
        User functions as expressions of their arguments, see `NeuronModel`.
    equations : str
        State on the target neuron, e.g. ``dx/dt = -x/tau_syn : volt``. May use the target's variables.
    synapse_equations : str
        State of each synapse: differential equations ``(event-driven)`` or ``(clock-driven)``, parameters,
        subexpressions, and sums over the synapses of a target neuron, ``g_post = w*s : siemens (summed)``.
    on_pre, on_post : str
        Statements at a spike of the source or target neuron; ``name_post`` (or just ``name``) and ``name_pre`` are
        variables of the two neurons, ``w`` the weight: ``x_post += w``. A plastic synapse changes ``w``.
    current : str, optional
        What the projection adds to the target's input each step, e.g. ``x`` or ``g*(E - v)``.
    method : str
        Brian2's state updater for clock-driven `synapse_equations`; event-driven ones are integrated exactly.
    weight_unit : str
        Unit of ``w``.
    parameters : dict
        Name to quantity.
    initial : dict
        Variable to initial value (a quantity, the name of a parameter, or a distribution); zero where not given.
    """

    type: Literal["SynapseModel"] = "SynapseModel"
    functions: Annotated[dict[str, str], AfterValidator(check_functions)] = Field(default_factory=dict)
    equations: str = ""
    synapse_equations: str = ""
    on_pre: str = ""
    on_post: str = ""
    current: str | None = None
    method: Method = "exponential_euler"
    weight_unit: Annotated[str, AfterValidator(check_unit)] = "1"
    parameters: dict[str, Quantity] = Field(default_factory=dict)
    initial: dict[str, Annotated[str | Amount, Field(union_mode="left_to_right")]] = Field(default_factory=dict)

    @field_validator("equations", "synapse_equations", "on_pre", "on_post", "current")
    @classmethod
    def _plain_arithmetic(cls, given: str | None, info: ValidationInfo) -> str | None:
        plain = with_functions(given or "", info.data.get("functions", {}))
        match info.field_name:
            case "equations":
                check_equations(plain)
            case "synapse_equations":
                check_equations(plain, SYNAPSE_FLAGS)
            case "current":
                check_current(plain) if given is not None else None
            case _:
                check_statements(plain)
        return given

    @field_validator("initial", mode="before")
    @classmethod
    def _quantity_or_name(cls, given: object) -> object:
        return quantities_or_names(given)

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        plain = self.written_out()
        on_target, own = set(defined_names(plain.equations)), set(plain.synapse_names())
        check_free_names(self.parameters, "parameter")
        given = set(self.parameters)
        twice = on_target & own | (on_target | own) & given | {"w"} & (on_target | own | given)
        if twice:
            raise DescriptionError(f"'{sorted(twice)[0]}' is defined twice; 'w' is the weight of the projection.")
        for where in ("on_pre", "on_post"):
            for name in sorted(assigned_names(getattr(plain, where))):
                if name in given:
                    raise DescriptionError(
                        f"{where} changes the parameter '{name}'; declare it in synapse_equations if each has its own."
                    )
        if plain.current is not None and plain.current.isidentifier() and plain.current not in on_target:
            raise DescriptionError("current: " + unknown("variable of the synapse", plain.current, sorted(on_target)))
        declared = definitions(plain.equations)
        for name, line in definitions(plain.synapse_equations).items():
            on = name.removesuffix("_post")
            if "summed" in line.flags and (on not in declared or declared[on].kind != "parameter"):
                raise DescriptionError(f"'{name}' is a sum over synapses; declare '{on} : {line.unit}' in equations.")
        holds = [n for n, kind in self._kinds().items() if kind != "subexpression"]
        for name, value in self.initial.items():
            if name not in holds:
                raise DescriptionError("initial: " + unknown("variable of the synapse", name, holds))
            if isinstance(value, str) and value not in self.parameters:
                raise DescriptionError(f"initial of '{name}': " + unknown("parameter", value, self.parameters))
        if not (plain.on_pre or plain.on_post or "summed" in plain.synapse_equations):
            raise DescriptionError("a synapse without on_pre does nothing; write for example on_pre: 'v_post += w'.")
        check_synapse_units(plain)
        return self

    def _kinds(self) -> dict[str, str]:
        plain = self.written_out()
        kinds = defined_names(plain.equations) | defined_names(plain.synapse_equations)
        return {name: kind for name, kind in kinds.items() if not name.endswith("_post")}

    def synapse_names(self) -> list[str]:
        """Return what `synapse_equations` define for each synapse, sums over synapses left out."""
        return [name for name in defined_names(self.written_out().synapse_equations) if not name.endswith("_post")]

    def initial_state(self, name: str) -> Any:
        """Return the initial value of a variable: a quantity or distribution, or None for zero."""
        given = self.initial.get(name)
        return self.parameters[given] if isinstance(given, str) else given

    def written_out(self) -> Self:
        """Return the same model with its user functions written out in every text."""
        if not self.functions:
            return self
        texts = ("equations", "synapse_equations", "on_pre", "on_post", "current")
        written = {n: with_functions(t, self.functions) for n in texts if (t := getattr(self, n)) is not None}
        return BaseModel.model_copy(self, update={"functions": FrozenDict(), **written})

    def with_ends(self, target: NeuronModel) -> Self:
        """Return the same model, written out, with ``_post`` on every variable of the target that is named without.

        As in Brian2, ``ge += w`` means ``ge_post += w`` where the synapse itself has no ``ge``.
        """
        plain = self.written_out()
        own = {*plain.synapse_names(), *plain.parameters, "w"}
        there = [*defined_names(plain.equations), *defined_names(target.written_out().equations), *target.inputs]
        ends = {name: f"{name}_post" for name in there if name not in own}
        texts = {
            "on_pre": renamed_expression(plain.on_pre, ends),
            "on_post": renamed_expression(plain.on_post, ends),
            "synapse_equations": renamed_equations(plain.synapse_equations, ends) if plain.synapse_equations else "",
        }
        return BaseModel.model_copy(plain, update=texts)

    def check_ends(self, source: NeuronModel | SpikeSource, target: NeuronModel) -> None:
        """Refuse a source or target whose variables are not those that the synapse names.

        Raises
        ------
        DescriptionError
            With the name that neither the synapse nor its end has.
        """
        plain = self.with_ends(target)
        on_target = list(defined_names(plain.equations))
        there = [*on_target, *self.parameters, *target.names()]
        for name in sorted(names_in_equations(plain.equations) | names_in_expression(plain.current or "True")):
            if name not in there and not is_known(name):
                raise DescriptionError(unknown("variable or parameter of synapse or target", name, there))
        variables_of = [*defined_names(target.written_out().equations), *target.inputs]
        ends = [f"{name}_post" for name in [*on_target, *variables_of]]
        if isinstance(source, NeuronModel):
            ends += [f"{name}_pre" for name in defined_names(source.written_out().equations)]
        known = [*ends, *self.parameters, *self.synapse_names(), "w"]
        read = {
            "on_pre": names_in_statements(plain.on_pre),
            "on_post": names_in_statements(plain.on_post),
            "synapse_equations": names_in_equations(plain.synapse_equations),
        }
        for where, names in read.items():
            for name in sorted(names):
                if name not in known and not is_known(name):
                    raise DescriptionError(f"{where}: " + unknown("name", name, known))

    def check_delay(self, source: NeuronModel | SpikeSource, delay: Any) -> None:
        """Refuse a delay where the synapse asks its source what a spike *now* would be, as `with_bursts` tells it.

        Raises
        ------
        DescriptionError
        """
        asked = sorted(names_in_statements(self.written_out().on_pre) & {"event_pre", "burst_pre"})
        told = isinstance(source, NeuronModel) and "t_last_spike" in source.states()
        if asked and told and not (isinstance(delay, Quantity) and delay.value == 0):
            raise DescriptionError(
                f"'{asked[0]}' is what the source is when its spike arrives, no longer what it was when it fired; "
                "use no delay, or give the synapse an interval: of_events(synapse, interval='16 ms')."
            )
