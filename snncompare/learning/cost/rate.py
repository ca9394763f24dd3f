"""Operations of recurrent networks of rates: LSTM, GRU and plain RNN."""

from typing import Literal, get_args

from snncompare.errors import InputError, unknown
from snncompare.learning.cost.operations import Cost, Operations
from snncompare.recording.arguments import whole_number

__all__ = ["GATES", "RateKind", "rate_network_cost"]

RateKind = Literal["lstm", "gru", "rnn"]

GATES: dict[RateKind, int] = {"lstm": 4, "gru": 3, "rnn": 1}
"""How often input and state are multiplied with weights."""

_BY_NEURON: dict[RateKind, int] = {"lstm": 17, "gru": 18, "rnn": 0}
"""Operations of each neuron with itself: gates, their non-linear functions, products."""


def rate_network_cost(
    kind: RateKind,
    *,
    inputs: int,
    hidden: int,
    outputs: int,
    n_steps: int,
    input_firing: float | None = None,
) -> Cost:
    r"""Return what one inference of a recurrent network of rates costs.

    For m inputs, n hidden neurons and k outputs, in every step :math:`g\,(m n + n^2) + c\,n` multiply-accumulates in
    the hidden layer and :math:`n k` in the readout, with g = 4, c = 17 (LSTM), g = 3, c = 18 (GRU), or g = 1, c = 0
    (plain RNN), as in the comparison of Yin, Corradi and Bohte (2021) Nature Machine Intelligence 3:905.

    Parameters
    ----------
    kind : str
        ``"lstm"``, ``"gru"`` or ``"rnn"``.
    inputs, hidden, outputs, n_steps : int
    input_firing : float, optional
        Spikes per input and step. With it, hardware is assumed that uses that inputs are spikes: input weights are
        accumulated at spikes only, :math:`g\,m\,n\,f` accumulates in the place of :math:`g\,m\,n`
        multiply-accumulates.

    Raises
    ------
    InputError
    """
    if kind not in get_args(RateKind):
        raise InputError(unknown("rate network", kind, get_args(RateKind)))
    sizes = {"inputs": inputs, "hidden": hidden, "outputs": outputs, "n_steps": n_steps}
    m, n, k, steps = (whole_number(name, size, 1) for name, size in sizes.items())
    if input_firing is not None and not input_firing >= 0:
        raise InputError(f"input_firing must not be negative, got {input_firing}.")
    gates = GATES[kind]
    fed = Operations(0, gates * m * n) if input_firing is None else Operations(gates * m * n * input_firing, 0)
    layers = {
        "hidden": (fed + Operations(0, gates * n * n + _BY_NEURON[kind] * n)) * steps,
        "readout": Operations(0, n * k) * steps,
    }
    weights = gates * (m * n + n * n) + n * k
    used = weights - (0 if input_firing is None else gates * m * n * (1 - input_firing))
    biases = 2 * gates * n + k
    return Cost(
        layers=layers,
        synaptic_operations=float(used * steps),
        firing={} if input_firing is None else {"input": input_firing},
        parameters=weights + biases,
        n_steps=steps,
    )
