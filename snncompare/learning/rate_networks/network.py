"""Recurrent networks of rates: a layer of LSTM, GRU or plain recurrent units and a linear readout."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from snncompare.errors import InputError, unknown
from snncompare.learning.cost.rate import GATES, RateKind
from snncompare.recording.arguments import whole_number

__all__ = ["RateNetwork", "hidden_size"]

State = Tensor | tuple[Tensor, ...]
"""Of the hidden units: what they send, and in an LSTM what they remember."""

_LAYERS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RateNetwork(nn.Module):
    r"""A recurrent layer of n units and a linear readout.

    Weights and biases are drawn uniformly within :math:`\pm 1/\sqrt n`, as in torch.

    Parameters
    ----------
    kind : str
        ``"lstm"`` (Hochreiter and Schmidhuber 1997), ``"gru"`` (Cho et al. 2014) or ``"rnn"`` (tanh; Elman 1990).
    inputs, hidden, outputs : int
    seed : int
        Of the weights.

    Raises
    ------
    InputError
        For another kind, or sizes below 1.
    """

    def __init__(self, kind: RateKind, *, inputs: int, hidden: int, outputs: int, seed: int = 0) -> None:
        super().__init__()
        if kind not in _LAYERS:
            raise InputError(unknown("rate network", kind, _LAYERS))
        sizes = {"inputs": inputs, "hidden": hidden, "outputs": outputs}
        self.kind, (self.inputs, self.hidden, self.outputs) = kind, (whole_number(n, s, 1) for n, s in sizes.items())
        with torch.random.fork_rng(devices=[]):  # torch draws weights when it makes layers
            self.layer = _LAYERS[kind](self.inputs, self.hidden, dtype=torch.float64)
            self.read = nn.Linear(self.hidden, self.outputs, dtype=torch.float64)
        rng, bound = np.random.default_rng([seed, 2]), 1 / math.sqrt(self.hidden)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.from_numpy(rng.uniform(-bound, bound, tuple(parameter.shape))))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the readout (step, batch, output) for inputs (step, batch, unit)."""
        return self.continued(inputs, None)[0]

    def continued(self, inputs: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Return the readout, and the state after the last step; `state` is where an earlier run ended, cut off."""
        states, after = self.layer(inputs.to(self.read.weight.dtype), state)
        cut = tuple(part.detach() for part in after) if isinstance(after, tuple) else after.detach()
        return self.read(states), cut

    @property
    def n_parameters(self) -> int:
        """How many numbers are trained."""
        return sum(parameter.numel() for parameter in self.parameters())


def hidden_size(kind: RateKind, *, inputs: int, outputs: int, parameters: int) -> int:
    r"""Return how many hidden units have the number of parameters that comes nearest to a given one.

    With g gates, :math:`g\,(m n + n^2 + 2 n) + n k + k`.

    Raises
    ------
    InputError
        For another kind.
    """
    if kind not in GATES:
        raise InputError(unknown("rate network", kind, GATES))
    gates = GATES[kind]

    def size(n: int) -> int:
        return gates * (inputs * n + n * n + 2 * n) + n * outputs + outputs

    linear = gates * (inputs + 2) + outputs
    root = (-linear + math.sqrt(linear**2 + 4 * gates * max(parameters - outputs, 0))) / (2 * gates)
    near = max(1, math.floor(root))
    return min((near, near + 1), key=lambda n: abs(size(n) - parameters))
