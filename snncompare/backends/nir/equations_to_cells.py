"""Whether NIR can say what a population and its synapses do, decided by the structure of their equations."""

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from snncompare.backends.nir.affine import Affine, Names
from snncompare.backends.nir.cells import Cell, Jump, Numbers, Stage, one_where_close, ordered
from snncompare.backends.realisation import Realisation
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.amount import is_drawn
from snncompare.network.composition import Composed, compose, compose_synapse, weight_name
from snncompare.network.equations import Definition, assigned_names, assignments, definitions
from snncompare.network.expressions import parsed
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.units import Quantity

__all__ = ["cell_of", "jumps_of"]


def cell_of(network: Network, realisation: Realisation, population: str, dt: float) -> Cell:
    """Return a population as NIR can say it; equations that name the time step get `dt`, in seconds.

    Raises
    ------
    UnsupportedError
        If NIR cannot; the message names the population and the reason.
    InputError
        If the realisation lacks values of single neurons.
    """
    composed, size = compose(network, population), network.populations[population].size
    values = realisation.values.get(population, {})
    with _place(f"population '{population}'"):
        lines = definitions(composed.equations)
        names = _names(composed, values, dt)
        _check_lines(lines, names)
        stages = {
            name: _stage(name, names.form(line.expression or "0"), _initial(composed, values, name), size)
            for name, line in lines.items()
            if line.kind == "differential"
        }
        if composed.model.threshold is None:
            membrane, threshold, reset = _last(stages), None, None
        else:
            membrane, threshold = _threshold(composed.model.threshold, names, size)
            reset = _reset(composed.model.reset, membrane, names, size)
        _check_refractory(composed.model, lines, membrane)
        _check_tree(stages, membrane)
        stages, stands_for = _merged(stages, membrane)
        return Cell(
            population, (size,), ordered(stages), threshold, reset, str(composed.model.method), stands_for=stands_for
        )


def jumps_of(network: Network, realisation: Realisation, projection: str, cell: Cell, dt: float) -> tuple[Jump, ...]:
    """Return what a spike that arrives through a projection does to its target.

    Raises
    ------
    UnsupportedError
        If NIR cannot say it; the message names the projection and the reason.
    """
    described = network.projections[projection]
    synapse, made = described.synapse.written_out(), compose_synapse(network, projection)
    composed = compose(network, described.target)
    with _place(f"projection '{projection}'"):
        if synapse.synapse_equations or synapse.on_post or "w" in assigned_names(synapse.on_pre):
            raise UnsupportedError("its synapses have state of their own (plasticity, short-term plasticity, a gate)")
        on_target = _names(composed, realisation.values.get(described.target, {}), dt)
        known = {**on_target, **{f"{name}_post": form for name, form in on_target.items()}}
        weight, stages = weight_name(projection), {stage.name for stage in cell.stages}
        parameters = {name: Affine(amount.value) for name, amount in made.parameters.items()}
        names = Names({**known, **parameters, weight: Affine.unknown(weight)}, {})
        factors: dict[str, Numbers] = {}
        for target, operator, expression in assignments(made.on_pre):
            state, form = target.removesuffix("_post"), names.form(expression)
            stage = cell.stands_for.get(state, state)
            if operator not in ("+", "-") or stage not in stages:
                raise UnsupportedError(
                    f"a spike does more than add to state variables: '{target} {operator}= {expression}'"
                )
            if set(form.slopes) != {weight} or form.constant.any():
                raise UnsupportedError(f"a spike adds '{expression}' and not a multiple of its weight")
            factor = np.broadcast_to(form.slopes[weight], (cell.size,)) * (1 if operator == "+" else -1)
            factors[stage] = factors.get(stage, 0.0) + factor
    return tuple(Jump(stage, factor) for stage, factor in factors.items())


@contextmanager
def _place(where: str) -> Iterator[None]:
    try:
        yield
    except UnsupportedError as error:
        raise UnsupportedError(f"{where} cannot be written as NIR: {str(error).rstrip('.')}.") from error
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _names(composed: Composed, values: Mapping[str, Numbers], dt: float) -> Names:
    """Return what the equations of a population may name: its state variables are the unknowns."""
    known = {name: Affine(quantity.value) for name, quantity in composed.parameters.items()} | {"dt": Affine(dt)}
    expressions = {}
    for name, line in definitions(composed.equations).items():
        match line.kind:
            case "differential":
                known[name] = Affine.unknown(name)
            case "parameter":
                known[name] = Affine(_initial(composed, values, name))
            case _:
                expressions[name] = line.expression or "0"
    return Names(known, expressions)


def _initial(composed: Composed, values: Mapping[str, Numbers], name: str) -> Numbers:
    amount = composed.initial.get(name, Quantity(0.0))
    if name in values:
        return np.asarray(values[name], dtype=np.float64)
    if is_drawn(amount) or not isinstance(amount, Quantity):
        raise InputError(f"the realisation has no values of '{name}'; use realise(network, seed).")
    return np.asarray(amount.value)


def _check_lines(lines: Mapping[str, Definition], names: Names) -> None:
    for name, line in lines.items():
        if "constant over dt" in line.flags and names[name].slopes:
            raise UnsupportedError(f"'{name}' holds a value from one time step to the next")


def _stage(name: str, form: Affine, initial: Numbers, size: int) -> Stage:
    own = np.broadcast_to(form.slopes.get(name, np.zeros(1)), (size,))
    others = {other: slope for other, slope in form.slopes.items() if other != name}
    initial, constant = np.broadcast_to(initial, (size,)), np.broadcast_to(form.constant, (size,))
    nothing = np.zeros(size)
    if not own.any():
        inputs = {other: np.broadcast_to(slope, (size,)) for other, slope in others.items()}
        return Stage(name, None, nothing, constant, inputs, initial)
    if not (own < 0).all():
        raise UnsupportedError(f"'{name}' does not decay in {int((own >= 0).sum())} of {size} neurons")
    tau = -1 / own
    inputs = {other: one_where_close(slope * tau) for other, slope in others.items()}
    return Stage(name, tau, constant * tau + 0.0, nothing, inputs, initial)


def _last(stages: Mapping[str, Stage]) -> str:
    """Return the one variable of a readout that no other takes input from."""
    read = {name for stage in stages.values() for name in stage.inputs}
    found = [name for name in stages if name not in read]
    if len(found) != 1:
        listed = " and ".join(f"'{name}'" for name in found) or "none"
        raise UnsupportedError(f"a readout has one variable that drives no other, and here they are: {listed}")
    return found[0]


def _threshold(text: str, names: Names, size: int) -> tuple[str, Numbers]:
    """Return the variable that fires, and the value above which it does."""
    match parsed(text):
        case ast.Compare(left=left, ops=[ast.Gt()], comparators=[right]):
            above, below = left, right
        case ast.Compare(left=left, ops=[ast.Lt()], comparators=[right]):
            above, below = right, left
        case ast.Compare(ops=[ast.GtE() | ast.LtE()]):
            raise UnsupportedError(f"it fires at the threshold itself ('{text}'), NIR only above it; write '>' or '<'")
        case _:
            raise UnsupportedError(f"its threshold '{text}' is not one comparison with a constant")
    form = names.form(ast.unparse(above)) - names.form(ast.unparse(below))
    if len(form.slopes) != 1:
        raise UnsupportedError(f"its threshold '{text}' is not that of one variable with a constant")
    ((variable, slope),) = form.slopes.items()
    if not (slope > 0).all():
        raise UnsupportedError(f"it fires where '{variable}' falls below a threshold, NIR only above one")
    return variable, np.broadcast_to(-form.constant / slope, (size,)) + 0.0


def _reset(text: str, membrane: str, names: Names, size: int) -> Numbers:
    match assignments(text):
        case [(name, "", expression)] if name == membrane:
            form = names.form(expression)
            if not form.slopes:
                return np.broadcast_to(form.constant, (size,))
            reason = "sets it to what depends on the state"
        case []:
            reason = "is missing"
        case [(name, _, _)] if name == membrane:
            reason = "moves it by an amount"
        case _:
            reason = "changes other variables"
    raise UnsupportedError(
        f"its reset {reason} ('{text.strip()}'); a spike in NIR sets '{membrane}' to a constant, no more"
    )


def _check_refractory(model: NeuronModel, lines: Mapping[str, Definition], membrane: str) -> None:
    """Refuse a refractory period, unless it has no length and holds nothing but the membrane, which is reset anyway."""
    if model.refractory is None:
        return
    if isinstance(model.refractory, str) or model.refractory.value > 0:
        raise UnsupportedError(f"it is refractory after a spike ({model.refractory}), and neurons of NIR never are")
    held = [name for name, line in lines.items() if "unless refractory" in line.flags and name != membrane]
    if held:
        raise UnsupportedError(f"'{held[0]}' loses the input of the step in which the neuron fires (unless refractory)")


def _check_tree(stages: Mapping[str, Stage], membrane: str) -> None:
    for name, stage in stages.items():
        if membrane in stage.inputs:
            raise UnsupportedError(f"'{membrane}' drives '{name}' (adaptation or the like), and NIR sends spikes only")
    reached, left = set[str](), [membrane]
    while left:
        name = left.pop()
        reached.add(name)
        left += [other for other in stages[name].inputs if other not in reached]
    unused = [name for name in stages if name not in reached]
    if unused:
        raise UnsupportedError(f"'{unused[0]}' does not act on '{membrane}', and no node of NIR has such a variable")


def _merged(stages: Mapping[str, Stage], membrane: str) -> tuple[dict[str, Stage], dict[str, str]]:
    """Return stages in which those that decay alike and act alike are one: the sum of linear filters is a filter."""
    first: dict[tuple[object, ...], str] = {}
    stands_for: dict[str, str] = {}
    found = dict(stages)
    for name, stage in stages.items():
        if name == membrane or stage.tau is None or stage.inputs or stage.rest.any():
            continue
        acts = [(other, s.inputs[name].tobytes()) for other, s in stages.items() if name in s.inputs]
        kept = first.setdefault((stage.tau.tobytes(), *acts), name)
        if kept != name:
            stands_for[name] = kept
            found[kept] = replace(found[kept], initial=found[kept].initial + stage.initial)
            del found[name]
    for name, stage in found.items():
        inputs = {other: numbers for other, numbers in stage.inputs.items() if other not in stands_for}
        found[name] = replace(stage, inputs=inputs)
    return found, stands_for
