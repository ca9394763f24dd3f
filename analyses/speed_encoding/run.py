"""Measure how fast sounds become spikes: our Heidelberg cochlea beside lauscher, each in a process of its own."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

Numbers = dict[str, dict[str, object]]
SEED = 0
N_CHANNELS, HIGH_RATE = 700, 48_000
N_SAMPLE, QUICK_SAMPLE = 2, 1
N_DIGITS, QUICK_DIGITS = 1000, 10
LONGEST = 0.4
"""Seconds of sound in the sample: lauscher needs 5.4 GB per second of sound at 48 kHz."""
LEAST_RATIO = 50.0


def digits(n: int) -> list[np.ndarray]:
    """Return recordings of the spoken digits at 8 kHz, relative to full scale."""
    import snncompare as sc

    samples = sc.datasets.load("spoken_digits_heidelberg").source.samples
    chosen = np.linspace(0, len(samples.table) - 1, n).round().astype(int)
    return [samples.stimulus(int(i)).samples for i in chosen]


def ours(sounds: Sequence[np.ndarray], rate: int) -> Iterator[int]:
    """Yield the number of spikes of each sound."""
    from snncompare.encoding.auditory.heidelberg import Heidelberg
    from snncompare.encoding.encoder import presentation_seed
    from snncompare.encoding.stimuli import Sound

    ear = Heidelberg(n_channels=N_CHANNELS)
    for i, samples in enumerate(sounds):
        yield int(ear.fire(Sound(samples, f"{rate} Hz"), presentation_seed(SEED, i)).counts.sum())


def lauscher(sounds: Sequence[np.ndarray], rate: int) -> Iterator[int]:
    """Yield the number of spikes of each sound, in one worker process, as its command does with --jobs 1."""
    from lauscher.audiowaves import MonoAudioWave
    from lauscher.helpers import CommandLineArguments
    from lauscher.transformations.wave2spike import Wave2Spike

    CommandLineArguments().num_concurrent_jobs = 1
    np.random.seed(SEED)  # noqa: NPY002 (theirs draws from the global generator)
    for samples in sounds:
        wave = MonoAudioWave(samples.copy(), rate)
        yield int(wave.transform(Wave2Spike(num_channels=N_CHANNELS)).spike_times.size)


WORKERS: dict[str, Callable[[Sequence[np.ndarray], int], Iterator[int]]] = {"ours": ours, "lauscher": lauscher}


def processor_seconds() -> float:
    """Return the processor time of this process and of those it has waited for, which lauscher's pools are."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def work(name: str, file: Path, n_warm: int) -> None:
    """Encode the sounds in a file and print what it took; the first `n_warm` are encoded once more before."""
    with np.load(file) as archive:
        rate, sounds = int(archive["rate"]), [archive[f"sound_{i}"] for i in range(len(archive.files) - 1)]
    begin = time.perf_counter()
    list(WORKERS[name](sounds[:n_warm], rate))
    start_up = time.perf_counter() - begin
    before, begin = processor_seconds(), time.perf_counter()
    n_spikes = sum(WORKERS[name](sounds, rate))
    measured = {"wall": time.perf_counter() - begin, "processor": processor_seconds() - before}
    measured |= {"start_up": start_up, "n_spikes": n_spikes}
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps(measured | {"peak_mb": peak / 1024}))


def measured(name: str, sounds: Sequence[np.ndarray], rate: int, n_warm: int) -> dict[str, float]:
    """Return what it takes a fresh process with one thread to encode sounds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sounds.npz"
        np.savez(file, rate=rate, **{f"sound_{i}": samples for i, samples in enumerate(sounds)})
        threads = {f"{what}_NUM_THREADS": "1" for what in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
        command = [sys.executable, __file__, "--work", name, str(file), str(n_warm)]
        done = subprocess.run(command, env=os.environ | threads, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    seconds = sum(samples.size for samples in sounds) / rate
    print(
        f"{name:9s} {len(sounds):5d} sounds of {seconds:6.1f} s at {rate} Hz: {found['processor']:8.1f} s of "
        f"processor time, {found['wall']:.1f} s by the clock, "
        f"peak {found['peak_mb']:6.0f} MB, first sound {found['start_up']:.1f} s",
        flush=True,
    )
    return found | {"seconds_of_sound": seconds}


def cochlea(quick: bool) -> Numbers:
    """Return the numbers of the cochlea: all digits with ours, a random sample with both."""
    from scipy.signal import resample_poly

    recordings = digits(QUICK_DIGITS if quick else N_DIGITS)
    n_sample = QUICK_SAMPLE if quick else N_SAMPLE
    short = [i for i, samples in enumerate(recordings) if samples.size / 8000 <= LONGEST]
    sample = [recordings[i] for i in sorted(np.random.default_rng(SEED).choice(short, n_sample, replace=False))]
    metrics: Numbers = {}
    for rate in (HIGH_RATE, 8000):
        sounds = [np.clip(resample_poly(one, rate, 8000), -1, 1) for one in sample] if rate != 8000 else sample
        both = {name: measured(name, sounds, rate, int(name == "ours")) for name in WORKERS}
        source = f"{n_sample} random recordings of at most {LONGEST:g} s, seed {SEED}, at {rate} Hz"
        for name, found in both.items():
            metrics[f"cochlea_{rate}_{name}_processor_seconds"] = number(found["processor"], source)
            metrics[f"cochlea_{rate}_{name}_seconds"] = number(found["wall"], source)
            metrics[f"cochlea_{rate}_{name}_start_up_seconds"] = number(
                found["start_up"], "before; first sound, by the clock"
            )
            metrics[f"cochlea_{rate}_{name}_peak_mb"] = number(found["peak_mb"], source)
            metrics[f"cochlea_{rate}_{name}_spikes"] = number(found["n_spikes"], source)
        metrics[f"cochlea_{rate}_ratio"] = number(both["lauscher"]["processor"] / both["ours"]["processor"], source)
    whole = measured("ours", recordings, 8000, 1)
    seconds = whole["seconds_of_sound"]
    return metrics | {
        "cochlea_ours_digits": number(len(recordings), "recordings of shared/data/spoken_digits"),
        "cochlea_ours_digits_seconds": number(whole["processor"], f"processor time for {seconds:.0f} s of sound"),
        "cochlea_ours_per_second_of_sound": number(whole["processor"] / seconds, "processor time, one thread"),
        "cochlea_ours_digits_peak_mb": number(whole["peak_mb"], "resident memory, Python and libraries included"),
    }


PARTS: tuple[Callable[[bool], Numbers], ...] = (cochlea,)
"""What is measured, one after the other; each takes `quick`."""


def number(value: float, source: str) -> dict[str, object]:
    return {"value": value, "published": None, "source": source}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/speed_encoding"))
    parser.add_argument("--quick", action="store_true", help="few sounds, for a look at whether it works")
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work[0], Path(arguments.work[1]), int(arguments.work[2]))
        return
    from snncompare import provenance

    begin = time.perf_counter()
    metrics: Numbers = {}
    for part in PARTS:
        metrics |= part(arguments.quick)
    for name in (name for name in metrics if name.endswith("_ratio")):
        print(f"{name}: {metrics[name]['value']:.0f}")
        if metrics[name]["value"] < LEAST_RATIO:
            raise SystemExit(f"{name} is below {LEAST_RATIO:g}.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "results.json"
    results = {"study": "speed_encoding", "metrics": metrics, "seconds": round(time.perf_counter() - begin, 1)}
    file.write_text(
        json.dumps(results | {"quick": arguments.quick, "provenance": provenance.collect(seed=SEED)}, indent=2) + "\n"
    )
    print(file)


if __name__ == "__main__":
    main()
