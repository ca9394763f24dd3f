"""A feed-forward network of ensembles that are described by their event rates."""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from snncompare.errors import InputError, unknown
from snncompare.learning.burstprop.layers import Convolution, Dense, Layer, Shape, Wiring
from snncompare.learning.burstprop.transfer import OUTPUTS, TRANSFERS
from snncompare.recording.arguments import whole_number

__all__ = ["BurstNetwork"]

_DTYPES = {"float32": torch.float32, "float64": torch.float64}


class BurstNetwork:
    r"""Event rates of layers of ensembles, from the input up: :math:`e_l = f(W_l e_{l-1} + c_l)`.

    Bursts, which go down, belong to the rule (`Burstprop`, `BurstCCN`); what goes up does not depend on them. Weights
    are normal with s.d. :math:`g\sqrt{2/(n_{in} + n_{out})}` (Glorot and Bengio 2010), biases are zero. Payeur et al.
    (2021), Nat Neurosci 24:1010-1019, figures 5 and 6.

    Parameters
    ----------
    layers : sequence of Dense or Convolution
        Hidden layers and, last, a dense output layer.
    inputs : int or tuple of int
        Number of inputs, or (channels, height, width).
    hidden : str
        Transfer function of the hidden layers: ``"sigmoid"``, ``"rectified linear"`` or ``"exponential"``.
    output : str
        ``"sigmoid"``, with half the squared error as loss, or ``"softmax"``, with the cross-entropy.
    gain : float
        g.
    seed : int
        Of the weights.
    dtype : str
        ``"float32"`` or ``"float64"``.

    Attributes
    ----------
    wirings : list of Wiring
    weights, biases : list of Tensor
        Of each layer; training changes them in place.

    Raises
    ------
    InputError
        For unknown names, layers that do not fit onto each other, or a last layer that is not dense.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        inputs: int | Shape,
        hidden: str = "sigmoid",
        output: str = "sigmoid",
        gain: float = 1.0,
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        if hidden not in TRANSFERS:
            raise InputError(unknown("transfer function", hidden, TRANSFERS))
        if output not in OUTPUTS:
            raise InputError(unknown("output", output, OUTPUTS))
        if dtype not in _DTYPES:
            raise InputError(unknown("number format", dtype, _DTYPES))
        if not gain > 0:
            raise InputError(f"gain must be above 0, got {gain}.")
        self.layers: tuple[Layer, ...] = tuple(_layer(layer) for layer in layers)
        self.inputs: Shape = tuple(
            whole_number("inputs", n, 1) for n in (inputs if isinstance(inputs, tuple) else (inputs,))
        )
        self.hidden, self.output, self.gain, self.seed, self.dtype = hidden, output, float(gain), seed, dtype
        self.wirings = self._wired()
        random = torch.Generator().manual_seed(whole_number("seed", seed, 0))
        kind = _DTYPES[dtype]
        self.weights = [
            gain
            * (2 / (wiring.fan_in + wiring.fan_out)) ** 0.5
            * torch.randn(wiring.weight_shape, generator=random, dtype=torch.float64).to(kind)
            for wiring in self.wirings
        ]
        self.biases = [torch.zeros(wiring.weight_shape[0], dtype=kind) for wiring in self.wirings]

    @property
    def n_layers(self) -> int:
        """Layers without the input."""
        return len(self.layers)

    @property
    def n_outputs(self) -> int:
        """Ensembles of the last layer."""
        return self.wirings[-1].shape_out[0]

    @property
    def torch_dtype(self) -> torch.dtype:
        """The number format."""
        return _DTYPES[self.dtype]

    def rates(self, inputs: Tensor) -> list[Tensor]:
        """Return the event rates of the input and of every layer, each (batch, *shape)."""
        return [inputs, *(self.rate_of(k, drive) for k, drive in enumerate(self.drives(inputs)))]

    def drives(self, inputs: Tensor, added: Sequence[Tensor] = ()) -> list[Tensor]:
        """Return what drives each layer, W e + c, plus what is given as `added` to each."""
        drives, rates = [], inputs
        for k, wiring in enumerate(self.wirings):
            drive = wiring.drive(rates, self.weights[k], self.biases[k])
            drives.append(drive + added[k] if added else drive)
            rates = self.rate_of(k, drives[-1])
        return drives

    def relative_slope(self, layer: int, rates: Tensor) -> Tensor:
        """Return h = f'/f of a layer, counted from 0, at its event rates."""
        return (OUTPUTS[self.output] if layer == self.n_layers - 1 else TRANSFERS[self.hidden]).relative_slope(rates)

    def slope(self, rates: Tensor) -> Tensor:
        """Return f' of a hidden layer at its event rates."""
        return TRANSFERS[self.hidden].slope(rates)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each example, shape (batch,), for targets (batch, output)."""
        return OUTPUTS[self.output].loss(outputs, targets)

    def answers(self, inputs: Tensor, batch_size: int = 1000) -> Tensor:
        """Return the most active output of each example."""
        return torch.cat([self.rates(part)[-1].argmax(1) for part in inputs.split(batch_size)])

    def described(self) -> dict[str, Any]:
        """Return what makes the network, for provenance."""
        return {
            "layers": [repr(layer) for layer in self.layers],
            "inputs": list(self.inputs),
            "hidden": self.hidden,
            "output": self.output,
            "gain": self.gain,
            "seed": self.seed,
            "dtype": self.dtype,
        }

    @property
    def n_parameters(self) -> int:
        """How many numbers are learnt on the way up."""
        return sum(prod(tensor.shape) for tensor in (*self.weights, *self.biases))

    def rate_of(self, layer: int, drive: Tensor) -> Tensor:
        """Return the event rates of a layer, counted from 0, for what drives it."""
        return (OUTPUTS[self.output] if layer == self.n_layers - 1 else TRANSFERS[self.hidden]).rate(drive)

    def _wired(self) -> list[Wiring]:
        if not self.layers or len(self.layers[-1].on((1, 99, 99)).shape_out) != 1:
            raise InputError("layers must end with a dense output layer; for example (Dense(500), Dense(10)).")
        wirings: list[Wiring] = []
        shape = self.inputs
        for layer in self.layers:
            wirings.append(layer.on(shape))
            shape = wirings[-1].shape_out
        return wirings


def _layer(given: object) -> Layer:
    if not isinstance(given, Dense | Convolution):
        raise InputError(f"a layer must be Dense(...) or Convolution(...), got {given!r}.")
    return given
