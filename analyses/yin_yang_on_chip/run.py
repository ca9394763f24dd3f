"""Accuracy on Yin-Yang on emulated BrainScaleS-2 chips, with the noise of a publication, without and with delays."""

import argparse
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

import snncompare as sc
from snncompare import provenance
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.figures.save import save_figure
from snncompare.figures.style import (
    DOUBLE_COLUMN,
    FAINT_COLOUR,
    PALETTE,
    SMALL,
    new_figure,
    panel_letters,
    settle,
    style,
)
from snncompare.learning.evaluate import evaluate
from snncompare.learning.faults import FaultLimits
from snncompare.learning.losses import Form, Reads
from snncompare.learning.losses.window import Windowed
from snncompare.learning.on_chip import OnChip, evaluate_on_chip
from snncompare.learning.optimisers import Adam
from snncompare.learning.rule import LearningRule
from snncompare.learning.trained import Trained
from snncompare.network.initialisers import Uniform
from snncompare.network.named_quantities import named_quantities
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapses import exponential
from snncompare.network.trainable import Trainable
from snncompare.units import quantity, seconds

PROFILE, DEVICES, LINES, HIDDEN = "bss2_delgrad", tuple(range(10)), 5, 30
TAU, COARSE, FINE = "6 ms", "0.3 ms", "0.12 ms"
CODE = {"earliest": "0.9 ms", "latest": "12 ms", "bias": "5.4 ms", "window": "24 ms"}
"""Of fastAndDeep: 0.15 to 2 time constants, the bias at 0.9."""

CONDITIONS = {"weights": "Weights", "delays": "Weights and delays", "no_bias": "Weights, no bias input"}
SCHEMES = {
    "ideal": "Without\nchip",
    "deployed": "Moved\nto chips",
    "aware": "Trained\nfor chips",
    "own device": "Trained on\nthe chip",
}
PUBLISHED = {
    ("weights", "ideal"): 0.970,
    ("weights", "simulation"): 0.888,
    ("weights", "chip"): 0.855,
    ("delays", "ideal"): 0.983,
    ("delays", "simulation"): 0.936,
    ("delays", "chip"): 0.900,
}
"""Mean of the last 20 of 300 epochs; delays: one for each synapse (ideal), one for each axon (simulation and chip)."""
SOURCE = "Göltz et al. 2025 (DelGrad), fastAndDeep experiment_pretrained/yin_yang_*/epoch_300/*val_accuracies.npy"
PUBLISHED |= {("no_bias", name): PUBLISHED["weights", name] for name in ("ideal", "simulation", "chip")}
BAND = (0.82, 0.923)
"""From the chip to the simulation of the publication, and 3.5 points to either side."""


@dataclass(frozen=True)
class FirstSpike(Windowed):
    r"""Cross-entropy of the class whose neuron fires first.

    .. math::
        L = -\log \frac{e^{-t_c/s}}{\sum_k e^{-t_k/s}}, \qquad t_k = dt \sum_n \prod_{m \le n} (1 - z_k(m))

    The time :math:`t_k` of the first spike is the length of the silence before it, so that its derivative follows from
    the surrogate derivative of each z; neurons that stay silent have the length of the trial.
    """

    population: str = "output"
    scale: str = "1.2 ms"
    form = Form.WHOLE_RUN

    @property
    def reads(self) -> Reads:
        """The spikes of the output."""
        return Reads(self.population, None)

    def evidence(self, values: Tensor) -> Tensor:
        """Return minus the time of the first spike, in units of the scale, shape (batch, class)."""
        silent = (1 - self.inside(values)).cumprod(dim=0)
        return -silent.sum(dim=0) * ((self.dt or 0.0) / seconds(self.scale))

    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the cross-entropy, mean over trials."""
        return cross_entropy(self.evidence(values), target)


LOSS = FirstSpike()


@cache
def data(part: str, bias: bool = True) -> SpikeDataset:
    """Return a part of Yin-Yang with each of its five inputs on several lines; without bias as in the publication."""
    plain = sc.datasets.load("yin_yang", encoder=CODE if bias else CODE | {"bias": None}).part(part)
    spikes = plain.recording(np.arange(len(plain)))
    trial, unit = spikes.spike_index()
    units, trials = spikes.units.index.to_numpy(), spikes.trials.index.to_numpy()
    lines = [[f"{name}, line {k}" for name in units] for k in range(LINES)]
    several = sc.Recording.from_arrays(
        times=np.tile(spikes.times, LINES),
        unit=np.concatenate([np.array(names)[unit] for names in lines]),
        trial=np.tile(trials[trial], LINES),
        units=pd.DataFrame(index=np.concatenate(lines)),
        trials=spikes.trials,
    )
    return SpikeDataset(spikes=several, label=plain.label, name=plain.name, classes=plain.classes)


def neuron() -> NeuronModel:
    """Return the neuron of the publication in its own units: a spike through weight w raises v to w/e at its peak."""
    return NeuronModel(
        equations="dv/dt = (-v + I)/tau_mem : 1 (unless refractory)",
        threshold="v > v_threshold",
        reset="v = 0",
        refractory=quantity("30 ms"),
        method="exponential_euler",
        parameters=named_quantities(v_threshold="2.6", tau_mem=TAU),
        inputs={"I": "1"},
    )


def network(condition: str) -> Network:
    """Return 30 hidden and 3 output neurons that fire once in a trial; weights lie within what the chip holds."""

    def synapses(source: str, target: str, low: str, high: str) -> Projection:
        learns = {"weight": Trainable(low=quantity("-2.1"), high=quantity("2.1"))}
        delays = {}
        if condition == "delays":
            learns["delay"] = Trainable(low=quantity("0 ms"), high=quantity("9 ms"))
            delays["delay"] = Uniform(low=quantity("0 ms"), high=quantity("2 ms"))
        weight = Uniform(low=quantity(low), high=quantity(high))
        made, ends = exponential(tau=TAU, unit="1"), {"source": source, "target": target, "into": "I"}
        return Projection(**ends, synapse=made, weight=weight, trainable=learns, **delays)

    return Network(
        name=f"Yin-Yang, {condition}",
        populations={
            "input": Population(size=(4 if condition == "no_bias" else 5) * LINES, neuron=SpikeSource()),
            "hidden": Population(size=HIDDEN, neuron=neuron()),
            "output": Population(size=3, neuron=neuron()),
        },
        projections={
            "feed": synapses("input", "hidden", "-0.44", "1.64"),
            "read": synapses("hidden", "output", "-0.29", "1.09"),
        },
    )


@dataclass(frozen=True)
class Stage:
    """A part of a training."""

    dt: str
    epochs: int
    learning_rate: float
    batch_size: int = 100


_FIRST = Stage(COARSE, 25, 0.04)
PLAN = {
    "weights": {"coarse": _FIRST, "ideal": Stage(FINE, 40, 0.03), "aware": Stage(FINE, 14, 0.03)},
    "delays": {"coarse": _FIRST, "ideal": Stage(FINE, 12, 0.03), "aware": Stage(FINE, 8, 0.03)},
    "no_bias": {"coarse": _FIRST, "ideal": Stage(FINE, 20, 0.03), "aware": Stage(FINE, 14, 0.03)},
}
OWN = Stage(FINE, 1, 0.01)
"""Delays take longer to compute, and have fewer epochs."""


@dataclass(frozen=True)
class Study:
    """How long networks learn, and where what is finished is kept."""

    out: Path
    plan: Mapping[str, Mapping[str, Stage]] = field(default_factory=lambda: PLAN)
    devices: tuple[int, ...] = DEVICES
    dt: str = FINE
    trials: int | None = None

    def part(self, name: str, condition: str) -> SpikeDataset:
        """Return a part of the data."""
        whole = data(name, bias=condition != "no_bias")
        return whole if self.trials is None else whole.subset(np.arange(len(whole)) < self.trials)

    def learnt(self, name: str, condition: str, start: Trained | None, on_chip: OnChip | None = None) -> Trained:
        """Return a trained network: loaded, or trained from where another one ended."""
        folder, stage = self.out / f"{condition}_{name}", self.plan[condition].get(name, OWN)
        if (folder / "network.yaml").exists():
            return Trained.load(folder)
        begin = time.perf_counter()
        result = sc.fit(
            network(condition),
            LearningRule(surrogate=SuperSpike("0.3", "1"), optimiser=Adam(stage.learning_rate)),
            self.part("train", condition),
            test=None,
            loss=LOSS,
            dt=stage.dt,
            epochs=stage.epochs,
            batch_size=stage.batch_size,
            weights=None if start is None else start.realisation,
            on_chip=on_chip,
            faults=FaultLimits(grace=10**6),  # one spike a trial is as often as these neurons can fire
            checkpoint=self.out / f"{folder.name}.checkpoint",
            progress=lambda said: print(f"{folder.name}, {said}", flush=True),
        )
        result.provenance["training_seconds"] = round(time.perf_counter() - begin, 1)
        result.save(folder)
        return result

    def without_chip(self, trained: Trained, condition: str, part: str) -> float:
        """Return the accuracy of a network as it is described."""
        module = TorchNetwork(trained.network, seconds(self.dt), trained.realisation)
        found = evaluate(module, self.part(part, condition), LOSS, dt=self.dt)
        assert found.accuracy is not None
        return found.accuracy

    def on_chips(
        self, trained: Trained, condition: str, profile: ChipProfile, devices: tuple[int, ...]
    ) -> pd.DataFrame:
        """Return the accuracy of a network on each of some devices, for the test part."""
        test = self.part("test", condition)
        return evaluate_on_chip(trained, test, LOSS, profile=profile, device_seeds=devices, dt=self.dt)


def profiles() -> dict[str, ChipProfile]:
    """Return the published noise, and parts of it."""
    whole = ChipProfile.load(PROFILE)
    exact = {"parameters.threshold.mean_fraction": 0.0, "parameters.threshold.sd_fraction": 0.0}
    steady, in_time = {"parameters.threshold.per_run": 0.0}, {"noise.jitter": 0.0}
    return {
        "rounded and clipped weights only": whole.changed(**exact, **steady, **in_time),
        "no threshold noise": whole.changed(**exact, **steady),
        "no jitter": whole.changed(**in_time),
    }


def networks(study: Study, condition: str) -> dict[str, list[Trained]]:
    """Return the networks of a condition: trained without a chip, on ever new chips, on one chip each."""
    whole = ChipProfile.load(PROFILE)
    first = study.learnt("coarse", condition, None)
    ideal = study.learnt("ideal", condition, first)
    aware = study.learnt("aware", condition, first, OnChip(whole, (2**20,), redraw="batch"))
    own = [study.learnt(f"own_{k}", condition, aware, OnChip(whole, (k,))) for k in study.devices]
    return {"ideal": [ideal], "aware": [aware], "own device": own}


def measured(study: Study, condition: str) -> pd.DataFrame:
    """Return one row for each network and device: ``condition part scheme noise device_seed accuracy``."""
    file = study.out / f"{condition}.csv"
    if file.exists():
        return pd.read_csv(file)
    trained, whole = networks(study, condition), ChipProfile.load(PROFILE)
    ideal, aware = trained["ideal"][0], trained["aware"][0]
    plain = [
        {"scheme": "ideal", "noise": "none", "part": part, "accuracy": study.without_chip(ideal, condition, part)}
        for part in ("validation", "test")
    ]
    noises, rows = {"published": whole, **profiles()}, [pd.DataFrame(plain)]
    runs = [("deployed", ideal, noise, one, study.devices) for noise, one in noises.items()]
    runs += [
        ("aware", aware, noise, one, study.devices)
        for noise, one in noises.items()
        if noise in ("published", "no jitter")
    ]
    runs += [("own device", one, "published", whole, (k,)) for k, one in enumerate(trained["own device"])]
    for scheme, one, noise, profile, devices in runs:
        found = study.on_chips(one, condition, profile, devices)[["device_seed", "accuracy"]]
        rows.append(found.assign(scheme=scheme, noise=noise, part="test"))
    table = pd.concat(rows, ignore_index=True).assign(condition=condition)
    table.to_csv(file, index=False)
    return table


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the figure: test points, without a chip and with the published noise."""
    return table[(table["part"] == "test") & table["noise"].isin(["none", "published"])]


def metrics_of(table: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return medians and quartiles over devices beside what was published."""
    found: dict[str, dict[str, object]] = {}
    for (condition, part, scheme, noise), rows in table.groupby(["condition", "part", "scheme", "noise"], sort=False):
        values = rows["accuracy"].to_numpy(dtype=float)
        entry: dict[str, object] = {"value": float(np.median(values)), "published": None, "source": SOURCE}
        if noise in ("none", "published"):
            entry["published"] = PUBLISHED[condition, "ideal" if noise == "none" else "simulation"]
        if noise != "none":
            entry |= {
                "quartiles": [float(value) for value in np.quantile(values, (0.25, 0.75))],
                "devices": len(values),
            }
            entry |= {"lowest": float(values.min()), "highest": float(values.max())}
            entry |= {"published on the chip": PUBLISHED[condition, "chip"]}
        found[f"{condition}, {scheme}, noise: {noise}, {part}"] = entry
    return found


def draw_devices(ax: Axes, place: int, accuracy: NDArray[np.float64], colour: str) -> None:
    """Draw every device, and the median and quartiles beside them."""
    spread = np.linspace(-0.2, 0.2, accuracy.size) if accuracy.size > 1 else np.zeros(1)
    ax.plot(place + spread, accuracy, "o", ms=2.5, color=colour, alpha=0.7, mew=0)
    if accuracy.size == 1:
        return
    low, median, high = np.quantile(accuracy, (0.25, 0.5, 0.75))
    ax.plot([place - 0.3, place + 0.3], [median, median], color="black", lw=1.2)
    ax.plot([place + 0.3] * 2, [low, high], color="black", lw=0.8)


def figure(table: pd.DataFrame, out: Path) -> None:
    """Draw the accuracy of every device, medians and quartiles, and what was published."""
    lines = {"ideal": (":", (-0.4, 0.4)), "simulation": ("--", (0.6, 3.4)), "chip": ("-", (0.6, 3.4))}
    told = {"ideal": "Published, no noise", "simulation": "Published, simulated", "chip": "Published, BrainScaleS-2"}
    with style():
        drawn = new_figure(DOUBLE_COLUMN, 62.0)
        axes = drawn.subplots(1, len(CONDITIONS), sharey=True)
        for ax, condition, colour in zip(axes, CONDITIONS, PALETTE, strict=False):
            rows = shown(table)
            rows = rows[rows["condition"] == condition]
            for place, scheme in enumerate(SCHEMES):
                accuracy = 100 * rows.loc[rows["scheme"] == scheme, "accuracy"].to_numpy(dtype=float)
                if accuracy.size:
                    draw_devices(ax, place, accuracy, colour)
            for name, (dashes, ends) in lines.items():
                value = 100 * PUBLISHED[condition, name]
                ax.plot(ends, [value, value], ls=dashes, lw=0.9, color=FAINT_COLOUR, label=told[name], zorder=0)
            used = [scheme for scheme in SCHEMES if (rows["scheme"] == scheme).any()]
            ax.set_xticks(range(len(used)), [SCHEMES[scheme] for scheme in used])
            ax.tick_params(axis="x", labelsize=SMALL)
            ax.set_title(CONDITIONS[condition])
        axes[0].set_ylabel("Test points told right (%)")
        axes[1].legend(loc="lower right", fontsize=SMALL)
        panel_letters(list(axes), dx=-12.0)
        save_figure(settle(drawn), shown(table), out, "accuracy")


def quick_study(out: Path) -> Study:
    """Return a study of the same path in seconds."""
    stage = Stage(COARSE, 1, 0.04, 50)
    names = ("coarse", "ideal", "aware", "own_0", "own_1")
    plan = {condition: dict.fromkeys(names, stage) for condition in CONDITIONS}
    return Study(out, plan, devices=(0, 1), dt=COARSE, trials=100)


def main() -> None:
    """Run the study and write ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/yin_yang_on_chip"))
    parser.add_argument("--quick", action="store_true", help="few trials, one epoch, two devices")
    parser.add_argument("--only", choices=CONDITIONS, help="one condition, to compute both side by side")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin = time.perf_counter()
    study = quick_study(arguments.out) if arguments.quick else Study(arguments.out)
    if arguments.only is not None:
        print(measured(study, arguments.only).to_string())
        return
    table = pd.concat([measured(study, one) for one in CONDITIONS], ignore_index=True)
    figure(table, arguments.out)
    metrics = metrics_of(table)
    for name, entry in metrics.items():
        print(f"{name:60s} {entry['value']:6.3f}  quartiles {entry.get('quartiles')}  published {entry['published']}")
    results = {"study": "yin_yang_on_chip", "metrics": metrics, "band": BAND, "quick": arguments.quick}
    results |= {"seconds": round(time.perf_counter() - begin, 1), "training seconds": spent(arguments.out)}
    results |= {"accuracies": table.to_dict("records"), "provenance": provenance.collect(seed=0)}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(target)


def spent(out: Path) -> float:
    """Return the seconds that all trainings took."""
    kept = (json.loads(path.read_text(encoding="utf-8")) for path in out.glob("*/provenance.json"))
    return round(sum(found.get("training_seconds", 0.0) for found in kept), 1)


if __name__ == "__main__":
    main()
