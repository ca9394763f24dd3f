"""A network with the weights that training gave it, its learning curve and where it came from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.backends.program import Program
from snncompare.backends.realisation import Realisation
from snncompare.backends.registry import compile as compile_network
from snncompare.backends.sidecar import load_realisation, save_realisation
from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import FileError
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = ["Trained"]


@dataclass(frozen=True, eq=False)
class Trained:
    """What `fit` returns.

    Attributes
    ----------
    network : Network
        With what was trained for whole populations or projections written into it.
    realisation : Realisation
        Weights, delays and values of single neurons after training.
    history : pandas.DataFrame
        One row per epoch: ``epoch``; ``loss`` of the training trials, with penalties; ``train_accuracy``; accuracy and
        loss of the other parts, ``test_accuracy``, ``test_loss``, ``validation_accuracy``, ``validation_loss``; firing
        rates in hertz of the test trials (without them, of training), ``rate`` and one ``rate_<population>`` each;
        ``gradient_norm``, in units of what is changed. Accuracies only where the loss asks for a class.
    provenance : dict
    """

    network: Network
    realisation: Realisation
    history: pd.DataFrame
    provenance: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def weights(self) -> Mapping[str, NDArray[np.float64]]:
        """Projection name to weights (n_source, n_target) in SI units, zero where there is no synapse."""
        return self.realisation.dense_weights()

    def compile(self, backend: str = "torch", *, dt: str, **options: Any) -> Program:
        """Return the trained network compiled for a backend, see `snncompare.compile`."""
        return compile_network(self.network, backend, dt=dt, weights=self.realisation, **options)

    def respond(
        self,
        dataset: SpikeDataset,
        *,
        dt: QuantityLike,
        record: Sequence[str] | None = None,
        duration: QuantityLike | None = None,
    ) -> Recording:
        """Return the spikes that the network fires to a dataset, see `snncompare.learning.respond.responses`."""
        from snncompare.backends.torch.module import TorchNetwork
        from snncompare.learning.respond import responses

        module = TorchNetwork(self.network, seconds(dt, "dt"), self.realisation)
        return responses(module, dataset, dt=dt, record=record, duration=duration)

    def save(self, directory: str | Path) -> Path:
        """Write ``network.yaml``, ``weights.npz``, ``history.csv`` and ``provenance.json`` into a directory."""
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.network.save(directory / "network.yaml")
        save_realisation(directory / "weights.npz", self.realisation)
        self.history.to_csv(directory / "history.csv", index=False)
        (directory / "provenance.json").write_text(json.dumps(self.provenance, indent=2), encoding="utf-8")
        return directory

    @classmethod
    def load(cls, directory: str | Path) -> Self:
        """Read what `save` wrote."""
        directory = Path(directory)
        if not (directory / "network.yaml").is_file():
            raise FileError(f"'{directory}' holds no trained network; expected network.yaml and weights.npz in it.")
        provenance = json.loads((directory / "provenance.json").read_text(encoding="utf-8"))
        history = pd.read_csv(directory / "history.csv")
        realisation = load_realisation(directory / "weights.npz")
        return cls(Network.load(directory / "network.yaml"), realisation, history, provenance)
