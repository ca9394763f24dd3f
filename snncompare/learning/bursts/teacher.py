"""The teacher of the output neurons: a current into the dendrite that asks for another event rate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.units import FREQUENCY, Quantity, QuantityLike, hertz, quantity

__all__ = ["Teacher"]


@dataclass(frozen=True, kw_only=True)
class Teacher:
    r"""Dendritic current of each output neuron, from its own event rate :math:`e` and the target 0 or 1.

    .. math::
        I_0(e) = \begin{cases} 0 & e \le e_{min} + \delta \\ -I\,\mathrm{Hz}/(e_{max} - e) & \text{between} \\
        -I & e \ge e_{max} - \delta \end{cases} \qquad
        I_1(e) = \begin{cases} I & e \le e_{min} + \delta \\ I\,\mathrm{Hz}/(e - e_{min}) & \text{between} \\
        0 & e \ge e_{max} - \delta \end{cases}

    Computed once for an example, at the end of the prediction. Payeur et al. (2021) Nature Neuroscience 24:1010,
    figure 4, with the values of the authors' code (``sim_xor.cpp``).

    Parameters
    ----------
    low, high : frequency
        :math:`e_{min}` and :math:`e_{max}`, the event rates that stand for 0 and 1.
    tolerance : frequency
        :math:`\delta`.
    strength : current
        :math:`I`.

    Raises
    ------
    InputError
        For a negative rate, rates that are not in order, or a tolerance that leaves nothing between them.
    """

    low: QuantityLike = "2 Hz"
    high: QuantityLike = "10 Hz"
    tolerance: QuantityLike = "1 Hz"
    strength: QuantityLike = "1000 pA"

    def __post_init__(self) -> None:
        low, high, tolerance = (hertz(given, name) for name, given in self._rates().items())
        if not (0 <= low < high < np.inf and tolerance > 0 and low + tolerance < high - tolerance):
            raise InputError(
                f"the teacher's rates are 0 <= low < high with a tolerance above zero that fits twice in between, got "
                f"low '{self.low}', high '{self.high}', tolerance '{self.tolerance}'."
            )
        strength = quantity(self.strength)
        if strength.dimension != quantity("1 A").dimension or strength.value < 0:
            raise InputError(f"strength is a current from 0 A on, got '{self.strength}'.")

    def current(self, rates: NDArray[np.float64], target: int) -> NDArray[np.float64]:
        """Return the current of each neuron in amperes.

        Parameters
        ----------
        rates : array, shape (n_neurons,)
            Event rates, hertz.
        target : int
            0 or 1.

        Raises
        ------
        InputError
            For negative rates, or another target.
        """
        given = np.asarray(rates, dtype=np.float64)
        if not np.isfinite(given).all() or (given < 0).any():
            raise InputError(f"event rates are finite and not negative, got {given.min():g} to {given.max():g} Hz.")
        if target not in (0, 1):
            raise InputError(f"a target is 0 or 1, got {target!r}.")
        low, high, tolerance = (hertz(rate) for rate in self._rates().values())
        strength = float(quantity(self.strength).value)
        bottom, top = given <= low + tolerance, given >= high - tolerance
        distance = np.where(bottom | top, 1.0, given - low if target else high - given)
        full, none = (bottom, top) if target else (top, bottom)
        return np.where(none, 0.0, np.where(full, strength, strength / distance)) * (1.0 if target else -1.0)

    def cost(self, rate: float, target: int) -> float:
        r"""Return the cross-entropy of a population's mean event rate (Hz) and its target.

        :math:`-t \ln \hat e - (1 - t) \ln(1 - \hat e)`, where :math:`\hat e = (e - e_{min})/(e_{max} - e_{min})`,
        clipped to 0.01 and 0.99.
        """
        low, high = hertz(self.low), hertz(self.high)
        scaled = float(np.clip((rate - low) / (high - low), 0.01, 0.99))
        return -float(np.log(scaled if target else 1 - scaled))

    @property
    def threshold(self) -> Quantity:
        """The rate above which the answer is 1: halfway."""
        return Quantity((hertz(self.low) + hertz(self.high)) / 2, FREQUENCY)

    def _rates(self) -> dict[str, QuantityLike]:
        return {"low": self.low, "high": self.high, "tolerance": self.tolerance}
