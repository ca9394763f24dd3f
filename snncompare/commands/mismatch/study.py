"""A mismatch study: schemes times points times devices, each finished piece kept, so that a killed study goes on."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from snncompare import __version__
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.commands.mismatch.keys import dataset_key, kept_rows, probe_key, trained_key, write_rows
from snncompare.commands.mismatch.measure import COLUMNS, measure_devices
from snncompare.commands.mismatch.points import Point, profile_at
from snncompare.commands.mismatch.probe import Ideal, Probe, ideal_responses
from snncompare.commands.mismatch.representations import recording_similarity
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.provenance import fingerprint
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from snncompare.learning.losses import Loss
    from snncompare.learning.trained import Trained

__all__ = ["IDENTITY", "MismatchResult", "Scheme", "mismatch_study"]

IDENTITY = ("sweep", "scheme", "parameters", "sigma", "bits")
"""Columns that say which point a row is of."""
_IDEAL_COLUMNS = (*[name for name in COLUMNS if name != "device_seed"], "no_energy")


@dataclass(frozen=True, eq=False)
class Scheme:
    """Where the weights come from that a device is given.

    Parameters
    ----------
    reference : Trained
        The network whose responses without a chip are "the ideal" of this scheme.
    make : callable, optional
        From profile and device seed to the network that is given to this device, for schemes that know the device, such
        as training in the loop; None: every device is given `reference`.
    key : str
        Differs where what `make` does differs; part of what finished pieces are known by.
    """

    reference: "Trained"
    make: "Callable[[ChipProfile, int], Trained] | None" = None
    key: str = ""

    def __post_init__(self) -> None:
        if self.make is not None and not self.key:
            raise InputError("a scheme that makes networks needs a key= that says how, to know finished pieces by.")

    @classmethod
    def of(cls, given: "Scheme | Trained") -> "Scheme | Self":
        """Return a scheme; a trained network is given to every device as it is."""
        return given if isinstance(given, Scheme) else cls(given)


@dataclass(frozen=True, eq=False)
class MismatchResult:
    """What a study found.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per point, scheme, device and metric: `IDENTITY`, then `measure.COLUMNS`. ``sigma`` and ``bits`` are not
        a number where the profile says them.
    ideal : pandas.DataFrame
        One row per scheme and metric: ``scheme``, and the same columns of the network without a chip.
    statements : tuple of str
        What could not be told, in sentences.
    """

    table: pd.DataFrame
    ideal: pd.DataFrame
    statements: tuple[str, ...] = ()


@dataclass(eq=False)
class _Job:
    """What all pieces have in common."""

    test: SpikeDataset | None
    loss: "Loss | None"
    dt: QuantityLike
    probe: Probe | None
    seed: int
    keep: Path | None
    at_once: int
    shared: dict[str, Any]
    ideals: dict[str, Ideal] = field(default_factory=dict)

    def ideal(self, name: str, scheme: Scheme) -> Ideal | None:
        """Return the responses of a scheme's network without a chip, computed once."""
        if self.probe is None:
            return None
        if name not in self.ideals:
            self.ideals[name] = ideal_responses(scheme.reference, self.probe, dt=self.dt)
        return self.ideals[name]


def mismatch_study(
    schemes: "Mapping[str, Scheme | Trained]",
    test: SpikeDataset | None,
    loss: "Loss | None",
    *,
    sweeps: Mapping[str, Sequence[Point]],
    device_seeds: Sequence[int],
    dt: QuantityLike,
    base: ChipProfile | Mapping[str, ChipProfile] | None = None,
    probe: Probe | None = None,
    seed: int = 0,
    keep: str | Path | None = None,
    devices_at_once: int = 16,
    say: Callable[[str], None] = lambda _: None,
) -> MismatchResult:
    """Return how trained networks do on chips, for every scheme, point and device.

    Parameters
    ----------
    schemes : mapping
        Name to `Scheme`, or to a `Trained` that every device is given.
    test, loss, dt, probe, seed, devices_at_once
        As for `measure_devices`.
    sweeps : mapping
        Name to points; a point that several sweeps have is carried out once.
    device_seeds : sequence of int
        The same devices at every point.
    base : ChipProfile or mapping, optional
        What the points change, for all sweeps or by the name of the sweep; default: ``plain``, without imperfection.
    keep : path, optional
        Folder in which every finished piece is kept, known by a hash of all that it depends on. What is there is not
        carried out again.
    say : callable
        Takes a line of progress.

    Raises
    ------
    InputError
        If a chip cannot hold a network, or as `measure_devices`; also for an empty study.
    FileError
        If a kept piece is damaged.
    """
    if not schemes or not any(len(points) for points in sweeps.values()):
        raise InputError("a study needs at least one scheme and one point; give schemes={...} and sweeps={...}.")
    given = {name: Scheme.of(scheme) for name, scheme in schemes.items()}
    shared = {"test": dataset_key(test), "loss": repr(loss), "dt": repr(seconds(dt, "dt")), "seed": seed}
    shared |= {"probe": probe_key(probe), "snncompare": __version__}
    folder = None if keep is None else Path(keep)
    job = _Job(test, loss, dt, probe, seed, folder, devices_at_once, shared)
    profiles = {name: base[name] if isinstance(base, Mapping) else base or ChipProfile.load("plain") for name in sweeps}
    pieces = list(_pieces(given, sweeps, profiles, [int(each) for each in device_seeds]))
    done: dict[str, list[dict[str, Any]]] = {}
    tables = []
    for k, piece in enumerate(pieces, 1):
        key = fingerprint({**job.shared, **piece.key()})
        if key not in done:
            done[key] = _rows_of(job, piece, key, f"{k}/{len(pieces)}: {piece.words}", say)
        tables += [{**piece.identity(), **row} for row in done[key]]
    table = pd.DataFrame(tables, columns=[*IDENTITY, *COLUMNS])
    table[["sigma", "bits"]] = table[["sigma", "bits"]].astype(np.float64)
    ideal = pd.DataFrame(_ideal_rows(job, given, say), columns=["scheme", *_IDEAL_COLUMNS])
    statements = tuple(
        f"The energy is not estimated: {words}" for words in dict.fromkeys(ideal.pop("no_energy")) if words
    )
    return MismatchResult(table, ideal, statements)


@dataclass(frozen=True, eq=False)
class _Piece:
    """One scheme at one point, on all devices or on one."""

    sweep: str
    name: str
    scheme: Scheme
    point: Point
    profile: ChipProfile
    device_seeds: tuple[int, ...]

    @property
    def words(self) -> str:
        one = f", device {self.device_seeds[0]}" if self.scheme.make is not None else ""
        return f"{self.sweep}, {self.name}, {self.point.words}{one}"

    def identity(self) -> dict[str, Any]:
        point = self.point
        which = point.parameters if point.sigma is not None else ""
        return dict(zip(IDENTITY, (self.sweep, self.name, which, point.sigma, point.bits), strict=True))

    def key(self) -> dict[str, Any]:
        weights = {"reference": trained_key(self.scheme.reference), "scheme": self.scheme.key}
        return {**weights, "profile": self.profile.fingerprint(), "device_seeds": list(self.device_seeds)}


def _pieces(
    schemes: Mapping[str, Scheme],
    sweeps: Mapping[str, Sequence[Point]],
    profiles: Mapping[str, ChipProfile],
    seeds: list[int],
) -> Iterator[_Piece]:
    """Yield all pieces; schemes that know the device have a piece for each."""
    for sweep, points in sweeps.items():
        for name, scheme in schemes.items():
            for point in points:
                profile = profile_at(profiles[sweep], point)
                groups = [tuple(seeds)] if scheme.make is None else [(each,) for each in seeds]
                for group in groups:
                    yield _Piece(sweep, name, scheme, point, profile, group)


def _rows_of(job: _Job, piece: _Piece, key: str, words: str, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return the rows of a piece, kept ones where there are any."""
    there = None if job.keep is None else kept_rows(job.keep, key, tuple(COLUMNS))
    if there is not None:
        return there
    say(words)
    make, ideal = piece.scheme.make, job.ideal(piece.name, piece.scheme)
    trained = piece.scheme.reference if make is None else make(piece.profile, piece.device_seeds[0])
    given: dict[str, Any] = {"profile": piece.profile, "device_seeds": piece.device_seeds, "dt": job.dt}
    given |= {"probe": job.probe, "ideal": ideal, "seed": job.seed, "devices_at_once": job.at_once}
    found = measure_devices(trained, job.test, job.loss, **given).to_dict("records")
    rows = [{str(name): value for name, value in row.items()} for row in found]
    if job.keep is not None:
        write_rows(job.keep, key, piece.words, rows)
    return rows


def _ideal_rows(job: _Job, schemes: Mapping[str, Scheme], say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Return accuracy, firing and energy of the networks without a chip, and how similar they are to the recording."""
    rows: list[dict[str, Any]] = []
    for name, scheme in schemes.items():
        key = fingerprint({**job.shared, "ideal": trained_key(scheme.reference)})
        found = None if job.keep is None else kept_rows(job.keep, key, _IDEAL_COLUMNS)
        if found is None:
            say(f"'{name}' without a chip")
            found = _ideal_of(job, name, scheme)
            if job.keep is not None:
                write_rows(job.keep, key, f"'{name}' without a chip", found)
        rows += [{"scheme": name, **row} for row in found]
    return rows


def _ideal_of(job: _Job, name: str, scheme: Scheme) -> list[dict[str, Any]]:
    own: dict[str, Any] = dict.fromkeys(_IDEAL_COLUMNS, math.nan) | {"metric": "", "no_energy": ""}
    if job.test is not None and job.loss is not None:
        from snncompare.backends.torch.module import TorchNetwork
        from snncompare.learning.evaluate import evaluate

        module = TorchNetwork(scheme.reference.network, seconds(job.dt, "dt"), scheme.reference.realisation)
        found = evaluate(module, job.test, job.loss, dt=job.dt)
        own |= {"accuracy": math.nan if found.accuracy is None else found.accuracy}
        own |= {"loss": found.loss, "rate": found.rate}
    ideal = job.ideal(name, scheme)
    if ideal is None or job.probe is None:
        return [own]
    own |= {"rate": ideal.rate, "no_energy": ideal.no_cost}
    own |= {"spike_distance": 0.0, "relative_distance": 0.0, "similarity_to_ideal": 1.0}
    if ideal.cost is not None:
        own |= {"energy": ideal.cost.energy(), "synaptic_operations": float(ideal.cost.synaptic_operations)}
    similar = recording_similarity(job.probe, [ideal.rdms])[0]
    return [
        {**own, "metric": metric.label, "time_scale": float(metric.time_scale), "similarity_to_recording": float(each)}
        for metric, each in zip(job.probe.metrics, similar, strict=True)
    ]
