"""Learning by presentations: what it keeps, repeats, resumes and refuses; neurons as a classifier."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from snncompare.circuits.competitive import competitive_network
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError, InputError
from snncompare.learning.trained import Trained
from snncompare.learning.unsupervised.labelling import assigned_classes, voted_classes
from snncompare.learning.unsupervised.plasticity import Homeostasis, learn_by_plasticity
from snncompare.recording.recording import Recording

UNITS, NEURONS, STEPS = 24, 4, 60
USUAL = Homeostasis(keep={"excitatory": ("theta",)}, normalise={"feed": 4.0}, population="excitatory")


def stripes(n_trials: int = 6, probability: float = 0.25, units: int = UNITS) -> SpikeDataset:
    """Return trials of 60 ms in which every third unit fires, another third in each class."""
    rng = np.random.default_rng(int(1000 * probability))
    step, trial, unit = np.nonzero(
        (rng.random((STEPS, n_trials, units)) < probability)
        & (np.arange(units) % 3 == (np.arange(n_trials) % 3)[:, None])
    )
    trials = pd.DataFrame({"start": 0.0, "stop": STEPS * 1e-3, "stripe": np.arange(n_trials) % 3})
    recording = Recording.from_arrays(
        times=step * 1e-3, unit=unit, trial=trial, units=pd.DataFrame(index=range(units)), trials=trials
    )
    return SpikeDataset(spikes=recording, label="stripe", name="stripes")


def learn(data: SpikeDataset | None = None, homeostasis: Homeostasis = USUAL, **options: object) -> Trained:
    chosen = {"dt": "1 ms", "report_every": 2, "progress": lambda _line: None, **options}
    network = competitive_network(UNITS, NEURONS, rate_of_rise=0.05)
    return learn_by_plasticity(network, stripes() if data is None else data, homeostasis=homeostasis, **chosen)  # type: ignore[arg-type]


def test_learning_keeps_sums_and_raises_thresholds_one_block_after_the_other() -> None:
    trained = learn()
    np.testing.assert_allclose(trained.weights["feed"].sum(axis=0), 4.0, rtol=1e-12)
    thresholds = trained.history["excitatory theta"]
    assert (np.diff(thresholds, prepend=0.0) > 0).all()
    assert list(trained.history["presentations"]) == [2, 4, 6]
    assert trained.realisation.values["excitatory"]["theta"].mean() == pytest.approx(thresholds.iloc[-1], rel=1e-12)


def test_labels_are_not_looked_at_and_the_order_is_the_seeds() -> None:
    data = stripes()
    other = SpikeDataset(spikes=data.spikes.with_trials(stripe=[0, 0, 0, 1, 1, 1]), label="stripe", name="other")
    usual = learn().weights["feed"]
    np.testing.assert_array_equal(learn(other).weights["feed"], usual)
    assert not np.array_equal(learn(seed=1).weights["feed"], usual)


def test_all_backends_end_with_the_same_weights() -> None:
    ours, theirs, compiled = (learn(stripes(3), backend=name) for name in ("torch", "brian2", "fused"))
    np.testing.assert_array_equal(ours.weights["feed"], theirs.weights["feed"])
    # exp of the C library and of NumPy may differ in the last bit
    np.testing.assert_allclose(compiled.weights["feed"], theirs.weights["feed"], rtol=1e-12)
    several = [learn(stripes(6), backend=name, batch_size=3) for name in ("torch", "fused")]
    np.testing.assert_allclose(several[1].weights["feed"], several[0].weights["feed"], rtol=1e-12)
    single = learn(stripes(3), dtype="float32").weights["feed"]
    assert not np.array_equal(single, ours.weights["feed"])


def test_trials_that_evoke_too_little_are_shown_again_with_stronger_input() -> None:
    weak, strong = stripes(probability=0.01), stripes(probability=0.4)
    demanding = Homeostasis(keep=USUAL.keep, normalise=USUAL.normalise, at_least=2, population="excitatory")
    alone, helped = learn(weak, demanding), learn(weak, demanding, stronger=[strong])
    assert alone.history["repeats"].sum() == 0
    assert helped.history["repeats"].sum() > 0
    assert helped.history["spikes"].mean() > alone.history["spikes"].mean()


def test_an_interrupted_training_ends_with_the_same_weights(tmp_path: Path) -> None:
    path = tmp_path / "training.npz"

    def interrupt(line: str) -> None:
        if "presentations 4" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        learn(checkpoint=path, progress=interrupt)
    assert path.exists()
    with pytest.raises(FileError, match="belongs to another training"):
        learn(checkpoint=path, seed=1)
    resumed, whole = learn(checkpoint=path), learn()
    np.testing.assert_array_equal(resumed.weights["feed"], whole.weights["feed"])
    pd.testing.assert_frame_equal(resumed.history, whole.history)
    assert not path.exists()


def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "training.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(FileError, match="no checkpoint of a training by presentations"):
        learn(checkpoint=path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"data": stripes(units=UNITS + 3)}, "24 units are needed", id="other units"),
        pytest.param({"stronger": [stripes(3)]}, "6 trials of 24", id="other trials"),
        pytest.param({"backend": "abacus"}, "abacus", id="backend"),
        pytest.param({"target": "cython"}, "target", id="option of another backend"),
        pytest.param({"dtype": "float16"}, "float16", id="dtype"),
        pytest.param({"homeostasis": Homeostasis(normalise={"excite": 1.0})}, "excite", id="projection"),
        pytest.param({"homeostasis": Homeostasis(population="input")}, "input", id="population"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        learn(**options)  # type: ignore[arg-type]


def test_a_network_without_plastic_synapses_is_refused() -> None:
    network = recurrent_classifier(inputs=UNITS, hidden=3, classes=3)
    with pytest.raises(InputError, match="nothing would be learnt"):
        learn_by_plasticity(network, stripes(), dt="1 ms", homeostasis=Homeostasis())


def test_homeostasis_is_checked() -> None:
    with pytest.raises(InputError, match="needs the population"):
        Homeostasis(at_least=5)
    with pytest.raises(InputError, match="positive"):
        Homeostasis(normalise={"feed": 0.0})


def test_neurons_stand_for_the_class_they_prefer_and_vote_by_their_mean() -> None:
    counts = np.array([[5.0, 1.0, 0.0, 4.0], [4.0, 2.0, 0.0, 5.0], [0.0, 3.0, 0.0, 1.0], [1.0, 4.0, 0.0, 0.0]])
    labels = np.array([0, 0, 1, 1])
    assigned = assigned_classes(counts, labels, 2)
    np.testing.assert_array_equal(assigned, [0, 1, -1, 0])
    # Class 0 has more spikes in all (2 + 2 > 3), class 1 more for each of its neurons.
    new = np.array([[2.0, 3.0, 9.0, 2.0], [3.0, 1.0, 0.0, 3.0], [0.0, 0.0, 9.0, 0.0]])
    np.testing.assert_array_equal(voted_classes(new, assigned, 2), [1, 0, -1])


def test_a_class_without_trials_is_refused() -> None:
    with pytest.raises(InputError, match="class 1 has no trial"):
        assigned_classes(np.ones((2, 3)), np.array([0, 0]), 2)
    with pytest.raises(InputError, match="do not fit"):
        assigned_classes(np.ones((2, 3)), np.array([0]), 1)
