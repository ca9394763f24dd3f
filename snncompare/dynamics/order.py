"""Whether what synapses do depends on the order in which they are visited."""

from snncompare.dynamics.expressions import names_in
from snncompare.dynamics.program import Assignment, Block, SynapseProgram

__all__ = ["order_dependent"]


def order_dependent(program: SynapseProgram, block: Block) -> str | None:
    """Return a variable of a neuron whose value depends on the order of the synapses, as Brian2's numpy target sees it.

    That is one that is written after it was read, or set to something that differs between the synapses of a neuron.
    """
    own = {*program.states, *program.fixed, program.weight, "lastupdate", "i", "j"}
    plain = {*block.constants, *(a.target for a in block.once), "t", "dt", "t_in_timesteps"}
    read: set[str] = set()
    follows: dict[str, set[str]] = {}
    for assignment in block.assignments:
        names = {n for name in _names(assignment) for n in follows.get(name, {name})} - plain
        if assignment.operator == ":=":
            follows[assignment.target] = names
            continue
        of_neurons = {_full(name) for name in names - own}
        read |= of_neurons
        target = _full(assignment.target)
        if assignment.target in own:
            continue
        same_neuron = not names & own and all(name[-4:] == target[-4:] for name in of_neurons)
        if target in read or (assignment.operator == "=" and not same_neuron):
            return assignment.target
    return None


def _names(assignment: Assignment) -> set[str]:
    texts = (assignment.expression, assignment.condition, assignment.otherwise)
    return {name for text in texts if text is not None for name in names_in(text)}


def _full(name: str) -> str:
    """Return the name of a variable of a neuron with its end: without one it is the target's."""
    return name if name.endswith(("_pre", "_post")) else f"{name}_post"
