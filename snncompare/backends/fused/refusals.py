"""What this backend cannot do, in words."""

from collections.abc import Iterator

from snncompare.backends.fused.kernel_text import assignment_names
from snncompare.backends.fused.population_kernels import reset_kernel, update_kernel
from snncompare.backends.fused.synapse_kernels import Ends, clocked_kernel, pathway_kernel, sum_kernel
from snncompare.dynamics.order import order_dependent
from snncompare.dynamics.program import Block, NetworkProgram
from snncompare.dynamics.step_program import network_program
from snncompare.errors import UnsupportedError
from snncompare.network.network import Network

__all__ = ["missing_in_kernels"]


def missing_in_kernels(network: Network, dt: float) -> tuple[str, ...]:
    """Return, in words, what of a network this backend cannot do; empty if it can do all of it."""
    try:
        program = network_program(network, dt)
    except UnsupportedError as error:
        return (str(error).rstrip("."),)
    return (*_of_populations(network, program), *_of_projections(program))


def _of_populations(network: Network, program: NetworkProgram) -> Iterator[str]:
    for name, population in program.populations.items():
        size = network.populations[name].size
        try:
            reset_kernel(population, update_kernel(population, size)[1], size)
        except UnsupportedError as error:
            yield f"population '{name}': {str(error).rstrip('.')}"


def _of_projections(program: NetworkProgram) -> Iterator[str]:
    for name, projection in program.projections.items():
        post, pre = program.populations[projection.target], program.populations.get(projection.source)
        ends = Ends(pre, post, projection.source == projection.target)
        try:
            for described in projection.sums:
                sum_kernel(projection, described, ends)
            if projection.update is not None:
                clocked_kernel(projection, projection.update, ends)
                yield from _of_pauses(name, projection.update)
            for end, block in (("pre", projection.on_pre), ("post", projection.on_post)):
                if block is None:
                    continue
                pathway_kernel(projection, block, end, ends)
                variable = order_dependent(projection, block) or _of_both_ends(ends, block)
                if variable is not None:
                    yield (
                        f"projection '{name}': what becomes of '{variable}' depends on the order in which synapses are "
                        "visited; let statements add to variables of neurons (x_post += ...) that no earlier statement "
                        "reads"
                    )
        except UnsupportedError as error:
            yield f"projection '{name}': {str(error).rstrip('.')}"


def _of_both_ends(ends: Ends, block: Block) -> str | None:
    """Return a variable that is read at one end and written at the other, of one population."""
    if not ends.recurrent:
        return None
    read = {name for assignment in block.assignments for name in assignment_names(assignment)}
    seen = {found for found in map(ends.variable, read) if found is not None}
    for assignment in block.assignments:
        found = None if assignment.operator == ":=" else ends.variable(assignment.target)
        if found is not None and ("pre" if found[0] == "post" else "post", found[1]) in seen:
            return assignment.target
    return None


def _of_pauses(projection: str, update: Block) -> Iterator[str]:
    """Say what of a neuron cannot be read in the state update of synapses: it is decided before, in the same pass."""
    read = {name for assignment in update.assignments for name in assignment_names(assignment)}
    late = {f"{name}{end}" for name in ("lastspike", "not_refractory") for end in ("", "_pre", "_post")}
    for name in sorted(read & late):
        yield f"projection '{projection}': '{name}' cannot be read in equations of synapses that change all the time"
