"""Do neurons that differ in their time constants hear unseen speakers better? As asked by Perez-Nieves et al."""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import snncompare as sc
from snncompare import provenance
from snncompare.backends.torch.module import TorchNetwork
from snncompare.circuits.heterogeneous import Heterogeneity, heterogeneous_recurrent_network
from snncompare.datasets.merging import merged
from snncompare.figures.save import save_figure
from snncompare.figures.style import FAINT_COLOUR, PALETTE, SINGLE_COLUMN, new_figure, settle, style
from snncompare.learning.cost import cost_on_dataset
from snncompare.learning.evaluate import evaluate
from snncompare.learning.losses import Classification, RateLimit
from snncompare.learning.rule import surrogate_gradient
from snncompare.learning.trained import Trained
from snncompare.network.network import Network
from snncompare.units import seconds

SPEAKERS = ("jackson", "nicolas", "theo", "yweweler")
SEEDS, EPOCHS, HIDDEN, LONGEST, DT = 3, 12, 100, 0.8, "10 ms"
LOSS = Classification("readout", scale="0.1")
CONDITIONS: dict[str, tuple[Heterogeneity, bool]] = {
    "homogeneous, fixed": ("homogeneous", False),
    "homogeneous, trained": ("homogeneous", True),
    "heterogeneous, fixed": ("gamma", False),
    "heterogeneous, trained": ("gamma", True),
}
PUBLISHED = "Perez-Nieves et al. (2021): Heidelberg digits, heterogeneous and trained 82.7 %; another data set"


def digits(n_per_class: int | None) -> sc.SpikeDataset:
    """Return the digits of at most 0.8 s, through four fibres of low spontaneous rate at each of 70 places."""
    chosen = {} if n_per_class is None else {"n_per_class": n_per_class}
    whole = sc.datasets.load("spoken_digits_cochlea", encoder={"fibres_per_channel": [4, 0, 0]}, **chosen)
    return merged(whole.subset((whole.trials["stop"] <= LONGEST).to_numpy()), by="channel")


def parts(data: sc.SpikeDataset, unseen: str) -> tuple[sc.SpikeDataset, sc.SpikeDataset]:
    """Return what the other speakers say, and what the unseen one does."""
    speaker = data.trials["speaker"].to_numpy()
    return data.subset(speaker != unseen), data.subset(speaker == unseen)


def network(condition: str) -> Network:
    """Return the network of a condition; weights are the same in all, for a seed."""
    heterogeneity, learns = CONDITIONS[condition]
    return heterogeneous_recurrent_network(
        inputs=70,
        hidden=HIDDEN,
        classes=10,
        heterogeneity=heterogeneity,
        train_time_constants=learns,
        name=condition,
    )


def trained(data: sc.SpikeDataset, condition: str, unseen: str, seed: int, epochs: int, out: Path) -> Trained:
    """Return a network that was trained on all speakers but one: loaded, or trained."""
    name = f"{condition.replace(', ', '_')}_{unseen}_{seed}"
    if (out / name / "network.yaml").exists():
        return Trained.load(out / name)
    known, _ = parts(data, unseen)
    result = sc.fit(
        network(condition),
        surrogate_gradient(width="0.1", scale="1", learning_rate=0.02),
        known,
        test=None,
        loss=LOSS,
        penalties=[RateLimit("1 Hz", "30 Hz")],
        dt=DT,
        epochs=epochs,
        batch_size=75,
        seed=seed,
        checkpoint=out / f"{name}.checkpoint",
        progress=lambda _: None,
    )
    result.save(out / name)
    return result


def row(data: sc.SpikeDataset, condition: str, unseen: str, seed: int, epochs: int, out: Path) -> dict[str, object]:
    """Return what one network does with the unseen speaker, and what it costs."""
    result = trained(data, condition, unseen, seed, epochs, out)
    test = parts(data, unseen)[1]
    module = TorchNetwork(result.network, seconds(DT), result.realisation)
    measured, cost = evaluate(module, test, LOSS, dt=DT), cost_on_dataset(result, test, dt=DT)
    taus = result.realisation.values.get("hidden", {})
    found = {
        "condition": condition,
        "unseen": unseen,
        "seed": seed,
        "accuracy": measured.accuracy,
        "rate": measured.rate,
        "energy per step (nJ)": 1e9 * cost.energy() / cost.n_steps,
        "synaptic operations per step": cost.synaptic_operations / cost.n_steps,
        "spikes per neuron and step": cost.firing["hidden"],
        "parameters": cost.parameters,
        "spread of tau": float(np.std(taus["tau"]) / np.mean(taus["tau"])) if "tau" in taus else 0.0,
    }
    told = f"{condition}, {unseen}, seed {seed}: {found['accuracy']:.1%}, {found['rate']:.0f} Hz"
    print(told, flush=True)
    return found


def interval(values: np.ndarray) -> list[float] | None:
    """Return the 95 % interval of a mean (Student's t); None for one value."""
    if values.size < 2:
        return None
    half = stats.t.ppf(0.975, values.size - 1) * values.std(ddof=1) / values.size**0.5
    return [float(values.mean() - half), float(values.mean() + half)]


def differences(table: pd.DataFrame) -> dict[str, pd.Series]:
    """Return what is gained over homogeneous networks with fixed time constants, for each speaker and seed."""
    wide = table.pivot_table(index=["unseen", "seed"], columns="condition", values="accuracy")
    return {name: wide[name] - wide["homogeneous, fixed"] for name in list(CONDITIONS)[1:]}


def measured(table: pd.DataFrame) -> dict[str, dict[str, object]]:
    """Return accuracies and gains: of all networks, and of the means of each seed and of each speaker."""
    metrics: dict[str, dict[str, object]] = {}
    for name in CONDITIONS:
        values = table.loc[table["condition"] == name, "accuracy"].to_numpy(dtype=float)
        metrics[f"accuracy, {name}"] = {"value": float(values.mean()), "interval": interval(values)}
    for name, gain in differences(table).items():
        entry: dict[str, object] = {"value": float(gain.mean()), "interval": interval(gain.to_numpy())}
        for key, of in (("seed", "seeds"), ("unseen", "speakers")):
            entry[f"interval over {of}"] = interval(gain.groupby(key).mean().to_numpy())
        metrics[f"more than homogeneous and fixed: {name}"] = entry
    for entry in metrics.values():
        entry |= {"published": None, "source": PUBLISHED}
    return metrics


def figure(table: pd.DataFrame, out: Path) -> None:
    """Draw accuracies of all networks by condition, a colour per unseen speaker."""
    with style():
        drawn = new_figure(SINGLE_COLUMN, 62.0)
        ax = drawn.subplots()
        for place, condition in enumerate(CONDITIONS):
            chosen = table[table["condition"] == condition]
            for k, speaker in enumerate(SPEAKERS):
                values = 100 * chosen.loc[chosen["unseen"] == speaker, "accuracy"].to_numpy()
                shift = place + 0.12 * (k - 1.5)
                label = f"Unseen: {speaker.capitalize()}" if place == 0 else None
                ax.plot(np.full(values.size, shift), values, "o", ms=2.5, color=PALETTE[k], label=label)
            mean = 100 * chosen["accuracy"].mean()
            ax.plot([place - 0.32, place + 0.32], [mean, mean], color="black", lw=1.2)
        ax.axhline(10, color=FAINT_COLOUR, lw=0.8, ls="--")
        ax.text(3.4, 11, "Chance", ha="right", va="bottom", color=FAINT_COLOUR, fontsize=6)
        ax.set_xticks(range(len(CONDITIONS)), [name.capitalize().replace(", ", ",\n") for name in CONDITIONS])
        ax.set_ylim(0, 100)
        ax.set_ylabel("Digits of the unseen speaker (% right)")
        ax.legend(loc="upper left", ncols=2)
        save_figure(settle(drawn), table, out, "conditions")


def main() -> None:
    """Run the study and write ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/heterogeneity"))
    parser.add_argument("--quick", action="store_true", help="few digits, one epoch, one speaker, one seed")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    begin, quick = time.perf_counter(), arguments.quick
    data = digits(8 if quick else None)
    seeds, epochs, speakers = (1, 1, SPEAKERS[:1]) if quick else (arguments.seeds, arguments.epochs, SPEAKERS)
    rows = [
        row(data, condition, unseen, seed, epochs, arguments.out)
        for seed in range(seeds)
        for unseen in speakers
        for condition in CONDITIONS
    ]
    table = pd.DataFrame(rows)
    figure(table, arguments.out)
    metrics = measured(table)
    for name, entry in metrics.items():
        print(f"{name:60s} {entry['value']:6.3f}  95 % interval {entry['interval']}")
    results = {"study": "heterogeneity", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    results |= {"quick": quick, "epochs": epochs, "networks": rows, "provenance": provenance.collect(seed=0)}
    target = arguments.out / "results.json"
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(target)


if __name__ == "__main__":
    main()
