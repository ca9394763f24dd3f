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
from snncompare.errors import InputError, UnsupportedError
from snncompare.learning.gradients.choose import engine_for
from snncompare.learning.gradients.forward.engine import Forward
from snncompare.learning.gradients.forward.errors import Errors
from snncompare.learning.losses import Form, Loss, Penalty, Wants
from snncompare.learning.optimiser import Optimiser
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import EverySteps, Execution
from snncompare.learning.trained import Trained
from snncompare.network.network import Network
from snncompare.units import QuantityLike, seconds

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
        schedule = rule.schedule
        if rule.execution is not Execution.FORWARD or not isinstance(schedule, EverySteps):
            raise UnsupportedError(
                "a stream has no end to compute gradients from; take a rule with execution=Execution.FORWARD and "
                "schedule=EverySteps(n)."
            )
        if loss.form is not Form.EACH_STEP or loss.wants is Wants.INPUT:
            raise UnsupportedError("a stream needs a loss with a part at each step, for example Regression.")
        if len(network.sources()) != 1:
            raise InputError(f"a stream needs a network with one spike source, got {len(network.sources())}.")
        (self._source,), self._every, self._seed = network.sources(), schedule.steps, seed
        self._n_inputs = network.populations[self._source].size
        step = seconds(dt, "dt")
        drawn = realise(network, seed, {} if weights is None else weights, dt=step)
        self._module = TorchNetwork(network, step, drawn, surrogate=rule.surrogate, paths=rule.paths)
        engine = engine_for(self._module, rule, loss, penalties)
        assert isinstance(engine, Forward)
        self._engine = engine
        feedback = {name: (each, engine.feedback.unit(name)) for name, each in engine.feedback.named_parameters()}
        self._optimiser = Optimiser(self._module, rule, feedback)
        self._optimiser.set_rate(rule.optimiser.rate_at(0, 1))
        self._run = engine.begin(1, seed=seed)
        self._errors = Errors(engine.loss, engine.penalties, self._run, self._every, keep=False)
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
        """
        row = torch.as_tensor(np.asarray(spikes), dtype=self._run.stepper.like.dtype)
        if tuple(row.shape) != (self._n_inputs,):
            raise InputError(f"spikes must have the shape ({self._n_inputs},), got {tuple(row.shape)}.")
        asked = None if target is None else torch.as_tensor(np.asarray(target)).unsqueeze(0)
        shown = self._run.advance({self._source: row.unsqueeze(0)})
        self._errors.step(self.n_steps % self._every, shown, asked)
        self.n_steps += 1
        if self.n_steps % self._every == 0:
            self._errors.block(self._every)
            self._optimiser.update()
            self._engine.feedback.decay_()
            self._run.refresh()
        return shown[""][0].detach().cpu().numpy().astype(np.float64)

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
