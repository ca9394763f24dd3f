"""Pairs of networks: in plain torch (fixture `plain_torch`), and as descriptions for snncompare."""

from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import (
    adaptive_exponential_integrate_and_fire,
    adaptive_leaky_integrate_and_fire,
    leaky_integrate_and_fire,
    leaky_readout,
)
from snncompare.network.synapses import exponential
from snncompare.units import quantity

MODELS = {
    "leaky": leaky_integrate_and_fire(tau="10 ms", refractory="0 ms"),
    "adaptive": adaptive_leaky_integrate_and_fire(
        tau="10 ms", tau_adaptation="30 ms", adaptation="2 mV", refractory="1.5 ms"
    ),
    "exponential": adaptive_exponential_integrate_and_fire(
        C="100 pF", g_L="10 nS", E_L="-70 mV", a="2 nS", b="50 pA", tau_w="30 ms", v_T="-50 mV", Delta_T="2 mV",
        v_peak="-45 mV", v_reset="-60 mV",
    ),
    "own": NeuronModel(
        equations="""
        dv/dt = (-v + 20*volt**-1*v**2 - w + I)/(10*ms) : volt
        dw/dt = (0.3*v - w)/(40*ms) : volt
        dtheta/dt = (0.1*tanh(v/(10*mV))*10*mV - theta)/(20*ms) : volt
        """,
        threshold="v - theta > 10*mV",
        reset="v = 0.2*v; w += 1*mV; theta += 2*mV - 0.1*theta",
        method="euler",
        inputs={"I": "volt"},
    ),
    "readout": leaky_readout(tau="10 ms"),
}  # fmt: skip


class Pair(NamedTuple):
    """The same network in plain torch and as a description, its weights, and input spikes (step, batch, neuron)."""

    plain: Any
    network: Network
    source: torch.Tensor

    def module(self, rule, **more):
        weights = {name: w.detach().numpy().copy() for name, w in self.plain.weights.items()}
        return TorchNetwork(
            self.network, 5e-4, weights, surrogate=rule.surrogate, paths=rule.paths,
            checkpoint_every=rule.checkpoint_every, **more,
        )  # fmt: skip


def _pair(plain, cells, layers, projections, *, steps=45, batch=2, inputs=6, size=5, outputs=2, seed=0, p=0.18):
    rng = np.random.default_rng(seed)
    cells, sizes = (
        cells | {"readout": "readout"},
        {"source": inputs} | dict.fromkeys(cells, size) | {"readout": outputs},
    )
    weights, described = {}, {}
    for name, (source, target, delay) in projections.items():
        amp = cells[target] == "exponential"
        drawn = rng.normal(4e-3, 12e-3, (sizes[source], sizes[target])) * (25e-9 if amp else 1.0)
        weights[name] = torch.from_numpy(drawn)
        unit = "amp" if amp else "volt"
        described[name] = Projection(
            source=source, target=target, synapse=exponential(tau="4 ms", unit=unit), into="I",
            delay=quantity(f"{delay * 0.5} ms"), weight=Constant(value=quantity(f"0 {unit}")),
            wiring={"type": "AllToAll", "autapses": True},
        )  # fmt: skip
    network = Network(
        populations={"source": Population(size=inputs, neuron=SpikeSource())}
        | {name: Population(size=sizes[name], neuron=MODELS[kind]) for name, kind in cells.items()},
        projections=described,
    )
    source = torch.from_numpy((rng.random((steps, batch, inputs)) < p).astype(float))
    populations = {name: (plain.cells[kind](), sizes[name]) for name, kind in cells.items()}
    return Pair(plain.Network(populations, [*layers, ["readout"]], projections, weights), network, source)


ONE = {"feed": ("source", "hidden", 0), "recur": ("hidden", "hidden", 1), "read": ("hidden", "readout", 2)}
TWO = {
    "a_feed": ("source", "low", 0),
    "b_recur": ("low", "low", 0),
    "c_up": ("low", "high", 2),
    "d_recur": ("high", "high", 1),
    "e_read": ("high", "readout", 0),
    "f_skip": ("low", "readout", 1),
}
NETWORKS = {
    "leaky": ({"hidden": "leaky"}, [["hidden"]], ONE, 0),
    "adaptive": ({"hidden": "adaptive"}, [["hidden"]], ONE, 0),
    "exponential": ({"hidden": "exponential"}, [["hidden"]], ONE, 0),
    "own": ({"hidden": "own"}, [["hidden"]], ONE, 0),
    "two layers": ({"low": "leaky", "high": "adaptive"}, [["low"], ["high"]], TWO, 1),
    "two layers of others": ({"low": "own", "high": "exponential"}, [["low"], ["high"]], TWO, 2),
    "two in one layer": (
        {"low": "adaptive", "high": "leaky"},
        [["low", "high"]],
        TWO | {"g_down": ("high", "low", 0)},
        3,
    ),
}


@pytest.fixture(params=NETWORKS)
def pair(request, pair_named):
    """Each kind of network."""
    return pair_named(request.param)


@pytest.fixture
def pair_named(plain_torch):
    """A network by its name in NETWORKS, or by what there is in them."""

    def made(name, **more):
        cells, layers, projections, seed = NETWORKS[name]
        return _pair(plain_torch, cells, layers, projections, seed=seed, **more)

    return made


@pytest.fixture
def follow(plain_torch):
    """The paths that the plain gradients follow."""
    return plain_torch.Follow
