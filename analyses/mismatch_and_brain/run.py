"""Does mismatch move a model away from the brain? A network on 50 emulated chips, and a neuron of gerbil midbrain."""

import argparse
import importlib.util
import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from rsatoolbox.rdm import RDMs

import snncompare as sc
from snncompare import provenance
from snncompare.backends.activity import output_recording
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.torch.module import TorchNetwork
from snncompare.commands.mismatch.points import Point, profile_at
from snncompare.comparison.measures import Spearman
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, FAINT_COLOUR, PALETTE, new_figure, panel_letters, settle, style
from snncompare.learning.batches import Batches
from snncompare.learning.losses import Classification, Over
from snncompare.learning.on_chip import OnChip
from snncompare.learning.on_chip.chips import Chips
from snncompare.learning.trained import Trained
from snncompare.units import seconds

HERE = Path(__file__).parent
METRICS = (sc.SpikeCount(), sc.VanRossum("200 ms"))
"""The two with which networks of `analyses/rule_against_brain` were above chance after correction."""
NAMES = {"spike count": "spike counts", "van Rossum": "spike times, 200 ms"}
SIGMAS, DEVICES, AT_ONCE = (0.05, 0.1, 0.2, 0.3, 0.5), 50, 5
NETWORKS = {"trained": ("BPTT", 0), "untrained": ("untrained", 0), "trained again": ("BPTT", 1)}
"""The first is drawn; the others say whether it is only this one."""
TWIN = "untrained twin"
IDEAL, AGAIN = "ideal", "ideal, sounds played again"
RESAMPLES = 100
LEARNT, SHOWN, ONCE_MORE = range(3), range(3, 4), range(4, 5)
"""Presentations of the sounds: to learn from, to all devices, and to the ideal network once more."""
LOSS = Classification("readout", scale="2 mV", over=Over.EACH_STEP)


def sibling() -> Any:
    """Return the script of `analyses/rule_against_brain`, whose sounds, ear, network and training are used."""
    source = HERE.parent / "rule_against_brain" / "run.py"
    spec = importlib.util.spec_from_file_location("rule_against_brain", source)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Study:
    """What the parts of the study share."""

    before: Any
    folder: Path
    out: Path
    quick: bool

    @property
    def pieces(self) -> int:
        """Pieces of 0.5 s of each sound."""
        return 3 if self.quick else 20

    @property
    def devices(self) -> int:
        """How many chips."""
        return 2 if self.quick else DEVICES

    @property
    def sigmas(self) -> tuple[float, ...]:
        """Sizes of the mismatch."""
        return (0.3,) if self.quick else SIGMAS

    def heard(self, presentations: range) -> sc.SpikeDataset:
        """Return what the auditory nerve sends."""
        found: sc.SpikeDataset = self.before.heard(self.folder, presentations, self.pieces)
        return found

    def network(self, name: str) -> Trained:
        """Return the network that learnt by back-propagation through time to name the sounds, or its untrained twin."""
        folder, (rule, seed) = self.out / name.replace(" ", "_"), NETWORKS[name]
        if not (folder / "network.yaml").is_file():
            learnt = self.heard(LEARNT)
            made = self.before.trained(rule, seed, learnt, None, self.quick, self.out)
            replace(made, history=made.history if len(made.history) else pd.DataFrame({"epoch": []})).save(folder)
        return Trained.load(folder)


def chip(sigma: float) -> ChipProfile:
    r"""Return a chip on which every weight, time constant and threshold has the mismatch sigma and nothing else.

    :math:`\theta' = \theta (1 + \sigma z)` as Buchel et al. (2021): its modulus for time constants.
    """
    words = {"time_constants.distribution": "folded_gaussian"}
    words |= {f"{name}.distribution": "gaussian" for name in ("threshold", "weights")}
    return profile_at(ChipProfile.load("plain").changed(**words), Point(sigma=sigma))


def apart(found: Trained, activity: Any, data: sc.SpikeDataset, dt: float) -> tuple[list[RDMs], list[float]]:
    """Return how the hidden neurons of each device tell the pieces apart, and the share of steps it names right."""
    rdms, right = [], []
    values, labels = LOSS.for_step(dt).reads.of(activity), torch.tensor(data.labels)
    pairs = zip(activity.spikes["hidden"].split(len(data), 1), values.split(len(data), 1), strict=True)
    for raster, evidence in pairs:
        fired = tuple(index.numpy() for index in raster.transpose(0, 1).nonzero(as_tuple=True))
        recording = output_recording(found.network, {"hidden": fired}, dt, len(raster), data.trials, {})
        hidden = recording.select(units=(recording.units["population"] == "hidden").to_numpy())
        rdms.append(sc.rdm(hidden, METRICS, by="piece"))
        right.append(float(LOSS.for_step(dt).accuracy(evidence, labels).mean()))
    return rdms, right


def ideal(found: Trained, data: sc.SpikeDataset, dt: str) -> tuple[RDMs, float]:
    """Return RDMs and accuracy of the network without a chip."""
    module, step = TorchNetwork(found.network, seconds(dt), found.realisation), seconds(dt)
    inputs, _ = Batches(data, "nerve", dt)(np.arange(len(data)))
    with torch.no_grad():
        activity = module(inputs, record=["hidden"], traces=LOSS.reads.traces)
    rdms, right = apart(found, activity, data, step)
    return rdms[0], right[0]


def on_devices(study: Study, name: str, found: Trained, shown: sc.SpikeDataset, sigma: float) -> tuple[RDMs, pd.Series]:
    """Return RDMs of all devices, told apart by their seed, and the accuracy of each; kept in files."""
    target = study.out / f"{name.replace(' ', '_')}_devices_{sigma:g}.npz"
    scores, begin = target.with_suffix(".csv"), time.perf_counter()
    if not (target.is_file() and scores.is_file()):
        step, seeds = seconds(study.before.DT), tuple(range(study.devices))
        module = TorchNetwork(found.network, step, found.realisation)
        chips = Chips(module, OnChip(chip(sigma), seeds))
        inputs, _ = Batches(shown, "nerve", study.before.DT)(np.arange(len(shown)))
        rdms: list[RDMs] = []
        right: list[float] = []
        for first in range(0, study.devices, AT_ONCE):
            run = chips.begin(seeds[first : first + AT_ONCE], len(shown), seed=0)
            with torch.no_grad():
                activity = chips.run(run, inputs, record=["hidden"], traces=LOSS.reads.traces)
            some = apart(found, activity, shown, step)
            rdms, right = rdms + some[0], right + some[1]
        sc.save_rdms(sc.join_seeds(dict(zip(seeds, rdms, strict=True))), target)
        pd.DataFrame({"device_seed": seeds, "accuracy": right}).to_csv(scores, index=False)
        print(f"{name}, mismatch {sigma:g}: {time.perf_counter() - begin:.0f} s", flush=True)
    return sc.load_rdms(target), pd.read_csv(scores)["accuracy"]


def recorded(study: Study) -> tuple[RDMs, Any]:
    """Return RDMs of the neuron, and of resampled and halved trials."""
    cut = study.before.pieces(study.folder)
    if study.quick:
        cut = cut.select(trials=(cut.trials["onset"] < (study.pieces - 0.5) * study.before.PIECE).to_numpy())
    between = sc.distances(cut, METRICS)
    halves = sc.replicates(between, cut.trials["piece"].to_list(), n_resamples=50, n_splits=50)
    return sc.rdm(cut, METRICS, "piece"), halves


def alike(rdms: RDMs, other: RDMs) -> pd.DataFrame:
    """Return the Spearman correlation of every RDM with the one of the same metric, conditions matched by label."""
    place = {label: k for k, label in enumerate(rdms.pattern_descriptors["condition"])}
    order = [place[label] for label in other.pattern_descriptors["condition"]]
    above, rows = np.triu_indices(len(order), 1), []
    for matrix, metric in zip(rdms.get_matrices(), rdms.rdm_descriptors["metric"], strict=True):
        fellow = other.get_matrices()[list(other.rdm_descriptors["metric"]).index(metric)]
        one, two = (each[above][None] for each in (matrix[np.ix_(order, order)], fellow))
        rows.append({"metric": metric, "similarity": float(Spearman().between(one, two)[0, 0])})
    return pd.DataFrame(rows)


def compared(result: sc.Result, name: str, metric: str) -> dict[str, float]:
    """Return similarity to the neuron minus that of the ideal, with its interval over pieces and chips."""
    rows = result.differences
    rows = rows[rows["metric"] == metric]
    for first, second, sign in ((name, IDEAL, 1.0), (IDEAL, name, -1.0)):
        row = rows[(rows["model_a"] == first) & (rows["model_b"] == second)]
        if len(row):
            ends = sorted(sign * float(row[end].iloc[0]) for end in ("ci_low", "ci_high"))
            numbers = {"value": sign * float(row["difference"].iloc[0]), "low": ends[0], "high": ends[1]}
            return numbers | {"p": float(row["p"].iloc[0]), "p_corrected": float(row["p_corrected"].iloc[0])}
    raise LookupError(name)


def told(result: sc.Result, table: pd.DataFrame, accuracy: pd.DataFrame, again: pd.DataFrame) -> dict[str, Any]:
    """Return what is told, by name."""
    found: dict[str, Any] = {}

    def tell(name: str, value: float, source: str) -> None:
        found[name] = {"value": float(value), "published": None, "source": source}

    for row in result.table.itertuples():
        words = f"{row.ci_low:.3f} to {row.ci_high:.3f}; corrected p {row.p_corrected:.3f}; {row.verdict}"
        tell(f"{row.metric}, {row.model}: similarity to the neuron", row.similarity, words)
        if row.model == IDEAL:
            tell(f"{row.metric}: noise ceiling, low end", row.ceiling_low, "halves of the trials")
            tell(f"{row.metric}: noise ceiling, high end", row.ceiling_high, "halves of the trials")
        elif row.model != AGAIN:
            less = compared(result, row.model, row.metric)
            words = f"{less['low']:.3f} to {less['high']:.3f}; p {less['p']:.3f}, corrected {less['p_corrected']:.3f}"
            tell(f"{row.metric}, {row.model}: similarity to the neuron, minus the ideal's", less["value"], words)
    for (to, metric, sigma), rows in table[(table["sigma"] > 0) | (table["to"] == TWIN)].groupby(
        ["to", "metric", "sigma"]
    ):
        low, median, high = rows["similarity"].quantile([0.25, 0.5, 0.75])
        words = f"median over {len(rows)} devices; quartiles {low:.3f} and {high:.3f}"
        tell(f"{metric}, mismatch {sigma:g}: similarity to the {to}, median", median, words)
        if to == "neuron":
            asked = table[(table["to"] == to) & (table["metric"] == metric) & (table["sigma"] == 0)]["similarity"]
            below = float((rows["similarity"] < asked.iloc[0]).mean())
            tell(f"{metric}, mismatch {sigma:g}: devices less similar to the neuron than the ideal", below, "share")
    for row in again.itertuples():
        tell(f"{row.metric}: ideal with the sounds played again, similarity to the ideal", row.similarity, "one pair")
    for sigma, rows in accuracy.groupby("sigma"):
        low, median, high = rows["accuracy"].quantile([0.25, 0.5, 0.75])
        tell(
            f"mismatch {sigma:g}: sounds named right", median, f"median; quartiles {low:.3f} and {high:.3f}; chance 0.1"
        )
    return found


def spread(ax: Any, rows: pd.DataFrame, value: str, colour: str, marker: str, label: str) -> None:
    """Draw median and quartiles over devices against the mismatch."""
    groups = rows.groupby("sigma")[value]
    low, median, high = (groups.quantile(q) for q in (0.25, 0.5, 0.75))
    ax.fill_between(median.index, low, high, color=colour, alpha=0.25, linewidth=0)
    ax.plot(median.index, median, marker + "-", color=colour, ms=3, linewidth=1, label=label)


def draw(result: sc.Result, table: pd.DataFrame, accuracy: pd.DataFrame, again: pd.DataFrame, out: Path) -> None:
    """Draw similarity to the ideal, to the neuron, its difference to the ideal's, and what the network can do."""
    metrics = list(table["metric"].unique())
    sigmas = [sigma for sigma in sorted(table["sigma"].unique()) if sigma > 0]
    with style():
        figure = new_figure(DOUBLE_COLUMN, 55.0)
        axes = figure.subplots(1, 4)
        for k, metric in enumerate(metrics):
            colour, marker, label = PALETTE[k], "os"[k], NAMES[metric]
            own = table[table["metric"] == metric]
            spread(axes[0], own[own["to"] == "ideal"], "similarity", colour, marker, label)
            twin = own[own["to"] == TWIN].groupby("sigma")["similarity"].median()
            axes[0].plot(twin.index, twin, marker + "--", color=colour, ms=3, mfc="white", linewidth=0.8)
            spread(axes[1], own[own["to"] == "neuron"], "similarity", colour, marker, label)
            same = float(again[again["metric"] == metric]["similarity"].iloc[0])
            axes[0].axhline(same, color=colour, linestyle=":", linewidth=0.8)
            ceiling = result.table[(result.table["metric"] == metric) & (result.table["model"] == IDEAL)].iloc[0]
            axes[1].axhline(ceiling["ceiling_low"], color=colour, linestyle="--", linewidth=0.8)
            for place, sigma in enumerate(sigmas):
                less, at = compared(result, f"mismatch {sigma:g}", metric), place + 0.2 * k - 0.1
                axes[2].plot([at, at], [less["low"], less["high"]], color=colour, linewidth=1)
                axes[2].plot(at, less["value"], marker, color=colour, ms=3)
        spread(axes[3], accuracy.assign(percent=100 * accuracy["accuracy"]), "percent", "0.3", "D", "")
        axes[3].axhline(10, color=FAINT_COLOUR, linestyle=":", linewidth=0.7)
        axes[2].axhline(0, color=FAINT_COLOUR, linestyle="--", linewidth=0.7)
        axes[2].set_xticks(range(len(sigmas)), [f"{sigma:g}" for sigma in sigmas])
        axes[0].set(title="To ideal and untrained twin", ylabel="RDM similarity", ylim=(0.5, 1.02))
        axes[1].set(title="To the neuron", ylabel="RDM similarity", ylim=(0, 0.25))
        axes[2].set(title="Chip minus ideal", ylabel="Similarity to the neuron", ylim=(-0.03, 0.06))
        axes[3].set(title="Task", ylabel="Sounds named right (%)", ylim=(0, 100))
        for ax in axes:
            ax.set_xlabel("Mismatch")
        axes[0].legend(loc="lower left")
        panel_letters(list(axes), dx=-26.0)
        save_figure(settle(figure), {"similarity": table, "accuracy": accuracy}, out, "mismatch")


def carried_out(study: Study, name: str) -> tuple[sc.Result, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return how similar one network and its devices are to the neuron and to the ideal, and what they name right."""
    dt, found, shown = study.before.DT, study.network(name), study.heard(SHOWN)
    asked, score = ideal(found, shown, dt)
    again, _ = ideal(found, study.heard(ONCE_MORE), dt)
    rdms, right = {0.0: asked}, {0.0: pd.Series([score])}
    for sigma in study.sigmas:
        rdms[sigma], right[sigma] = on_devices(study, name, found, shown, sigma)
    data, halves = recorded(study)
    models = {IDEAL: asked, AGAIN: again} | {f"mismatch {sigma:g}": rdms[sigma] for sigma in study.sigmas}
    result = sc.compare(data, models, replicates=halves, n_resamples=50 if study.quick else RESAMPLES)
    others = {"ideal": asked, "neuron": data}
    if NETWORKS[name] == ("BPTT", 0) and not study.quick:
        others[TWIN] = ideal(study.network("untrained"), shown, dt)[0]
    table = [alike(each, o).assign(sigma=sigma, to=to) for to, o in others.items() for sigma, each in rdms.items()]
    accuracy = pd.concat([pd.DataFrame({"sigma": s, "accuracy": each}) for s, each in right.items()])
    return result, pd.concat(table, ignore_index=True), accuracy, alike(again, asked)


def main() -> None:
    """Train the network, run it on chips, compare, and write the figure and ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/mismatch_and_brain"))
    parser.add_argument(
        "--quick", action="store_true", help="the first 1.5 s of every sound, two devices, one mismatch"
    )
    arguments = parser.parse_args()
    folder = Path(os.environ.get("SNNCOMPARE_SHARED", HERE.parents[2] / "shared")) / "data" / "gerbil_ic_fm_sounds"
    if not (folder / "gerbil_ic_spikes.npz").is_file():
        print(f"skipped: gerbil_ic_fm_sounds is not in {folder.parent}; it is not part of the repository")
        return
    begin = time.perf_counter()
    arguments.out.mkdir(parents=True, exist_ok=True)
    study = Study(sibling(), folder, arguments.out, arguments.quick)
    metrics: dict[str, Any] = {}
    words: dict[str, Any] = {}
    for name in list(NETWORKS)[:1] if study.quick else NETWORKS:
        result, table, accuracy, again = carried_out(study, name)
        if not words:
            result.save(arguments.out / "result")
            draw(result, table, accuracy, again, arguments.out)
            words = {"resampled": result.resampled, "statements": list(result.statements)}
        found = told(result, table, accuracy, again)
        for key, one in found.items():
            print(f"{name}: {key}: {one['value']:.3f} ({one['source']})", flush=True)
        metrics |= {f"{name}: {key}": one for key, one in found.items()}
        results = {"study": "mismatch_and_brain", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
        chips = {f"{sigma:g}": chip(sigma).fingerprint() for sigma in study.sigmas}
        results |= {"quick": arguments.quick, **words}
        results |= {"provenance": provenance.collect(seed=0, devices=study.devices, profiles=chips)}
        (arguments.out / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(arguments.out / "results.json")


if __name__ == "__main__":
    main()
