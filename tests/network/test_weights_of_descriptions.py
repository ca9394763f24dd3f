"""Weights come from seed and name only, as described; what is too large, misshapen or hostile is refused."""

import os
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest
from numpy.lib.format import write_array_header_2_0

from snncompare.backends.weights import checked_weights, connected, draw_weights, load_weights, save_weights
from snncompare.errors import DescriptionError, FileError, InputError
from snncompare.network.initialisers import Constant, Normal, Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import delta
from snncompare.network.wiring import AllToAll, FixedProbability, OneToOne
from snncompare.units import quantity

MV = Constant(value=quantity("1 mV"))
NOISE = Normal(mean=quantity("1 mV"), sd=quantity("2 mV"))


def _projection(weight=NOISE, wiring=None, source="source"):
    return Projection(source=source, target="cells", synapse=delta(), weight=weight, wiring=wiring or AllToAll())


def _network(projections, n_source=30, n_cells=40):
    cells = Population(size=n_cells, neuron=leaky_integrate_and_fire())
    return Network(
        populations={"source": Population(size=n_source, neuron=SpikeSource()), "cells": cells}, projections=projections
    )


RANDOM = _projection(wiring=FixedProbability(p=0.3))


def test_the_same_seed_draws_the_same_weights_and_another_seed_others():
    network = _network({"feed": RANDOM})
    one, again, other = (draw_weights(network, seed)["feed"] for seed in (3, 3, 4))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_adding_a_projection_leaves_the_others_as_they_were():
    alone = draw_weights(_network({"feed": RANDOM}), 3)
    more = draw_weights(_network({"aaa": RANDOM, "feed": RANDOM, "zzz": _projection(MV)}), 3)
    assert np.array_equal(alone["feed"], more["feed"])
    assert not np.array_equal(more["aaa"], more["feed"]), "each projection has draws of its own"


def test_the_global_generator_is_neither_read_nor_set():
    network = _network({"feed": RANDOM})
    np.random.seed(0)  # noqa: NPY002 - the global generator is what must not matter
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    one = draw_weights(network, 3)["feed"]
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    assert np.array_equal(one, draw_weights(network, 3)["feed"])


def test_wiring_and_weights_are_drawn_apart():
    loose, tight = (
        draw_weights(_network({"feed": _projection(NOISE, FixedProbability(p=p))}), 3)["feed"] for p in (0.9, 0.2)
    )
    both = (loose != 0) & (tight != 0)
    assert both.sum() > 100
    assert np.array_equal(loose[both], tight[both])


def test_fixed_probability_has_its_density_within_four_standard_errors():
    p, n = 0.1, 400
    mask = connected(_network({"feed": _projection(NOISE, FixedProbability(p=p))}, n, n), "feed", 1)
    assert abs(mask.mean() - p) < 4 * np.sqrt(p * (1 - p) / n**2)
    full = connected(_network({"feed": _projection(NOISE, FixedProbability(p=1.0))}), "feed", 1)
    assert full.all()


@pytest.mark.parametrize("wiring", [AllToAll(), FixedProbability(p=0.9)])
def test_no_neuron_feeds_itself_unless_asked(wiring):
    network = _network({"rec": _projection(MV, wiring, "cells")})
    assert not np.diag(connected(network, "rec", 0)).any()
    assert not np.diag(draw_weights(network, 0)["rec"]).any()
    asked = wiring.model_copy(update={"autapses": True})
    assert np.diag(connected(_network({"rec": _projection(MV, asked, "cells")}), "rec", 0)).any()
    between = connected(_network({"feed": _projection(MV, wiring)}, 40, 40), "feed", 0)
    assert np.diag(between).any(), "two populations of one size have no autapses"


def test_one_to_one_is_the_diagonal():
    network = _network({"feed": _projection(MV, OneToOne())}, 5, 5)
    assert np.array_equal(draw_weights(network, 0)["feed"], 1e-3 * np.eye(5))
    with pytest.raises(
        DescriptionError, match="one-to-one between 5 and 6 neurons; give both populations the same size"
    ):
        _network({"feed": _projection(MV, OneToOne())}, 5, 6)


def test_initialisers_have_their_moments_and_bounds():
    n = 200
    standard_error = 2e-3 / n
    normal = draw_weights(_network({"feed": _projection(NOISE)}, n, n), 0)["feed"]
    assert abs(normal.mean() - 1e-3) < 4 * standard_error
    assert abs(normal.std() - 2e-3) < 4 * standard_error
    scaled = draw_weights(
        _network({"feed": _projection(NOISE.model_copy(update={"scale_by_sources": True}))}, n, n), 0
    )["feed"]
    assert np.allclose((scaled - 1e-3) * np.sqrt(n), normal - 1e-3)
    even = Uniform(low=quantity("-1 mV"), high=quantity("3 mV"))
    uniform = draw_weights(_network({"feed": _projection(even)}, n, n), 0)["feed"]
    assert uniform.min() >= -1e-3
    assert uniform.max() < 3e-3
    assert abs(uniform.mean() - 1e-3) < 4 * 4e-3 / np.sqrt(12) / n


@pytest.mark.parametrize(
    "made",
    [
        lambda: Normal(mean=quantity("1 mV"), sd=quantity("1 pA")),
        lambda: Normal(mean=quantity("1 mV"), sd=quantity("-1 mV")),
        lambda: Uniform(low=quantity("1 mV"), high=quantity("0 mV")),
        lambda: Uniform(low=quantity("1 mV"), high=quantity("1")),
        lambda: FixedProbability(p=0),
        lambda: FixedProbability(p=1.1),
        lambda: FixedProbability(p=float("nan")),
    ],
    ids=range(7),
)
def test_distributions_that_do_not_exist_are_refused(made):
    with pytest.raises(DescriptionError):
        made()


@pytest.mark.parametrize("wiring", [AllToAll(), OneToOne(), FixedProbability(p=1e-6)])
def test_absurd_sizes_are_refused_before_anything_is_allocated(wiring):
    network = _network({"feed": _projection(NOISE, wiring)}, 10_000_000, 10_000_000)
    tracemalloc.start()
    for refused in (
        lambda: draw_weights(network, 0),
        lambda: connected(network, "feed", 0),
        lambda: checked_weights(network, {"feed": np.zeros((2, 2))}),
    ):
        with pytest.raises(
            InputError, match=r"'feed' joins 10,000,000 to 10,000,000 neurons.*8e\+05 GB, and 1.6 GB are"
        ):
            refused()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e6


def test_a_large_projection_after_a_small_one_is_refused_first():
    sizes = {"feed": _projection(NOISE), "rec": _projection(NOISE, source="cells")}
    with pytest.raises(InputError, match="projection 'rec'"):
        draw_weights(_network(sizes, 1, 10_000_000), 0)


@pytest.mark.parametrize("seed", [-1, 1.5, None, True, "0", [1]])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(InputError, match="seed must be a whole number from 0 on"):
        draw_weights(_network({"feed": RANDOM}), seed)


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ({"fed": np.zeros((2, 3))}, "weights: no projection 'fed'; did you mean 'feed'?"),
        ({"feed": np.zeros((3, 2))}, "weights of 'feed' must have the shape (2, 3) (source, target), got (3, 2)."),
        ({"feed": np.zeros(6)}, "got (6,)."),
        ({"feed": 1.0}, "got ()."),
        ({"feed": np.full((2, 3), np.nan)}, "weights of 'feed': 6 of 6 are not finite"),
        ({"feed": np.array([[0, np.inf, 0], [0, 0, 0]])}, "weights of 'feed': 1 of 6 are not finite"),
        ({"feed": np.full((2, 3), "1")}, "must be real numbers"),
        ({"feed": np.full((2, 3), 1j)}, "must be real numbers"),
        ({"feed": np.full((2, 3), None)}, "must be real numbers"),
        ({"feed": [[1, 2], [3]]}, "must be an array of real numbers"),
    ],
    ids=range(10),
)
def test_given_weights_must_fit(weights, says):
    with pytest.raises(InputError) as caught:
        checked_weights(_network({"feed": RANDOM}, 2, 3), weights)
    assert says in str(caught.value)


def test_checked_weights_are_copies_in_float64():
    given = np.arange(6, dtype=np.float32).reshape(2, 3)
    checked = checked_weights(_network({"feed": RANDOM}, 2, 3), {"feed": given})["feed"]
    assert checked.dtype == np.float64
    same_type = given.astype(np.float64)
    checked = checked_weights(_network({"feed": RANDOM}, 2, 3), {"feed": same_type})["feed"]
    checked[0, 0] = 7
    assert same_type[0, 0] == 0


def test_weights_come_back_from_a_file_exactly(tmp_path):
    weights = draw_weights(_network({"feed": RANDOM, "file": RANDOM, "allow_pickle": RANDOM}), 0)
    path = save_weights(tmp_path / "weights", weights)
    assert path == tmp_path / "weights.npz"
    loaded = load_weights(path)
    assert list(loaded) == list(weights)
    for name, array in weights.items():
        assert np.array_equal(loaded[name], array)
        assert loaded[name].dtype == np.float64
    assert save_weights(tmp_path / "again.npz", weights).read_bytes() == path.read_bytes()
    assert save_weights(tmp_path / "none.npz", {}).exists()
    assert load_weights(tmp_path / "none.npz") == {}


class _Canary:
    def __reduce__(self):
        return os.system, ("touch CANARY",)


def _write_pickled(path):
    np.savez(path, feed=np.array([_Canary()], dtype=object), allow_pickle=True)


def _write_false_header(path):
    with zipfile.ZipFile(path, "w") as archive, archive.open("feed.npy", "w") as member:
        write_array_header_2_0(member, {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)})


def _write_bomb(path):
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("feed.npy", "w") as member,
    ):
        write_array_header_2_0(member, {"descr": "<f8", "fortran_order": False, "shape": (2**21,)})
        for _ in range(16):
            member.write(bytes(2**20))


def _write_corrupt(path):
    save_weights(path, {"feed": np.arange(1000.0)})
    data = bytearray(path.read_bytes())
    data[200:260] = bytes(60)
    path.write_bytes(bytes(data))


HOSTILE = {
    "pickled objects": _write_pickled,
    "a plain pickle": lambda path: path.write_bytes(pickle.dumps(_Canary())),
    "a pickle in a zip": lambda path: zipfile.ZipFile(path, "w").writestr("feed.npy", pickle.dumps(_Canary())),
    "an empty file": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("weights"),
    "one array": lambda path: np.save(path.open("wb"), np.zeros(3)),
    "words": lambda path: np.savez(path, feed=np.array(["a", "b"])),
    "complex numbers": lambda path: np.savez(path, feed=np.array([1j])),
    "a header that lies": _write_false_header,
    "damaged data": _write_corrupt,
}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("write", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_or_broken_weights_file_is_refused_and_runs_nothing(write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "weights.npz"
    write(path)
    with pytest.raises(FileError, match=r"weights\.npz'") as caught:
        load_weights(path)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "CANARY").exists()


def test_the_canary_would_sing_where_pickles_are_allowed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _write_pickled(tmp_path / "weights.npz")
    with np.load(tmp_path / "weights.npz", allow_pickle=True) as stored:
        stored["feed"]
    assert (tmp_path / "CANARY").exists()


def test_a_file_that_unpacks_to_more_than_any_network_is_refused_unread(tmp_path, monkeypatch):
    _write_bomb(tmp_path / "weights.npz")
    assert (tmp_path / "weights.npz").stat().st_size < 2**20
    monkeypatch.setattr("snncompare.backends.weights.MAX_PAIRS", 2**20)
    with pytest.raises(FileError, match="unpacks to more than"):
        load_weights(tmp_path / "weights.npz")


def test_missing_weights_and_folders_are_file_errors(tmp_path):
    for path in (tmp_path / "no.npz", tmp_path):
        with pytest.raises(FileError, match="no weights file"):
            load_weights(path)
    with pytest.raises(FileError, match="cannot write"):
        save_weights(tmp_path / "no" / "weights.npz", {"feed": np.zeros(2)})
    with pytest.raises(InputError, match="real numbers"):
        save_weights(tmp_path / "weights.npz", {"feed": np.array([None])})
