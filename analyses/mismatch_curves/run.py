"""Accuracy of trained spiking networks on analog chips against mismatch and bits, and what wins it back."""

import argparse
import json
import time
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import snncompare as sc
from snncompare import provenance
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.commands.mismatch.points import PARAMETER_CLASSES, Point, profile_at
from snncompare.commands.mismatch.study import MismatchResult, Scheme, mismatch_study
from snncompare.figures.save import save_figure
from snncompare.figures.style import DOUBLE_COLUMN, FAINT_COLOUR, PALETTE, new_figure, panel_letters, settle, style
from snncompare.learning.batches import Batches
from snncompare.learning.calibrate import calibrate
from snncompare.learning.losses import Classification, RateLimit
from snncompare.learning.on_chip import AdversarialMismatch, OnChip
from snncompare.learning.rule import surrogate_gradient
from snncompare.learning.trained import Trained
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.units import quantity, seconds

HERE = Path(__file__).parent
DT, HIDDEN, CHANCE = "20 ms", 100, 1 / 27
SIGMAS, BITS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5), (2, 3, 4, 5, 6, 8)
RESCUED = (0.1, 0.3, 0.5)
"""Mismatch at which training schemes are compared."""
EPOCHS, MORE_EPOCHS, LOOP_EPOCHS, SHOTS = 20, 10, 3, 5
NOISE, ATTACK = 0.3, AdversarialMismatch(zeta=0.1, steps=5, beta=0.25)
"""As Buchel et al. (2022) in their mismatch experiment, but five steps of the attack instead of ten."""
RECURRENT, RIDGE = (10.0, 20.0, 40.0), (1e-2, 1.0, 1e2)
"""Recurrent weights (mV) and penalties of which the readout-only network takes the best on a tenth of the training."""
LOSS = Classification("readout", scale="1 mV")
RULE = surrogate_gradient(width="1 mV", scale="10 mV", learning_rate=0.03)
FIT: dict[str, Any] = {"loss": LOSS, "dt": DT, "batch_size": 64, "penalties": [RateLimit("0.5 Hz", "20 Hz")]}
FIT |= {"progress": lambda _: None}
SURROGATE, READOUT = "surrogate gradients", "readout only"
SCHEMES = ("as trained", "trained longer", "noise injection", "noise from the start", "adversarial", "in the loop")
SCHEMES += ("readout calibrated",)
ALIKE = 5
"""So many of them are one network for all devices."""
COLUMNS = ["sweep", "kind", "network", "scheme", "parameters", "sigma", "bits", "device_seed", "accuracy"]

Table = pd.DataFrame


@dataclass(frozen=True)
class Size:
    """How much is done; of networks trained for each device there are `known`."""

    networks: int
    known: int
    devices: int
    epochs: int
    more_epochs: int
    loop_epochs: int
    shots: int
    sigmas: tuple[float, ...]
    rescued: tuple[float, ...]
    bits: tuple[int, ...]
    trials: int | None


FULL = Size(3, 3, 10, EPOCHS, MORE_EPOCHS, LOOP_EPOCHS, SHOTS, SIGMAS, RESCUED, BITS, None)
QUICK = Size(1, 1, 2, 1, 1, 1, 1, (0.0, 0.5), (0.5,), (2, 6), 54)


def letters(size: Size) -> tuple[sc.SpikeDataset, sc.SpikeDataset]:
    """Return touches of Braille letters to learn and to test."""
    whole = sc.datasets.load("braille_events")
    learnt, test = whole.part("train"), whole.part("test")
    if size.trials is None:
        return learnt, test
    return tuple(part.subset(np.arange(len(part)) % (len(part) // size.trials) == 0) for part in (learnt, test))


def network(feed: float = 60.0, recur: float = 10.0, readouts: int = 27) -> Network:
    """Return 100 recurrent leaky integrate-and-fire neurons between 24 sensors and a readout; weights in mV."""

    def dense(source: str, target: str, sd: float) -> Projection:
        weight = Normal(mean=quantity("0 mV"), sd=quantity(f"{sd} mV"), scale_by_sources=True)
        return Projection(source=source, target=target, synapse=exponential(tau="30 ms"), into="I", weight=weight)

    neuron = leaky_integrate_and_fire(tau="60 ms", v_threshold="10 mV", refractory="0 ms")
    return Network(
        name="Braille letters",
        populations={
            "input": Population(size=24, neuron=SpikeSource()),
            "hidden": Population(size=HIDDEN, neuron=neuron),
            "readout": Population(size=readouts, neuron=leaky_readout(tau="60 ms")),
        },
        projections={
            "feed": dense("input", "hidden", feed),
            "recur": dense("hidden", "hidden", recur),
            "read": dense("hidden", "readout", 10.0),
        },
    )


def features(recur: float, seed: int, data: sc.SpikeDataset) -> NDArray[np.float64]:
    """Return what readouts of one hidden neuron each, weight 1 mV, have as mean membrane potential in each trial."""
    given: dict[str, Any] = dict(realise(network(100.0, recur), seed, dt=seconds(DT)).connections)
    given["read"] = np.eye(HIDDEN) * 1e-3
    wide = network(100.0, recur, readouts=HIDDEN)
    module = TorchNetwork(wide, seconds(DT), realise(wide, seed, given, dt=seconds(DT)))
    inputs, _ = Batches(data, "input", DT)(np.arange(len(data)))
    activity = module(inputs, traces=[("readout", "v")])
    found: NDArray[np.float64] = activity.traces["readout", "v"].mean(0).detach().numpy()
    return found


def readout_only(seed: int, learnt: sc.SpikeDataset) -> Trained:
    """Return random recurrent neurons of which only the readout is learnt, by ridge regression."""
    from sklearn.linear_model import Ridge

    wanted, tenth = np.eye(27)[learnt.labels], np.arange(len(learnt)) % 10 == 7
    best: tuple[float, float, float] = (-1.0, 0.0, 0.0)
    for recur in RECURRENT:
        given = 1e3 * features(recur, seed, learnt)
        for ridge in RIDGE:
            model = Ridge(alpha=ridge, fit_intercept=False).fit(given[~tenth], wanted[~tenth])
            right = float((model.predict(given[tenth]).argmax(1) == learnt.labels[tenth]).mean())
            best = max(best, (right, recur, ridge))
    _, recur, ridge = best
    model = Ridge(alpha=ridge, fit_intercept=False).fit(1e3 * features(recur, seed, learnt), wanted)
    plain = network(100.0, recur)
    drawn: dict[str, Any] = dict(realise(plain, seed, dt=seconds(DT)).connections)
    drawn["read"] = 1e-2 * model.coef_.T
    chosen = {"recurrent weights (mV)": recur, "ridge": ridge, "right of a tenth of the training trials": best[0]}
    return Trained(plain, realise(plain, seed, drawn, dt=seconds(DT)), pd.DataFrame([chosen]), chosen)


def base() -> ChipProfile:
    """Return a chip without imperfection; mismatch is drawn as by Buchel et al.: Gaussian, of times its modulus."""
    words = {"time_constants": "folded_gaussian", "threshold": "gaussian", "weights": "gaussian"}
    return ChipProfile.load("plain").changed(**{f"{name}.distribution": word for name, word in words.items()})


def kept(folder: Path, make: Any) -> Trained:
    """Return the network in a folder, made if it is not there."""
    if not (folder / "network.yaml").is_file():
        begin = time.perf_counter()
        make().save(folder)
        print(f"{folder.name}: {time.perf_counter() - begin:.0f} s", flush=True)
    return Trained.load(folder)


def going_on(found: Trained, data: sc.SpikeDataset, seed: int, epochs: int, **how: Any) -> Trained:
    """Return a network after more training."""
    given = {"weights": found.realisation, "seed": 100 + seed, "test": None}
    rule = replace(RULE, optimiser=replace(RULE.optimiser, learning_rate=0.01))
    return sc.fit(found.network, rule, data, epochs=epochs, **FIT, **given, **how)


def networks(seed: int, learnt: sc.SpikeDataset, size: Size, out: Path) -> dict[str, Trained]:
    """Return the networks of one seed by what they have learnt from."""
    start = partial(sc.fit, network(), RULE, learnt, epochs=size.epochs, test=None, seed=seed, **FIT)
    first = kept(out / f"surrogate_{seed}", start)
    more = partial(going_on, data=learnt, seed=seed, epochs=size.more_epochs)
    noise = OnChip(profile_at(base(), Point(sigma=NOISE)), redraw="batch")
    attack = OnChip("ideal", attack=ATTACK)
    return {
        READOUT: kept(out / f"readout_{seed}", lambda: readout_only(seed, learnt)),
        "as trained": first,
        "trained longer": kept(out / f"trained_on_{seed}", lambda: more(first)),
        "noise injection": kept(out / f"noise_{seed}", lambda: more(first, on_chip=noise)),
        "noise from the start": kept(out / f"noise_start_{seed}", lambda: more(start(on_chip=noise), on_chip=noise)),
        "adversarial": kept(out / f"adversarial_{seed}", lambda: more(first, on_chip=attack)),
    }


def knowing_the_chip(found: dict[str, Trained], learnt: sc.SpikeDataset, seed: int, size: Size) -> dict[str, Scheme]:
    """Return the schemes that know the device: training in the loop, and calibration of the readout."""
    start = found["as trained"]

    def loop(chip: ChipProfile, device: int) -> Trained:
        on_chip = OnChip(chip, (device,), in_the_loop=True)
        return going_on(start, learnt, seed, size.loop_epochs, on_chip=on_chip)

    def few(chip: ChipProfile, device: int) -> Trained:
        how: dict[str, Any] = {"loss": LOSS, "rule": RULE, "dt": DT, "progress": FIT["progress"], "batch_size": 32}
        how |= {"shots": size.shots, "epochs": 2 * size.more_epochs, "seed": seed}
        return calibrate(start, OnChip(chip, (device,)), learnt, **how)

    return {
        "in the loop": Scheme(start, loop, key=f"in the loop, {size.loop_epochs} epochs, rate 0.01"),
        "readout calibrated": Scheme(start, few, key=f"readout, {size.shots} shots, {2 * size.more_epochs} epochs"),
    }


def curves(seed: int, found: dict[str, Trained], run: Any, size: Size) -> Table:
    """Return the accuracy of the networks of a seed, one row per point and device; the ideal has no device."""
    devices, rescued = range(size.devices), [Point(sigma=s) for s in size.rescued]
    both = {SURROGATE: found["as trained"], READOUT: found[READOUT]}
    aware = {name: found[name] for name in SCHEMES[1:ALIKE]}
    parts = {
        "sigma": run(both, sweeps={"all": [Point(sigma=s) for s in size.sigmas]}, device_seeds=devices),
        "bits": run(both, sweeps={"bits": [Point(bits=b) for b in size.bits]}, device_seeds=[0]),
        "scheme": run(aware, sweeps={"all": [Point(sigma=0.0), *rescued]}, device_seeds=devices),
    }
    return rows_of(parts, seed)


def by_class(seed: int, found: dict[str, Trained], run: Any, size: Size) -> Table:
    """Return the accuracy where one class of parameters has mismatch."""
    each = {name: [Point(sigma=s, parameters=name) for s in size.sigmas] for name in PARAMETER_CLASSES[:-1]}
    own = {SURROGATE: found["as trained"]}
    return rows_of({"class": run(own, sweeps=each, device_seeds=range(size.devices))}, seed)


def rows_of(parts: dict[str, MismatchResult], seed: int) -> Table:
    """Return the rows of the sweeps of one seed."""
    tables = []
    for sweep, result in parts.items():
        tables += [result.table.assign(sweep=sweep), result.ideal.assign(sweep="ideal")]
        print(f"network {seed}, {sweep}: {len(result.table)} points and devices", flush=True)
    whole = pd.concat(tables, ignore_index=True).assign(network=seed)
    whole["kind"] = np.where(whole["scheme"] == READOUT, READOUT, SURROGATE)
    return whole.reindex(columns=COLUMNS)


def chosen(table: Table, **which: Any) -> NDArray[np.float64]:
    """Return accuracies (network, device) of the rows where columns have these values."""
    for name, value in which.items():
        table = table[np.isclose(table[name], value) if isinstance(value, float) else table[name] == value]
    wide = table.pivot_table(index="network", columns=table["device_seed"].fillna(0), values="accuracy")
    return wide.to_numpy(np.float64)


def interval(values: NDArray[np.float64], seed: int = 0) -> list[float]:
    """Return the 95 % bootstrap interval of the mean of (network, device), both drawn anew."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(values.shape[0], size=(2000, values.shape[0]))
    columns = rng.integers(values.shape[1], size=(2000, values.shape[1]))
    means = values[rows[:, :, None], columns[:, None, :]].mean((1, 2))
    return [float(end) for end in np.quantile(means, [0.025, 0.975])]


def entry(values: NDArray[np.float64], published: float | None = None, source: str = "") -> dict[str, Any]:
    """Return mean, interval, median and quartiles over networks and devices."""
    low, median, high = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
    told = source or f"ours, {values.shape[0]} networks, {values.shape[1]} devices; interval over both"
    spread = {"interval": interval(values), "median": median, "quartiles": [low, high]}
    return {"value": float(values.mean()), **spread, "published": published, "source": told}


def relative(values: NDArray[np.float64], ideal: NDArray[np.float64], chance: float = CHANCE) -> NDArray[np.float64]:
    """Return accuracy above chance as a share of that of the ideal network."""
    return (values - chance) / (ideal - chance)


def summarised(table: Table, size: Size) -> dict[str, dict[str, Any]]:
    """Return what is told, by name."""
    found: dict[str, dict[str, Any]] = {}
    published = pd.read_csv(HERE / "published.csv")
    for kind, scheme in ((SURROGATE, "as trained"), (READOUT, READOUT)):
        own = table[(table["kind"] == kind) & table["scheme"].isin([kind, scheme])]
        ideal = chosen(own, sweep="ideal")[:, :1]
        found[f"{kind}: accuracy without a chip"] = entry(ideal)
        shape = published[published["network"].str.startswith(kind)]
        measured = {"sigma": {s: chosen(own, sweep="sigma", sigma=s) for s in size.sigmas}}
        measured["bits"] = {b: chosen(own, sweep="bits", bits=float(b)) for b in size.bits}
        for axis, levels in measured.items():
            for level, values in levels.items():
                near = shape[(shape["axis"] == axis) & np.isclose(shape["level"], level)]
                other = None if near.empty else float(relative(*near[["accuracy", "ideal"]].to_numpy().T, 0.5)[0])
                at = f"mismatch {level:g}" if axis == "sigma" else f"{level} bits"
                found[f"{kind}: accuracy, {at}"] = entry(values)
                where = "" if other is None else "published: Buchel et al. 2021, binary wake phrase; shapes, not values"
                found[f"{kind}: share of accuracy above chance, {at}"] = entry(relative(values, ideal), other, where)
        rises = [b - a for a, b in pairwise(measured["sigma"].values())]
        found[f"{kind}: largest rise between neighbouring mismatches"] = entry(max(rises, key=lambda one: one.mean()))
        for bits in (b for b in (6, 3) if b in size.bits):
            found[f"{kind}: {bits} bits minus float"] = entry(measured["bits"][bits] - ideal)
    for name in PARAMETER_CLASSES[:-1]:
        for sigma in size.sigmas:
            values = chosen(table, sweep="class", parameters=name, sigma=sigma)
            found[f"{SURROGATE}: accuracy, mismatch {sigma:g} of {name.replace('_', ' ')}"] = entry(values)
    for sigma in size.sigmas[1:]:
        both = [chosen(table, sweep="sigma", kind=kind, sigma=sigma) for kind in (READOUT, SURROGATE)]
        ideals = [chosen(table, sweep="ideal", scheme=kind)[:, :1] for kind in (READOUT, SURROGATE)]
        less = relative(both[0], ideals[0]) - relative(both[1], ideals[1])
        found[f"share above chance, {READOUT} minus {SURROGATE}, mismatch {sigma:g}"] = entry(less)
    return found | rescued(table, size)


def rescued(table: Table, size: Size) -> dict[str, dict[str, Any]]:
    """Return accuracy and gain of every training scheme; pairs are of the same network on the same device."""
    found = {}
    for sigma in size.rescued:
        plain = chosen(table, sweep="sigma", kind=SURROGATE, sigma=sigma)
        lost = chosen(table, sweep="ideal", scheme=SURROGATE)[:, :1] - plain
        for scheme in SCHEMES[1:]:
            sweep = "scheme" if scheme in SCHEMES[:ALIKE] else "loop"
            values = chosen(table, sweep=sweep, scheme=scheme, sigma=sigma)
            gain = values - plain[: len(values)]
            found[f"{scheme}: accuracy, mismatch {sigma:g}"] = entry(values)
            found[f"{scheme}: gain, mismatch {sigma:g}"] = entry(gain)
            won = {"value": float(gain.mean() / lost[: len(values)].mean()), "published": None}
            found[f"{scheme}: share of the loss won back, mismatch {sigma:g}"] = won | {"source": "mean of both"}
    return found


def band(ax: Any, levels: Any, curves: list[NDArray[np.float64]], colour: str, label: str, marker: str = "o") -> None:
    """Draw median and quartiles over networks and devices."""
    low, median, high = np.array([np.quantile(values, [0.25, 0.5, 0.75]) for values in curves]).T
    ax.fill_between(levels, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.plot(levels, median, marker + "-", color=colour, ms=3, linewidth=1, label=label)


def figure(table: Table, size: Size, out: Path) -> None:
    """Draw accuracy against mismatch, against bits, by parameter class, and by training scheme."""
    published = pd.read_csv(HERE / "published.csv")
    with style():
        drawn = new_figure(DOUBLE_COLUMN, 110.0)
        axes = drawn.subplots(2, 2).ravel()
        for k, kind in enumerate((SURROGATE, READOUT)):
            ideal = chosen(table, sweep="ideal", kind=kind, scheme=kind)[:, :1]
            for ax, axis, levels in ((axes[0], "sigma", size.sigmas), (axes[1], "bits", size.bits)):
                curves = [chosen(table, sweep=axis, kind=kind, **{axis: float(level)}) for level in levels]
                places = np.arange(len(levels)) if axis == "bits" else levels
                band(ax, places, [100 * relative(one, ideal) for one in curves], PALETTE[k], f"{kind}, here", "os"[k])
                near = published[published["network"].str.startswith(kind) & (published["axis"] == axis)]
                near = near[near["level"].isin(levels)]
                at = [levels.index(int(b)) for b in near["level"]] if axis == "bits" else near["level"]
                share = 100 * relative(near["accuracy"].to_numpy(), near["ideal"].to_numpy(), 0.5)
                if len(near):
                    ax.plot(at, share, "os"[k] + "--", color=FAINT_COLOUR, ms=3, mfc="white", linewidth=0.7)
        axes[0].plot(
            [], [], "o--", color=FAINT_COLOUR, ms=3, mfc="white", linewidth=0.7, label="published, same marker"
        )
        axes[1].set_xticks(np.arange(len(size.bits)), [str(b) for b in size.bits])
        for k, name in enumerate(PARAMETER_CLASSES):
            sweep = "sigma" if name == "all" else "class"
            curves = [100 * chosen(table, sweep=sweep, kind=SURROGATE, parameters=name, sigma=s) for s in size.sigmas]
            band(axes[2], size.sigmas, curves, PALETTE[(0, 2, 3, 4)[k - 3]], name.replace("_", " "), "osD^"[k])
        for k, scheme in enumerate(SCHEMES):
            sweep = "sigma" if k == 0 else "scheme" if k < ALIKE else "loop"
            which = {"kind": SURROGATE} if k == 0 else {"scheme": scheme}
            levels = size.rescued if sweep == "loop" else (0.0, *size.rescued)
            curves = [100 * chosen(table, sweep=sweep, sigma=s, **which) for s in levels]
            band(axes[3], levels, curves, (*PALETTE[:6], "0.3")[k], scheme, "osD^vp<"[k])
        for ax in (axes[0], axes[2], axes[3]):
            ax.set_xlabel("Mismatch (coefficient of variation)")
        axes[1].set_xlabel("Bits of a weight, sign included")
        for ax, what in zip(axes, ["Above chance (% of ideal)"] * 2 + ["Accuracy (%)"] * 2, strict=True):
            ax.set(ylabel=what, ylim=(-5, 110) if ax in axes[:2] else (0, 100))
            if ax not in axes[:2]:
                ax.axhline(100 * CHANCE, color=FAINT_COLOUR, linestyle=":", linewidth=0.7)
        for ax, title in zip(axes[[0, 2, 3]], (None, "Mismatch of", None), strict=True):
            ax.legend(loc="upper right" if ax is axes[0] else "lower left", title=title)
        panel_letters(list(axes))
        save_figure(settle(drawn), table, out, "curves")


def main() -> None:
    """Train what is not there yet, measure it on chips, and write ``results.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/mismatch_curves"))
    parser.add_argument("--quick", action="store_true", help="one network, two devices, few trials: the path only")
    arguments = parser.parse_args()
    begin, out, size = time.perf_counter(), arguments.out, QUICK if arguments.quick else FULL
    learnt, test = letters(size)
    run = partial(mismatch_study, test=test, loss=LOSS, dt=DT, base=base(), keep=out / "points")
    found = {seed: networks(seed, learnt, size, out / "networks") for seed in range(size.networks)}
    tables = [curves(seed, each, run, size) for seed, each in found.items()]
    for seed in range(size.known):
        schemes = knowing_the_chip(found[seed], learnt, seed, size)
        rescued = {"all": [Point(sigma=s) for s in size.rescued]}
        tables.append(rows_of({"loop": run(schemes, sweeps=rescued, device_seeds=range(size.devices))}, seed))
    tables += [by_class(seed, each, run, size) for seed, each in found.items()]
    table = pd.concat(tables, ignore_index=True)
    summary = summarised(table, size)
    figure(table, size, out)
    for name, one in summary.items():
        print(f"{name}: {one['value']:.3f} {one.get('interval', '')}")
    results = {"study": "mismatch_curves", "metrics": summary, "seconds": round(time.perf_counter() - begin, 1)}
    chip = {"profile": base().name, "profile_fingerprint": base().fingerprint(), "devices": size.devices}
    results |= {"quick": arguments.quick, "provenance": provenance.collect(seed=0, rule=repr(RULE), **chip)}
    (out / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(out / "results.json")


if __name__ == "__main__":
    main()
