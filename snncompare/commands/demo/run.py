"""The demo from end to end: animal, training, listening, comparison, report."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from snncompare import datasets
from snncompare.commands.demo.figures import draw
from snncompare.commands.demo.listen import BackendAgreement, listen, sounds_of
from snncompare.commands.demo.names import CONTROL, COUNTS, ENVELOPE, RECEPTORS, TRAINED, UNTRAINED
from snncompare.commands.demo.references import by_spike_train, elapsed_time, smoothed_level, spike_counts, windows
from snncompare.commands.demo.settings import DemoSettings
from snncompare.commands.demo.story import write_story
from snncompare.commands.demo.train import Training, train
from snncompare.comparison.compare import compare
from snncompare.comparison.measures import Spearman

__all__ = ["run_demo"]


def run_demo(out: str | Path = "out/demo", seed: int = 0, settings: DemoSettings | None = None) -> Path:
    """Run the demo and return the path of its report.

    Parameters
    ----------
    out : path
        Directory for the report, the figures, the numbers, the trained network and the recordings.
    seed : int
        Of everything that is random.
    settings : DemoSettings, optional
        Something else than the standard demo, e.g. a smaller one.
    """
    directory = Path(out)
    chosen = (settings or DemoSettings()).model_copy(update={"seed": seed})
    directory.mkdir(parents=True, exist_ok=True)
    say = _progress()
    say("reading the grasshopper's receptor neuron and its two sounds")
    animal = datasets.load("grasshopper_receptor")
    say(f"training {chosen.hidden} spiking neurons to recognise {chosen.songs} other sounds")
    training = train(chosen, directory / "training.checkpoint")
    training.trained.save(directory / "trained")
    say("playing the animal's sounds to the networks, in PyTorch and in Brian2")
    responses = listen(chosen, animal, training)
    for name, recording in {
        "animal": animal.spikes,
        "trained": responses.trained,
        "receptors": responses.receptors,
    }.items():
        recording.save(directory / f"{name}.npz")
    say(f"measuring spike-train distances at {len(chosen.time_scales)} time scales")
    cut = windows(animal.spikes, chosen.window)
    heard = {
        TRAINED: windows(responses.trained, chosen.window),
        UNTRAINED: windows(responses.untrained, chosen.window),
        RECEPTORS: windows(responses.receptors, chosen.window),
    }
    data = by_spike_train(cut, chosen.time_scales, "animal")
    models = {name: by_spike_train(recording, chosen.time_scales, name) for name, recording in heard.items()}
    models[ENVELOPE] = smoothed_level(sounds_of(animal), cut, chosen.time_scales, ENVELOPE)
    models[COUNTS] = spike_counts(heard[TRAINED], COUNTS)
    models[CONTROL] = elapsed_time(cut, CONTROL)
    say("comparing the models with the animal")
    result = compare(data, models, by=Spearman(), seed=chosen.seed, n_resamples=chosen.resamples)
    result.save(directory / "result")
    _save_numbers(directory / "numbers.json", training, responses.agreement)
    say("drawing figures and writing the report")
    figures = draw(directory / "figures", animal, training, responses, data, models, result)
    report = write_story(directory, chosen, animal, training, responses, result, figures)
    say("done")
    return report


def _save_numbers(path: Path, training: Training, agreement: BackendAgreement) -> None:
    numbers = {
        "held_out_accuracy": training.accuracy,
        "untrained_readout_accuracy": training.untrained_readout_accuracy,
        "chance": training.chance,
        **asdict(agreement),
    }
    path.write_text(json.dumps(numbers, indent=2), encoding="utf-8")


def _progress() -> Callable[[str], None]:
    begin = time.perf_counter()

    def say(line: str) -> None:
        print(f"[{time.perf_counter() - begin:5.1f} s] {line}", file=sys.stderr, flush=True)  # noqa: T201 - progress

    return say
