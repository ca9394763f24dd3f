"""Whether a network fires the same spikes after it was written as NIR and read back."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from snncompare.backends.activity import spiking
from snncompare.backends.nir.cells import Spike
from snncompare.backends.nir.exchange import export_nir, import_nir
from snncompare.backends.realisation import Given
from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike

__all__ = ["check_nir_round_trip"]


def check_nir_round_trip(
    network: Network,
    realisation: Given,
    inputs: Mapping[str, Recording],
    *,
    dt: QuantityLike = "0.1 ms",
    duration: QuantityLike = "1 s",
    spike: Spike = "step",
    backend: str = "brian2",
) -> int:
    """Write a network as NIR, read it back, run both, and return how many spikes were the same: all of them.

    Parameters
    ----------
    network : Network
    realisation : Realisation or mapping
        Complete: ``realise(network, seed)``.
    inputs : mapping
        Spike source to `Recording`, as for `Program.run`.
    dt, duration : quantity
    spike : str
        ``"step"`` or ``"impulse"``, see `snncompare.backends.nir.exchange`.
    backend : str

    Raises
    ------
    UnsupportedError
        If NIR cannot say what the network does, or at the first spike that differs, with neuron, trial and time.
    InputError
        If not a single spike was fired, so that nothing was compared.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = export_nir(Path(folder) / "network.nir", network, realisation, dt=dt, spike=spike)
        read_network, read_realisation = import_nir(path)
    record = spiking(network)
    before = compile_network(network, backend, dt=dt, weights=realisation).run(inputs, duration=duration, record=record)
    read = compile_network(read_network, backend, dt=dt, weights=read_realisation)
    after = read.run(inputs, duration=duration, record=record)
    difference = _first_difference(before, after)
    if difference is not None:
        raise UnsupportedError(f"after '{network.name}' was written as NIR and read back, {difference}.")
    if not before.times.size:
        raise InputError("no neuron fired, so nothing was compared; give stronger or longer inputs.")
    return int(before.times.size)


def _first_difference(before: Recording, after: Recording) -> str | None:
    first, second = (set(_listed(recording)) for recording in (before, after))
    different = first ^ second
    if not different:
        return None
    time, trial, unit = min(different)
    return (
        f"'{before.units.index[unit]}' {'no longer fires' if (time, trial, unit) in first else 'fires'} at "
        f"{time * 1e3:g} ms of trial '{before.trials.index[trial]}', the first of {len(different):,} differing spikes "
        f"among {len(first) + len(second):,}"
    )


def _listed(recording: Recording) -> Iterator[tuple[float, int, int]]:
    """Return time, trial and unit of every spike."""
    trial, unit = recording.spike_index()
    return zip(recording.times.tolist(), trial.tolist(), unit.tolist(), strict=True)
