"""What becomes of a trained network on many chips of one kind: one row per chip and metric; no file is written."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.registry import compile as compile_network
from snncompare.commands.mismatch.probe import Ideal, Probe, ideal_responses, inputs_of
from snncompare.commands.mismatch.representations import representation_rows
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from snncompare.learning.losses import Loss
    from snncompare.learning.trained import Trained

__all__ = ["COLUMNS", "measure_devices"]

COLUMNS: dict[str, str] = {
    "device_seed": "number of the device",
    "accuracy": "fraction of the test trials that are classified correctly",
    "loss": "mean loss over the test trials",
    "rate": "mean firing rate of the neurons while the probe is shown, hertz",
    "energy": "estimate of the energy of one trial, joule",
    "synaptic_operations": "spikes times synapses that they reach, in one trial",
    "metric": "spike-train metric",
    "time_scale": "its time scale, seconds",
    "spike_distance": "mean distance to the response of the ideal network to the same trial",
    "relative_distance": "spike distance, divided by that between the ideal's responses to different conditions",
    "similarity_to_ideal": "similarity of the RDM to that of the ideal network",
    "similarity_to_recording": "similarity of the RDM to that of the recording, mean over subjects",
}
"""Columns of the table, and what they hold; not a number where it was not asked for."""

_NUMBERS = [name for name in COLUMNS if name not in ("device_seed", "metric")]


def measure_devices(
    trained: "Trained",
    test: SpikeDataset | None,
    loss: "Loss | None",
    *,
    profile: ChipProfile,
    device_seeds: Sequence[int],
    dt: QuantityLike,
    probe: Probe | None = None,
    ideal: Ideal | None = None,
    seed: int = 0,
    devices_at_once: int = 16,
) -> pd.DataFrame:
    """Return how a network does on chips: accuracy, distance of its spikes to the ideal, similarity of RDMs, energy.

    Each device carries out every trial of `test` and of the probe; whatever is random depends on its seed, on `seed`
    and on the number of the trial only, so that a device does the same in any company.

    Parameters
    ----------
    trained : Trained
        What is asked for, in float weights.
    test : SpikeDataset, optional
    loss : Loss, optional
        What says which answer is right; accuracy needs both.
    profile : ChipProfile
    device_seeds : sequence of int
    dt : time
    probe : Probe, optional
        What is shown to compare spikes and representations, and to count operations.
    ideal : Ideal, optional
        `ideal_responses` of the same network and probe, where there is one already.
    seed : int
        Of what changes from run to run.
    devices_at_once : int
        Carried out side by side; the numbers do not depend on it.

    Returns
    -------
    pandas.DataFrame
        One row per device and metric (one per device without a probe), see `COLUMNS`.

    Raises
    ------
    InputError
        Without anything to measure, or if the chips cannot hold the network.
    """
    if probe is None and (test is None or loss is None):
        raise InputError("there is nothing to measure; give test=, a dataset, and loss=, or probe=.")
    if devices_at_once < 1 or not len(device_seeds) or len(set(device_seeds)) < len(device_seeds):
        raise InputError(f"device_seeds are different numbers, at least one, got {list(device_seeds)}.")
    reference = ideal_responses(trained, probe, dt=dt) if probe is not None and ideal is None else ideal
    tables = []
    for first in range(0, len(device_seeds), devices_at_once):
        some = [int(each) for each in device_seeds[first : first + devices_at_once]]
        answers = _answers(trained, test, loss, profile=profile, device_seeds=some, dt=dt, seed=seed)
        shown: list[list[dict[str, Any]]] = [[{"metric": ""}] for _ in some]
        if probe is not None and reference is not None:
            shown = _shown(trained, probe, reference, profile=profile, device_seeds=some, dt=dt, seed=seed)
        tables += [{"device_seed": d, **answers[d], **row} for d, rows in zip(some, shown, strict=True) for row in rows]
    table = pd.DataFrame(tables, columns=list(COLUMNS))
    table[_NUMBERS] = table[_NUMBERS].astype(np.float64)
    return table


def _answers(
    trained: "Trained", test: SpikeDataset | None, loss: "Loss | None", **given: Any
) -> Mapping[int, dict[str, float]]:
    """Return accuracy and loss of each device."""
    if test is None or loss is None:
        return {device: {} for device in given["device_seeds"]}
    from snncompare.learning.on_chip import evaluate_on_chip

    found = evaluate_on_chip(trained, test, loss, **given)
    kept = [name for name in ("accuracy", "loss", "rate") if name in found]
    return {int(row["device_seed"]): {name: float(row[name]) for name in kept} for row in found.to_dict("records")}


def _shown(
    trained: "Trained", probe: Probe, ideal: Ideal, *, profile: ChipProfile, device_seeds: list[int], dt: Any, seed: int
) -> list[list[dict[str, Any]]]:
    """Return the rows of each device on the probe, one per metric."""
    inputs, duration = inputs_of(trained.network, probe.dataset, dt)
    options: dict[str, Any] = {"profile": profile, "device_seed": device_seeds}
    program: Any = compile_network(trained.network, "analog", dt=dt, weights=trained.realisation, **options)
    together = program.run(inputs, duration=duration, seed=seed)
    apart = _by_device(together, len(device_seeds))
    rows = representation_rows(ideal, [probe.of(activity) for activity in apart], probe)
    for chip, activity, own in zip(program.chips, apart, rows, strict=True):
        rate = activity.times.size / (activity.n_units * activity.n_trials * seconds(duration))
        counted = {"rate": float(rate), **_operations(trained, chip, inputs, activity, ideal, dt)}
        for row in own:
            row.update(counted)
    return rows


def _by_device(together: Recording, n_devices: int) -> list[Recording]:
    """Return the trials of each device; in the run they stand one device after the other."""
    device = np.arange(together.n_trials) // (together.n_trials // n_devices)
    return [together.select(trials=device == k) for k in range(n_devices)]


def _operations(
    trained: "Trained", chip: Any, inputs: Mapping[str, Recording], activity: Recording, ideal: Ideal, dt: QuantityLike
) -> dict[str, float]:
    """Return energy and synaptic operations of one trial, of the synapses that the chip has left."""
    if ideal.cost is None:
        return {}
    from snncompare.learning.cost.spiking import cost_of_recording

    cost = cost_of_recording(trained.network, chip.realisation(), inputs, activity, dt=dt)
    return {"energy": float(cost.energy()), "synaptic_operations": float(cost.synaptic_operations)}
