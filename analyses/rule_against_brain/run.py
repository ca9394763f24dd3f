"""Which learning rule makes a network hear as a neuron of gerbil inferior colliculus does? Everything else is equal."""

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from rsatoolbox.rdm import RDMs
from scipy.io import wavfile

import snncompare as sc
from snncompare import provenance
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.commands.compare_data import read_trials
from snncompare.commands.compare_parts import RecordingConfig
from snncompare.datasets.merging import merged
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.encoding.stimuli import Sound
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, new_figure, panel_letters, settle, style
from snncompare.learning.losses import Classification, Loss, Over, RateLimit
from snncompare.learning.optimisers import Adam
from snncompare.learning.presets import bptt, decolle, eprop
from snncompare.learning.rule import LearningRule
from snncompare.learning.schedule import Execution
from snncompare.learning.signals import RandomFeedback
from snncompare.learning.unsupervised.objectives import InputPrediction
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.units import quantity

HERE = Path(__file__).parent
FOLDER = "gerbil_ic_fm_sounds"
PIECE, DT, HIDDEN = 0.5, "2 ms", 128
METRICS = (*sc.VanRossum.sweep(["5 ms", "10 ms", "20 ms", "50 ms", "100 ms", "200 ms"]), sc.SpikeCount())
SEEDS, LEARNT, SHOWN = (0, 1, 2), 3, 2
"""Networks of each rule; presentations of the sounds to learn from, and others for the comparison."""
EPOCHS = 20
DRAWN = {"20 ms": 0.02, "200 ms": 0.2, "spike count": None}
"""Precisions of the figure, seconds."""
EAR = sc.AuditoryNerve(
    n_channels=40, highest="16 kHz", sampling_rate="80 kHz", fibres_per_channel=(2, 1, 0), level_db=50.0
)
SURROGATE = SuperSpike("1 mV", "10 mV")
BACKWARD = Execution.BACKWARD

RULES: dict[str, LearningRule] = {
    "BPTT": bptt(SURROGATE),
    "e-prop": eprop(SURROGATE, execution=BACKWARD),
    "random e-prop": eprop(SURROGATE, feedback=RandomFeedback(seed=1), execution=BACKWARD),
    "DECOLLE": decolle(SURROGATE, steps=250, execution=BACKWARD),
    "prediction": bptt(SURROGATE),
}
"""The last learns without labels: it predicts its input. All are computed backwards: the same gradient, sooner."""


def pieces(folder: Path) -> sc.Recording:
    """Return the neuron's spikes in pieces of the sounds, each of which is a condition."""
    given = yaml.safe_load((HERE / "config.yaml").read_text())["recording"]
    return _named(read_trials(RecordingConfig.parse(given, "config.yaml"), folder).cut_windows(f"{PIECE} s"))


def heard(folder: Path, presentations: range, n_pieces: int) -> SpikeDataset:
    """Return what the auditory nerve sends while the sounds are played, in the same pieces."""
    files = sorted((folder / "wav").glob("*.wav"))
    sounds = []
    for file in files:
        rate, wave = wavfile.read(file)
        sounds.append(Sound(wave[: int(rate * n_pieces * PIECE)] / 32768.0, f"{rate} Hz"))
    n_sounds = len(sounds)
    trials = pd.DataFrame({"sound": [file.name for file in files] * len(presentations)})
    numbers = [n_sounds * k + i for k in presentations for i in range(n_sounds)]
    recording = EAR.encode(sounds * len(presentations), seed=0, trials=trials, presentations=numbers)
    cut = _named(recording.cut_windows(f"{PIECE} s"))
    return merged(SpikeDataset(spikes=cut, label="sound", name="gerbil sounds"), by="channel")


def _named(cut: sc.Recording) -> sc.Recording:
    number = (cut.trials["onset"] / PIECE).round().astype(int)
    return cut.with_trials(piece=(cut.trials["sound"] + " " + number.astype(str)).to_list())


def network(n_inputs: int, n_readouts: int) -> Network:
    """Return the network: the nerve, a recurrent population of adaptive neurons, a readout of some size."""
    fast = exponential(tau="5 ms")
    neuron = adaptive_leaky_integrate_and_fire(
        tau="10 ms", tau_adaptation="100 ms", adaptation="1 mV", v_threshold="10 mV"
    )

    def dense(source: str, target: str, sd: str) -> Projection:
        weight = Normal(mean=quantity("0 mV"), sd=quantity(sd), scale_by_sources=True)
        return Projection(source=source, target=target, synapse=fast, into="I", weight=weight)

    return Network(
        name="heard sounds",
        populations={
            "nerve": Population(size=n_inputs, neuron=SpikeSource()),
            "hidden": Population(size=HIDDEN, neuron=neuron),
            "readout": Population(size=n_readouts, neuron=leaky_readout(tau="50 ms")),
        },
        projections={
            "feed": dense("nerve", "hidden", "60 mV"),
            "recur": dense("hidden", "hidden", "20 mV"),
            "read": dense("hidden", "readout", "10 mV"),
        },
    )


def trained(name: str, seed: int, learnt: SpikeDataset, shown: SpikeDataset, quick: bool, folder: Path) -> sc.Trained:
    """Return the network after training by a rule; ``"untrained"`` is left as it is drawn."""
    unsupervised = name == "prediction"
    rule = RULES.get(name, RULES["BPTT"])
    loss: Loss = Classification("readout", scale="2 mV", over=Over.EACH_STEP)
    if unsupervised:
        loss = InputPrediction(readout="readout", scale="2 mV", horizon="20 ms")
    return sc.fit(
        network(len(learnt.units), len(learnt.units) if unsupervised else len(learnt.classes)),
        replace(rule, optimiser=Adam(0.05)),
        learnt,
        test=shown,
        loss=loss,
        dt=DT,
        epochs=0 if name == "untrained" else 1 if quick else EPOCHS,
        batch_size=60,
        penalties=[RateLimit("2 Hz", "60 Hz")],
        seed=seed,
        checkpoint=folder / f"{name}_{seed}.checkpoint".replace(" ", "_"),
    )


def represented(found: sc.Trained, shown: SpikeDataset) -> RDMs:
    """Return how the hidden population tells the pieces apart, at every time scale."""
    recording = found.respond(shown, dt=DT, record=["hidden"])
    return sc.rdm(recording, METRICS, by="piece")


def accuracy(found: sc.Trained) -> float | None:
    """Return the held-out accuracy at the end, None for a rule without labels."""
    history = found.history
    return float(history["test_accuracy"].iloc[-1]) if len(history) and "test_accuracy" in history else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/rule_against_brain"))
    parser.add_argument("--quick", action="store_true", help="the first 1.5 s of every sound, one network, one epoch")
    arguments = parser.parse_args()
    folder = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared")) / "data" / FOLDER
    if not (folder / "gerbil_ic_spikes.npz").is_file():
        print(f"skipped: {FOLDER} is not in {folder.parent}; it is not part of the repository")
        return
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    n_pieces, seeds = (3, SEEDS[:1]) if arguments.quick else (20, SEEDS)
    learnt = heard(folder, range(LEARNT), n_pieces)
    shown = heard(folder, range(LEARNT, LEARNT + SHOWN), n_pieces)
    models, score = {"nerve": sc.rdm(shown.spikes, METRICS, by="piece")}, {}
    for name in ("untrained", *RULES):
        networks = [trained(name, seed, learnt, shown, arguments.quick, arguments.out) for seed in seeds]
        models[name] = sc.join_seeds({seed: represented(one, shown) for seed, one in zip(seeds, networks, strict=True)})
        score[name] = [accuracy(one) for one in networks]
        print(name, score[name], f"{time.perf_counter() - begin:.0f} s", flush=True)
    cut = pieces(folder)
    if arguments.quick:
        cut = cut.select(trials=(cut.trials["onset"] < (n_pieces - 0.5) * PIECE).to_numpy())
    between = sc.distances(cut, METRICS)
    repeated = sc.replicates(between, cut.trials["piece"].to_list(), n_resamples=50, n_splits=50)
    data = sc.rdm(cut, METRICS, "piece")
    result = sc.compare(data, models, replicates=repeated, n_resamples=50 if arguments.quick else 1000)
    result.save(arguments.out / "result")
    draw(result, score, arguments.out)
    metrics = {}
    for row in result.table.itertuples():
        at = "spike count" if np.isnan(row.time_scale) else f"van Rossum {1e3 * row.time_scale:g} ms"
        interval = f"{row.ci_low:.3f} to {row.ci_high:.3f}, corrected p {row.p_corrected:.3f}"
        metrics[f"{row.model}, {at}"] = {"value": row.similarity, "published": None, "source": interval}
    for name, values in score.items():
        known = [value for value in values if value is not None]
        if known:
            metrics[f"{name}, accuracy"] = {"value": float(np.mean(known)), "published": None, "source": "chance 0.10"}
    results = {"study": "rule_against_brain", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": arguments.quick, "seeds": list(seeds), "answer": result.summary()}
    results |= {"provenance": provenance.collect(seed=0, rules={name: repr(rule) for name, rule in RULES.items()})}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n")
    print(target)


def draw(result: sc.Result, score: dict[str, list[float | None]], out: Path) -> None:
    """Draw what was learnt beside how alike network and neuron are, at three precisions."""
    with style():
        figure = new_figure(DOUBLE_COLUMN, 70.0)
        axes = figure.subplots(1, 1 + len(DRAWN), width_ratios=[1.3, *[1] * len(DRAWN)])
        names = [name for name, values in score.items() if values[0] is not None]
        for place, name in enumerate(names):
            axes[0].plot([place] * len(score[name]), score[name], "o", color="0.3", markersize=3)
        axes[0].axhline(0.1, color="0.7", linestyle=":")
        axes[0].set(xticks=range(len(names)), ylabel="Sounds named right", ylim=(0, 1), xlim=(-0.5, len(names) - 0.5))
        axes[0].set_xticklabels(names, rotation=60, ha="right")
        for ax, (title, scale) in zip(axes[1:], DRAWN.items(), strict=True):
            table = result.table
            rows = table[table["time_scale"].isna() if scale is None else np.isclose(table["time_scale"], scale)]
            ax.axhspan(rows["ceiling_low"].iloc[0], rows["ceiling_high"].iloc[0], color="0.9", linewidth=0)
            ax.axhline(0, color="0.7", linestyle="--")
            for place, row in enumerate(rows.itertuples()):
                ax.plot([place, place], [row.ci_low, row.ci_high], color="0.3", linewidth=1)
                filled = "0.3" if row.p_corrected < 0.05 else "white"
                ax.plot(place, row.similarity, "o", color="0.3", markerfacecolor=filled, markersize=3.5)
            ax.set(title=title, xticks=range(len(rows)), ylim=(-0.2, 0.55))
            ax.set_xticklabels(rows["model"], rotation=60, ha="right")
        axes[1].set_ylabel("RDM similarity to the neuron")
        for ax in axes[2:]:
            ax.tick_params(labelleft=False)
        panel_letters(list(axes[:2]), dx=-24.0)
        save_figure(settle(figure), result.table, out, "similarity")


if __name__ == "__main__":
    main()
