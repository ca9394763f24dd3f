"""The demo's report: the question, the answer in words, the numbers behind it, and what cannot be told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from snncompare import provenance
from snncompare.commands.demo.closest import closest_model, models_only
from snncompare.commands.demo.listen import BackendAgreement, Responses
from snncompare.commands.demo.names import CONTROL, RECEPTORS, TRAINED, UNTRAINED
from snncompare.commands.demo.settings import DemoSettings
from snncompare.commands.demo.train import Training
from snncompare.comparison.inference import LEVEL
from snncompare.comparison.result import Result
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.report.content import Report, ReportFigure, Section
from snncompare.report.result_tables import difference_table, similarity_table
from snncompare.report.write import write_report

__all__ = ["write_story"]

QUESTION = (
    "Does a spiking network that learnt to recognise sounds respond to a grasshopper's sounds like the grasshopper's "
    "own auditory receptor neuron, and at which temporal precision?"
)


def write_story(
    directory: Path,
    settings: DemoSettings,
    animal: SpikeDataset,
    training: Training,
    responses: Responses,
    result: Result,
    figures: Mapping[str, ReportFigure],
) -> Path:
    """Write ``report.html`` and return its path."""
    config = yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False)
    record = provenance.collect(
        config=settings.model_dump(mode="json"),
        seed=settings.seed,
        recording=animal.spikes.provenance,
        network=training.trained.network.fingerprint(),
        trained=training.trained.provenance,
    )
    report = Report(
        title="A trained spiking network and a grasshopper's ear",
        question=QUESTION,
        answer=(_closest(result), *_precisions(result), _control(result)),
        sections=(
            Section(
                title="The sounds, the animal and the models",
                text=_material(animal, settings),
                figures=(figures["rasters"],),
            ),
            Section(title="Training", text=(_training(training, settings),), figures=(figures["learning_curve"],)),
            Section(title="One description, two simulators", text=(_agreement(responses.agreement),)),
            Section(title="Representations", text=_representations(settings), figures=(figures["rdms"],)),
            Section(
                title="Which model is closer, and at which precision",
                text=(_closest(result), *_cautions(result)),
                figures=(figures["similarity"], figures["models"]),
                tables=(similarity_table(result), difference_table(result)),
            ),
        ),
        limits=(*result.statements, *_limits(settings)),
        config=config,
        provenance=record,
        files={"trained network and weights": "trained/network.yaml", "table of similarities": "result/table.csv"},
    )
    return write_report(report, directory / "report.html")


def _closest(result: Result) -> str:
    row = closest_model(result)
    related = row["verdict"] != "no match"
    return (
        f"The model closest to the animal is the {row['model']}, by the {row['metric']} distance at a time scale of "
        f"{1e3 * row['time_scale']:g} ms: {result.measure.label} {_value(row)}, "
        f"{'above chance' if related else 'not above chance'} after correction for all {len(result.table)} tests "
        f"(p = {row['p_corrected']:.2g})."
    )


def _cautions(result: Result) -> tuple[str, ...]:
    """Return what the general summary adds: how the precision was picked and who is not above chance."""
    wanted = ("This precision was picked", "Not above chance")
    return tuple(line for line in result.summary().split("\n") if line.startswith(wanted))


def _precisions(result: Result) -> tuple[str, ...]:
    """Return one sentence per metric: who is closest at the finest, a middle and the coarsest time scale."""
    sentences = []
    for metric, rows in models_only(result.table).groupby("metric", sort=False):
        scales = np.sort(rows["time_scale"].unique())
        chosen = (scales[0], scales[len(scales) // 2], scales[-1])
        parts = [_closest_at(rows[rows["time_scale"] == scale], scale) for scale in chosen]
        sentences.append(
            f"By the {metric} distance, " + "; ".join(parts) + ". " + _training_effect(result, str(metric))
        )
    return tuple(sentences)


def _closest_at(rows: pd.DataFrame, scale: float) -> str:
    row = rows.iloc[int(rows["similarity"].argmax())]
    beyond = "" if row["verdict"] != "no match" else ", not above chance"
    return f"at {1e3 * scale:g} ms the closest model is the {row['model']} ({_value(row)}{beyond})"


def _value(row: "pd.Series[Any]") -> str:
    return f"{row['similarity']:.2f} [{row['ci_low']:.2f}, {row['ci_high']:.2f}]"


def _training_effect(result: Result, metric: str) -> str:
    """Return whether training moved the network towards the animal, over all time scales of a metric."""
    pairs = result.differences
    names = pairs[["model_a", "model_b"]]
    pairs = pairs[(pairs["metric"] == metric) & names.isin([TRAINED, UNTRAINED]).all(axis=1)]
    gain = np.where(pairs["model_a"] == TRAINED, pairs["difference"], -pairs["difference"])
    sure = pairs["p_corrected"].to_numpy() <= LEVEL
    closer, further = int((sure & (gain > 0)).sum()), int((sure & (gain < 0)).sum())
    spread = f"{gain.min():+.2f} to {gain.max():+.2f}"
    if closer == further == 0:
        return (
            f"At none of {len(pairs)} time scales can the trained network be told from its untrained twin by how "
            f"similar they are to the animal (trained minus untrained: {spread})."
        )
    return (
        f"Training brought the network closer to the animal at {closer} and further away at {further} of {len(pairs)} "
        f"time scales (trained minus untrained: {spread})."
    )


def _control(result: Result) -> str:
    control = result.table[result.table["model"] == CONTROL].set_index(["metric", "time_scale"])["similarity"]
    best = models_only(result.table).groupby(["metric", "time_scale"])["similarity"].max()
    beaten = best.index[(control.reindex(best.index) > best).to_numpy()]
    if beaten.empty:
        return f"The control, time since sound onset, is nowhere above the closest model (at most {control.max():.2f})."
    scales = sorted({1e3 * scale for _, scale in beaten})
    return (
        f"A warning comes from the control: at {len(beaten)} of {len(best)} combinations of distance and time scale "
        f"({_range(scales)}) the mere time since sound onset is more similar to the animal than any model is (up to "
        f"{control.max():.2f}). There, what differs between windows is mostly a slow change of the neuron's firing "
        "during each sound, such as adaptation over seconds, which no model here has, and not the sound."
    )


def _range(scales: list[float]) -> str:
    return f"{scales[0]:g} ms" if len(scales) == 1 else f"between {scales[0]:g} and {scales[-1]:g} ms"


def _material(animal: SpikeDataset, settings: DemoSettings) -> tuple[str, ...]:
    counts = animal.spikes.counts().sum("unit").to_numpy()
    return (
        (
            "The recording is one auditory receptor neuron of a grasshopper (Locusta migratoria) that heard two "
            f"amplitude-modulated sounds of 10 s, each once, and fired {counts[0]} and {counts[1]} spikes. "
            f"{settings.receptors} model receptors, calibrated to this neuron's firing rate and interspike intervals, "
            "turn the envelopes of the same sounds into spikes; these are the only input of the networks."
        ),
    )


def _training(training: Training, settings: DemoSettings) -> str:
    return (
        f"{settings.hidden} recurrently connected adaptive neurons were trained to tell {settings.songs} artificial "
        f"songs apart, each a fixed modulation of {settings.song_duration}. Every presentation mixes it with fresh "
        "noise, and all have the modulation statistics of the animal's sounds. On held-out presentations the trained "
        f"network is right in {training.accuracy:.1%} of trials; a linear readout trained to convergence on the "
        f"untrained network in {training.untrained_readout_accuracy:.1%}; guessing in {training.chance:.1%}. The "
        "sounds that the animal heard were never used in training."
    )


def _agreement(agreement: BackendAgreement) -> str:
    return (
        "The trained network was run on the animal's sounds by PyTorch and by Brian2 from the same description in "
        f"float64: {agreement.torch} spikes in PyTorch, {agreement.brian2} in Brian2, {agreement.differing} "
        f"differences. Control: with one weight changed ({agreement.control}) {agreement.control_differing} spikes "
        "differ."
    )


def _representations(settings: DemoSettings) -> tuple[str, ...]:
    return (
        (
            f"The sounds are cut into consecutive windows of {settings.window}, each a condition heard once. For the "
            "animal and for every model, a matrix holds the dissimilarities of all pairs of windows; models are "
            "compared with the animal by the rank correlation of these matrices. Spike trains are compared by the van "
            f"Rossum and the Victor-Purpura distance at {len(settings.time_scales)} time scales from "
            f"{settings.time_scales[0]} to {settings.time_scales[-1]}; the neurons of a population are kept apart "
            f"(labelled lines). The {RECEPTORS} is what the networks hear. '{CONTROL}' is no model of hearing: the "
            "animal's firing rate falls slowly during each sound, which alone makes windows differ."
        ),
    )


def _limits(settings: DemoSettings) -> tuple[str, ...]:
    return (
        (
            "One neuron of one animal heard each sound once. How reliably this neuron responds, how far any model "
            "could possibly get, and whether other neurons or animals would give the same answer cannot be told from "
            "this recording."
        ),
        (
            f"The intervals generalise over windows of {settings.window} of these two sounds. Neighbouring windows are "
            "not fully independent (slow adaptation, see the control), which makes the intervals somewhat too narrow."
        ),
        (
            "The model receptors were calibrated to the firing rate and interspike intervals of this very neuron on "
            "these sounds, so their similarity is not an independent prediction."
        ),
    )
