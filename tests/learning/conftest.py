"""Gradients of learning rules, written out by hand in plain torch, without anything of snncompare's learning.

Each layer is carried out by itself, with the spikes that reach it from outside as constants, so that a derivative
passes from layer to layer only where `PlainNetwork.gradients` hands it on as a learning signal dE/dz.
"""

import math
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch

DT, TAU_SYN, WIDTH, SCALE = 5e-4, 4e-3, 2e-3, 10e-3


class Fire(torch.autograd.Function):
    """A spike with the derivative (1 + |u|/width)^-2 / scale."""

    @staticmethod
    def forward(ctx: Any, u: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(u)
        return (u > 0).double()

    @staticmethod
    def backward(ctx: Any, *grad: torch.Tensor) -> torch.Tensor:
        (u,) = ctx.saved_tensors
        return grad[0] * (1 + u.abs() / WIDTH) ** -2 / SCALE


class LeakyCell:
    """Integrate-and-fire, 10 ms, threshold 10 mV, reset to zero."""

    synapse, start, names, refractory = math.exp(-DT / TAU_SYN), 0.0, ("v",), 0
    decay, threshold = math.exp(-DT / 10e-3), 10e-3

    def update(self, s, current, awake):
        return {"v": torch.where(awake, self.decay * s["v"] + (1 - self.decay) * current, s["v"])}

    def distance(self, u):
        return u["v"] - self.threshold

    def reset(self, a, membrane, _other):
        return {"v": a["v"] - membrane * a["v"]}


class AdaptiveCell(LeakyCell):
    """With a threshold that rises by 2 mV and decays in 30 ms, refractory for 1.5 ms."""

    names, refractory, rise = ("v", "a"), 3, 2e-3

    def update(self, s, current, awake):
        return super().update(s, current, awake) | {"a": s["a"] * math.exp(-DT / 30e-3)}

    def distance(self, u):
        return u["v"] - self.threshold - u["a"]

    def reset(self, a, membrane, other):
        return super().reset(a, membrane, other) | {"a": a["a"] + other * self.rise}


class ExponentialCell:
    """Adaptive exponential integrate-and-fire by Euler steps."""

    synapse, start, names, refractory = 1 - DT / TAU_SYN, -70e-3, ("v", "w"), 0

    def update(self, s, current, _awake):
        leak = 10e-9 * (-70e-3 - s["v"]) + 10e-9 * 2e-3 * torch.exp((s["v"] + 50e-3) / 2e-3)
        return {
            "v": s["v"] + DT * (leak - s["w"] + current) / 100e-12,
            "w": s["w"] + DT * (2e-9 * (s["v"] + 70e-3) - s["w"]) / 30e-3,
        }

    def distance(self, u):
        return u["v"] + 45e-3

    def reset(self, a, membrane, other):
        return {"v": a["v"] + membrane * (-60e-3 - a["v"]), "w": a["w"] + other * 50e-12}


class OwnCell:
    """A neuron nobody has published: quadratic, with an adaptation current and a threshold that moves."""

    synapse, start, names, refractory = 1 - DT / TAU_SYN, 0.0, ("v", "w", "theta"), 0

    def update(self, s, current, _awake):
        v, w, theta = (s[name] for name in self.names)
        return {
            "v": v + DT * (-v + 20 * v**2 - w + current) / 10e-3,
            "w": w + DT * (0.3 * v - w) / 40e-3,
            "theta": theta + DT * (0.1 * torch.tanh(v / 10e-3) * 10e-3 - theta) / 20e-3,
        }

    def distance(self, u):
        return u["v"] - u["theta"] - 10e-3

    def reset(self, a, membrane, other):
        return {
            "v": a["v"] + membrane * (0.2 * a["v"] - a["v"]),
            "w": a["w"] + other * 1e-3,
            "theta": a["theta"] + other * (2e-3 - 0.1 * a["theta"]),
        }


class ReadoutCell:
    """Leaky integrator, 10 ms, that never fires."""

    synapse, start, names, refractory = math.exp(-DT / TAU_SYN), 0.0, ("v",), 0

    def update(self, s, current, _awake):
        return {"v": math.exp(-DT / 10e-3) * s["v"] + (1 - math.exp(-DT / 10e-3)) * current}


@dataclass(frozen=True)
class Follow:
    """What is followed; `windows` are the steps at which a new window begins."""

    carry: bool = True
    recurrent: bool = True
    reset: bool = True
    adaptation: bool = True
    across: str = "full"
    readout: bool = True
    feedback: Any = None
    local: Any = None
    windows: tuple[int, ...] = ()


def late(values, delay, windows):
    """Return what arrives `delay` steps later, without what arrives after a window has begun."""
    found = torch.cat([values[delay:], torch.zeros_like(values[:delay])])
    for start in windows:
        found[max(start - delay - 1, 0) : start] = 0
    return found


@dataclass
class PlainNetwork:
    """Populations (name to kind and size), layers in order, projections (name to source, target, delay in steps)."""

    populations: dict[str, tuple[Any, int]]
    layers: list[list[str]]
    projections: dict[str, tuple[str, str, int]]
    weights: dict[str, torch.Tensor]
    outside: list[str] = field(default_factory=lambda: ["source"])

    def into(self, target):
        return sorted(name for name, (_, to, _) in self.projections.items() if to == target)

    def carry_out(self, members, outside, follow, arriving=None):
        """Return spikes and updated states (lists over steps) of a layer that receives spikes from outside."""
        n_steps, batch = len(outside["source"]), outside["source"][0].shape[0]
        state, last = {}, {}
        for name in members:
            kind, size = self.populations[name]
            state[name] = {variable: torch.zeros(batch, size).double() for variable in (*kind.names, *self.into(name))}
            state[name]["v"] = state[name]["v"] + kind.start
            last[name] = torch.full((batch, size), -1000)
        fired, updated, since = {name: [] for name in members}, {name: [] for name in members}, 0
        for t in range(n_steps):
            if t in follow.windows:
                since = t
                state = {name: {key: value.detach() for key, value in s.items()} for name, s in state.items()}
            for name in members:
                kind, _ = self.populations[name]
                awake = t - last[name] >= kind.refractory
                s = state[name]
                current = sum(s[projection] for projection in self.into(name))
                u = kind.update(s, current, awake) | {p: s[p] * kind.synapse for p in self.into(name)}
                updated[name].append(u)
                if not isinstance(kind, ReadoutCell):
                    z = Fire.apply(kind.distance(u)) * awake
                    last[name] = torch.where(z > 0, t, last[name])
                    fired[name].append(z)
                    u = u if follow.carry else {key: value.detach() for key, value in u.items()}
                state[name] = dict(u)
            for name in members:
                kind, _ = self.populations[name]
                for projection in self.into(name):
                    source, _, delay = self.projections[projection]
                    if t - delay < 0:
                        continue
                    inside = source in members
                    z = (fired if inside else outside)[source][t - delay]
                    z = z.detach() if (inside and not follow.recurrent) or t - delay < since else z
                    state[name][projection] = state[name][projection] + z @ self.weights[projection]
                    if arriving is not None and projection in arriving:
                        state[name][projection] = state[name][projection] + arriving[projection][t]
                if not isinstance(kind, ReadoutCell):
                    z = fired[name][t]
                    resets = (z if follow.reset else z.detach(), z if follow.adaptation else z.detach())
                    state[name] = state[name] | kind.reset(state[name], *resets)
        return fired, updated

    def run(self, source, follow):
        """Return the spikes of all populations, and the updated states of all, as constants."""
        spikes, states = {"source": list(source)}, {}
        with torch.no_grad():
            for members in self.layers:
                fired, updated = self.carry_out(members, spikes, follow)
                spikes |= fired
                states |= updated
        return spikes, states

    def gradients(self, source, cost, follow, penalty=None, readout="readout"):
        """Return dE/dW by projection, dE/dB by population and the spikes; `cost` maps the readout's v to E."""
        spikes, states = self.run(source, follow)
        values = torch.stack([u["v"] for u in states[readout]]).requires_grad_()
        (error,) = torch.autograd.grad(cost(values), values)
        signal = {name: torch.zeros_like(torch.stack(z)) for name, z in spikes.items() if z}
        extra = {}
        for name in signal if penalty else ():
            leaf = torch.stack(spikes[name]).requires_grad_()
            extra[name] = torch.autograd.grad(penalty(leaf), leaf)[0] * (name != "source")
        at_once = follow.across == "at once"  # then penalties do not reach the layers below
        found, of_feedback = {}, {}
        for members in reversed(self.layers):
            if members == [readout]:
                up, own = self._through_readout(readout, spikes, error, follow)
                found |= own
                self._hand_out(up, signal, spikes, cost, follow, of_feedback, readout)
                continue
            both = {name: signal[name] + extra.get(name, 0) for name in members}
            found |= self._own(members, spikes, both, follow)
            signal |= {} if at_once else both
            for name, more in self._below(members, spikes, states, signal, follow).items():
                signal[name] = signal[name] + more
        return found, of_feedback, spikes

    def _own(self, members, spikes, signal, follow):
        """Return dE/dW of what arrives in a layer, for given dE/dz."""
        weights = {p: self.weights[p].requires_grad_() for name in members for p in self.into(name)}
        fired, _ = self.carry_out(members, spikes, follow)
        total = sum((torch.stack(fired[name]) * signal[name]).sum() for name in members)
        return dict(zip(weights, torch.autograd.grad(total, list(weights.values())), strict=True))

    def _below(self, members, spikes, states, signal, follow):
        """Return what a layer hands on to the populations below it."""
        below = {self.projections[p][0] for name in members for p in self.into(name)} - {*members, *self.outside}
        if follow.across == "none" or not below:
            return {}
        if follow.across == "full":
            leaves = {name: torch.stack(spikes[name]).requires_grad_() for name in below}
            fired, _ = self.carry_out(members, spikes | {n: list(z.unbind(0)) for n, z in leaves.items()}, follow)
            total = sum((torch.stack(fired[name]) * signal[name]).sum() for name in members)
            return dict(zip(leaves, torch.autograd.grad(total, list(leaves.values())), strict=True))
        found = {name: torch.zeros_like(signal[name]) for name in below}
        for name in members:
            for projection in self.into(name):
                source, _, delay = self.projections[projection]
                if source in below:
                    arrival = self._at_once(name, projection, spikes, states, signal[name])
                    found[source] += late(arrival, delay, follow.windows) @ self.weights[projection].detach().T
        return found

    def _at_once(self, name, projection, spikes, states, signal):
        """Return dE/d(arrival) through a projection by the target's spikes in the step after it."""
        kind, _ = self.populations[name]
        n_steps, found, last = len(states[name]), [], torch.full_like(spikes[name][0], -1000)
        for t in range(n_steps - 1):
            last = torch.where(spikes[name][t] > 0, t, last)
            a, leaf = dict(states[name][t]), torch.zeros_like(spikes[name][t]).requires_grad_()
            for p in self.into(name):
                z = spikes[self.projections[p][0]]
                a[p] = a[p] + z[t - self.projections[p][2]] @ self.weights[p].detach() * (t >= self.projections[p][2])
            a[projection] = a[projection] + leaf
            a |= kind.reset(a, spikes[name][t], spikes[name][t])
            awake = t + 1 - last >= kind.refractory
            u = kind.update(a, sum(a[p] for p in self.into(name)), awake)
            z = Fire.apply(kind.distance(u)) * awake
            (by_arrival,) = torch.autograd.grad((z * signal[t + 1]).sum(), leaf)
            found.append(by_arrival)
        return torch.stack([*found, torch.zeros_like(found[-1])])

    def _through_readout(self, readout, spikes, error, follow):
        """Return dE/d(arrival) by projection to the readout (full, and of the first update only), and dE/dW."""
        names = self.into(readout)
        weights = [self.weights[p].requires_grad_() for p in names]
        leaves = {p: torch.zeros(len(error), *error.shape[1:]).double().requires_grad_() for p in names}
        _, updated = self.carry_out([readout], spikes, follow, leaves)
        total = (torch.stack([u["v"] for u in updated[readout]]) * error).sum()
        each = torch.autograd.grad(total, [*leaves.values(), *weights])
        whole = dict(zip(names, each[: len(names)], strict=True))
        first = {p: torch.zeros_like(error) for p in names}
        for p in names:
            first[p][:-1] = error[1:] * (1 - math.exp(-DT / 10e-3))
        own = dict(zip(names, each[len(names) :], strict=True))
        return (whole, whole if follow.readout else first), own

    def _hand_out(self, up, signal, spikes, cost, follow, of_feedback, readout):
        """Add what the readout tells the populations to their learning signals."""
        whole, followed = up
        if follow.local is not None:
            for name, weights in follow.local.items():
                leaf = torch.stack(spikes[name]).requires_grad_()
                signal[name] = signal[name] + torch.autograd.grad(cost(leaf @ weights), leaf)[0]
            return
        if follow.feedback is not None:
            for name, weights in follow.feedback.items():
                direct = [p for p in self.into(readout) if self.projections[p][0] == name]
                p = (direct or self.into(readout))[0]
                delay = self.projections[p][2]
                signal[name] = signal[name] + late(followed[p], delay, follow.windows) @ weights.T
                past = torch.stack(spikes[name])
                of_feedback[name] = torch.einsum("tbn,tbk->nk", past, late(whole[p], delay, ()))
            return
        for p in self.into(readout):
            source, _, delay = self.projections[p]
            if source not in self.outside:
                signal[source] = signal[source] + late(followed[p], delay, follow.windows) @ self.weights[p].detach().T


@pytest.fixture(scope="session")
def plain_torch():
    """The cells, the network that carries them out, and the paths that its gradients follow."""
    cells = {"leaky": LeakyCell, "adaptive": AdaptiveCell, "exponential": ExponentialCell, "own": OwnCell}
    return SimpleNamespace(cells=cells | {"readout": ReadoutCell}, Network=PlainNetwork, Follow=Follow, dt=DT)
