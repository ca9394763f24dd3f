r"""One population's step with its derivatives, neuron by neuron.

The update :math:`u = F(s, \theta)`, the spike :math:`z = H(u, \theta)` and the reset :math:`s' = a + z\,(R(a) - a)`
are elementwise in neurons, so each of their Jacobians is a small matrix per trial and neuron:

.. math::
    U = \frac{\partial F}{\partial s}, \qquad \psi = \frac{\partial z}{\partial u}, \qquad
    G = 1 + z\,\Big(\frac{\partial R}{\partial a} - 1\Big), \qquad
    \text{jump} = \frac{\partial s'}{\partial z} = R(a) - a

Rows that stay the same in a run are found in symbols and computed once; all others follow from reverse-mode
differentiation of the one step that is carried out anyway, whatever the neuron model.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import sympy
import torch
from torch import Tensor

from snncompare.backends.torch.population import PopulationRun, PopulationStep
from snncompare.backends.torch.resets import NOW
from snncompare.backends.torch.sums import Known, State
from snncompare.backends.torch.surrogates import Surrogate
from snncompare.backends.torch.thresholds import membrane
from snncompare.dynamics.jacobians import reset_map, update_map
from snncompare.dynamics.program import Block, PopulationProgram
from snncompare.errors import UnsupportedError
from snncompare.learning.gradients.forward.constant_rows import (
    Entry,
    Row,
    Settled,
    evaluated,
    reads,
    row_of_threshold,
)

__all__ = ["Neurons", "watched"]

_AWAKE = "not_refractory"
_Entries = dict[str, dict[str, Entry]]


class _Watched:
    """A surrogate that keeps what it was last asked for: how far neurons were above their threshold."""

    def __init__(self, surrogate: Surrogate) -> None:
        self.surrogate, self.above = surrogate, torch.empty(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.surrogate, name)

    def fire(self, u: Tensor, **more: Any) -> Tensor:
        """Return the spikes."""
        self.above = u.detach()
        if not torch.is_grad_enabled() and not self.surrogate.alters_spikes:
            return (u >= 0 if more.get("at_zero") else u > 0).to(u.dtype)
        return self.surrogate.fire(u, **more)

    def slope(self) -> Tensor:
        """Return the surrogate derivative at the last spikes."""
        return self.surrogate.derivative(self.above)


def watched(step: PopulationStep) -> PopulationStep:
    """Return the same step with a surrogate that can be asked for its derivative at the last spikes."""
    surrogate = step.surrogate
    return step if surrogate is None else replace(step, surrogate=cast(Surrogate, _Watched(surrogate)))


class Neurons:
    r"""A population that is carried out with its derivatives.

    Parameters
    ----------
    step : PopulationStep
        From `watched`.
    run : PopulationRun
        Made from it.
    batch : int
    parameters : sequence of str
        Trained values of its neurons that are no initial states.
    like : Tensor
        Whose data type and device everything has.

    Attributes
    ----------
    variables : tuple of str
        States that may carry a derivative.
    membrane : set of str
        Those whose jump at a spike is a reset; other jumps are adaptation.
    updated, updated_by : dict
        Variable to its row of :math:`U`, and to its derivatives by parameters, in the latest step.
    fires, fires_by : dict
        :math:`\psi` by variable, and by parameter.
    kept, kept_by : dict
        Variable to its row of :math:`G`, and to the derivatives of the reset by parameters.
    jumps : dict
        Variable to the derivative of the reset by the spike.
    """

    def __init__(
        self, step: PopulationStep, run: PopulationRun, batch: int, parameters: Sequence[str], like: Tensor
    ) -> None:
        program = step.program
        shared = next((name for name in program.shared if name in step.changing), None)
        if shared is not None:
            raise UnsupportedError(
                f"gradients cannot be computed forwards where a population has one value of '{shared}' for all of its "
                "neurons; compute them backwards (Execution.BACKWARD)."
            )
        self.step, self.run, self.parameters = step, run, tuple(parameters)
        self.shape, self.like = (batch, step.size), like
        self.variables = tuple(n for n in program.states if n in step.changing and n not in program.dtypes)
        self.membrane: set[str] = set()
        if program.threshold is not None and step.surrogate is not None:
            threshold = program.threshold
            self.membrane = membrane(threshold.condition, threshold.dimensions, step.surrogate)
        self._leaves: dict[str, Tensor] = {}
        self._numbers = {name: part.value for name, part in step.static.items() if isinstance(part, Known)}
        self._numbers["N"] = step.size
        self._describe_update(_mapped(update_map, program))
        self._describe_reset(_mapped(reset_map, program))
        self._slopes = self._described_threshold()
        self.updated, self.updated_by = dict[str, dict[str, Entry]](), dict[str, dict[str, Entry]]()
        self.fires, self.fires_by = dict[str, Entry](), dict[str, Entry]()
        self.kept, self.kept_by = dict[str, dict[str, Entry]](), dict[str, dict[str, Entry]]()
        self.jumps: dict[str, Entry] = {}

    def _describe_update(self, mapped: Mapping[str, sympy.Expr] | None) -> None:
        """Find the rows of the update that stay, of neurons that are awake and that pause, and those that do not."""
        awake, settled = sympy.Symbol(_AWAKE, real=True), self._settled(self.step.program.update)
        self._update_rows: dict[str, tuple[Row, Row]] = {}
        self._update_moves: list[str] = []
        for name in self.variables:
            variants = (
                [] if mapped is None else [settled.row(mapped[name].subs(awake, k), self.variables) for k in (1, 0)]
            )
            if mapped is None or None in variants or any(reads(mapped[name], key) for key in self.parameters):
                self._update_moves.append(name)
            if variants and variants[0] is not None and variants[1] is not None:
                self._update_rows[name] = variants[0], variants[1]

    def _describe_reset(self, mapped: Mapping[str, sympy.Expr] | None) -> None:
        """Find the rows and jumps of the reset that stay, and those that do not."""
        settled = self._settled(self.step.program.reset)
        self._reset_rows: dict[str, Row] = {}
        self._jump_rows: Row = {}
        self._reset_moves, self._jump_moves = [], []
        for name in self.variables:
            row = jump = None
            if mapped is not None:
                row = settled.row(mapped[name], self.variables)
                jump = settled.compiled(sympy.expand(mapped[name] - sympy.Symbol(name, real=True)))
            if mapped is None or row is None or any(reads(mapped[name], key) for key in self.parameters):
                self._reset_moves.append(name)
            if row is not None:
                self._reset_rows[name] = row
            if jump is not None:
                self._jump_rows = {**self._jump_rows, name: jump}
            else:
                self._jump_moves.append(name)

    def _described_threshold(self) -> Row | None:
        """Return the derivatives of what the threshold compares, or None if they change in a run."""
        threshold = self.step.program.threshold
        if threshold is None or self.step.surrogate is None:
            return {}
        try:
            return row_of_threshold(threshold, (*self.variables, *self.parameters), self._settled(threshold.block))
        except UnsupportedError:
            return None

    def _settled(self, block: Block) -> Settled:
        tensors = [name for name in self.step.given if name not in self.step.changing]
        return Settled([name for name in (*self._numbers, *block.constants) if name not in tensors], tensors)

    def begin(self, values: Mapping[str, Tensor], draws: Any) -> State:
        """Return what stays during a run (see `PopulationRun.begin`), and compute what of the derivatives stays."""
        own = {name: value.detach() for name, value in values.items()}
        self._leaves = {name: own[name].expand(self.shape).clone().requires_grad_() for name in self.parameters}
        program = self.step.program
        known = {**self._numbers, **program.update.constants, **own}
        self._updated = {n: (evaluated(a, known), evaluated(b, known)) for n, (a, b) in self._update_rows.items()}
        known = {**self._numbers, **program.reset.constants, **own}
        self._reset = {name: evaluated(row, known) for name, row in self._reset_rows.items()}
        self.jumps = evaluated(self._jump_rows, known)
        if self._slopes:
            assert program.threshold is not None
            known = {**self._numbers, **program.threshold.block.constants, **own}
            self._slope = evaluated(self._slopes, known)
        with torch.enable_grad():
            there = self.run.begin({**own, **self._leaves}, draws)
        self._graph = {name for name, value in there.items() if isinstance(value, Tensor) and value.requires_grad}
        return there

    @property
    def can_fire(self) -> bool:
        """Whether there are spikes that have a derivative."""
        return self.step.program.threshold is not None and self.step.surrogate is not None

    @property
    def jumping(self) -> tuple[str, ...]:
        """Variables that a spike changes."""
        there = {*self.jumps, *self._jump_moves}
        return tuple(name for name in self.variables if name in there)

    def reached(self, first: Collection[str], jumping: Collection[str]) -> tuple[str, ...]:
        """Return the variables that depend on some of them, now or later; by spikes, those that jump."""
        found = set(first)
        while True:
            more = {name for name in self.variables if found & self._read_by(name)}
            more |= set(jumping) if found & self._read_by_spike() else set()
            if more <= found:
                return tuple(name for name in self.variables if name in found)
            found |= more

    def shared_row(self, name: str) -> dict[str, float] | None:
        """Return the row of a variable in the update if it is the same in all neurons and steps, and not reset."""
        kept = self._reset.get(name, {})
        if name not in self._updated or set(kept) != {name} or isinstance(kept[name], Tensor) or kept[name] != 1.0:
            return None
        there, paused = self._updated[name]
        row = {key: value for key, value in there.items() if isinstance(value, float)}
        alike = self.run.always_awake or row == {k: v for k, v in paused.items() if isinstance(v, float)}
        return row if alike and len(row) == len(there) else None

    def _read_by(self, name: str) -> set[str]:
        """Return the variables that a variable may depend on after an update and a reset."""
        found = {name}
        for rows in (self._updated, self._reset):
            if name not in rows:
                return set(self.variables)
            row = rows[name]
            found |= set(row) if isinstance(row, dict) else {*row[0], *row[1]}
        return found

    def _read_by_spike(self) -> set[str]:
        return set(self.variables if self._slopes is None else self._slopes)

    def update(self, state: State) -> None:
        """Carry out the state update and note its derivatives."""
        found: dict[str, dict[str, Tensor]] = {}
        if self._update_moves:
            leaves = {name: state[name].detach().requires_grad_() for name in self.variables}
            with torch.enable_grad():
                state.update(leaves)
                self.run.update(state)
                outputs = {name: state[name] for name in self._update_moves}
                found = _derivatives(outputs, {**leaves, **self._leaves})
            self._detach(state)
        else:
            self.run.update(state)
        awake = None if self.run.always_awake else state[_AWAKE]
        for name in self.variables:
            if name in self._updated:
                self.updated[name] = _either(*self._updated[name], awake, state[name])
            else:
                self.updated[name] = {key: found[name][key] for key in self.variables if key in found[name]}
        self.updated_by = self._by_parameters(found)

    def threshold(self, state: State) -> Tensor:
        """Return who fires, and note the derivatives of the spike."""
        surrogate = self.step.surrogate
        self.fires, self.fires_by = {}, {}
        if not isinstance(surrogate, _Watched):
            return self.run.threshold(state).detach()
        if self._slopes is None:
            leaves = {name: state[name].detach().requires_grad_() for name in self.variables}
            with torch.enable_grad():
                state.update(leaves)
                fired = self.run.threshold(state)
                found = _derivatives({"": fired}, {**leaves, **self._leaves})[""]
            self._detach(state)
            each: dict[str, Entry] = {**found}
        else:
            awake = None if self.run.always_awake else state[_AWAKE]
            fired = self.run.threshold(state)
            slope = surrogate.slope().detach().expand(fired.shape)
            slope = slope if awake is None else slope * awake
            each = {name: slope if factor == 1.0 else slope * factor for name, factor in self._slope.items()}
        self.fires = {name: each[name] for name in self.variables if name in each}
        self.fires_by = {name: each[name] for name in self._leaves if name in each}
        return fired.detach()

    def reset(self, state: State, fired: Tensor) -> None:
        """Carry out the reset and note its derivatives."""
        found: dict[str, dict[str, Tensor]] = {}
        if self._reset_moves or self._jump_moves:
            leaves = {name: state[name].detach().requires_grad_() for name in self.variables}
            as_if = {**state, **leaves, NOW: torch.ones_like(fired, dtype=torch.bool)}
            with torch.enable_grad():
                self.run.reset(as_if, torch.ones_like(fired))
                outputs = {name: as_if[name] for name in self._reset_moves}
                found = _derivatives(outputs, {**leaves, **self._leaves})
            for name in self._jump_moves:
                self.jumps[name] = as_if[name].detach() - state[name]
        for name in self.variables:
            row: Mapping[str, Entry] = self._reset[name] if name in self._reset else found.get(name, {})
            self.kept[name] = _blended(name, {key: row[key] for key in self.variables if key in row}, fired)
        by = self._by_parameters(found)
        self.kept_by = {name: {key: value * fired for key, value in each.items()} for name, each in by.items()}
        self.run.reset(state, fired)
        self._detach(state)

    def _detach(self, state: State) -> None:
        """Drop the history of what a step computed; what stays during the run keeps it."""
        for name, value in state.items():
            if isinstance(value, Tensor) and value.requires_grad and name not in self._graph:
                state[name] = value.detach()

    def _by_parameters(self, found: Mapping[str, Mapping[str, Tensor]]) -> _Entries:
        return {name: {key: row[key] for key in self._leaves if key in row} for name, row in found.items()}


def _mapped(
    read: Callable[[PopulationProgram], dict[str, sympy.Expr]], program: PopulationProgram
) -> dict[str, sympy.Expr] | None:
    """Return the states after a block as expressions of those before it, or None where symbols cannot say that."""
    try:
        return read(program)
    except UnsupportedError:
        return None


def _derivatives(outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Return the derivatives of elementwise functions, each of the shape of its input, where they are not zero."""
    found: dict[str, dict[str, Tensor]] = {}
    names, leaves = list(inputs), list(inputs.values())
    for output, value in outputs.items():
        found[output] = {}
        if value.requires_grad:
            each = torch.autograd.grad(value.sum(), leaves, retain_graph=True, allow_unused=True)
            found[output] = {name: one for name, one in zip(names, each, strict=True) if one is not None}
    return found


def _either(there: dict[str, Entry], paused: dict[str, Entry], awake: Tensor | None, like: Tensor) -> dict[str, Entry]:
    """Return the row of neurons of which some may pause."""
    if awake is None:
        return there
    return {name: _where(awake, there.get(name, 0.0), paused.get(name, 0.0), like) for name in {**there, **paused}}


def _where(awake: Tensor, there: Entry, paused: Entry, like: Tensor) -> Entry:
    if there is paused or (isinstance(there, float) and isinstance(paused, float) and there == paused):
        return there
    one, two = (value if isinstance(value, Tensor) else like.new_tensor(value) for value in (there, paused))
    return torch.where(awake, one, two)


def _blended(name: str, row: Mapping[str, Entry], fired: Tensor) -> dict[str, Entry]:
    """Return the row of neurons of which some fired, from that of neurons that did."""
    found: dict[str, Entry] = {}
    for key in {name: None, **row}:
        value, identity = row.get(key, 0.0), float(key == name)
        if isinstance(value, Tensor) or value != identity:
            found[key] = identity + fired * (value - identity)
        elif identity:
            found[key] = 1.0
    return found
