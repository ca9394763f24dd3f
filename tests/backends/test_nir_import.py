"""Graphs as other programs write them: single precision, scalars, subgraphs, biases, convolutions, pooling."""

import itertools

import numpy as np
import pytest

from snncompare.backends.nir import from_nir, import_nir
from snncompare.backends.realisation import realise
from snncompare.errors import FileError, InputError, UnsupportedError
from snncompare.network.neuron import SpikeSource
from snncompare.network.wiring import Convolution, FixedProbability, OneToOne
from snncompare.units import quantity

nir = pytest.importorskip("nir")
RNG = np.random.default_rng(0)


def ones(*shape):
    return np.ones(shape[0] if shape and isinstance(shape[0], tuple) else shape)


def lif(n=3, **changes):
    """A neuron into which a spike of weight 1 that lasts a step of 1 ms moves the membrane by 1."""
    given = {
        "tau": 0.02 * ones(n),
        "r": 20 * ones(n),
        "v_leak": 0 * ones(n),
        "v_threshold": ones(n),
        "v_reset": 0 * ones(n),
    }
    return nir.LIF(**(given | changes))


def cuba(n=3, **changes):
    given = {"tau_syn": 0.005 * ones(n), "tau_mem": 0.02 * ones(n), "r": 20 * ones(n), "v_leak": 0 * ones(n)}
    given |= {"v_threshold": ones(n), "v_reset": 0 * ones(n), "w_in": 5 * ones(n)}
    return nir.CubaLIF(**(given | changes))


def put(n):
    return nir.Input({"input": np.atleast_1d(n)})


def get(n):
    return nir.Output({"output": np.atleast_1d(n)})


def chain(*nodes, **named):
    """The nodes in a row, between an input and an output."""
    found = {str(k): node for k, node in enumerate(nodes)} | named
    names = list(found)
    return nir.NIRGraph(found, list(itertools.pairwise(names)), type_check=False)


def read(graph, **changes):
    network, realisation = from_nir(graph, **({"dt": "1 ms"} | changes))
    realise(network, 0, realisation)  # checks that both fit to each other
    return network, realisation


def test_a_feed_forward_layer_becomes_two_populations_and_a_projection():
    weight = RNG.normal(size=(3, 4))
    network, realisation = read(chain(put(4), nir.Linear(weight), lif(), get(3)))
    assert isinstance(network.populations["n0"].neuron, SpikeSource)
    assert network.populations["n2"].model.equations == "dv/dt = (-v)/tau_v : volt"
    assert np.array_equal(realisation.connections["n1"].dense(), weight.T)
    assert network.projections["n1"].synapse.on_pre == "v_post += w"


def test_single_precision_and_single_numbers_are_read():
    """snnTorch writes 32 bit, and parameters without a shape where all neurons have the same."""
    small = {
        name: np.float32(getattr(lif(1), name)[0]).reshape(())
        for name in ("tau", "r", "v_leak", "v_threshold", "v_reset")
    }
    weight = RNG.normal(size=(3, 4)).astype(np.float32)
    network, realisation = read(chain(put(4), nir.Linear(weight), nir.LIF(**small), get(3)))
    population = network.populations["n2"]
    assert population.size == 3
    assert population.model.parameters["tau_v"].value == float(np.float32(0.02))
    # 20 ms in 32 bit are off by 2e-8, and so is the jump
    assert np.allclose(realisation.connections["n1"].dense(), weight.T, rtol=1e-7)


def test_neurons_that_differ_have_values_of_their_own():
    taus = np.array([0.01, 0.02, 0.04])
    network, realisation = read(chain(put(4), nir.Linear(ones(3, 4)), lif(tau=taus, r=1e3 * taus), get(3)))
    assert np.array_equal(realisation.values["n2"]["tau_v"], taus)
    assert np.allclose(realisation.connections["n1"].weight, 1.0, rtol=1e-15)  # r dt/tau rounds
    assert network.populations["n2"].parameters["tau_v"].low == quantity("10 ms")


@pytest.mark.parametrize("nested", [True, False], ids=["subgraph", "dotted names"])
def test_recurrent_layers_are_read_as_snntorch_writes_them(nested):
    forth, back = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 3))
    layer = {"lif": cuba(), "w_rec": nir.Linear(back)}
    if nested:
        inner = nir.NIRGraph(
            {"input": put(3), **layer, "output": get(3)},
            [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
        )
        nodes, edges = {"layer": inner}, [("fc", "layer"), ("layer", "output")]
    else:
        nodes = {f"layer.{name}": node for name, node in layer.items()}
        edges = [
            ("fc", "layer.lif"),
            ("layer.lif", "layer.w_rec"),
            ("layer.w_rec", "layer.lif"),
            ("layer.lif", "output"),
        ]
    nodes |= {"input": put(4), "fc": nir.Linear(forth), "output": get(3)}
    network, realisation = read(nir.NIRGraph(nodes, [("input", "fc"), *edges]))
    assert set(network.populations) == {"input", "layer_lif"}
    ends = {name: (projection.source, projection.target) for name, projection in network.projections.items()}
    assert ends == {"fc": ("input", "layer_lif"), "layer_w_rec": ("layer_lif", "layer_lif")}
    assert network.populations["layer_lif"].model.equations == (
        "dcurrent/dt = (-current)/tau_current : volt\ndv/dt = (-v + current)/tau_v : volt"
    )
    # w_in dt/tau_syn is 1, and R I, of which the current is kept, moves by R = 20
    assert np.array_equal(realisation.connections["fc"].dense(), 20 * forth.T)
    assert np.array_equal(realisation.connections["layer_w_rec"].dense(), 20 * back.T)


def test_biases_add_up_and_become_constant_currents():
    nodes = {
        "input": put(4),
        "one": nir.Affine(ones(3, 4), np.array([0.1, 0.2, 0.3])),
        "two": nir.Affine(ones(3, 3), np.array([0.0, 0.0, 0.01])),
        "lif": lif(),
        "output": get(3),
    }
    edges = [("input", "one"), ("one", "two"), ("two", "lif"), ("one", "lif"), ("lif", "output")]
    network, realisation = read(nir.NIRGraph(nodes, edges))
    expected = 20 * (np.array([0.1, 0.2, 0.3]) + 0.6 + np.array([0.0, 0.0, 0.01]))
    assert np.allclose(realisation.values["lif"]["v_bias"], expected, rtol=1e-15)
    assert network.populations["lif"].model.equations == "dv/dt = (-v + v_bias)/tau_v : volt"
    assert np.array_equal(realisation.connections["one"].dense(), np.full((4, 3), 4.0))


def test_leaks_thresholds_resets_and_readouts_are_kept():
    last = nir.LI(tau=0.03 * ones(2), r=30 * ones(2), v_leak=np.array([0.5, 0.25]))
    middle = lif(v_leak=-0.07 * ones(3), v_threshold=-0.05 * ones(3), v_reset=np.array([-0.06, -0.061, -0.062]))
    network, realisation = read(chain(put(4), nir.Linear(ones(3, 4)), middle, nir.Linear(ones(2, 3)), last, get(2)))
    neuron, readout = network.populations["n2"].model, network.populations["n4"].model
    assert neuron.equations == "dv/dt = (v_leak - v)/tau_v : volt"
    assert (neuron.threshold, neuron.reset) == ("v > v_threshold", "v = v_reset")
    assert neuron.parameters["v_threshold"] == quantity("-50 mV")
    assert np.array_equal(realisation.values["n2"]["v_reset"], [-0.06, -0.061, -0.062])
    assert neuron.initial["v"] == quantity("-70 mV"), "neurons start where they rest"
    assert readout.threshold is None
    assert np.array_equal(realisation.values["n4"]["v"], [0.5, 0.25])


def by_hand(weight, image, stride, padding, dilation=1):
    """The sums of a convolution, place by place."""
    padded = np.pad(image, ((0, 0), (padding, padding), (padding, padding)))
    reach = dilation * (weight.shape[2] - 1) + 1
    rows, columns = ((n - reach) // stride + 1 for n in padded.shape[1:])
    found = np.zeros((weight.shape[0], rows, columns))
    for o, y, x in np.ndindex(*found.shape):
        seen = padded[:, y * stride : y * stride + reach : dilation, x * stride : x * stride + reach : dilation]
        found[o, y, x] = (weight[o] * seen).sum()
    return found


@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 1, 1), (2, 0, 1), (1, 0, 2)])
def test_convolutions_sum_what_they_should(stride, padding, dilation):
    weight, image = RNG.normal(size=(2, 3, 3, 3)), RNG.normal(size=(3, 6, 7))
    expected = by_hand(weight, image, stride, padding, dilation)
    node = nir.Conv2d(None, weight, stride, padding, dilation, 1, np.array([0.5, -0.5]))
    graph = chain(put((3, 6, 7)), node, lif(expected.shape), get(expected.shape))
    network, realisation = read(graph)
    found = image.ravel() @ realisation.connections["n1"].dense()
    assert np.allclose(found, expected.ravel(), rtol=1e-12, atol=1e-12)  # sums of 27 products round
    assert network.populations["n2"].size == expected.size
    assert np.array_equal(realisation.values["n2"]["v_bias"], np.repeat([10.0, -10.0], expected[0].size))
    wiring = network.projections["n1"].wiring
    assert isinstance(wiring, Convolution) is (dilation == 1)
    if dilation == 1:
        assert np.array_equal(realisation.connections["n1"].kernel, weight.ravel())


def test_groups_and_one_dimension_are_read():
    weight, signal = RNG.normal(size=(4, 1, 3)), RNG.normal(size=(2, 8))
    node = nir.Conv1d(8, weight, 1, "same", 1, 2, np.zeros(4))
    network, realisation = read(chain(put((2, 8)), node, lif((4, 8)), get((4, 8))))
    padded = np.pad(signal, ((0, 0), (1, 1)))
    expected = [np.convolve(padded[o // 2], weight[o, 0, ::-1], "valid") for o in range(4)]
    found = signal.ravel() @ realisation.connections["n1"].dense()
    assert np.allclose(found, np.ravel(expected), rtol=1e-12, atol=1e-12)
    assert not isinstance(network.projections["n1"].wiring, Convolution)


@pytest.mark.parametrize(("kind", "factor"), [(nir.SumPool2d, 1.0), (nir.AvgPool2d, 0.25)])
def test_pooling_and_flattening_are_weights(kind, factor):
    two = np.array([2, 2])
    graph = chain(
        put((2, 4, 6)), kind(two, two, 0 * two), nir.Flatten(None, 0, -1), nir.Linear(np.eye(12)), lif(12), get(12)
    )  # fmt: skip
    _, realisation = read(graph)
    image = RNG.normal(size=(2, 4, 6))
    expected = factor * image.reshape(2, 2, 2, 3, 2).sum(axis=(2, 4))
    assert np.allclose(image.ravel() @ realisation.connections["n1"].dense(), expected.ravel(), rtol=1e-12)


def test_delays_before_and_behind_weights_add_up():
    before, behind, weight = np.array([0.001, 0.002]), np.array([0.003, 0.0, 0.001]), RNG.normal(size=(3, 2))
    graph = chain(put(2), nir.Delay(before), nir.Linear(weight), nir.Delay(behind), lif(), get(3))
    network, realisation = read(graph)
    found = realisation.connections["n2"]
    assert np.array_equal(found.dense(), weight.T)
    assert np.allclose(found.delay, (before[:, None] + behind).ravel(), rtol=1e-15)
    assert network.projections["n2"].delay.high == quantity("5 ms")


def test_factors_and_sparse_matrices_keep_their_wiring():
    sparse = np.where(RNG.random((3, 4)) < 0.5, 1.0, 0.0)
    network, realisation = read(
        chain(put(4), nir.Linear(sparse), lif(), nir.Scale(np.array([1.0, 2.0, 3.0])), lif(), get(3))
    )
    assert isinstance(network.projections["n1"].wiring, FixedProbability)
    assert realisation.connections["n1"].n_synapses == sparse.sum()
    assert network.projections["n3"].wiring == OneToOne()
    assert np.array_equal(realisation.connections["n3"].weight, [1.0, 2.0, 3.0])


def test_time_constants_that_are_alike_do_not_divide_by_zero():
    alike = cuba(tau_syn=np.array([0.02, 0.01, 0.02]))
    network, _ = read(chain(put(4), nir.Linear(ones(3, 4)), alike, get(3)))
    assert network.populations["n2"].model.method == "rk4"
    network, _ = read(chain(put(4), nir.Linear(ones(3, 4)), cuba(tau_syn=0.02 * ones(3)), get(3)))
    neuron = network.populations["n2"].model
    assert (neuron.method, neuron.equations.count("/tau_current")) == ("exact", 2)
    with pytest.raises(UnsupportedError, match=r"node '2' has time constants that are nearly the same.*method='rk4'"):
        read(chain(put(4), nir.Linear(ones(3, 4)), alike, get(3)), method="exact")


def with_edges(*edges, **nodes):
    return nir.NIRGraph({"input": put(3), "output": get(3), **nodes}, list(edges), type_check=False)


LI = {"tau": ones(3), "r": ones(3), "v_leak": ones(3)}
THROUGH = [("input", "lif"), ("lif", "output")]
REFUSED = {
    r"'t' is of the kind Threshold": with_edges(("input", "t"), ("t", "output"), t=nir.Threshold(ones(3))),
    r"'a', 'b' form a circle": with_edges(
        *THROUGH, ("a", "b"), ("b", "a"), ("b", "lif"), lif=lif(), a=nir.Scale(ones(3)), b=nir.Scale(ones(3))
    ),
    r"'li' \(LI\) sends its values, which are no spikes, to several neurons": with_edges(
        ("input", "li"), ("li", "lif"), ("li", "other"), li=nir.LI(**LI), lif=lif(), other=lif()
    ),
    r"'lif' \(LIF\) gets values that are no spikes from 'li' through weights": with_edges(
        ("input", "li"), ("li", "w"), ("w", "lif"), li=nir.LI(**LI), w=nir.Linear(ones(3, 3)), lif=lif()
    ),
    r"'li' \(LI\) is an output and drives other neurons": with_edges(
        ("input", "li"), ("li", "lif"), ("li", "output"), li=nir.LI(**LI), lif=lif()
    ),
    r"'li' \(LI\) drives itself": with_edges(("input", "li"), ("li", "li"), li=nir.LI(**LI)),
    r"'p' \(AvgPool2d\) is average pooling with padding": chain(
        put((1, 4, 4)),
        lif=lif((1, 4, 4)),
        p=nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([1, 1])),
        out=get(1),
    ),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_a_description_cannot_say_is_refused_by_name(reason):
    with pytest.raises(UnsupportedError, match=reason):
        read(REFUSED[reason])


CONTRADICTING = {
    r"from 'input' to 'lif' is there twice": with_edges(*THROUGH, THROUGH[0], lif=lif()),
    r"an edge names the node 'nobody', which does not exist": with_edges(*THROUGH, ("nobody", "lif"), lif=lif()),
    r"'lif' \(LIF\) takes signals of the shape \(4,\), and one arrives of the shape \(3,\)": with_edges(
        *THROUGH, lif=lif(4)
    ),
    r"'w' \(Linear\) takes 4 numbers, and a signal arrives of the shape \(3,\)": with_edges(
        ("input", "w"), ("w", "output"), w=nir.Linear(ones(3, 4))
    ),
    r"'lif' \(LIF\) tau must be positive, got -0.02 s": with_edges(*THROUGH, lif=lif(tau=-0.02 * ones(3))),
    r"'d' \(Delay\) delay must not be negative": with_edges(("input", "d"), ("d", "output"), d=nir.Delay(-ones(3))),
    r"r: 3 of 3 are not finite": with_edges(*THROUGH, lif=lif(r=np.nan * ones(3))),
    r"the input 'input' of the graph gets signals": with_edges(*THROUGH, ("lif", "input"), lif=lif()),
    r"nothing is sent to node 's'": with_edges(*THROUGH, ("s", "lif"), lif=lif(), s=nir.Scale(ones(3))),
    r"'lif' does not say how many neurons it has": with_edges(lif=lif(())),
    r"no node of the kind Input": nir.NIRGraph({"lif": lif()}, [], type_check=False),
    r"the subgraph 'sub' needs one node of the kind Input, it has 0": with_edges(
        ("input", "sub"), sub=nir.NIRGraph({"lif": lif()}, [], type_check=False)
    ),
}


@pytest.mark.parametrize("reason", CONTRADICTING)
def test_a_graph_that_contradicts_itself_is_refused_by_name(reason, tmp_path):
    with pytest.raises(InputError, match=reason):
        read(CONTRADICTING[reason])
    nir.write(tmp_path / "a.nir", CONTRADICTING[reason], compression=None)  # gzip cannot pack single numbers
    with pytest.raises(FileError, match=rf"'a\.nir': .*{reason}"):
        import_nir(tmp_path / "a.nir", dt="1 ms")


def test_a_file_of_another_program_is_read_like_its_graph(tmp_path):
    graph = chain(put(4), nir.Linear(RNG.normal(size=(3, 4))), lif(), get(3))
    nir.write(tmp_path / "other.nir", graph)
    network, realisation = import_nir(tmp_path / "other.nir", dt="1 ms")
    expected, weights = read(graph, name="other")
    assert network == expected
    assert np.array_equal(realisation.connections["n1"].weight, weights.connections["n1"].weight)


def test_any_name_becomes_one_that_descriptions_allow():
    names = ["0", "a.b", "a_b", "x_pre", "ümlaut", "__import__('os')", "w" * 200]
    nodes = {name: lif() for name in names} | {"input": put(3), "output": get(3)}
    edges = [(before, behind) for before, behind in itertools.pairwise(["input", *names, "output"])]
    network, _ = read(nir.NIRGraph(nodes, edges))
    expected = ["input", "n0", "a_b", "a_b_2", "x_pre_node", "mlaut", "import_os", "w" * 60]
    assert list(network.populations) == expected
    assert len(network.projections) == len(names)


def test_notes_count_only_where_we_wrote_them():
    node = lif()
    node.metadata = {"initial": 0.5 * ones(3), "method": "euler"}
    graph = chain(put(4), nir.Linear(ones(3, 4)), node, get(3))
    neuron = read(graph)[0].populations["n2"].model
    assert (neuron.initial, neuron.method) == ({}, "exact")
    graph.metadata = {"written_by": "snncompare 0.1.0", "dt": 1e-3, "spike": "step"}
    neuron = read(graph)[0].populations["n2"].model
    assert (neuron.initial["v"], neuron.method) == (quantity("0.5 V"), "euler")
