"""A chip as a value: every number of its imperfections and limits, each with evidence and source."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from snncompare.backends.analog.profiles.abilities import Delays, Equations, Quantiser, Resources
from snncompare.backends.analog.profiles.by_role import check_parameter, check_quantiser
from snncompare.backends.analog.profiles.changes import apply_changes, marked
from snncompare.backends.analog.profiles.evidence import Count, Stated, TimeLength, stated
from snncompare.backends.analog.profiles.measured import Measured, read_measured
from snncompare.backends.analog.profiles.sections import (
    TIMES,
    Neurons,
    Noise,
    Parameter,
    Readout,
    Saturation,
    Weights,
)
from snncompare.backends.analog.profiles.shipped import path_of
from snncompare.backends.analog.reading.roles import POTENTIALS, Role
from snncompare.description_file import read_plain, write_description
from snncompare.errors import DescriptionError, InputError, unknown
from snncompare.values import Value

__all__ = ["SCHEMA", "ChipProfile"]

SCHEMA = 1
"""The version of the layout of profile files."""

Kind = Literal["analog", "digital", "ideal"]
_GROUPS: dict[str, tuple[str, ...]] = {
    "time_constants": tuple(role for role in Role if role.endswith("_time_constant")),
    "times": TIMES,
    "potentials": ("threshold", "leak", "reset"),
}
_FORMAT_HELP = "a profile is short text; measured tables come in as CSV with with_measured(path)"


class ChipProfile(Value):
    """What a chip does to a network, each number with evidence and source; what is not stated is taken as perfect.

    Parameters
    ----------
    name, version, title : str
        The title says in one line what it is.
    kind : str
        ``"analog"``, ``"digital"`` or ``"ideal"``.
    speedup : Stated
        Biological time over hardware time; all times of a profile are hardware times.
    dt : Stated, optional
        The time step that the chip has, in hardware time.
    weights, parameters, noise, neurons, saturation, readout, resources, delays, equations, quantisers
        See `sections` and `abilities` in this folder; `parameters` is by role.
    measured : dict
        Population to parameter to what was measured, used instead of draws; see `with_measured`.

    Examples
    --------
    >>> chip = ChipProfile.load("bss2_calibrated").changed(**{"weights.bits": 4, "membrane_time_constant.cv": 0.2})
    >>> chip.weights.top
    15
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z]\w{0,60}$")]
    version: Annotated[str, Field(min_length=1, max_length=40)]
    title: Annotated[str, Field(max_length=200)] = ""
    kind: Kind
    speedup: Count = stated(1, "biological time: not accelerated", evidence="assumption")
    dt: TimeLength | None = None
    weights: Weights = Weights()
    parameters: dict[Role, Parameter] = Field(default_factory=dict)
    noise: Noise = Noise()
    neurons: Neurons = Neurons()
    saturation: Saturation = Saturation()
    readout: Readout = Readout()
    resources: Resources = Resources()
    delays: Delays = Delays()
    equations: Equations = Equations()
    quantisers: dict[Role, Quantiser] = Field(default_factory=dict)
    measured: dict[str, dict[str, Measured]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _schema_is_known(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "schema" not in given:
            return given
        if given["schema"] != SCHEMA or isinstance(given["schema"], bool):
            raise DescriptionError(f"schema {given['schema']!r:.20} is not known; this version reads schema: {SCHEMA}.")
        return {name: value for name, value in given.items() if name != "schema"}

    @field_validator("parameters", "quantisers", mode="before")
    @classmethod
    def _roles_exist(cls, given: Any) -> Any:
        for name in given if isinstance(given, dict) else ():
            if name not in list(Role):
                raise DescriptionError(unknown("role of a parameter", name, list(Role)))
        return given

    @model_validator(mode="after")
    def _roles_make_sense(self) -> Self:
        if self.speedup.value < 1:
            raise DescriptionError(f"speedup must be at least 1, got {self.speedup.value:g}.")
        for role, parameter in self.parameters.items():
            if role in POTENTIALS and parameter.cv.value:
                raise DescriptionError(
                    f"'{role}' is a potential: give sd_fraction (of threshold - leak) instead of cv."
                )
            if role not in POTENTIALS and parameter.sd_fraction.value:
                raise DescriptionError(f"'{role}' is no potential: give cv instead of sd_fraction.")
            check_parameter(role, parameter)
        leak, threshold = self.parameter(Role.LEAK).target, self.parameter(Role.THRESHOLD).target
        if leak is not None and threshold is not None and threshold.value <= leak.value:
            raise DescriptionError(
                f"the target of 'threshold' must lie above that of 'leak', got '{threshold}' and '{leak}'."
            )
        for role, there in self.quantisers.items():
            check_quantiser(role, there)
        if self.kind == "ideal" and (imperfect := self._imperfections()):
            raise DescriptionError(
                f"a profile of kind 'ideal' is perfect, but {', '.join(imperfect)} of '{self.name}' are not; "
                "start from 'plain', whose kind is 'analog'."
            )
        return self

    def _imperfections(self) -> list[str]:
        """Return the sections in which this is not the network as it was described."""
        weights, noise, neurons, read = self.weights, self.noise, self.neurons, self.readout
        sizes = ("cv", "sd_fraction", "mean_fraction", "per_run", "per_trial")
        there = {
            "weights": (weights.top, weights.cv.value, weights.gain_cv.value, weights.polarity_cv.value),
            "parameters": [getattr(one, size).value for one in self.parameters.values() for size in sizes],
            "noise": (noise.membrane.value, noise.jitter.value, noise.event_loss.value, noise.rate_cap),
            "neurons": (neurons.dead_fraction.value, neurons.failed_fraction.value),
            "saturation": (self.saturation.current,),
            "readout": (read.bits, read.noise_lsb.value, read.offset_lsb.value, read.period, read.spikes_only),
            "quantisers": self.quantisers,
            "measured": self.measured,
        }
        return [name for name, given in there.items() if any(given)]

    def plain(self) -> dict[str, Any]:
        """Return the profile as plain data, with the version of the layout."""
        return {"schema": SCHEMA, **super().plain()}

    def parameter(self, role: str) -> Parameter:
        """Return what the profile says about a role: perfect where it says nothing."""
        if role not in list(Role):
            raise InputError(unknown("role of a parameter", role, list(Role)))
        return self.parameters.get(Role(role), Parameter())

    def biological(self, hardware: Stated, dt: float | None = None) -> float:
        """Return a hardware time, or a number of time steps of `dt` seconds, in seconds of biological time."""
        if hardware.unit != "step":
            return hardware.si * self.speedup.value
        if dt is None:
            raise InputError(f"'{self.name}' counts this time in time steps; give dt.")
        return hardware.value * dt

    def bounds(
        self, role: str, *, leak: float | None = None, threshold: float | None = None, dt: float | None = None
    ) -> tuple[float | None, float | None]:
        r"""Return the lowest and highest value of a role that can be set, in SI units of the network.

        Times are scaled by `speedup`. Potentials lie on the chip's own axis, on which the network's leak and threshold
        are put on the targets of the calibration: :math:`v = E_L + (LSB - LSB_L)\,(\theta - E_L)/(LSB_\theta - LSB_L)`.

        Parameters
        ----------
        role : str
        leak, threshold : float, optional
            :math:`E_L` and :math:`\theta`, of potentials only.
        dt : float, optional
            Time step in seconds, of chips that count times in steps.

        Returns
        -------
        tuple of float or None
            None where there is no limit.
        """
        there = self.parameter(role)
        if role not in POTENTIALS:
            low, high = (
                None if limit is None else self.biological(limit, dt) if role in TIMES else limit.si
                for limit in (there.low, there.high)
            )
            return low, high
        at_leak, at_threshold = self.parameter("leak").target, self.parameter("threshold").target
        if leak is None or threshold is None or at_leak is None or at_threshold is None:
            return None, None
        per_step = (threshold - leak) / (at_threshold.value - at_leak.value)
        ends = [
            None if limit is None else leak + (limit.value - at_leak.value) * per_step
            for limit in (there.low, there.high)
        ]
        return (ends[0], ends[1]) if per_step > 0 else (ends[1], ends[0])

    def changed(self, **changes: Any) -> Self:
        """Return the profile with other numbers, which have the evidence ``user`` from then on.

        The order does not matter: the profile is checked when all changes were made.

        Parameters
        ----------
        **changes
            Path to number, text with a unit, `Stated`, or None for nothing: ``{"weights.bits": 4, "noise.jitter": "60
            ns", "membrane_time_constant.cv": 0.2}``. ``time_constants`` stands for those of membrane, synapses and
            adaptation, ``times`` for these, refractory and all other times, ``potentials`` for threshold, leak and
            reset.

        Raises
        ------
        InputError
            For a path that does not exist, naming the nearest; and for a number out of range.
        """
        return apply_changes(self, changes, _GROUPS)

    def with_measured(self, table: Any, source: str | None = None) -> Self:
        """Return the profile with what was measured on a chip instead of draws, see `measured.read_measured`.

        Its version is marked as that of a changed profile.

        Parameters
        ----------
        table : path or pandas.DataFrame
            Columns ``population, neuron, parameter`` and ``factor`` or ``offset``.
        source : str, optional
            Where it came from.
        """
        there = {population: dict(by) for population, by in self.measured.items()}
        for population, by in read_measured(table, source).items():
            there.setdefault(population, {}).update(by)
        return self.model_copy(update={"measured": there, "version": marked(self.version)})

    def save(self, path: str | Path) -> Path:
        """Write the profile, as JSON where the name ends on ``.json``, else as YAML, and return the path."""
        return write_description(path, self.plain())

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of profile files, for editors that complete and check YAML and JSON files."""
        schema = cls.model_json_schema()
        properties = {"schema": {"const": SCHEMA, "description": "The version of the layout."}, **schema["properties"]}
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "properties": properties}

    @classmethod
    def load(cls, name_or_path: str | Path) -> Self:
        """Return a profile by its name, or read from YAML or JSON; nothing in the file is executed.

        Parameters
        ----------
        name_or_path : str or Path
            A name of `chip_profiles`, or a path: what has a folder, or ends on ``.yaml``, ``.yml`` or ``.json``.

        Raises
        ------
        InputError
            If no profile has that name; the message names the nearest.
        FileError
            If the file is missing or neither YAML nor JSON.
        DescriptionError
            If a number has no evidence or source, a field is unknown, or a value is out of range.
        """
        path = path_of(name_or_path)
        return cls.parse(read_plain(path, "chip profile", _FORMAT_HELP), str(path))
