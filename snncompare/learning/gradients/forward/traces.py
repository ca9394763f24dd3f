r"""Influence of parameters on the state of their own target neuron, carried along with a run.

With the Jacobians of `Neurons` the influence :math:`\epsilon = ds/d\theta` of a weight on the states of the neuron it
ends at, and on its spike, the eligibility :math:`e`, follow

.. math::
    \epsilon^u = U \epsilon^s + \frac{\partial F}{\partial\theta}, \qquad
    e = \psi \cdot \epsilon^u + \frac{\partial z}{\partial\theta}, \qquad
    \epsilon^a = \epsilon^u + z_{pre}, \qquad
    \epsilon^s = G\,\epsilon^a + \frac{\partial s'}{\partial\theta} + (R(a) - a)\,e

(for adaptive leaky neurons: Bellec et al. 2020, Nature Communications 11:3625). Where a variable's derivatives are the
same in all neurons at all times, its influence is that of the source neuron, whatever the target: one number instead
of one for each synapse.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from snncompare.dynamics.paths import Paths
from snncompare.learning.gradients.forward.constant_rows import Entry
from snncompare.learning.gradients.forward.neurons import Neurons
from snncompare.learning.gradients.forward.placing import Placing

__all__ = ["Eligibility", "Traces"]


@dataclass
class Eligibility:
    """Influence of entries on one number of each target neuron, shape (batch, *entries).

    Attributes
    ----------
    placing : Placing
    products : list of (Tensor or None, Tensor)
        Factors of target neurons (None is one) and of rows, shapes (batch, n); their products add to it.
    full : Tensor or None
        The rest.
    """

    placing: Placing
    products: list[tuple[Tensor | None, Tensor]] = field(default_factory=list)
    full: Tensor | None = None

    @property
    def is_zero(self) -> bool:
        """Whether nothing is there."""
        return self.full is None and not self.products

    def whole(self) -> Tensor | None:
        """Return all of it; where it is but one number for each row, of shape (batch, row, 1) or alike."""
        total = self.full
        for targets, rows in self.products:
            own = self.placing.along(rows)
            if targets is not None:
                across = self.placing.across(targets)
                total = own * across if total is None else torch.addcmul(total, own, across)
            else:
                total = own if total is None else total + own
        if all(targets is not None for targets, _ in self.products):
            self.full, self.products = total, []
        return total

    def add_to(self, sums: Tensor, worth: Tensor) -> None:
        """Add to `sums` (entries) what there is times the worth of target neurons (batch, n_target), over the batch."""
        for targets, rows in self.products:
            sums += self.placing.outer(rows, worth if targets is None else worth * targets)
        if self.full is not None:
            sums += (self.full * self.placing.across(worth)).sum(dim=0)

    def per_trial(self, worth: Tensor) -> Tensor | None:
        """Return what there is times the worth of target neurons, shape (batch, *entries)."""
        whole = self.whole()
        return None if whole is None else whole * self.placing.across(worth)


class Traces:
    """The influence of one kind of parameter of one population.

    Parameters
    ----------
    neurons : Neurons
    placing : Placing
    paths : Paths
    injected : str, optional
        The variable that arriving spikes change.
    held : bool
        Whether neurons that pause ignore them.
    parameter : str, optional
        The parameter of the neurons themselves.
    starts : sequence of str
        Variables that begin at the value of the parameter.
    """

    def __init__(
        self,
        neurons: Neurons,
        placing: Placing,
        paths: Paths,
        *,
        injected: str | None = None,
        held: bool = False,
        parameter: str | None = None,
        starts: Sequence[str] = (),
    ) -> None:
        self.neurons, self.placing, self._paths = neurons, placing, paths
        self._injected, self._held, self._parameter, self._starts = injected, held, parameter, starts
        self._jumping = self._followed_jumps()
        first = {*starts} | ({injected} if injected is not None else set())
        if parameter is not None:
            first |= set(neurons.variables)
        self.variables = neurons.reached(first, self._jumping)
        self.per_source = self._without_target() if parameter is None and not starts else ()
        self.rows: dict[str, Tensor] = {}
        self.full: dict[str, Tensor] = {}
        self.begin()

    def _followed_jumps(self) -> tuple[str, ...]:
        """Return the variables whose jump at a spike is followed."""
        paths, neurons = self._paths, self.neurons
        followed = {True: paths.reset, False: paths.adaptation}
        return tuple(name for name in neurons.jumping if followed[name in neurons.membrane])

    def _without_target(self) -> tuple[str, ...]:
        """Return the variables whose influence is the same for all targets of a source."""
        found = set(self.variables) - set(self._jumping)
        if self._held and not self.neurons.run.always_awake:
            found -= {self._injected}
        while True:
            kept = {
                name
                for name in found
                if (row := self.neurons.shared_row(name)) is not None and not (row.keys() & set(self.variables)) - found
            }
            if kept == found:
                return tuple(name for name in self.variables if name in found)
            found = kept

    def begin(self, *, of: Tensor | None = None) -> None:
        """Forget everything, or only in the trials `of` (batch,)."""
        batch = self.neurons.shape[0]
        if of is not None:
            for values in (self.rows, self.full):
                for name, value in values.items():
                    values[name] = value.masked_fill(of.view(-1, *[1] * (value.ndim - 1)), float(name in self._starts))
            return
        like = self.neurons.like
        self.rows = {name: like.new_zeros(batch, self.placing.n_rows) for name in self.per_source}
        others = [name for name in self.variables if name not in self.per_source]
        self.full = {name: like.new_full((batch, *self.placing.shape), float(name in self._starts)) for name in others}

    def update(self) -> None:
        """Follow the state update."""
        rows, full = self.rows, self.full
        self.rows = {name: _weighted(self.neurons.updated[name], rows) for name in rows}
        self._follow(full, rows, self.neurons.updated, self.neurons.updated_by)

    def eligibility(self) -> Eligibility:
        """Return the influence on the spike of this step."""
        found = Eligibility(self.placing)
        for name, slope in self.neurons.fires.items():
            if name in self.rows:
                assert isinstance(slope, Tensor)
                found.products.append((slope, self.rows[name]))
            elif name in self.full:
                self._add(found, slope, self.full[name])
        direct = self.neurons.fires_by.get(self._parameter or "")
        if direct is not None:
            assert isinstance(direct, Tensor)
            found.full = direct.clone() if found.full is None else found.full.add_(direct)
        if found.full is not None:
            for targets, rows in found.products:
                assert targets is not None
                found.full.addcmul_(self.placing.along(rows), self.placing.across(targets))
            found.products = []
        return found

    def _add(self, found: Eligibility, slope: Entry, values: Tensor) -> None:
        across = self.placing.across(slope) if isinstance(slope, Tensor) else values.new_tensor(slope)
        if found.full is None:
            found.full = values * across
        else:
            found.full.addcmul_(values, across)

    def of(self, variable: str) -> Eligibility:
        """Return the influence on a variable."""
        found = Eligibility(self.placing)
        if variable in self.rows:
            found.products.append((None, self.rows[variable]))
        elif variable in self.full:
            found.full = self.full[variable]
        return found

    def forget(self) -> None:
        """Cut the path from the state to the next one."""
        for values in (self.rows, self.full):
            for name, value in values.items():
                values[name] = torch.zeros_like(value)

    def arrive(self, arriving: Tensor | None, awake: Tensor | None) -> None:
        """Add the effect of spikes (batch, row) that arrive; held variables where neurons are awake (batch, target)."""
        if arriving is None or self._injected is None:
            return
        if self._injected in self.rows:
            self.rows[self._injected] = self.rows[self._injected] + arriving
        elif self._held and awake is not None:
            self.full[self._injected].addcmul_(
                self.placing.along(arriving), self.placing.across(awake.to(arriving.dtype))
            )
        else:
            self.full[self._injected].add_(self.placing.along(arriving))

    def reset(self, eligibility: Eligibility | None) -> None:
        """Follow the reset; `eligibility` is that of this step."""
        kept, jumps = self.neurons.kept, self.neurons.jumps
        rows, full = self.rows, self.full
        self.rows = {name: _weighted(kept[name], rows) for name in rows}
        self._follow(full, rows, kept, self.neurons.kept_by)
        if eligibility is None or eligibility.is_zero:
            return
        whole = eligibility.whole()
        assert whole is not None
        for name in self._jumping:
            jump = jumps.get(name)
            if name not in self.full:
                continue
            if isinstance(jump, Tensor):
                across = self.placing.across(jump) if jump.ndim else jump
                self.full[name].addcmul_(whole, across)
            elif jump is not None:
                self.full[name].add_(whole, alpha=jump)

    def _follow(
        self,
        full: dict[str, Tensor],
        rows: Mapping[str, Tensor],
        matrix: Mapping[str, Mapping[str, Entry]],
        direct: Mapping[str, Mapping[str, Entry]],
    ) -> None:
        """Multiply the influences of entries by a Jacobian, in place where a variable depends on itself alone."""
        alone = [name for name in full if _is_alone(name, matrix[name], (*full, *rows))]
        self.full = {
            name: full[name] if name in alone else self._sum(full[name], matrix[name], full, rows) for name in full
        }
        for name in alone:
            factor = matrix[name].get(name, 0.0)
            if isinstance(factor, Tensor):
                full[name].mul_(self.placing.across(factor) if factor.ndim else factor)
            elif factor != 1.0:
                full[name].mul_(factor)
        for name in full:
            more = direct.get(name, {}).get(self._parameter or "")
            if more is not None:
                self.full[name] = self.full[name] + more

    def _sum(
        self, like: Tensor, row: Mapping[str, Entry], full: Mapping[str, Tensor], rows: Mapping[str, Tensor]
    ) -> Tensor:
        total = torch.zeros_like(like)
        for name, factor in row.items():
            values = full[name] if name in full else self.placing.along(rows[name]) if name in rows else None
            if values is None:
                continue
            if isinstance(factor, Tensor):
                total.addcmul_(values, self.placing.across(factor) if factor.ndim else factor)
            else:
                total.add_(values, alpha=factor)
        return total


def _is_alone(name: str, row: Mapping[str, Entry], there: Iterable[str]) -> bool:
    return not any(key != name and key in there for key in row)


def _weighted(row: Mapping[str, Entry], values: Mapping[str, Tensor]) -> Tensor:
    """Return a sum of multiples of what rows have."""
    total: Tensor | None = None
    for name, factor in row.items():
        if name in values:
            more = values[name] * factor
            total = more if total is None else total + more
    return torch.zeros_like(next(iter(values.values()))) if total is None else total
