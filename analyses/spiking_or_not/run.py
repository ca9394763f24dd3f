"""Spiking network against LSTM, GRU and plain RNN on three tasks: how right, how large, at what cost."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

import snncompare as sc
from snncompare import provenance
from snncompare.circuits.heterogeneous import heterogeneous_recurrent_network
from snncompare.datasets.late_answers import late_answers
from snncompare.datasets.merging import merged
from snncompare.datasets.source import SelectedSource, SpikeSource
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, PALETTE, new_figure, panel_letters, plain, settle, style
from snncompare.learning.cost import Cost, cost_on_dataset
from snncompare.learning.evaluate import evaluate
from snncompare.learning.losses import Classification, Loss, Over, RateLimit
from snncompare.learning.optimisers import Adam, Units
from snncompare.learning.rate_networks import (
    RateNetwork,
    TrainedRateNetwork,
    evaluate_rate_network,
    fit_rate_network,
    hidden_size,
)
from snncompare.learning.rule import surrogate_gradient

ANALYSES = Path(__file__).parents[1]
SPEAKERS = ("jackson", "nicolas", "theo", "yweweler")
KINDS = {"lstm": "LSTM", "gru": "GRU", "rnn": "plain RNN"}
LEARNING_RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
"""Of networks of rates: for each task and kind the best on a tenth of the training trials after ``search`` epochs."""
MEASURES = {
    "accuracy": "right",
    "parameters": "parameters",
    "synaptic operations per step": "synaptic operations per step",
    "energy per step (nJ)": "energy per step (nJ)",
    "energy per step, inputs as spikes (nJ)": "the same, input spikes used",
    "spikes per neuron and step": "spikes per neuron and step",
}

Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A task: what is learnt and tested, by the name of a part, and how networks of rates are trained on it.

    ``spiking`` returns one row per spiking network, with ``seed`` and ``part``.
    """

    name: str
    parts: tuple[str, ...]
    data: Callable[[str, bool], tuple[sc.SpikeDataset, sc.SpikeDataset]]
    outputs: int
    loss: Loss
    dt: str
    epochs: int
    search: int
    batch_size: int
    window: int | None
    spiking: Callable[[Path, int, bool], list[Row]]


def main() -> None:
    """Run what is not there yet, print the table and write ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/spiking_or_not"))
    parser.add_argument("--quick", action="store_true", help="one seed, one epoch, few trials")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--ecg", type=Path, help="where analyses/ecg/run.py wrote; run first, if not given")
    parser.add_argument("--heterogeneity", type=Path, help="the same for analyses/heterogeneity/run.py")
    parser.add_argument("--only", nargs="*", choices=[task.name for task in TASKS], help="not all of the tasks")
    arguments = parser.parse_args()
    begin, out, quick = time.perf_counter(), arguments.out, arguments.quick
    out.mkdir(parents=True, exist_ok=True)
    for name in ("ecg", "heterogeneity"):
        STUDIES[name] = getattr(arguments, name) or out / name
    tasks = [task for task in TASKS if not arguments.only or task.name in arguments.only]
    rows: list[Row] = []
    for task in tasks:
        spiking = task.spiking(out, 1 if quick else arguments.seeds, quick)
        rows += [{"task": task.name, "network": "spiking", **row} for row in spiking]
        size = round(float(np.mean([row["parameters"] for row in spiking])))
        for kind, network in KINDS.items():
            for row in spiking:
                rows.append({"task": task.name, "network": network, **rates(task, kind, row, size, out, quick)})
    table = pd.DataFrame(rows)
    summary = summarised(table)
    print(printed(summary))
    figure(table, tasks, out)
    results = {
        "study": "spiking_or_not",
        "metrics": metrics(summary) | gains(table),
        "seconds": round(time.perf_counter() - begin, 1),
    }
    results |= {
        "quick": quick,
        "networks": json.loads(table.to_json(orient="records")),
        "provenance": provenance.collect(),
    }
    (out / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (out / "table.md").write_text(printed(summary) + "\n", encoding="utf-8")
    print(out / "results.json")


STUDIES: dict[str, Path] = {}
"""Where the results of other studies lie."""


def study(name: str, quick: bool) -> dict[str, Any]:
    """Return the results of another study, which is run where they are not there."""
    folder = STUDIES[name]
    if not (folder / "results.json").exists():
        command = [sys.executable, str(ANALYSES / name / "run.py"), "--out", str(folder)]
        subprocess.run([*command, "--quick"] if quick else command, check=True)
    found: dict[str, Any] = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return found


def rates(task: Task, kind: Any, like: Row, parameters: int, out: Path, quick: bool) -> Row:
    """Return what a network of rates does that is as large and has learnt as long as a spiking network."""
    seed, part = like["seed"], like["part"]
    target = out / f"{task.name.replace(' ', '_')}_{kind}_{part}_{seed}.json"
    if target.exists():
        found: Row = json.loads(target.read_text(encoding="utf-8"))
        return found
    learnt, tested = task.data(part, quick)
    hidden = hidden_size(kind, inputs=len(learnt.units), outputs=task.outputs, parameters=parameters)
    rate = learning_rate(task, kind, hidden, out, quick)
    result = trained(
        task, kind, hidden, learnt, rate, 1 if quick else task.epochs, seed, target.with_suffix(".checkpoint")
    )
    right = float(np.nanmean(evaluate_rate_network(result.network, tested, task.loss, dt=task.dt)))
    dense, sparse = result.cost(), result.cost(inputs_are_spikes=True)
    row = {"seed": seed, "part": part, "accuracy": right, **costs(dense), "hidden": hidden, "learning rate": rate}
    row["energy per step, inputs as spikes (nJ)"] = 1e9 * sparse.energy() / sparse.n_steps
    target.write_text(json.dumps(row) + "\n", encoding="utf-8")
    print(f"{task.name}, {KINDS[kind]} of {hidden} units, {part}, seed {seed}: {right:.1%}", flush=True)
    return row


def trained(
    task: Task, kind: Any, hidden: int, data: sc.SpikeDataset, rate: float, epochs: int, seed: int, checkpoint: Path
) -> TrainedRateNetwork:
    """Return a network of rates after training."""
    return fit_rate_network(
        RateNetwork(kind, inputs=len(data.units), hidden=hidden, outputs=task.outputs, seed=seed),
        data,
        test=data.subset(np.arange(len(data)) < 20),
        loss=task.loss,
        dt=task.dt,
        epochs=epochs,
        batch_size=task.batch_size,
        optimiser=Adam(rate, units=Units.SI),
        window=task.window,
        seed=seed,
        checkpoint=checkpoint,
    )


def learning_rate(task: Task, kind: Any, hidden: int, out: Path, quick: bool) -> float:
    """Return the learning rate that does best on a tenth of the training trials of the first part."""
    target = out / f"{task.name.replace(' ', '_')}_{kind}_rates.json"
    if quick:
        return 1e-2
    found: dict[str, float] = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
    data, _ = task.data(task.parts[0], quick)
    tenth = np.arange(len(data)) % 10 == 7
    for rate in LEARNING_RATES:
        if str(rate) not in found:
            checkpoint = target.with_suffix(f".{rate:g}.checkpoint")
            result = trained(task, kind, hidden, data.subset(~tenth), rate, task.search, 0, checkpoint)
            right = evaluate_rate_network(result.network, data.subset(tenth), task.loss, dt=task.dt)
            found[str(rate)] = float(np.nanmean(right))
            target.write_text(json.dumps(found) + "\n", encoding="utf-8")
    print(f"{task.name}, {KINDS[kind]}: learning rates {found}", flush=True)
    return float(max(found, key=lambda rate: found[rate]))


def costs(cost: Cost) -> Row:
    """Return what a network costs, in numbers per step."""
    return {
        "parameters": cost.parameters,
        "synaptic operations per step": cost.synaptic_operations / cost.n_steps,
        "energy per step (nJ)": 1e9 * cost.energy() / cost.n_steps,
    }


def few(data: sc.SpikeDataset, quick: bool) -> sc.SpikeDataset:
    """Return the first trials only, if it is to be quick."""
    return data.subset(np.arange(len(data)) < 30) if quick else data


class KeptAnswers(SelectedSource):
    """Trials whose answers over time are made once, and not in every epoch."""

    def __init__(self, source: SpikeSource) -> None:
        super().__init__(source, np.arange(len(source.trials)))
        self._answers: dict[int, Any] = {}

    def target(self, position: int) -> Any:
        """Return what is asked."""
        if position not in self._answers:
            self._answers[position] = super().target(position)
        return self._answers[position]


def heartbeats(_: str, quick: bool) -> tuple[sc.SpikeDataset, sc.SpikeDataset]:
    """Return heartbeats as in `analyses/ecg`, without its delay: these networks answer in the same step."""
    whole = sc.datasets.load("ecg_qtdb")
    learnt = late_answers(few(whole.part("train"), quick), "0 ms", otherwise="P")
    kept = sc.SpikeDataset(spikes=KeptAnswers(learnt.source), label=learnt.label, name=learnt.name)
    return kept, few(whole.part("test"), quick)


def digits(unseen: str, quick: bool) -> tuple[sc.SpikeDataset, sc.SpikeDataset]:
    """Return digits of all speakers but one, and of that one, as in `analyses/heterogeneity`."""
    data = all_digits(quick)
    speaker = data.trials["speaker"].to_numpy()
    return data.subset(speaker != unseen), data.subset(speaker == unseen)


@cache
def all_digits(quick: bool) -> sc.SpikeDataset:
    """Return the digits of `analyses/heterogeneity`, merged once and for all epochs."""
    chosen = {"n_per_class": 8} if quick else {}
    whole = sc.datasets.load("spoken_digits_cochlea", encoder={"fibres_per_channel": [4, 0, 0]}, **chosen)
    data = merged(whole.subset((whole.trials["stop"] <= 0.8).to_numpy()), by="channel")
    return sc.SpikeDataset(spikes=data.spikes, label=data.label, name=data.name, classes=data.classes)


def letters(_: str, quick: bool) -> tuple[sc.SpikeDataset, sc.SpikeDataset]:
    """Return Braille letters as sensors of changes send them."""
    whole = sc.datasets.load("braille_events")
    return few(whole.part("train"), quick), few(whole.part("test"), quick)


def spiking_heartbeats(_: Path, __: int, quick: bool) -> list[Row]:
    """Return the rows of `analyses/ecg`."""
    metrics = study("ecg", quick)["metrics"]
    names = {"accuracy": "accuracy, labelled steps"}
    each = {name: metrics[names.get(name, name)]["seeds"] for name in MEASURES if "inputs" not in name}
    n = len(each["accuracy"])
    return [{"seed": k, "part": "all", **{name: values[k] for name, values in each.items()}} for k in range(n)]


def spiking_digits(_: Path, __: int, quick: bool) -> list[Row]:
    """Return the rows of `analyses/heterogeneity`, of the heterogeneous network that learns its time constants."""
    chosen = [one for one in study("heterogeneity", quick)["networks"] if one["condition"] == "heterogeneous, trained"]
    kept = ("seed", *(name for name in MEASURES if "inputs" not in name))
    return [{"part": one["unseen"], **{name: one[name] for name in kept}} for one in chosen]


def spiking_letters(out: Path, seeds: int, quick: bool) -> list[Row]:
    """Return what heterogeneous current-based networks do with Braille letters, trained here."""
    rows = []
    for seed in range(seeds):
        target = out / f"letters_spiking_{seed}.json"
        if not target.exists():
            learnt, test = letters("", quick)
            result = sc.fit(
                heterogeneous_recurrent_network(
                    inputs=24, hidden=100, classes=27, tau="100 ms", tau_syn="50 ms", gain=2.0, name="letters"
                ),
                surrogate_gradient(width="0.1", scale="1", learning_rate=0.03),
                learnt,
                test=None,
                loss=Classification("readout", scale="0.05"),
                penalties=[RateLimit("0.5 Hz", "20 Hz")],
                dt="20 ms",
                epochs=1 if quick else LETTER_EPOCHS,
                batch_size=64,
                seed=seed,
                checkpoint=target.with_suffix(".checkpoint"),
                progress=lambda _: None,
            )
            from snncompare.backends.torch.module import TorchNetwork

            module = TorchNetwork(result.network, 20e-3, result.realisation)
            right = evaluate(module, test, Classification("readout", scale="0.05"), dt="20 ms").accuracy
            cost = cost_on_dataset(result, test, dt="20 ms")
            row = {"seed": seed, "part": "all", "accuracy": right, **costs(cost)}
            row["spikes per neuron and step"] = cost.firing["hidden"]
            target.write_text(json.dumps(row) + "\n", encoding="utf-8")
            print(f"Braille letters, spiking, seed {seed}: {right:.1%}", flush=True)
        rows.append(json.loads(target.read_text(encoding="utf-8")))
    return rows


LETTER_EPOCHS = 30
_WHOLE = Classification("readout", scale="1")
_EACH = Classification("readout", scale="1", over=Over.EACH_STEP, answers=True)
TASKS = (
    Task("Braille letters", ("all",), letters, 27, _WHOLE, "20 ms", LETTER_EPOCHS, 15, 64, None, spiking_letters),
    Task("spoken digits", SPEAKERS, digits, 10, _WHOLE, "10 ms", 12, 6, 75, None, spiking_digits),
    Task("heartbeats", ("all",), heartbeats, 6, _EACH, "4 ms", 20, 5, 64, 100, spiking_heartbeats),
)


def summarised(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and half of the 95 % interval (Student's t) over networks, by task and network."""
    groups = table.groupby(["task", "network"], sort=False)[[name for name in MEASURES if name in table]]

    def half(values: pd.Series) -> float:
        n = int(values.count())
        return float(stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / n**0.5) if n > 1 else float("nan")

    return pd.concat({"mean": groups.mean(), "half": groups.agg(half), "n": groups.count()}, axis=1)


def printed(summary: pd.DataFrame) -> str:
    """Return the table as Markdown."""
    lines = ["| task | network | " + " | ".join(MEASURES.values()) + " |", "|---" * (2 + len(MEASURES)) + "|"]
    for key, row in summary.iterrows():
        cells = []
        for name in MEASURES:
            mean, half = row["mean"].get(name, np.nan), row["half"].get(name, np.nan)
            one, both = ("{:.1%}", "{:.1%} ± {:.1%}") if name == "accuracy" else ("{:.3g}", "{:.3g} ± {:.1g}")
            cells.append("" if np.isnan(mean) else both.format(mean, half) if half > 1e-6 * mean else one.format(mean))
        lines.append("| " + " | ".join([*map(str, key), *cells]) + " |")  # type: ignore[misc]
    return "\n".join(lines)


def metrics(summary: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return the summary as plain data."""
    found: dict[str, dict[str, object]] = {}
    for (task, network), row in summary.iterrows():  # type: ignore[misc]
        for name in MEASURES:
            mean, half = row["mean"].get(name, np.nan), row["half"].get(name, np.nan)
            if not np.isnan(mean):
                interval = None if np.isnan(half) else [mean - half, mean + half]
                entry = {"value": mean, "interval": interval, "networks": int(row["n"][name])}
                found[f"{task}, {network}: {name}"] = entry | {"published": None, "source": "ours, 95 % over networks"}
    return found


def gains(table: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return what spiking networks name more than others of the same seed and part, mean and 95 % interval."""
    found: dict[str, dict[str, object]] = {}
    for task, rows in table.groupby("task", sort=False):
        wide = rows.pivot_table(index=["part", "seed"], columns="network", values="accuracy")
        for network in KINDS.values():
            gain = wide["spiking"] - wide[network]
            half = stats.t.ppf(0.975, gain.size - 1) * gain.std(ddof=1) / gain.size**0.5 if gain.size > 1 else np.nan
            mean = float(gain.mean())
            entry = {"value": mean, "interval": None if np.isnan(half) else [mean - half, mean + half]}
            found[f"{task}: accuracy, spiking minus {network}"] = entry | {"published": None, "source": "ours, paired"}
    return found


def figure(table: pd.DataFrame, tasks: list[Task], out: Path) -> None:
    """Draw accuracy against energy per step, one panel per task, one point per network."""
    from matplotlib.ticker import FuncFormatter

    with style():
        drawn = new_figure(DOUBLE_COLUMN, 60.0)
        axes = drawn.subplots(1, len(tasks), squeeze=False)[0]
        for ax, task in zip(axes, tasks, strict=True):
            for k, network in enumerate(("spiking", *KINDS.values())):
                chosen = table[(table["task"] == task.name) & (table["network"] == network)]
                label = network[0].upper() + network[1:]
                energy, right = chosen["energy per step (nJ)"], 100 * chosen["accuracy"]
                ax.plot(energy, right, "osD^"[k], ms=3, color=PALETTE[k], alpha=0.8, mew=0, label=label)
            ax.set_xscale("log")
            ax.set_xlim(0.3, 300)
            ax.xaxis.set_major_formatter(FuncFormatter(plain))
            ax.tick_params(axis="x", which="minor", size=1.2, width=0.4, labelbottom=False)
            ax.set_xlabel("Energy per step (nJ)")
            ax.set_title(task.name[0].upper() + task.name[1:])
        axes[0].set_ylabel("Right (%)")
        axes[0].legend(loc="lower left")
        panel_letters(list(axes))
        save_figure(settle(drawn), table, out, "accuracy_and_energy")


if __name__ == "__main__":
    main()
