"""Whether two backends give the same spikes and membranes, for every shipped neuron model with every synapse model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.testing.models import NEURONS, conformance_input, conformance_network
from snncompare.units import Quantity, quantity

__all__ = [
    "CONTROLS",
    "MEMBRANE_TOLERANCE",
    "MIN_SPIKES",
    "Agreement",
    "agreement",
    "compared",
    "differing_spikes",
]

MEMBRANE_TOLERANCE = 1e-9
"""Largest difference of membranes, relative to their largest value: backends may round the last places differently."""
MIN_SPIKES = 1000
"""Spikes below which an agreement says little."""

Change = Callable[[Network, Quantity], Network]


@dataclass(frozen=True)
class Agreement:
    """What a backend does beside the reference.

    Attributes
    ----------
    name : str
    spikes, differing : int
        Spikes of the reference; spikes that only one of the two has.
    membrane_error : float
        Largest difference of the membranes, relative to the largest value of the reference.
    """

    name: str
    spikes: int
    differing: int
    membrane_error: float

    @property
    def identical(self) -> bool:
        """Whether no spike differs and membranes agree within `MEMBRANE_TOLERANCE`."""
        return self.differing == 0 and self.membrane_error <= MEMBRANE_TOLERANCE

    @property
    def telling(self) -> bool:
        """Whether there were enough spikes for `identical` to mean something."""
        return self.spikes >= MIN_SPIKES


def differing_spikes(a: Recording, b: Recording) -> int:
    """Return how many spikes only one of two recordings of the same units and trials has."""
    fired = [np.stack([*recording.spike_index(), recording.times], axis=1) for recording in (a, b)]
    _, count = np.unique(np.concatenate(fired), axis=0, return_counts=True)
    return int((count == 1).sum())


def compared(name: str, ours: Recording, theirs: Recording) -> Agreement:
    """Return the agreement of two recordings of the same run, with the traces that both have."""
    errors = [
        float(np.abs(trace.to_numpy() - theirs.traces[key].to_numpy()).max() / np.abs(theirs.traces[key]).max())
        for key, trace in ours.traces.items()
    ]
    return Agreement(name, theirs.times.size, differing_spikes(ours, theirs), max(errors, default=0.0))


def agreement(
    neuron: str,
    synapse: str,
    backend: str,
    *,
    reference: str = "brian2",
    dt: str = "0.1 ms",
    duration: str = "1 s",
    change: Change | None = None,
    seed: int = 1,
    **options: Any,
) -> Agreement:
    """Return how far a backend agrees with the reference on one neuron and one synapse model.

    Parameters
    ----------
    neuron, synapse : str
        See `snncompare.testing.models`.
    backend, reference : str
        Names of backends.
    dt, duration : str
    change : callable, optional
        Makes another network of the one for `backend`, as a negative control; see `CONTROLS`.
    seed : int
        Of weights, parameters and input.
    **options
        Of `backend`.
    """
    network = conformance_network(neuron, synapse, dt=dt)
    inputs = conformance_input(dt=dt, duration=duration, seed=seed)
    membrane = NEURONS[neuron]()[1].membrane
    record = ["cells", f"cells.{membrane}"]
    program = compile_network(network, reference, dt=dt, seed=seed)
    theirs = program.run(inputs, duration=duration, record=record)
    changed = network if change is None else change(network, quantity(dt))
    ours = compile_network(changed, backend, dt=dt, seed=seed, weights=program.realisation, **options).run(
        inputs, duration=duration, record=record
    )
    return compared(f"{neuron} with {synapse}", ours, theirs)


def _with_neuron(network: Network, **update: Any) -> Network:
    cells = network.populations["cells"]
    model = cells.model.model_copy(update=update)
    return network.model_copy(
        update={"populations": {**network.populations, "cells": cells.model_copy(update={"neuron": model})}}
    )


def _swapped_resets(network: Network, _dt: Quantity) -> Network:
    text = network.populations["cells"].model.reset.replace("\n", ";")
    statements = [part.strip() for part in text.split(";") if part.strip()]
    if len(statements) < 2:
        raise InputError(f"'{network.name}' has fewer than two reset statements to swap.")
    first, second, *others = statements
    return _with_neuron(network, reset="; ".join([second, first, *others]))


def _later_by_one_step(network: Network, dt: Quantity) -> Network:
    feed = network.projections["feed"]
    if not isinstance(feed.delay, Quantity):
        raise InputError(f"'{network.name}' has no one delay to change.")
    delay = Quantity(feed.delay.value + dt.value, dt.dimension)
    return network.model_copy(update={"projections": {"feed": feed.model_copy(update={"delay": delay})}})


def _other_method(network: Network, _dt: Quantity) -> Network:
    used = network.populations["cells"].model.method
    return _with_neuron(network, method="rk2" if used == "euler" else "euler")


CONTROLS: dict[str, tuple[str, str, Change]] = {
    "two reset statements swapped": ("ALIF, SRNN", "exponential", _swapped_resets),
    "delay longer by one step": ("LIF", "exponential", _later_by_one_step),
    "another integration method": ("adaptive LIF", "exponential", _other_method),
}
"""Changes that must be seen: name to neuron model, synapse model and the change."""
