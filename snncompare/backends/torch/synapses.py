"""Synapses with state of their own, one synapse at a time: what linear projections cannot be.

State has the shape (batch, n_synapses). Where a derivative flows through the spikes, every synapse is computed and the
result is taken where a spike arrived; otherwise only the synapses that a spike reaches are, in Brian2's order.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare.backends.connections import Connections
from snncompare.backends.torch.delays import fixed_plan
from snncompare.backends.torch.ends import PER_SYNAPSE, Ends, Side
from snncompare.backends.torch.functions import Draws
from snncompare.backends.torch.partial import DRAWS, SHAPE, parsed
from snncompare.backends.torch.pathways import LAST, Pathway, fitted
from snncompare.backends.torch.run_options import RunOptions
from snncompare.backends.torch.statements import Statement, settled, statements
from snncompare.backends.torch.sums import Evaluate, Known, Once, State, named
from snncompare.backends.torch.synapse_parameters import SynapseParameters
from snncompare.backends.torch.times import times_in
from snncompare.dynamics.program import Block, SynapseProgram, SynapticSum
from snncompare.network.trainable import Trainable

__all__ = ["SynapseProjection", "SynapseRun"]


class SynapseProjection(SynapseParameters):
    """Synapses of one projection with state of their own.

    Parameters
    ----------
    program : SynapseProgram
    connections, steps, dtype, trainable, sign, dt
        See `SynapseParameters`.
    """

    def __init__(
        self,
        program: SynapseProgram,
        connections: Connections,
        steps: int | NDArray[np.int64],
        *,
        dtype: torch.dtype,
        trainable: Mapping[str, Trainable],
        sign: str | None,
        dt: float,
    ) -> None:
        super().__init__(connections, steps, dtype=dtype, trainable=trainable, sign=sign, dt=dt)
        self.program = program
        suffix = program.weight.removeprefix("w")
        self._given = {f"{name}{suffix}": array for name, array in connections.values.items()}

    @property
    def ends(self) -> tuple[Tensor, Tensor]:
        """Source and target neuron of each synapse."""
        return self._source, self._target

    def initial(self, batch: int, values: Mapping[str, Any], weights: Tensor | None = None) -> State:
        """Return the state before the first step, each of shape (batch, n_synapses).

        Parameters
        ----------
        batch : int
        values : mapping
            What does not begin as the program says.
        weights : Tensor, optional
            Instead of those that are trained, see `given`.
        """
        shape, like = (batch, self.connections.n_synapses), self.weight
        given = {**values, **self.given(weights)}
        state: State = {}
        blocks = (self.program.on_pre, self.program.on_post)
        times = times_in([a for block in blocks if block is not None for a in block.assignments])
        for name in self.program.states:
            value = given.get(name, self.program.initial.get(name, 0.0))
            dtype = torch.float64 if name in times else like.dtype
            state[name] = torch.as_tensor(value, dtype=dtype, device=like.device).expand(shape).clone()
        if self.program.event_driven:
            state[LAST] = like.new_zeros(shape, dtype=torch.float64)
        return state

    def given(self, weights: Tensor | None = None) -> dict[str, Tensor]:
        """Return the weight, and what else differs from synapse to synapse from the beginning, (n_synapses,).

        `weights`, (n_synapses,) or (batch, n_synapses), are instead of those that are trained.
        """
        there = {name: torch.from_numpy(array).to(self.weight) for name, array in self._given.items()}
        return there | {self.program.weight: self.synapse_weights() if weights is None else weights}


class SynapseRun:
    """The synapses of one projection in runs of one kind; in a step, methods are called in the order they stand here.

    They read the states of the populations (name to state), change them and the state of the synapses.

    Parameters
    ----------
    projection : SynapseProjection
    pre, post : Side
    trained : collection of str
        Names of constants that are trained.
    options : RunOptions
    """

    def __init__(
        self, projection: SynapseProjection, pre: Side, post: Side, trained: Collection[str], options: RunOptions
    ) -> None:
        program, batch = projection.program, options.batch
        self._program, self._projection, self._ends = program, projection, Ends(pre, post, options.dtype)
        self._shape = (batch, self._ends.n_synapses)
        self._known = {**self._ends.sizes, **{name: named(name) for name in trained}}
        numbers: dict[str, Known | Once] = {
            name: Known(program.initial.get(name, 0.0)) for name in program.fixed if name not in projection.given()
        }
        lists = {name: named(name) for name in program.fixed if name not in numbers}
        static = self._ends.static()
        self._of_all = options.scope({**static, **numbers, **lists})
        of_events = self._of_all.alone({n: p for n, p in {**static, **numbers}.items() if isinstance(p, Known)})
        trials = torch.arange(batch, device=options.device)[:, None]
        self._place = (trials * post.size + post.index).flatten()
        self._sums = [self._sum(described) for described in program.sums]
        self._update = [] if program.update is None else self._statements(program.update)
        common: dict[str, Any] = {"batch": batch, "ends": self._ends, "known": self._known}
        common |= {"of_all": self._of_all, "of_events": of_events}
        plan, now = projection.delay_plan(interpolate=False), fixed_plan(0)
        self._on_pre = None if program.on_pre is None else Pathway(program.on_pre, pre, plan, **common)
        self._on_post = None if program.on_post is None else Pathway(program.on_post, post, now, **common)

    def begin(
        self, values: Mapping[str, Tensor], pre: State, post: State, draws: Draws, weights: Tensor | None = None
    ) -> State:
        """Return what stays during a run.

        Parameters
        ----------
        values : mapping
            The trained constants.
        pre, post : dict
            What stays of the two populations.
        draws : Draws
        weights : Tensor, optional
            See `SynapseProjection.given`.
        """
        given = self._projection.given(weights)
        lists = {name: value for name, value in given.items() if name in self._program.fixed}
        there: State = {
            **values,
            **lists,
            "pre": pre,
            "post": post,
            PER_SYNAPSE: lists,
            DRAWS: draws,
            SHAPE: self._shape,
        }
        for slot, evaluate in self._of_all.slots.items():
            there[slot] = evaluate(there)
        return there

    def sums(self, populations: Mapping[str, State], own: State, there: State) -> None:
        """Set the variables of the target that are sums over synapses."""
        for variable, before, value in self._sums:
            local = self._ends.of_every_synapse(populations, own, there)
            for statement in before:
                local[statement.target] = statement.evaluate(local)
            target = populations[self._ends.post.population]
            zeros = torch.zeros_like(target[variable])
            each = fitted(value(local), self._shape, zeros)
            target[variable] = zeros.flatten().index_add(0, self._place, each.flatten()).view_as(zeros)

    def update(self, populations: Mapping[str, State], own: State, there: State) -> None:
        """Advance the state that changes all the time."""
        local = self._ends.of_every_synapse(populations, own, there)
        for statement in self._update:
            value = statement.evaluate(local)
            if not statement.intermediate:
                value = own[statement.target] = fitted(value, self._shape, own[statement.target])
            local[statement.target] = value

    def on_pre(self, populations: Mapping[str, State], own: State, past: Sequence[Tensor | None], there: State) -> None:
        """Carry out what the arriving spikes of the source do; for `past` see `Pathway`."""
        if self._on_pre is not None:
            self._on_pre(populations, own, past, there)

    def on_post(
        self, populations: Mapping[str, State], own: State, past: Sequence[Tensor | None], there: State
    ) -> None:
        """Carry out what the spikes of the target do."""
        if self._on_post is not None:
            self._on_post(populations, own, past, there)

    def _statements(self, block: Block) -> list[Statement]:
        return statements(block.assignments, settled(block, self._of_all, self._known))

    def _sum(self, described: SynapticSum) -> tuple[str, list[Statement], Evaluate]:
        scope = settled(described.block, self._of_all, self._known)
        before = statements(described.block.assignments, scope)
        return described.variable, before, scope.compiled(scope.part(parsed(described.expression)))
