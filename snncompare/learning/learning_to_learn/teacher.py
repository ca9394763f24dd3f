r"""A network that is taught by another: one change of weights by the learning signals of a learning-signal generator.

The trainee runs once, the generator sees what it did, what it should have done, and sends a learning signal
:math:`L_j^t` to each of its neurons. Weights change once,

.. math::
    \Delta W_{ji} = -\eta \sum_t L_j^t e_{ji}^t, \qquad
    e_{ji}^t = \psi_j^t \bar z_i^t \text{ for integrate-and-fire neurons},

with the eligibility trace :math:`e` of e-prop, and the trainee runs again. What is made small is the error of that
second run, by everything the generator and the trainee begin with: back-propagation through both, and through the
change (e-prop 2 of Bellec et al. 2019, arXiv 1901.09049; natural e-prop of Scherr, Stöckl and Maass 2020, bioRxiv
2020.01.26.920470).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from snncompare.backends.activity import spiking
from snncompare.backends.realisation import Realisation, realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import Surrogate
from snncompare.dynamics.paths import Paths
from snncompare.errors import InputError, unknown
from snncompare.learning.learning_to_learn.opened import RECORDED, opened
from snncompare.network.network import Network
from snncompare.units import quantity
from snncompare.values import check_fields

__all__ = ["Taught", "Teacher", "Teaching", "Trial"]


@dataclass(frozen=True, kw_only=True)
class Teaching:
    r"""Who teaches whom, and how.

    Parameters
    ----------
    trainee, generator : Network
        The trainee has one spike source. The generator has three: ``clock`` receives what that source receives,
        ``trainee`` the spikes of the neurons taught, ``target`` the target as spikes.
    dt : float
        Time step, seconds.
    surrogate : Surrogate
        Of both networks.
    taught : str
        Population of the trainee that receives learning signals.
    readout, scale : str
        Population of the trainee that answers, and the membrane potential that counts as one.
    signals, signal_scale : str
        Population of the generator that never fires, one neuron for each neuron taught, and the membrane potential that
        counts as one.
    changed : tuple of str
        Projections of the trainee whose weights change.
    rate : float
        :math:`\eta`, in units of the mean square of a projection's initial weights.
    """

    trainee: Network
    generator: Network
    dt: float
    surrogate: Surrogate
    taught: str = "hidden"
    readout: str = "readout"
    scale: str = "1 mV"
    signals: str = "signals"
    signal_scale: str = "1 mV"
    changed: tuple[str, ...] = ("feed", "recur")
    rate: float = 0.1

    def __post_init__(self) -> None:
        check_fields(self)
        for name in (self.taught, self.readout):
            if name not in self.trainee.populations:
                raise InputError("trainee: " + unknown("population", name, self.trainee.populations))
        for name in ("clock", "trainee", "target", self.signals):
            if name not in self.generator.populations:
                raise InputError("generator: " + unknown("population", name, self.generator.populations))
        for name in self.changed:
            if name not in self.trainee.projections:
                raise InputError("changed: " + unknown("projection", name, self.trainee.projections))
            if self.trainee.projections[name].target != self.taught:
                raise InputError(f"changed: '{name}' does not lead to '{self.taught}', which is taught.")
        if len(self.trainee.sources()) != 1:
            raise InputError(f"the trainee must have one spike source, it has {len(self.trainee.sources())}.")
        size = self.trainee.populations[self.taught].size
        for name in ("trainee", self.signals):
            if self.generator.populations[name].size != size:
                raise InputError(
                    f"the generator's '{name}' must have {size} neurons, as many as are taught, it has "
                    f"{self.generator.populations[name].size}."
                )


@dataclass(frozen=True)
class Trial:
    """What tasks are made of.

    Attributes
    ----------
    clock : Tensor, shape (step, neuron)
        Input spikes of the trainee, the same for all tasks and in both runs.
    target : Tensor, shape (step, task, output)
    shown : Tensor, shape (step, task, neuron)
        The target as spikes, for the generator.
    """

    clock: Tensor
    target: Tensor
    shown: Tensor


@dataclass(frozen=True)
class Taught:
    """What came of teaching.

    Attributes
    ----------
    before, after : Tensor, shape (step, task, output)
        Answers before and after the change of weights.
    signals : Tensor, shape (step, task, neuron)
        Learning signals.
    changes : dict
        Parameter of the trainee to its change for every task, shape (task, ...).
    counts : dict
        Spiking population of the trainee to its spikes after the change, shape (task, neuron).
    """

    before: Tensor
    after: Tensor
    signals: Tensor
    changes: dict[str, Tensor]
    counts: dict[str, Tensor]


class Teacher(nn.Module):
    """Trainee and generator as one module; what both begin with are its parameters.

    Parameters
    ----------
    teaching : Teaching
    seed : int
        Of the initial weights.
    trainee, generator : Realisation, optional
        What need not be drawn.
    """

    def __init__(
        self,
        teaching: Teaching,
        seed: int = 0,
        *,
        trainee: Realisation | None = None,
        generator: Realisation | None = None,
    ) -> None:
        super().__init__()
        self.teaching = teaching
        self.trainee = _module(teaching.trainee, teaching, realise(teaching.trainee, seed, trainee, dt=teaching.dt))
        open_loop = opened(teaching.trainee, teaching.taught)
        drawn = self.trainee.realisation()
        connections = {name: drawn.connections[name] for name in open_loop.projections}
        values = {name: each for name, each in drawn.values.items() if name == teaching.taught}
        # In a list, because its parameters are those of the trainee, and no more of them.
        self._opened = [_module(open_loop, teaching, Realisation(connections, values))]
        sent = realise(teaching.generator, seed + 1, generator, dt=teaching.dt)
        self.generator = _module(teaching.generator, teaching, sent)
        self._units = {name: self.trainee.unit(name, "weight") for name in teaching.changed}
        self._source = teaching.trainee.sources()[0]

    @torch.enable_grad()
    def forward(self, trial: Trial, signals: Tensor | None = None) -> Taught:
        """Teach one network for every task, all of which begin alike.

        Parameters
        ----------
        trial : Trial
        signals : Tensor, shape (step, task, neuron), optional
            Learning signals to be used instead of the generator's.
        """
        teaching = self.teaching
        clock = trial.clock[:, None].clone().requires_grad_()  # dense products, which can be derived twice
        begins = dict(self.trainee.named_parameters())
        before, spikes = self._run(begins, clock)
        if signals is None:
            signals = self.signals(trial, spikes[teaching.taught])
        changes = self._changes(clock, spikes, signals)
        each = {name: begins[name] + change for name, change in changes.items()}
        after, fired = vmap(lambda own: self._run({**begins, **own}, clock))(each)
        return Taught(
            before.expand(-1, trial.target.shape[1], -1),
            after[:, :, 0].transpose(0, 1),
            signals,
            changes,
            {name: each[:, :, 0].sum(dim=1) for name, each in fired.items()},
        )

    def signals(self, trial: Trial, spikes: Tensor) -> Tensor:
        """Return the generator's signals, (step, task, neuron), after spikes (step, 1, neuron) of the trainee."""
        n_tasks = trial.target.shape[1]
        inputs = {
            "clock": trial.clock[:, None].expand(-1, n_tasks, -1),
            "trainee": spikes.expand(-1, n_tasks, -1),
            "target": trial.shown,
        }
        key = (self.teaching.signals, _membrane(self.teaching.generator, self.teaching.signals))
        activity = self.generator({name: inputs[name] for name in self.teaching.generator.sources()}, traces=[key])
        return activity.traces[key] / quantity(self.teaching.signal_scale).value

    def _run(self, weights: Mapping[str, Tensor], clock: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the trainee's answers and the spikes of its populations."""
        key = (self.teaching.readout, _membrane(self.teaching.trainee, self.teaching.readout))
        wanted = {"record": tuple(spiking(self.teaching.trainee)), "traces": [key]}
        activity = functional_call(self.trainee, dict(weights), ({self._source: clock},), wanted)
        return activity.traces[key] / quantity(self.teaching.scale).value, dict(activity.spikes)

    def _changes(self, clock: Tensor, spikes: Mapping[str, Tensor], signals: Tensor) -> dict[str, Tensor]:
        """Return the change of each parameter for every task, (task, ...), by name."""
        teaching, module, begins = self.teaching, self._opened[0], dict(self.trainee.named_parameters())
        sent = {RECORDED + name: each for name, each in spikes.items()} | {self._source: clock}
        # Copies: a derivative by them does not go through the recorded spikes, which depend on the weights as well.
        own = {name: begins[name].clone() for name, _ in module.named_parameters()}
        inputs = {name: sent[name] for name in module.network.sources()}
        activity = functional_call(module, own, (inputs,), {"record": (teaching.taught,)})
        names = {name: f"synapses.{name}.weight" for name in teaching.changed}
        gradients = torch.autograd.grad(
            activity.spikes[teaching.taught][:, 0],
            [own[each] for each in names.values()],
            signals.transpose(0, 1),
            create_graph=True,
            is_grads_batched=True,
        )
        return {
            names[name]: -teaching.rate * self._units[name] ** 2 * gradient
            for name, gradient in zip(names, gradients, strict=True)
        }


def _module(network: Network, teaching: Teaching, drawn: Realisation) -> TorchNetwork:
    return TorchNetwork(network, teaching.dt, drawn, surrogate=teaching.surrogate, paths=Paths(reset=False))


def _membrane(network: Network, population: str) -> str:
    """Return the only variable of a readout that its equations change."""
    states = network.populations[population].model.states()
    if len(states) != 1:
        raise InputError(f"the readout '{population}' must have one state variable, it has {sorted(states)}.")
    return next(iter(states))
