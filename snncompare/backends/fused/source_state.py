"""Synapses of which the state follows from the spikes of the source neuron alone: it is kept once for each of them."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.fused.population_kernels import sized
from snncompare.dynamics.linear import SourceProgram, linear_effects, source_states
from snncompare.dynamics.program import Assignment, Block, PopulationProgram, SynapseProgram

__all__ = ["simplified", "sized_synapses"]


def simplified(
    program: SynapseProgram, steps: NDArray[np.int64], drawn: Collection[str], target: PopulationProgram
) -> tuple[SynapseProgram, SourceProgram | None]:
    """Return the synapses without the state that a source neuron can keep for them, and that state.

    Parameters
    ----------
    program : SynapseProgram
    steps : int64 array
        Delays, of shape () where all synapses have the same.
    drawn : collection of str
        Variables that do not begin with the same value in all synapses.
    target : PopulationProgram
        Of the target neurons.
    """
    kind: dict[str, Any] = {"one_delay": steps.ndim == 0, "drawn": drawn, "target_fixed": target.fixed}
    source, effects = source_states(program, **kind), linear_effects(program, **kind)
    if source is None or effects is None or program.on_pre is None:
        return program, None
    adding = tuple(Assignment(f"{each.variable}_post", "+=", each.effect) for each in effects)
    block = Block(program.on_pre.constants, program.on_pre.once, adding)
    return replace(program, states=(), event_driven=False, on_pre=block), source


def sized_synapses(program: SynapseProgram, **sizes: int) -> SynapseProgram:
    """Return a program that knows the numbers of neurons and synapses, ``N_pre``, ``N_post`` and ``N``."""

    def known(block: Block | None) -> Block | None:
        return None if block is None else sized(block, **sizes)

    sums = tuple(replace(each, block=sized(each.block, **sizes)) for each in program.sums)
    return replace(
        program, update=known(program.update), on_pre=known(program.on_pre), on_post=known(program.on_post), sums=sums
    )
