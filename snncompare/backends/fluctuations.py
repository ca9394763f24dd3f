r"""From the fluctuations that a description asks for to distributions of weights.

Postsynaptic potentials are measured on the target's own equations (`dynamics.membrane_probe`), at its working point:
under the mean input that the weights themselves bring. A linear membrane does not notice, and its weights meet the
target exactly. Conductances do: they shorten the membrane's time constant and the distance to their reversal potential.
There weights and working point are found together, by iteration. What is left out is that conductances fluctuate too
(the effective-time-constant approximation: Kuhn, Aertsen & Rotter 2004 J. Neurosci. 24:2345).
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.draw_values import generator
from snncompare.backends.draw_wiring import Ends, draw_pairs, expected_synapses
from snncompare.backends.weight_moments import Input, Moments, weight_moments
from snncompare.dynamics.membrane_probe import MembraneProbe
from snncompare.dynamics.postsynaptic import PostsynapticPotential
from snncompare.errors import DescriptionError
from snncompare.network.fan_in import FanIn, expected_fan_in
from snncompare.network.fluctuations import (
    FluctuationDriven,
    FluctuationDrivenExponential,
    FluctuationDrivenLogNormal,
    check_one_membrane,
    membrane_variable,
)
from snncompare.network.initialisers import Exponential, LogNormal, Normal
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.network.wiring import DistanceDependent
from snncompare.units import Quantity, base_unit, parse_unit

__all__ = ["distribution_for"]

_MOST_ITERATIONS = 60
_CONVERGED = 1e-4
_OUT_OF_REACH = 100
_ENOUGH_SYNAPSES = 100_000


def distribution_for(network: Network, projection: str, dt: float) -> Normal | Exponential | LogNormal:
    """Return the distribution from which the weights of a fluctuation-driven projection are drawn.

    Parameters
    ----------
    network : Network
    projection : str
        Name of a projection whose ``weight`` is `FluctuationDriven`.
    dt : float
        Time step, seconds; the postsynaptic potentials are those of a simulation with this step.

    Raises
    ------
    DescriptionError
        If the fluctuation-driven projections onto its target contradict each other, if a postsynaptic potential cannot
        be measured, or if no such weights exist.
    """
    described = network.projections[projection]
    found = _solved(network, described.target, dt)[projection]
    _, dimension = parse_unit(described.synapse.weight_unit)
    mean, sd = Quantity(found.mean, dimension), Quantity(found.sd, dimension)
    match described.weight:
        case FluctuationDrivenExponential():
            return Exponential(mean=mean)
        case FluctuationDrivenLogNormal():
            return LogNormal(mean=mean, sd=sd)
    return Normal(mean=mean, sd=sd)


@lru_cache(maxsize=64)
def _solved(network: Network, target: str, dt: float) -> Mapping[str, Moments]:
    """Return the moments of the weights of all fluctuation-driven projections onto a population."""
    membrane = _Membrane(network, target, dt)
    x, tried, changes = np.zeros(len(membrane.weights)), [], []
    moments = membrane.moments(x)
    scale = np.array([math.hypot(each.mean, each.sd) for each in moments.values()])
    for _ in range(_MOST_ITERATIONS):
        found = np.array([each.mean for each in moments.values()]) / scale
        if np.all(np.abs(found - x) <= _CONVERGED * np.maximum(1, np.abs(found))):
            return moments
        tried.append(x)
        changes.append(found - x)
        x = _next(tried, changes)
        if np.abs(x).max() > _OUT_OF_REACH:
            break
        moments = membrane.moments(x * scale)
    raise DescriptionError(
        f"population '{target}': no weights found that give fluctuations of {membrane.sd:.3g} {membrane.unit}, because "
        "larger ones damp the membrane as much as they drive it; ask for a smaller sd (larger xi)."
    )


class _Membrane:
    """What the fluctuation-driven projections onto a population ask of its membrane, and what it answers."""

    def __init__(self, network: Network, target: str, dt: float) -> None:
        incoming = network.incoming(target)
        neuron = network.populations[target].neuron
        assert isinstance(neuron, NeuronModel)  # no projection ends on a spike source
        self.weights = {n: p.weight for n, p in incoming.items() if isinstance(p.weight, FluctuationDriven)}
        self.signs = {n: -1 if incoming[n].sign == "negative" else 1 for n in self.weights}
        wanted = check_one_membrane(target, {n: incoming[n] for n in self.weights})
        variable = wanted.variable or membrane_variable(neuron)
        self.fan_ins = {name: _fan_in(network, name) for name in self.weights}
        self.probe = MembraneProbe(network, target, list(self.weights), dt, variable)
        self.mean, self.sd = wanted.target_mean.value, wanted.target_sd.value
        self.unit = base_unit(self.probe.dimension)
        if self.probe.dimension != wanted.target_sd.dimension:
            other = base_unit(wanted.target_sd.dimension)
            raise DescriptionError(
                f"'{variable}' of population '{target}' is measured in '{self.unit}'; its fluctuations were given in "
                f"'{other}'."
            )
        self.rest = self.probe.respond(scale=self.sd)

    def moments(self, drive: NDArray[np.float64]) -> dict[str, Moments]:
        """Return the weights that would be right at the working point under mean weights, shape (n_projections,)."""
        rates = {n: self.fan_ins[n].synapses * weight.rate.value for n, weight in self.weights.items()}
        per_step = {n: rates[n] * mean * self.probe.dt for n, mean in zip(rates, drive, strict=True)}
        response = self.probe.respond(per_step, scale=self.sd) if drive.any() else self.rest
        inputs = [self._input(name, response.kernels[name]) for name in self.weights]
        # Newton's step towards the mean: what the working point lacks, added to what the weights bring so far.
        lacking = self.mean - (response.potential - self.rest.potential)
        linear = sum(each.mean_gain * mean for each, mean in zip(inputs, drive, strict=True))
        return weight_moments(inputs, lacking + linear, self.sd, self.unit)

    def _input(self, name: str, kernel: PostsynapticPotential) -> Input:
        weight = self.weights[name]
        return Input(
            name=name,
            rate=weight.rate.value,
            fan_in=self.fan_ins[name],
            integral=kernel.integral,
            squared_integral=kernel.squared_integral,
            share=weight.share,
            second_moment=weight.second_moment,
            sign=self.signs[name],
        )


def _fan_in(network: Network, projection: str) -> FanIn:
    """Return the expected fan-in; of wiring by distance that of enough drawn synapses, the same every time."""
    described = network.projections[projection]
    n_source, n_target = (network.populations[end].size for end in (described.source, described.target))
    within = described.source == described.target
    if isinstance(described.wiring, DistanceDependent):
        ends = Ends(n_source, n_target, within)
        repeats = 1 + _ENOUGH_SYNAPSES // expected_synapses(described.wiring, ends)
        drawn = [draw_pairs(described.wiring, ends, generator(k, projection))[0][0].size for k in range(repeats)]
        fan_in = FanIn(sum(drawn) / repeats / n_target)
    else:
        fan_in = expected_fan_in(described.wiring, n_source, n_target, within=within)
    if fan_in.synapses == 0:
        raise DescriptionError(f"projection '{projection}' has no synapses that could make its target fluctuate.")
    return fan_in


def _next(tried: Sequence[NDArray[np.float64]], changes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    r"""Return the next point to try for :math:`x = F(x)`: the secant through the last two (Anderson 1965, depth 1).

    .. math::
        x_{n+1} = F(x_n) - \gamma \, (F(x_n) - F(x_{n-1})), \qquad
        \gamma = \frac{f_n \cdot (f_n - f_{n-1})}{|f_n - f_{n-1}|^2}, \qquad f_n = F(x_n) - x_n

    unless that changes a sign; then :math:`F(x_n)`.

    Parameters
    ----------
    tried, changes : sequences of numpy.ndarray
        :math:`x_n` and :math:`f_n`, of which the first, without any input, is far from the others.
    """
    found = tried[-1] + changes[-1]
    if len(tried) < 3:
        return found
    turn = changes[-1] - changes[-2]
    gamma = float(changes[-1] @ turn / (turn @ turn))
    secant: NDArray[np.float64] = found - gamma * (found - tried[-2] - changes[-2])
    return secant if np.all(secant * found > 0) else found
