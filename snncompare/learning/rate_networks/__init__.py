"""Recurrent networks of rates, the opponents of spiking networks: LSTM, GRU and plain RNN on the same spikes."""

from snncompare.learning.rate_networks.network import RateNetwork, hidden_size
from snncompare.learning.rate_networks.training import TrainedRateNetwork, evaluate_rate_network, fit_rate_network

__all__ = ["RateNetwork", "TrainedRateNetwork", "evaluate_rate_network", "fit_rate_network", "hidden_size"]
