"""Spoken digits of speakers never heard: linear readouts of the auditory nerve, and a spiking network trained on it."""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

import snncompare as sc
from snncompare import provenance
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.datasets.merging import merged
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.datasets.variation import Variation, varied
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    SMALL,
    colours_for,
    markers_for,
    new_figure,
    settle,
    style,
)
from snncompare.learning.dropout import Dropout
from snncompare.learning.evaluate import evaluate
from snncompare.learning.losses import Classification, RateLimit
from snncompare.learning.optimisers import Adam
from snncompare.learning.rule import LearningRule
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.network.wiring import AllToAll, Convolution
from snncompare.units import quantity, seconds

FULL, QUICK = (None, 4, 4, 4), (8, 1, 1, 1)
"""Recordings of a digit and speaker, varied copies of each, epochs, and fibres of low spontaneous rate at each place:
at 50 dB SPL the others are near saturation (Sachs & Young 1979)."""
SEED = 0
NETWORK = "spiking network"
DELAYS = (0, 64, 128, 192)
"""Milliseconds after which the recurrent population hears the places, through weights of their own."""
LONGEST, DT, BIN = 0.8, "8 ms", "40 ms"
PENALTIES = (30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)
TUNED_ON = ("nicolas", "jackson", "theo")
"""Speakers whose accuracy was looked at while network and training were chosen."""


RULE = LearningRule(surrogate=SuperSpike("2 mV", "10 mV"), optimiser=Adam(0.05, factors={"hear": 0.3}))


def digits(fibres: tuple[int, int, int], n_per_class: int | None, *, merge: bool) -> SpikeDataset:
    """Return the spoken digits of at most 0.8 s, if wished with the fibres of each hair cell as one unit."""
    options = {} if n_per_class is None else {"n_per_class": n_per_class}
    whole = sc.datasets.load("spoken_digits_cochlea", encoder={"fibres_per_channel": list(fibres)}, **options)
    short = whole.subset((whole.trials["stop"] <= LONGEST).to_numpy())
    return merged(short, by="channel") if merge else short


def halves(data: SpikeDataset, unseen: str, copies: int) -> tuple[SpikeDataset, SpikeDataset]:
    """Return what is learnt, the recordings of the known speakers with varied copies of each, and the unseen ones."""
    speaker = data.trials["speaker"].to_numpy()
    known, test = data.subset(speaker != unseen), data.subset(speaker == unseen)
    if not copies:
        return known, test
    many = varied(known, Variation(time_scale=(0.8, 1.25), unit_shift=2, drop=0.3), copies=copies, seed=SEED)
    return many.subset((many.trials["stop"] <= LONGEST).to_numpy()), test


def linear_correct(data: SpikeDataset, unseen: str, copies: int) -> dict[str, NDArray[np.bool_]]:
    """Return which of an unseen speaker's digits ridge classifiers of the other speakers name right.

    The penalty is chosen by leaving out each of the other speakers in turn.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    learnt, test = halves(data, unseen, copies)
    seen, heard = features(learnt), features(test)
    found = {}
    for code in seen:
        search = GridSearchCV(
            make_pipeline(StandardScaler(), RidgeClassifier()),
            {"ridgeclassifier__alpha": PENALTIES},
            cv=LeaveOneGroupOut(),
        )
        search.fit(seen[code], learnt.labels, groups=learnt.trials["speaker"].to_numpy())
        found[code] = search.predict(heard[code]) == test.labels
    return found


def features(data: SpikeDataset) -> dict[str, NDArray[np.float64]]:
    """Return square roots of spike counts: of the whole recording, and in bins of 40 ms."""
    everything = np.arange(len(data))
    binned = data.counts(everything, BIN, f"{LONGEST} s").astype(np.float64)
    return {"counts": np.sqrt(binned.sum(axis=1)), "trains": np.sqrt(binned).reshape(len(data), -1)}


def network(n_units: int) -> Network:
    """Return the network: one kernel over all places, recurrent neurons that hear them late, too, and readouts."""
    neuron = adaptive_leaky_integrate_and_fire(
        tau="20 ms", tau_adaptation="150 ms", adaptation="1 mV", v_threshold="10 mV"
    )
    window = Convolution(input_shape=[n_units], kernel=[15], channels_out=32, stride=5)
    return Network(
        name="spoken digits",
        populations={
            "nerve": Population(size=n_units, neuron=SpikeSource()),
            "places": Population(size=32 * window.output_shape[0], neuron=neuron),
            "recurrent": Population(size=128, neuron=neuron),
            "readout": Population(size=10, neuron=leaky_readout(tau="20 ms")),
        },
        projections={
            "hear": _projection("nerve", "places", "4 mV", window),
            **{f"feed_{late}": _projection("places", "recurrent", "14 mV", delay=f"{late} ms") for late in DELAYS},
            "recur": _projection("recurrent", "recurrent", "5 mV"),
            "read": _projection("recurrent", "readout", "20 mV"),
        },
    )


def _projection(
    source: str, target: str, sd: str, wiring: AllToAll | Convolution | None = None, delay: str = "0 ms"
) -> Projection:
    weight = Normal(mean=quantity("0 mV"), sd=quantity(sd), scale_by_sources=True)
    return Projection(
        source=source,
        target=target,
        synapse=exponential(tau="10 ms"),
        into="I",
        weight=weight,
        wiring=wiring or AllToAll(),
        delay=quantity(delay),
    )


def network_correct(unseen: str, quick: bool, out: Path) -> NDArray[np.bool_]:
    """Return which of an unseen speaker's digits the network, trained on the others, names right."""
    n_per_class, copies, epochs, fibres = QUICK if quick else FULL
    learnt, test = halves(digits((fibres, 0, 0), n_per_class, merge=True), unseen, copies)
    loss = Classification("readout", scale="2 mV")
    trained = sc.fit(
        network(len(test.units)),
        RULE,
        learnt,
        test=test,
        loss=loss,
        penalties=[RateLimit("2 Hz", "60 Hz")],
        dropout=Dropout(0.3),
        dt=DT,
        epochs=epochs,
        batch_size=75,
        seed=SEED,
        checkpoint=out / f"{unseen}.checkpoint",
        progress=lambda line: print(f"{unseen}: {line}", flush=True),
    )
    module = TorchNetwork(trained.network, seconds(DT, "dt"), trained.realisation)
    measured = evaluate(module, test, loss, dt=DT, duration=f"{LONGEST} s")
    return np.asarray(measured.correct, dtype=np.bool_)


def study(quick: bool, out: Path) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """Return which digits are named right, by readout and unseen speaker."""
    n_per_class, copies, _, fibres = QUICK if quick else FULL
    heard, whole = digits((fibres, 0, 0), n_per_class, merge=True), digits((1, 1, 3), n_per_class, merge=False)
    speakers = ["theo"] if quick else sorted(heard.trials["speaker"].unique())
    found: dict[str, dict[str, NDArray[np.bool_]]] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        named = pool.map(partial(network_correct, quick=quick, out=out), speakers)
        found[NETWORK] = dict(zip(speakers, named, strict=True))
    for which, data, varied_copies in (
        ("low fibres", heard, 0),
        ("low fibres, varied", heard, copies),
        ("all fibres", whole, 0),
    ):
        for speaker in speakers:
            for code, correct in linear_correct(data, speaker, varied_copies).items():
                name = f"linear readout of {code}, {which}"
                found.setdefault(name, {})[speaker] = correct
                print(name, speaker, round(float(correct.mean()), 3), flush=True)
    return found


def advantage(found: dict[str, dict[str, NDArray[np.bool_]]], over: str) -> dict[str, float]:
    """Return by how much the network is right more often than a readout, with two 95 % intervals.

    ``recordings``: of the mean over these speakers, normal, from the paired difference of each recording.
    ``speakers``: of the mean over all speakers like these, by Student's t and the difference of each speaker.
    """
    paired = [found[NETWORK][who].astype(float) - correct for who, correct in found[over].items()]
    each = np.array([pair.mean() for pair in paired])
    error = np.sqrt(sum(pair.var(ddof=1) / pair.size for pair in paired)) / each.size
    half = float(1.96 * error)
    result = {"mean": float(each.mean())}
    result |= {"recordings low": result["mean"] - half, "recordings high": result["mean"] + half}
    if each.size > 1:
        wide = float(stats.t.ppf(0.975, each.size - 1) * each.std(ddof=1) / np.sqrt(each.size))
        result |= {"speakers low": result["mean"] - wide, "speakers high": result["mean"] + wide}
    return result


def draw(found: dict[str, dict[str, NDArray[np.bool_]]], out: Path) -> None:
    """Write ``digits.png``: how often network and readouts are right, for each unseen speaker."""
    table = pd.DataFrame({name: {who: 100 * c.mean() for who, c in each.items()} for name, each in found.items()})
    colours, markers = colours_for(table.columns), markers_for(table.columns)
    with style():
        figure = new_figure(DOUBLE_COLUMN, 60.0)
        ax = figure.subplots()
        ax.axhline(10.0, color=FAINT_COLOUR, linewidth=0.5, linestyle="--")
        ax.annotate("chance", (-0.45, 11.0), color=FAINT_COLOUR, fontsize=SMALL)
        for k, name in enumerate(table.columns):
            x = np.arange(len(table)) + 0.1 * (k - len(table.columns) / 2 + 0.5)
            share = table[name].to_numpy() / 100
            error = 196 * np.sqrt(share * (1 - share) / [found[name][who].size for who in table.index])
            drawn = ax.errorbar(x, table[name], yerr=error, label=name, fmt=markers[name], elinewidth=0.5)
            drawn.lines[0].set_color(colours[name])
            drawn.lines[2][0].set_color(colours[name])
        ax.set(xticks=range(len(table)), xticklabels=table.index, ylim=(0, 100))
        ax.set(xlabel="Unseen speaker", ylabel="Digits named right (%)", xlim=(-0.5, len(table) - 0.5))
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
        save_figure(settle(figure), table.rename_axis("speaker"), out, "digits")


def main() -> None:
    """Run the study and write ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/spoken_digits"))
    parser.add_argument("--quick", action="store_true", help="few digits, one epoch, one unseen speaker")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = study(arguments.quick, arguments.out)
    draw(found, arguments.out)
    metrics: dict[str, dict[str, object]] = {}
    for name, correct in found.items():
        accuracies = {speaker: float(right.mean()) for speaker, right in correct.items()}
        for speaker, value in accuracies.items():
            metrics[f"{name}, {speaker}"] = {"value": value, "published": None, "source": "share right, chance 0.1"}
        mean = float(np.mean(list(accuracies.values())))
        metrics[f"{name}, mean"] = {"value": mean, "published": None, "source": "mean over unseen speakers"}
        print(f"{name:46s}" + "".join(f"{value:8.2f}" for value in [*accuracies.values(), mean]))
    for over in found:
        if over != NETWORK:
            for what, value in advantage(found, over).items():
                key = f"{NETWORK} minus {over}, {what}"
                metrics[key] = {
                    "value": value,
                    "published": None,
                    "source": "difference of shares right, 95 % interval",
                }
                print(f"{key:82s}{value:8.3f}")
    results = {"study": "spoken_digits", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {
        "quick": arguments.quick,
        "looked_at_while_tuning": TUNED_ON,
        "provenance": provenance.collect(seed=SEED),
    }
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
