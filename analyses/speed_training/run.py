"""Measure what a training step costs beside snnTorch, Norse and SpikingJelly: forward, backward, peak memory."""

import argparse
import ctypes
import gc
import importlib.util
import inspect
import itertools
import json
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

import snncompare as sc
from snncompare import provenance

SEED = 0
FOLDER = Path(__file__).parent
N_INPUTS, N_HIDDEN, N_OUTPUTS, BATCH, P_SPIKE = 700, 256, 20, 64, 0.02
DT, TAU, TAU_SYN = 1e-3, 20e-3, 5e-3
ALPHA, BETA = math.exp(-DT / TAU_SYN), math.exp(-DT / TAU)
CHECKPOINT_EVERY, CHUNK = 32, 10
PEERS = ("snntorch", "norse", "spikingjelly")
FULL = {"steps": (100, 1000), "threads": (1, 2), "rounds": 7}
QUICK = {"steps": (20, 60), "threads": (1,), "rounds": 2}
MOST_LOAD = 0.5  # of other programs: two threads that wait for each other must not wait for a third
GIVE_BACK = {"MALLOC_MMAP_THRESHOLD_": "32768", "MALLOC_MMAP_MAX_": "1000000"}  # glibc: what is freed is given back
Cell = Callable[..., tuple[Tensor, ...]]


def drawn_weights(gain: float) -> list[Tensor]:
    """Return weights to hidden neurons, among them and to readouts, each (target, source)."""
    generator = torch.Generator().manual_seed(SEED)
    sizes = ((N_HIDDEN, N_INPUTS, 0.025), (N_HIDDEN, N_HIDDEN, 0.001), (N_OUTPUTS, N_HIDDEN, 0.05))
    return [gain * sd * torch.randn(n, m, generator=generator) for n, m, sd in sizes]


def input_spikes(steps: int) -> tuple[Tensor, Tensor]:
    """Return a raster (step, batch, input) of 0 and 1 and a class per trial."""
    generator = torch.Generator().manual_seed(SEED)
    raster = (torch.rand(steps, BATCH, N_INPUTS, generator=generator) < P_SPIKE).float()
    return raster, torch.randint(0, N_OUTPUTS, (BATCH,), generator=generator)


def snntorch_cells(feed: nn.Linear, recur: nn.Linear) -> tuple[Any, Cell, Cell]:
    """Return snnTorch's, reset by subtraction: to zero, it would compute the recurrent input twice."""
    import snntorch
    from snntorch.surrogate import fast_sigmoid

    hidden = snntorch.RSynaptic(ALPHA, BETA, linear_features=N_HIDDEN, spike_grad=fast_sigmoid(slope=1))
    hidden.recurrent = recur
    readout = snntorch.Synaptic(ALPHA, BETA, reset_mechanism="none", surrogate_disable=True)

    def read(current: Tensor, v: Tensor, synaptic: Tensor) -> tuple[Tensor, ...]:
        _, synaptic, v = readout(current, synaptic, v)
        return v, synaptic

    return feed, hidden, read


def norse_cells(feed: nn.Linear, recur: nn.Linear) -> tuple[Any, Cell, Cell]:
    """Return Norse's recurrent step, which takes the input spikes: only there the reset can be detached."""
    from norse.torch.functional.leaky_integrator import LIParameters, LIState, li_feed_forward_step
    from norse.torch.functional.lif import LIFParameters, LIFState, lif_step

    rates = {"tau_syn_inv": torch.tensor(1 / TAU_SYN), "tau_mem_inv": torch.tensor(1 / TAU)}
    lif, integrator = LIFParameters(**rates), LIParameters(**rates)

    def hidden(spikes: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        return tuple(lif_step(spikes, LIFState(*state), feed.weight, recur.weight, lif, DT)[1])

    def read(current: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        return tuple(li_feed_forward_step(current, LIState(*state), integrator, DT)[1])

    return (lambda raster: raster), hidden, read


def spikingjelly_cells(feed: nn.Linear, recur: nn.Linear) -> tuple[Any, Cell, Cell]:
    """Return SpikingJelly's; a readout with a synaptic current it has not, here it is two lines of PyTorch."""
    from spikingjelly.activation_based import functional, surrogate

    spike = surrogate.SuperSpike()

    def hidden(current: Tensor, z: Tensor, i: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        return functional.cuba_lif_step(current + recur(z), i, v, ALPHA, BETA, 1.0, 0.0, spike, detach_reset=True)

    def read(current: Tensor, v: Tensor, synaptic: Tensor) -> tuple[Tensor, ...]:
        synaptic = ALPHA * synaptic + current
        return BETA * v + synaptic, synaptic

    return feed, hidden, read


class Peer(nn.Module):
    """Another library's cells in a loop over time; what can be computed for all steps at once is."""

    def __init__(self, library: str, *, compiled: bool) -> None:
        super().__init__()
        weights = drawn_weights(gain=TAU / DT if library == "norse" else 1.0)
        self.feed, self.recur, self.read = (nn.Linear(*weight.shape[::-1], bias=False) for weight in weights)
        for layer, weight in zip((self.feed, self.recur, self.read), weights, strict=True):
            layer.weight = nn.Parameter(weight)
        cells = {"snntorch": snntorch_cells, "norse": norse_cells, "spikingjelly": spikingjelly_cells}[library]
        self.current, *steps = cells(self.feed, self.recur)
        self.hidden, self.readout = (through_time(cell, compiled=compiled) for cell in steps)

    def forward(self, raster: Tensor, *, spikes: bool = False) -> tuple[Tensor, Tensor | None]:
        """Return the readouts of all steps and, if asked for, the hidden spikes."""
        zeros = raster.new_zeros(BATCH, N_HIDDEN)
        fired = self.hidden(self.current(raster), zeros, zeros, zeros)
        zeros = raster.new_zeros(BATCH, N_OUTPUTS)
        return self.readout(self.read(fired), zeros, zeros), fired if spikes else None


def through_time(cell: Cell, *, compiled: bool) -> Callable[..., Tensor]:
    """Return the first state of every step; compiled in pieces of `CHUNK` steps, more take minutes to compile."""

    def piece(inputs: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        kept = []
        for given in inputs.unbind(0):
            state = cell(given, *state)
            kept.append(state[0])
        return torch.stack(kept), *state

    if not compiled:
        return lambda inputs, *state: piece(inputs, *state)[0]
    torch._dynamo.config.recompile_limit = 32  # hidden and readout, with and without gradient of the state, per threads
    fast = torch.compile(piece, dynamic=False)

    def pieces(inputs: Tensor, *state: Tensor) -> Tensor:
        kept = []
        for part in inputs.split(CHUNK):
            done, *state = fast(part, *state)  # type: ignore[assignment]
            kept.append(done)
        return torch.cat(kept)

    return pieces


class Ours(nn.Module):
    """The same network from its description, compiled for PyTorch."""

    def __init__(self, **options: Any) -> None:
        super().__init__()
        from snncompare.backends.torch.module import TorchNetwork
        from snncompare.backends.torch.surrogates import SuperSpike

        drawn = [weight.T.double().numpy() for weight in drawn_weights(gain=1 / (1 - BETA))]
        weights = dict(zip(("feed", "recur", "read"), drawn, strict=True))
        options |= {"surrogate": SuperSpike(width="1", scale="1"), "dtype": torch.float32}
        self.network = TorchNetwork(sc.Network.load(FOLDER / "network.yaml"), DT, weights, **options)

    def forward(self, raster: Tensor, *, spikes: bool = False) -> tuple[Tensor, Tensor | None]:
        """Return the readouts of all steps and, if asked for, the hidden spikes."""
        record = ["hidden"] if spikes else []
        activity = self.network({"inputs": raster}, record=record, traces=[("readout", "v")])
        return activity.traces["readout", "v"], activity.spikes["hidden"] if spikes else None


def contenders(*, quick: bool) -> dict[str, tuple[Callable[..., nn.Module], dict[str, Any]]]:
    """Return what is there to be measured, ours first: name to class and arguments."""
    from snncompare.backends.torch.module import TorchNetwork

    found: dict[str, tuple[Callable[..., nn.Module], dict[str, Any]]] = {"ours": (Ours, {})}
    if "checkpoint_every" in inspect.signature(TorchNetwork).parameters:
        found["ours_checkpointed"] = (Ours, {"checkpoint_every": CHECKPOINT_EVERY})
    else:
        print("left out: gradient checkpointing, which this version of the package does not offer")
    for library in PEERS:
        if importlib.util.find_spec(library) is None:
            print(f"left out: {library} is not installed; README.md says how to install it")
            continue
        for compiled in (False,) if quick else (False, True):
            found[library + "_compiled" * compiled] = (Peer, {"library": library, "compiled": compiled})
    return found


class Bench:
    """One contender in a process of its own; `HERE` holds it there."""

    def __init__(self, make: Callable[..., nn.Module], arguments: Mapping[str, Any], steps: int) -> None:
        torch.set_num_threads(1)
        self.module = make(**arguments)
        self.raster, self.labels = input_spikes(steps)

    def step(self, steps: int, threads: int) -> tuple[float, float]:
        """Return seconds of a forward and a backward pass: processor time of one thread, else wall-clock time."""
        torch.set_num_threads(threads)
        clock = time.process_time if threads == 1 else time.perf_counter
        self.module.zero_grad(set_to_none=True)
        gc.collect()
        begin = clock()
        loss = nn.functional.cross_entropy(self.module(self.raster[:steps])[0].amax(dim=0), self.labels)
        middle = clock()
        loss.backward()
        return middle - begin, clock() - middle

    def peak(self, steps: int) -> float:
        """Return by how many bytes a training step raises the memory of the process, at its peak (Linux)."""
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to what is used now
        before = resident("VmRSS")
        self.step(steps, threads=1)
        return resident("VmHWM") - before

    def work(self, steps: int) -> dict[str, Any]:
        """Return what shows that the work is the same, after a training step."""
        self.step(steps, threads=1)
        gradients = [float(weight.grad.norm()) for weight in self.module.parameters() if weight.grad is not None]
        readout, spikes = self.module(self.raster[:steps], spikes=True)
        finite = bool(readout.isfinite().all()) and all(map(math.isfinite, gradients))
        shape = tuple(readout.shape) == (steps, BATCH, N_OUTPUTS) and tuple(spikes.shape) == (steps, BATCH, N_HIDDEN)
        return {"rate": float(spikes.detach().mean()), "gradients": gradients, "finite": finite, "shape": shape}


HERE: dict[str, Bench] = {}


def build(make: Callable[..., nn.Module], arguments: Mapping[str, Any], steps: int) -> None:
    HERE["bench"] = Bench(make, arguments, steps)


def call(method: str, *arguments: Any) -> Any:
    return getattr(HERE["bench"], method)(*arguments)


def resident(field: str) -> float:
    """Return bytes of memory of this process: ``VmRSS`` now, ``VmHWM`` at its peak."""
    status = Path("/proc/self/status").read_text()
    return 1024.0 * int(status.partition(field)[2].split()[1])


def check_equal_work(works: Mapping[str, Mapping[str, Any]]) -> None:
    """Stop if a contender does other work than ours: shapes, finite numbers, gradients, spikes per neuron and step.

    Rates may differ by a quarter: libraries differ in when within a step currents decay and spikes arrive.
    """
    ours = works["ours"]["rate"]
    for name, work in works.items():
        fires_alike = ours > 0 and abs(work["rate"] / ours - 1) < 0.25
        learns = len(work["gradients"]) == 3 and min(work["gradients"]) > 0
        if not (work["shape"] and work["finite"] and learns and fires_alike):
            raise SystemExit(f"{name} does not do the same work as ours: {dict(work)}, ours {dict(works['ours'])}.")


def started(
    stack: ExitStack, chosen: Mapping[str, tuple[Any, Mapping[str, Any]]], steps: int
) -> dict[str, Callable[..., Any]]:
    """Build every contender in a fresh process of its own and return how to call its `Bench` there."""
    spawn = multiprocessing.get_context("spawn")
    pools = {name: stack.enter_context(ProcessPoolExecutor(1, mp_context=spawn)) for name in chosen}
    for built in [pools[name].submit(build, *how, steps) for name, how in chosen.items()]:
        built.result()
    return {name: lambda *given, pool=pool: pool.submit(call, *given).result() for name, pool in pools.items()}


def measure(steps: Sequence[int], threads: Sequence[int], rounds: int, *, quick: bool) -> pd.DataFrame:
    """Return seconds, bytes and rates, one row per contender, number of steps, number of threads and round."""
    rows: list[dict[str, Any]] = []
    chosen = contenders(quick=quick)
    with ExitStack() as stack:
        cache = stack.enter_context(tempfile.TemporaryDirectory())
        os.environ |= {"TORCHINDUCTOR_CACHE_DIR": cache, "OMP_WAIT_POLICY": "passive"}
        works, first, peaks, resident_peaks = {}, {}, {}, {}
        benches = started(stack, chosen, max(steps))
        for name, run in benches.items():
            begin = time.perf_counter()
            run("step", 2 * CHUNK, 1)
            first[name] = time.perf_counter() - begin
            resident_peaks[name] = {n: run("peak", n) for n in steps}
            works[name] = run("work", steps[0])
            for n_threads in threads[1:]:  # compiled code is made for a number of threads
                run("step", 2 * CHUNK, n_threads)
        check_equal_work(works)
        os.environ |= GIVE_BACK
        for name, run in (benches if quick else started(stack, chosen, max(steps))).items():
            run("step", 2 * CHUNK, 1)
            peaks[name] = {n: run("peak", n) for n in steps}
        for k, n_threads, n_steps, name in itertools.product(range(rounds), threads, steps, chosen):
            forward, backward = benches[name]("step", n_steps, n_threads)
            times = {"forward": forward, "backward": backward, "total": forward + backward}
            once = {"peak": peaks[name][n_steps], "resident_peak": resident_peaks[name][n_steps]}
            once |= {"rate": works[name]["rate"], "first": first[name]}
            rows.append({"contender": name, "steps": n_steps, "threads": n_threads, "round": k} | times | once)
    return pd.DataFrame(rows)


def entry(value: float, source: str) -> dict[str, Any]:
    return {"value": float(value), "published": None, "source": source}


def spread(values: pd.Series) -> str:
    return f"median of {len(values)} rounds, {values.min():.3g} to {values.max():.3g}"


def metrics_of(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return milliseconds per step, MB, and ratios to ours within each round (above 1, ours is faster or smaller)."""
    metrics: dict[str, dict[str, Any]] = {}
    for (steps, threads), rows in table.groupby(["steps", "threads"]):
        where = f"{steps}_steps_{threads}_thread{'s' * (threads > 1)}"
        clock = "processor" if threads == 1 else "wall-clock"
        per_round = {part: rows.pivot_table(part, "round", "contender") for part in ("forward", "backward", "total")}
        for part, times in per_round.items():
            for name in times:
                ms, ratio = 1e3 * times[name] / steps, times[name] / times["ours"]
                key = f"{name}_{where}_{part}"
                metrics[f"{key}_ms_per_step"] = entry(ms.median(), f"{clock} time, {spread(ms)}")
                metrics[f"{key}_ratio"] = entry(ratio.median(), f"{name} / ours, {spread(ratio)}")
        peers = [name for name in per_round["total"] if not name.startswith("ours")]
        if peers:
            fastest = per_round["total"][peers].median().idxmin()
            ratio = per_round["total"][fastest] / per_round["total"]["ours"]
            metrics[f"fastest_peer_{where}_ratio"] = entry(ratio.median(), f"{fastest} / ours, {spread(ratio)}")
    for part, how in (("peak", "freed blocks are given back"), ("resident_peak", "glibc as it comes")):
        sizes = table.pivot_table(part, "steps", "contender") / 1e6
        for name, steps in itertools.product(sizes, sizes.index):
            key, size = f"{name}_{steps}_steps_{part}", sizes.loc[steps, name]
            metrics[f"{key}_MB"] = entry(size, f"of a training step, above what the process used before; {how}")
            metrics[f"{key}_ratio"] = entry(size / sizes.loc[steps, "ours"], f"{name} / ours")
    for name, rows in table.groupby("contender"):
        metrics[f"{name}_rate"] = entry(rows["rate"].iloc[0], "spikes per hidden neuron and step")
        metrics[f"{name}_first_step_seconds"] = entry(rows["first"].iloc[0], "wall-clock time, compilation included")
    return metrics


def draw(table: pd.DataFrame, out: Path) -> None:
    """Draw time per step and peak memory of every contender."""
    from snncompare.figures.save import save_figure
    from snncompare.figures.style import DOUBLE_COLUMN, PALETTE, new_figure, panel_letters, settle, style

    names, steps = list(dict.fromkeys(table["contender"])), sorted(table["steps"].unique())
    with style():
        figure = new_figure(DOUBLE_COLUMN, 60)
        axes = figure.subplots(1, 3, sharey=True)
        for ax, n in zip(axes, steps, strict=False):
            rows = table[(table["steps"] == n) & (table["threads"] == 1)].groupby("contender")
            times = 1e3 * rows[["forward", "backward"]].median().loc[names] / n
            ax.barh(names, times["forward"], color=PALETTE[0], label="forward")
            ax.barh(names, times["backward"], left=times["forward"], color=PALETTE[4], label="backward")
            ax.set(xlabel="ms per step", title=f"{n} steps, one thread")
        for n, colour in zip(steps, (PALETTE[3], PALETTE[1]), strict=True):
            peak = table[table["steps"] == n].groupby("contender")["peak"].first().loc[names] / 1e6
            axes[2].plot(peak, names, "o", color=colour, label=f"{n} steps")
        axes[2].set(xlabel="peak memory of a training step (MB)", xscale="log", xlim=(8, 1200))
        axes[2].set_xticks([10, 30, 100, 300, 1000], ["10", "30", "100", "300", "1000"])
        axes[2].minorticks_off()
        axes[0].set_yticks(range(len(names)), [name.replace("_", ", ") for name in names])
        axes[0].invert_yaxis()
        for ax in axes[::2]:
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
        panel_letters(axes)
        columns = ["contender", "steps", "threads", "round", "forward", "backward", "peak", "resident_peak"]
        save_figure(settle(figure), table[columns], out, "speed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/speed_training"))
    parser.add_argument("--quick", action="store_true", help="few steps, no compiled code: only checks the path")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    load = os.getloadavg()[0]
    scale: dict[str, Any] = dict(QUICK if arguments.quick else FULL)
    if load > MOST_LOAD and len(scale["threads"]) > 1:
        print(f"left out: two threads, whose wall-clock times mean nothing on a busy machine (load {load:.1f})")
        scale["threads"] = (1,)
    table = measure(**scale, quick=arguments.quick)
    metrics, peers = metrics_of(table), {n: metadata.version(n) for n in PEERS if importlib.util.find_spec(n)}
    draw(table, arguments.out)
    results = {
        "study": "speed_training",
        "metrics": metrics,
        "seconds": round(time.perf_counter() - begin, 1),
        "quick": arguments.quick,
        "provenance": provenance.collect(seed=SEED, processors=os.cpu_count(), load=load, peers=peers),
    }
    (arguments.out / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    times = table.groupby(["steps", "threads", "contender"], sort=False)[["forward", "backward", "total"]].median()
    print(times.mul(1e3).div(times.index.get_level_values("steps"), axis=0).to_string(float_format="{:.3f}".format))
    for name, measured in metrics.items():
        if name.startswith("fastest") or name.endswith("steps_peak_MB"):
            print(f"{name}: {measured['value']:.3g} ({measured['source']})")
    print(arguments.out / "results.json")


if __name__ == "__main__":
    main()
