r"""Surrogate derivatives of the spike, as values.

A spike is :math:`z = H(u)` with :math:`u` the membrane minus the threshold (volt, say). Its derivative is zero almost
everywhere, so the backward pass uses :math:`\psi(u)` instead (Neftci, Mostafa and Zenke 2019, IEEE Signal Processing
Magazine 36:51). Every surrogate states its `peak` :math:`\psi(0)` and its `area` :math:`\int \psi\,du`; the derivative
of anything that rises from 0 to 1 has the area 1.

================================  =========================================  ============  =====================
surrogate                          :math:`\psi(u)`                            peak          area
================================  =========================================  ============  =====================
`SuperSpike`                       :math:`(1 + |u|/w)^{-2} / s`               :math:`1/s`   :math:`2 w/s`
`Sigmoid`                          :math:`4 \sigma(u/w) (1-\sigma(u/w)) / s`  :math:`1/s`   :math:`4 w/s`
`Triangle`                         :math:`\max(0, 1 - |u|/w) / s`             :math:`1/s`   :math:`w/s`
`ArcTangent`                       :math:`(1 + (u/w)^2)^{-1} / s`             :math:`1/s`   :math:`\pi w/s`
`Exponential`                      :math:`e^{-|u|/w} / s`                     :math:`1/s`   :math:`2 w/s`
`Boxcar`                           :math:`1/s` for :math:`|u| < w`, else 0    :math:`1/s`   :math:`2 w/s`
`HyperbolicTangent`                :math:`(1 - \tanh^2(u/w)) / s`             :math:`1/s`   :math:`2 w/s`
`MultiGaussian`                    see there                                  see there     :math:`g (1 - h)`
`Event`                            :math:`1/w` for :math:`u > 0`, else 0      :math:`1/w`   infinite
`SmoothSpike`, `EscapeNoise`       :math:`\sigma(u/w) (1-\sigma(u/w)) / w`    :math:`1/4w`  1
================================  =========================================  ============  =====================

Published conventions in these terms: SuperSpike with steepness :math:`\beta` (Zenke and Ganguli 2018) is
``width = 1/beta``, ``scale = 1``; its asymptotic form, which tends to the derivative of a step, has ``scale = width``.
The derivative of a sigmoid :math:`\beta \sigma(1-\sigma)` has ``scale = 4*width``. NEST's fast sigmoid, exponential,
arctangent and piecewise linear surrogates of height :math:`h` have ``scale = 1/h``.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from snncompare.backends.torch.functions import Draws
from snncompare.errors import InputError
from snncompare.units import Dimension, quantity

__all__ = [
    "ArcTangent",
    "Boxcar",
    "EscapeNoise",
    "Event",
    "Exponential",
    "HyperbolicTangent",
    "MultiGaussian",
    "Shaped",
    "Sigmoid",
    "SmoothSpike",
    "SuperSpike",
    "Surrogate",
    "Triangle",
    "spike",
]


@dataclass(frozen=True)
class Surrogate(ABC):
    """What stands for the derivative of a spike.

    Parameters
    ----------
    width : str
        How far from the threshold the derivative reaches, with the unit of the membrane, e.g. ``"1 mV"``.
    """

    width: str

    alters_spikes: ClassVar[bool] = False
    """Whether the forward pass is not the threshold of the description, also without gradients."""
    smooth: ClassVar[bool] = False
    """Whether spikes are numbers between 0 and 1."""

    _width: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_width", quantity(self.width).value)
        if self._width <= 0:
            raise InputError(f"width must be positive, got '{self.width}'.")

    @property
    def dimension(self) -> Dimension:
        """Dimension of the membrane the surrogate is meant for."""
        return quantity(self.width).dimension

    @property
    @abstractmethod
    def peak(self) -> float:
        r""":math:`\psi(0)`, in one over the SI unit of the membrane."""

    @property
    @abstractmethod
    def area(self) -> float:
        r""":math:`\int \psi\,du`, a number."""

    @abstractmethod
    def derivative(self, u: Tensor) -> Tensor:
        r"""Return :math:`\psi(u)`, of the shape of `u`."""

    def fire(self, u: Tensor, *, at_zero: bool = False, draws: Draws | None = None) -> Tensor:  # noqa: ARG002
        """Return 1 where `u` is above zero (with `at_zero`: not below), else 0; its derivative is the surrogate's.

        Parameters
        ----------
        u : Tensor
            Membrane minus threshold.
        at_zero : bool
            Whether there is a spike where both are equal.
        draws : Draws
            For surrogates with noise.
        """
        return spike(u, self, at_zero=at_zero)


@dataclass(frozen=True)
class Shaped(Surrogate):
    r"""A shape with peak one, of a width :math:`w` and a scale :math:`s`: :math:`\psi(u) = f(|u|/w) / s`.

    Parameters
    ----------
    width : str
    scale : str
        The membrane difference in which the peak is one: :math:`\psi(0) = 1/s`; usually the distance from rest to
        threshold.
    """

    scale: str

    _peak: float = field(init=False, repr=False, compare=False)

    shape_area: ClassVar[float]
    r""":math:`\int f(|x|)\,dx`."""

    def __post_init__(self) -> None:
        width, scale = quantity(self.width), quantity(self.scale)
        if width.dimension != scale.dimension or width.value <= 0 or scale.value <= 0:
            raise InputError(
                f"width and scale must be positive with the same unit, got '{self.width}' and '{self.scale}'."
            )
        object.__setattr__(self, "_width", width.value)
        object.__setattr__(self, "_peak", 1 / scale.value)

    @property
    def peak(self) -> float:
        """One over the scale."""
        return self._peak

    @property
    def area(self) -> float:
        """The area of the shape, times width over scale."""
        return self.shape_area * self._width * self._peak

    def derivative(self, u: Tensor) -> Tensor:
        r"""Return :math:`f(|u|/w)/s`."""
        return self.shape(u.abs() * (1 / self._width)) * self._peak

    @abstractmethod
    def shape(self, x: Tensor) -> Tensor:
        """Return the derivative, with peak one, at the distance `x` in units of the width."""


@dataclass(frozen=True)
class SuperSpike(Shaped):
    r"""Derivative of a fast sigmoid, :math:`\psi(u) = (1 + |u|/w)^{-2} / s`.

    Zenke and Ganguli (2018) Neural Computation 30:1514.
    """

    shape_area: ClassVar[float] = 2.0

    def shape(self, x: Tensor) -> Tensor:
        """Return :math:`(1 + x)^{-2}`."""
        return (1 + x).square().reciprocal()


@dataclass(frozen=True)
class Triangle(Shaped):
    r"""Triangle, :math:`\psi(u) = \max(0, 1 - |u|/w) / s`.

    Esser et al. (2016) PNAS 113:11441; Bellec et al. (2020) Nature Communications 11:3625.
    """

    shape_area: ClassVar[float] = 1.0

    def shape(self, x: Tensor) -> Tensor:
        r"""Return :math:`\max(0, 1 - x)`."""
        return (1 - x).clamp_min(0)


@dataclass(frozen=True)
class Sigmoid(Shaped):
    r"""Derivative of a sigmoid, :math:`\psi(u) = 4 \sigma(u/w) (1 - \sigma(u/w)) / s`.

    Zenke and Vogels (2021) Neural Computation 33:899.
    """

    shape_area: ClassVar[float] = 4.0

    def shape(self, x: Tensor) -> Tensor:
        r"""Return :math:`4 \sigma(x) (1 - \sigma(x))`."""
        return 4 * torch.sigmoid(x) * torch.sigmoid(-x)  # 1 - sigmoid(x) would lose all digits in the tail


@dataclass(frozen=True)
class HyperbolicTangent(Shaped):
    r"""Derivative of a hyperbolic tangent, :math:`\psi(u) = (1 - \tanh^2(u/w)) / s`."""

    shape_area: ClassVar[float] = 2.0

    def shape(self, x: Tensor) -> Tensor:
        r"""Return :math:`1 - \tanh^2 x`."""
        return 1 - torch.tanh(x).square()


@dataclass(frozen=True)
class ArcTangent(Shaped):
    r"""Derivative of an arc tangent, :math:`\psi(u) = (1 + (u/w)^2)^{-1} / s`.

    Fang et al. (2021) Proceedings of ICCV 2661.
    """

    shape_area: ClassVar[float] = math.pi

    def shape(self, x: Tensor) -> Tensor:
        """Return :math:`(1 + x^2)^{-1}`."""
        return (1 + x.square()).reciprocal()


@dataclass(frozen=True)
class Exponential(Shaped):
    r"""Two-sided exponential, :math:`\psi(u) = e^{-|u|/w} / s`.

    Shrestha and Orchard (2018) Advances in Neural Information Processing Systems 31:1419.
    """

    shape_area: ClassVar[float] = 2.0

    def shape(self, x: Tensor) -> Tensor:
        """Return :math:`e^{-x}`."""
        return torch.exp(-x)


@dataclass(frozen=True)
class Boxcar(Shaped):
    r"""Derivative of a hard sigmoid, :math:`\psi(u) = 1/s` for :math:`|u| < w`, else 0."""

    shape_area: ClassVar[float] = 2.0

    def shape(self, x: Tensor) -> Tensor:
        """Return 1 where `x` is below one, else 0."""
        return (x < 1).to(x.dtype)


@dataclass(frozen=True)
class MultiGaussian(Surrogate):
    r"""Gaussian with negative flanks.

    .. math::
        \psi(u) = g\,[(1 + h)\,N(u; 0, w) - h\,N(u; w, 6w) - h\,N(u; -w, 6w)]

    with :math:`N(u; \mu, \sigma)` the normal density; its peak is
    :math:`g\,[1 + h - (h/3)\,e^{-1/72}] / (w \sqrt{2\pi})`. Yin, Corradi and Bohte (2021) Nature Machine Intelligence
    3:905.

    Parameters
    ----------
    width : str
        :math:`w`, half a threshold in the paper.
    gain : float
        :math:`g`
    flanks : float
        :math:`h`
    """

    gain: float = 0.5
    flanks: float = 0.15

    @property
    def peak(self) -> float:
        r""":math:`\psi(0)`."""
        shape = 1 + self.flanks - self.flanks / 3 * math.exp(-1 / 72)
        return self.gain * shape / (self._width * math.sqrt(2 * math.pi))

    @property
    def area(self) -> float:
        """:math:`g (1 - h)`."""
        return self.gain * (1 - self.flanks)

    def derivative(self, u: Tensor) -> Tensor:
        r"""Return :math:`\psi(u)`."""
        x, h = u / self._width, self.flanks
        flanks = torch.exp(-((x - 1) / 6).square() / 2) + torch.exp(-((x + 1) / 6).square() / 2)
        shape = (1 + h) * torch.exp(-x.square() / 2) - h / 6 * flanks
        return shape * (self.gain / (self._width * math.sqrt(2 * math.pi)))


@dataclass(frozen=True)
class Event(Surrogate):
    r"""The spike itself for its derivative, :math:`\psi(u) = H(u)/w`: synapses change only when their target fires.

    The postsynaptic factor of burst-dependent learning (Payeur et al. 2021 Nature Neuroscience 24:1010). It belongs to
    nothing that rises from 0 to 1: neurons that never fire never learn, and :math:`w` only scales the gradient.
    """

    @property
    def peak(self) -> float:
        r"""One over the width: :math:`\psi` right above the threshold, and everywhere above."""
        return 1 / self._width

    @property
    def area(self) -> float:
        """Infinite."""
        return math.inf

    def derivative(self, u: Tensor) -> Tensor:
        r"""Return :math:`1/w` where `u` is above zero, else 0."""
        return (u > 0).to(u.dtype) / self._width


@dataclass(frozen=True)
class _Logistic(Surrogate):
    @property
    def peak(self) -> float:
        """A quarter of one over the width."""
        return 1 / (4 * self._width)

    @property
    def area(self) -> float:
        """One."""
        return 1.0

    def derivative(self, u: Tensor) -> Tensor:
        r"""Return :math:`\sigma(u/w) (1 - \sigma(u/w)) / w`."""
        x = u / self._width
        return torch.sigmoid(x) * torch.sigmoid(-x) / self._width


@dataclass(frozen=True)
class SmoothSpike(_Logistic):
    r"""No step at all: the forward pass is :math:`z = \sigma(u/w)`, and its derivative is exact.

    Resets are interpolated, :math:`x + z\,(x_{reset} - x)`. A network made smooth in this way has gradients that equal
    finite differences; it no longer is the network of the description.
    """

    alters_spikes: ClassVar[bool] = True
    smooth: ClassVar[bool] = True

    def fire(self, u: Tensor, *, at_zero: bool = False, draws: Draws | None = None) -> Tensor:  # noqa: ARG002
        r"""Return :math:`\sigma(u/w)`."""
        return torch.sigmoid(u / self._width)


@dataclass(frozen=True)
class EscapeNoise(_Logistic):
    r"""A noisy threshold: in each step a spike with probability :math:`\sigma(u/w)`, and the derivative of that.

    Runs differ from those of the description, which has a sharp threshold; for noise on every backend write it into the
    threshold, ``rand() < dt*rate*exp((v - v_threshold)/width)``. Gerstner and Kistler (2002) Spiking Neuron Models,
    5.3; Neftci, Mostafa and Zenke (2019).
    """

    alters_spikes: ClassVar[bool] = True

    def fire(self, u: Tensor, *, at_zero: bool = False, draws: Draws | None = None) -> Tensor:  # noqa: ARG002
        """Return 1 or 0, drawn for every element."""
        if draws is None:
            raise TypeError("a noisy threshold needs random numbers")  # our own mistake, never a user's
        noise = torch.logit(draws.draw("rand", tuple(u.shape))) * self._width
        result: Tensor = _Spike.apply(u, self, False, noise)
        return result


class _Spike(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(u: Tensor, surrogate: Surrogate, at_zero: bool, noise: Tensor | None) -> Tensor:  # noqa: ARG004
        above = u if noise is None else u - noise
        return (above >= 0 if at_zero else above > 0).to(u.dtype)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # noqa: ARG004 - of torch's interface
        u, ctx.surrogate, *_ = inputs
        ctx.save_for_backward(u)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (u,) = ctx.saved_tensors
        return gradients[0] * ctx.surrogate.derivative(u), None, None, None


def spike(u: Tensor, surrogate: Surrogate, *, at_zero: bool = False) -> Tensor:
    """Return 1.0 where `u` is above zero (with `at_zero`: not below) and 0.0 elsewhere, the surrogate as derivative."""
    result: Tensor = _Spike.apply(u, surrogate, at_zero, None)
    return result
