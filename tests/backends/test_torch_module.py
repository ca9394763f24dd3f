"""The module does what PyTorch users expect of one: parameters, state, truncation, checkpoints, compilation."""

import copy

import numpy as np
import pytest
import torch

import snncompare as sc
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.errors import InputError
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import exponential
from snncompare.network.trainable import Trainable
from snncompare.testing.networks import poisson_input

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


# --- runs that go on ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_gradients", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_run_in_pieces_is_the_same_run(with_gradients, dtype):
    module = TorchNetwork(network(noise="3 mV"), DT, {}, surrogate=SURROGATE, dtype=dtype)
    inputs = raster(dtype=dtype)
    with torch.set_grad_enabled(with_gradients):
        whole = module(inputs, traces=TRACES, record=["hidden"], seed=5)
        state, pieces = None, []
        for first in (0, 7, 31):
            part = {"inputs": inputs["inputs"][first : {0: 7, 7: 31, 31: STEPS}[first]]}
            pieces.append(module(part, traces=TRACES, record=["hidden"], seed=5, state=state))
            state = pieces[-1].state
        alone = module({"inputs": inputs["inputs"][7:]}, traces=TRACES, record=["hidden"], seed=5)
    for key in TRACES:
        joined = torch.cat([piece.traces[key] for piece in pieces])
        assert torch.equal(joined, whole.traces[key])
        assert not torch.equal(joined[7:], alone.traces[key]), "the state before makes no difference"
    assert torch.equal(torch.cat([piece.spikes["hidden"] for piece in pieces]), whole.spikes["hidden"])


def test_a_detached_state_cuts_the_gradient():
    """Truncated back-propagation: the second half learns from its own steps only."""
    module = TorchNetwork(network(), DT, {}, surrogate=SURROGATE)
    halves = [{"inputs": part} for part in raster()["inputs"].split(STEPS // 2)]

    def second_half(*, cut):
        module.zero_grad()
        state = module(halves[0]).state
        activity = module(halves[1], traces=TRACES, state=state.detach() if cut else state)
        loss_of(activity).backward()
        return gradients(module), activity

    (truncated, one), (full, two) = second_half(cut=True), second_half(cut=False)
    assert torch.equal(one.traces["hidden", "v"], two.traces["hidden", "v"])
    plastic = full.pop("synapses.pairs.weight")  # its state, the weight as it is now, was cut from its beginning
    assert float(plastic.abs().sum()) > 0
    assert largest(truncated, full) > 1e-3


def test_gradients_through_a_state_are_those_of_the_whole_run():
    module = TorchNetwork(network(), DT, {}, surrogate=SURROGATE)
    whole = learn(module)
    module.zero_grad()
    first, second = ({"inputs": part} for part in raster()["inputs"].split(STEPS // 2))
    one = module(first, traces=TRACES)
    two = module(second, traces=TRACES, state=one.state)
    hidden, others = (torch.cat([part.traces[key] for part in (one, two)]) for key in TRACES)
    ((hidden * 1e3).square().mean() + (others * 1e3).mean()).backward()
    assert largest(gradients(module), whole) < 1e-12  # the same sums in another order


# --- checkpoints -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("every", [1, 7, 1000])
def test_checkpoints_do_not_change_gradients(every):
    """Also with noise and plastic synapses: what lies between checkpoints is computed again from the same draws."""
    module = TorchNetwork(network(noise="3 mV"), DT, {}, surrogate=SURROGATE)
    plain = learn(module, noise_seed=3)
    assert largest(learn(module, noise_seed=3, checkpoint_every=every), plain) < 1e-12  # sums in another order
    assert largest(learn(module, noise_seed=4, checkpoint_every=every), plain) > 1e-3


def test_checkpoints_recompute_instead_of_keeping():
    module = TorchNetwork(network(), DT, {}, surrogate=SURROGATE, checkpoint_every=10)
    kept = {}
    for name, run in (("all", TorchNetwork(network(), DT, {}, surrogate=SURROGATE)), ("pieces", module)):
        sizes = []

        def keep(tensor, sizes=sizes):
            sizes.append(tensor.numel())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            run(raster(), traces=TRACES)
        kept[name] = sum(sizes)
    assert kept["pieces"] < 0.1 * kept["all"]


# --- parameters and state_dict -----------------------------------------------------------------------------------

MARKS = {
    "tau": Trainable(low="2 ms", high="30 ms"),
    "theta": ONE,
    "tau_a": Trainable(shared=True, low="0 ms"),
    "v": Trainable(low="0 mV", high="5 mV"),
}


def test_names_of_parameters_can_be_read():
    module = TorchNetwork(network(marks=MARKS, trainable={"weight": EACH, "tau_syn": EACH, "delay": ONE}), DT, {})
    assert {name for name, p in module.named_parameters() if p.requires_grad} == {
        "neurons.hidden.tau", "neurons.hidden.theta", "neurons.hidden.tau_a", "neurons.hidden.v",
        "neurons.hidden.tau_syn_recur", "synapses.feed.weight", "synapses.recur.weight", "synapses.recur.delay",
        "synapses.pairs.weight",
    }  # fmt: skip
    assert module.neurons["hidden"]["tau"].shape == (8,)
    assert module.neurons["hidden"]["theta"].shape == ()
    assert module.neurons["hidden"]["tau_syn_recur"].shape == (8,)
    assert set(module.trained()) == {"hidden", "feed", "recur", "pairs"}
    assert set(module.trained()["recur"]) == {"weight", "tau_syn", "delay"}


def test_state_dict_restores_what_was_trained():
    described = network(marks=MARKS)
    one, two = (TorchNetwork(described, DT, {}, surrogate=SURROGATE, seed=seed) for seed in (0, 1))
    learn(one)
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.mul_(0.99)
        runs = [module(raster(), traces=TRACES).traces["others", "v"] for module in (one, two)]
        assert not torch.equal(*runs)
        two.load_state_dict(one.state_dict())
        assert torch.equal(runs[0], two(raster(), traces=TRACES).traces["others", "v"])
    with pytest.raises(RuntimeError, match="theta"):
        two.load_state_dict({name: value for name, value in one.state_dict().items() if "theta" not in name})


def test_a_copy_is_a_network_of_its_own():
    module = TorchNetwork(network(), DT, {}, surrogate=SURROGATE)
    before = learn(module)
    twin = copy.deepcopy(module)
    with torch.no_grad():
        twin.synapses["feed"].weight.mul_(0.5)
    assert largest(learn(module), before) == 0
    assert largest(learn(twin), before) > 1e-3


@pytest.mark.parametrize("name", ["train", "values", "half", "keys", "type", "parameters", "forward"])
def test_populations_and_projections_may_have_names_that_modules_use(name):
    projection = Projection(
        source="inputs", target=name, synapse=exponential(tau="4 ms"), into="I", weight=STRONG,
        trainable={"weight": EACH, "tau_syn": EACH},
    )  # fmt: skip
    described = Network(
        populations={
            "inputs": Population(size=6, neuron=SpikeSource()),
            name: Population(size=2, neuron=leaky_integrate_and_fire(), trainable={"tau": EACH}),
        },
        projections={f"{name}_2": projection},
    )
    module = TorchNetwork(described, DT, {}, surrogate=SURROGATE)
    module(raster(), traces=[(name, "v")]).traces[name, "v"].sum().backward()
    assert f"neurons.{name}.tau" in dict(module.named_parameters())
    assert float(module.neurons[name]["tau"].grad.abs().sum()) > 0
    module.load_state_dict(module.state_dict())


def test_training_keeps_bounds_and_signs():
    described = network(marks=MARKS, trainable={"weight": EACH, "delay": Trainable(high="3 ms")})
    described = described.model_copy(
        update={
            "projections": {
                **described.projections,
                "feed": described.projections["feed"].model_copy(update={"sign": "positive"}),
            }
        }
    )
    module = TorchNetwork(described, DT, {}, surrogate=SURROGATE)
    optimiser = torch.optim.SGD(module.parameters(), lr=1.0)
    for direction in (1.0, -1.0):
        for parameter in module.parameters():
            parameter.grad = direction * torch.ones_like(parameter)  # a step of one SI unit: beyond every bound
        optimiser.step()
        broken = module.neurons["hidden"]["tau"].detach().clone()
        assert (broken < 0).all() or (broken > 0.5).all()
        module.constrain_()
        values = {name: p.detach() for name, p in module.named_parameters()}
        low, high = values["neurons.hidden.tau"].min(), values["neurons.hidden.tau"].max()
        assert float(low) >= 2e-3
        assert float(high) <= 30e-3
        assert float(values["neurons.hidden.tau_a"]) > 0
        assert 0 <= float(values["neurons.hidden.v"].min()) <= float(values["neurons.hidden.v"].max()) <= 5e-3
        assert float(values["synapses.feed.weight"].min()) >= 0
        assert 0 <= float(values["synapses.recur.delay"].min()) <= float(values["synapses.recur.delay"].max()) <= 3e-3
        activity = module(raster(), traces=TRACES)
        assert activity.traces["hidden", "v"].isfinite().all()


def test_a_trained_value_that_starts_outside_its_bounds_is_refused():
    with pytest.raises(InputError, match="'tau' starts outside its bounds"):
        TorchNetwork(network(marks={"tau": Trainable(low="11 ms")}), DT, {})


def test_an_initial_state_follows_the_parameter_it_begins_at():
    neuron = NEURON.model_copy(update={"initial": {"v": "b"}})
    described, hidden = network(), Population(size=8, neuron=neuron, trainable={"b": ONE})
    described = described.model_copy(update={"populations": {**described.populations, "hidden": hidden}})
    module = TorchNetwork(described, DT, {}, surrogate=SURROGATE)
    with torch.no_grad():
        module.neurons["hidden"]["b"].fill_(4e-3)
        first = module(raster(), traces=TRACES).traces["hidden", "v"][0]
    assert torch.allclose(first, torch.full_like(first, 4e-3 * (1 - DT / 10e-3)), rtol=1e-12)


def test_what_was_trained_runs_in_brian2_as_it_does_here():
    marks = {"tau": EACH, "theta": ONE, "v": EACH}
    described = network(marks=marks, trainable={"weight": EACH, "tau_syn": ONE, "delay": EACH})
    module = TorchNetwork(described, DT, {}, surrogate=SURROGATE)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.mul_(torch.from_numpy(rng.uniform(0.8, 1.2, tuple(parameter.shape))))
        module.neurons["hidden"]["v"].add_(2e-3)
    changed, realisation = module.description(), module.realisation()
    recording = poisson_input(units=6, trials=2, rate=60.0)
    runs = {
        name: sc.compile(net, backend, dt="0.5 ms", weights=values).run({"inputs": recording}, duration="1 s")
        for name, net, backend, values in (
            ("torch", changed, "torch", realisation),
            ("brian2", changed, "brian2", realisation),
            ("untrained", described, "brian2", realisation),
        )
    }
    assert runs["brian2"].times.size > 300
    assert np.array_equal(runs["torch"].times, runs["brian2"].times)
    assert not np.array_equal(runs["untrained"].times, runs["brian2"].times)
    with torch.no_grad():
        fired = np.zeros((2000, 2, 6))
        trial, unit = recording.spike_index()
        fired[np.rint(recording.times / DT).astype(int), trial, unit] = 1
        spikes = module({"inputs": torch.from_numpy(fired)}, record=["hidden"]).spikes["hidden"]
    hidden = runs["brian2"].units["population"].to_numpy()[runs["brian2"].spike_index()[1]] == "hidden"
    assert int(spikes.sum()) == hidden.sum()


# --- gradients on and off, data types, devices -------------------------------------------------------------------


# --- compilation -------------------------------------------------------------------------------------------------


# --- refusals ----------------------------------------------------------------------------------------------------
