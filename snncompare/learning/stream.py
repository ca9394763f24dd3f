"""Learning from endless input, step by step."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from snncompare import provenance
from snncompare.backends.realisation import Given, realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.errors import InputError, UnsupportedError, one_line
from snncompare.learning.faults import check_numbers
from snncompare.learning.fitting import check_read
from snncompare.learning.gradients.choose import engine_for
from snncompare.learning.gradients.forward.engine import Forward
from snncompare.learning.gradients.forward.errors import Errors
from snncompare.learning.losses import Form, Loss, Penalty, VanRossum, Wants
from snncompare.learning.optimiser import Optimiser
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import EverySteps, Execution
from snncompare.learning.trained import Trained
from snncompare.network.network import Network
from snncompare.units import QuantityLike, seconds
from snncompare.values import check_arguments

__all__ = ["Stream"]


class Stream:
    """A network that learns while it runs, without an end; memory does not grow with time.

    Weights change after every `EverySteps.steps` steps, which are one block for the loss and for penalties. The
    learning rate stays that of the first epoch.

    Parameters
    ----------
    network : Network
        With one spike source.
    rule : LearningRule
        With ``execution=Execution.FORWARD`` and ``schedule=EverySteps(n)``.
    loss : Loss
        One with a part at each step.
    dt : quantity
        Time step.
    penalties : sequence of Penalty
        On spike counts in a block.
    weights : Realisation or mapping
        What is not drawn, see `snncompare.backends.realisation.Given`.
    seed : int
        Of the initial weights and of what is random in the network.

    Attributes
    ----------
    n_steps : int
        Steps that are over.

    Raises
    ------
    UnsupportedError
        For rules and losses that need the end of a trial.

    Examples
    --------
    >>> stream = Stream(network, rule, loss, dt="1 ms")  # doctest: +SKIP
    >>> for spikes, answer in sensor:  # doctest: +SKIP
    ...     shown = stream.step(spikes, answer)
    >>> stream.trained().save("trained")  # doctest: +SKIP
    """

    def __init__(
        self,
        network: Network,
        rule: LearningRule,
        loss: Loss,
        *,
        dt: QuantityLike,
        penalties: Sequence[Penalty] = (),
        weights: Given | None = None,
        seed: int = 0,
    ) -> None:
        check_arguments(Stream.__init__, locals())
        schedule = rule.schedule
        if rule.execution is not Execution.FORWARD or not isinstance(schedule, EverySteps):
            raise UnsupportedError(
                "a stream has no end to compute gradients from; take a rule with execution=Execution.FORWARD and "
                "schedule=EverySteps(n)."
            )
        if loss.form is not Form.EACH_STEP or loss.wants is Wants.INPUT:
            raise UnsupportedError("a stream needs a loss with a part at each step, for example Regression.")
        if isinstance(loss, VanRossum):
            raise UnsupportedError("a stream has no whole target to filter; take a loss of a readout, as Regression.")
        if len(network.sources()) != 1:
            raise InputError(f"a stream needs a network with one spike source, got {len(network.sources())}.")
        check_read(network, loss)
        (self._source,), self._every, self._seed = network.sources(), schedule.steps, seed
        self._n_inputs = network.populations[self._source].size
        self._n_read = network.populations[loss.reads.population].size
        step = seconds(dt, "dt")
        drawn = realise(network, seed, {} if weights is None else weights, dt=step)
        self._module = TorchNetwork(network, step, drawn, surrogate=rule.surrogate, paths=rule.paths)
        engine = engine_for(self._module, rule, loss, penalties)
        assert isinstance(engine, Forward)
        self._engine = engine
        feedback = {name: (each, engine.feedback.unit(name)) for name, each in engine.feedback.named_parameters()}
        self._optimiser = Optimiser(self._module, rule, feedback)
        self._rate, self._wants = rule.optimiser.rate_at(0, 1), loss.wants
        self._optimiser.set_rate(self._rate)
        self._run = engine.begin(1, seed=seed)
        self._errors = Errors(
            engine.loss, engine.penalties, self._run, self._every, keep=False, feedback=engine.feedback
        )
        self._record: dict[str, Any] = {
            "network": network.fingerprint(),
            "rule": repr(rule),
            "loss": repr(loss),
            "dt_seconds": step,
        }
        self.n_steps = 0

    def step(self, spikes: ArrayLike, target: ArrayLike | None = None) -> NDArray[np.float64]:
        """Go on by one step and learn from it.

        Parameters
        ----------
        spikes : array, shape (n_inputs,)
            Number of spikes of each input in this step.
        target : int or array, shape (n_read,), optional
            What the loss asks for: a label, or the answer in this step; nothing is asked without.

        Returns
        -------
        array, shape (n_read,)
            What the loss reads after the state update of this step, in SI units.

        Raises
        ------
        InputError
            For spikes or a target of another shape or kind.
        TrainingFaultError
            If loss or gradients are not finite; the weights are then those of the block before.
        """
        given = np.asarray(spikes)
        if given.shape != (self._n_inputs,):
            raise InputError(f"spikes must have the shape ({self._n_inputs},), got {given.shape}.")
        if given.dtype.kind not in "buif" or not (np.isfinite(given).all() and (given >= 0).all()):
            raise InputError(f"spikes must be finite numbers of at least 0, got {one_line(str(given), 80)}.")
        row = torch.as_tensor(given, dtype=self._run.stepper.like.dtype)
        asked = None if target is None else self._asked(target)
        shown = self._run.advance({self._source: row.unsqueeze(0)})
        self._errors.step(self.n_steps % self._every, shown, asked)
        self.n_steps += 1
        if self.n_steps % self._every == 0:
            learnt = self._errors.block(self._every)
            self._engine.feedback.follow_()
            block = self.n_steps // self._every
            check_numbers(learnt.loss, self._optimiser.norms(), 1, block, self._rate)
            self._optimiser.update()
            self._engine.feedback.decay_()
            self._run.refresh()
        return shown[""][0].detach().cpu().numpy().astype(np.float64)

    def _asked(self, target: ArrayLike) -> torch.Tensor:
        """Return a label or an answer of one step, with a dimension for the trial."""
        given = np.asarray(target)
        if self._wants is Wants.LABELS:
            if given.shape != () or given.dtype.kind not in "ui" or not 0 <= given < self._n_read:
                raise InputError(f"target must be a label from 0 to {self._n_read - 1}, got {target!r}.")
            return torch.as_tensor(given.astype(np.int64)).unsqueeze(0)
        if given.shape != (self._n_read,) or given.dtype.kind not in "buif" or np.isinf(given).any():
            raise InputError(
                f"target must be {self._n_read} finite numbers, NaN where nothing is asked, got "
                f"{one_line(str(target), 80)}."
            )
        return torch.as_tensor(given).unsqueeze(0)

    @property
    def spikes(self) -> Mapping[str, NDArray[np.float64]]:
        """Spikes of the latest step by population, shape (n_neurons,)."""
        return {name: fired[0].cpu().numpy().astype(np.float64) for name, fired in self._run.spikes.items()}

    def trained(self) -> Trained:
        """Return the network as it is now; its history is empty."""
        record = {**self._record, "steps": self.n_steps}
        return Trained(
            self._module.description(),
            self._module.realisation(),
            pd.DataFrame(),
            provenance.collect(seed=self._seed, **record),
        )
