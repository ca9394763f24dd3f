"""The figures of the demo, saved with their data and made ready for the report."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snncompare.commands.demo.closest import closest_model
from snncompare.commands.demo.listen import Responses, sounds_of
from snncompare.commands.demo.names import ANIMAL, RECEPTORS, TRAINED, UNTRAINED
from snncompare.commands.demo.train import Training
from snncompare.comparison.result import Result
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.figures.learning_curve import learning_curve_data, learning_curve_figure
from snncompare.figures.model_bars import model_bars_data, model_bars_figure
from snncompare.figures.rasters import raster_data, raster_figure
from snncompare.figures.rdm_panels import rdm_data, rdm_figure
from snncompare.figures.save import save_figure
from snncompare.figures.similarity_curve import similarity_data, similarity_figure
from snncompare.figures.style import colours_for
from snncompare.report.content import ReportFigure

if TYPE_CHECKING:
    from snncompare.representation.rdm import RDM

__all__ = ["draw"]

RDM_METRIC, RDM_TIME_SCALE = "van Rossum", 0.01
SHOWN = ("0 s", "0.6 s")


@dataclass(frozen=True)
class _Drawn:
    """A figure with the tables it shows and the words that go with it."""

    figure: Figure
    tables: pd.DataFrame | Mapping[str, pd.DataFrame]
    caption: str
    alt: str


def draw(
    directory: Path,
    animal: SpikeDataset,
    training: Training,
    responses: Responses,
    data: "RDM",
    models: Mapping[str, "RDM"],
    result: Result,
) -> dict[str, ReportFigure]:
    """Save every figure as PNG, PDF, SVG and CSV and return them by name."""
    colours = colours_for(models)
    drawn = {
        "rasters": _rasters(animal, responses, colours),
        "learning_curve": _learning(training),
        "rdms": _rdms(data, models, colours),
        "similarity": _similarity(result, colours),
        "models": _models(result, colours),
    }
    shown = {}
    for name, one in drawn.items():
        paths = save_figure(one.figure, one.tables, directory, name)
        files = {path.name: f"{directory.name}/{path.name}" for path in paths}
        shown[name] = ReportFigure.from_figure(one.figure, caption=one.caption, alt=one.alt, files=files)
    return shown


def _similarity(result: Result, colours: Mapping[str, str]) -> _Drawn:
    caption = (
        "Similarity of every model to the animal against the time scale of the spike-train distance. Shading between "
        "thin lines: 95 % intervals over windows of sound; filled markers: above chance after correction for all "
        "tests. One neuron heard each sound once, so there is no noise ceiling."
    )
    alt = "Curves of similarity against time scale, one per model, for two spike-train metrics."
    return _Drawn(similarity_figure(result, colours=colours), similarity_data(result), caption, alt)


def _models(result: Result, colours: Mapping[str, str]) -> _Drawn:
    best = closest_model(result)
    where = (str(best["metric"]), f"{best['time_scale']} s")
    caption = (
        "The models at the metric and time scale where the closest of them comes closest (the control aside). Models "
        "that share a letter were not told apart."
    )
    alt = "Similarity of each model with its interval at the best time scale."
    return _Drawn(model_bars_figure(result, *where, colours=colours), model_bars_data(result, *where), caption, alt)


def _rasters(animal: SpikeDataset, responses: Responses, colours: Mapping[str, str]) -> _Drawn:
    recordings = {
        ANIMAL: animal.spikes,
        RECEPTORS: responses.receptors,
        TRAINED: responses.trained,
        UNTRAINED: responses.untrained,
    }
    level = {"Level (dB)": _level(animal)}
    where = {"sound": animal.classes[0]}
    figure = raster_figure(recordings, *SHOWN, where=where, stimulus=level, colours=colours)
    tables = raster_data(recordings, *SHOWN, where=where, stimulus=level)
    caption = (
        f"The first {SHOWN[1]} of {animal.classes[0]}: level of the sound's envelope (dB relative to its maximum), "
        "spikes of the animal's neuron, of the model receptors that feed the networks, of the trained network and of "
        "its untrained twin, on one time axis."
    )
    return _Drawn(figure, tables, caption, "Sound level and spike rasters of animal and models on one time axis.")


def _level(animal: SpikeDataset) -> xr.DataArray:
    envelope = sounds_of(animal).isel(trial=0)
    return envelope.copy(data=20 * np.log10(envelope.to_numpy()))


def _learning(training: Training) -> _Drawn:
    levels = {"chance": training.chance, "untrained network, trained readout": training.untrained_readout_accuracy}
    history = training.trained.history
    caption = (
        "Learning curve. Accuracy on presentations that were never trained on, beside chance and a linear readout "
        "trained to convergence on the untrained twin; training loss; firing rate of the hidden neurons."
    )
    figure = learning_curve_figure(history, levels, loss_unit="nats", held_out="held-out")
    alt = "Accuracy, loss and firing rate against training epoch."
    return _Drawn(figure, learning_curve_data(history, levels), caption, alt)


def _rdms(data: "RDM", models: Mapping[str, "RDM"], colours: Mapping[str, str]) -> _Drawn:
    matrices = {ANIMAL: _matrix(data)} | {name: _matrix(rdms) for name, rdms in models.items()}
    labels = [str(label) for label in data.pattern_descriptors["condition"]]
    sounds = [label.split(",")[0] for label in labels]
    onsets = [label.split(", ")[1] for label in labels]
    caption = (
        f"Representational dissimilarity of all pairs of windows, {RDM_METRIC} distance with a time constant of "
        f"{1e3 * RDM_TIME_SCALE:g} ms where the model has spikes, each matrix in ranks. Conditions are consecutive "
        "windows of the two sounds, labelled by their onset."
    )
    figure = rdm_figure(matrices, onsets, groups=sounds, dissimilarity="Dissimilarity", colours=colours)
    alt = "Dissimilarity matrices of animal and models."
    return _Drawn(figure, rdm_data(matrices, onsets, groups=sounds), caption, alt)


def _matrix(rdms: "RDM") -> NDArray[np.float64]:
    """Return the matrix at the time scale that is shown, or the only one there is."""
    if rdms.n_rdm == 1:
        return np.asarray(rdms.get_matrices()[0])
    metric = np.array([str(label) for label in rdms.rdm_descriptors["metric"]])
    scale = np.array(rdms.rdm_descriptors["time_scale"], dtype=float)
    chosen = (metric == RDM_METRIC) & np.isclose(scale, RDM_TIME_SCALE)
    return np.asarray(rdms.get_matrices()[int(np.argmax(chosen))])
