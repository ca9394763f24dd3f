"""Burst-dependent learning of rates in continuous time, between spiking circuits and the reduced model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from snncompare import provenance
from snncompare.errors import InputError
from snncompare.learning.burstprop.network import BurstNetwork
from snncompare.learning.burstprop.patterns import Patterns
from snncompare.learning.burstprop.probe import error_rate
from snncompare.learning.burstprop.rule import Feedback, random_feedback
from snncompare.recording.arguments import whole_number
from snncompare.values import check_arguments, check_fields

__all__ = ["ContinuousBurstprop", "ContinuousState", "Moment", "TrainedContinuously", "train_continuously"]


@dataclass
class ContinuousState:
    """Where the dynamics stand; lists have an entry for each layer, tensors a row for each copy of the network.

    Attributes
    ----------
    soma : list of Tensor
        Potentials v.
    dendrite : list of Tensor
        Potentials u of the hidden layers.
    mean_events, mean_bursts : list of Tensor
        Moving averages of e and b.
    feedback : list of Tensor
        Y onto each hidden layer; empty where it is symmetric.
    """

    soma: list[Tensor]
    dendrite: list[Tensor]
    mean_events: list[Tensor]
    mean_bursts: list[Tensor]
    feedback: list[Tensor]


@dataclass(frozen=True, eq=False)
class Moment:
    r"""One time step of a presentation.

    Attributes
    ----------
    time : float
        Since the beginning of the presentation.
    teaching : bool
    events : list of Tensor
        Event rates of each layer.
    burst_probability, expected : list of Tensor
        Burst probability p of each layer, and what it was on average, :math:`\bar p`.
    """

    time: float
    teaching: bool
    events: list[Tensor]
    burst_probability: list[Tensor]
    expected: list[Tensor]


@dataclass(frozen=True)
class ContinuousBurstprop:
    r"""Two phases in continuous time: a prediction without, then teaching with changes of weights.

    .. math::
        \tau_v \dot v_l &= -v_l + W_l e_{l-1} + c_l, \qquad e_l = f(v_l) \\
        \tau_u \dot u_l &= -u_l + (Y_l^\top b_{l+1}) \odot h(e_l), \qquad p_l = \sigma(\beta u_l), \quad b = p e \\
        p_L &= p_0 \;\text{without teacher}, \qquad p_L = p_0 [1 + \tanh((t - \bar e_L)/\bar e_L)] \;\text{with} \\
        \tau_{avg} \dot{\bar e} &= -\bar e + e, \qquad \tau_{avg} \dot{\bar b} = -\bar b + b, \qquad
        \bar p = \bar b/\bar e \\
        \tau_W \dot W_l &= M(t) ((p_l - \bar p_l) e_l) e_{l-1}^\top - \lambda \max(0, e_l - e_{max}) W_l

    with M = 1 while taught; the decay of too active ensembles acts in both phases, else exponential rates would grow
    without bound. Times have no unit, as in the authors' program. Steps are forward Euler; a batch is as many copies of
    the network that share weights, whose changes add up; each copy keeps its averages from one example to the next.
    Payeur et al. (2021), Nat Neurosci 24, extended data figure 4; its constants, for a `BurstNetwork` 784-200-10 with
    ``hidden="exponential"`` and ``output="softmax"``.

    Parameters
    ----------
    feedback : Feedback
        Fixed or symmetric.
    feedback_scale : float
        Standard deviation of fixed Y.
    slope, baseline : float
        :math:`\beta, p_0`.
    dt, prediction, teaching : float
        Time step, and lengths of the phases.
    tau_soma, tau_dendrite, tau_weights, tau_average : float
    decay, highest_rate : float
        :math:`\lambda, e_{max}`.
    """

    feedback: Feedback = Feedback.FIXED
    feedback_scale: float = 0.1
    slope: float = 1.0
    baseline: float = 0.5
    dt: float = 0.1
    prediction: float = 5.0
    teaching: float = 0.5
    tau_soma: float = 0.1
    tau_dendrite: float = 0.1
    tau_weights: float = 100.0
    tau_average: float = 5.0
    decay: float = 0.05
    highest_rate: float = 5.0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.feedback is Feedback.LEARNED:
            raise InputError("feedback in continuous time is Feedback.FIXED or Feedback.SYMMETRIC, got LEARNED.")
        shortest = min(self.tau_soma, self.tau_dendrite, self.tau_average, self.prediction, self.teaching)
        if not 0 < self.dt <= shortest or not self.tau_weights > 0:
            raise InputError(
                "dt must be above 0 and not longer than the phases and than tau_soma, tau_dendrite and tau_average: "
                f"at most {shortest}; tau_weights must be above 0; got {self.dt} and {self.tau_weights}."
            )
        if not 0 < self.baseline <= 0.5 or not self.slope > 0 or min(self.decay, self.feedback_scale) < 0:
            raise InputError(
                "baseline must be above 0 and at most 0.5, slope above 0, decay and feedback_scale at least 0, got "
                f"{self.baseline}, {self.slope}, {self.decay} and {self.feedback_scale}."
            )

    def begin(self, network: BurstNetwork, copies: int, seed: int = 0) -> ContinuousState:
        """Return the state of so many copies of a network at rest, their averages at what they are at rest."""
        kind = network.torch_dtype
        soma = [torch.zeros((copies, *wiring.shape_out), dtype=kind) for wiring in network.wirings]
        events = [network.rate_of(k, v) for k, v in enumerate(soma)]
        expected = [0.5] * (network.n_layers - 1) + [self.baseline]
        random = torch.Generator().manual_seed(whole_number("seed", seed, 0))
        fixed = self.feedback is Feedback.FIXED
        return ContinuousState(
            soma,
            [torch.zeros_like(v) for v in soma[:-1]],
            [e.clone() for e in events],
            [p * e for p, e in zip(expected, events, strict=True)],
            random_feedback(network, self.feedback_scale, random) if fixed else [],
        )

    def moments(
        self, network: BurstNetwork, state: ContinuousState, inputs: Tensor, targets: Tensor | None = None
    ) -> Iterator[Moment]:
        """Present one input to each copy; give every time step. Targets (copy, output) add the teaching phase.

        State and weights are changed in place.
        """
        n_prediction, n_teaching = (round(length / self.dt) for length in (self.prediction, self.teaching))
        first = network.wirings[0].drive(inputs, network.weights[0], network.biases[0])
        for step in range(n_prediction + (n_teaching if targets is not None else 0)):
            taught = targets if step >= n_prediction else None
            moment = self._step(network, state, first, taught, step * self.dt)
            if self._decayed(network, moment) or taught is not None:
                if taught is not None:
                    self._learn(network, [inputs, *moment.events], moment)
                first = network.wirings[0].drive(inputs, network.weights[0], network.biases[0])
            yield moment

    def present(
        self, network: BurstNetwork, state: ContinuousState, inputs: Tensor, targets: Tensor | None = None
    ) -> Tensor:
        """Present one input to each copy, teach it where targets are given; return the outputs it predicted."""
        predicted = None
        for moment in self.moments(network, state, inputs, targets):
            if not moment.teaching:
                predicted = moment.events[-1]
        assert predicted is not None
        return predicted

    def _step(
        self, network: BurstNetwork, state: ContinuousState, first: Tensor, taught: Tensor | None, time: float
    ) -> Moment:
        """Move soma, dendrites and averages by dt."""
        events = [network.rate_of(k, v) for k, v in enumerate(state.soma)]
        probability = [torch.sigmoid(self.slope * u) for u in state.dendrite]
        probability.append(self._output(events[-1], state.mean_events[-1], taught))
        bursts = [p * e for p, e in zip(probability, events, strict=True)]
        expected = [b / e for b, e in zip(state.mean_bursts, state.mean_events, strict=True)]
        feedback = state.feedback or network.weights[1:]
        for k, u in enumerate(state.dendrite):
            arriving = network.wirings[k + 1].back(bursts[k + 1], feedback[k]) * network.relative_slope(k, events[k])
            u.add_(arriving - u, alpha=self.dt / self.tau_dendrite)
        for k, v in enumerate(state.soma):
            drive = first
            if k > 0:
                drive = network.wirings[k].drive(events[k - 1], network.weights[k], network.biases[k])
            v.add_(drive - v, alpha=self.dt / self.tau_soma)
        for mean, now in zip((*state.mean_events, *state.mean_bursts), (*events, *bursts), strict=True):
            mean.add_(now - mean, alpha=self.dt / self.tau_average)
        return Moment(time, taught is not None, events, probability, expected)

    def _output(self, events: Tensor, mean: Tensor, taught: Tensor | None) -> Tensor:
        if taught is None:
            return torch.full_like(events, self.baseline)
        return self.baseline * (1 + torch.tanh((taught - mean) / mean))

    def _decayed(self, network: BurstNetwork, moment: Moment) -> bool:
        """Let weights of ensembles above the highest rate decay by a time step; return whether there were any."""
        rate, found = self.decay * self.dt / self.tau_weights, False
        for wiring, weight, events in zip(network.wirings, network.weights, moment.events, strict=True):
            above = wiring.sum_of((events - self.highest_rate).clamp_min(0.0))
            if rate and bool(above.any()):
                weight.mul_((1 - rate * above).clamp_min(0.0).reshape(-1, *[1] * (weight.ndim - 1)))
                found = True
        return found

    def _learn(self, network: BurstNetwork, rates: list[Tensor], moment: Moment) -> None:
        """Change the weights by one time step of the teaching phase."""
        rate = self.dt / self.tau_weights
        for k, wiring in enumerate(network.wirings):
            change = (moment.burst_probability[k] - moment.expected[k]) * moment.events[k]
            wiring.add_product(network.weights[k], change, rates[k], keep=1.0, rate=rate)
            network.biases[k].add_(wiring.sum_of(change), alpha=rate)


@dataclass(frozen=True, eq=False)
class TrainedContinuously:
    """What `train_continuously` returns.

    Attributes
    ----------
    network : BurstNetwork
        The one that was given, after learning.
    history : pandas.DataFrame
        A row before learning and one after each epoch: ``epoch``, ``training_error`` (of predictions while learning)
        and ``test_error`` (of event rates at rest, as `BurstNetwork.answers` gives them).
    provenance : dict
    """

    network: BurstNetwork
    history: pd.DataFrame
    provenance: dict[str, Any] = field(default_factory=dict)


def train_continuously(
    network: BurstNetwork,
    rule: ContinuousBurstprop,
    training: Patterns,
    *,
    test: Patterns,
    epochs: int = 25,
    copies: int = 1,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> TrainedContinuously:
    """Present examples one after the other, predict, teach.

    Parameters
    ----------
    network : BurstNetwork
        Is trained in place.
    rule : ContinuousBurstprop
    training, test : Patterns
    epochs : int
    copies : int
        Examples presented side by side, whose changes add up; 1 as published. What does not fill all copies at the end
        of an epoch is left out of it.
    seed : int
        Of feedback and order.
    progress : callable, optional
        Receives one line per epoch.

    Raises
    ------
    InputError
        If network and patterns do not fit together, or weights stop being finite.
    """
    check_arguments(train_continuously, locals())
    (inputs, labels), held_out = training.for_network(network), test.for_network(network)
    if whole_number("copies", copies, 1) > len(labels):
        raise InputError(f"{copies} copies need as many examples, got {len(labels)}; use fewer copies.")
    targets = torch.eye(network.n_outputs, dtype=network.torch_dtype)[labels]
    state, order = rule.begin(network, copies, seed), np.random.default_rng([seed, 1])
    rows = [{"epoch": 0.0, "training_error": float("nan"), **error_rate(network, {"test": held_out})}]
    for epoch in range(1, whole_number("epochs", epochs, 1) + 1):
        shuffled = torch.from_numpy(order.permutation(len(labels)))
        wrong, seen = 0, 0
        for chosen in shuffled[: len(labels) // copies * copies].split(copies):
            predicted = rule.present(network, state, inputs[chosen], targets[chosen])
            wrong, seen = wrong + int((predicted.argmax(1) != labels[chosen]).sum()), seen + copies
        if not all(bool(torch.isfinite(weight).all()) for weight in network.weights):
            raise InputError(f"weights are no longer finite numbers in epoch {epoch}; use a longer tau_weights.")
        row = {"epoch": float(epoch), "training_error": wrong / seen, **error_rate(network, {"test": held_out})}
        rows.append(row)
        if progress is not None:
            progress(f"epoch {epoch}/{epochs}: training error {wrong / seen:.2%}, test error {row['test_error']:.2%}")
    record: dict[str, Any] = {"network": network.described(), "rule": repr(rule), "training": training.fingerprint()}
    record |= {"test": test.fingerprint(), "epochs": epochs, "copies": copies, "seed": seed}
    return TrainedContinuously(network, pd.DataFrame(rows).astype({"epoch": int}), provenance.collect(**record))
