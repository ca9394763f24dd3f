"""How a gradient becomes a change, as values.

Learning rates are counted in units of what is changed: the root mean square u of its initial values, so that one
learning rate serves weights in millivolts and time constants in seconds. A rule that steps by the gradient itself moves
``p/u`` against the gradient by ``p/u``; one that divides by the gradient's size moves by the learning rate times u.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from snncompare.errors import InputError, unknown
from snncompare.learning.learning_rates import HalfCosine, RateSchedule
from snncompare.values import check_fields

__all__ = [
    "Adam",
    "AdamW",
    "Adamax",
    "GradientDescent",
    "Optimisation",
    "RMSprop",
    "TorchOptimiser",
    "Units",
]

_NORMALISED = {"Adagrad": 2, "NAdam": 2}
"""Optimisers of `torch.optim` that divide by the size of the gradient, to the power of units in their weight decay."""


class Units(Enum):
    """What learning rates are counted in."""

    INITIAL_SIZE = "initial size"
    """The root mean square of the initial values of what is changed."""
    SI = "SI"
    """Volts, seconds, siemens: the numbers as they are computed with, as in publications of networks without units."""


@dataclass(frozen=True)
class Optimisation(ABC):
    """What all optimisers have.

    Parameters
    ----------
    learning_rate : float
        Of the first epoch, before the schedule.
    clip : float, optional
        Largest norm of the gradient, in `units`; the gradient of everything is scaled down to it.
    clip_value : float, optional
        Largest absolute value of a single partial derivative, in `units`.
    schedule : RateSchedule
    units : Units
    factors : mapping, optional
        Name of a projection or population, or ``"population.parameter"``, to what the learning rate is multiplied by
        there, for example ``{"hidden.tau": 0.1}``; kept as sorted pairs.
    """

    learning_rate: float = 1e-3
    clip: float | None = 1.0
    clip_value: float | None = field(default=None, kw_only=True)
    schedule: RateSchedule = field(default=HalfCosine(), kw_only=True)
    units: Units = field(default=Units.INITIAL_SIZE, kw_only=True)
    factors: Mapping[str, float] | tuple[tuple[str, float], ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.factors, Mapping | tuple):
            raise InputError(f"factors is a mapping, for example {{'hidden.tau': 0.1}}, got {self.factors!r}.")
        pairs = tuple(sorted(dict(self.factors).items()))
        object.__setattr__(self, "factors", pairs)
        check_fields(self)
        positive = {"learning_rate": self.learning_rate, "clip": self.clip, "clip_value": self.clip_value}
        for name, value in [*positive.items(), *((f"factors['{name}']", value) for name, value in pairs)]:
            if value is not None and not value > 0:
                raise InputError(f"{name} must be positive, got {value}.")
        for name in ("eps", "weight_decay"):
            if getattr(self, name, 0.0) < 0:
                raise InputError(f"{name} must be at least 0, got {getattr(self, name)}.")
        for decay in (*getattr(self, "betas", ()), getattr(self, "alpha", 0.0), getattr(self, "momentum", 0.0)):
            if not 0 <= decay < 1:
                raise InputError(f"betas, alpha and momentum must be at least 0 and below 1, got {decay}.")

    @property
    @abstractmethod
    def kind(self) -> str:
        """Name of the class in `torch.optim`."""

    @property
    def power_of_unit(self) -> int:
        """To which power of the unit a step of learning rate one grows."""
        return 1

    @abstractmethod
    def options(self, unit: float) -> dict[str, Any]:
        """Return what `torch.optim` is told, beside the learning rate, of something with this unit."""

    def rate_at(self, finished: int, epochs: int) -> float:
        """Return the learning rate when `finished` of `epochs` epochs are over."""
        return self.learning_rate * self.schedule.factor(finished, epochs)

    def factor_of(self, name: str, key: str) -> float:
        """Return what the learning rate is multiplied by for a parameter `key` of a population or projection."""
        factors = dict(self.factors)
        return factors.get(f"{name}.{key}", factors.get(name, 1.0))


@dataclass(frozen=True)
class Adam(Optimisation):
    r"""Adam (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1).

    .. math::
        \Delta p = -\eta \, \frac{\hat m}{\sqrt{\hat v} + \epsilon}
        \qquad \text{or} \qquad
        -\eta \, \frac{\sqrt{1-\beta_2^n}}{1-\beta_1^n} \, \frac{m}{\sqrt{v} + \hat\epsilon}

    Parameters
    ----------
    learning_rate, clip, clip_value, schedule, units, factors
        See `Optimisation`.
    betas : (float, float)
        Decays of the moments m and v.
    eps : float
        :math:`\epsilon`, of the gradient by SI values.
    weight_decay : float
        Times the value, in `units`, is added to the gradient.
    epsilon_hat : bool
        Whether `eps` is :math:`\hat\epsilon` of the second form, which is that of TensorFlow and NEST.
    """

    betas: tuple[float, float] = field(default=(0.9, 0.999), kw_only=True)
    eps: float = field(default=1e-8, kw_only=True)
    weight_decay: float = field(default=0.0, kw_only=True)
    epsilon_hat: bool = field(default=False, kw_only=True)

    @property
    def kind(self) -> str:
        """Name of the class in `torch.optim`."""
        return "Adam"

    def options(self, unit: float) -> dict[str, Any]:
        """Return what `torch.optim` is told of something with this unit."""
        return {"betas": self.betas, "eps": self.eps, "weight_decay": self.weight_decay / unit**2}


@dataclass(frozen=True)
class AdamW(Optimisation):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101).

    Parameters
    ----------
    learning_rate, clip, clip_value, schedule, units, factors
        See `Optimisation`.
    betas, eps
        See `Adam`.
    weight_decay : float
        Part of a value that an update with learning rate one takes away.
    """

    betas: tuple[float, float] = field(default=(0.9, 0.999), kw_only=True)
    eps: float = field(default=1e-8, kw_only=True)
    weight_decay: float = field(default=1e-2, kw_only=True)

    @property
    def kind(self) -> str:
        """Name of the class in `torch.optim`."""
        return "AdamW"

    def options(self, unit: float) -> dict[str, Any]:
        """Return what `torch.optim` is told of something with this unit."""
        return {"betas": self.betas, "eps": self.eps, "weight_decay": self.weight_decay / unit}


@dataclass(frozen=True)
class Adamax(Adam):
    """Adam with the largest instead of the root mean square gradient (Kingma and Ba 2015, algorithm 2)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.epsilon_hat:
            raise InputError("epsilon_hat is an option of Adam only.")

    @property
    def kind(self) -> str:
        """Name of the class in `torch.optim`."""
        return "Adamax"


@dataclass(frozen=True)
class RMSprop(Optimisation):
    """The gradient divided by a running root mean square of it (Tieleman and Hinton 2012, lecture 6.5).

    Parameters
    ----------
    learning_rate, clip, clip_value, schedule, units, factors
        See `Optimisation`.
    alpha : float
        Decay of the mean square.
    eps, weight_decay : float
        See `Adam`.
    momentum : float
    centred : bool
        Whether the gradient's mean is taken off its mean square (Graves 2013, arXiv 1308.0850).
    """

    alpha: float = field(default=0.99, kw_only=True)
    eps: float = field(default=1e-8, kw_only=True)
    weight_decay: float = field(default=0.0, kw_only=True)
    momentum: float = field(default=0.0, kw_only=True)
    centred: bool = field(default=False, kw_only=True)

    @property
    def kind(self) -> str:
        """Name of the class in `torch.optim`."""
        return "RMSprop"

    def options(self, unit: float) -> dict[str, Any]:
        """Return what `torch.optim` is told of something with this unit."""
        own = {"alpha": self.alpha, "eps": self.eps, "momentum": self.momentum, "centered": self.centred}
        return own | {"weight_decay": self.weight_decay / unit**2}


@dataclass(frozen=True)
class GradientDescent(Optimisation):
    r"""Stochastic gradient descent: :math:`\Delta p = -\eta\,g`, with momentum :math:`m \leftarrow \mu m + g`.

    Parameters
    ----------
    learning_rate, clip, clip_value, schedule, units, factors
        See `Optimisation`.
    momentum : float
        :math:`\mu`.
    nesterov : bool
    weight_decay : float
        See `Adam`.
    """

    momentum: float = field(default=0.0, kw_only=True)
    nesterov: bool = field(default=False, kw_only=True)
    weight_decay: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.momentum < 1 or (self.nesterov and self.momentum == 0):
            raise InputError(
                f"momentum must be at least 0 and below 1, and above 0 with nesterov; got {self.momentum}."
            )

    @property
    def kind(self) -> str:
        """Name of the class in `torch.optim`."""
        return "SGD"

    @property
    def power_of_unit(self) -> int:
        """To which power of the unit a step of learning rate one grows."""
        return 2

    def options(self, unit: float) -> dict[str, Any]:
        """Return what `torch.optim` is told of something with this unit."""
        own = {"momentum": self.momentum, "nesterov": self.nesterov}
        return own | {"weight_decay": self.weight_decay / unit**2}


@dataclass(frozen=True)
class TorchOptimiser(Optimisation):
    """Another optimiser of `torch.optim` that divides by the size of the gradient.

    Parameters
    ----------
    learning_rate, clip, clip_value, schedule, units, factors
        See `Optimisation`.
    name : str
        ``"Adagrad"`` or ``"NAdam"``.
    settings : mapping, optional
        Its options, numbers only, for example ``{"weight_decay": 1e-4}``; kept as sorted pairs.
    """

    name: str = field(kw_only=True)
    settings: Mapping[str, Any] | tuple[tuple[str, Any], ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name not in _NORMALISED:
            raise InputError(unknown("optimiser", self.name, _NORMALISED))
        pairs = tuple(sorted(dict(self.settings).items()))
        object.__setattr__(self, "settings", pairs)
        if "lr" in dict(pairs):
            raise InputError("the learning rate is learning_rate, not a setting 'lr'.")

    @property
    def kind(self) -> str:
        """Name of the class in `torch.optim`."""
        return self.name

    def options(self, unit: float) -> dict[str, Any]:
        """Return what `torch.optim` is told of something with this unit."""
        given = dict(self.settings)
        decay = (
            {"weight_decay": given["weight_decay"] / unit ** _NORMALISED[self.name]} if "weight_decay" in given else {}
        )
        return given | decay
