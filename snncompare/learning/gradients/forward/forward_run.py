"""A run along with which gradients are computed, step by step."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from snncompare.dynamics.paths import Paths
from snncompare.learning.gradients.forward.groups import Group, groups_of
from snncompare.learning.gradients.forward.stepper import Stepper
from snncompare.learning.losses import Reads

__all__ = ["ForwardRun"]


class ForwardRun(ABC):
    """A run with the influence of parameters on what a loss reads.

    Call `advance` for every step, and after each what is to be done with what it shows: `accumulate`, `per_trial`,
    `sum_up`. `give` hands the gradient that was gathered to the parameters.

    Parameters
    ----------
    stepper : Stepper
        At its beginning.
    paths : Paths
    reads : Reads
        What the loss looks at.
    local : mapping
        Population to the weights of a readout of its own, (n_neurons, n_read).
    """

    def __init__(self, stepper: Stepper, paths: Paths, reads: Reads, local: Mapping[str, Tensor]) -> None:
        self.stepper, self.paths, self.reads = stepper, paths, reads
        self.module, self.local = stepper.module, dict(local)
        self.groups = groups_of(stepper, reads.population)
        self._counted: list[str] = []
        self._pending = False

    @torch.no_grad()
    def advance(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Go on by one step: `rows` are the spikes of the sources in it, shape (batch, neuron).

        Returns
        -------
        dict
            What is read after the update of this step, shape (batch, neuron): under ``""`` what the loss looks at,
            under the name of a population that of its own readout.
        """
        self._finish()
        self.stepper.update()
        self._updated()
        self.stepper.fire(rows)
        self._fired()
        self._pending = True
        shown = {name: self.stepper.fired[name] @ weights for name, weights in self.local.items()}
        population, variable = self.reads.population, self.reads.variable
        stepper = self.stepper
        shown[""] = stepper.fired[population] if variable is None else stepper.states[population][variable]
        return shown

    def _finish(self) -> None:
        """Deliver the spikes of the latest step and carry out its resets."""
        if self._pending:
            self._delivering()
            self.stepper.deliver()
            self.stepper.reset()
            self._reset()
            self._pending = False

    @torch.no_grad()
    def per_trial(self, errors: Mapping[str, Tensor]) -> dict[nn.Parameter, Tensor]:
        """Return the gradient of the sum of errors times what was read in the latest step, for each trial alone.

        Parameters
        ----------
        errors : mapping
            As what `advance` returned, for those that matter; shape (batch, n_read).

        Returns
        -------
        dict
            Parameter to tensor (batch, *parameter.shape); parameters without influence are left out.
        """
        found: dict[nn.Parameter, Tensor] = {}
        for group, gradient in self._each_trial(errors):
            parameter, own = group.each_trial(self.stepper, gradient)
            found[parameter] = found[parameter] + own if parameter in found else own
        return found

    def count(self, populations: Sequence[str]) -> None:
        """From now on sum up the influence on the spikes of some populations."""
        self._counted = list(populations)

    @torch.no_grad()
    def give(self) -> None:
        """Add the gradient that was gathered to that of the parameters, and gather anew."""
        self._finish()
        for group, gradient in self._gathered():
            group.fold(self.stepper, gradient)

    @torch.no_grad()
    def refresh(self) -> None:
        """Take notice of changed weights and parameters; influences go on as they are."""
        self._finish()
        self.stepper.refresh()

    @torch.no_grad()
    def restart(self, of: Tensor | None = None) -> None:
        """Go back to the state before the first step, in all trials or in those of `of` (batch,)."""
        self._finish()
        self.stepper.begin(of)
        self._restarted(of)

    @property
    def spikes(self) -> Mapping[str, Tensor]:
        """Spikes of the latest step, shape (batch, neuron)."""
        return self.stepper.fired

    @abstractmethod
    def accumulate(self, errors: Mapping[str, Tensor]) -> None:
        """Add to the gradient that of the sum of errors times what was read in the latest step, as for `per_trial`."""

    @abstractmethod
    def sum_up(self) -> None:
        """Add what was read in the latest step, and the influence on it, to the sums over steps."""

    @abstractmethod
    def accumulate_sums(self, errors: Mapping[str, Tensor]) -> None:
        """Add to the gradient that of the sum of errors (batch, n_read) times what was summed up."""

    @abstractmethod
    def accumulate_counts(self, population: str, errors: Tensor) -> None:
        """Add to the gradient that of the sum of errors (batch, neuron) times spike counts, and count anew.

        Unless all paths across layers are followed, only those of the population's own parameters count.
        """

    @abstractmethod
    def _updated(self) -> None:
        """Follow a state update."""

    @abstractmethod
    def _fired(self) -> None:
        """Follow the thresholds."""

    @abstractmethod
    def _delivering(self) -> None:
        """Follow what arrives, before it does."""

    @abstractmethod
    def _reset(self) -> None:
        """Follow the resets."""

    @abstractmethod
    def _each_trial(self, errors: Mapping[str, Tensor]) -> Iterable[tuple[Group, Tensor]]:
        """Return gradients of entries, (batch, *entries), to be added up."""

    @abstractmethod
    def _gathered(self) -> Iterable[tuple[Group, Tensor]]:
        """Return the gradients of entries that were gathered, and gather anew."""

    @abstractmethod
    def _restarted(self, of: Tensor | None) -> None:
        """Forget influences, in all trials or some."""
