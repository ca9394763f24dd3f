"""The verb ``mismatch``: a configuration in; tables, figures and a report out, resumable point by point."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.commands.compare_data import at
from snncompare.commands.mismatch.config import MismatchConfig, load_mismatch
from snncompare.commands.mismatch.data import Parts, input_files, parts_of, probe_of
from snncompare.commands.mismatch.points import profile_at
from snncompare.commands.mismatch.probe import Probe, check_probe
from snncompare.commands.mismatch.schemes import SchemeTrainer
from snncompare.commands.mismatch.study import IDENTITY, MismatchResult, mismatch_study
from snncompare.commands.result_files import made_folder
from snncompare.errors import FileError

if TYPE_CHECKING:
    from snncompare.comparison.ceiling import Ceiling
    from snncompare.learning.trained import Trained

__all__ = ["run_mismatch", "summary_of"]

SUMMARISED = (
    "accuracy",
    "relative_distance",
    "spike_distance",
    "similarity_to_ideal",
    "similarity_to_recording",
    "energy",
    "rate",
)

_WRITTEN = ("table.csv", "ideal.csv", "results.json", "provenance.json", "config.yaml", "report.html")


@dataclass(frozen=True, eq=False)
class _Job:
    """A study of which everything was checked that can be before work starts."""

    config: MismatchConfig
    out: Path
    parts: Parts
    probe: Probe | None
    ceiling: "Ceiling | None"
    profiles: dict[str, ChipProfile]
    trainer: SchemeTrainer
    inputs: list[Path]


def run_mismatch(
    path: str | Path,
    out: str | Path | None = None,
    seed: int | None = None,
    *,
    quick: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Carry out a mismatch study as a configuration asks, and return the path of its report.

    Everything is checked before any work starts. Every finished point is kept in the folder: a study that was killed,
    or has got more points, schemes and sweeps, goes on with what is missing; another list of devices begins anew.

    Parameters
    ----------
    path : path
        YAML; see `snncompare.commands.mismatch.config.MismatchConfig`.
    out : path, optional
        Folder for what is written; else the configuration's ``out``, else ``out/NAME`` in the working directory.
    seed : int, optional
        Instead of the configuration's.
    quick : bool
        With three devices, points and epochs in a fraction of the time; for seeing whether all is as it should be.
    say : callable
        Takes a line of progress.

    Raises
    ------
    SnncompareError
        If anything that was given is wrong.
    """
    job = _checked(Path(path), out, seed, quick, say)
    config = job.config
    first = job.trainer.first()
    schemes = job.trainer.schemes(first)
    sweeps = {name: sweep.points() for name, sweep in config.sweeps.items()}
    result = mismatch_study(
        schemes,
        job.parts.test,
        config.loss.made(),
        sweeps=sweeps,
        device_seeds=config.devices,
        dt=config.dt,
        base=job.profiles,
        probe=job.probe,
        seed=config.seed,
        keep=job.out / "pieces",
        say=say,
    )
    try:
        return _write(job, result, quick, say)
    except OSError as problem:
        raise FileError(f"cannot write '{problem.filename or job.out}': {problem.strerror or problem}.") from problem


def summary_of(result: MismatchResult) -> list[dict[str, Any]]:
    """Return for every point, scheme and metric the median and the quartiles over devices, as plain JSON."""
    rows = []
    keys = [*IDENTITY, "metric", "time_scale"]
    for key, group in result.table.groupby(keys, sort=False, dropna=False):
        row: dict[str, Any] = {name: _plain(value) for name, value in zip(keys, key, strict=True)}
        row["devices"] = len(group)
        for name in SUMMARISED:
            measured = group[name].dropna()
            if len(measured):
                low, median, high = measured.quantile([0.25, 0.5, 0.75])
                row[name] = {"median": float(median), "low": float(low), "high": float(high)}
        rows.append(row)
    return rows


def _checked(path: Path, out: str | Path | None, seed: int | None, quick: bool, say: Callable[[str], None]) -> _Job:
    config = load_mismatch(path)
    if seed is not None:
        config = config.model_copy(update={"seed": seed})
    if quick:
        config = config.quickened()
    folder = path.parent
    inputs = [path, *input_files(config, folder)]
    base = _profile(config.profile, config, folder, "profile")
    profiles = {
        name: base if sweep.profile is None else _profile(sweep.profile, config, folder, f"sweeps.{name}.profile")
        for name, sweep in config.sweeps.items()
    }
    with at("dataset"):
        parts = parts_of(config.dataset, folder, config.seed)
    probe, ceiling = probe_of(config, folder, parts.test)
    named = Path("out") / path.stem if config.out is None else folder / config.out
    target = named if out is None else Path(out)
    trainer = SchemeTrainer(config, folder, parts, base, target / "networks", say)
    asked = _asked(config, trainer)
    _check_network(config, asked, parts, probe, profiles)
    starts = {name: profile_at(profiles[name], sweep.points()[0]) for name, sweep in config.sweeps.items()}
    for name, other in trainer.check(asked, starts).items():
        with at(f"schemes.{name}"):
            _check_network(config, other, parts, probe, profiles)
    return _Job(config, _made(target), parts, probe, ceiling, profiles, trainer, [f for f in inputs if f.is_file()])


def _profile(name: str, config: MismatchConfig, folder: Path, place: str) -> ChipProfile:
    with at(place):
        own = folder / name
        profile = ChipProfile.load(own if name.endswith((".yaml", ".yml")) else name)
    with at("changes"):
        return profile.changed(**config.changes) if config.changes else profile


def _check_network(
    config: MismatchConfig, asked: "Trained", parts: Parts, probe: Probe | None, profiles: dict[str, ChipProfile]
) -> None:
    """Refuse what does not fit together: network, probe, loss and data, and chips that cannot hold the network.

    One trial on one device of each sweep is a rehearsal of what a profile cannot do in a run.
    """
    from snncompare.backends.analog.limits.ranges import check_limits
    from snncompare.learning.fitting import check_fit
    from snncompare.learning.on_chip import evaluate_on_chip

    if probe is not None:
        with at("representation"):
            check_probe(asked, probe, dt=config.dt)
    data = {"dataset": parts.train or parts.test, "test": parts.test}
    loss, step = config.loss.made(), config.dt.value
    check_fit(asked.network, loss, (), data, step)
    one = parts.test.subset(np.arange(len(parts.test)) == 0)
    for name, sweep in config.sweeps.items():
        with at(f"sweeps.{name}"):
            points = [profile_at(profiles[name], point) for point in sweep.points()]
            for profile in points:
                check_limits(asked.network, asked.realisation, profile, step)
            evaluate_on_chip(asked, one, loss, profile=points[0], device_seeds=config.devices[:1], dt=config.dt)


def _asked(config: MismatchConfig, trainer: SchemeTrainer) -> "Trained":
    """Return the network with its numbers; of one that is not trained yet, those that it begins with."""
    if config.trained is not None:
        return trainer.first()
    from snncompare.backends.realisation import realise
    from snncompare.learning.trained import Trained

    network = trainer.network()
    return Trained(network, realise(network, config.seed, dt=config.dt.value), pd.DataFrame())


def _made(target: Path) -> Path:
    made_folder(target)
    for name in _WRITTEN:
        if (target / name).is_dir():
            raise FileError(f"cannot write '{target / name}': there is a folder of this name.")
    probe = target / ".writable"
    try:
        probe.touch()
        probe.unlink()
    except OSError as problem:
        raise FileError(f"cannot write to the folder '{target}': {problem.strerror or problem}.") from problem
    return target


def _write(job: _Job, result: MismatchResult, quick: bool, say: Callable[[str], None]) -> Path:
    from snncompare import provenance
    from snncompare.commands.mismatch.report import Findings, compose_report, drawings_of
    from snncompare.report.write import write_report

    say("figures")
    plain = job.config.model_dump(mode="json")
    chips = {name: profile.fingerprint() for name, profile in job.profiles.items()}
    more = {"quick": quick, "profiles": chips}
    origin = provenance.collect(config=plain, inputs=job.inputs, seed=job.config.seed, **more)
    for name, table in (("table", result.table), ("ideal", result.ideal)):
        table.to_csv(job.out / f"{name}.csv", index=False, lineterminator="\n")
    found = {"ideal": [_row(row) for row in result.ideal.to_dict("records")], "points": summary_of(result)}
    _json(job.out / "results.json", {"statements": list(result.statements), "ceiling": _ceiling(job), **found})
    _json(job.out / "provenance.json", origin)
    (job.out / "config.yaml").write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), encoding="utf-8")
    findings = Findings(job.config, result, job.parts.test, job.probe, job.ceiling, quick)
    pictures = [drawing.saved(job.out) for drawing in drawings_of(findings)]
    return write_report(compose_report(findings, pictures, origin), job.out / "report.html")


def _ceiling(job: _Job) -> dict[str, Any] | None:
    """Return the noise ceiling of the recording, one pair of bounds per metric."""
    if job.ceiling is None or job.probe is None:
        return None
    bounds = zip(job.probe.metrics, job.ceiling.low, job.ceiling.high, strict=True)
    rows = [
        {"metric": m.label, "time_scale": _plain(m.time_scale), "low": low, "high": high} for m, low, high in bounds
    ]
    return {"meaning": job.ceiling.meaning, "bounds": rows}


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    """Return a number or text as JSON has it; None where there is none."""
    return None if pd.isna(value) else value.item() if hasattr(value, "item") else value
