"""One population together with what its projections bring: the text of the equations that are simulated.

A synapse's names get the projection's name as a suffix (``x`` of projection ``feed`` becomes ``x_feed``), so that any
synapse model can be put on any neuron model.
"""

from dataclasses import dataclass

from snncompare.network.equations import defined_names, renamed_equations, renamed_expression
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.units import Quantity

__all__ = ["Composed", "compose", "on_pre_statements", "weight_name"]


@dataclass(frozen=True)
class Composed:
    """The equations of a population with its synapses, and the parameters they use."""

    equations: str
    parameters: dict[str, Quantity]
    model: NeuronModel


def compose(network: Network, population: str) -> Composed:
    """Return the complete equations of a population: its own, its synapses', and one sum per input."""
    model = network.populations[population].neuron
    if not isinstance(model, NeuronModel):
        raise TypeError(f"'{population}' is a spike source and has no equations")  # our own mistake, never a user's
    lines, parameters = [model.equations], dict(model.parameters)
    currents: dict[str, list[str]] = {name: [] for name in model.inputs}
    for name, projection in network.incoming(population).items():
        synapse = projection.synapse
        own = {key: f"{key}_{name}" for key in (*defined_names(synapse.equations), *synapse.parameters)}
        if synapse.equations:
            lines.append(renamed_equations(synapse.equations, own))
        parameters |= {own[key]: value for key, value in synapse.parameters.items()}
        if projection.into is not None and synapse.current is not None:
            currents[projection.into].append(f"({renamed_expression(synapse.current, own)})")
    for name, unit in model.inputs.items():
        nothing = "0" if unit.strip() == "1" else f"0*{unit.strip()}"
        lines.append(f"{name} = {' + '.join(currents[name]) or nothing} : {unit}")
    return Composed("\n".join(lines), parameters, model)


def on_pre_statements(network: Network, projection: str) -> str:
    """Return what a presynaptic spike of a projection does, in the names of the composed target."""
    synapse = network.projections[projection].synapse
    own = {f"{key}_post": f"{key}_{projection}_post" for key in defined_names(synapse.equations)}
    own |= {key: f"{key}_{projection}" for key in synapse.parameters} | {"w": weight_name(projection)}
    return renamed_expression(synapse.on_pre, own)


def weight_name(projection: str) -> str:
    """Return what the weight of a projection is called; a neuron may have a variable ``w`` of its own."""
    return f"w_{projection}"
