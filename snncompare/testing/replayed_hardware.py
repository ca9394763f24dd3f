"""A test double of hardware at its border: what was asked and answered once, from a file, and nothing else.

Nothing inside this package is replaced. `RecordingHardware` stands between a study and an adapter, or any backend, and
keeps every request with its answer; `ReplayedHardware` gives the answers again where no hardware is, to the last bit,
and refuses what was never asked.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from snncompare.backends.hardware.adapter import Availability, HardwareAdapter
from snncompare.backends.realisation import Realisation
from snncompare.backends.registry import compile as compile_network
from snncompare.errors import FileError, InputError
from snncompare.network.network import Network
from snncompare.number_archive import read_arrays, write_arrays
from snncompare.provenance import fingerprint
from snncompare.recording.recording import Recording
from snncompare.testing.hardware_answers import Arrays, arrays_of, digest, recording_from
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from snncompare.backends.analog.profiles.profile import ChipProfile

__all__ = ["BackendAsHardware", "RecordingHardware", "ReplayedHardware"]

_FORMAT, _VERSION = "snncompare hardware replay", 1
_MAX_BYTES, _MAX_ARRAYS = 2_000_000_000, 200_000

Request = dict[str, str]


class BackendAsHardware(HardwareAdapter):
    """A backend in the place of a chip.

    Parameters
    ----------
    backend : str
    dt : time
    profile : ChipProfile or str
        What it is said to be able to hold.
    seed : int
        Of what is random in its runs.
    **options
        Of `snncompare.compile`.
    """

    name = "backend"

    def __init__(
        self, backend: str, *, dt: QuantityLike, profile: "ChipProfile | str" = "ideal", seed: int = 0, **options: Any
    ) -> None:
        self.backend, self.dt, self.profile, self.seed, self.options = backend, dt, profile, seed, options

    def available(self) -> Availability:
        """Return that it can be used."""
        return Availability(True, f"the backend '{self.backend}' stands in for a chip")

    def limits(self) -> "ChipProfile":
        """Return the profile that was given."""
        from snncompare.backends.analog.profiles.profile import ChipProfile

        return ChipProfile.load(self.profile) if isinstance(self.profile, str) else self.profile

    def run(
        self,
        network: Network,
        realisation: Realisation,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return what the backend fires, see `HardwareAdapter.run`."""
        program = compile_network(network, self.backend, dt=self.dt, weights=realisation, **self.options)
        return program.run(inputs, duration=duration, seed=self.seed, record=record)


class RecordingHardware(HardwareAdapter):
    """An adapter that keeps what another one is asked and answers.

    Parameters
    ----------
    adapter : HardwareAdapter
    """

    def __init__(self, adapter: HardwareAdapter) -> None:
        self.name, self.adapter = adapter.name, adapter
        self._kept: dict[str, tuple[Request, Recording]] = {}

    def available(self) -> Availability:
        """Return what the other adapter says."""
        return self.adapter.available()

    def limits(self) -> "ChipProfile":
        """Return what the other adapter says."""
        return self.adapter.limits()

    def run(
        self,
        network: Network,
        realisation: Realisation,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return the answer of the other adapter, and keep it.

        Raises
        ------
        InputError
            If the same request was answered differently before, as noisy hardware does.
        """
        answer = self.adapter.run(network, realisation, inputs, duration=duration, record=record)
        request = _request(network, realisation, inputs, duration, record)
        _, before = self._kept.setdefault(fingerprint(request), (request, answer))
        if not before.equals(answer):
            raise InputError(
                "the hardware answered the same request differently; a replay holds one answer to each; record them in "
                "two files."
            )
        return answer

    def save(self, path: str | Path) -> Path:
        """Write requests (as hashes) and answers to a ``.npz`` file for `ReplayedHardware`, and return its path.

        Raises
        ------
        InputError
            If nothing was asked yet, or the name ends otherwise.
        FileError
            If the file cannot be written.
        """
        target = Path(path)
        if target.suffix != ".npz" or not self._kept:
            said = "nothing was asked yet" if not self._kept else f"got '{target.name}'"
            raise InputError(f"a replay is a .npz file of at least one request; {said}.")
        header = {"format": _FORMAT, "version": _VERSION, "name": self.name, "limits": self.limits().plain()}
        arrays: Arrays = {}
        described = []
        for k, (request, answer) in enumerate(self._kept.values()):
            more, about = arrays_of(answer, f"answer_{k}")
            arrays |= more
            described.append({"request": request, "answer": about})
        encoded = json.dumps(header | {"requests": described}).encode()
        try:
            write_arrays(target, {"header": np.frombuffer(encoded, dtype=np.uint8), **arrays})
        except OSError as problem:
            raise FileError(f"cannot write '{target}': {problem.strerror or problem}.") from problem
        return target


class ReplayedHardware(HardwareAdapter):
    """The answers that a `RecordingHardware` kept, given again to the same requests only.

    Make it with `load`.
    """

    def __init__(self, name: str, profile: "ChipProfile", answers: Mapping[str, tuple[Request, Recording]]) -> None:
        self.name, self._profile, self._answers = name, profile, dict(answers)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `RecordingHardware.save` wrote; nothing in the file is executed.

        Raises
        ------
        FileError
            If the file is missing, damaged, or something else.
        """
        from snncompare.backends.analog.profiles.profile import ChipProfile

        source = Path(path)
        if not source.is_file():
            raise FileError(f"there is no file '{source}'; write one with RecordingHardware.save.")
        try:
            arrays = read_arrays(source, _MAX_BYTES, _MAX_ARRAYS)
            header = json.loads(arrays.pop("header").tobytes().decode())
            if (header["format"], header["version"]) != (_FORMAT, _VERSION):
                raise InputError(f"its format is {header['format']!r:.60}, version {header['version']!r:.20}")
            profile = ChipProfile.parse(header["limits"], "limits")
            answers = {}
            for k, each in enumerate(header["requests"]):
                request = {str(key): str(value) for key, value in each["request"].items()}
                answers[fingerprint(request)] = (request, recording_from(arrays, f"answer_{k}", each["answer"]))
            return cls(str(header["name"]), profile, answers)
        except Exception as problem:  # a damaged file makes zipfile, json, numpy and pandas raise anything
            reason = " ".join(str(problem).split())[:200].rstrip(".") or type(problem).__name__
            raise FileError(f"'{source.name}' is no replay of hardware, or it is damaged: {reason}.") from problem

    def available(self) -> Availability:
        """Return that it can be used, and that no chip is behind it."""
        return Availability(True, f"{len(self._answers)} recorded answers of '{self.name}'; no hardware is used")

    def limits(self) -> "ChipProfile":
        """Return the limits of the hardware that was recorded."""
        return self._profile

    def run(
        self,
        network: Network,
        realisation: Realisation,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return the recorded answer.

        Raises
        ------
        InputError
            If this was never asked; the message says in what it differs from the nearest request that was.
        """
        request = _request(network, realisation, inputs, duration, record)
        key = fingerprint(request)
        if key in self._answers:
            return self._answers[key][1]
        parts = [sorted(k for k in {*request, *known} if request.get(k) != known.get(k)) for known, _ in self._known()]
        nearest = min(parts, key=len, default=["everything"])
        raise InputError(
            f"the replay of '{self.name}' has no record of this request ({len(self._answers)} are recorded); from the "
            f"nearest it differs in: {', '.join(nearest)}. Record it on the hardware with RecordingHardware."
        )

    def _known(self) -> list[tuple[Request, Recording]]:
        return list(self._answers.values())


def _request(
    network: Network,
    realisation: Realisation,
    inputs: Mapping[str, Recording],
    duration: QuantityLike,
    record: Sequence[str] | None,
) -> Request:
    """Return what is asked, each part as a text or hash that differs where the part does."""
    parts = {f"weights of '{name}'": digest(part) for name, part in realisation.connections.items()}
    parts |= {f"values of '{name}'": digest(part) for name, part in realisation.values.items()}
    parts |= {f"input '{name}'": digest(recording) for name, recording in inputs.items()}
    asked = {
        "duration": repr(seconds(duration, "duration")),
        "record": json.dumps(None if record is None else [*record]),
    }
    return {"network": network.fingerprint(), **parts, **asked}
