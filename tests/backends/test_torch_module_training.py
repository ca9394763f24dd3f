"""A network as a module goes on, forgets, trains and is kept as modules of PyTorch are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import snncompare as sc
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import exponential
from snncompare.network.trainable import Trainable

DT, STEPS, BATCH = 5e-4, 60, 3


SURROGATE = SuperSpike("2 mV", "10 mV")


STRONG = {"type": "Uniform", "low": "5 mV", "high": "20 mV"}


WEAK = {"type": "Normal", "mean": "1 mV", "sd": "6 mV"}


NEURON = NeuronModel(
    equations="""
        dv/dt = (-v + I)/tau + sigma*xi*tau**-0.5 : volt (unless refractory)
        da/dt = -a/tau_a : volt
    """,
    threshold="v > theta + a",
    reset="v = 0*mV; a += b",
    refractory="1 ms",
    method="euler",
    parameters={"tau": "10 ms", "tau_a": "40 ms", "theta": "10 mV", "b": "1 mV", "sigma": "0 mV"},
    inputs={"I": "volt"},
)


PAIRS = SynapseModel(
    synapse_equations="dbefore/dt = -before/tau_before : 1 (event-driven)",
    on_pre="v_post += w; before += 0.2",
    on_post="w = clip(w - before*0.1*mV, 0*mV, 5*mV)",
    weight_unit="volt",
    parameters={"tau_before": "20 ms"},
)


EACH, ONE = Trainable(), Trainable(shared=True)


def network(*, noise="0 mV", marks=None, **synapse):
    fast = exponential(tau="4 ms")
    return Network(
        populations={
            "inputs": Population(size=6, neuron=SpikeSource()),
            "hidden": Population(size=8, neuron=NEURON, parameters={"sigma": noise}, trainable=marks or {}),
            "others": Population(size=5, neuron=NEURON),
        },
        projections={
            "feed": Projection(source="inputs", target="hidden", synapse=fast, into="I", weight=STRONG, delay="1 ms"),
            "recur": Projection(
                source="hidden", target="hidden", synapse=fast, into="I", weight=WEAK, delay="2 ms", **synapse
            ),
            "pairs": Projection(source="hidden", target="others", synapse=PAIRS, weight=STRONG),
        },
    )


def raster(seed=0, steps=STEPS, dtype=torch.float64):
    fired = np.random.default_rng(seed).random((steps, BATCH, 6)) < 0.15
    return {"inputs": torch.from_numpy(fired).to(dtype)}


TRACES = [("hidden", "v"), ("others", "v")]


def loss_of(activity):
    return (activity.traces["hidden", "v"] * 1e3).square().mean() + (activity.traces["others", "v"] * 1e3).mean()


def gradients(module):
    return {name: p.grad.clone() for name, p in module.named_parameters() if p.grad is not None}


def largest(one, two):
    """Return by how much gradients differ, relative to the largest of each parameter."""
    assert one.keys() == two.keys()
    return max(float((one[name] - two[name]).abs().max() / two[name].abs().max()) for name in one)


def learn(module, *, noise_seed=0, inputs=None, **options):
    module.zero_grad()
    activity = module(inputs or raster(), traces=TRACES, record=["hidden"], seed=noise_seed, **options)
    loss_of(activity).backward()
    assert float(activity.spikes["hidden"].detach().sum()) > 20, "too quiet for the comparison to mean anything"
    return gradients(module)


def test_gradients_do_not_change_the_activity():
    """Synapses one by one and all at once, sums in another order: the same spikes, traces within rounding."""
    module = TorchNetwork(network(), DT, {}, surrogate=SURROGATE)
    with torch.no_grad():
        exact = module(raster(), traces=TRACES, record=["hidden", "others"])
    taught = module(raster(), traces=TRACES, record=["hidden", "others"])
    for name in ("hidden", "others"):
        assert float(exact.spikes[name].sum()) > 5
        assert torch.equal(exact.spikes[name], taught.spikes[name])
        difference = (exact.traces[name, "v"] - taught.traces[name, "v"]).detach().abs().max()
        assert float(difference / exact.traces[name, "v"].abs().max()) < 1e-9  # rounding adds up over 60 steps


def test_spikes_of_a_population_without_surrogate_carry_no_gradient():
    module = TorchNetwork(network(), DT, {}, surrogate={"others": SURROGATE})
    module(raster(), traces=TRACES).traces["others", "v"].sum().backward()
    assert module.synapses["pairs"].weight.grad is not None
    assert module.synapses["feed"].weight.grad is None
    with pytest.raises(InputError, match="population that spikes"):
        TorchNetwork(network(), DT, {}, surrogate={"inputs": SURROGATE})


def test_float32_is_float32_throughout():
    module = TorchNetwork(network(noise="1 mV"), DT, {}, surrogate=SURROGATE, dtype=torch.float32)
    activity = module(raster(dtype=torch.float32), traces=[*TRACES, ("hidden", "a")], record=["hidden"])
    kinds = {values.dtype for values in (*activity.traces.values(), *activity.spikes.values())}
    assert kinds == {torch.float32}
    assert activity.state.populations["hidden"]["lastspike"].dtype is torch.float64  # times are not


def test_a_late_float32_run_still_knows_the_time():
    """After 2000 s float32 could not tell a step of 0.5 ms; the pause after a spike must still have its length."""
    module = TorchNetwork(network(), DT, {}, dtype=torch.float32)
    quiet = {"inputs": torch.zeros(8, BATCH, 6)}
    with torch.no_grad():
        early, late = (
            module(raster(dtype=torch.float32), record=["hidden"], state=replace(module(quiet).state, step=step))
            for step in (8, 4_000_000)
        )
    assert float(early.spikes["hidden"].sum()) > 20
    assert torch.equal(early.spikes["hidden"], late.spikes["hidden"])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_gives_the_same_gradients():
    inputs = {name: value.cuda() for name, value in raster().items()}
    here = learn(TorchNetwork(network(), DT, {}, surrogate=SURROGATE))
    there = learn(TorchNetwork(network(), DT, {}, surrogate=SURROGATE).cuda(), inputs=inputs)
    assert largest({name: g.cpu() for name, g in there.items()}, here) < 1e-9  # other kernels round otherwise


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")  # of torch, about its own internals
def test_a_compiled_network_gives_the_same_numbers(backend):
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    described = network()
    quiet = NEURON.model_copy(update={"equations": NEURON.equations.replace("+ sigma*xi*tau**-0.5", "")})
    populations = {
        name: p if name == "inputs" else p.model_copy(update={"neuron": quiet, "parameters": {}})
        for name, p in described.populations.items()
    }  # drawing random numbers is not compiled
    described = described.model_copy(update={"populations": populations})
    inputs = {"inputs": raster()["inputs"][:9]}
    found = []
    for compiled in (False, True):
        module = TorchNetwork(described, DT, {}, surrogate=SURROGATE, unroll=3)
        run = torch.compile(module, backend=backend) if compiled else module
        loss_of(run(inputs, traces=TRACES)).backward()
        found.append(gradients(module))
    assert largest(*found) < 1e-12  # kernels may be fused and round otherwise
    assert not torch._dynamo.utils.counters["graph_break"]
    assert torch._dynamo.utils.counters["stats"]["calls_captured"] > 50, "nothing was compiled"


def test_unknown_names_are_refused():
    module = TorchNetwork(network(), DT, {})
    with pytest.raises(InputError, match="spike source"):
        module({"input": raster()["inputs"]})
    with pytest.raises(InputError, match=r"shape \(60, 3, 6\)"):
        module({"inputs": raster()["inputs"][..., :5]})
    with pytest.raises(InputError, match="population that spikes"):
        module(raster(), record=["outputs"])
    with pytest.raises(InputError, match="variable"):
        module(raster(), traces=[("hidden", "u")])


@pytest.mark.parametrize(
    ("synapse", "said"),
    [
        ({"on_pre": "v_post += w*a_post/mV; a_post += 1*mV"}, "'a_post' depends on the order"),
        ({"on_pre": "v_post = w"}, "'v_post' depends on the order"),
        ({"on_pre": "v_post += w; v_post = 0.5*v_post + 1*mV"}, "'v_post' depends on the order"),
    ],
    ids=["written after it was read", "set to what differs", "set from itself"],
)
def test_synapses_whose_order_matters_are_refused(synapse, said):
    model = SynapseModel(weight_unit="volt", **synapse)
    described = network()
    changed = described.projections["pairs"].model_copy(update={"synapse": model})
    described = described.model_copy(update={"projections": {**described.projections, "pairs": changed}})
    with pytest.raises(UnsupportedError, match=said):
        sc.compile(described, "torch", dt="0.5 ms")
    with pytest.raises(UnsupportedError, match=said):
        TorchNetwork(described, DT, {})


def test_delays_of_plastic_synapses_cannot_be_trained():
    described = network()
    changed = described.projections["pairs"].model_copy(update={"trainable": {"delay": EACH}})
    described = described.model_copy(update={"projections": {**described.projections, "pairs": changed}})
    with pytest.raises(UnsupportedError, match=r"projection 'pairs': delays .* cannot be trained"):
        sc.compile(described, "torch", dt="0.5 ms")
