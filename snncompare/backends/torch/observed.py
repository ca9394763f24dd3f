"""Hardware in the loop: what was measured goes on in the run, the derivative is that of the model.

At every step the observed membrane takes the place of the model's before the threshold, and the observed spikes that of
the model's spikes (Cramer et al. 2022, PNAS 119:e2109194119); gradients pass to what the model computed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from snncompare.backends.torch.emulated_values import injected
from snncompare.backends.torch.on_chip import TorchChips
from snncompare.backends.torch.population import PopulationStep
from snncompare.backends.torch.sums import State
from snncompare.errors import InputError, unknown

__all__ = ["Observed", "checked_observed"]


@dataclass(frozen=True)
class Observed:
    """What was measured in a run, each tensor of shape (step, batch, neuron).

    Attributes
    ----------
    spikes : mapping
        Population to raster of 0 and 1.
    traces : mapping
        (population, variable) to values in SI units; NaN where the model's value stays.
    first : int
        Number of the step that the first row belongs to.
    """

    spikes: Mapping[str, Tensor]
    traces: Mapping[tuple[str, str], Tensor]
    first: int

    def show(self, populations: Mapping[str, State], step: int) -> None:
        """Put observed values in the place of the model's."""
        for (name, variable), values in self.traces.items():
            state = populations[name]
            state[variable] = injected(state[variable], values[step - self.first])

    def fired(self, name: str, step: int) -> Tensor | None:
        """Return who was observed to fire, or None where that was not observed."""
        return self.spikes[name][step - self.first] if name in self.spikes else None


def checked_observed(
    spikes: Mapping[str, Tensor] | None,
    traces: Mapping[tuple[str, str], Tensor] | None,
    steps: Mapping[str, PopulationStep],
    shape: tuple[int, int],
    first: int,
    chips: TorchChips | None = None,
) -> Observed | None:
    """Return what was observed, or None if nothing was.

    Parameters
    ----------
    spikes, traces : mapping or None
        See `Observed`.
    steps : mapping
        Population to `PopulationStep`.
    shape : (steps, batch)
    first : int
        Number of the first step of the run.
    chips : TorchChips, optional
        Where it runs; what was observed in its trials is then observed of all copies.

    Raises
    ------
    InputError
        For populations that do not fire, variables that do not change, other shapes, or spikes that are not 0 or 1.
    """
    if not spikes and not traces:
        return None
    if chips is not None:
        spikes = {name: chips.repeated(raster) for name, raster in (spikes or {}).items()}
        traces = {key: chips.repeated(values) for key, values in (traces or {}).items()}
    fires = [name for name, step in steps.items() if step.program.threshold is not None]
    for name, raster in (spikes or {}).items():
        if name not in fires:
            raise InputError("observed: " + unknown("population that fires", name, fires))
        _check_shape(f"observed: the raster of '{name}'", raster, (*shape, steps[name].size))
        if not bool(((raster == 0) | (raster == 1)).all()):
            raise InputError(f"observed: the raster of '{name}' must hold 0 and 1 only; take the smaller dt it needs.")
    for (name, variable), values in (traces or {}).items():
        if name not in steps:
            raise InputError("observed_traces: " + unknown("population", name, steps))
        if variable not in steps[name].changing:
            raise InputError(
                f"observed_traces: '{name}' has " + unknown("variable that changes", variable, steps[name].changing)
            )
        _check_shape(f"observed_traces: '{name}.{variable}'", values, (*shape, steps[name].size))
    return Observed(dict(spikes or {}), dict(traces or {}), first)


def _check_shape(what: str, values: Tensor, expected: tuple[int, int, int]) -> None:
    if tuple(values.shape) != expected:
        raise InputError(f"{what} must have the shape {expected} (step, batch, neuron), got {tuple(values.shape)}.")
