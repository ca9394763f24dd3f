"""Spoken digits of speakers never heard: linear readouts of the auditory nerve, and a spiking network trained on it."""

import argparse
import json
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import snncompare as sc
from snncompare import provenance
from snncompare.datasets.merging import merged
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.datasets.variation import Variation, varied
from snncompare.learning.losses import MeanMembraneClassification, RateLimit
from snncompare.learning.rule import surrogate_gradient
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.network.wiring import AllToAll, Convolution
from snncompare.units import quantity

FULL, QUICK = (None, 9, 4, 4), (8, 1, 1, 1)
"""Recordings of a digit and speaker, varied copies of each, epochs, and fibres of low spontaneous rate at each place:
at 50 dB SPL the others are near saturation (Sachs & Young 1979)."""
SEED = 0
LONGEST, DT, BIN = 0.8, "8 ms", "40 ms"
PENALTIES = (30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)
TUNED_ON = ("nicolas", "jackson", "theo")
"""Speakers whose accuracy was looked at while network and training were chosen."""


def digits(fibres: tuple[int, int, int], n_per_class: int | None, *, merge: bool) -> SpikeDataset:
    """Return the spoken digits of at most 0.8 s, if wished with the fibres of each hair cell as one unit."""
    options = {} if n_per_class is None else {"n_per_class": n_per_class}
    whole = sc.datasets.load("spoken_digits_cochlea", encoder={"fibres_per_channel": list(fibres)}, **options)
    short = whole.subset((whole.trials["stop"] <= LONGEST).to_numpy())
    return merged(short, by="channel") if merge else short


def linear_accuracy(features: NDArray[np.float64], data: SpikeDataset, unseen: str) -> float:
    """Return the fraction of an unseen speaker's digits that a ridge classifier of the other speakers names right.

    The penalty is chosen by leaving out each of the other speakers in turn.
    """
    from sklearn.linear_model import RidgeClassifier
    from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    speaker = data.trials["speaker"].to_numpy()
    known = speaker != unseen
    search = GridSearchCV(
        make_pipeline(StandardScaler(), RidgeClassifier()), {"ridgeclassifier__alpha": PENALTIES}, cv=LeaveOneGroupOut()
    )
    search.fit(features[known], data.labels[known], groups=speaker[known])
    return float(search.score(features[~known], data.labels[~known]))


def features(data: SpikeDataset) -> dict[str, NDArray[np.float64]]:
    """Return square roots of spike counts: of the whole recording, and in bins of 40 ms."""
    everything = np.arange(len(data))
    binned = data.counts(everything, BIN, f"{LONGEST} s").astype(np.float64)
    return {"counts": np.sqrt(binned.sum(axis=1)), "trains": np.sqrt(binned).reshape(len(data), -1)}


def network(n_units: int) -> Network:
    """Return the network: places seen through one kernel of 15 places, a recurrent population, one readout a digit."""
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
            "hear": _projection("nerve", "places", "3 mV", window),
            "feed": _projection("places", "recurrent", "20 mV"),
            "recur": _projection("recurrent", "recurrent", "10 mV"),
            "read": _projection("recurrent", "readout", "20 mV"),
        },
    )


def _projection(source: str, target: str, sd: str, wiring: AllToAll | Convolution | None = None) -> Projection:
    weight = Normal(mean=quantity("0 mV"), sd=quantity(sd), scale_by_sources=True)
    return Projection(
        source=source,
        target=target,
        synapse=exponential(tau="10 ms"),
        into="I",
        weight=weight,
        wiring=wiring or AllToAll(),
    )


def network_accuracy(unseen: str, quick: bool) -> float:
    """Return the fraction of an unseen speaker's digits that the network, trained on the others, names right."""
    n_per_class, copies, epochs, fibres = QUICK if quick else FULL
    data = digits((fibres, 0, 0), n_per_class, merge=True)
    speaker = data.trials["speaker"].to_numpy()
    known, test = data.subset(speaker != unseen), data.subset(speaker == unseen)
    variation = Variation(time_scale=(0.8, 1.25), unit_shift=2, drop=0.3)
    many = varied(known, variation, copies=copies, seed=SEED)
    trained = sc.fit(
        network(len(data.units)),
        surrogate_gradient(width="2 mV", scale="10 mV", learning_rate=0.04),
        many.subset((many.trials["stop"] <= LONGEST).to_numpy()),
        test=test,
        loss=MeanMembraneClassification("readout", scale="2 mV"),
        rates=RateLimit("2 Hz", "60 Hz"),
        dt=DT,
        epochs=epochs,
        batch_size=75,
        seed=SEED,
        progress=lambda line: print(f"{unseen}: {line}", flush=True),
    )
    return float(trained.history["test_accuracy"].iloc[-1])


def study(quick: bool) -> dict[str, dict[str, float]]:
    """Return accuracies by readout and unseen speaker."""
    n_per_class, _, _, fibres = QUICK if quick else FULL
    heard = digits((fibres, 0, 0), n_per_class, merge=True)
    speakers = ["theo"] if quick else sorted(heard.trials["speaker"].unique())
    found: dict[str, dict[str, float]] = {}
    for which, data in (("low", heard), ("all", digits((1, 1, 3), n_per_class, merge=False))):
        for code, values in features(data).items():
            name = f"linear readout of {code}, {which} fibres"
            found[name] = {speaker: linear_accuracy(values, data, speaker) for speaker in speakers}
            print(name, found[name], flush=True)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        accuracies = pool.map(network_accuracy, speakers, [quick] * len(speakers))
        found["spiking network"] = dict(zip(speakers, accuracies, strict=True))
    return found


def main() -> None:
    """Run the study and write ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/spoken_digits"))
    parser.add_argument("--quick", action="store_true", help="few digits, one epoch, one unseen speaker")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    found = study(arguments.quick)
    metrics: dict[str, dict[str, object]] = {}
    for name, accuracies in found.items():
        for speaker, value in accuracies.items():
            metrics[f"{name}, {speaker}"] = {"value": value, "published": None, "source": "share right, chance 0.1"}
        mean = float(np.mean(list(accuracies.values())))
        metrics[f"{name}, mean"] = {"value": mean, "published": None, "source": "mean over unseen speakers"}
        print(f"{name:42s}" + "".join(f"{value:8.2f}" for value in [*accuracies.values(), mean]))
    arguments.out.mkdir(parents=True, exist_ok=True)
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
