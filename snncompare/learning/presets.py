r"""The learning rules of the literature, as points on the axes of `LearningRule`.

With a neuron's state :math:`s`, update :math:`u = F(s)`, spike :math:`z = H(u)`, surrogate :math:`\psi = \partial z/
\partial u` and error :math:`E`, all rules here are

.. math::
    \frac{dE}{dw} \approx \sum_t \Big(\frac{\partial E}{\partial z^t}\Big)^{*} \Big(\frac{d z^t}{dw}\Big)^{*}

and differ in what of both factors they keep (Zenke and Neftci 2021, Proceedings of the IEEE 109:935; Marschall, Cho and
Savin 2020, Journal of Machine Learning Research 21:135). Norms of gradients differ too: without the reset's path, for
example, they are larger, so that learning rates are not those of another rule.
"""

from dataclasses import replace

from snncompare.backends.torch.surrogates import Surrogate
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.learning.optimisers import Adam, Adamax, Optimisation
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import EverySteps, Execution, FullInfluence, PerSynapse, Snap
from snncompare.learning.signals import (
    AdaptiveFeedback,
    BurstFeedback,
    LearningSignal,
    LocalReadouts,
    RandomFeedback,
    Symmetric,
)

__all__ = [
    "bptt",
    "burst_dependent",
    "checkpointed_bptt",
    "d_rtrl",
    "decolle",
    "eprop",
    "ostl",
    "rflo",
    "rtrl",
    "snap",
    "superspike",
    "truncated_bptt",
]


_RANDOM, _LOCAL = RandomFeedback(), LocalReadouts()
_OF_DECOLLE = Adamax(1e-3, betas=(0.0, 0.95))


def bptt(surrogate: Surrogate, *, optimiser: Optimisation = Adam()) -> LearningRule:
    r"""Return back-propagation through time: every path, backwards.

    .. math::
        \frac{dE}{dw} = \sum_t \frac{dE}{ds^t} \frac{\partial s^t}{\partial w}, \qquad
        \frac{dE}{ds^t} = \frac{\partial E}{\partial s^t} + \frac{dE}{ds^{t+1}} \frac{\partial s^{t+1}}{\partial s^t}

    Werbos (1990) Proceedings of the IEEE 78:1550; with surrogates for spikes Neftci, Mostafa and Zenke (2019) IEEE
    Signal Processing Magazine 36:51. `surrogate_gradient` is the same without the path through the reset.

    Parameters
    ----------
    surrogate : Surrogate
        What stands for the derivative of a spike.
    optimiser : Optimisation
    """
    return LearningRule(surrogate=surrogate, paths=Paths(), optimiser=optimiser)


def truncated_bptt(surrogate: Surrogate, steps: int, *, optimiser: Optimisation = Adam()) -> LearningRule:
    """Return back-propagation through windows of some steps, after each of which weights change.

    The state goes on from window to window, its gradient does not. Williams and Peng (1990) Neural Computation 2:490.

    Parameters
    ----------
    surrogate : Surrogate
    steps : int
        Length of a window.
    optimiser : Optimisation
    """
    return replace(bptt(surrogate, optimiser=optimiser), schedule=EverySteps(steps))


def checkpointed_bptt(surrogate: Surrogate, every: int, *, optimiser: Optimisation = Adam()) -> LearningRule:
    """Return back-propagation through time with less memory: the same gradient.

    The state is kept every so many steps, what lies between is computed again. With T steps and pieces of the root of T
    memory grows with the root of T. Griewank (1992) Optimization Methods and Software 1:35; Chen et al. (2016) arXiv
    1604.06174.

    Parameters
    ----------
    surrogate : Surrogate
    every : int
        Steps of a piece.
    optimiser : Optimisation
    """
    return replace(bptt(surrogate, optimiser=optimiser), checkpoint_every=every)


def rtrl(surrogate: Surrogate, *, optimiser: Optimisation = Adam()) -> LearningRule:
    r"""Return real-time recurrent learning: the gradient of `bptt`, forwards.

    .. math::
        \frac{ds^{t+1}}{dw} =
        \frac{\partial s^{t+1}}{\partial s^t} \frac{ds^t}{dw} + \frac{\partial s^{t+1}}{\partial w}

    Williams and Zipser (1989) Neural Computation 1:270. Memory grows with neurons times parameters: for small networks.

    Parameters
    ----------
    surrogate : Surrogate
    optimiser : Optimisation
    """
    return replace(bptt(surrogate, optimiser=optimiser), execution=Execution.FORWARD, storage=FullInfluence())


def eprop(
    surrogate: Surrogate,
    *,
    feedback: Symmetric | RandomFeedback | AdaptiveFeedback = Symmetric(),
    execution: Execution = Execution.FORWARD,
    optimiser: Optimisation = Adam(),
) -> LearningRule:
    r"""Return e-prop 1: what a synapse can know of its influence on its own neuron, times a learning signal.

    .. math::
        \frac{dE}{dw_{ji}} \approx \sum_t L_j^t \bar e_{ji}^t, \qquad
        e_{ji}^t = \psi_j^t (\bar z_i^t - \beta_j \epsilon_{ji}^t), \qquad
        \epsilon_{ji}^{t+1} = \rho_j \epsilon_{ji}^t + e_{ji}^t, \qquad L_j^t = \sum_k B_{jk} (y_k^t - y_k^{*,t})

    for adaptive integrate-and-fire neurons; :math:`\bar z_i` is the presynaptic spike train filtered by the membrane,
    :math:`\bar e` the trace filtered by the readout's membrane. For other neurons :math:`e` follows from their
    equations. No path through other neurons, and none through the membrane's reset, but through the adaptation. Bellec
    et al. (2020) Nature Communications 11:3625.

    Parameters
    ----------
    surrogate : Surrogate
        In the paper `Triangle` with ``width`` the threshold, and ``scale`` the threshold divided by 0.3.
    feedback : LearningSignal
        :math:`B`. With `Symmetric`, layers below the last learn from their spikes' instantaneous effect on the layers
        above; otherwise errors are broadcast to all layers.
    execution : Execution
        Forwards, online, or backwards: the same gradient.
    optimiser : Optimisation
    """
    across = CrossLayer.INSTANT if isinstance(feedback, Symmetric) else CrossLayer.NONE
    return LearningRule(
        surrogate=surrogate,
        paths=Paths(recurrent=False, reset=False, cross_layer=across),
        signal=feedback,
        execution=execution,
        storage=PerSynapse(),
        optimiser=optimiser,
    )


def ostl(
    surrogate: Surrogate,
    *,
    recurrent: bool = True,
    execution: Execution = Execution.FORWARD,
    optimiser: Optimisation = Adam(),
) -> LearningRule:
    r"""Return online spatio-temporal learning: exact in time within each layer, instantaneous between layers.

    .. math::
        \frac{dE}{dw} \approx \sum_t L_l^t e_l^t, \qquad
        \epsilon_l^{t} = \frac{ds_l^{t}}{ds_l^{t-1}} \epsilon_l^{t-1} + \frac{\partial s_l^{t}}{\partial w}, \qquad
        e_l^t = \psi_l^t \epsilon_l^t

    with :math:`L_l^t` from the error at this step only: neither the layers above nor the readout are asked what they
    remember. Bohnstingl et al. (2023) IEEE Transactions on Neural Networks and Learning Systems 34:8894.

    Parameters
    ----------
    surrogate : Surrogate
    recurrent : bool
        Whether paths through other neurons of the layer are followed ("with H"); without, one trace per synapse.
    execution : Execution
    optimiser : Optimisation
    """
    return LearningRule(
        surrogate=surrogate,
        paths=Paths(recurrent=recurrent, cross_layer=CrossLayer.INSTANT, readout=False),
        execution=execution,
        storage=FullInfluence() if recurrent else PerSynapse(),
        optimiser=optimiser,
    )


def rflo(
    surrogate: Surrogate,
    *,
    feedback: RandomFeedback = _RANDOM,
    execution: Execution = Execution.FORWARD,
    optimiser: Optimisation = Adam(),
) -> LearningRule:
    r"""Return random feedback local online learning.

    .. math::
        \frac{dE}{dw_{ab}} \approx \sum_t (B \epsilon^t)_a\, p_{ab}^t, \qquad
        p_{ab}^{t} = (1 - \tfrac{1}{\tau})\, p_{ab}^{t-1} + \tfrac{1}{\tau}\, \phi'(u_a^t)\, h_b^{t-1}

    in the paper for rate units; here :math:`p` is what remains of a neuron's Jacobian without recurrent paths, reset
    and adaptation, times :math:`\psi`. Murray (2019) eLife 8:e43299.

    Parameters
    ----------
    surrogate : Surrogate
    feedback : RandomFeedback
        :math:`B`.
    execution : Execution
    optimiser : Optimisation
    """
    return LearningRule(
        surrogate=surrogate,
        paths=Paths(recurrent=False, reset=False, adaptation=False, cross_layer=CrossLayer.NONE, readout=False),
        signal=feedback,
        execution=execution,
        optimiser=optimiser,
    )


def decolle(
    surrogate: Surrogate,
    *,
    readouts: LocalReadouts = _LOCAL,
    steps: int = 1,
    execution: Execution = Execution.FORWARD,
    optimiser: Optimisation = _OF_DECOLLE,
) -> LearningRule:
    r"""Return deep continuous local learning: every layer has its own fixed random readout and its own error.

    .. math::
        \frac{dE}{dw_{ij}^l} \approx \sum_t \frac{\partial E_l^t}{\partial z_i^t}\, \psi_i^t\, P_j^t, \qquad
        y_l^t = G_l z_l^t

    :math:`P_j` is the presynaptic spike train filtered by synapse and membrane. Kaiser, Mostafa and Neftci (2020)
    Frontiers in Neuroscience 14:424.

    Parameters
    ----------
    surrogate : Surrogate
    readouts : LocalReadouts
        :math:`G_l`.
    steps : int
        Weights change after so many steps.
    execution : Execution
    optimiser : Optimisation
        By default that of the paper.
    """
    return LearningRule(
        surrogate=surrogate,
        paths=Paths(recurrent=False, reset=False, adaptation=False, cross_layer=CrossLayer.NONE, readout=False),
        signal=readouts,
        execution=execution,
        schedule=EverySteps(steps),
        optimiser=optimiser,
    )


def superspike(
    surrogate: Surrogate,
    *,
    signal: LearningSignal = Symmetric(),
    execution: Execution = Execution.FORWARD,
    optimiser: Optimisation = Adam(),
) -> LearningRule:
    r"""Return SuperSpike: learning target spike trains by a synapse's filtered influence and a filtered error.

    .. math::
        \frac{dw_{ij}}{dt} = r \int ds\; e_i(s)\; \alpha * \big[ \sigma'(U_i(s)) (\epsilon * S_j)(s) \big], \qquad
        e_i = \alpha * (\hat S_i - S_i)

    :math:`\epsilon` is the postsynaptic potential, :math:`\alpha` the kernel of the loss `VanRossum`, with which this
    rule is meant to be used. Zenke and Ganguli (2018) Neural Computation 30:1514.

    Parameters
    ----------
    surrogate : Surrogate
        In the paper the class `SuperSpike`, with a width of 1 mV.
    signal : LearningSignal
        Symmetric: hidden layers learn from their spikes' instantaneous effect on the layers above. Other signals need a
        readout.
    execution : Execution
    optimiser : Optimisation
    """
    across = CrossLayer.INSTANT if isinstance(signal, Symmetric) else CrossLayer.NONE
    return LearningRule(
        surrogate=surrogate,
        paths=Paths(recurrent=False, reset=False, adaptation=False, cross_layer=across),
        signal=signal,
        execution=execution,
        optimiser=optimiser,
    )


def burst_dependent(
    surrogate: Surrogate,
    *,
    feedback: Symmetric | RandomFeedback | AdaptiveFeedback = _RANDOM,
    slope: float = 1.0,
    offset: float = 0.0,
    execution: Execution = Execution.FORWARD,
    optimiser: Optimisation = Adam(),
) -> LearningRule:
    r"""Return burst-dependent learning: a synapse onto a neuron that fires changes with the deviation of its bursts.

    .. math::
        \frac{dw_{ji}}{dt} = \eta\, (p_j - \bar p_j)\, e_j\, \tilde e_i, \qquad
        p_j - \bar p_j = \sigma(\beta u_j + \alpha) - \sigma(\alpha), \qquad u_j = -\sum_k B_{jk} \delta_k

    for ensembles, with events :math:`e_j` of the target, the trace :math:`\tilde e_i` of events of the source and the
    burst probability :math:`p_j` that feedback to the dendrite sets; Payeur, Guerguiev, Zenke, Richards and Naud (2021)
    Nature Neuroscience 24:1010, equation 2. On the axes of `LearningRule` it is random e-prop with two changes: spikes
    stand in the place of the surrogate derivative (`Event`), and a bounded function of the error in the place of the
    error (`BurstFeedback`). The readout, which has no dendrite, learns by the error itself, to which
    :math:`p - \bar p` of the paper's output ensembles is proportional.

    Unlike in the paper, neurons are points: every spike counts as an event, there is no plateau and no burst is fired,
    the burst probability is a number that each neuron computes. :math:`\bar p` is that without an error, not a running
    average; the gate :math:`M(t)` is the window of the loss. :math:`\tilde e_i` is the postsynaptic potential, without
    a time constant of its own. Errors reach all layers from the readout, not from layer to layer. For circuits that
    fire bursts see `snncompare.learning.bursts`, for layers of ensembles `snncompare.learning.burstprop`.

    Parameters
    ----------
    surrogate : Surrogate
        `Event`, as in the paper. With another one subthreshold neurons learn, too.
    feedback : Symmetric, RandomFeedback or AdaptiveFeedback
        :math:`B`, see `BurstFeedback`.
    slope, offset : float
        :math:`\beta` and :math:`\alpha`.
    execution : Execution
        Forwards, online, or backwards: the same gradient.
    optimiser : Optimisation
    """
    return LearningRule(
        surrogate=surrogate,
        paths=Paths(recurrent=False, reset=False, adaptation=False, cross_layer=CrossLayer.NONE, readout=False),
        signal=BurstFeedback(feedback=feedback, slope=slope, offset=offset),
        execution=execution,
        optimiser=optimiser,
    )


def d_rtrl(
    surrogate: Surrogate, *, execution: Execution = Execution.FORWARD, optimiser: Optimisation = Adam()
) -> LearningRule:
    r"""Return diagonal real-time recurrent learning: the Jacobian of each neuron with itself, nothing between neurons.

    .. math::
        \epsilon_{ji}^{t} = D_j^t \epsilon_{ji}^{t-1} + \frac{\partial s_j^t}{\partial w_{ji}}, \qquad
        D_j^t = \frac{\partial s_j^{t}}{\partial s_j^{t-1}}

    with the paths through the neuron's own reset and adaptation. Wang et al. (2026) Nature Communications 17:1745.

    Parameters
    ----------
    surrogate : Surrogate
    execution : Execution
    optimiser : Optimisation
    """
    return LearningRule(
        surrogate=surrogate,
        paths=Paths(recurrent=False, cross_layer=CrossLayer.INSTANT),
        execution=execution,
        optimiser=optimiser,
    )


def snap(surrogate: Surrogate, steps: int = 1, *, optimiser: Optimisation = Adam()) -> LearningRule:
    r"""Return SnAp-n, the sparse n-step approximation of real-time recurrent learning.

    The recursion of `rtrl`, with :math:`ds_k/dw` kept only where w influences :math:`s_k` within n steps. Menick et al.
    (2021) arXiv 2006.07232.

    Parameters
    ----------
    surrogate : Surrogate
    steps : int
        n.
    optimiser : Optimisation
    """
    return replace(rtrl(surrogate, optimiser=optimiser), storage=Snap(steps))
