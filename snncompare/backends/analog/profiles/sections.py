"""The sections of a chip profile: weights, parameters of neurons, noise, neurons, saturation, read-out."""

from typing import Any, Literal, Self

from pydantic import model_validator

from snncompare.backends.analog.profiles.evidence import (
    PERFECT,
    Amount,
    Bits,
    Count,
    Fraction,
    NoiseSteps,
    Size,
    Stated,
    Steps,
    TimeLength,
    Widening,
    is_time,
    stated,
)
from snncompare.backends.analog.reading.roles import Role
from snncompare.errors import DescriptionError
from snncompare.values import Value

__all__ = [
    "TIMES",
    "Distribution",
    "Neurons",
    "Noise",
    "Parameter",
    "RateCap",
    "Readout",
    "Saturation",
    "Tail",
    "Weights",
]

Distribution = Literal["log_normal", "gaussian", "gaussian_truncated", "folded_gaussian", "student", "contaminated"]
TIMES = tuple(role for role in Role if role.endswith("_time_constant") or role in (Role.REFRACTORY, Role.OTHER_TIME))
"""Roles of times, which a chip keeps in hardware time."""


class Tail(Value):
    """The tail of a distribution that is heavier than a Gaussian's.

    Parameters
    ----------
    fraction : Stated
        Share of neurons in the wide component of a contaminated Gaussian.
    ratio : Stated
        Standard deviation of the wide component over that of the narrow one.
    degrees_of_freedom : Stated, optional
        Of Student's t distribution, above 2.
    """

    fraction: Fraction = PERFECT
    ratio: Amount | None = None
    degrees_of_freedom: Amount | None = None


class Weights(Value):
    r"""How the chip holds a weight, :math:`w_{chip} = clip(round(s\,w), low, high)/s \cdot (1 + \sigma z)\, g_i`.

    Parameters
    ----------
    bits : Stated, optional
        Bits of the stored number: of the magnitude where the sign is a property of rows or synapses
        (:math:`2^b - 1` levels), with the sign where ``sign_by`` is ``"synapse"`` (:math:`2^{b-1} - 1`). None: float.
    levels : Stated, optional
        The largest magnitude in LSB, where it does not follow from bits.
    low : Stated, optional
        The lowest weight in LSB, where it is not minus the largest.
    signed : bool
        Whether weights below zero can be held at all.
    sign_by : str
        ``"row_pair"``: one excitatory and one inhibitory row per input. ``"synapse_type"``: each synapse is of an
        excitatory or an inhibitory type. ``"synapse"``: the number has a sign bit.
    scale : Stated or "largest"
        LSB per unit of weight (unit ``LSB``) or per weight as large as threshold - leak (``LSB/threshold``);
        ``"largest"``: the largest weight of a projection is the largest level.
    cv : Stated
        Coefficient of variation of each synapse.
    gain_cv : Stated
        Of the common gain of all synapses of a neuron.
    polarity_cv : Stated
        Of the gains of a neuron's excitatory and of its inhibitory synapses, which are different circuits.
    distribution, tail
        Of ``cv``, ``gain_cv`` and ``polarity_cv``.
    """

    bits: Bits | None = None
    levels: Count | None = None
    low: Steps | None = None
    signed: bool = True
    sign_by: Literal["row_pair", "synapse_type", "synapse"] = "synapse"
    scale: Literal["largest"] | Stated = "largest"
    cv: Size = PERFECT
    gain_cv: Size = PERFECT
    polarity_cv: Size = PERFECT
    distribution: Distribution = "gaussian"
    tail: Tail | None = None

    @model_validator(mode="before")
    @classmethod
    def _scale_is_read(cls, given: Any) -> Any:
        scale = given.get("scale") if isinstance(given, dict) else None
        if scale is None or scale == "largest" or isinstance(scale, Stated):
            return given
        if not isinstance(scale, dict):
            raise DescriptionError(f"scale is 'largest' or a number with evidence and source, got {scale!r:.40}.")
        return given | {"scale": Stated.model_validate(scale)}

    @model_validator(mode="after")
    def _scale_can_be_meant(self) -> Self:
        if self.bits is not None and self.levels is not None:
            raise DescriptionError("give bits or levels, not both: the number of bits says how many levels there are.")
        if isinstance(self.scale, Stated) and (
            self.scale.unit not in ("LSB", "LSB/threshold") or self.scale.value <= 0
        ):
            raise DescriptionError(
                f"scale must be above zero with unit 'LSB' (per unit of weight) or 'LSB/threshold', got '{self.scale}'."
            )
        if self.top is not None and self.top < 1:
            raise DescriptionError("weights need at least one level above zero; give bits of at least 2, or levels.")
        if self.low is not None and self.low.value > 0:
            raise DescriptionError(f"low is the lowest weight, at most 0, got '{self.low}'; nearest 0.")
        _check_tail(self.distribution, self.tail)
        return self

    @property
    def top(self) -> int | None:
        """The largest weight in LSB, None for float weights."""
        if self.levels is not None:
            return int(self.levels.value)
        if self.bits is None:
            return None
        with_sign = self.sign_by == "synapse" and self.signed
        return int(2 ** (int(self.bits.value) - with_sign) - 1)

    @property
    def bottom(self) -> int | None:
        """The lowest weight in LSB, None for float weights."""
        if self.top is None:
            return None
        return int(self.low.value) if self.low is not None else -self.top if self.signed else 0

    def scale_of(self, threshold: float | None) -> float | None:
        """Return LSB per unit of weight.

        Parameters
        ----------
        threshold : float or None
            Threshold - leak of the target, in the unit of its potential; None if it never fires.

        Returns
        -------
        float or None
            None where the largest weight decides.
        """
        if not isinstance(self.scale, Stated) or self.top is None:
            return None
        if self.scale.unit == "LSB":
            return self.scale.value
        return None if threshold is None else self.scale.value / threshold


class Parameter(Value):
    r"""How a parameter of one role comes out on the chip.

    Positive parameters (time constants, refractory time): :math:`p_i = \bar p\,(1 + b)\,F_i` with :math:`F` of mean 1
    and coefficient of variation ``cv``. Potentials: :math:`\theta_i = \bar\theta + (\theta - E_L)(b + \sigma z_i)`,
    in fractions of threshold - leak.

    Parameters
    ----------
    cv : Stated
        Of positive parameters.
    sd_fraction : Stated
        :math:`\sigma` of potentials.
    mean_fraction : Stated
        :math:`b`, what all neurons have in common.
    distribution, tail
        Of the draws; potentials are ``gaussian`` where nothing is said, else ``student`` or ``contaminated``.
    target : Stated, optional
        What the calibration aims at where the user says nothing.
    low, high : Stated, optional
        What can be set: hardware time for times, LSB for potentials.
    per_run, per_trial : Stated
        Standard deviation that is drawn anew in every run and in every trial, in the measure of `sd_fraction` or `cv`.
    """

    cv: Size = PERFECT
    sd_fraction: Size = PERFECT
    mean_fraction: Amount = PERFECT
    distribution: Distribution = "log_normal"
    tail: Tail | None = None
    target: Stated | None = None
    low: Stated | None = None
    high: Stated | None = None
    per_run: Size = PERFECT
    per_trial: Size = PERFECT

    @model_validator(mode="after")
    def _range_is_one(self) -> Self:
        units = {each.unit for each in (self.low, self.target, self.high) if each is not None}
        if units & {"LSB", "step"} and len(units) > 1:
            raise DescriptionError(f"low, target and high are measured alike, got the units {sorted(units)}.")
        values = [each.si for each in (self.low, self.target, self.high) if each is not None]
        if values != sorted(values):
            raise DescriptionError(f"low <= target <= high is needed, got {values}.")
        _check_tail(self.distribution, self.tail)
        return self


def _check_tail(distribution: Distribution, tail: Tail | None) -> None:
    if distribution == "contaminated" and (
        tail is None or not 0 < tail.fraction.value < 1 or tail.ratio is None or tail.ratio.value <= 1
    ):
        raise DescriptionError(
            "a contaminated distribution needs tail: {fraction: ..., ratio: ...}, "
            "fraction between 0 and 1, ratio above 1."
        )
    if distribution == "student" and (tail is None or (tail.degrees_of_freedom or PERFECT).value <= 2):
        raise DescriptionError("a student distribution needs tail: {degrees_of_freedom: ...}, above 2.")


class RateCap(Value):
    """At most `events` spikes of a population pass in each `window` (hardware time); the surplus is lost."""

    events: Count
    window: TimeLength


class Noise(Value):
    r"""What is drawn anew all the time.

    Parameters
    ----------
    membrane : Stated
        Standard deviation of the membrane potential at rest, in fractions of threshold - leak. Each step adds
        :math:`\sigma (\theta - E_L) \sqrt{1 - e^{-2 dt/\tau_m}}\, z`, so that it does not depend on the step.
    jitter : Stated
        Standard deviation of the time of each event: a hardware time, or a fraction of the synaptic time constant
        (unit ``tau_syn``).
    event_loss : Stated
        Probability that an event is lost.
    rate_cap : RateCap, optional
    """

    membrane: Size = PERFECT
    jitter: Stated = PERFECT
    event_loss: Fraction = PERFECT
    rate_cap: RateCap | None = None

    @model_validator(mode="after")
    def _jitter_is_a_time(self) -> Self:
        if self.jitter.value < 0:
            raise DescriptionError(f"jitter is not negative, got '{self.jitter}'; nearest 0.")
        if self.jitter.value and self.jitter.unit != "tau_syn" and not is_time(self.jitter):
            raise DescriptionError(f"jitter is a time such as 60 ns, or has the unit tau_syn; got '{self.jitter}'.")
        return self


class Neurons(Value):
    """Neurons that never fire, and neurons whose calibration failed.

    Parameters
    ----------
    dead_fraction : Stated
    failed_fraction : Stated
        Share of neurons whose calibration failed.
    failed_spread : Stated
        How many times larger the ``cv`` and ``sd_fraction`` of their parameters are.
    mask_failed : bool
        Whether failed neurons are switched off, as after calix' ``success=False``.
    """

    dead_fraction: Fraction = PERFECT
    failed_fraction: Fraction = PERFECT
    failed_spread: Widening = stated(1.0, "not in the profile: as all other neurons", evidence="assumption")
    mask_failed: bool = False


class Saturation(Value):
    r"""The largest synaptic current, :math:`I \leftarrow \mathrm{clip}(I, -I_{sat}, I_{sat})`.

    Parameters
    ----------
    current : Stated, optional
        :math:`I_{sat}` in units of the current that holds the membrane at threshold (unit ``threshold``); None: never.
    cv : Stated
        Of :math:`I_{sat}` over neurons.
    shape : str
    """

    current: Stated | None = None
    cv: Size = PERFECT
    shape: Literal["clip"] = "clip"

    @model_validator(mode="after")
    def _current_is_a_multiple(self) -> Self:
        if self.current is not None and (self.current.unit not in ("", "threshold") or self.current.value <= 0):
            raise DescriptionError(f"current must be above zero with the unit 'threshold', got '{self.current}'.")
        return self


class Readout(Value):
    r"""The analog-to-digital converter.

    .. math::
        \text{code} = \text{clip}(\lfloor o_i + g\,(v - E_L)/(\theta - E_L) + \sigma z \rfloor, 0, 2^{bits} - 1)

    Parameters
    ----------
    bits : Stated, optional
        Of the converter; None: traces are read as they are.
    low, high : Stated, optional
        Reliable range in LSB, as information: codes beyond it are read as they are.
    gain, offset : Stated, optional
        :math:`g`, LSB per threshold - leak, and :math:`o`, LSB at the leak potential.
    noise_lsb, offset_lsb : Stated, optional
        :math:`\sigma`, and the standard deviation of :math:`o_i` over channels, in LSB.
    period : Stated, optional
        Hardware time between samples.
    spikes_only : bool
        There is no converter: traces cannot be recorded.
    """

    bits: Bits | None = None
    low: Steps | None = None
    high: Steps | None = None
    gain: Steps | None = None
    offset: Steps | None = None
    noise_lsb: NoiseSteps = PERFECT
    offset_lsb: NoiseSteps = PERFECT
    period: TimeLength | None = None
    spikes_only: bool = False

    @model_validator(mode="after")
    def _scale_is_known(self) -> Self:
        if self.bits is not None and (self.gain is None or self.offset is None):
            raise DescriptionError("a converter with bits needs gain (LSB per threshold - leak) and offset (LSB).")
        if self.gain is not None and self.gain.value <= 0:
            raise DescriptionError(f"gain must be above zero, got '{self.gain}'.")
        ends = [each.value for each in (self.low, self.high) if each is not None]
        if len(ends) == 2 and ends[0] >= ends[1]:
            raise DescriptionError(f"low must lie below high, got {ends[0]:g} and {ends[1]:g}.")
        if self.bits is not None and any(not 0 <= end <= 2**self.bits.value - 1 for end in ends):
            raise DescriptionError(f"low and high lie from 0 to 2**bits - 1 = {2**self.bits.value - 1:g}, got {ends}.")
        return self
