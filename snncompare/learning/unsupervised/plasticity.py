"""Let plastic synapses learn from a dataset that is presented to them, one trial after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from snncompare import provenance
from snncompare.backends.activity import spiking
from snncompare.backends.presenter import Presenter
from snncompare.backends.realisation import Given, realise
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError, unknown
from snncompare.learning.trained import Trained
from snncompare.learning.unsupervised.progress_file import ProgressFile
from snncompare.network.network import Network
from snncompare.units import QuantityLike, seconds
from snncompare.values import check_arguments, check_fields

__all__ = ["Homeostasis", "learn_by_plasticity"]


@dataclass(frozen=True, kw_only=True)
class Homeostasis:
    """What keeps plastic synapses and their neurons in bounds from one presentation to the next.

    Parameters
    ----------
    keep : mapping
        Population to variables that outlast a presentation, such as an adaptive threshold. All other state begins
        anew, as after a long pause.
    normalise : mapping
        Plastic projection to what the weights onto each target neuron sum to before every presentation, in SI units.
    at_least : int
        Spikes of `population` below which the trial is shown again with stronger input, as long as there is one.
    population : str
        Needed with `at_least`.
    """

    keep: Mapping[str, Sequence[str]] = field(default_factory=dict)
    normalise: Mapping[str, float] = field(default_factory=dict)
    at_least: int = 0
    population: str | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.at_least < 0 or (self.at_least > 0 and self.population is None):
            raise InputError("at_least is a number of spikes, not negative, and needs the population that fires them.")
        for name, total in self.normalise.items():
            if not 0 < total < np.inf:
                raise InputError(f"normalise: weights of '{name}' must sum to something positive, got {total}.")


def learn_by_plasticity(
    network: Network,
    dataset: SpikeDataset,
    *,
    dt: QuantityLike,
    homeostasis: Homeostasis,
    stronger: Sequence[SpikeDataset] = (),
    passes: int = 1,
    batch_size: int = 1,
    seed: int = 0,
    weights: Given | None = None,
    backend: str = "torch",
    report_every: int = 500,
    checkpoint: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
    **options: Any,
) -> Trained:
    """Return the network as its plastic synapses have become after a dataset was presented; labels are not looked at.

    Parameters
    ----------
    network : Network
        With one spike source and plastic synapses (whose ``on_pre`` or ``on_post`` changes ``w``).
    dataset : SpikeDataset
        Trials of one length, at most one spike of a unit in a time step.
    dt : quantity
        Time step.
    homeostasis : Homeostasis
    stronger : sequence of SpikeDataset
        The same trials with ever more spikes, see `Homeostasis.at_least`.
    passes : int
        Times that all trials are shown, each time in another random order.
    batch_size : int
        Trials that are shown side by side, see `Presenter`; one is what a brain does, more is faster.
    seed : int
        Of what is drawn in the network, and of the order.
    weights : Realisation or mapping, optional
        What is not drawn, see `snncompare.backends.realisation.Given`.
    backend : str
        ``"torch"``, ``"brian2"`` or ``"fused"`` (the fastest, one trial after the other); in float64 all give the same
        weights.
    report_every : int
        Presentations per row of the history, and between two checkpoints.
    checkpoint : path, optional
        A file from which an interrupted training goes on; it is removed at the end.
    progress : callable, optional
        Receives one line per row of the history; without it a progress bar is shown.
    **options
        ``dtype`` (``"float64"`` or, twice as fast, ``"float32"``) of torch, ``target`` of Brian2.

    Returns
    -------
    Trained
        Its history has ``presentations``, ``spikes`` (mean per presentation of `Homeostasis.population`, else of all),
        ``repeats`` (share of presentations shown again), ``change`` (mean absolute change of a plastic weight in the
        block, relative to the mean weight) and the mean of every kept variable.

    Raises
    ------
    InputError
        If network, homeostasis and datasets do not fit together.
    FileError
        If the checkpoint belongs to another training.
    """
    check_arguments(learn_by_plasticity, locals())
    step = seconds(dt, "dt")
    _check(network, dataset, stronger, homeostasis)
    presenter = _presenter(backend, network, realise(network, seed, weights, dt=step), homeostasis, step, options)
    for name in homeostasis.normalise:
        if name not in presenter.weights:
            raise InputError("normalise: " + unknown("plastic projection", name, presenter.weights))
    record: dict[str, Any] = {
        "network": network.fingerprint(),
        "data": [part.source.fingerprint() for part in (dataset, *stronger)],
        "homeostasis": repr(homeostasis),
        "dt_seconds": step,
        "passes": passes,
        "batch_size": batch_size,
        "backend": backend,
        "options": repr(options),
        "report_every": report_every,
    }
    rng = np.random.default_rng([seed, 2])
    order = np.concatenate([rng.permutation(len(dataset)) for _ in range(passes)])
    saved = ProgressFile(
        None if checkpoint is None else Path(checkpoint), provenance.fingerprint(record | {"seed": seed})
    )
    first, rows = saved.resume(presenter)
    with tqdm(total=order.size, initial=first, desc="presenting", disable=progress is not None) as bar:
        for start in range(first, order.size, report_every):
            now = order[start : start + report_every]
            row = _block(presenter, now, (dataset, *stronger), homeostasis, dt, batch_size)
            rows.append({"presentations": start + now.size, **row})
            saved.save(presenter, start + now.size, rows)
            bar.update(now.size)
            if progress is not None:
                progress(", ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()))
    saved.remove()
    for name, total in homeostasis.normalise.items():
        presenter.normalise(name, total)
    return Trained(network, presenter.realisation(), pd.DataFrame(rows), provenance.collect(seed=seed, **record))


def _block(
    presenter: Presenter,
    indices: NDArray[np.int64],
    levels: Sequence[SpikeDataset],
    homeostasis: Homeostasis,
    dt: QuantityLike,
    batch_size: int,
) -> dict[str, float]:
    """Present some trials; return the row of the history that tells of them."""
    before = {name: weight.copy() for name, weight in presenter.weights.items()}
    fired, repeats = 0, 0
    for start in range(0, indices.size, batch_size):
        now = indices[start : start + batch_size]
        spikes = _present(presenter, levels[0].raster(now, dt), homeostasis)
        for weak in np.flatnonzero(spikes < homeostasis.at_least):
            for data in levels[1:]:
                repeats += 1
                spikes[weak] = _present(presenter, data.raster(now[[weak]], dt), homeostasis)[0]
                if spikes[weak] >= homeostasis.at_least:
                    break
        fired += int(spikes.sum())
    changes = [np.abs(weight - before[name]).mean() / before[name].mean() for name, weight in presenter.weights.items()]
    kept = {f"{name} {key}": float(value.mean()) for (name, key), value in presenter.values.items()}
    return {
        "spikes": fired / indices.size,
        "repeats": repeats / indices.size,
        "change": float(np.mean(changes)),
        **kept,
    }


def _present(presenter: Presenter, rasters: NDArray[np.bool_], homeostasis: Homeostasis) -> NDArray[np.int64]:
    """Present trials side by side; return the spikes that each evoked, shape (n_trials,)."""
    for name, total in homeostasis.normalise.items():
        presenter.normalise(name, total)
    counts = presenter.present(rasters)
    chosen = list(counts.values()) if homeostasis.population is None else [counts[homeostasis.population]]
    spikes: NDArray[np.int64] = np.sum([count.sum(axis=1) for count in chosen], axis=0)
    return spikes


def _presenter(
    backend: str, network: Network, realisation: Any, homeostasis: Homeostasis, dt: float, options: dict[str, Any]
) -> Presenter:
    allowed: dict[str, list[str]] = {"torch": ["dtype"], "brian2": ["target"], "fused": []}
    if backend not in allowed:
        raise InputError(unknown("backend that learns by plasticity", backend, allowed))
    for name in options:
        if name not in allowed[backend]:
            raise InputError(unknown(f"option of '{backend}'", name, allowed[backend]))
    if backend == "brian2":
        from snncompare.backends.brian2.presenter import Brian2Presenter

        return Brian2Presenter(network, realisation, homeostasis.keep, dt, **options)
    if backend == "fused":
        from snncompare.backends.fused.presenter import FusedPresenter

        return FusedPresenter(network, realisation, homeostasis.keep, dt)
    import torch

    from snncompare.backends.torch.presenter import TorchPresenter

    dtypes = {"float64": torch.float64, "float32": torch.float32}
    name = options.get("dtype", "float64")
    if name not in dtypes:
        raise InputError(unknown("dtype", name, dtypes))
    return TorchPresenter(network, realisation, homeostasis.keep, dt, dtypes[name])


def _check(network: Network, dataset: SpikeDataset, stronger: Sequence[SpikeDataset], homeostasis: Homeostasis) -> None:
    sources = network.sources()
    if len(sources) != 1:
        raise InputError(f"one spike source can be shown a dataset, '{network.name}' has {len(sources)}.")
    size = network.populations[sources[0]].size
    for data in (dataset, *stronger):
        if len(data.units) != size or len(data) != len(dataset):
            raise InputError(
                f"'{data.name}' has {len(data)} trials of {len(data.units)} units; {len(dataset)} trials of {size} "
                "units are needed."
            )
    if homeostasis.population is not None and homeostasis.population not in spiking(network):
        raise InputError("homeostasis: " + unknown("population that spikes", homeostasis.population, spiking(network)))
