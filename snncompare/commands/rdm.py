"""The verb ``rdm``: one recording, or one model that spikes, in; one file of RDMs out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snncompare.commands.compare import asked_of, data_of
from snncompare.commands.compare_data import at, files_of, read_population
from snncompare.commands.compare_models import Asked, model_files
from snncompare.commands.compare_network import prepare_network
from snncompare.commands.compare_parts import FromNetwork, RecordingConfig
from snncompare.commands.result_files import made_folder, writable
from snncompare.commands.study_config import StudyConfig, load_study, recording_named
from snncompare.errors import InputError, unknown

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording
    from snncompare.representation.blocks.execution import Execution

__all__ = ["run_rdm"]


@dataclass(frozen=True)
class _Job:
    """What to make RDMs of, checked."""

    config: RecordingConfig | FromNetwork
    place: str
    labels: dict[str, Any]
    asked: Asked
    resampled: bool
    inputs: list[Path]
    spikes: "Callable[[], Recording]"


def run_rdm(
    path: str | Path,
    out: str | Path,
    seed: int | None = None,
    *,
    recording: str | None = None,
    model: str | None = None,
    say: Callable[[str], None] = lambda _: None,
    execution: "Execution | None" = None,
) -> Path:
    """Write the RDMs of a recording or of a model at every metric, and return the path of the file.

    Everything is checked before any work starts. The only recording of an area also brings RDMs of resampled trials and
    split halves, from which a comparison takes what other animals would tell.

    Parameters
    ----------
    path : path
        YAML; see `snncompare.commands.study_config.StudyConfig`, or the configuration of ``snncompare compare``.
    out : path
        Ends in ``.npz``.
    seed : int, optional
        Instead of the configuration's.
    recording, model : str, optional
        Which; by default the only recording.
    say : callable
        Takes a line of progress.
    execution : Execution, optional
        Where distances between trials are computed, and kept; the RDMs do not depend on it.

    Raises
    ------
    SnncompareError
        If anything that was given is wrong.
    """
    from snncompare import provenance
    from snncompare.representation.storage.rdm_files import save_rdms

    target = writable(out, (".npz",), "RDMs")
    study = load_study(path)
    if seed is not None:
        study = study.model_copy(update={"seed": seed})
    if recording is not None and model is not None:
        raise InputError("give --recording or --model, not both: a file holds the RDMs of one.")
    folder = Path(path).parent
    job = _of_recording(study, recording, folder) if model is None else _of_model(study, model, folder)
    with at(job.place):
        spikes = data_of(job.spikes(), job.config, job.asked)
    say(f"distances of {spikes.words}, metrics: {len(job.asked.metrics)}")
    name, repeated = job.labels["name"], None
    if job.resampled:
        rdms, repeated = spikes.rdms_and_replicates(job.asked.metrics, study.resamples, study.seed, execution, name)
    else:
        rdms = spikes.rdms(job.asked.metrics, execution, name)
    for key, label in job.labels.items():
        rdms.rdm_descriptors[key] = [label] * rdms.n_rdm
    rdms.descriptors["of"] = "recording" if model is None else "model"
    part = study.rdm_part(name, model=model is not None)
    origin = provenance.collect(config=part, inputs=[Path(path), *job.inputs], seed=study.seed, verb="rdm")
    made_folder(target.parent)
    return save_rdms(rdms, target, repeated, origin)


def _of_recording(study: StudyConfig, given: str | None, folder: Path) -> _Job:
    name = recording_named(study, given)
    config = study.recordings[name]
    labels = {"name": name, "subject": config.subject, "session": study.session_of(name), "area": config.area}
    place = f"recordings.{name}"
    inputs = files_of(config, folder, place)
    alone = study.stands_alone(name)
    labels = {key: label for key, label in labels.items() if label is not None}
    return _Job(config, place, labels, _asked(study), alone, inputs, lambda: read_population(config, folder))


def _of_model(study: StudyConfig, name: str, folder: Path) -> _Job:
    if name not in study.models:
        raise InputError(unknown("model", name, study.models))
    config = study.spiking_models().get(name)
    place = f"models.{name}"
    if config is None:
        raise InputError(f"{place} is a hypothesis about conditions, without spikes; it needs no file, leave this out.")
    inputs, asked = model_files({name: config}, folder), _asked(study)
    if not isinstance(config, FromNetwork):
        source = config
        return _Job(config, place, {"name": name}, asked, False, inputs, lambda: read_population(source, folder))
    with at(place):
        run = prepare_network(config, folder, study.seed)
    labels = {"name": name, "seed": study.seed}
    return _Job(config, place, labels, asked, False, inputs, lambda: run.spikes(study.seed))


def _asked(study: StudyConfig) -> Asked:
    if not study.metrics:
        raise InputError("metrics: is empty; RDMs need at least one.")
    return asked_of(study)
