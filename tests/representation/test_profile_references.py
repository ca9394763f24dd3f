"""ISI-, SPIKE-distance and SPIKE-synchronisation against PySpike and the values its authors publish."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.representation.metrics import ISI, SPIKE, SpikeSync

TOLERANCE = 1e-9  # the bound we promise; both sides are sums of a few hundred rounded terms, about 1e-14
WINDOW = (0.0, 2.0)
# A grid that includes both edges makes coincident spikes, regular trains and spikes on the edges common.
GRID = st.lists(st.integers(0, 8), max_size=6, unique=True).map(lambda ks: [k / 4 for k in sorted(ks)])
TRAIN = st.one_of(GRID, st.lists(st.floats(0.01, 1.99), max_size=8, unique=True).map(sorted))
THRESHOLDS = {"original": (None, 0.0), "0.3 s": ("0.3 s", 0.3), "5 s": ("5 s", 5.0), "auto": ("auto", "auto")}


def of_pyspike(trains, mrts, window=WINDOW):
    """Return the four distance matrices of PySpike."""
    pyspike = pytest.importorskip("pyspike")
    theirs = [pyspike.SpikeTrain(train, list(window)) for train in trains]
    return {
        "isi": pyspike.isi_distance_matrix(theirs, MRTS=mrts),
        "spike": pyspike.spike_distance_matrix(theirs, MRTS=mrts),
        "rate-independent": pyspike.spike_distance_matrix(theirs, MRTS=mrts, RI=True),
        "sync": 1 - pyspike.spike_sync_matrix(theirs, MRTS=mrts),
    }


def ours(adaptive):
    return {
        "isi": ISI(adaptive=adaptive),
        "spike": SPIKE(adaptive=adaptive),
        "rate-independent": SPIKE(adaptive=adaptive, rate_independent=True),
        "sync": SpikeSync(adaptive=adaptive),
    }


@pytest.mark.parametrize("threshold", THRESHOLDS)
@settings(max_examples=60)
@given(trains=st.lists(TRAIN, min_size=4, max_size=4))
def test_the_measures_equal_pyspike(packed_trains, matrix_of, threshold, trains):
    """But where it is not a number: two equal trains with one spike on the end of the window."""
    adaptive, mrts = THRESHOLDS[threshold]
    packed = packed_trains([[train] for train in trains])
    with np.errstate(invalid="ignore"):
        expected = of_pyspike(trains, mrts)
    for name, metric in ours(adaptive).items():
        distance = matrix_of(metric, packed)
        defined = ~np.isnan(expected[name])
        np.testing.assert_allclose(distance[defined], expected[name][defined], rtol=0, atol=TOLERANCE, err_msg=name)
        assert (distance[~defined] == 0).all()


def test_two_trains_with_one_spike_on_the_end_of_the_window_are_equal(packed_trains, matrix_of):
    trains = [[2.0], [2.0]]
    assert np.isnan(of_pyspike(trains, 0.0)["spike"][0, 1])
    for metric in ours(None).values():
        assert matrix_of(metric, packed_trains([[train] for train in trains]))[0, 1] == 0


def test_a_window_that_does_not_start_at_zero_shifts_nothing(packed_trains, matrix_of):
    trains = [[-0.4, 0.1, 0.2], [0.0], [], [-0.5, 0.75]]
    expected = of_pyspike(trains, "auto", (-0.5, 0.75))
    for name, metric in ours("auto").items():
        distance = matrix_of(metric, packed_trains([[train] for train in trains], (-0.5, 0.75)))
        np.testing.assert_allclose(distance, expected[name], rtol=0, atol=TOLERANCE, err_msg=name)


@pytest.fixture(scope="module")
def published(shared_data, packed_trains):
    """Return the trains of a file in the window the published values hold for, seconds read as milliseconds."""

    def read(name):
        lines = (shared_data / "pyspike_testdata" / name).read_text().splitlines()
        trains = [np.array(line.split(), dtype=float) for line in lines if line.strip() and not line.startswith("#")]
        return packed_trains([[train] for train in trains], (0.0, 4000.0))

    return read


def test_the_isi_and_spike_distance_have_the_published_values(published, matrix_of):
    trains = published("PySpike_testdata.txt")
    assert trains.n_trials == 40
    pairs = np.triu_indices(40, k=1)
    assert matrix_of(ISI(), trains)[pairs].mean() == pytest.approx(0.17051816816999129656, abs=1e-12)
    assert matrix_of(SPIKE(), trains)[pairs].mean() == pytest.approx(0.25188056475463755, abs=1e-12)


@pytest.mark.parametrize(
    ("file", "n_trains", "coincidences", "possible"),
    [("PySpike_testdata.txt", 40, None, None), ("SPIKE_Sync_Test.txt", 50, 39932, 85554)],
)
def test_spike_synchronisation_has_the_published_values(published, matrix_of, file, n_trains, coincidences, possible):
    """Over many trains it is the sum of coincidences over that of spikes, both over all pairs."""
    trains = published(file)
    count = np.diff(trains.offsets)
    first, second = np.triu_indices(n_trains, k=1)
    spikes = count[first] + count[second]
    coincident = (1 - matrix_of(SpikeSync(), trains)[first, second]) * spikes
    if coincidences is None:
        assert coincident.sum() / spikes.sum() == pytest.approx(0.7183531505298066, abs=1e-12)
    else:
        assert coincident.sum() == pytest.approx(coincidences, abs=1e-6)
        assert spikes.sum() == possible


def test_the_measures_have_the_reference_values_on_recorded_songs(shared_data, matrix_of):
    file = shared_data / "reference_values" / "spike_distances.npz"
    if not file.is_file():
        pytest.skip(f"reference values are not here ({file})")
    from snncompare.representation.compiled.trains import Trains

    with np.load(file) as values:
        window = float(values["t_start"]), float(values["t_stop"])
        offsets = values["offsets"].astype(np.int64)[:13]
        trains = Trains(np.ascontiguousarray(values["times"][: offsets[-1]]), offsets, 1, *window)
        np.testing.assert_allclose(matrix_of(ISI(), trains), values["isi_distance"], rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(matrix_of(SPIKE(), trains), values["spike_distance"], rtol=0, atol=TOLERANCE)
        sync = values["spike_sync"].copy()
        np.fill_diagonal(sync, 1.0)
        np.testing.assert_allclose(1 - matrix_of(SpikeSync(), trains), sync, rtol=0, atol=TOLERANCE)


def test_the_measures_equal_spikedist(packed_trains, matrix_of):
    spikedist = pytest.importorskip("spikedist")
    rng = np.random.default_rng(4)
    trains = [np.sort(rng.uniform(0, 2, n)) for n in (0, 1, 2, 7, 30)]
    packed = packed_trains([[train] for train in trains])
    functions = {
        "isi": spikedist.isi_distance,
        "spike": spikedist.spike_distance,
        "sync": lambda a, b, interval: 1 - spikedist.spike_synchronization(a, b, interval=interval),
    }
    for name, function in functions.items():
        distance = matrix_of(ours(None)[name], packed)
        for i, j in zip(*np.triu_indices(len(trains), k=1), strict=True):
            theirs = function(trains[i].tolist(), trains[j].tolist(), interval=list(WINDOW))
            assert distance[i, j] == pytest.approx(theirs, abs=TOLERANCE), (name, i, j)
