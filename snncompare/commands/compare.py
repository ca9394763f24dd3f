"""The verb ``compare``: a configuration in; tables, figures and a report out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from snncompare.commands.compare_config import CompareConfig, load_config
from snncompare.commands.compare_data import at, files_of, read_population
from snncompare.commands.compare_models import Prepared, model_files, prepare_models
from snncompare.errors import FileError, InputError

if TYPE_CHECKING:
    from snncompare.commands.study_config import StudyConfig
    from snncompare.recording.recording import Recording
    from snncompare.representation.conditions import Conditions
    from snncompare.representation.estimators import Estimator
    from snncompare.representation.metrics import Metric

__all__ = ["conditions_of", "estimator_named", "metrics_of", "run_compare"]

FEWEST_CONDITIONS = 3


@dataclass(frozen=True)
class _Job:
    """A comparison of which everything was checked."""

    config: CompareConfig
    out: Path
    recording: "Recording"
    conditions: "Conditions"
    metrics: "list[Metric]"
    estimator: "Estimator"
    models: dict[str, Prepared]
    inputs: list[Path]


def run_compare(
    path: str | Path,
    out: str | Path | None = None,
    seed: int | None = None,
    say: Callable[[str], None] = lambda _: None,
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
    from snncompare.representation.distances import distances
    from snncompare.representation.rdm import rdm_from_distances
    from snncompare.representation.replicates import replicates

    recording = job.recording
    say(f"distances between {recording.n_trials} trials of {recording.n_units} units, metrics: {len(job.metrics)}")
    between = distances(recording, job.metrics)
    data = rdm_from_distances(between, job.conditions, job.estimator)
    repeated = replicates(between, job.conditions, job.estimator, n_resamples=config.resamples, seed=config.seed)
    models = {}
    for name, model in job.models.items():
        say(f"model '{name}': {model.words}")
        with at(f"models.{name}"):
            models[name] = model.rdms(job.metrics, estimator_named(config.estimator), config.seed)
    say("comparison")
    measure = measure_named(config.similarity)
    result = compare(data, models, measure, config.seed, replicates=repeated, n_resamples=config.resamples)
    return _write(job, result, align(data, models), say)


def metrics_of(config: "CompareConfig | StudyConfig") -> "list[Metric]":
    """Return the metrics at all their time scales."""
    metrics = [metric for given in config.metrics for metric in given.metrics()]
    for k, metric in enumerate(metrics):
        if metric in metrics[:k]:
            raise InputError(f"metrics: {metric!r} is given twice; give each once.")
    return metrics


def _checked(path: Path, out: str | Path | None, seed: int | None) -> _Job:
    config = load_config(path)
    if seed is not None:
        config = config.model_copy(update={"seed": seed})
    folder = path.parent
    inputs = [path, *files_of(config.recording, folder, "recording"), *model_files(config.models, folder)]
    metrics = metrics_of(config)
    with at("recording"):
        recording = read_population(config.recording, folder)
        conditions, estimator = conditions_of(recording, config.recording.condition, config.estimator)
    models = prepare_models(config.models, folder, conditions.labels, config.seed)
    target = _folder(path, config, out)
    return _Job(config, target, recording, conditions, metrics, estimator, models, [f for f in inputs if f.is_file()])


def conditions_of(recording: "Recording", condition: str, estimator: str | None) -> "tuple[Conditions, Estimator]":
    """Return the conditions of a recording and the estimator of their dissimilarities, by default the one that fits.

    Raises
    ------
    InputError
        If there are too few conditions to compare, or too few trials for the estimator.
    """
    from snncompare.representation.conditions import Conditions
    from snncompare.representation.estimators import default_estimator

    conditions = Conditions.of(recording, condition)
    if conditions.n_conditions < FEWEST_CONDITIONS:
        raise InputError(
            f"condition: '{condition}' names {conditions.n_conditions} conditions, {list(conditions.labels)}; "
            f"dissimilarities can be compared from {FEWEST_CONDITIONS} conditions on."
        )
    chosen = estimator_named(estimator) or default_estimator(conditions)
    conditions.require_trials(chosen.trials_needed, f"the estimator {type(chosen).__name__}")
    return conditions, chosen


def estimator_named(name: str | None) -> "Estimator | None":
    """Return the estimator that a configuration names, if it does."""
    from snncompare.representation.estimators import BetweenMinusWithin, MeanDistance

    known = {"BetweenMinusWithin": BetweenMinusWithin, "MeanDistance": MeanDistance}
    return None if name is None else known[name]()


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
    drawings = draw(job.recording, job.config.recording.condition, aligned, result)
    figures = {name: drawing.saved(job.out) for name, drawing in drawings.items()}
    words = {name: model.words for name, model in job.models.items()}
    findings = Findings(job.config, job.recording, words, result, type(job.estimator).__name__, origin)
    return write_report(compose_report(findings, figures), job.out / "report.html")
