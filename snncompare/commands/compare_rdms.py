"""The verb ``compare`` on stored RDMs: recordings and models as files in, a result folder out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from snncompare.commands.compare_config import DATA
from snncompare.commands.compare_models import Asked, model_files, prepare_models
from snncompare.commands.result_files import DISSIMILARITIES, RESULT, made_folder
from snncompare.commands.study_config import StudyConfig, load_study
from snncompare.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from rsatoolbox.rdm import RDMs

    from snncompare.comparison.alignment import Aligned
    from snncompare.representation.repeats.replicates import Replicates
    from snncompare.representation.storage.rdm_files import StoredRdms

__all__ = ["run_compare_rdms"]


def run_compare_rdms(
    path: str | Path,
    recordings: Sequence[str | Path],
    models: Sequence[str | Path] = (),
    out: str | Path | None = None,
    seed: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Compare stored RDMs, and return the folder of the result.

    Subjects, sessions and areas stand in the files. The configuration says which hypotheses are compared, by which
    measure, with how many resamples. Writes ``result/``, ``dissimilarities.csv`` and ``config.yaml``.

    Parameters
    ----------
    path : path
        YAML; see `snncompare.commands.study_config.StudyConfig`, or the configuration of ``snncompare compare``.
    recordings, models : sequences of paths
        Files that ``snncompare rdm`` wrote.
    out : path, optional
        Folder; default ``out/NAME`` in the working directory.
    seed : int, optional
        Instead of the configuration's.
    say : callable
        Takes a line of progress.

    Raises
    ------
    SnncompareError
        If anything that was given is wrong.
    """
    from snncompare import provenance
    from snncompare.comparison.alignment import align
    from snncompare.comparison.compare import compare
    from snncompare.comparison.measures import measure_named

    study = load_study(path)
    if seed is not None:
        study = study.model_copy(update={"seed": seed})
    folder = Path(path).parent
    spiking = study.spiking_models()
    hypotheses = {name: model for name, model in study.models.items() if name not in spiking}
    inputs = [Path(path), *map(Path, recordings), *map(Path, models), *model_files(hypotheses, folder)]
    data, repeated = _data(recordings)
    given = _models(models, study, spiking)
    prepared = prepare_models(hypotheses, folder, data.pattern_descriptors["condition"], Asked(), study.seed)
    stated = {name: model.rdms(Asked(), study.seed) for name, model in prepared.items()}
    compared = _in_order(study, {**stated, **given})
    aligned = align(data, compared)
    target = made_folder(Path("out") / Path(path).stem if out is None else Path(out))
    say(f"comparison of {len(recordings)} recordings of {len(aligned.subjects)} subjects with {len(compared)} models")
    measure = measure_named(study.similarity)
    result = compare(data, compared, measure, study.seed, replicates=repeated, n_resamples=study.resamples)
    plain = study.model_dump(mode="json")
    origin = provenance.collect(config=plain, inputs=inputs, seed=study.seed, verb="compare")
    result = replace(result, provenance={**result.provenance, **origin})
    result.save(target / RESULT)
    _dissimilarities(aligned).to_csv(target / DISSIMILARITIES, index=False, lineterminator="\n")
    (target / "config.yaml").write_text(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return target


def _data(paths: Sequence[str | Path]) -> "tuple[RDMs, Replicates | None]":
    """Return the RDMs of the recordings as one set, and the replicates of a lone one."""
    from snncompare.representation.joined import joined_rdms

    if not paths:
        raise InputError("--rdms: give the RDMs of one recording or more, as 'snncompare rdm' writes them.")
    files = _read(paths, "recording")
    if len(files) > 1:
        for name, file in files.items():
            if "subject" not in file.rdms.rdm_descriptors:
                raise InputError(
                    f"'{name}' names no subject, and there are {len(files)} recordings; name the 'subject' of each in "
                    "the configuration and make its RDMs anew."
                )
    areas = {str(area) for file in files.values() for area in file.rdms.rdm_descriptors.get("area", [""])}
    if len(areas) > 1:
        raise InputError(f"the recordings are of several areas, {sorted(areas)}; compare one area at a time.")
    joined = joined_rdms({name: file.rdms for name, file in files.items()})
    for key in ("subject", "session"):
        values = joined.rdm_descriptors.get(key)
        if values is not None and all(value is None for value in values):
            del joined.rdm_descriptors[key]
    return joined, next(iter(files.values())).replicates if len(files) == 1 else None


def _read(paths: Sequence[str | Path], of: str) -> "dict[str, StoredRdms]":
    from snncompare.representation.storage.rdm_files import read_rdm_file

    files: dict[str, StoredRdms] = {}
    for path in paths:
        if str(path) in files:
            raise InputError(f"'{path}' is given twice; give every file once.")
        file = read_rdm_file(path)
        kind = file.rdms.descriptors.get("of", of)
        if kind != of:
            raise InputError(f"'{path}' holds the RDMs of a {kind}, where those of a {of} belong.")
        files[str(path)] = file
    return files


def _models(paths: Sequence[str | Path], study: StudyConfig, spiking: Mapping[str, Any]) -> "dict[str, RDMs]":
    """Return the stored RDMs of models by name; files of one name are instances of it, with different seeds."""
    from snncompare.representation.joined import joined_rdms

    parts: dict[str, dict[str, RDMs]] = {}
    for path, file in _read(paths, "model").items():
        names = set(file.rdms.rdm_descriptors.get("name", []))
        if len(names) != 1 or not isinstance(name := names.pop(), str):
            raise InputError(f"'{path}' does not name its model; rdm_descriptors['name'] must be one name.")
        if name == DATA or (name in study.models and name not in spiking):
            raise InputError(f"'{path}' is named '{name}', which is taken; give the model another name.")
        parts.setdefault(name, {})[path] = file.rdms
    missing = [name for name in spiking if name not in parts]
    if missing:
        raise InputError(
            f"models.{missing[0]}: its RDMs are made from spikes; make them with 'snncompare rdm CONFIG --model "
            f'"{missing[0]}" --out FILE\' and give them with --models.'
        )
    joined = {name: joined_rdms(files) for name, files in parts.items()}
    for name, files in parts.items():
        if len(files) == 1:
            joined[name].rdm_descriptors.pop("seed", None)
    return joined


def _in_order(study: StudyConfig, models: "dict[str, RDMs]") -> "dict[str, RDMs]":
    """Return the models in the order of the configuration, those that it does not name last."""
    if not models:
        raise InputError("there is no model to compare with; name some under 'models:' or give files with --models.")
    names = [*study.models, *(name for name in models if name not in study.models)]
    return {name: models[name] for name in names}


def _dissimilarities(aligned: "Aligned") -> "pd.DataFrame":
    """Return all dissimilarities; those of several animals are averaged after division by their root mean square."""
    from snncompare.commands.compare_figures import dissimilarity_table

    table = dissimilarity_table(aligned)
    if len(aligned.subjects) == 1:
        return table
    size = np.sqrt((aligned.data**2).mean(axis=2, keepdims=True))
    scaled = aligned.data / np.where(size > 0, size, 1.0)
    table[DATA] = scaled.mean(axis=1).ravel()
    for s, subject in enumerate(aligned.subjects):
        table[f"{DATA} of subject {subject}"] = aligned.data[:, s].ravel()
    return table
