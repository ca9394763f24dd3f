"""The verb ``compare``: a configuration in; tables, figures and a report out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from snncompare.commands.compare_config import CompareConfig, load_config
from snncompare.commands.compare_data import at, files_of, read_population
from snncompare.commands.compare_models import Asked, Prepared, model_files, prepare_models
from snncompare.commands.compare_spikes import Spikes, spikes_of
from snncompare.errors import FileError, InputError

if TYPE_CHECKING:
    from snncompare.commands.compare_parts import FromNetwork, RecordingConfig
    from snncompare.commands.study_config import StudyConfig
    from snncompare.recording.recording import Recording
    from snncompare.representation.blocks.execution import Execution

__all__ = ["asked_of", "data_of", "run_compare"]

FEWEST_CONDITIONS = 3


@dataclass(frozen=True)
class _Job:
    """A comparison of which everything was checked."""

    config: CompareConfig
    out: Path
    asked: Asked
    data: Spikes
    models: dict[str, Prepared]
    inputs: list[Path]


def run_compare(
    path: str | Path,
    out: str | Path | None = None,
    seed: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    execution: "Execution | None" = None,
) -> Path:
    """Compare as a configuration asks, and return the path of the report.

    Everything is checked before any work starts.

    Parameters
    ----------
    path : path
        YAML; see `snncompare.commands.compare_config.CompareConfig`.
    out : path, optional
        Folder for what is written; else the configuration's ``out``, else ``out/NAME`` in the working directory.
    seed : int, optional
        Instead of the configuration's.
    say : callable
        Takes a line of progress.
    execution : Execution, optional
        Where distances between trials are computed, and kept; the result does not depend on it.

    Raises
    ------
    SnncompareError
        If anything that was given is wrong.
    """
    job = _checked(Path(path), out, seed)
    config = job.config
    from snncompare.comparison.alignment import align
    from snncompare.comparison.compare import compare
    from snncompare.comparison.measures import measure_named

    spikes = job.data
    say(f"distances of {spikes.words}, metrics: {len(job.asked.metrics)}")
    data, repeated = spikes.rdms_and_replicates(job.asked.metrics, config.resamples, config.seed, execution)
    models = {}
    for name, model in job.models.items():
        say(f"model '{name}': {model.words}")
        with at(f"models.{name}"):
            models[name] = model.rdms(job.asked, config.seed, execution)
    say("comparison")
    measure = measure_named(config.similarity)
    result = compare(data, models, measure, config.seed, replicates=repeated, n_resamples=config.resamples)
    return _write(job, result, align(data, models), say)


def asked_of(config: "CompareConfig | StudyConfig") -> Asked:
    """Return the metrics at all their time scales, and the estimator if one is named.

    Raises
    ------
    InputError
        If a metric is given twice.
    """
    metrics = [metric for given in config.metrics for metric in given.made()]
    for k, metric in enumerate(metrics):
        if metric in metrics[:k]:
            raise InputError(f"metrics: {metric!r} is given twice; give each once.")
    return Asked(tuple(metrics), None if config.estimator is None else config.estimator.estimator())


def data_of(recording: "Recording", config: "RecordingConfig | FromNetwork", asked: Asked) -> Spikes:
    """Return the spikes to compare with.

    Raises
    ------
    InputError, UnsupportedError
        As `snncompare.commands.compare_spikes.spikes_of`, or if there are too few conditions to compare.
    """
    spikes = spikes_of(recording, config, asked.estimator, asked.metrics)
    if len(spikes.conditions) < FEWEST_CONDITIONS:
        raise InputError(
            f"condition: '{config.by}' names {len(spikes.conditions)} conditions, {list(spikes.conditions)}; "
            f"dissimilarities can be compared from {FEWEST_CONDITIONS} conditions on."
        )
    return spikes


def _checked(path: Path, out: str | Path | None, seed: int | None) -> _Job:
    config = load_config(path)
    if seed is not None:
        config = config.model_copy(update={"seed": seed})
    folder = path.parent
    inputs = [path, *files_of(config.recording, folder, "recording"), *model_files(config.models, folder)]
    asked = asked_of(config)
    with at("recording"):
        data = data_of(read_population(config.recording, folder), config.recording, asked)
    models = prepare_models(config.models, folder, data.conditions, asked, config.seed)
    target = _folder(path, config, out)
    return _Job(config, target, asked, data, models, [f for f in inputs if f.is_file()])


def _folder(path: Path, config: CompareConfig, out: str | Path | None) -> Path:
    named = Path("out") / path.stem if config.out is None else path.parent / config.out
    target = named if out is None else Path(out)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise FileError(f"cannot write to the folder '{target}': {problem.strerror or problem}.") from problem
    return target


def _write(job: _Job, result: Any, aligned: Any, say: Callable[[str], None]) -> Path:
    from snncompare import provenance
    from snncompare.commands.compare_figures import dissimilarity_table, draw
    from snncompare.commands.compare_report import Findings, compose_report
    from snncompare.report.write import write_report

    say("figures")
    plain = job.config.model_dump(mode="json")
    origin = provenance.collect(config=plain, inputs=job.inputs, seed=job.config.seed)
    result.save(job.out / "result")
    dissimilarity_table(aligned).to_csv(job.out / "dissimilarities.csv", index=False, lineterminator="\n")
    (job.out / "config.yaml").write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), encoding="utf-8")
    drawings = draw(job.data, aligned, result)
    figures = {name: drawing.saved(job.out) for name, drawing in drawings.items()}
    words = {name: model.words for name, model in job.models.items()}
    findings = Findings(job.config, job.data, words, result, origin)
    return write_report(compose_report(findings, figures), job.out / "report.html")
