"""A network that learns and the chips that carry it out: what is asked for, what they make of it, and the way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from snncompare.backends.activity import check_record
from snncompare.backends.analog.chip import Fleet, deploy_many
from snncompare.backends.analog.limits.ranges import check_limits
from snncompare.backends.emulation import EmulatedRun
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.network_state import Activity, NetworkState
from snncompare.errors import UnsupportedError
from snncompare.learning.on_chip.given_chip import GivenChip
from snncompare.learning.on_chip.ranges import held_ranges
from snncompare.learning.on_chip.settings import FIRST_DRAWN_SEED, OnChip
from snncompare.learning.rule import LearningRule

__all__ = ["Chips", "Looped"]

_KEPT = 2
"""Sets of devices that are remembered: those that learn, and those that are measured."""


@dataclass
class Looped:
    """Trials in the loop that are under way.

    Attributes
    ----------
    run : EmulatedRun or None
        Of the chips; None for a chip that is given.
    state : NetworkState, optional
        Where the chips stand.
    """

    run: EmulatedRun | None
    state: NetworkState | None = None


class Chips:
    """Emulated chips on which a network runs while it learns.

    The module that learns holds what is asked for. A second module, of the description as the chips have it, borrows
    these values in every run, makes of them what each device makes of them, and gives their gradients back.

    Parameters
    ----------
    module : TorchNetwork
        What learns.
    on_chip : OnChip
    rule : LearningRule, optional
        Whose surrogate and paths the gradients follow; None where nothing is differentiated.
    seed : int
        Of the devices that are drawn and of what is random in the batches.

    Attributes
    ----------
    seeds : tuple of int
        The devices that carry out the next batch.
    noise_seed, first_trial : int
        Of what is random in the next batch.
    rng : numpy.random.Generator
        Where these come from; its state belongs into a checkpoint.

    Raises
    ------
    InputError
        If the chips cannot hold the network.
    """

    def __init__(
        self, module: TorchNetwork, on_chip: OnChip, rule: LearningRule | None = None, *, seed: int = 0
    ) -> None:
        self.rng, self.noise_seed, self.first_trial = np.random.default_rng([seed, 3]), 0, 0
        self.module, self.on_chip, self.seeds = module, on_chip, on_chip.device_seeds
        self.given = None if on_chip.chip is None else GivenChip(on_chip.chip, module)
        asked = module.realisation()
        check_limits(module.network, asked, on_chip.loaded, module.dt, on_chip.roles)
        self._first = deploy_many(
            module.network,
            on_chip.loaded,
            device_seeds=self.seeds,
            weights=asked,
            dt=f"{module.dt!r} s",
            roles=on_chip.roles,
            gradient=on_chip.gradient,
        )
        _check_grids(module, self._first, rule)
        self._fleets = {self.seeds: self._first}
        options: dict[str, Any] = {"dtype": module.get_buffer("_like").dtype}
        if rule is not None:
            options |= {"surrogate": rule.surrogate, "paths": rule.paths, "checkpoint_every": rule.checkpoint_every}
        self.model = TorchNetwork(self._first.network, module.dt, self._first.opened(), **options).requires_grad_(False)
        self._ranges = held_ranges(module, self._first, on_chip.roles)

    @property
    def n_devices(self) -> int:
        """Number of chips that carry out every trial."""
        return len(self.seeds)

    def renew(self, when: str, *, first_trial: int = 0) -> None:
        """Go on to other noise in every batch, and to other devices, if those of this training are redrawn so often.

        Parameters
        ----------
        when : str
            ``"epoch"`` or ``"batch"``: what begins now.
        first_trial : int
            Trials of the batch that other processes carry out before those of this one.
        """
        if when == "batch":
            self.noise_seed, self.first_trial = int(self.rng.integers(2**31)), first_trial
        if self.on_chip.redraw == when:
            number = len(self.on_chip.device_seeds)
            drawn = self.rng.choice(2**31 - FIRST_DRAWN_SEED, size=number, replace=False, shuffle=False)
            self.seeds = tuple(int(seed) + FIRST_DRAWN_SEED for seed in drawn)

    def fleet(self, seeds: tuple[int, ...]) -> Fleet:
        """Return the devices of some seeds."""
        if seeds not in self._fleets:
            while len(self._fleets) >= _KEPT:
                self._fleets.pop(next(iter(self._fleets)))
            self._fleets[seeds] = self._first.redrawn(seeds)
        return self._fleets[seeds]

    def begin_batch(self, n_trials: int) -> EmulatedRun:
        """Return a run of the next batch."""
        return self.begin(self.seeds, n_trials, self.noise_seed, self.first_trial)

    def begin(self, seeds: tuple[int, ...], n_trials: int, seed: int, first_trial: int = 0) -> EmulatedRun:
        """Return a run of some devices that begins now; `seed` is that of what is random in it."""
        return self.fleet(seeds).begin(n_trials=n_trials, dt=self.module.dt, seed=seed, first_trial=first_trial)

    def run(
        self,
        run: EmulatedRun,
        inputs: Mapping[str, Tensor],
        asked: Mapping[str, Tensor] | None = None,
        **options: Any,
    ) -> Activity:
        """Return the activity of chips, all devices side by side; gradients reach what is asked for.

        Parameters
        ----------
        run : EmulatedRun
        inputs : mapping
            Spike source to raster (step, trial, neuron).
        asked : mapping, optional
            Name of a parameter of the module that learns to what is taken instead.
        **options
            Of `TorchNetwork.forward`.
        """
        borrowed = self._borrowed(asked or {})
        activity: Activity = functional_call(self.model, borrowed, (inputs,), {"emulated": run, **options})
        return activity

    def in_the_loop(
        self,
        trials: "Looped",
        inputs: Mapping[str, Tensor],
        **options: Any,
    ) -> Activity:
        """Return the activity of the module that learns, with the spikes and traces of chips put into its run.

        Parameters
        ----------
        trials : Looped
            The trials under way; what the chips do goes on in them.
        inputs : mapping
            Spike source to raster (step, trial, neuron).
        **options
            Of `TorchNetwork.forward`.
        """
        spikes, traces = self._observed(options["record"], options["traces"])
        copies = 1
        with torch.no_grad():
            if self.given is not None:
                seen = self.given.run(inputs, record=spikes, traces=traces, seed=self.noise_seed)
            else:
                assert trials.run is not None
                copies = trials.run.devices.n_devices
                rest = {name: options[name] for name in ("seed", "dropout") if name in options}
                seen = self.run(trials.run, inputs, record=spikes, traces=traces, state=trials.state, **rest)
                trials.state = seen.state
        copied = {name: raster.repeat(1, copies, 1) for name, raster in inputs.items()}
        observed = {name: seen.spikes[name] for name in spikes}
        activity: Activity = self.module(copied, observed=observed, observed_traces=dict(seen.traces), **options)
        return activity

    @torch.no_grad()
    def measured(
        self, inputs: Mapping[str, Tensor], *, record: Sequence[str], traces: Sequence[tuple[str, str]], seed: int
    ) -> Activity:
        """Return the activity of the devices that are measured, with the chance of trials from number `seed` on."""
        n_trials = next(iter(inputs.values())).shape[1]
        begun = None
        if self.given is None:
            begun = self.begin(self.on_chip.device_seeds, n_trials, seed=0, first_trial=seed)
        if self.on_chip.in_the_loop:
            return self.in_the_loop(Looped(begun), inputs, record=record, traces=traces, seed=seed)
        assert begun is not None
        return self.run(begun, inputs, record=record, traces=traces)

    @torch.no_grad()
    def clip_(self) -> None:
        """Clip what is trained to the range that the chips hold; to be called after every step of an optimiser."""
        own = dict(self.module.named_parameters())
        for name, (low, high) in self._ranges.items():
            if own[name].requires_grad:
                own[name].clamp_(low, high)

    def _observed(
        self, spikes: Sequence[str], traces: Sequence[tuple[str, str]]
    ) -> tuple[list[str], list[tuple[str, str]]]:
        """Return what of the chips is taken over in the loop: populations, and traces (population, variable)."""
        if self.on_chip.observe is not None:
            asked = check_record(self.module.network, self.on_chip.observe)
            return list(asked.spikes), list(asked.traces)
        return list(spikes), [] if self.on_chip.loaded.readout.spikes_only else list(traces)

    def _borrowed(self, asked: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return what the model of the chips is given: the values of the module that learns, in its own shapes."""
        own: dict[str, Tensor] = {**dict(self.module.named_parameters()), **asked}
        there = {**dict(self.model.named_buffers()), **dict(self.model.named_parameters())}
        found = {}
        for name, value in own.items():
            if name in there:
                shape = there[name].shape
                same = value.shape == shape or value.ndim == 0
                found[name] = value.expand(shape) if same else self._unrolled(name, value)
        return found

    def _unrolled(self, name: str, kernel: Tensor) -> Tensor:
        """Return the weights that share a kernel as weights of their own."""
        projection = name.removeprefix("synapses.").removesuffix(".weight")
        synapses, own = self.module.synapses[projection], self.model.synapses[projection].weight
        each = kernel.reshape(-1)[synapses.get_buffer("_entry")]
        if own.ndim == 1:
            return each
        ends = (synapses.get_buffer("_source"), synapses.get_buffer("_target"))
        return torch.zeros_like(own).index_put(ends, each)


def _check_grids(module: TorchNetwork, fleet: Fleet, rule: LearningRule | None) -> None:
    """Refuse to train what lies on a grid of a digital chip, which is chosen once, at deploy."""
    wanted = None if rule is None or rule.trainable is None else set(rule.trainable)
    for population in [] if rule is None else module.network.populations:
        for name in module.trained().get(population, {}):
            asked_for = wanted is None or not wanted.isdisjoint({population, f"{population}.{name}"})
            if asked_for and fleet.roles[population].get(name) in fleet.profile.quantisers:
                raise UnsupportedError(
                    f"'{name}' of population '{population}' is trained, but '{fleet.profile.name}' holds it on "
                    "a grid that is chosen at deploy; train it before, without the chip, or remove its trainable mark."
                )
