"""Does the first time step give numbers? The exact solution of equations divides by differences of time constants."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from snncompare.dynamics.constants import FUNCTIONS, constants_of
from snncompare.dynamics.expressions import compile_expression, names_in
from snncompare.dynamics.program import PopulationProgram
from snncompare.dynamics.step_program import network_program
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.amount import is_drawn
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.units import TIME

__all__ = ["check_first_step"]

Values = Mapping[str, NDArray[np.float64]]

_SYMBOLIC = ("exact", "auto")


def check_first_step(network: Network, dt: float, values: Mapping[str, Values]) -> None:
    r"""Refuse equal time constants for which the exact solution of a population's equations is no number.

    The solution of :math:`\tau_m \dot v = x - v, \; \tau_s \dot x = -x` over a time step has the factor
    :math:`\tau_s / (\tau_m - \tau_s)`, which a simulator computes as it stands: all potentials become NaN, and no
    neuron ever fires.

    Parameters
    ----------
    network : Network
    dt : float
        Time step in seconds.
    values : mapping
        Population to values of single neurons in SI units, as in `Realisation`.

    Raises
    ------
    InputError
        With the population and the time constants that are equal.
    """
    for name, population in network.populations.items():
        if not isinstance(population.neuron, NeuronModel) or population.neuron.method not in _SYMBOLIC:
            continue
        own = values.get(name, {})
        equal = _equal_times(network, name, own)
        if not equal:
            continue
        try:
            program = network_program(network, dt).populations[name]
        except UnsupportedError:  # Brian2 alone can run it, with what it says itself
            return
        wrong = _neurons_without_numbers(program, own)
        if wrong.any():
            pairs = "; ".join(f"{first} = {second}" for (first, second), same in equal.items() if np.any(same & wrong))
            some = f" in {np.count_nonzero(wrong)} of {wrong.size} neurons" if not wrong.all() else ""
            raise InputError(
                f"population '{name}': the method '{population.neuron.method}' divides by the difference of time "
                f"constants, which is zero{some} ({pairs}); choose the method 'exponential_euler', or time constants "
                "that differ by a thousandth."
            )


def _equal_times(network: Network, name: str, own: Values) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """Return the pairs of parameters, measured in time, that are equal in some neurons, and in which."""
    population = network.populations[name]
    amounts = [(key, key, population.parameter(key)) for key in population.neuron.parameters]  # type: ignore[union-attr]
    for projection, described in network.incoming(name).items():
        own_names = ((key, f"{key}_{projection}", amount) for key, amount in described.synapse.parameters.items())
        amounts += [(f"{key} of '{projection}'", single, amount) for key, single, amount in own_names]
    found: dict[str, NDArray[np.float64]] = {}
    for said, single, amount in amounts:
        if (amount.unit_of if is_drawn(amount) else amount).dimension != TIME:
            continue
        if single in own:
            found[said] = own[single]
        elif not is_drawn(amount):
            found[said] = np.array(amount.value)
    pairs = {(a, b): np.isclose(found[a], found[b], rtol=1e-12, atol=0) for a, b in combinations(found, 2)}
    return {pair: same for pair, same in pairs.items() if same.any()}


def _neurons_without_numbers(program: PopulationProgram, own: Values) -> NDArray[np.bool_]:
    """Return whether a state of a neuron is no number after one step from its initial values without input."""
    size = max((len(array) for array in own.values()), default=1)
    wrong = np.zeros(size, dtype=bool)
    known: dict[str, object] = {name: np.float64(value) for name, value in program.initial.items()}
    known |= {"t": np.float64(0.0), "not_refractory": np.bool_(True)} | dict(own)
    with np.errstate(all="ignore"):
        known |= {name: np.float64(value) for name, value in constants_of(program.update).items()}
        for assignment in program.update.assignments:
            known_so_far = known.keys() >= names_in(assignment.expression)
            try:
                value = compile_expression(assignment.expression, FUNCTIONS)(known) if known_so_far else None
            except UnsupportedError:  # a function of chance
                value = None
            if value is None:
                known.pop(assignment.target, None)
                continue
            known[assignment.target] = value
            wrong |= ~np.isfinite(np.broadcast_to(np.asarray(value, dtype=float), size))
    return wrong
