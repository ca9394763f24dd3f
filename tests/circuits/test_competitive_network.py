"""The network of Diehl and Cook: one winner, thresholds that rise, weights that follow their rule."""

import numpy as np
import pytest
from numpy.typing import NDArray

from snncompare.backends.brian2.presenter import Brian2Presenter
from snncompare.backends.presenter import Presenter
from snncompare.backends.realisation import realise
from snncompare.backends.torch.presenter import TorchPresenter
from snncompare.circuits.competitive import competitive_network
from snncompare.errors import InputError

DT = 1e-3
KEEP = {"excitatory": ("theta",)}
INPUTS, NEURONS = 40, 6
STRIPES = np.arange(INPUTS) % 4


def presenter(kind: type[Presenter] = TorchPresenter, **options: object) -> Presenter:
    network = competitive_network(INPUTS, NEURONS, **options)
    made: Presenter = kind(network, realise(network, 1, dt=DT), KEEP, DT)  # type: ignore[call-arg]
    return made


def pattern(k: int, seed: int = 0, steps: int = 150) -> NDArray[np.bool_]:
    """Return one raster in which every fourth input fires at 250 Hz."""
    rng = np.random.default_rng([seed, k])
    return rng.random((1, steps, INPUTS)) < 0.25 * (k == STRIPES)


def test_brian2_and_torch_learn_the_same_weights_to_the_last_bit() -> None:
    ours, theirs = presenter(TorchPresenter), presenter(Brian2Presenter)
    first = ours.weights["feed"].copy()
    for k in range(3):
        counts = [each.present(pattern(k)) for each in (ours, theirs)]
        for population in counts[0]:
            np.testing.assert_array_equal(counts[0][population], counts[1][population])
    np.testing.assert_array_equal(ours.weights["feed"], theirs.weights["feed"])
    np.testing.assert_array_equal(ours.values["excitatory", "theta"], theirs.values["excitatory", "theta"])
    assert counts[0]["excitatory"].sum() > 0
    assert np.abs(ours.weights["feed"] - first).max() > 0.01  # they did learn


def test_two_rasters_side_by_side_add_up_their_changes() -> None:
    apart, together = presenter(), presenter()
    first = {"w": apart.weights["feed"].copy(), "theta": apart.values["excitatory", "theta"].copy()}
    change = {"w": np.zeros_like(first["w"]), "theta": np.zeros(NEURONS)}
    for k in range(2):
        apart.weights["feed"][:] = first["w"]
        apart.values["excitatory", "theta"][:] = first["theta"]
        apart.present(pattern(k))
        change["w"] += apart.weights["feed"] - first["w"]
        change["theta"] += apart.values["excitatory", "theta"] - first["theta"]
    together.present(np.concatenate([pattern(0), pattern(1)]))
    expected = np.maximum(first["w"] + change["w"], 0.0)
    np.testing.assert_allclose(together.weights["feed"], expected, rtol=0, atol=1e-12)  # sums in another order
    np.testing.assert_allclose(together.values["excitatory", "theta"], first["theta"] + change["theta"], atol=1e-15)


def test_inhibition_lets_fewer_neurons_fire() -> None:
    active = {w: (presenter(inhibition=w).present(pattern(0))["excitatory"] > 0).sum() for w in (17.0, 0.0)}
    assert 0 < active[17.0] < active[0.0]


def test_thresholds_rise_with_every_spike_and_only_where_there_was_one() -> None:
    shown = presenter()
    counts = shown.present(pattern(0))["excitatory"][0]
    # The decay in 0.15 s of 10 000 s is 1.5e-5.
    np.testing.assert_allclose(shown.values["excitatory", "theta"], 5e-5 * counts, rtol=2e-5, atol=0)
    assert counts.max() > 0
    without = presenter(threshold_step="0 mV")
    without.present(pattern(0))
    assert (without.values["excitatory", "theta"] == 0).all()


def test_a_repeated_pattern_becomes_the_weights_of_its_winner_and_not_without_plasticity() -> None:
    correlations = {}
    for rise in (0.05, 0.0):
        shown = presenter(rate_of_rise=rise, rate_of_fall=rise / 100)
        for seed in range(12):
            shown.normalise("feed", 6.0)
            counts = shown.present(pattern(2, seed))["excitatory"][0]
        weights = shown.weights["feed"].reshape(INPUTS, NEURONS)[:, counts.argmax()]
        correlations[rise] = np.corrcoef(weights, STRIPES == 2)[0, 1]
    assert correlations[0.05] > 0.9  # notes on learning rules T8.1
    assert correlations[0.0] < 0.6


def test_normalised_weights_sum_to_the_total_onto_every_neuron() -> None:
    shown = presenter()
    shown.normalise("feed", 6.0)
    np.testing.assert_allclose(shown.weights["feed"].reshape(INPUTS, NEURONS).sum(axis=0), 6.0, rtol=1e-12)


def test_everything_but_what_is_kept_begins_anew() -> None:
    shown = presenter(rate_of_rise=0.0, rate_of_fall=0.0, threshold_step="0 mV")
    counts = [shown.present(pattern(0))["excitatory"] for _ in range(2)]
    np.testing.assert_array_equal(*counts)


def test_the_network_without_plasticity_cannot_be_taught() -> None:
    network = competitive_network(INPUTS, NEURONS, plastic=False)
    with pytest.raises(InputError, match="no synapse of 'competitive network' changes its weight"):
        TorchPresenter(network, realise(network, 0, dt=DT), KEEP, DT)


def test_one_neuron_has_nobody_to_compete_with() -> None:
    with pytest.raises(InputError, match="at least two neurons"):
        competitive_network(10, 1)


@pytest.mark.parametrize(("keep", "said"), [({"nobody": ("v",)}, "nobody"), ({"excitatory": ("mood",)}, "mood")])
def test_what_is_kept_must_exist(keep: dict[str, tuple[str, ...]], said: str) -> None:
    network = competitive_network(INPUTS, NEURONS)
    with pytest.raises(InputError, match=said):
        TorchPresenter(network, realise(network, 0, dt=DT), keep, DT)
