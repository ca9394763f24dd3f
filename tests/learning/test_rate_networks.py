"""LSTM, GRU and plain RNN on spikes: sizes, learning, and training that goes on after an interruption."""

import numpy as np
import pandas as pd
import pytest
import torch

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError, InputError
from snncompare.learning.losses import Classification, Over
from snncompare.learning.optimisers import Adam, Units
from snncompare.learning.rate_networks import RateNetwork, evaluate_rate_network, fit_rate_network, hidden_size
from snncompare.recording.recording import Recording

KINDS = ("lstm", "gru", "rnn")
LOSS = Classification("readout", scale="1")
FAST = Adam(0.02, units=Units.SI)


def early_or_late(n=48, seed=0):
    """Return trials of 4 units that fire in the first half (class 0) or in the second (class 1), at the same rate."""
    rng = np.random.default_rng(seed)
    raster, late = np.zeros((n, 4, 20), dtype=bool), np.arange(n) % 2
    for k in range(n):
        raster[k, :, 10 * late[k] : 10 * late[k] + 10] = rng.random((4, 10)) < 0.4
    recording = Recording.from_raster(raster, "10 ms")
    return SpikeDataset(
        spikes=recording.with_trials(when=np.array(["early", "late"])[late]), label="when", name="early or late"
    )


def trained(kind="gru", *, epochs=8, loss=LOSS, seed=0, **options):
    network = RateNetwork(kind, inputs=4, hidden=6, outputs=2, seed=seed)
    data = early_or_late()
    return fit_rate_network(
        network,
        data,
        test=early_or_late(seed=1),
        loss=loss,
        dt="10 ms",
        epochs=epochs,
        batch_size=12,
        optimiser=FAST,
        seed=seed,
        **options,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_networks_of_rates_learn_when_spikes_came(kind):
    last = Classification("readout", scale="1", over=Over.LAST)
    done = trained(kind, epochs=12, loss=last)
    assert done.history["test_accuracy"].iloc[-1] > 0.9
    fresh = [RateNetwork(kind, inputs=4, hidden=6, outputs=2, seed=seed) for seed in range(8)]
    before = np.mean([evaluate_rate_network(one, early_or_late(seed=1), last, dt="10 ms").mean() for one in fresh])
    assert before < 0.7, "the task is solved without learning"
    assert done.cost().parameters == done.network.n_parameters
    assert done.cost(inputs_are_spikes=True).firing["input"] == pytest.approx(0.2, abs=0.05)  # 0.4 in half of the steps
    assert done.cost().energy() > done.cost(inputs_are_spikes=True).energy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parameters", [500, 3000, 20_000])
def test_matched_size_has_the_nearest_number_of_parameters(kind, parameters):
    n = hidden_size(kind, inputs=4, outputs=6, parameters=parameters)
    off = [abs(RateNetwork(kind, inputs=4, hidden=m, outputs=6).n_parameters - parameters) for m in (n - 1, n, n + 1)]
    assert off[1] == min(off)


def test_training_goes_on_after_an_interruption_bit_for_bit(tmp_path):
    file = tmp_path / "training"
    whole = trained(epochs=4)

    class InterruptedTrainingError(Exception):
        pass

    def stop(line):
        if line.startswith("epoch 2/"):
            raise InterruptedTrainingError

    with pytest.raises(InterruptedTrainingError):
        trained(epochs=4, checkpoint=file, progress=stop)
    assert file.exists()
    with pytest.raises(FileError, match="another training"):
        trained(epochs=4, checkpoint=file, seed=1)
    resumed = trained(epochs=4, checkpoint=file)
    assert not file.exists()
    pd.testing.assert_frame_equal(resumed.history, whole.history, check_exact=True)
    for one, other in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(one, other)
    another = trained(epochs=4, seed=1)
    assert not another.history.equals(whole.history)


def test_windows_cut_the_gradient_and_nothing_else():
    each = Classification("readout", scale="1", over=Over.EACH_STEP)
    data, begun = early_or_late(), RateNetwork("gru", inputs=4, hidden=6, outputs=2).state_dict()

    def ends(window, epochs=1):
        network = RateNetwork("gru", inputs=4, hidden=6, outputs=2)
        network.load_state_dict(begun)
        options = {"loss": each, "dt": "10 ms", "batch_size": 48, "epochs": epochs, "window": window}
        optimiser = Adam(1e-9, clip=None, units=Units.SI)  # weights hardly move: losses tell the course
        return fit_rate_network(network, data, test=data, optimiser=optimiser, **options).history

    whole, one, many = ends(None), ends(20), ends(5)
    assert one["loss"].iloc[0] == pytest.approx(whole["loss"].iloc[0], rel=1e-12)  # the state goes on over windows
    assert many["loss"].iloc[0] == pytest.approx(whole["loss"].iloc[0], rel=1e-6)  # weights have moved by 1e-9
    assert trained(loss=each, window=5).history["loss"].iloc[-1] != trained(loss=each).history["loss"].iloc[-1]
    with pytest.raises(InputError, match="loss of every step"):
        trained(window=5)


def test_weights_do_not_touch_the_global_generator():
    before = torch.get_rng_state()
    networks = [RateNetwork("lstm", inputs=3, hidden=5, outputs=2, seed=s).layer.weight_hh_l0 for s in (1, 1, 2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(networks[0], networks[1])
    assert not torch.equal(networks[0], networks[2])
    assert networks[0].abs().max() <= 5**-0.5


def test_networks_of_rates_say_what_is_wrong():
    data = early_or_late()
    options = {"test": data, "loss": LOSS, "dt": "10 ms"}
    with pytest.raises(InputError, match="rate network"):
        RateNetwork("transformer", inputs=1, hidden=1, outputs=1)
    with pytest.raises(InputError, match="has 3 inputs, the dataset 4"):
        fit_rate_network(RateNetwork("gru", inputs=3, hidden=2, outputs=2), data, **options)
    with pytest.raises(InputError, match="3 outputs for 2 classes"):
        fit_rate_network(RateNetwork("gru", inputs=4, hidden=2, outputs=3), data, **options)
