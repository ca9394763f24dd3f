"""The verb ``plan``: check a study, and say in JSON which steps it takes, for whatever starts them."""

import json
from pathlib import Path
from typing import Any

from snncompare import __version__
from snncompare.commands.compare import asked_of
from snncompare.commands.compare_data import files_of
from snncompare.commands.compare_models import model_files
from snncompare.commands.figure import FIGURES
from snncompare.commands.result_files import made_folder
from snncompare.commands.study_config import StudyConfig, load_study
from snncompare.errors import InputError
from snncompare.provenance import fingerprint

__all__ = ["run_plan"]


def run_plan(path: str | Path, out: str | Path | None = None) -> str:
    """Return the steps of a study as JSON; nothing that lies in its recordings is looked at.

    ``recordings`` and ``models`` (those that spike) name the files of RDMs to make with ``snncompare rdm``;
    ``comparisons`` those to make from them with ``snncompare compare --rdms``, one per area. Each has the ``files``
    that it reads besides the study, and ``depends_on``: a hash of its part of the study and of the version of this
    package, which changes if the step must be done anew.

    Parameters
    ----------
    path : path
        YAML; see `snncompare.commands.study_config.StudyConfig`.
    out : path, optional
        Folder to write the same as ``plan.json`` to.

    Raises
    ------
    SnncompareError
        If a key, type or value is wrong, something is missing, or a file does not exist.
    """
    study = load_study(path)
    for what, given in {"recordings": study.recordings, "metrics": study.metrics, "models": study.models}.items():
        if not given:
            raise InputError(f"'{path}' names no {what}; add at least one under '{what}:'.")
    asked_of(study)
    text = json.dumps(_steps(study, Path(path).parent), indent=2)
    if out is not None:
        (made_folder(Path(out)) / "plan.json").write_text(text + "\n", encoding="utf-8")
    return text


def _steps(study: StudyConfig, folder: Path) -> dict[str, Any]:
    recordings = {
        name: _step(study.rdm_part(name), files_of(config, folder, f"recordings.{name}"))
        for name, config in study.recordings.items()
    }
    spiking = study.spiking_models()
    models = {
        name: _step(study.rdm_part(name, model=True), model_files({name: model}, folder))
        for name, model in spiking.items()
    }
    hypotheses = {name: model for name, model in study.models.items() if name not in spiking}
    shared = study.model_dump(mode="json", include={"question", "models", "similarity", "resamples", "seed"})
    read = model_files(hypotheses, folder)
    comparisons = {
        area: {"recordings": study.of_area(area), "models": list(models), **_step(shared, read)} for area in study.areas
    }
    return {"recordings": recordings, "models": models, "comparisons": comparisons, "figures": list(FIGURES)}


def _step(part: dict[str, Any], files: list[Path]) -> dict[str, Any]:
    depends_on = fingerprint({"part": part, "snncompare": __version__})
    return {"files": [file.as_posix() for file in files], "depends_on": depends_on}
