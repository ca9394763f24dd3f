"""Measure how fast stimuli become spikes: ears beside lauscher, eyes, and data loading beside training."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Numbers = dict[str, dict[str, object]]
SEED = 0
N_CHANNELS, HIGH_RATE, N_DIGITS, QUICK_DIGITS = 700, 48_000, 1000, 10
LONGEST = 0.3
"""Seconds of the sound for lauscher: it needs 5.4 GB per second of sound at 48 kHz."""
LEAST_RATIO = 50.0
SIZES, N_FRAMES, FRAME_RATE, WIDTH = (28, 256), 60, 60, 2.0
"""Pixels at a side, frames, frames per second, degrees at a side."""
BATCH, WORKERS, HIDDEN, ROUNDS = 32, 2, 200, 3
N_SHARDS = 3  # of 64 trials, in an epoch; every round has its own


class Task(NamedTuple):
    """A dataset as one would train on it: options of `load`, time step, and the longest trials that are used (s)."""

    options: dict[str, Any]
    dt: float
    longest: float


TASKS = {
    "song_envelopes": Task({"n_per_class": ROUNDS * N_SHARDS * 16}, 1e-3, 0.3),
    "digits_retina": Task({}, 2e-3, 0.3),
    "spoken_digits_cochlea": Task({}, 4e-3, 0.8),
}


def digits(n: int) -> list[np.ndarray]:
    """Return recordings of the spoken digits at 8 kHz, relative to full scale."""
    import snncompare as sc

    samples = sc.datasets.load("spoken_digits_heidelberg").source.samples
    chosen = np.linspace(0, len(samples.table) - 1, n).round().astype(int)
    return [samples.stimulus(int(i)).samples for i in chosen]


def heidelberg(sounds: Iterable[np.ndarray], rate: int) -> Iterator[int]:
    """Return the number of spikes of each sound."""
    from snncompare.encoding.auditory.heidelberg import Heidelberg

    return fired(Heidelberg(n_channels=N_CHANNELS), sounds, rate)


def auditory_nerve(sounds: Iterable[np.ndarray], rate: int) -> Iterator[int]:
    """Return the number of spikes of each sound, in the nerve of `spoken_digits_cochlea`."""
    import snncompare as sc

    return fired(sc.datasets.load("spoken_digits_cochlea").source.encoder, sounds, rate)


def fired(ear: Any, sounds: Iterable[np.ndarray], rate: int) -> Iterator[int]:
    from snncompare.encoding.encoder import presentation_seed
    from snncompare.encoding.stimuli import Sound

    for i, samples in enumerate(sounds):
        yield int(ear.fire(Sound(samples, f"{rate} Hz"), presentation_seed(SEED, i)).counts.sum())


def lauscher(sounds: Iterable[np.ndarray], rate: int) -> Iterator[int]:
    """Yield the number of spikes of each sound, in one worker process, as its command does with --jobs 1."""
    from lauscher.audiowaves import MonoAudioWave
    from lauscher.helpers import CommandLineArguments
    from lauscher.transformations.wave2spike import Wave2Spike

    CommandLineArguments().num_concurrent_jobs = 1
    np.random.seed(SEED)  # noqa: NPY002 (theirs draws from the global generator)
    for samples in sounds:
        wave = MonoAudioWave(samples.copy(), rate)
        yield int(wave.transform(Wave2Spike(num_channels=N_CHANNELS)).spike_times.size)


EARS: dict[str, Callable[[Sequence[np.ndarray], int], Iterator[int]]] = {
    "ours": heidelberg,
    "auditory_nerve": auditory_nerve,
    "lauscher": lauscher,
}


def processor_seconds() -> float:
    """Return the processor time of this process and of those it has waited for, which lauscher's pools are."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def hear(name: str, file: str, n_warm: int) -> dict[str, float]:
    """Return what it takes to encode the sounds in a file; the first `n_warm` are encoded once more before."""
    with np.load(file) as archive:
        rate, sounds = int(archive["rate"]), [archive[f"sound_{i}"] for i in range(len(archive.files) - 1)]
    begin = time.perf_counter()
    list(EARS[name](sounds[:n_warm], rate))
    start_up = time.perf_counter() - begin
    before, begin = processor_seconds(), time.perf_counter()
    n_spikes = sum(EARS[name](sounds, rate))
    found = {"wall": time.perf_counter() - begin, "processor": processor_seconds() - before}
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return found | {"start_up": start_up, "n_spikes": n_spikes, "peak_mb": peak / 1024}


def see(name: str, size: int, rounds: int) -> dict[str, Any]:
    """Return processor seconds per movie, and spikes or events of one; mosaics and compilation are at hand."""
    from snncompare.encoding.encoder import presentation_seed
    from snncompare.encoding.stimuli import Movie
    from snncompare.encoding.visual.event_camera import EventCamera
    from snncompare.encoding.visual.retina import Retina

    eye = {"retina": Retina, "event_camera": EventCamera}[name]()
    noise = np.random.default_rng(SEED).random((N_FRAMES, size, size))
    movie = Movie(noise, f"{FRAME_RATE} Hz", WIDTH / size)
    eye.fire(movie, presentation_seed(SEED, 0))
    seconds, n_spikes = [], 0
    for k in range(rounds):
        before = processor_seconds()
        n_spikes = int(eye.fire(movie, presentation_seed(SEED, k + 1)).counts.sum())
        seconds.append(processor_seconds() - before)
    return {"seconds": seconds, "n_spikes": n_spikes, "n_units": len(eye.units(movie))}


class Trainer:
    """A training step as `snncompare.learning.fit` takes it, on one thread."""

    def __init__(self, dataset: Any, dt: float) -> None:
        from snncompare.backends.realisation import realise
        from snncompare.backends.torch.module import TorchNetwork
        from snncompare.circuits.recurrent import recurrent_classifier
        from snncompare.learning.losses import Classification
        from snncompare.learning.optimiser import Optimiser
        from snncompare.learning.rule import surrogate_gradient

        network = recurrent_classifier(inputs=len(dataset.units), hidden=HIDDEN, classes=len(dataset.classes))
        rule = surrogate_gradient(width="10 mV", scale="1 mV")
        drawn = realise(network, SEED, dt=dt)
        self.module = TorchNetwork(network, dt, drawn, surrogate=rule.surrogate, paths=rule.paths)
        self.optimiser, self.loss = Optimiser(self.module, rule), Classification("readout", "1 mV")
        self.optimiser.set_rate(1e-3)

    def epoch(self, batches: Iterable[Any]) -> tuple[float, float]:
        """Return the seconds that it took to learn from all batches, and those of them spent waiting for a batch."""
        import torch

        waited, begin = 0.0, time.perf_counter()
        asked = begin
        for spikes, labels in batches:
            waited += time.perf_counter() - asked
            activity = self.module({"receptors": spikes.to(torch.float64)}, traces=self.loss.reads.traces)
            self.optimiser.step(self.loss(self.loss.reads.of(activity), labels))
            asked = time.perf_counter()
        return time.perf_counter() - begin, waited


def load(name: str, n_rounds: int, n_shards: int) -> dict[str, Any]:
    """Return seconds of loading, of training and of both at once, per round, for a dataset that is not built and built.

    A round has whole shards that were never asked for before, and new workers, which have kept nothing in memory.
    """
    import torch

    import snncompare as sc
    from snncompare.datasets.shards import SHARD
    from snncompare.learning.data_loader import data_loader

    torch.set_num_threads(1)
    options, dt, longest = TASKS[name]
    whole = sc.datasets.load(name, **options)
    in_shard, short = np.arange(len(whole)) // SHARD, (whole.trials["stop"] <= longest + dt / 2).to_numpy()
    chosen = np.random.default_rng(SEED).choice(len(whole) // SHARD, (n_rounds, n_shards), replace=False)
    parts = [whole.subset(np.isin(in_shard, shards) & short) for shards in chosen]

    def loader(part: Any) -> Any:
        return data_loader(part, dt=f"{dt} s", duration=f"{longest} s", batch_size=BATCH, workers=WORKERS)

    begin = time.perf_counter()
    first = next(iter(loader(parts[0])))
    found: dict[str, Any] = {"start_up": time.perf_counter() - begin, "n_built": chosen.size * SHARD}
    whole.source.encoder.fire(whole.source.stimulus(0), np.random.SeedSequence(SEED))  # workers inherit compiled code
    trainer = Trainer(whole, dt)
    trainer.epoch([first])
    found["on_the_fly"] = rounds(trainer, loader, parts)
    begin = time.perf_counter()
    whole.subset(np.isin(in_shard, chosen)).build(workers=WORKERS, progress=False)
    found["build_seconds"] = time.perf_counter() - begin
    return found | {"built": rounds(trainer, loader, parts)}


def rounds(trainer: Trainer, loader: Callable[[Any], Any], parts: Sequence[Any]) -> dict[str, list[float]]:
    found = [one_round(trainer, loader, part) for part in parts]
    return {key: [one[key] for one in found] for key in found[0]}


def one_round(trainer: Trainer, loader: Callable[[Any], Any], part: Any) -> dict[str, float]:
    """Return seconds per trial: loading alone, training alone, both in two epochs, loading alone in the third."""
    begin, before = time.perf_counter(), processor_seconds()
    batches = list(loader(part))  # and its workers end, so that their time is counted
    found = {"loading": time.perf_counter() - begin, "loading_processor": processor_seconds() - before}
    before = processor_seconds()
    found["training"], _ = trainer.epoch(batches)
    found["training_processor"] = processor_seconds() - before
    fresh = loader(part)
    for epoch in EPOCHS:
        found[epoch], found[f"{epoch}_waiting"] = trainer.epoch(fresh)
    begin = time.perf_counter()
    list(fresh)
    found["later_loading"] = time.perf_counter() - begin
    return {name: seconds / len(part) for name, seconds in found.items()}


WORK: dict[str, Callable[..., dict[str, Any]]] = {"hear": hear, "see": see, "load": load}


def in_fresh_process(what: str, *arguments: object, **environment: str) -> dict[str, Any]:
    """Return what one of `WORK` finds in a process of its own, every library with one thread."""
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    command = [sys.executable, __file__, "--work", json.dumps([what, *arguments])]
    variables = os.environ | threads | environment
    done = subprocess.run(command, env=variables, check=False, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{what} {arguments} ended with {done.returncode}.")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def heard(name: str, sounds: Sequence[np.ndarray], rate: int) -> dict[str, float]:
    """Return what it takes to encode sounds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sounds.npz"
        np.savez(file, rate=rate, **{f"sound_{i}": samples for i, samples in enumerate(sounds)})
        found = in_fresh_process("hear", name, str(file), int(name != "lauscher"))
    seconds = sum(samples.size for samples in sounds) / rate
    took = f"{found['processor']:8.1f} s of processor time, {found['wall']:.1f} s by the clock"
    rest = f"peak {found['peak_mb']:6.0f} MB, first sound {found['start_up']:.1f} s"
    print(f"{name:14s} {len(sounds):5d} sounds of {seconds:6.1f} s at {rate} Hz: {took}, {rest}", flush=True)
    return found | {"seconds_of_sound": seconds, "per_second": found["processor"] / seconds}


def ears(quick: bool) -> Numbers:
    """Return the numbers of the ears: all digits with ours, one random digit with lauscher too."""
    from scipy.signal import resample_poly

    recordings = digits(QUICK_DIGITS if quick else N_DIGITS)
    short = [i for i, samples in enumerate(recordings) if samples.size / 8000 <= LONGEST]
    one = recordings[int(np.random.default_rng(SEED).choice(short))][: 800 if quick else None]
    metrics: Numbers = {}
    theirs: dict[int, float] = {}
    for rate in (HIGH_RATE, 8000):
        sounds = [one if rate == 8000 else np.clip(resample_poly(one, rate, 8000), -1, 1)]
        both = {name: heard(name, sounds, rate) for name in ("ours", "lauscher")}
        theirs[rate] = both["lauscher"]["per_second"]
        source = f"a random recording of {one.size / 8000:.2f} s (at most {LONGEST:g} s), seed {SEED}, at {rate} Hz"
        keys = {"processor": "processor_seconds", "wall": "seconds", "peak_mb": "peak_mb", "n_spikes": "spikes"}
        for name, found in both.items():
            for key, called in keys.items():
                metrics[f"cochlea_{rate}_{name}_{called}"] = number(found[key], source)
            metrics[f"cochlea_{rate}_{name}_start_up_seconds"] = number(found["start_up"], "first sound, by the clock")
        metrics[f"cochlea_{rate}_ratio"] = number(both["lauscher"]["processor"] / both["ours"]["processor"], source)
    for ear, prefix in (("ours", "cochlea_ours"), ("auditory_nerve", "auditory_nerve")):
        whole = heard(ear, recordings, 8000)
        seconds, ms = whole["seconds_of_sound"], 1e3 * whole["processor"] / len(recordings)
        metrics |= {
            f"{prefix}_digits": number(len(recordings), "recordings of shared/data/spoken_digits"),
            f"{prefix}_digits_seconds": number(whole["processor"], f"processor time for {seconds:.0f} s of sound"),
            f"{prefix}_ms_per_sound": number(ms, "processor time, one thread"),
            f"{prefix}_per_second_of_sound": number(whole["per_second"], "processor time, one thread"),
            f"{prefix}_digits_peak_mb": number(whole["peak_mb"], "resident memory, Python and libraries included"),
        }
        for rate, lasted in theirs.items():
            source = f"lauscher at {rate} Hz / {ear}, per second of sound" + ", another model" * (ear != "ours")
            metrics[f"{prefix}_per_second_times_lauscher_{rate}"] = number(lasted / whole["per_second"], source)
    return metrics


def eyes(quick: bool) -> Numbers:
    """Return frames per second of the retina and of the event camera, as they come."""
    metrics: Numbers = {}
    for name in ("retina", "event_camera"):
        for size in SIZES:
            found = in_fresh_process("see", name, size, 1 if quick else 7)
            speeds = N_FRAMES / np.array(found["seconds"])
            what = f"{N_FRAMES} frames of noise at {FRAME_RATE} Hz, {WIDTH:g} degrees wide, {found['n_units']} units"
            metrics[f"{name}_{size}_frames_per_second"] = median(speeds, f"processor time, one thread; {what}")
            metrics[f"{name}_{size}_spikes_per_frame"] = number(found["n_spikes"] / N_FRAMES, what)
            print(f"{name} at {size} x {size}: {np.median(speeds):.0f} frames per second ({what})", flush=True)
    return metrics


def loading(quick: bool) -> Numbers:
    """Return whether two workers deliver trials faster than a training step consumes them, not built and built."""
    metrics: Numbers = {}
    print("| dataset | spikes | loading, 1/s | training, 1/s | ratio | later | first epoch, % | next epoch, % |")
    print("|---|---|---|---|---|---|---|---|")
    for name in TASKS:
        with tempfile.TemporaryDirectory() as cache:
            found = in_fresh_process("load", name, *((1, 1) if quick else (ROUNDS, N_SHARDS)), SNNCOMPARE_CACHE=cache)
        for how in ("on_the_fly", "built"):
            taken = {key: np.array(values) for key, values in found[how].items()}
            numbers = loading_numbers(taken)
            shown = " | ".join(format(numbers[key]["value"], form) for key, form in SHOWN.items())
            print(f"| {name} | {how.replace('_', ' ')} | {shown} |", flush=True)
            metrics |= {f"loading_{name}_{how}_{key}": entry for key, entry in numbers.items()}
        metrics[f"loading_{name}_start_up_seconds"] = number(found["start_up"], "first batch of a new process")
        source = f"trials stored per second, start of {WORKERS} workers included"
        metrics[f"loading_{name}_build_per_second"] = number(found["n_built"] / found["build_seconds"], source)
    return metrics


EPOCHS = ("first_epoch", "next_epoch")
SHOWN = {"loading_per_second": ".0f", "training_per_second": ".0f", "over_training": ".2f"}
SHOWN |= {"later_over_training": ".1f"} | {f"{epoch}_overhead_percent": "+.0f" for epoch in EPOCHS}


def loading_numbers(taken: dict[str, np.ndarray]) -> Numbers:
    """Return rates and ratios, the ratios formed within each round."""
    how = {"loading": f"{WORKERS} workers alone", "training": f"one thread alone, {HIDDEN} hidden neurons"}
    found: Numbers = {}
    for what, means in how.items():
        source = f"{means}, batches of {BATCH}"
        found[f"{what}_per_second"] = median(1 / taken[what], f"trials per second by the clock, {source}")
        found[f"{what}_ms_per_trial"] = median(1e3 * taken[f"{what}_processor"], f"processor time, {source}")
    found["over_training"] = median(taken["training"] / taken["loading"], "rate of loading / rate of training")
    later = taken["training"] / taken["later_loading"]
    found["later_over_training"] = median(later, "the same in the third epoch: what workers remember")
    for epoch in EPOCHS:
        overhead = 100 * (taken[epoch] / taken["training"] - 1)
        found[f"{epoch}_overhead_percent"] = median(overhead, "of loading and training at once, above training alone")
        waited = 100 * taken[f"{epoch}_waiting"] / taken[epoch]
        found[f"{epoch}_waiting_percent"] = median(waited, "of that time, waiting for a batch")
    return found


PARTS: tuple[Callable[[bool], Numbers], ...] = (ears, eyes, loading)
"""What is measured, one after the other; each takes `quick`."""


def number(value: float, source: str) -> dict[str, object]:
    return {"value": value, "published": None, "source": source}


def median(values: np.ndarray, source: str) -> dict[str, object]:
    spread = f"median of {values.size} rounds, {values.min():.3g} to {values.max():.3g}"
    return number(float(np.median(values)), f"{source}; {spread}")


def judged(metrics: Numbers) -> list[str]:
    """Print the ratios that are asked for; return those that are too small."""
    missed = []
    for name, entry in metrics.items():
        least = LEAST_RATIO if name.endswith("_ratio") else 1.0 if name.endswith("_over_training") else None
        if least is not None:
            enough = float(str(entry["value"])) > least
            print(f"{name}: {entry['value']:.3g}, {'above' if enough else 'NOT above'} {least:g}")
            missed += [] if enough else [name]
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/speed_encoding"))
    parser.add_argument("--quick", action="store_true", help="few sounds and trials, for a look at whether it works")
    parser.add_argument("--part", choices=[part.__name__ for part in PARTS], help="measure only this")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        what, *given = json.loads(arguments.work)
        print(json.dumps(WORK[what](*given)))
        return
    from snncompare import provenance

    begin, load_before = time.perf_counter(), os.getloadavg()[0]
    metrics: Numbers = {}
    for part in PARTS:
        if arguments.part in (None, part.__name__):
            metrics |= part(arguments.quick)
    missed = [name for name in judged(metrics) if name.endswith("_ratio")]
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "results.json"
    results = {"study": "speed_encoding", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    collected = provenance.collect(seed=SEED, processors=os.cpu_count(), load=load_before)
    file.write_text(json.dumps(results | {"quick": arguments.quick, "provenance": collected}, indent=2) + "\n")
    print(file)
    if missed and not arguments.quick:
        raise SystemExit(f"less than {LEAST_RATIO:g} times as fast as lauscher: {', '.join(missed)}.")


if __name__ == "__main__":
    main()
