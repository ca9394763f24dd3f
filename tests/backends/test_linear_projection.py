"""Linear projections deliver what a loop over all synapses delivers, in every form in which a matrix is kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.connections import Connections
from snncompare.backends.draw_wiring import Ends, draw_pairs
from snncompare.backends.torch.convolution import ConvolutionProduct
from snncompare.backends.torch.linear import LinearProjection
from snncompare.backends.torch.products import DenseProduct, OneToOneProduct
from snncompare.backends.torch.raster import RasterEvents
from snncompare.backends.torch.sparse import SparseProduct
from snncompare.dynamics.linear import SynapticEffect
from snncompare.dynamics.separation import Term
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import Convolution

SAME = 1e-12  # values are of order 1 and sums have at most some hundred terms: rounding stays far below


def effect(text="w", terms=None, *, variable="x", held=False, constants=None, fixed=None, source=(), target=()):
    return SynapticEffect(
        variable=variable,
        effect=text,
        weight="w",
        held=held,
        constants=constants or {},
        fixed=fixed or {},
        per_source=frozenset(source),
        per_target=frozenset(target),
        terms=terms or (Term(None, text),),
    )


def random_connections(n_source, n_target, n_synapses, seed=0):
    """Drawn with replacement: some pairs of neurons have several synapses."""
    rng = np.random.default_rng(seed)
    source, target = rng.integers(n_source, size=n_synapses), rng.integers(n_target, size=n_synapses)
    return Connections((n_source, n_target), source, target, rng.normal(size=n_synapses)).checked()


def projection(connections, steps=0, *, effects=None, trainable=None, sign=None, convolution=None):
    trainable = {"weight": Trainable()} if trainable is None else trainable
    return LinearProjection(
        effects or (effect(),),
        connections,
        steps,
        dtype=torch.float64,
        trainable=trainable,
        sign=sign,
        dt=1e-3,
        convolution=convolution,
    )


def random_raster(n_steps, batch, n_source, p=0.1, seed=1):
    return (np.random.default_rng(seed).random((n_steps, batch, n_source)) < p).astype(np.float64)


def once(synapse, trial, step):
    return 1.0


def loop(connections, steps, raster, factor=once, *, shortest_first=False):
    """Every spike through every synapse, one by one: longest delay first, then source, then target."""
    n_steps, batch, _ = raster.shape
    steps = np.broadcast_to(steps, connections.source.shape)
    arrives = np.zeros((n_steps, batch, connections.shape[1]))
    order = np.argsort(steps if shortest_first else -steps, kind="stable")
    for t in range(n_steps):
        for b in range(batch):
            for k in order:
                if t >= steps[k] and raster[t - steps[k], b, connections.source[k]]:
                    arrives[t, b, connections.target[k]] += connections.weight[k] * factor(k, b, t)
    return arrives


def delivered(linear, raster, *, exact, variable="x", released=None, **options):
    """What `add` puts into an empty state in every step."""
    delivery = linear.start(exact=exact, **options)
    past, arrives = [None] * (linear.longest + 1), []
    for k, spikes in enumerate(torch.as_tensor(raster)):
        past = [*past[1:], spikes]
        state = {variable: torch.zeros(raster.shape[1], linear.connections.shape[1], dtype=torch.float64)}
        delivery.add(state, past, None if released is None else {n: v[k] for n, v in released.items()})
        arrives.append(state[variable])
    return torch.stack(arrives).detach().numpy()


def product_of(linear):
    return linear.start(exact=False)._effects[0].products[0]


SHAPES = {
    "small with multapses": (random_connections(12, 9, 60), DenseProduct),
    "sparse with multapses": (random_connections(190, 150, 400), SparseProduct),
    "nearly dense with multapses": (random_connections(130, 140, 9000), DenseProduct),
    "dense": (Connections.from_dense(np.random.default_rng(2).normal(size=(20, 15))), DenseProduct),
    "dense without autapses": (Connections.from_dense(np.arange(1.0, 401).reshape(20, 20) % 21), DenseProduct),
    "one to one": (Connections((30, 30), np.arange(30), np.arange(30), np.arange(30.0) - 9), OneToOneProduct),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("longest", [1, 5])
def test_products_events_and_whole_rasters_deliver_what_a_loop_delivers(name, longest):
    connections, kind = SHAPES[name]
    raster = random_raster(12, 2, connections.shape[0])
    steps = 2 if longest == 1 else np.random.default_rng(3).integers(longest, size=connections.n_synapses)
    linear, expected = projection(connections, steps), loop(connections, steps, raster)
    assert isinstance(product_of(linear), kind) or longest > 1
    assert np.abs(expected).max() > 1
    assert np.array_equal(delivered(linear, raster, exact=True), expected)
    assert np.abs(delivered(linear, raster, exact=False) - expected).max() < SAME * np.abs(expected).max()
    ahead = linear.start(exact=False).ahead(torch.as_tensor(raster))["x"].detach().numpy()
    assert np.abs(ahead - expected).max() < SAME * np.abs(expected).max()


def test_a_delay_that_is_one_step_off_is_seen():
    connections = random_connections(190, 150, 400)
    raster = random_raster(12, 2, 190)
    steps = np.random.default_rng(3).integers(5, size=400)
    expected = loop(connections, steps, raster)
    steps[int(np.abs(connections.weight).argmax())] += 1
    for exact in (True, False):
        assert np.abs(delivered(projection(connections, steps), raster, exact=exact) - expected).max() > 0.1


def test_events_are_added_in_brian2s_order_to_the_last_bit():
    """Weights of very different size, so that another order of additions gives another sum."""
    rng = np.random.default_rng(4)
    connections = random_connections(60, 3, 700)
    connections = replace(connections, weight=connections.weight * 10.0 ** rng.integers(-6, 6, size=700))
    raster, steps = random_raster(8, 2, 60, p=0.5), rng.integers(4, size=700)
    expected = loop(connections, steps, raster)
    assert np.array_equal(delivered(projection(connections, steps), raster, exact=True), expected)
    assert not np.array_equal(loop(connections, steps, raster, shortest_first=True), expected)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_a_large_delivery_keeps_the_order_of_additions_with_any_number_of_threads(n_threads):
    rng, before = np.random.default_rng(5), torch.get_num_threads()
    connections = random_connections(400, 40, 40_000)
    connections = replace(connections, weight=rng.normal(size=40_000) * 10.0 ** rng.integers(-6, 6, size=40_000))
    raster = random_raster(1, 1, 400, p=0.7)
    expected = np.zeros(40)
    fired = raster[0, 0, connections.source] > 0
    np.add.at(expected, connections.target[fired], connections.weight[fired])
    torch.set_num_threads(n_threads)
    try:
        arrives = delivered(projection(connections), raster, exact=True)
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(arrives[0, 0], expected)


CONVOLUTIONS = [
    Convolution(input_shape=(17,), kernel=(5,), channels_in=2, channels_out=3, stride=2, padding=1),
    Convolution(input_shape=(8, 7), kernel=(3, 2), channels_in=2, channels_out=3, stride=2, padding=1),
    Convolution(input_shape=(6, 6), kernel=(3, 3)),
]


def convolved(wiring, seed=0):
    n_source, n_target = (
        wiring.channels_in * np.prod(wiring.input_shape),
        wiring.channels_out * np.prod(wiring.output_shape),
    )
    ends = Ends(int(n_source), int(n_target), within=False)
    (source, target), shared = draw_pairs(wiring, ends, np.random.default_rng(0))
    kernel = np.random.default_rng(seed).normal(size=wiring.channels_out * wiring.fan_in)
    return Connections((ends.n_source, ends.n_target), source, target, kernel[shared], shared=shared)


@pytest.mark.parametrize("wiring", CONVOLUTIONS)
def test_a_convolution_equals_the_list_of_its_synapses(wiring):
    connections = convolved(wiring)
    raster = random_raster(6, 2, connections.shape[0], p=0.3)
    linear = projection(connections, 1, convolution=wiring)
    listed = projection(replace(connections, shared=None), 1)
    assert isinstance(product_of(linear), ConvolutionProduct)
    assert linear.weight.shape == (wiring.channels_out, wiring.channels_in, *wiring.kernel)
    expected = delivered(listed, raster, exact=False)
    for exact in (False, True):
        assert np.abs(delivered(linear, raster, exact=exact) - expected).max() < SAME * np.abs(expected).max()
    ahead = linear.start(exact=False).ahead(torch.as_tensor(raster))["x"].detach().numpy()
    assert np.abs(ahead - expected).max() < SAME * np.abs(expected).max()
    assert np.array_equal(linear.realised().weight, connections.weight)


def test_a_kernel_that_is_turned_around_is_seen():
    wiring = CONVOLUTIONS[1]
    connections = convolved(wiring)
    raster = random_raster(6, 2, connections.shape[0], p=0.3)
    linear = projection(connections, 0, convolution=wiring)
    expected = delivered(linear, raster, exact=True)
    with torch.no_grad():
        linear.weight.copy_(linear.weight.flip(2, 3))
    assert np.abs(delivered(linear, raster, exact=False) - expected).max() > 0.1


def test_a_convolution_with_different_delays_still_shares_its_kernel():
    wiring = CONVOLUTIONS[2]
    connections, raster = convolved(wiring), random_raster(8, 2, 36, p=0.3)
    steps = np.random.default_rng(6).integers(3, size=connections.n_synapses)
    linear = projection(connections, steps, convolution=wiring)
    expected = loop(connections, steps, raster)
    assert np.abs(delivered(linear, raster, exact=False) - expected).max() < SAME * np.abs(expected).max()
    assert linear.weight.shape == (1, 1, 3, 3)


def test_effects_read_constants_values_of_synapses_and_of_their_target():
    base = random_connections(12, 9, 40)
    own = np.random.default_rng(7).random(40)
    connections = replace(base, values={"a": own})
    described = effect("c*w*a_p/g", constants={"c": 2.0}, fixed={"a_p": 0.0}, target=["g"])
    described = replace(described, weight="w_p", effect="c*w_p*a_p/g", terms=(Term(None, "c*w_p*a_p/g"),))
    g = np.linspace(1, 2, 9)
    raster = random_raster(5, 2, 12, p=0.3)
    expected = loop(replace(base, weight=2.0 * base.weight * own / g[base.target]), 0, raster)
    linear = projection(connections, effects=(described,))
    for exact in (False, True):
        arrives = delivered(linear, raster, exact=exact, values={"g": torch.tensor(g)})
        assert np.abs(arrives - expected).max() < SAME * np.abs(expected).max()
        other = delivered(linear, raster, exact=exact, values={"g": torch.tensor(g), "c": torch.tensor(3.0)})
        assert np.abs(other - 1.5 * expected).max() < SAME * np.abs(expected).max()


@pytest.mark.parametrize("steps", [1, "each its own"])
def test_effects_read_what_the_source_neuron_releases(steps):
    connections = random_connections(12, 9, 40)
    steps = np.random.default_rng(3).integers(4, size=40) if steps != 1 else 1
    raster = random_raster(9, 2, 12, p=0.3)
    released = np.random.default_rng(8).normal(size=(9, 2, 12))
    terms = (Term("u", "w"), Term("-(u*u)", "2.0"))
    linear = projection(connections, steps, effects=(effect("w*u - 2*u*u", terms, source=["u"]),))
    source, weight = connections.source, connections.weight

    def factor(k, b, t):
        u = released[t, b, source[k]]
        return u - 2 * u * u / weight[k]

    expected = loop(connections, steps, raster, factor)
    for exact in (False, True):
        arrives = delivered(linear, raster, exact=exact, released={"u": torch.tensor(released)})
        assert np.abs(arrives - expected).max() < SAME * np.abs(expected).max()
        shifted = delivered(linear, raster, exact=exact, released={"u": torch.tensor(released).roll(1, 0)})
        assert np.abs(shifted - expected).max() > 0.1
    assert linear.start(exact=False).ahead(torch.as_tensor(raster)) is None


def test_held_variables_do_not_change_in_neurons_that_are_not_awake():
    connections, raster = random_connections(12, 9, 60), torch.ones(1, 2, 12, dtype=torch.float64)
    awake = torch.arange(18).reshape(2, 9) % 2 == 0
    linear = projection(connections, effects=(effect(held=True), effect(variable="y")))
    for exact in (False, True):
        delivery = linear.start(exact=exact)
        state = {name: torch.ones(2, 9, dtype=torch.float64) for name in "xy"}
        delivery.add(state, [raster[0]], None, awake)
        assert delivery.held == {"x"}
        assert (state["x"][~awake] == 1).all()
        assert (state["y"][~awake] != 1).all()
        assert torch.equal(state["x"][awake], state["y"][awake])


def test_a_run_shorter_than_the_delay_delivers_nothing():
    linear = projection(random_connections(12, 9, 60), 30)
    raster = random_raster(5, 2, 12, p=0.5)
    for exact in (False, True):
        assert not delivered(linear, raster, exact=exact).any()
    assert not linear.start(exact=False).ahead(torch.as_tensor(raster))["x"].any()


def test_a_projection_without_synapses_delivers_nothing():
    nothing = Connections((12, 9), np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    raster = random_raster(5, 2, 12, p=0.5)
    for connections in (nothing, replace(nothing, shape=(300, 200), source=nothing.source)):
        linear = projection(connections)
        raster = random_raster(5, 2, connections.shape[0], p=0.5)
        for exact in (False, True):
            assert not delivered(linear, raster, exact=exact).any()


@pytest.mark.parametrize("kind", ["0 and 1", "true and false", "counts", "dense", "with a gradient"])
def test_whole_rasters_may_be_of_any_kind(kind):
    connections = random_connections(30, 9, 90)
    raster = torch.as_tensor(random_raster(9, 2, 30, p=0.5 if kind == "dense" else 0.05))
    given = raster.bool() if kind == "true and false" else raster * (2.0 if kind == "counts" else 1.0)
    given = given.requires_grad_(kind == "with a gradient")
    sparse = RasterEvents.of(given).offsets is not None
    assert sparse == (kind in ("0 and 1", "true and false", "counts"))
    ahead = projection(connections, 1).start(exact=False).ahead(RasterEvents.of(given))["x"].detach().numpy()
    expected = loop(connections, 1, raster.detach().numpy()) * (2.0 if kind == "counts" else 1.0)
    assert np.abs(ahead - expected).max() < SAME * np.abs(expected).max()


def test_exact_runs_are_not_computed_ahead():
    linear = projection(random_connections(12, 9, 60))
    assert linear.start(exact=True).ahead(torch.zeros(3, 2, 12, dtype=torch.float64)) is None
