"""A realisation holds all that a description leaves to chance, and only what fits to it."""

import numpy as np
import pytest
from scipy import stats

import snncompare as sc
from snncompare.backends.connections import Connections
from snncompare.backends.realisation import Realisation, checked, delay_steps, realise
from snncompare.errors import DescriptionError, InputError
from snncompare.network.initialisers import Constant, Exponential, Gamma, Normal, Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import delta
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import AllToAll, Convolution, FixedInDegree, FixedProbability
from snncompare.units import quantity

NEURON = NeuronModel(
    equations="dv/dt = (EL - v + I)/tau : volt\nbias : volt",
    threshold="v > EL + 10*mV",
    reset="v = EL",
    parameters={"tau": quantity("20 ms"), "EL": quantity("-70 mV")},
    inputs={"I": "volt"},
    initial={"v": "EL"},
)
DEPRESSING = SynapseModel(
    equations="dx/dt = -x/tau_syn : volt",
    synapse_equations="ds/dt = (1 - s)/tau_rec : 1 (event-driven)",
    on_pre="x_post += w*s; s *= 0.5",
    current="x",
    weight_unit="volt",
    parameters={"tau_syn": quantity("5 ms"), "tau_rec": quantity("100 ms")},
    initial={
        "s": Uniform(low=quantity("0"), high=quantity("1")),
        "x": Normal(mean=quantity("0 mV"), sd=quantity("1 mV")),
    },
)
MV = Constant(value=quantity("1 mV"))
DELAY = Normal(mean=quantity("1 ms"), sd=quantity("1 ms"))


def network(n_source=30, n_cells=200, *, cells=None, **projection):
    given = {"synapse": DEPRESSING, "into": "I", "weight": MV, "wiring": FixedInDegree(n=5), "delay": DELAY}
    changes = {
        "tau": Gamma(mean=quantity("20 ms"), sd=quantity("5 ms")),
        "EL": Normal(mean=quantity("-70 mV"), sd=quantity("3 mV")),
    }
    return Network(
        populations={
            "source": Population(size=n_source, neuron=SpikeSource()),
            "cells": Population(size=n_cells, neuron=NEURON, **({"parameters": changes} | (cells or {}))),
        },
        projections={"feed": Projection(source="source", target="cells", **(given | projection))},
    )


def plain(n_source=4, n_cells=3, **projection):
    """A network in which nothing but the weights is drawn."""
    given = {"synapse": delta(), "into": None, "delay": quantity("1 ms"), "wiring": AllToAll()}
    return network(n_source, n_cells, cells={"parameters": {}}, **(given | projection))


def test_everything_that_differs_from_neuron_to_neuron_or_synapse_to_synapse_is_drawn():
    drawn = realise(network(), 1)
    feed, cells = drawn.connections["feed"], drawn.values["cells"]
    assert set(cells) == {"tau", "EL", "v", "x_feed"}
    assert all(array.shape == (200,) and array.dtype == np.float64 for array in cells.values())
    assert stats.kstest(cells["tau"], stats.gamma(16, scale=20e-3 / 16).cdf).pvalue > 0.001
    assert stats.kstest(cells["x_feed"], stats.norm(0, 1e-3).cdf).pvalue > 0.001
    assert np.array_equal(cells["v"], cells["EL"]), "a state that begins at a parameter begins at each neuron's own"
    assert cells["v"] is not cells["EL"]
    assert set(feed.values) == {"s"}
    assert stats.kstest(feed.values["s"], stats.uniform(0, 1).cdf).pvalue > 0.001
    assert feed.delay.shape == (1000,)
    assert "source" not in drawn.values


def test_values_depend_on_seed_and_names_alone():
    one, again, other = (realise(network(), seed) for seed in (1, 1, 2))
    more = network(cells={"initial": {"bias": Uniform(low=quantity("0 mV"), high=quantity("1 mV"))}})
    extended = realise(more, 1)
    assert "bias" in extended.values["cells"]
    for name in one.values["cells"]:
        assert np.array_equal(one.values["cells"][name], again.values["cells"][name])
        assert not np.array_equal(one.values["cells"][name], other.values["cells"][name])
        assert np.array_equal(one.values["cells"][name], extended.values["cells"][name])
    for part in ("source", "delay"):
        assert np.array_equal(getattr(one.connections["feed"], part), getattr(extended.connections["feed"], part))
    assert not np.array_equal(one.connections["feed"].delay, other.connections["feed"].delay)


def test_what_training_may_move_neuron_by_neuron_is_there_neuron_by_neuron():
    trained = {"tau": Trainable(), "v": Trainable(), "bias": Trainable(), "EL": Trainable(shared=True)}
    cells = realise(network(cells={"parameters": {}, "trainable": trained}), 0).values["cells"]
    assert set(cells) == {"tau", "v", "bias", "x_feed"}
    assert (cells["tau"] == 20e-3).all()
    assert (cells["v"] == -70e-3).all()
    assert not cells["bias"].any()
    assert "tau" not in realise(network(cells={"parameters": {}}), 0).values["cells"], "negative control"


def test_delays_are_never_negative_and_keep_the_shape_of_their_distribution():
    delay = realise(network(), 3).connections["feed"].delay
    assert delay.min() >= 0
    assert stats.kstest(delay, stats.truncnorm(-1, np.inf, 1e-3, 1e-3).cdf).pvalue > 0.001
    assert stats.kstest(np.maximum(delay - 5e-4, 0), stats.truncnorm(-1, np.inf, 1e-3, 1e-3).cdf).pvalue < 0.001


def test_one_delay_for_all_is_left_to_the_description():
    described = plain()
    connections = realise(described, 0).connections["feed"]
    assert connections.delay is None
    steps = delay_steps(connections, described.projections["feed"], 1e-4)
    assert steps.shape == ()
    assert steps == 10


def test_delays_are_rounded_as_brian2_rounds_them():
    brian2 = pytest.importorskip("brian2")
    from brian2.synapses.cythonspikequeue import SpikeQueue

    rng, dt = np.random.default_rng(0), 1e-4
    delay = np.concatenate([rng.uniform(0, 5e-3, 2000), np.arange(40) * dt / 2])
    n = delay.size
    described = plain(1, n)
    connections = Connections((1, n), np.zeros(n, dtype=np.int64), np.arange(n), np.ones(n), delay)
    steps = delay_steps(connections, described.projections["feed"], dt)
    queue = SpikeQueue(0, 1)
    queue.prepare(delay, dt, np.zeros(n, dtype=np.int32))
    queue.push(np.zeros(1, dtype=np.int32))
    theirs = np.full(n, -1)
    for k in range(int(steps.max()) + 2):
        theirs[queue.peek()] = k
        queue.advance()
    assert brian2.__version__
    assert np.array_equal(steps, theirs)
    assert not np.array_equal(np.floor(delay / dt).astype(int), theirs), "negative control"


def test_a_delay_of_more_than_a_million_steps_is_refused():
    described = plain(delay=quantity("200 s"))
    connections = realise(described, 0).connections["feed"]
    with pytest.raises(InputError, match="a delay of 200 s from 'source' to 'cells' is 2,000,000 time steps"):
        delay_steps(connections, described.projections["feed"], 1e-4)
    assert delay_steps(connections, described.projections["feed"], 1e-3) == 200_000


@pytest.mark.parametrize(
    ("sign", "weight", "wrong"),
    [
        ("positive", Normal(mean=quantity("1 mV"), sd=quantity("1 mV")), "not positive"),
        ("negative", Normal(mean=quantity("-1 mV"), sd=quantity("1 mV")), "not negative"),
        ("negative", MV, "12 of 12 drawn weights are not negative, the first from neuron 0 to neuron 0 (0.001)"),
    ],
    ids=range(3),
)
def test_drawn_weights_that_violate_dales_law_are_refused(sign, weight, wrong):
    with pytest.raises(InputError, match="projection 'feed'") as caught:
        realise(plain(sign=sign, weight=weight), 1)
    assert wrong in str(caught.value)
    assert ("high='0 volt'" if sign == "negative" else "low='0 volt'") in str(caught.value)
    realise(plain(weight=weight), 1)  # without a sign anything goes


@pytest.mark.parametrize(
    ("sign", "weight"),
    [
        ("positive", Normal(mean=quantity("1 mV"), sd=quantity("1 mV"), low=quantity("0 mV"))),
        ("negative", Normal(mean=quantity("-1 mV"), sd=quantity("1 mV"), high=quantity("0 mV"))),
        ("negative", Exponential(mean=quantity("-1 mV"))),
    ],
    ids=range(3),
)
def test_weights_that_follow_dales_law_are_drawn(sign, weight):
    drawn = realise(plain(sign=sign, weight=weight), 1).connections["feed"].weight
    assert (drawn < 0).all() if sign == "negative" else (drawn > 0).all()


def test_given_weights_that_violate_dales_law_are_refused():
    described, given = plain(sign="positive"), np.ones((4, 3))
    assert realise(described, 0, {"feed": given}).connections["feed"].n_synapses == 12
    given[2, 1] = -0.5
    with pytest.raises(InputError) as caught:
        realise(described, 0, {"feed": given})
    said = "weights of 'feed': 1 of 12 given weights are not positive, the first from neuron 2 to neuron 1 (-0.5)"
    assert said in str(caught.value)


def _connections(**changes):
    arrays = {"source": [0, 3, 1], "target": [2, 0, 1], "weight": [1.0, 2.0, 3.0]}
    return Connections(**({"shape": (4, 3)} | {k: np.array(v) for k, v in arrays.items()} | changes))


def test_given_connections_are_sorted_with_all_that_belongs_to_them():
    given = _connections(delay=np.array([1e-3, 2e-3, 3e-3]), shared=np.array([5, 0, 2]), values={})
    found = checked(plain(), {"feed": given}).connections["feed"]
    assert found.source.tolist() == [0, 1, 3]
    assert found.target.tolist() == [2, 1, 0]
    assert found.weight.tolist() == [1.0, 3.0, 2.0]
    assert found.delay.tolist() == [1e-3, 3e-3, 2e-3]
    assert found.shared.tolist() == [5, 2, 0]
    assert found.kernel.tolist() == [2.0, 0, 3.0, 0, 0, 1.0]
    assert found.with_kernel(np.arange(6.0)).weight.tolist() == [5.0, 2.0, 0.0]
    assert found.offsets.tolist() == [0, 1, 2, 2, 3]
    with pytest.raises(InputError, match="the kernel must have the shape"):
        found.with_kernel(np.arange(5.0))


def test_several_synapses_between_two_neurons_are_kept_and_summed_in_a_dense_array():
    given = _connections(source=np.array([1, 1, 1]), target=np.array([2, 0, 2]))
    found = checked(plain(), {"feed": given}).connections["feed"]
    assert found.n_synapses == 3
    expected = np.zeros((4, 3))
    expected[1] = [2.0, 0, 4.0]
    assert np.array_equal(found.dense(), expected)
    assert Connections.from_dense(expected).n_synapses == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": np.array([0, 4, 1])}, "connections of 'feed': source must lie from 0 to 3; 1 do not, first 4"),
        ({"target": np.array([0, -1, 1])}, "target must lie from 0 to 2; 1 do not, first -1"),
        ({"source": np.array([0.0, 1.0, 2.0])}, "source must be whole numbers"),
        ({"target": np.array([0, 1])}, r"target has the shape \(2,\)"),
        ({"weight": np.array([1.0, np.nan, np.inf])}, "weight: 2 of 3 are not finite"),
        ({"weight": np.ones((3, 1))}, r"weight has the shape \(3, 1\)"),
        ({"weight": np.array(["a", "b", "c"])}, "weight must be real numbers"),
        ({"delay": np.array([0.0, -1e-3, 0.0])}, "delay: 1 are negative, the lowest -0.001 s"),
        ({"delay": np.zeros(2)}, r"delay has the shape \(2,\)"),
        ({"shared": np.array([0, 0, 1])}, "the same 'shared' have different weights"),
        ({"shared": np.array([0, 1, 10**9])}, "shared must lie from 0 to"),
        ({"shape": (4, 5)}, r"must have the shape \(4, 3\) \(source, target\), got \(4, 5\)"),
        ({"shape": (0, 3)}, "shape must be two whole numbers"),
        ({"shape": (4, 3, 1)}, "shape must be two whole numbers"),
        ({"shape": (10**12, 10**12)}, "shape must be two whole numbers"),
        ({"values": {"u": np.zeros(3)}}, "no variable of the synapse 'u'"),
    ],
    ids=range(16),
)
def test_connections_that_do_not_fit_are_refused(changes, says):
    with pytest.raises(InputError, match=says) as caught:
        checked(plain(), {"feed": _connections(**changes)})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"tau": np.ones(3)}, "no variable or parameter with one value per neuron 'tau'"),
        ({"w": np.ones(3)}, "no variable or parameter with one value per neuron 'w'; available: 'v', 'bias'"),
        ({"v": np.ones(4)}, r"'v' must have the shape \(3,\), got \(4,\)"),
        ({"v": np.array([1.0, np.nan, 1.0])}, "values of 'cells': 'v': 1 of 3 are not finite"),
        (np.ones(3), "'cells' is a population; give a mapping"),
    ],
    ids=range(5),
)
def test_values_of_neurons_that_do_not_fit_are_refused(values, says):
    with pytest.raises(InputError, match=says) as caught:
        checked(plain(), {"cells": values})
    assert "\n" not in str(caught.value)


def test_what_is_given_is_kept_and_the_rest_is_drawn():
    described = network(4, 3, wiring=FixedProbability(p=0.9))
    free = realise(described, 5)
    given = {"feed": _connections(), "cells": {"EL": np.array([-0.06, -0.07, -0.08])}}
    found = realise(described, 5, given)
    assert found.connections["feed"].weight.tolist() == [1.0, 3.0, 2.0]
    assert found.connections["feed"].delay.shape == found.connections["feed"].values["s"].shape == (3,)
    assert found.values["cells"]["v"].tolist() == [-0.06, -0.07, -0.08], "a state follows the parameter it begins at"
    assert np.array_equal(found.values["cells"]["tau"], free.values["cells"]["tau"])
    again = realise(described, 99, found)
    assert _equal(found, again), "nothing is left to chance in a complete realisation"
    assert not _equal(found, free)


def _equal(a, b):
    def arrays(realisation):
        for one in realisation.connections.values():
            yield from (one.source, one.target, one.weight, one.delay, *one.values.values())
        for population in realisation.values.values():
            yield from (population[name] for name in sorted(population))

    return all(np.array_equal(x, y) for x, y in zip(arrays(a), arrays(b), strict=True))


CONVOLUTION = Convolution(input_shape=(6,), kernel=(3,), padding=1, channels_out=2)


def test_a_convolution_has_one_weight_for_each_entry_of_its_kernel():
    described = plain(6, 12, wiring=CONVOLUTION, weight=Normal(mean=quantity("0 mV"), sd=quantity("1 mV")))
    feed = realise(described, 0).connections["feed"]
    assert feed.n_synapses == 32
    assert np.unique(feed.weight).size == feed.kernel.size == 6
    assert np.array_equal(feed.kernel[feed.shared], feed.weight)
    dense = feed.dense()
    back = realise(described, 1, {"feed": dense}).connections["feed"]
    assert np.array_equal(back.shared, feed.shared)
    assert np.array_equal(back.kernel, feed.kernel)
    silent = realise(described, 1, {"feed": np.zeros((6, 12))}).connections["feed"]
    assert silent.n_synapses == 32, "a kernel of zeros is still a kernel"


@pytest.mark.parametrize(("where", "says"), [((0, 0), "the same 'shared' have different"), ((0, 5), "do not belong")])
def test_given_weights_that_are_no_convolution_are_refused(where, says):
    described = plain(6, 12, wiring=CONVOLUTION)
    dense = realise(described, 0).dense_weights()["feed"]
    dense[where] += 1.0
    with pytest.raises(InputError, match=f"weights of 'feed': .*{says}"):
        realise(described, 0, {"feed": dense})


def test_wiring_that_sizes_cannot_fulfil_is_refused():
    with pytest.raises(DescriptionError, match="9 different source neurons are asked for and there are 4"):
        realise(plain(wiring=FixedInDegree(n=9)), 0)


def test_values_of_too_many_neurons_are_refused_before_they_are_drawn():
    many = network(1, 10_000_000, wiring=FixedProbability(p=1e-6))
    neuron = NEURON.model_copy(
        update={
            "parameters": dict(NEURON.parameters) | {f"p{k}": quantity("1") for k in range(9)},
            "equations": NEURON.equations,
        }
    )
    cells = Population(
        size=10_000_000,
        neuron=neuron,
        parameters={f"p{k}": Uniform(low=quantity("0"), high=quantity("1")) for k in range(9)}
        | {"tau": Gamma(mean=quantity("20 ms"), sd=quantity("5 ms"))},
    )
    with pytest.raises(InputError, match="population 'cells' has 110,000,000 values of single neurons; 100,000,000"):
        realise(many.model_copy(update={"populations": dict(many.populations) | {"cells": cells}}), 0)


def test_scaling_by_sources_is_refused_where_there_are_none():
    scaled = Normal(mean=quantity("20 ms"), sd=quantity("1 ms"), scale_by_sources=True)
    with pytest.raises(InputError, match="'tau' of 'cells': scale_by_sources is for weights"):
        realise(network(cells={"parameters": {"tau": scaled}}), 0)
    with pytest.raises(InputError, match="projection 'feed': scale_by_sources is for weights"):
        realise(network(delay=scaled), 0)


def test_a_dense_array_that_would_be_too_large_is_refused():
    huge = Connections((10_000_000, 10_000_000), np.array([1]), np.array([2]), np.array([1.0]))
    with pytest.raises(InputError, match=r"from 10,000,000 to 10,000,000 neurons needs 8e\+05 GB, and 1.6 GB"):
        huge.dense()


@pytest.mark.parametrize("backend", ["brian2", "torch"])
def test_programs_offer_what_they_run_with(backend):
    described, given = plain(), {"feed": np.arange(12.0).reshape(4, 3) * 1e-3}
    program = sc.compile(described, backend, dt="0.1 ms", weights=given)
    assert isinstance(program.realisation, Realisation)
    assert np.array_equal(program.weights["feed"], given["feed"])
    again = sc.compile(described, backend, dt="0.1 ms", weights=program.realisation, seed=9)
    assert np.array_equal(again.weights["feed"], given["feed"])
