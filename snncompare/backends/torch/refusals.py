"""What this backend cannot do, in words."""

from typing import Any

from snncompare.dynamics.linear import linear_effects
from snncompare.dynamics.order import order_dependent
from snncompare.dynamics.program import PopulationProgram, SynapseProgram
from snncompare.dynamics.step_program import network_program
from snncompare.errors import UnsupportedError
from snncompare.network.amount import is_drawn
from snncompare.network.network import Network, Projection

__all__ = ["kind_of_synapses", "missing_in_torch", "refused_of_synapses"]


def missing_in_torch(network: Network, dt: float) -> tuple[str, ...]:
    """Return, in words, what of a network this backend cannot do; empty if it can do all of it."""
    try:
        program = network_program(network, dt)
    except UnsupportedError as error:
        return (str(error).rstrip("."),)
    refused: list[str] = []
    for name, described in program.projections.items():
        projection = network.projections[name]
        kind = kind_of_synapses(described, projection, program.populations[described.target])
        if linear_effects(described, **kind) is None:
            refused += refused_of_synapses(name, described, projection)
    return tuple(refused)


def kind_of_synapses(program: SynapseProgram, projection: Projection, target: PopulationProgram) -> dict[str, Any]:
    """Return what `linear_effects` has to know beside the program, as its keyword arguments."""
    suffix = program.weight.removeprefix("w")
    synapse = projection.synapse
    drawn = [f"{key}{suffix}" for key in synapse.initial if is_drawn(synapse.initial_state(key))]
    one_delay = not is_drawn(projection.delay) and "delay" not in projection.trainable
    return {"one_delay": one_delay, "drawn": drawn, "target_fixed": target.fixed}


def refused_of_synapses(name: str, program: SynapseProgram, projection: Projection) -> list[str]:
    """Return what cannot be done of synapses with state of their own."""
    refused = []
    if "delay" in projection.trainable:
        refused.append(f"projection '{name}': delays of synapses that have state of their own cannot be trained")
    for block in (program.on_pre, program.on_post):
        variable = None if block is None else order_dependent(program, block)
        if variable is not None:
            refused.append(
                f"projection '{name}': what becomes of '{variable}' depends on the order in which synapses are "
                "visited; let statements add to variables of neurons (x_post += ...) that no earlier statement reads"
            )
    return refused
