r"""What eligibilities do to a readout, carried along with a run.

The influence of a synapse on readout k is :math:`B_{jk} \bar e_{ji}` with the eligibility filtered by the response of
the readout, :math:`\bar e^t = \sum_\tau h(t - \tau)\,e^\tau` (Bellec et al. 2020,
Nature Communications 11:3625), as long as the readout is linear
and all of its neurons are alike.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.learning.gradients.forward.constant_rows import Entry
from snncompare.learning.gradients.forward.placing import Placing
from snncompare.learning.gradients.forward.traces import Eligibility

__all__ = ["Filtered", "Immediate", "LinearFilter", "Response"]


@dataclass(frozen=True)
class LinearFilter:
    """A linear recursion that all neurons of a readout share.

    Attributes
    ----------
    rows : mapping
        Variable to what it becomes in a step: variable to factor.
    enters : tuple of str
        Variables to which what arrives is added.
    read : mapping
        Variable to its factor in what is read.
    """

    rows: Mapping[str, Mapping[str, float]]
    enters: tuple[str, ...]
    read: Mapping[str, float]

    def ordered(self) -> tuple[str, ...] | None:
        """Return the variables so that each comes before all others that it reads; None if that cannot be."""
        found: list[str] = []
        while len(found) < len(self.rows):
            left = [name for name in self.rows if name not in found]
            free = [n for n in left if not any(n in self.rows[other] for other in left if other != n)]
            if not free:
                return None
            found += free
        return tuple(found)


class Response(ABC):
    """The influence of the entries of one kind of parameter on what is read, by one way there.

    A way has a gain from spikes of the target neurons to what is read: (n_target, n_read) where it always stays the
    same, (batch, n_target, n_read) where it does not.
    """

    def __init__(self, placing: Placing, n_read: int) -> None:
        self.placing, self.n_read = placing, n_read
        self.sums: Tensor | None = None

    @abstractmethod
    def update(self) -> None:
        """Go on by one step."""

    @abstractmethod
    def arrive(self, eligibility: Eligibility, gain: Tensor) -> None:
        """Add what spikes of this step, or earlier ones that arrive now, do."""

    @abstractmethod
    def add_to(self, totals: "Totals", errors: Tensor, gain: Tensor, slope: Entry) -> None:
        """Add the influence times errors (batch, n_read); `slope` is that of what is read by what arrived before."""

    @abstractmethod
    def per_trial(self, errors: Tensor, gain: Tensor, slope: Entry) -> Tensor | None:
        """Return the influence times errors, (batch, *entries)."""

    @abstractmethod
    def sum_up(self, slope: Entry) -> None:
        """Add the influence of this step to `sums`."""

    def add_sums(self, totals: "Totals", errors: Tensor, gain: Tensor) -> None:
        """Add the summed influence times errors (batch, n_read)."""
        if self.sums is not None:
            totals.add(self.sums, self._worth(self.sums, errors, gain))

    def begin(self, of: Tensor | None = None) -> None:
        """Forget everything, or only in the trials `of` (batch,)."""
        if of is None or self.sums is None:
            self.sums = None
        else:
            self.sums.masked_fill_(of.view(-1, *[1] * (self.sums.ndim - 1)), 0.0)

    def _worth(self, values: Tensor, errors: Tensor, gain: Tensor) -> Tensor:
        """Return what influences are multiplied by: carried ones have a dimension for what is read."""
        if values.ndim == len(self.placing.shape) + 2:
            return errors[(..., *[None] * len(self.placing.shape))]
        return self.placing.across(_worth(errors, gain))

    def _carried(self, values: Tensor, gain: Tensor) -> Tensor:
        """Return influences (batch, n_read, *entries) from those on spikes (batch, *entries)."""
        each = gain.expand(values.shape[0], *gain.shape[-2:]).transpose(1, 2)
        return values.unsqueeze(1) * self.placing.across(each)


class Totals:
    """Gradient of entries, summed in a block of steps."""

    def __init__(self, placing: Placing, like: Tensor) -> None:
        self.placing, self._like = placing, like
        self.summed: Tensor | None = None
        self._each: Tensor | None = None

    def products(self) -> Tensor:
        """Return what is to be added to, of the shape of the entries."""
        if self.summed is None:
            self.summed = self._like.new_zeros(self.placing.shape)
        return self.summed

    def add(self, values: Tensor, worth: Tensor) -> None:
        """Add products of influences, (batch, *entries) or (batch, n_read, *entries), and what they are worth."""
        if values.ndim > len(self.placing.shape) + 1:
            self.products().add_((values * worth).sum(dim=(0, 1)))
            return
        if self._each is None:
            self._each = self._like.new_zeros((values.shape[0], *self.placing.shape))
        self._each.addcmul_(values, worth)

    def take(self) -> Tensor | None:
        """Return the gradient and begin again."""
        found = self.summed
        if self._each is not None:
            each = self._each.sum(dim=0)
            found = each if found is None else found + each
            self._each.zero_()
        self.summed = None
        return found


class Immediate(Response):
    """What only the latest step matters to."""

    def __init__(self, placing: Placing, n_read: int) -> None:
        super().__init__(placing, n_read)
        self._latest: tuple[Eligibility, Tensor] | None = None

    def begin(self, of: Tensor | None = None) -> None:
        """Forget everything, or only in the trials `of` (batch,)."""
        super().begin(of)
        if self._latest is not None and of is not None:
            eligibility, gain = self._latest
            self._latest = eligibility, gain.expand(of.shape[0], *gain.shape[-2:]).masked_fill(of[:, None, None], 0.0)
        else:
            self._latest = None

    def update(self) -> None:
        """Nothing stays."""

    def arrive(self, eligibility: Eligibility, gain: Tensor) -> None:
        """Take note."""
        self._latest = eligibility, gain

    def add_to(self, totals: Totals, errors: Tensor, gain: Tensor, slope: Entry) -> None:  # noqa: ARG002
        """Add the influence of the latest step."""
        if self._latest is not None and not self._latest[0].is_zero:
            eligibility, then = self._latest
            eligibility.add_to(totals.products(), _worth(errors * slope, then))

    def per_trial(self, errors: Tensor, gain: Tensor, slope: Entry) -> Tensor | None:  # noqa: ARG002
        """Return that of the latest step."""
        if self._latest is None:
            return None
        eligibility, then = self._latest
        return eligibility.per_trial(_worth(errors * slope, then))

    def sum_up(self, slope: Entry) -> None:
        """Add that of the latest step."""
        if self._latest is None or self._latest[0].is_zero:
            return
        eligibility, gain = self._latest
        whole = eligibility.whole()
        assert whole is not None
        if gain.ndim == 2 and isinstance(slope, float):
            more = whole * slope
        else:
            each = gain * slope.unsqueeze(-2) if isinstance(slope, Tensor) and slope.ndim else gain * slope
            more = self._carried(whole, each)
        self.sums = more.clone() if self.sums is None else self.sums.add_(more)


class Filtered(Response):
    """What a linear filter makes of it."""

    def __init__(self, placing: Placing, n_read: int, response: LinearFilter) -> None:
        super().__init__(placing, n_read)
        self._filter, self._order = response, response.ordered()
        self.values: dict[str, Tensor] = {}

    def begin(self, of: Tensor | None = None) -> None:
        """Forget everything, or only in the trials `of` (batch,)."""
        super().begin(of)
        if of is None:
            self.values = {}
            return
        for name, value in self.values.items():
            self.values[name] = value.masked_fill(of.view(-1, *[1] * (value.ndim - 1)), 0.0)

    def update(self) -> None:
        """Carry out one step of the filter."""
        values, rows = self.values, self._filter.rows
        if self._order is None:
            self.values = {
                name: torch.stack([values[key] * factor for key, factor in rows[name].items() if key in values]).sum(0)
                for name in rows
                if any(key in values for key in rows[name])
            }
            return
        for name in self._order:
            own = rows[name].get(name, 0.0)
            others = [(key, factor) for key, factor in rows[name].items() if key != name and key in values]
            if name in values and others and others[0][1] == 1.0 and own != 0.0:
                torch.add(values[others.pop(0)[0]], values[name], alpha=own, out=values[name])  # one pass, not two
            elif name in values and own != 0.0:
                values[name].mul_(own)
            elif name in values:
                del values[name]
            for key, factor in others:
                more = values[key]
                values[name] = values[name].add_(more, alpha=factor) if name in values else more * factor

    def arrive(self, eligibility: Eligibility, gain: Tensor) -> None:
        """Let it enter the filter."""
        whole = eligibility.whole()
        if whole is None:
            return
        more = self._carried(whole, gain) if gain.ndim == 3 else whole
        for name in self._filter.enters:
            if name in self.values:
                self.values[name].add_(more)
            else:
                self.values[name] = more.clone() if self._filter.rows[name] else more

    def add_to(self, totals: Totals, errors: Tensor, gain: Tensor, slope: Entry) -> None:  # noqa: ARG002
        """Add what the filter shows."""
        for value, factor in self._shown():
            totals.add(value, self._worth(value, errors if factor == 1.0 else errors * factor, gain))

    def per_trial(self, errors: Tensor, gain: Tensor, slope: Entry) -> Tensor | None:  # noqa: ARG002
        """Return what the filter shows."""
        total = None
        for value, factor in self._shown():
            more = value * self._worth(value, errors * factor, gain)
            more = more.sum(dim=1) if value.ndim > len(self.placing.shape) + 1 else more
            total = more if total is None else total + more
        return total

    def sum_up(self, slope: Entry) -> None:  # noqa: ARG002
        """Add what the filter shows."""
        for value, factor in self._shown():
            if self.sums is None:
                self.sums = torch.zeros_like(value)
            self.sums.add_(value, alpha=factor)

    def _shown(self) -> Sequence[tuple[Tensor, float]]:
        return [(self.values[name], factor) for name, factor in self._filter.read.items() if name in self.values]


def _worth(errors: Tensor, gain: Tensor) -> Tensor:
    """Return what spikes are worth: errors (batch, n_read) times a gain."""
    return errors @ gain.t() if gain.ndim == 2 else (gain @ errors.unsqueeze(-1)).squeeze(-1)
