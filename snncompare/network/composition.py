"""One population together with what its projections bring: the text of the equations that are simulated.

A synapse's names get the projection's name as a suffix (``x`` of projection ``feed`` becomes ``x_feed``), so that any
synapse model can be put on any neuron model.
"""

from dataclasses import dataclass, field
from typing import Any

from snncompare.network.equations import (
    SYNAPSE_FLAGS,
    assigned_names,
    defined_names,
    renamed_equations,
    renamed_expression,
)
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.network.solvable import check_complete
from snncompare.units import Quantity, base_unit

__all__ = ["Composed", "ComposedSynapse", "compose", "compose_synapse", "weight_name"]


@dataclass(frozen=True)
class Composed:
    """The equations of a population with its synapses, and the parameters they use.

    Attributes
    ----------
    equations : str
    parameters : dict
        Name to quantity, shared by all neurons; parameters with one value per neuron stand in the equations.
    model : NeuronModel
        With user functions written out.
    initial : dict
        State to quantity or distribution; zero where not given.
    """

    equations: str
    parameters: dict[str, Quantity]
    model: NeuronModel
    initial: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ComposedSynapse:
    """What Brian2's ``Synapses`` of a projection are made of, in the names of the composed target."""

    equations: str
    on_pre: str
    on_post: str
    parameters: dict[str, Quantity]
    initial: dict[str, Any]


def compose(network: Network, population: str) -> Composed:
    """Return the complete equations of a population: its own, its synapses', and one sum per input."""
    described = network.populations[population]
    model = described.model.written_out()
    each = described.per_neuron()
    lines = [model.equations]
    lines += [f"{name} : {base_unit(model.parameters[name].dimension)} (constant)" for name in each]
    parameters = {name: described.parameter(name) for name in model.parameters if name not in each}
    initial: dict[str, Any] = {name: described.initial_state(name) for name in model.states()}
    initial |= {name: described.parameter(name) for name in each}
    currents: dict[str, list[str]] = {name: [] for name in model.inputs}
    for name, projection in network.incoming(population).items():
        synapse = projection.synapse.written_out()
        own = {key: f"{key}_{name}" for key in (*defined_names(synapse.equations), *synapse.parameters)}
        if synapse.equations:
            lines.append(renamed_equations(synapse.equations, own))
        single = projection.per_target()
        lines += [f"{own[key]} : {base_unit(synapse.parameters[key].dimension)} (constant)" for key in single]
        initial |= {own[key]: synapse.parameters[key] for key in single}
        parameters |= {own[key]: value for key, value in synapse.parameters.items() if key not in single}
        initial |= {own[key]: synapse.initial_state(key) for key in synapse.initial if key in own}
        if projection.into is not None and synapse.current is not None:
            currents[projection.into].append(f"({renamed_expression(synapse.current, own)})")
    for name, unit in model.inputs.items():
        nothing = "0" if unit.strip() == "1" else f"0*{unit.strip()}"
        lines.append(f"{name} = {' + '.join(currents[name]) or nothing} : {unit}")
    complete = "\n".join(lines)
    check_complete(f"population '{population}'", complete, model.method)
    return Composed(complete, parameters, model, {k: v for k, v in initial.items() if v is not None})


def compose_synapse(network: Network, projection: str) -> ComposedSynapse:
    """Return the equations and statements of the synapses of a projection, every name with its suffix."""
    described = network.projections[projection]
    synapse = described.synapse.with_ends(network.populations[described.target].model)
    own = {key: f"{key}_{projection}" for key in (*synapse.synapse_names(), *synapse.parameters)}
    own |= {f"{key}_post": f"{key}_{projection}_post" for key in defined_names(synapse.equations)}
    own["w"] = weight_name(projection)
    changed = assigned_names(synapse.on_pre) | assigned_names(synapse.on_post)
    weight = f"{own['w']} : {synapse.weight_unit}" + ("" if "w" in changed else " (constant)")
    equations = renamed_equations(synapse.synapse_equations, own) if synapse.synapse_equations else ""
    complete = f"{weight}\n{equations}".strip()
    check_complete(f"projection '{projection}'", complete, synapse.method, SYNAPSE_FLAGS)
    return ComposedSynapse(
        equations=complete,
        on_pre=renamed_expression(synapse.on_pre, own),
        on_post=renamed_expression(synapse.on_post, own),
        parameters={own[key]: v for key, v in synapse.parameters.items() if key not in described.per_target()},
        initial={own[key]: synapse.initial_state(key) for key in synapse.initial if key in synapse.synapse_names()},
    )


def weight_name(projection: str) -> str:
    """Return what the weight of a projection is called; a neuron may have a variable ``w`` of its own."""
    return f"w_{projection}"
