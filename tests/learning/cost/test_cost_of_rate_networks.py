"""Operations and parameters of LSTM, GRU and plain RNN: by hand, and those torch has."""

import pytest
import torch

from snncompare.errors import InputError
from snncompare.learning.cost import Operations, rate_network_cost

LAYERS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


@pytest.mark.parametrize(
    ("kind", "by_hand"), [("lstm", 4 * 24 + 17 * 4), ("gru", 3 * 24 + 18 * 4), ("rnn", 24)], ids=["LSTM", "GRU", "RNN"]
)
def test_operations_by_hand(kind, by_hand):
    """Two inputs, four neurons: 2*4 + 4*4 = 24 weights of a gate; three outputs."""
    found = rate_network_cost(kind, inputs=2, hidden=4, outputs=3, n_steps=10)
    assert found.layers["hidden"] == Operations(0, 10 * by_hand)
    assert found.layers["readout"] == Operations(0, 10 * 12)
    assert found.energy() == pytest.approx(4.6e-12 * 10 * (by_hand + 12), rel=1e-12)


@pytest.mark.parametrize("kind", list(LAYERS))
def test_parameters_are_those_of_torch(kind):
    layer, readout = LAYERS[kind](5, 7), torch.nn.Linear(7, 3)
    expected = sum(p.numel() for part in (layer, readout) for p in part.parameters())
    assert rate_network_cost(kind, inputs=5, hidden=7, outputs=3, n_steps=1).parameters == expected
    assert rate_network_cost(kind, inputs=5, hidden=8, outputs=3, n_steps=1).parameters != expected


def test_inputs_that_are_spikes_cost_accumulates_only():
    dense = rate_network_cost("lstm", inputs=2, hidden=4, outputs=3, n_steps=10)
    spiking = rate_network_cost("lstm", inputs=2, hidden=4, outputs=3, n_steps=10, input_firing=0.25)
    assert spiking.total.accumulate == 10 * 4 * 8 * 0.25
    assert dense.total.multiply_accumulate - spiking.total.multiply_accumulate == 10 * 4 * 8
    assert dense.synaptic_operations == 10 * (4 * 24 + 12)
    assert dense.synaptic_operations - spiking.synaptic_operations == 10 * 4 * 8 * 0.75


def test_wrong_arguments_are_refused():
    with pytest.raises(InputError, match="rate network"):
        rate_network_cost("transformer", inputs=1, hidden=1, outputs=1, n_steps=1)
    with pytest.raises(InputError, match="hidden"):
        rate_network_cost("gru", inputs=1, hidden=0, outputs=1, n_steps=1)
    with pytest.raises(InputError, match="input_firing"):
        rate_network_cost("gru", inputs=1, hidden=1, outputs=1, n_steps=1, input_firing=-0.1)
