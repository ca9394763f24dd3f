r"""Fluctuation-driven weights: drawn such that the membrane of the target fluctuates with a stated size.

A membrane that rests below its threshold and fluctuates up to it now and then gives surrogate gradients something to
work with. These values state the fluctuations; which distribution of weights brings them follows from postsynaptic
potentials, rates and numbers of inputs when the network is compiled (`backends.fluctuations`).

K independent Poisson inputs of rate :math:`\nu` with postsynaptic potentials :math:`w \, \epsilon(t)` give the membrane
the mean and the *temporal* variance (Campbell's theorem)

.. math::
    \mu_U = K \nu \, \langle w \rangle \, \bar\epsilon, \qquad
    \sigma_U^2 = K \nu \, \langle w^2 \rangle \, \hat\epsilon, \qquad
    \bar\epsilon = \int \epsilon \, dt, \quad \hat\epsilon = \int \epsilon^2 \, dt

:math:`\sigma_U` is the standard deviation over time of single neurons (their root mean square). Neurons also differ in
their mean, because each has weights of its own: the standard deviation over times *and* neurons is larger, for a fixed
number of inputs by the factor :math:`\sqrt{1 + \nu \bar\epsilon^2 \sigma_W^2 / (\hat\epsilon \langle w^2 \rangle)}`.
In a window of length T whose own mean is taken out :math:`\sigma_U` is smaller by the factor of about
:math:`1 - \bar\epsilon^2 / (2 \hat\epsilon T)`, and with at most one spike in a step, drawn with probability
:math:`\nu \, dt`, by :math:`\sqrt{1 - \nu \, dt}`.

Rossbroich, Gygax & Zenke (2022) Neuromorph. Comput. Eng. 2:044016.
"""

import ast
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from snncompare.errors import DescriptionError
from snncompare.network.equations import defined_names
from snncompare.network.expressions import parsed
from snncompare.network.extent import names_read
from snncompare.network.neuron import NeuronModel
from snncompare.units import FREQUENCY, Quantity, parse_unit
from snncompare.values import Value

if TYPE_CHECKING:
    from snncompare.network.network import Projection

__all__ = [
    "FluctuationDriven",
    "FluctuationDrivenCentred",
    "FluctuationDrivenExponential",
    "FluctuationDrivenLogNormal",
    "FluctuationDrivenNormal",
    "FluctuationDrivenWeight",
    "check_one_membrane",
    "membrane_variable",
]


class FluctuationDriven(Value):
    r"""What all fluctuation-driven weights state; use one of the four kinds.

    The fluctuation-driven projections onto a population all state the same ``mean``, ``sd`` and ``variable``.

    Parameters
    ----------
    rate : Quantity
        Mean firing rate :math:`\nu` of a source neuron, e.g. ``"10 Hz"``.
    sd : Quantity, optional
        Temporal standard deviation :math:`\sigma_U` of the target's membrane, e.g. ``"5 mV"``; or instead of it:
    xi : float, optional
        Distance of the mean from the threshold in standard deviations, :math:`\xi = (\theta - \mu_U)/\sigma_U`,
        typically 1 to 3, together with
    distance : Quantity, optional
        Distance :math:`\theta` of the threshold from the membrane's rest.
    share : float
        Fraction of the variance that this projection brings. The shares of the projections onto a population add up
        to 1; under Dale's law those of the projections that excite it do, and so do those that inhibit it.
    variable : str, optional
        Membrane variable of the target; default: the state variable on the left of its threshold, or
        the only one.
    """

    rate: Quantity
    sd: Quantity | None = None
    xi: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    distance: Quantity | None = None
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
    variable: str | None = None

    @property
    def target_mean(self) -> Quantity:
        r""":math:`\mu_U`, the shift of the membrane's mean from its rest; zero where no ``mean`` is given."""
        given: Quantity | None = getattr(self, "mean", None)
        return Quantity(0.0, self._size.dimension) if given is None else given

    @property
    def target_sd(self) -> Quantity:
        r""":math:`\sigma_U`: ``sd``, or the distance of the mean from the threshold over ``xi``."""
        if self.sd is not None or self.xi is None:
            return self._size
        return Quantity((self._size.value - self.target_mean.value) / self.xi, self._size.dimension)

    @property
    def second_moment(self) -> float | None:
        r""":math:`c = \langle w^2 \rangle / \langle w \rangle^2` of weights of one sign; None for normal weights."""
        return None

    @property
    def _size(self) -> Quantity:
        size = self.distance if self.sd is None else self.sd
        if size is None:
            raise DescriptionError(
                "give the fluctuations either as sd, or as xi together with the distance of the threshold from rest."
            )
        return size

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.rate.dimension != FREQUENCY or self.rate.value <= 0:
            raise DescriptionError(f"rate must be a frequency above zero such as '10 Hz', got '{self.rate}'.")
        if (self.sd is None) == (self.xi is None) or (self.xi is None) != (self.distance is None):
            raise DescriptionError(
                "give the fluctuations either as sd, or as xi together with the distance of the threshold from rest."
            )
        if self.target_mean.dimension != self._size.dimension:
            raise DescriptionError(
                f"mean must have the unit of the fluctuations ('{self._size}'), got '{self.target_mean}'."
            )
        if self.sd is not None and self.sd.value <= 0:
            raise DescriptionError(f"sd must be larger than zero, got '{self.sd}'.")
        if self.target_sd.value <= 0:
            raise DescriptionError(
                f"the mean must lie below the threshold, got a distance of '{self.distance}' and a mean of "
                f"'{self.target_mean}'."
            )
        return self


class FluctuationDrivenNormal(FluctuationDriven):
    r"""Normal weights that give the target a mean and fluctuations.

    .. math::
        \mu_W = \frac{\mu_U}{\sum_j K_j \nu_j \bar\epsilon_j}, \qquad
        \sigma_W^2 = \frac{\text{share} \cdot \sigma_U^2}{K \nu \hat\epsilon} - \mu_W^2

    The sum runs over all fluctuation-driven projections onto the target: they have the same mean weight. Rossbroich et
    al. (2022), with a rate and a number of inputs for each projection.

    Parameters
    ----------
    mean : Quantity
        :math:`\mu_U`: how far the input shifts the membrane's mean from where it rests without.
    """

    type: Literal["FluctuationDrivenNormal"] = "FluctuationDrivenNormal"
    mean: Quantity


class FluctuationDrivenCentred(FluctuationDriven):
    r"""Normal weights of mean zero, :math:`\sigma_W^2 = \text{share} \cdot \sigma_U^2 / (K \nu \hat\epsilon)`.

    Rossbroich et al. (2022) recommend :math:`\mu_U = 0` and :math:`\xi = 1`.
    """

    type: Literal["FluctuationDrivenCentred"] = "FluctuationDrivenCentred"


class FluctuationDrivenExponential(FluctuationDriven):
    r"""Exponentially distributed weights under Dale's law: a projection either excites or inhibits its target.

    Excitation E and inhibition I hold the mean at :math:`\mu_U` (zero where not given) and together have the variance
    :math:`\sigma_U^2`. With :math:`\langle w^2 \rangle = c \langle w \rangle^2`, here :math:`c = 2`, the share
    :math:`a_j` of a projection in its side, and the variance V of a side,

    .. math::
        \langle w_j \rangle = \sqrt{\frac{a_j V}{c \, K_j \nu_j \hat\epsilon_j}}, \qquad
        G = \sum_j |\bar\epsilon_j| \sqrt{\frac{a_j K_j \nu_j}{c \, \hat\epsilon_j}}, \qquad
        V_E + V_I = \sigma_U^2, \quad G_E \sqrt{V_E} - G_I \sqrt{V_I} = \mu_U

    and for :math:`\mu_U = 0` :math:`V_E = \sigma_U^2 \, G_I^2 / (G_E^2 + G_I^2)`. The two formulas of Rossbroich et al.
    (2022), without and with recurrent excitation, are the cases of one rate everywhere and one kernel for each side.

    Whether a projection excites follows from its postsynaptic potential. With ``sign: negative`` weights are negative.
    """

    type: Literal["FluctuationDrivenExponential"] = "FluctuationDrivenExponential"
    mean: Quantity | None = None

    @property
    def second_moment(self) -> float:
        r""":math:`c = 2`."""
        return 2.0


class FluctuationDrivenLogNormal(FluctuationDriven):
    r"""Log-normally distributed weights under Dale's law: as `FluctuationDrivenExponential`, with :math:`c = e^{s^2}`.

    Parameters
    ----------
    spread : float
        :math:`s`, the standard deviation of :math:`\ln |w|`; 1 in Rossbroich et al. (2022).
    """

    type: Literal["FluctuationDrivenLogNormal"] = "FluctuationDrivenLogNormal"
    mean: Quantity | None = None
    spread: Annotated[float, Field(gt=0, le=3)] = 1.0

    @property
    def second_moment(self) -> float:
        r""":math:`c = e^{s^2}`."""
        return math.exp(self.spread**2)


FluctuationDrivenWeight = Annotated[
    FluctuationDrivenNormal | FluctuationDrivenCentred | FluctuationDrivenExponential | FluctuationDrivenLogNormal,
    Field(discriminator="type"),
]
"""Fluctuation-driven weights that a description may name."""


def membrane_variable(neuron: NeuronModel) -> str:
    """Return the state variable whose fluctuations make a neuron fire: on the left of its threshold, or the only one.

    Raises
    ------
    DescriptionError
        If there are several.
    """
    model = neuron.written_out()
    states = {name for name, kind in defined_names(model.equations).items() if kind == "differential"}
    threshold = parsed(model.threshold or "True")
    sides = [threshold.left, *threshold.comparators] if isinstance(threshold, ast.Compare) else [threshold]
    found = next((there for side in sides if (there := names_read(side) & states)), states)
    if len(found) != 1:
        raise DescriptionError(
            f"which variable is the membrane does not follow from the threshold '{model.threshold}'; give 'variable', "
            f"one of {', '.join(map(repr, sorted(states))) or 'none'}."
        )
    return found.pop()


def check_one_membrane(target: str, projections: Mapping[str, "Projection"]) -> FluctuationDriven:
    """Return what the fluctuation-driven projections onto a population all ask of its membrane.

    Raises
    ------
    DescriptionError
        If they ask for different membranes, or their inputs cannot be independent.
    """
    weights = {n: p.weight for n, p in projections.items() if isinstance(p.weight, FluctuationDriven)}
    (first, one), *others = weights.items()
    for name, other in others:
        both = f"projections '{first}' and '{name}' onto '{target}'"
        for what in ("target_mean", "target_sd", "variable"):
            if getattr(one, what) != getattr(other, what):
                raise DescriptionError(
                    f"{both} state a different {what.removeprefix('target_')} of its membrane, "
                    f"'{getattr(one, what)}' and '{getattr(other, what)}'; it has one: state the same."
                )
        if (one.second_moment is None) != (other.second_moment is None):
            raise DescriptionError(f"{both} have normal weights and weights of one sign; choose one law for both.")
    if any(weight.second_moment is not None or weight.target_mean.value for weight in weights.values()):
        _check_means_add(target, {name: projections[name] for name in weights})
    return one


def _check_means_add(target: str, projections: Mapping[str, "Projection"]) -> None:
    """Refuse weights whose mean is not zero where spikes come twice, or where the weights have different units."""
    carriers: dict[str, str] = {}
    (first, one), *_ = projections.items()
    for name, projection in projections.items():
        twin = carriers.setdefault(projection.source, name)
        if twin != name:
            raise DescriptionError(
                f"projections '{twin}' and '{name}' both bring the spikes of '{projection.source}' to '{target}', so "
                "their inputs are not independent; put both currents into one synapse model."
            )
        units = [each.synapse.weight_unit for each in (one, projection)]
        normal = isinstance(projection.weight, FluctuationDrivenNormal)
        if normal and parse_unit(units[0])[1] != parse_unit(units[1])[1]:
            raise DescriptionError(
                f"projections '{first}' and '{name}' measure weights in '{units[0]}' and '{units[1]}', so they cannot "
                "have the same mean weight; ask for mean zero or FluctuationDrivenExponential."
            )
