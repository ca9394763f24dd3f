"""A small recurrent network, chips that carry it, and runs on them that are written by hand."""

from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from snncompare.backends.analog.frozen.maps import ParameterMap, WeightMap
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import depressing, exponential
from snncompare.network.wiring import AllToAll, Convolution, FixedProbability, OneToOne

DT = 1e-3
SIZES = {"inputs": 9, "hidden": 9, "readout": 2}
EACH_DELAY = {"type": "Uniform", "low": "1 ms", "high": "4 ms"}
PAIRS = SynapseModel(
    synapse_equations="dbefore/dt = -before/(20*ms) : 1 (event-driven)",
    on_pre="v_post += w; before += 0.2",
    on_post="w = clip(w - before*0.1*mV, 0*mV, 9*mV)",
    weight_unit="volt",
)
SCALED = SynapseModel(
    equations="dx/dt = -x/tau_syn : volt",
    on_pre="x_post += w*gain*(1*ms/tau_syn)",
    current="x",
    weight_unit="volt",
    parameters={"tau_syn": "4 ms", "gain": "4"},
)
VARIANTS = {
    "all to all": {},
    "sparse": {"feed": {"wiring": FixedProbability(p=0.4)}, "recur": {"wiring": FixedProbability(p=0.4)}},
    "each delay its own": {"feed": {"delay": EACH_DELAY}, "recur": {"delay": EACH_DELAY}},
    "one to one": {"feed": {"wiring": OneToOne(), "weight": {"type": "Uniform", "low": "30 mV", "high": "60 mV"}}},
    "a parameter of the target in the effect": {"feed": {"synapse": SCALED}},
    "short-term depression": {"recur": {"synapse": depressing(), "individual": ()}},
    "plastic": {"recur": {"synapse": PAIRS, "individual": (), "into": None}},
}


@dataclass(frozen=True)
class Chips:
    """The frozen part of several devices."""

    network: Network
    n_devices: int
    parameter_maps: dict
    weight_maps: dict

    def select(self, device):
        return replace(
            self,
            n_devices=1,
            parameter_maps={
                name: {key: each.select(device) for key, each in maps.items()}
                for name, maps in self.parameter_maps.items()
            },
            weight_maps={name: each.select(device) for name, each in self.weight_maps.items()},
        )

    def realisation(self, asked):
        """Return what one device got, computed in numpy."""
        values = {
            name: {
                key: self.parameter_maps[name][key].apply(array) if key in self.parameter_maps.get(name, {}) else array
                for key, array in arrays.items()
            }
            for name, arrays in asked.values.items()
        }
        connections = {
            name: replace(each, weight=self.weight_maps[name].apply(each.weight), shared=None)
            if name in self.weight_maps
            else each
            for name, each in asked.connections.items()
        }
        return replace(asked, values=values, connections=connections)


class Rig:
    """What the tests of this folder have in common."""

    plain = SynapseModel(on_pre="v_post += w", weight_unit="volt")
    falling = SynapseModel(on_pre="v_post += w", on_post="w = 0.5*w", weight_unit="volt")

    def __init__(self):
        self._modules, self.variants = {}, VARIANTS
        self.plastic = {"synapse": self.falling, "individual": (), "into": None}
        self.nothing = {"type": "Constant", "value": "0 mV"}

    def network(self, changed=None, trained=None, individual=("tau", "v_threshold")):
        strong = {"type": "Uniform", "low": "5 mV", "high": "25 mV"}
        weak = {"type": "Normal", "mean": "1 mV", "sd": "6 mV"}
        projections = {
            "feed": {"source": "inputs", "target": "hidden", "weight": strong, "delay": "1 ms"},
            "recur": {"source": "hidden", "target": "hidden", "weight": weak, "delay": "1 ms"},
            "read": {"source": "hidden", "target": "readout", "weight": weak},
        }
        for name, options in (changed or {}).items():
            projections[name] |= options
        common = {"synapse": exponential(tau="4 ms"), "into": "I", "individual": ("tau_syn",)}
        common["trainable"] = {"weight": {}}
        neuron, readout = leaky_integrate_and_fire(v_threshold="10 mV"), leaky_readout(tau="20 ms")
        hidden = Population(
            size=SIZES["hidden"], neuron=neuron, individual=individual, trainable=trained or {"tau": {"shared": False}}
        )
        return Network(
            populations={
                "inputs": Population(size=SIZES["inputs"], neuron=SpikeSource()),
                "hidden": hidden,
                "readout": Population(size=SIZES["readout"], neuron=readout),
            },
            projections={
                name: Projection(**{key: value for key, value in (common | each).items() if value is not None})
                for name, each in projections.items()
            },
        )

    def asked(self, network):
        return realise(network, 0, dt=DT)

    def chips(self, network, n_devices, *, cv=0.2, levels=31.0, rounds=True, seed=3, gradient="straight_through"):
        """Return devices whose values and weights differ; with `cv` 0 and no levels all get what was asked for."""
        rng, asked = np.random.default_rng(seed), self.asked(network)

        def factors(n):
            return np.exp(cv * rng.standard_normal((n_devices, n)))

        def parameter(population, offset=0.0):
            shape = (n_devices, SIZES[population])
            return ParameterMap(factors(shape[1]), offset * rng.standard_normal(shape))

        offset = 1e-3 if cv else 0.0
        maps = {"hidden": {"tau": parameter("hidden"), "v_threshold": parameter("hidden", offset)}}
        for name, array in asked.values["hidden"].items():
            if name.startswith("tau_syn"):
                assert array.shape == (SIZES["hidden"],)
                maps["hidden"][name] = parameter("hidden")
        scale = None if np.isfinite(levels) else 1.0
        weights = {
            name: WeightMap(scale, -levels, levels, rounds, factors(each.n_synapses) if cv else None, gradient)
            for name, each in asked.connections.items()
        }
        return Chips(network, n_devices, maps, weights)

    def module(self, network, realisation=None, **options):
        """Return the network with weights and values of a realisation; reading a description takes most of the time."""
        key = (network.fingerprint(), *options.items())
        if key not in self._modules:
            self._modules[key] = TorchNetwork(
                network, DT, self.asked(network), surrogate=SuperSpike("2 mV", "10 mV"), **options
            )
        module = deepcopy(self._modules[key])
        if realisation is not None:
            with torch.no_grad():
                for name, each in realisation.connections.items():
                    weight = module.synapses[name].weight
                    weight.copy_(torch.from_numpy(each.dense() if weight.shape == each.shape else each.weight))
                for name, arrays in realisation.values.items():
                    for parameter, array in arrays.items():
                        module.neurons[name][parameter].copy_(torch.from_numpy(array))
        return module

    def raster(self, steps=40, trials=2, seed=0, p=0.1):
        fired = np.random.default_rng(seed).random((steps, trials, SIZES["inputs"])) < p
        return {"inputs": torch.from_numpy(fired).double()}

    def largest(self, one, two):
        """Return the largest difference of two tensors, as a fraction of the largest number in the second."""
        return float((one.detach() - two.detach()).abs().max() / two.detach().abs().max())

    @property
    def record(self):
        return {"record": ["hidden"], "traces": [("hidden", "v"), ("readout", "v")]}

    def same(self, one, two):
        """Return whether two activities are the same to the last bit."""
        pairs = [(one.spikes[name], two.spikes[name]) for name in one.spikes]
        pairs += [(one.traces[key], two.traces[key]) for key in one.traces]
        return all(torch.equal(a, b) for a, b in pairs)

    def of_device(self, activity, device, trials=2):
        """Return the copies of one device."""
        own = slice(device * trials, (device + 1) * trials)
        spikes = {name: raster[:, own] for name, raster in activity.spikes.items()}
        return replace(activity, spikes=spikes, traces={key: v[:, own] for key, v in activity.traces.items()})


@pytest.fixture(scope="session")
def rig():
    return Rig()


@pytest.fixture(params=VARIANTS)
def variant(request):
    return VARIANTS[request.param]


@pytest.fixture
def kernel():
    return {"feed": {"wiring": Convolution(input_shape=[9], kernel=[3], channels_out=3, stride=3)}}


@pytest.fixture
def dense():
    return {"feed": {"wiring": AllToAll()}}
