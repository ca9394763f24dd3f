"""One population's step program carried out on tensors of shape (batch, neuron)."""

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.torch.emulated_values import injected
from snncompare.backends.torch.functions import Draws
from snncompare.backends.torch.partial import DRAWS, SHAPE, Scope, parsed
from snncompare.backends.torch.resets import FIRED, NOW, resets
from snncompare.backends.torch.run_options import RunOptions
from snncompare.backends.torch.statements import Statement, settled, statements
from snncompare.backends.torch.sums import Evaluate, Known, Once, State, named
from snncompare.backends.torch.surrogates import Surrogate
from snncompare.backends.torch.thresholds import firing, has_slope, membrane
from snncompare.backends.torch.times import times_in
from snncompare.dynamics.paths import Paths
from snncompare.dynamics.program import Assignment, PopulationProgram, Threshold

__all__ = ["NEVER", "PopulationRun", "PopulationStep", "assigned_by"]

NEVER = -1e4
"""Time of the last spike of a neuron that has not fired yet, as in Brian2 (seconds)."""

Action = Callable[[State], None]


@dataclass(frozen=True)
class PopulationStep:
    """What a population does in a step, before the values of a run are known.

    Parameters
    ----------
    program : PopulationProgram
    size : int
    dt : float
        Time step, seconds.
    surrogate : Surrogate or None
        Derivative of the spike; None where no gradient is wanted.
    paths : Paths
        Which derivatives are followed; here, of what a spike does to its own neuron.
    written : collection of str
        Variables that synapses change.
    given : collection of str
        What has values of its own (`NeuronValues`), as tensors.
    """

    program: PopulationProgram
    size: int
    dt: float
    surrogate: Surrogate | None
    paths: Paths
    written: Collection[str]
    given: Collection[str]

    @property
    def changing(self) -> tuple[str, ...]:
        """Variables that may change in a run; the others stay as they are at its beginning."""
        program, changed = self.program, {*assigned_by(self.program.update.assignments), *self.written}
        changed |= assigned_by(program.reset.assignments)
        own = tuple(name for name in (*program.states, *program.shared) if name in changed)
        return own + (("lastspike", "not_refractory") if program.refractory else ())

    def initial(self, batch: int, values: Mapping[str, Any], like: Tensor) -> State:
        """Return the state before the first step.

        Parameters
        ----------
        batch : int
        values : mapping
            Variable to number or tensor (n_neurons,), where it does not begin as the program says.
        like : Tensor
            Whose data type and device the state has.
        """
        state: State = {}
        for name in self.changing:
            shape = (batch, 1 if name in self.program.shared else self.size)
            if name == "lastspike":  # times need float64 also where the state is float32
                state[name] = like.new_full(shape, NEVER, dtype=torch.float64)
            elif name == "not_refractory":
                state[name] = torch.ones(shape, dtype=torch.bool, device=like.device)
            else:
                kind = torch.bool if self.program.dtypes.get(name) == "boolean" else like.dtype
                kind = torch.float64 if name in self.times else kind
                value = values.get(name, self.program.initial.get(name, 0.0))
                state[name] = torch.as_tensor(value, dtype=kind, device=like.device).expand(shape)
        return state

    @property
    def times(self) -> frozenset[str]:
        """Variables that hold a time of the run, which need float64 also where the state is float32."""
        return times_in([*self.program.update.assignments, *self.program.reset.assignments])

    @property
    def static(self) -> dict[str, Known | Once]:
        """Variables that stay during a run: numbers, or tensors (n_neurons,) under their names."""
        program, changing, found = self.program, self.changing, {}
        for name in (*program.states, *program.fixed, *program.shared):
            if name not in changing:
                number = program.initial.get(name, 0.0)
                number = number > 0.5 if program.dtypes.get(name) == "boolean" else number
                found[name] = named(name) if name in self.given else Known(number)
        return found


class PopulationRun:
    """Advances a population by one time step: `update`, then `threshold`, then `reset`.

    Made once for runs of one kind; `begin` says what the state has to hold beside the variables in each of them.
    """

    def __init__(self, step: PopulationStep, options: RunOptions) -> None:
        self.step, self.program, self._options = step, step.program, options
        self._shape = (options.batch, step.size)
        self._scope = options.scope({**step.static, "i": named("i")})
        self._known: dict[str, Known | Once] = {name: named(name) for name in step.given} | {"N": Known(step.size)}
        surrogate = step.surrogate
        self._surrogate = surrogate if options.gradients or (surrogate and surrogate.alters_spikes) else None
        self._smooth = self._surrogate is not None and self._surrogate.smooth
        self._always_awake = not self.program.refractory
        self._times = step.times
        self._update = self._update_actions()
        threshold = self.program.threshold
        self._fires = None if threshold is None else self._firing(threshold)
        held_by_synapses = not self.program.held.isdisjoint(step.written)
        self._pauses = self.program.refractory and (held_by_synapses or not self._always_awake)
        self._notes_time = self.program.refractory and (not self._always_awake or _reads_last_spike(self.program))
        scope = settled(self.program.reset, self._scope, self._known)
        statements_of_reset = statements(self.program.reset.assignments, scope)
        each = [(statement, self._action(statement, held=False)) for statement in statements_of_reset]
        self._resets = resets(each, scope, self._detached, smooth=self._smooth)

    @property
    def always_awake(self) -> bool:
        """Whether no neuron pauses longer than until the next step."""
        return self._always_awake

    def begin(self, values: Mapping[str, Tensor], draws: Draws) -> State:
        """Return what stays during a run and is read in every step.

        Parameters
        ----------
        values : mapping
            The tensors of `PopulationStep.given`.
        draws : Draws
        """
        changing = self.step.changing
        there: State = {name: value for name, value in values.items() if name not in changing}
        booleans = (name for name, kind in self.program.dtypes.items() if kind == "boolean")
        there |= {name: there[name] > 0.5 for name in booleans if name in there}
        there["i"] = torch.arange(self.step.size, device=self._options.device, dtype=self._options.dtype)
        there |= {SHAPE: self._shape, DRAWS: draws}
        for slot, evaluate in self._scope.slots.items():
            there[slot] = evaluate(there)
        return there

    def update(self, state: State) -> None:
        """Carry out the state update at the time ``state["t"]``."""
        for action in self._update:
            action(state)

    def threshold(self, state: State, observed: Tensor | None = None) -> Tensor:
        """Return who fires, 1 or 0, of shape (batch, neuron).

        With spikes that were observed, those fire; the derivative is that of the spikes of the model.
        """
        assert self._fires is not None
        fired: Tensor = self._fires(state)
        if not self._always_awake:
            fired = fired * state["not_refractory"]
        if observed is not None:
            fired = injected(fired.to(self._options.dtype), observed)
        if fired.dtype is torch.bool:
            now, fired = fired, fired.to(self._options.dtype)
        else:
            now = fired.detach() > (0.5 if self._smooth else 0.0)
        if self._notes_time:
            state["lastspike"] = torch.where(now, state["t"], state["lastspike"])
        if self._pauses:
            state["not_refractory"] = state["not_refractory"] & ~now
        state[NOW] = now
        return fired

    def reset(self, state: State, fired: Tensor) -> None:
        """Carry out the reset statements for those that fired."""
        if not self._resets or (self._options.exact and not self._smooth and not bool(state[NOW].any())):
            return
        state[FIRED] = fired
        after = dict(state)
        for carry_out in self._resets:
            carry_out(state, after)

    def _detached(self, target: str) -> bool:
        """Return whether the derivative by the spike is left out of what becomes of a variable in a reset."""
        threshold = self.program.threshold
        if self._surrogate is None or threshold is None or target in {*self.program.dtypes, *self._times}:
            return True
        raised = membrane(threshold.condition, threshold.dimensions, self._surrogate)
        paths = self.step.paths
        return not (paths.reset if target in raised else paths.adaptation)

    def _update_actions(self) -> list[Action]:
        scope = settled(self.program.update, self._scope, self._known)
        assignments = self.program.update.assignments
        awake = next((self._awake_after(a, scope) for a in assignments if a.target == "not_refractory"), None)
        if awake is not None:
            if isinstance(awake, Known):
                self._always_awake, scope.known["not_refractory"] = True, awake
            assignments = tuple(a for a in assignments if a.target != "not_refractory")
        actions = [self._action(statement, held=True) for statement in statements(assignments, scope)]
        return actions if awake is None else [self._waking(awake), *actions]

    def _awake_after(self, assignment: Assignment, scope: Scope) -> Known | Evaluate | None:
        """Return when a neuron is awake again if it pauses for a time that is known, else None.

        ``timestep(t - lastspike, dt) >= n`` holds where the last spike is at least n steps ago; a neuron that pauses
        for one step at most is always awake again.
        """
        match parsed(assignment.expression):
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="timestep"), args=[since, _]), ops=[ast.GtE()], comparators=[pause]
            ) if ast.unparse(since) == "t - lastspike":
                steps, dt = scope.part(pause), self.step.dt
            case _:
                return None
        if not isinstance(steps, Known | Once):
            return None
        if isinstance(steps, Known) and steps.value <= 1:
            return Known(True)

        def time_of(n: Any) -> Any:  # times need float64 also where the state is float32
            return ((n.double() if isinstance(n, Tensor) else n) - 0.5) * dt

        passed = scope.compiled(scope.applied("pause", time_of, steps))
        return lambda state: state["lastspike"] <= state["t"] - passed(state)

    def _waking(self, awake: Known | Evaluate) -> Action:
        if not isinstance(awake, Known):
            return lambda state: state.__setitem__("not_refractory", awake(state))
        everyone = torch.ones(self._shape, dtype=torch.bool, device=self._options.device)
        return lambda state: state.__setitem__("not_refractory", everyone)

    def _action(self, statement: Statement, *, held: bool) -> Action:
        target, value = statement.target, statement.evaluate
        if statement.intermediate:
            return lambda state: state.__setitem__(target, value(state))
        fitted = self._fitted(target, value)
        if held and target in self.program.held and not self._always_awake:
            return lambda state: state.__setitem__(
                target, torch.where(state["not_refractory"], fitted(state), state[target])
            )
        return lambda state: state.__setitem__(target, fitted(state))

    def _fitted(self, target: str, value: Evaluate) -> Evaluate:
        """Return the value with the shape and data type of the target."""
        device, kind = self._options.device, self.program.dtypes.get(target)
        dtype = torch.bool if kind == "boolean" or target == "not_refractory" else self._options.dtype
        dtype = torch.float64 if target in self._times else dtype
        shape = (self._shape[0], 1) if target in self.program.shared else self._shape

        def fitted(state: State) -> Tensor:
            found = value(state)
            if not isinstance(found, Tensor):
                found = torch.as_tensor(found, dtype=dtype, device=device)
            if found.dtype is not dtype:
                found = found.to(dtype)
            if kind == "integer":
                found = found.trunc()
            if found.shape != shape:
                found = found[..., : shape[1]].expand(shape) if found.ndim else found.expand(shape)
            return found

        return fitted

    def _firing(self, threshold: Threshold) -> Evaluate:
        scope = settled(threshold.block, self._scope, self._known)
        before = [self._action(s, held=False) for s in statements(threshold.block.assignments, scope)]
        surrogate = self._surrogate
        if surrogate is not None and has_slope(threshold.condition, threshold.dimensions, surrogate):
            condition = firing(threshold.condition, threshold.dimensions, surrogate, scope, self._options.dtype)
        else:
            self._surrogate, self._smooth = None, False
            condition = scope.compiled(scope.part(parsed(threshold.condition)))
        shape, device = self._shape, self._options.device

        def fires(state: State) -> Tensor:
            for action in before:
                action(state)
            found = condition(state)
            found = found if isinstance(found, Tensor) else torch.tensor(found, device=device)
            return found if found.shape == shape else found.expand(shape)

        return fires


def _reads_last_spike(program: PopulationProgram) -> bool:
    read = [a for a in program.update.assignments if a.target != "not_refractory"] + [*program.reset.assignments]
    texts = [text for a in read for text in (a.expression, a.otherwise) if text is not None]
    texts += [] if program.threshold is None else [program.threshold.condition]
    return any("lastspike" in text for text in texts)


def assigned_by(assignments: Collection[Assignment]) -> set[str]:
    """Return the variables that assignments change, intermediate values left out."""
    return {assignment.target for assignment in assignments if assignment.operator != ":="}
