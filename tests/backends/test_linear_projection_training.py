"""Gradients of linear projections are those of the sum over synapses; training keeps what the description asks for."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from snncompare.backends.connections import Connections
from snncompare.backends.draw_wiring import Ends, draw_pairs
from snncompare.backends.torch.linear import LinearProjection
from snncompare.dynamics.linear import SynapticEffect
from snncompare.dynamics.separation import Term
from snncompare.errors import InputError
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import Convolution
from snncompare.units import quantity

DT = 1e-3
SAME = 1e-12  # values are of order 1 and sums have at most some hundred terms: rounding stays far below
EFFECT = SynapticEffect("x", "w", "w", False, {}, {}, frozenset(), frozenset(), (Term(None, "w"),))


def random_connections(n_source, n_target, n_synapses, seed=0):
    rng = np.random.default_rng(seed)
    source, target = rng.integers(n_source, size=n_synapses), rng.integers(n_target, size=n_synapses)
    return Connections((n_source, n_target), source, target, rng.normal(size=n_synapses)).checked()


def projection(connections, steps=0, *, trainable=None, effects=(EFFECT,), **options):
    options = {"dtype": torch.float64, "sign": None, "dt": DT, **options}
    return LinearProjection(effects, connections, steps, trainable=trainable or {"weight": Trainable()}, **options)


def run(linear, spikes, **options):
    """Sum what arrives in the steps with growing factors, after a nonlinearity: every entry of every step matters."""
    delivery = linear.start(exact=False, **options)
    past, state = [None] * (linear.longest + 1), {"x": spikes.new_zeros(spikes.shape[1], linear.connections.shape[1])}
    total = spikes.new_zeros(())
    for k, now in enumerate(spikes):
        past = [*past[1:], now]
        state["x"] = 0.9 * state["x"]
        delivery.add(state, past)
        total = total + (k + 1) * torch.tanh(state["x"]).sum()
    return total


def by_hand(connections, steps, weight, spikes):
    """The same through a dense matrix for each delay, made by indexing."""
    steps = np.broadcast_to(steps, connections.source.shape)
    matrices = {}
    for d in np.unique(steps):
        here = np.flatnonzero(steps == d)
        place = torch.as_tensor(connections.source[here] * connections.shape[1] + connections.target[here])
        flat = weight.new_zeros(connections.shape[0] * connections.shape[1]).index_add(0, place, weight[here])
        matrices[int(d)] = flat.view(connections.shape)
    x, total = spikes.new_zeros(spikes.shape[1], connections.shape[1]), spikes.new_zeros(())
    for k in range(len(spikes)):
        x = 0.9 * x
        for d, matrix in matrices.items():
            x = x + spikes[k - d] @ matrix if k >= d else x
        total = total + (k + 1) * torch.tanh(x).sum()
    return total


def smooth_spikes(n_steps, batch, n_source, seed=1):
    return torch.tensor(np.random.default_rng(seed).random((n_steps, batch, n_source)) ** 4, requires_grad=True)


CASES = {
    "dense": (Connections.from_dense(np.random.default_rng(2).normal(size=(20, 15))), 0),
    "dense without autapses": (Connections.from_dense((np.arange(400.0).reshape(20, 20) % 21 - 10) / 10), 1),
    "sparse with multapses": (random_connections(190, 150, 400), 1),
    "sparse with delays": (random_connections(190, 150, 400), np.random.default_rng(3).integers(4, size=400)),
    "one to one": (Connections((30, 30), np.arange(30), np.arange(30), np.arange(30.0) - 9), 1),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_equal_those_of_a_plain_sum_over_synapses(name):
    connections, steps = CASES[name]
    linear, spikes = projection(connections, steps), smooth_spikes(6, 2, connections.shape[0])
    of_weight, of_spikes = torch.autograd.grad(run(linear, spikes), [linear.weight, spikes])
    weight = torch.tensor(connections.weight, requires_grad=True)
    expected = torch.autograd.grad(by_hand(connections, steps, weight, spikes), [weight, spikes])
    if of_weight.ndim == 2:
        missing = torch.ones(connections.shape, dtype=torch.bool)
        missing[connections.source, connections.target] = False
        assert not of_weight[missing].any()
        of_weight = of_weight[connections.source, connections.target]
    assert (of_weight - expected[0]).abs().max() < SAME * expected[0].abs().max()
    assert (of_spikes - expected[1]).abs().max() < SAME * expected[1].abs().max()


@pytest.mark.parametrize("steps", [1, "each its own"])
def test_sparse_products_pass_pytorchs_check_of_gradients(steps):
    connections = random_connections(190, 150, 40)
    steps = np.random.default_rng(3).integers(3, size=40) if steps != 1 else steps
    linear, spikes = projection(connections, steps), smooth_spikes(4, 2, 190)

    def total(weight, spikes):
        return run_with(linear, weight, spikes)

    assert torch.autograd.gradcheck(total, (linear.weight.detach().requires_grad_(), spikes), fast_mode=True)


def run_with(linear, weight, spikes):
    return torch.func.functional_call(_Run(linear), {"linear.weight": weight}, (spikes,))


class _Run(torch.nn.Module):
    def __init__(self, linear):
        super().__init__()
        self.linear = linear

    def forward(self, spikes):
        return run(self.linear, spikes)


@pytest.mark.parametrize("name", CASES)
def test_whole_rasters_have_the_same_gradient_as_single_steps(name):
    connections, steps = CASES[name]
    raster = torch.tensor(np.random.default_rng(5).random((12, 2, connections.shape[0])) < 0.05, dtype=torch.float64)
    gradient = torch.tensor(np.random.default_rng(6).normal(size=(12, 2, connections.shape[1])))
    linear = projection(connections, steps)
    ahead = torch.autograd.grad(linear.start(exact=False).ahead(raster)["x"], linear.weight, gradient)[0]
    delivery, past, arrives = linear.start(exact=False), [None] * (linear.longest + 1), []
    for spikes in raster:
        past, state = [*past[1:], spikes], {"x": torch.zeros_like(gradient[0])}
        delivery.add(state, past)
        arrives.append(state["x"])
    expected = torch.autograd.grad(torch.stack(arrives), linear.weight, gradient)[0]
    assert expected.abs().max() > 1
    assert (ahead - expected).abs().max() < SAME * expected.abs().max()


def test_the_gradient_of_a_kernel_is_the_sum_over_the_synapses_that_share_it():
    wiring = Convolution(input_shape=(8, 7), kernel=(3, 2), channels_in=2, channels_out=3, stride=2, padding=1)
    ends = Ends(112, 3 * wiring.output_shape[0] * wiring.output_shape[1], within=False)
    (source, target), shared = draw_pairs(wiring, ends, np.random.default_rng(0))
    kernel = np.random.default_rng(1).normal(size=36)
    connections = Connections((112, ends.n_target), source, target, kernel[shared], shared=shared)
    spikes = smooth_spikes(4, 2, 112)
    linear, listed = projection(connections, 1, convolution=wiring), projection(replace(connections, shared=None), 1)
    of_kernel = torch.autograd.grad(run(linear, spikes), linear.weight)[0]
    of_each = torch.autograd.grad(run(listed, spikes), listed.weight)[0]
    expected = torch.zeros(36, dtype=torch.float64).index_add(0, torch.as_tensor(shared), of_each)
    assert (of_kernel.flatten() - expected).abs().max() < SAME * expected.abs().max()


class _SmoothNetwork(torch.nn.Module):
    """Leaky neurons with a sigmoid for a spike, driven and recurrent through a projection with delays."""

    def __init__(self, trained, n_synapses=300):
        super().__init__()
        rng, connections = np.random.default_rng(7), random_connections(30, 30, n_synapses)
        delay = np.full(n_synapses, 2.3e-3) if trained.shared else rng.uniform(0.1e-3, 4.9e-3, n_synapses)
        connections = replace(connections, delay=np.round(delay / DT - 0.5) * DT + rng.uniform(0.2, 0.8) * DT)
        steps = np.floor(connections.delay / DT + 0.5).astype(np.int64)
        self.linear = projection(connections, steps, trainable={"weight": Trainable(), "delay": trained})
        self.drive = torch.tensor(rng.normal(size=(25, 2, 30)))

    def forward(self, *, interpolate=None):
        delivery = self.linear.start(exact=False, interpolate=interpolate)
        state, past = {"x": torch.zeros(2, 30, dtype=torch.float64)}, [None] * (self.linear.longest + 1)
        total = torch.zeros((), dtype=torch.float64)
        for k, drive in enumerate(self.drive):
            state["x"] = 0.8 * state["x"] + drive
            past = [*past[1:], torch.sigmoid(2 * state["x"])]
            delivery.add(state, past)
            total = total + torch.sin(state["x"] + k).sum()
        return total


@pytest.mark.parametrize("shared", [False, True])
def test_the_derivative_by_a_delay_equals_finite_differences(shared):
    network = _SmoothNetwork(Trainable(shared=shared))
    delay = network.linear.delay
    assert delay.shape == (() if shared else (300,))
    derivative = torch.autograd.grad(network(), delay)[0].reshape(-1)
    step = 1e-7  # seconds: 1e-4 of a time step, away from the kinks at whole steps
    for k in range(0, derivative.numel(), 37):
        sides = []
        for sign in (1, -1):
            with torch.no_grad():
                delay.view(-1)[k] += sign * step
                sides.append(network(interpolate=True))
                delay.view(-1)[k] -= sign * step
        difference = (sides[0] - sides[1]) / (2 * step)
        # second-order error (1e-4)^2 of the third derivative, rounding 1e-16 * 1e2 / 1e-7 on values of about 1e3
        assert abs(derivative[k] - difference) < 1e-6 * derivative.abs().max()
    assert derivative.abs().min() > 0


def test_trained_delays_are_rounded_where_no_gradient_is_wanted():
    network = _SmoothNetwork(Trainable())
    rounded = replace(network.linear.connections, delay=None)
    steps = np.floor(network.linear.connections.delay / DT + 0.5).astype(np.int64)
    fixed = _SmoothNetwork(Trainable())
    fixed.linear = projection(rounded, steps)
    with torch.no_grad():
        assert torch.equal(network(), fixed())
        assert abs(network(interpolate=True) - fixed()) > 1e-3
    assert abs(network().detach() - fixed().detach()) > 1e-3


def test_a_delay_is_found_by_training():
    """One source, two delays to find: descend from 3.2 and 5.9 steps to 5 and 4."""
    connections = Connections((1, 2), np.zeros(2, int), np.arange(2), np.ones(2), delay=np.array([3.2e-3, 5.9e-3]))
    linear = projection(connections, np.array([3, 6]), trainable={"delay": Trainable(high=quantity("8 ms"))})
    assert not linear.weight.requires_grad
    times = torch.arange(40.0, dtype=torch.float64)
    pulse = torch.exp(-((times - 12) ** 2) / 18)[:, None, None]
    wanted = torch.stack([torch.exp(-((times - 12 - d) ** 2) / 18) for d in (5, 4)], dim=1)
    optimiser = torch.optim.Adam([linear.delay], lr=1e-4)
    for _ in range(100):
        delivery, past, arrives = linear.start(exact=False), [None] * (linear.longest + 1), []
        for spikes in pulse:
            past, state = [*past[1:], spikes], {"x": torch.zeros(1, 2, dtype=torch.float64)}
            delivery.add(state, past)
            arrives.append(state["x"][0])
        optimiser.zero_grad()
        ((torch.stack(arrives) - wanted) ** 2).sum().backward()
        optimiser.step()
        linear.constrain_()
    # interpolation flattens the pulse a little between steps; a twentieth of a step is well below rounding
    assert linear.delay.detach().numpy() / DT == pytest.approx([5, 4], abs=0.05)
    assert linear.realised().delay / DT == pytest.approx([5, 4], abs=0.05)


@pytest.mark.parametrize("sign", ["positive", "negative"])
@pytest.mark.parametrize("name", ["dense without autapses", "sparse with multapses"])
def test_training_keeps_signs_bounds_and_missing_synapses(sign, name):
    connections, _ = CASES[name]
    factor = 1.0 if sign == "positive" else -1.0
    connections = replace(connections, weight=factor * np.abs(connections.weight))
    trained = {"weight": Trainable(high=quantity("4")), "delay": Trainable(low=quantity("1 ms"), high=quantity("2 ms"))}
    linear = projection(connections, 1, trainable=trained, sign=sign)
    free = projection(connections, 1, trainable={"weight": Trainable()})
    generator = torch.Generator().manual_seed(0)
    for each in (linear, free):
        optimiser = torch.optim.Adam(each.parameters(), lr=0.5)
        for _ in range(200):
            for parameter in each.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            optimiser.step()
            each.constrain_()
    weight = linear.synapse_weights()
    assert (factor * weight >= 0).all()
    assert (weight <= 4).all()
    assert (factor * weight > 0).any()
    assert (factor * free.synapse_weights() < 0).any(), "without a sign, random steps do cross zero"
    assert (free.synapse_weights() > 4).any()
    assert 1e-3 <= linear.delay.min() < linear.delay.max() <= 2e-3
    if linear.weight.ndim == 2:
        assert int((linear.weight != 0).sum()) <= connections.n_synapses


def test_weights_and_delays_may_be_trained_as_one_value():
    connections = replace(random_connections(12, 9, 40), weight=np.full(40, 0.5))
    linear = projection(connections, 2, trainable={"weight": Trainable(shared=True), "delay": Trainable(shared=True)})
    assert linear.weight.shape == (1,)
    assert linear.delay.item() == 2 * DT
    spikes = smooth_spikes(5, 2, 12)
    each = projection(connections, 2)
    of_one = torch.autograd.grad(run(linear, spikes), linear.weight)[0]
    of_each = torch.autograd.grad(run(each, spikes), each.weight)[0]
    assert abs(of_one - of_each.sum()) < SAME * of_each.abs().sum()
    with pytest.raises(InputError, match="weights that are trained as one value must be equal"):
        projection(random_connections(12, 9, 40), 2, trainable={"weight": Trainable(shared=True)})
    with pytest.raises(InputError, match="delays that are trained as one value must be equal"):
        projection(connections, np.arange(40), trainable={"delay": Trainable(shared=True)})


def test_values_outside_the_bounds_of_training_are_refused():
    connections = random_connections(12, 9, 40)
    with pytest.raises(InputError, match="weights start outside the bounds of training, the first at"):
        projection(connections, trainable={"weight": Trainable(high=quantity("0.1"))})
    with pytest.raises(InputError, match=r"40 of 40 delays start outside the bounds of training, the first at 0\.002"):
        projection(connections, 2, trainable={"delay": Trainable(low=quantity("3 ms"))})
    projection(connections, 2, trainable={"weight": Trainable(high=quantity("10")), "delay": Trainable()})


def test_parameters_are_saved_and_restored_by_name():
    first, second = (projection(random_connections(12, 9, 40, seed), 2, trainable=BOTH) for seed in (0, 1))
    assert sorted(first.state_dict()) == ["delay", "weight"]
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.weight, second.weight)


BOTH = {"weight": Trainable(), "delay": Trainable()}


class _Largest(TorchDispatchMode):
    """Notes the largest tensor that any operation returns."""

    def __init__(self):
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else [result]:
            if isinstance(tensor, torch.Tensor):
                stored = tensor._nnz() if tensor.layout != torch.strided else tensor.untyped_storage().nbytes() // 4
                self.numel = max(self.numel, stored)
        return result


def test_a_sparse_projection_stays_sparse_while_it_is_trained():
    connections = random_connections(20_000, 20_000, 100_000)
    spikes = [torch.rand(2, 20_000).requires_grad_() for _ in range(3)]
    steps = np.random.default_rng(0).integers(1, 3, size=100_000)
    for delays in (1, steps):
        linear = projection(connections, delays, dtype=torch.float32, trainable={"weight": Trainable()})
        with _Largest() as largest:
            delivery, state = linear.start(exact=False), {"x": torch.zeros(2, 20_000)}
            delivery.add(state, spikes)
            state["x"].sum().backward()
            torch.optim.Adam(linear.parameters()).step()
        assert linear.weight.shape == linear.weight.grad.shape == (100_000,)
        assert largest.numel < 1_000_000, "a dense matrix would have 400 million entries"
    with _Largest() as largest:
        projection(random_connections(1200, 1000, 100_000)).start(exact=False).ahead(torch.zeros(1, 1, 1200).double())
    assert largest.numel > 1_000_000, "the watch does see a matrix that is written out"
