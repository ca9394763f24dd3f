r"""Does a network fit on a chip, and in how many runs.

With :math:`R` rows of synapses per circuit, a neuron with :math:`N_{in}` inputs takes :math:`c = \lceil r N_{in}/R
\rceil` circuits, where :math:`r` is 2 for weights of both signs (one excitatory and one inhibitory row) and 1 for
weights of one declared sign; :math:`c` is rounded up to a power of two where the chip asks for it. One run of a chip
with :math:`C` circuits has :math:`\lfloor C/c \rfloor` neurons, and a layer of :math:`N` neurons takes :math:`\lceil
N/\lfloor C/c \rfloor \rceil` runs (electronicvisions/brainscales2-demos ``ts_13-network_partitioning.rst``).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from snncompare.backends.analog.profiles.evidence import Stated
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.realisation import Realisation
from snncompare.errors import DescriptionError, InputError
from snncompare.network.fan_in import expected_fan_in
from snncompare.network.layers import layers
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_resources", "resources", "runs"]


@dataclass(frozen=True)
class _Part:
    """What one population needs: inputs, rows and circuits per neuron, runs of the chip."""

    population: str
    kind: str
    neurons: int
    fan_in: int
    rows: int
    circuits: int
    per_run: int | None
    partitions: int
    recurrent: bool


def resources(network: Network, profile: ChipProfile, realisation: Realisation | None = None) -> "pd.DataFrame":
    """Return what each population takes of a chip; nothing is refused here, see `check_resources`.

    Parameters
    ----------
    network : Network
    profile : ChipProfile
    realisation : Realisation, optional
        With it the largest fan-in is counted; without, it follows from the wiring (its expectation, rounded up).

    Returns
    -------
    pandas.DataFrame
        Index population, columns ``kind`` (input, hidden, output), ``neurons``, ``fan_in`` (synapses of a neuron),
        ``rows`` (of synapses that these need), ``circuits_per_neuron``, ``neurons_per_run`` (missing where there is no
        limit), ``partitions`` (runs that the population needs if it has the chip for itself), ``recurrent``,
        ``first_run`` and ``last_run`` (from 1 on). ``attrs["runs"]`` is the number of runs of the whole network.
    """
    import pandas as pd

    parts = _parts(network, profile, realisation)
    scheduled = _schedule(network, profile, parts)
    rows = [
        {
            "population": part.population,
            "kind": part.kind,
            "neurons": part.neurons,
            "fan_in": part.fan_in,
            "rows": part.rows,
            "circuits_per_neuron": part.circuits,
            "neurons_per_run": part.per_run,
            "partitions": part.partitions,
            "recurrent": part.recurrent,
            "first_run": scheduled[part.population][0],
            "last_run": scheduled[part.population][1],
        }
        for part in parts.values()
    ]
    table = pd.DataFrame(rows).set_index("population").astype({"neurons_per_run": "Int64"})
    table.attrs["runs"] = max(last for _, last in scheduled.values())
    return table


def runs(network: Network, profile: ChipProfile, realisation: Realisation | None = None) -> int:
    """Return in how many runs of the chip a network is carried out, 1 if it fits as a whole."""
    return max(last for _, last in _schedule(network, profile, _parts(network, profile, realisation)).values())


def check_resources(network: Network, profile: ChipProfile, realisation: Realisation | None = None) -> None:
    """Refuse a network that does not fit on the chip.

    Raises
    ------
    InputError
        Too many neurons, synapses per neuron, inputs, outputs or cores, or a recurrent part that does not fit into one
        run; with what is legal.
    """
    parts, there, on = _parts(network, profile, realisation), profile.resources, f"'{profile.name}'"
    for part in parts.values():
        rows = there.synapses_per_neuron
        if rows is not None and not there.mergeable and part.rows > rows.value:
            raise InputError(
                f"population '{part.population}' has {part.fan_in:,} synapses per neuron; {on} has {_most(rows)} "
                f"({part.rows / part.fan_in:.3g} per synapse); connect at most "
                f"{int(rows.value * part.fan_in / part.rows):,} inputs to each neuron."
            )
        if part.per_run == 0:
            raise InputError(
                f"population '{part.population}' has {part.fan_in:,} inputs per neuron, which takes {part.circuits:,} "
                f"circuits of {on} for one neuron; it has {_most(there.neurons)}; connect at most "
                f"{_largest_fan_in(part, profile):,} inputs to each neuron."
            )
    for kind, limit in (("input", there.inputs), ("hidden", there.hidden), ("output", there.outputs)):
        neurons = sum(part.neurons for part in parts.values() if part.kind == kind)
        if limit is not None and neurons > limit.value:
            names = ", ".join(f"'{part.population}'" for part in parts.values() if part.kind == kind)
            raise InputError(
                f"{names}: {neurons:,} {kind} neurons; {on} has {_most(limit)}; use at most that many {kind} neurons."
            )
    _check_neurons(network, profile, parts)
    _check_cores(network, profile, parts)


def _check_neurons(network: Network, profile: ChipProfile, parts: Mapping[str, _Part]) -> None:
    most, on = profile.resources.neurons, f"'{profile.name}'"
    if most is None:
        return
    groups = layers(network) if profile.resources.sequential else (tuple(parts),)
    for group in groups:
        there = [parts[name] for name in group if parts[name].kind != "input"]
        circuits = sum(part.neurons * part.circuits for part in there)
        alone = profile.resources.sequential and not any(part.recurrent for part in there)
        if circuits <= most.value or alone or not there:
            continue
        names = ", ".join(f"'{part.population}'" for part in there)
        each = f" of {max(part.circuits for part in there)} circuits each" if circuits > _neurons(there) else ""
        why = "recurrent populations must fit into one run" if profile.resources.sequential else "all must fit at once"
        raise InputError(
            f"{names}: {_neurons(there):,} neurons{each} take {circuits:,} circuits; {on} has {_most(most)}, and {why};"
            f" use at most {int(_neurons(there) * most.value // circuits):,} neurons{_fewer(there)}."
        )


def _check_cores(network: Network, profile: ChipProfile, parts: Mapping[str, _Part]) -> None:
    cores, most, on = profile.resources.cores, profile.resources.neurons, f"'{profile.name}'"
    if cores is None:
        return
    populations = [part for part in parts.values() if part.kind != "input"]
    if profile.resources.layer_per_core:
        if len(populations) > cores.value:
            raise InputError(
                f"the network has {len(populations)} populations; {on} has {_most(cores)} cores, one for each; use at "
                f"most {int(cores.value)} populations."
            )
        return
    if most is None:
        return
    of_core = int(most.value // cores.value)
    settings: dict[str, int] = {}
    for part in populations:
        described = network.populations[part.population]
        key = f"{described.model.fingerprint()} {sorted((n, str(v)) for n, v in described.parameters.items())}"
        settings[key] = settings.get(key, 0) + part.neurons
    needed = sum(math.ceil(neurons / of_core) for neurons in settings.values())
    if needed > cores.value:
        raise InputError(
            f"the network has {len(settings)} kinds of neurons, which take {needed} cores of {of_core} neurons, "
            f"because the neurons of a core share their settings; {on} has {_most(cores)} cores; give populations the "
            "same neuron and parameters."
        )


def _parts(network: Network, profile: ChipProfile, realisation: Realisation | None) -> dict[str, _Part]:
    there, recurrent = profile.resources, _recurrent(network)
    found = {}
    for name, population in network.populations.items():
        kind = _kind(network, name)
        fan_in, rows = (0, 0) if kind == "input" else _fan_in(network, name, profile, realisation)
        circuits = 0 if kind == "input" else 1
        if there.synapses_per_neuron is not None and there.mergeable and kind != "input":
            circuits = max(1, math.ceil(rows / there.synapses_per_neuron.value))
            circuits = 1 << (circuits - 1).bit_length() if there.power_of_two else circuits
        limited = there.neurons is not None and kind != "input"
        per_run = int(there.neurons.value // circuits) if limited and there.neurons is not None else None
        partitions = 0 if kind == "input" else math.ceil(population.size / per_run) if per_run else 1
        found[name] = _Part(name, kind, population.size, fan_in, rows, circuits, per_run, partitions, name in recurrent)
    return found


def _schedule(network: Network, profile: ChipProfile, parts: Mapping[str, _Part]) -> dict[str, tuple[int, int]]:
    """Return the first and last run of each population: one run for all if they fit, else layer after layer."""
    most = profile.resources.neurons
    circuits = sum(part.neurons * part.circuits for part in parts.values())
    if most is None or not profile.resources.sequential or circuits <= most.value:
        return dict.fromkeys(parts, (1, 1))
    found: dict[str, tuple[int, int]] = {}
    begun = 0
    for layer in layers(network):
        taken = max((1 if parts[name].recurrent else parts[name].partitions) for name in layer)
        found |= {name: (begun + 1, max(begun + taken, 1)) for name in layer}
        begun += taken
    return {name: found[name] for name in parts}


def _kind(network: Network, population: str) -> str:
    if not isinstance(network.populations[population].neuron, NeuronModel):
        return "input"
    onwards = {p.target for p in network.projections.values() if p.source == population} - {population}
    return "hidden" if onwards else "output"


def _recurrent(network: Network) -> set[str]:
    own = {projection.source for projection in network.projections.values() if projection.source == projection.target}
    return own | {name for layer in layers(network) if len(layer) > 1 for name in layer}


def _fan_in(
    network: Network, population: str, profile: ChipProfile, realisation: Realisation | None
) -> tuple[int, int]:
    """Return synapses per neuron and the rows that they need."""
    synapses = list(_synapses(network, population, realisation))
    in_pairs = profile.resources.signed_rows
    inputs = sum((n for _, n in synapses), np.zeros(1))
    rows = sum(
        (n * (2 if in_pairs and network.projections[name].sign is None else 1) for name, n in synapses), np.zeros(1)
    )
    return math.ceil(inputs.max()), math.ceil(rows.max())


def _synapses(network: Network, population: str, realisation: Realisation | None) -> Iterator[tuple[str, np.ndarray]]:
    """Return the synapses of each projection onto a population, of every neuron or of an average one."""
    size = network.populations[population].size
    for name, projection in network.incoming(population).items():
        if realisation is not None and name in realisation.connections:
            yield name, np.bincount(realisation.connections[name].target, minlength=size).astype(np.float64)
            continue
        source = network.populations[projection.source].size
        try:
            expected = expected_fan_in(projection.wiring, source, size, within=projection.source == population)
        except DescriptionError as error:
            raise InputError(f"projection '{name}': {error} Give resources(..., realisation=...).") from error
        yield name, np.full(1, expected.synapses)


def _largest_fan_in(part: _Part, profile: ChipProfile) -> int:
    """Return how many inputs a neuron may have if it takes the whole chip."""
    rows, most = profile.resources.synapses_per_neuron, profile.resources.neurons
    if rows is None or most is None:
        return part.fan_in
    circuits = int(most.value)
    circuits = 1 << (circuits.bit_length() - 1) if profile.resources.power_of_two else circuits
    return int(circuits * rows.value * part.fan_in // part.rows)


def _fewer(parts: list[_Part]) -> str:
    """Return what belongs to the largest number of neurons where they are inputs of each other."""
    if not any(part.recurrent and part.circuits > 1 for part in parts):
        return ""
    return " with as many inputs each; fewer neurons have fewer inputs and need fewer circuits, so that more may fit"


def _neurons(parts: list[_Part]) -> int:
    return sum(part.neurons for part in parts)


def _most(limit: Stated | None) -> str:
    return "no limit" if limit is None else f"{int(limit.value):,}"
