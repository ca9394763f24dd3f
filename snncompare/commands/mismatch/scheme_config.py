"""How a network is made fit for chips, in a configuration."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StrictInt

from snncompare.commands.compare_config import known_type
from snncompare.commands.mismatch.points import Number, ParameterClass
from snncompare.values import Value

__all__ = [
    "Adversarial",
    "AsTrained",
    "Calibrated",
    "InTheLoop",
    "MismatchAware",
    "SchemeConfig",
    "TrainedElsewhere",
    "TrainingConfig",
    "as_trained",
]

Epochs = Annotated[StrictInt, Field(ge=1, le=100_000)]


class TrainingConfig(Value):
    """How networks are trained: back-propagation through time with the SuperSpike surrogate, and Adam.

    Parameters
    ----------
    width, scale : str
        Of the surrogate, in the unit of the membrane, see `surrogate_gradient`.
    learning_rate : float
    epochs, batch_size : int
    rates : two frequencies, optional
        Limits of the mean firing rate, see `RateLimit`.
    """

    width: str
    scale: str
    learning_rate: Annotated[Number, Field(gt=0, allow_inf_nan=False)] = 1e-3
    epochs: Epochs
    batch_size: Annotated[StrictInt, Field(ge=1)] = 64
    rates: tuple[str, str] | None = None


class _Learns(Value):
    """What schemes that train have in common."""

    trains: ClassVar[bool] = True

    epochs: Epochs | None = None

    def quickened(self) -> Self:
        """Return the scheme with one epoch."""
        return self.model_copy(update={"epochs": 1})


class _Stays(Value):
    """What schemes that train nothing have in common."""

    trains: ClassVar[bool] = False

    def quickened(self) -> Self:
        """Return the same."""
        return self


class AsTrained(_Stays):
    """The network as it was trained, without any thought of chips."""

    type: Literal["as_trained"] = "as_trained"


class TrainedElsewhere(_Stays):
    """Another trained network, for example from training on a chip.

    Parameters
    ----------
    folder : str
        As `Trained.save` writes it.
    """

    type: Literal["trained"] = "trained"
    folder: str


class MismatchAware(_Learns):
    """Trained further with other devices in every batch, so that it is good for any.

    Parameters
    ----------
    sigma, bits, parameters
        Of the devices that it meets in training, see `Point`.
    devices : int
        That each trial is shown to at once.
    epochs : int, optional
        Default: those of the training.
    """

    type: Literal["mismatch_aware"] = "mismatch_aware"
    sigma: Annotated[Number, Field(gt=0, le=5)]
    bits: Annotated[StrictInt, Field(ge=1, le=16)] | None = None
    parameters: ParameterClass = "all"
    devices: Annotated[StrictInt, Field(ge=1, le=64)] = 1


class Adversarial(_Learns):
    """Trained further against the worst mismatch in a box, see `AdversarialMismatch`."""

    type: Literal["adversarial"] = "adversarial"
    zeta: Annotated[Number, Field(gt=0, lt=1)] = 0.025
    steps: Annotated[StrictInt, Field(ge=1)] = 10
    beta: Annotated[Number, Field(ge=0, allow_inf_nan=False)] = 0.25


class InTheLoop(_Learns):
    """Trained further on the very device that it is measured on, for every device and every point anew."""

    type: Literal["in_the_loop"] = "in_the_loop"


class Calibrated(_Learns):
    """A part of it trained further on the very device that it is measured on, with few trials.

    Parameters
    ----------
    what : str
        ``readout``, ``thresholds`` or ``weights``.
    shots : int, optional
        Trials per class; default: all.
    """

    type: Literal["calibrated"] = "calibrated"
    what: Literal["readout", "thresholds", "weights"] = "readout"
    shots: Annotated[StrictInt, Field(ge=1)] | None = None


_ALL = (AsTrained, TrainedElsewhere, MismatchAware, Adversarial, InTheLoop, Calibrated)

SchemeConfig = Annotated[
    Annotated[
        AsTrained | TrainedElsewhere | MismatchAware | Adversarial | InTheLoop | Calibrated, Field(discriminator="type")
    ],
    known_type("scheme", *_ALL),
]


def as_trained() -> dict[str, SchemeConfig]:
    """Return the schemes of a study that names none."""
    return {"as trained": AsTrained()}
