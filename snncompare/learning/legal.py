"""Which points on the axes of learning rules exist, and for which networks and losses."""

from collections.abc import Callable
from dataclasses import dataclass

from snncompare.backends.activity import spiking
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.errors import UnsupportedError
from snncompare.learning.losses.loss import Form, Loss, Penalty
from snncompare.learning.losses.spike_trains import VanRossum
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import EverySteps, Execution, PerSynapse, Snap
from snncompare.learning.signals import AdaptiveFeedback, BurstFeedback, LocalReadouts, Symmetric
from snncompare.network.layers import layers, readouts
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.network.randomness import is_random
from snncompare.network.wiring import AllToAll, Convolution

__all__ = ["IMPOSSIBLE", "Impossible", "check"]


@dataclass(frozen=True)
class _Case:
    rule: LearningRule
    network: Network
    loss: Loss
    penalties: tuple[Penalty, ...]

    @property
    def forward(self) -> bool:
        return self.rule.execution is Execution.FORWARD

    @property
    def paths(self) -> Paths:
        return self.rule.paths

    @property
    def spiking_layers(self) -> int:
        """Number of layers of populations that fire by themselves."""
        populations = self.network.populations
        fires = {n for n, p in populations.items() if isinstance(p.neuron, NeuronModel) and p.neuron.threshold}
        return sum(not fires.isdisjoint(layer) for layer in layers(self.network))

    @property
    def recurrent(self) -> bool:
        """Whether a projection stays inside a layer."""
        layer = {name: k for k, members in enumerate(layers(self.network)) for name in members}
        return any(layer[p.source] == layer[p.target] for p in self.network.projections.values())


@dataclass(frozen=True)
class Impossible:
    """A combination that does not exist.

    Attributes
    ----------
    what : str
        The combination.
    legal : str
        What there is instead.
    holds : function
        Whether a rule, network and loss are such a combination.
    """

    what: str
    legal: str
    holds: Callable[[_Case], bool]


def _marks(case: _Case, key: str) -> bool:
    return any(key in projection.trainable for projection in case.network.projections.values())


def _has_state(case: _Case) -> bool:
    """Return whether a synapse has state of its own, or learns from spikes of its target."""
    synapses = (projection.synapse for projection in case.network.projections.values())
    return any(synapse.synapse_equations or synapse.on_post for synapse in synapses)


def _convolves(case: _Case) -> bool:
    return any(isinstance(projection.wiring, Convolution) for projection in case.network.projections.values())


def _lacks_readout_weights(case: _Case) -> bool:
    """Return whether a population that fires has no weights of its own to the readout that bursts could tell of."""
    signal, projections = case.rule.signal, case.network.projections.values()
    if not isinstance(signal, BurstFeedback) or not isinstance(signal.feedback, Symmetric | AdaptiveFeedback):
        return False
    readout = case.loss.reads.population
    told = [p.source for p in projections if p.target == readout and isinstance(p.wiring, AllToAll)]
    return any(told.count(name) != 1 for name in spiking(case.network))


def _is_random(case: _Case) -> bool:
    """Return whether neurons draw random numbers in a run."""
    surrogate = case.rule.surrogate
    return is_random(case.network) or (surrogate.alters_spikes and not surrogate.smooth)


IMPOSSIBLE = (
    Impossible(
        "a loss of the whole run and gradients computed forwards",
        "a loss that is a sum over steps or of the sum over steps (e.g. Over.MEAN or Over.EACH_STEP), or "
        "execution=Execution.BACKWARD",
        lambda c: c.forward and c.loss.form is Form.WHOLE_RUN,
    ),
    Impossible(
        "weights that change every few steps and a loss that is known at the end of the trial only",
        "a loss with a part at each step (e.g. Over.EACH_STEP, Regression), or schedule=AfterTrials()",
        lambda c: isinstance(c.rule.schedule, EverySteps) and c.loss.form is not Form.EACH_STEP,
    ),
    Impossible(
        "a penalty on the timing of spikes and gradients computed forwards",
        "a penalty on counts (RateLimit, RateTarget), or execution=Execution.BACKWARD",
        lambda c: c.forward and any(penalty.needs_steps for penalty in c.penalties),
    ),
    Impossible(
        "trained delays and gradients computed forwards",
        "fixed delays, or execution=Execution.BACKWARD",
        lambda c: c.forward and _marks(c, "delay"),
    ),
    Impossible(
        "synapses with state of their own and gradients computed forwards",
        "synapses that only add to their target, or execution=Execution.BACKWARD",
        lambda c: c.forward and _has_state(c),
    ),
    Impossible(
        "convolutions and gradients computed forwards",
        "dense or sparse wiring, or execution=Execution.BACKWARD",
        lambda c: c.forward and _convolves(c),
    ),
    Impossible(
        "checkpoint_every and gradients computed forwards, which keep no history",
        "checkpoint_every=None, or execution=Execution.BACKWARD",
        lambda c: c.forward and c.rule.checkpoint_every is not None,
    ),
    Impossible(
        "one trace per synapse (PerSynapse) and recurrent paths, where a synapse influences all neurons of its layer",
        "storage=FullInfluence() or Snap(n), or Paths(recurrent=False)",
        lambda c: c.forward and isinstance(c.rule.storage, PerSynapse) and c.paths.recurrent and c.recurrent,
    ),
    Impossible(
        "one trace per synapse (PerSynapse) and paths through the history of the layers above",
        "storage=FullInfluence(), or CrossLayer.INSTANT or CrossLayer.NONE",
        lambda c: (
            c.forward
            and isinstance(c.rule.storage, PerSynapse)
            and c.paths.cross_layer is CrossLayer.FULL
            and c.spiking_layers > 1
        ),
    ),
    Impossible(
        "Snap, which leaves out influence forwards, and gradients computed backwards",
        "execution=Execution.FORWARD",
        lambda c: not c.forward and isinstance(c.rule.storage, Snap),
    ),
    Impossible(
        "errors that are broadcast from a readout and a loss of spikes",
        "a loss of a readout's membrane, or signal=Symmetric()",
        lambda c: not isinstance(c.rule.signal, Symmetric) and c.loss.reads.variable is None,
    ),
    Impossible(
        "errors that are broadcast from a readout and a network without one",
        "a population without threshold that projections lead to, or signal=Symmetric()",
        lambda c: (
            not isinstance(c.rule.signal, Symmetric | LocalReadouts)
            and not any(c.network.incoming(name) for name in readouts(c.network))
        ),
    ),
    Impossible(
        "bursts that tell of errors by the readout's own weights, or by weights that learn as those do, and a spiking "
        "population without one all-to-all projection to the readout",
        "BurstFeedback(feedback=RandomFeedback()), or a projection from each spiking population to the readout",
        _lacks_readout_weights,
    ),
    Impossible(
        "a loss of filtered spikes and paths without the readout's memory, which the filter is",
        "Paths(readout=True), or a loss of a readout's membrane or of spike counts",
        lambda c: isinstance(c.loss, VanRossum) and not c.paths.readout,
    ),
    Impossible(
        "neurons that fire at random and paths that follow only the first effect of a spike on them, which would draw "
        "twice",
        "CrossLayer.FULL or CrossLayer.NONE with Paths(readout=True), or neurons without noise",
        lambda c: (
            _is_random(c)
            and (not c.paths.readout or (c.paths.cross_layer is CrossLayer.INSTANT and c.spiking_layers > 1))
        ),
    ),
)
"""Combinations of rule, network and loss that are refused."""


def check(rule: LearningRule, network: Network, loss: Loss, penalties: tuple[Penalty, ...] = ()) -> None:
    """Refuse what cannot be computed.

    Raises
    ------
    UnsupportedError
        With the combination that does not exist, and the legal choices.
    """
    case = _Case(rule, network, loss, tuple(penalties))
    for impossible in IMPOSSIBLE:
        if impossible.holds(case):
            raise UnsupportedError(f"there is no rule with {impossible.what}; choose {impossible.legal}.")
