"""The units of a neuron model, of a population and of a synapse with its two ends: what each must satisfy."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from snncompare.errors import UnitError
from snncompare.network.amount import is_drawn
from snncompare.network.dimensions import ANY, Exponents, Known, expression_dimension, is_in
from snncompare.network.equations import definitions
from snncompare.network.expressions import check_condition, parsed
from snncompare.network.unit_checks import (
    Claim,
    check_claims,
    check_value,
    claims_of_lines,
    claims_of_statements,
    dimension_of_line,
)
from snncompare.units import NONE, TIME, Quantity, parse_unit

if TYPE_CHECKING:
    from snncompare.network.network import Population, Projection
    from snncompare.network.neuron import NeuronModel, SpikeSource
    from snncompare.network.synapse import SynapseModel

__all__ = ["check_neuron_units", "check_population_units", "check_projection_units", "check_synapse_units"]

_CONSTANTS = {"pi": math.pi, "e": math.e}
_EVERYWHERE: dict[str, Exponents] = {
    "t": TIME,
    "dt": TIME,
    **dict.fromkeys(("pi", "e", "inf", "t_in_timesteps", "i", "N"), NONE),
}
_REFRACTORY: dict[str, Exponents] = {"lastspike": TIME, "not_refractory": NONE}
_SYNAPSE: dict[str, Exponents] = dict.fromkeys(("j", "N_pre", "N_post"), NONE)


def _variables(text: str) -> dict[str, Exponents]:
    return {name: dimension_of_line(line) for name, line in definitions(text).items()}


def _of_parameters(parameters: Mapping[str, Quantity]) -> dict[str, Exponents]:
    return {name: value.dimension for name, value in parameters.items()}


def _numbers(parameters: Mapping[str, Quantity], varying: Iterable[str] = ()) -> dict[str, float]:
    fixed = {name: p.value for name, p in parameters.items() if p.dimension == NONE and name not in varying}
    return _CONSTANTS | fixed


def _known_to_neuron(model: "NeuronModel", parameters: Mapping[str, Quantity], varying: Iterable[str]) -> Known:
    inputs = {name: parse_unit(unit)[1] for name, unit in model.inputs.items()}
    special = _EVERYWHERE | (_REFRACTORY if model.refractory is not None else {})
    dimensions = special | _of_parameters(parameters) | inputs | _variables(model.equations)
    return Known(dimensions, _numbers(parameters, varying))


def check_neuron_units(
    model: "NeuronModel", values: Mapping[str, Quantity] | None = None, varying: Iterable[str] = ()
) -> None:
    """Refuse a neuron model, its user functions written out, in which units do not fit together.

    Parameters
    ----------
    model : NeuronModel
    values : mapping, optional
        Parameters that have another value in a population.
    varying : iterable of str
        Parameters that differ between neurons or are trained; no exponent can be made of them.

    Raises
    ------
    UnitError
    """
    parameters = {**model.parameters, **(values or {})}
    known = _known_to_neuron(model, parameters, varying)
    claims = list(claims_of_lines("equations", definitions(model.equations), known))
    if model.threshold is not None:
        claims.append(Claim("threshold", "it", parsed(model.threshold), known))
    check_claims([*claims, *claims_of_statements("reset", model.reset, known)], parameters)
    if isinstance(model.refractory, str):
        _check_refractory(model, known, parameters)
    _check_initial(model.initial, _variables(model.equations), parameters)


def _check_refractory(model: "NeuronModel", known: Known, parameters: Mapping[str, Quantity]) -> None:
    text = str(model.refractory)
    claim = Claim("refractory", "it", parsed(text), known)
    check_claims([claim], parameters)
    dimension = expression_dimension(claim.tree, known)
    if dimension == NONE:
        booleans = [name for name, line in definitions(model.equations).items() if line.unit == "boolean"]
        check_condition("refractory", text, booleans)
    elif dimension != TIME:
        raise UnitError(f"refractory must be a time, or true or false, but '{text}' {is_in(dimension)}.")


def _check_initial(
    given: Mapping[str, Any], variables: Mapping[str, Exponents], parameters: Mapping[str, Quantity]
) -> None:
    for name, amount in given.items():
        value: Any = parameters[amount] if isinstance(amount, str) else amount
        check_value("initial", name, value.unit_of if is_drawn(value) else value, variables[name])


def check_population_units(population: "Population") -> None:
    """Refuse initial states and bounds of training in another unit, and exponents that the population lets vary.

    Raises
    ------
    UnitError
    """
    model = population.neuron.written_out()  # type: ignore[union-attr] # called for populations with a neuron model
    variables = _variables(model.equations)
    _check_initial(population.initial, variables, {})
    for name in population.trainable.keys() & variables.keys():
        mark = population.trainable[name]
        for side, bound in (("low", mark.low), ("high", mark.high)):
            if bound is not None:
                check_value(f"trainable '{name}'", side, bound, variables[name])
    drawn = [name for name, amount in population.parameters.items() if is_drawn(amount)]
    if population.parameters or population.trainable:
        values = {name: value for name, value in population.parameters.items() if name not in drawn}
        check_neuron_units(model, values, {*drawn, *population.trainable})  # type: ignore[arg-type] # what is drawn is left out


def check_synapse_units(synapse: "SynapseModel") -> None:
    """Refuse a synapse model in which units do not fit together, whatever its ends are.

    Raises
    ------
    UnitError
    """
    on_target = _variables(synapse.equations)
    for name, line in definitions(synapse.synapse_equations).items():
        if "summed" in line.flags and dimension_of_line(line) != on_target.get(name.removesuffix("_post")):
            raise UnitError(
                f"synapse_equations: '{name}' {is_in(dimension_of_line(line))}, but in equations "
                f"'{name.removesuffix('_post')}' {is_in(on_target.get(name.removesuffix('_post')))}."
            )
    held = on_target | _variables(synapse.synapse_equations)
    _check_initial(synapse.initial, held, synapse.parameters)
    target = Known(_EVERYWHERE | _REFRACTORY, _numbers(synapse.parameters), open_ended=True)
    _check(synapse, target, {}, ANY)


def check_projection_units(
    projection: "Projection", source: "NeuronModel | SpikeSource", target: "NeuronModel"
) -> None:
    """Refuse a projection in which the units of synapse, source and target do not fit together.

    Raises
    ------
    UnitError
    """
    plain = target.written_out()
    known = _known_to_neuron(plain, plain.parameters, plain.parameters)
    ends = {f"{name}_post": known.dimensions[name] for name in (*_variables(plain.equations), *plain.inputs)}
    if source.type == "NeuronModel":
        ends |= {f"{name}_pre": power for name, power in _variables(source.written_out().equations).items()}
    into = ANY if projection.into is None else known.dimensions[projection.into]
    fixed = _numbers(projection.synapse.parameters, projection.trainable)
    _check(projection.synapse.with_ends(plain), Known(known.dimensions, fixed), ends, into)


def _check(
    synapse: "SynapseModel", target: Known, ends: Mapping[str, Exponents | None], into: Exponents | None
) -> None:
    own, on_target = _of_parameters(synapse.parameters), _variables(synapse.equations)
    lines = definitions(synapse.synapse_equations)
    event_driven = any("event-driven" in line.flags for line in lines.values())
    there = Known({**target.dimensions, **own, **on_target}, target.numbers, target.open_ended)
    ends = {**ends, **{f"{name}_post": dimension for name, dimension in on_target.items()}}
    special = _EVERYWHERE | _SYNAPSE | ({"lastupdate": TIME} if event_driven else {})
    weight = {"w": parse_unit(synapse.weight_unit)[1]}
    here = {**special, **own, **ends, **weight, **_variables(synapse.synapse_equations)}
    between = Known(here, target.numbers, target.open_ended)
    claims = [
        *claims_of_lines("equations", definitions(synapse.equations), there),
        *claims_of_lines("synapse_equations", lines, between),
        *claims_of_statements("on_pre", synapse.on_pre, between),
        *claims_of_statements("on_post", synapse.on_post, between),
    ]
    if synapse.current is not None:
        claims.append(Claim("current", "the input it flows into", parsed(synapse.current), there, into))
    check_claims(claims, synapse.parameters)
