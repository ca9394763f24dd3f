"""Moments of weights that give a membrane a mean and a size of fluctuations: the algebra, without any model."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from snncompare.errors import DescriptionError
from snncompare.network.fan_in import FanIn

__all__ = ["Input", "Moments", "weight_moments"]


@dataclass(frozen=True)
class Input:
    r"""One projection as its target sees it, in SI units.

    Attributes
    ----------
    name : str
        Of the projection.
    rate : float
        Of a source neuron, :math:`\nu`.
    fan_in : FanIn
        Number of synapses on a target neuron, K, and of coincident pairs among them, Q.
    integral, squared_integral : float
        Of the postsynaptic potential, :math:`\bar\epsilon` and :math:`\hat\epsilon`.
    share : float
        Of the variance: a.
    second_moment : float, optional
        :math:`c = \langle w^2 \rangle / \langle w \rangle^2` under Dale's law; None for normal weights.
    sign : int
        Of the weights under Dale's law.
    """

    name: str
    rate: float
    fan_in: FanIn
    integral: float
    squared_integral: float
    share: float = 1.0
    second_moment: float | None = None
    sign: int = 1

    @property
    def mean_gain(self) -> float:
        r""":math:`K \nu \bar\epsilon`, mean membrane potential over mean weight."""
        return self.fan_in.synapses * self.rate * self.integral

    @property
    def described(self) -> str:
        """The numbers that matter, in words."""
        return f"{self.fan_in.synapses:g} inputs at {self.rate:g} Hz"


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation of the weights of a projection."""

    mean: float
    sd: float


def weight_moments(inputs: Sequence[Input], mean: float, sd: float, unit: str = "") -> dict[str, Moments]:
    r"""Return the weights with which independent Poisson inputs give a linear membrane a mean and a temporal sd.

    .. math::
        \mu_U = \sum_j K_j \nu_j \bar\epsilon_j \langle w_j \rangle, \qquad
        a_j \sigma_U^2 = \nu_j \hat\epsilon_j (K_j \langle w_j^2 \rangle + Q_j \langle w_j \rangle^2)

    where the second term counts pairs of synapses that fire together because they come from one source neuron.

    Parameters
    ----------
    inputs : sequence of Input
        All normal, or all under Dale's law.
    mean, sd : float
        :math:`\mu_U` and :math:`\sigma_U` in SI units.
    unit : str
        Of the membrane, for messages.

    Raises
    ------
    DescriptionError
        If no such weights exist: a negative variance, or excitation and inhibition that cannot balance.
    """
    if inputs[0].second_moment is None:
        return _normal_moments(inputs, mean, sd, unit)
    return _dale_moments(inputs, mean, sd, unit)


def _check_shares(inputs: Sequence[Input], of: str) -> None:
    total = sum(each.share for each in inputs)
    if inputs and abs(total - 1) > 1e-6:
        names = ", ".join(f"'{each.name}' ({each.share:g})" for each in inputs)
        raise DescriptionError(f"the shares of {of} add up to {total:g} in {names}; they must add up to 1.")


def _normal_moments(inputs: Sequence[Input], mean: float, sd: float, unit: str) -> dict[str, Moments]:
    _check_shares(inputs, "the variance")
    gain = sum(each.mean_gain for each in inputs)
    if mean and abs(gain) < 1e-9 * sum(abs(each.mean_gain) for each in inputs):
        raise DescriptionError("the inputs cancel whatever their common mean weight, so no mean can be reached.")
    weight = mean / gain if mean else 0.0
    found = {}
    for each in inputs:
        synapses, coincident = each.fan_in
        square = each.share * sd**2 / (synapses * each.rate * each.squared_integral)
        variance = square - weight**2 * (1 + coincident / synapses)
        if variance <= 0:
            raise DescriptionError(
                f"projection '{each.name}': the variance of its weights would be {variance:.3g}, not above zero, with "
                f"{each.described}, share {each.share:g}, to give a mean of {mean:.3g} {unit} with fluctuations of "
                f"{sd:.3g} {unit}; ask for a larger sd (smaller xi), a smaller mean, or more inputs or higher rates."
            )
        found[each.name] = Moments(weight, math.sqrt(variance))
    return found


def _dale_moments(inputs: Sequence[Input], mean: float, sd: float, unit: str) -> dict[str, Moments]:
    sides: dict[bool, list[Input]] = {True: [], False: []}
    for each in inputs:
        sides[each.sign * each.integral > 0].append(each)
    _check_shares(sides[True], "the variance of excitation")
    _check_shares(sides[False], "the variance of inhibition")
    # Mean membrane potential of a side over the square root of its variance.
    gains = {side: sum(abs(each.mean_gain) * _unit_weight(each) for each in members) for side, members in sides.items()}
    ratio = mean / sd
    if not -gains[False] < ratio < gains[True] or not all(gains.values()):
        raise DescriptionError(_unbalanced(sides, gains, mean, sd, unit))
    radius = math.hypot(gains[True], gains[False])
    angle = math.acos(ratio / radius) - math.atan2(gains[False], gains[True])
    roots = {True: sd * math.cos(angle), False: sd * math.sin(angle)}
    found = {}
    for side, members in sides.items():
        for each in members:
            weight = _unit_weight(each) * roots[side]
            found[each.name] = Moments(each.sign * weight, weight * math.sqrt((each.second_moment or 1) - 1))
    return found


def _unit_weight(each: Input) -> float:
    """Return the mean weight at which the variance of a side is 1."""
    synapses, coincident = each.fan_in
    square = each.rate * each.squared_integral * (synapses * (each.second_moment or 1) + coincident)
    return math.sqrt(each.share / square)


def _unbalanced(
    sides: Mapping[bool, Sequence[Input]], gains: Mapping[bool, float], mean: float, sd: float, unit: str
) -> str:
    names = {
        side: ", ".join(f"'{each.name}' ({each.described})" for each in members) or "nothing"
        for side, members in sides.items()
    }
    return (
        f"fluctuations of {sd:.3g} {unit} around {mean:.3g} {unit} need excitation and inhibition that balance, under "
        f"Dale's law; {names[True]} excites, {names[False]} inhibits, and together they reach means between "
        f"{-gains[False] * sd:.3g} and {gains[True] * sd:.3g}; add inputs to the weaker side, or change mean or sd."
    )
