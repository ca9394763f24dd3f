"""The sensory task: tell which of several frozen songs was heard, among sounds of the animal's statistics."""

from dataclasses import dataclass
from pathlib import Path

from snncompare import datasets
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.commands.demo.settings import DemoSettings
from snncompare.encoding.receptors import ReceptorPopulation
from snncompare.learning.fit import fit
from snncompare.learning.losses import Classification, RateLimit
from snncompare.learning.readout import linear_readout_accuracy
from snncompare.learning.rule import surrogate_gradient
from snncompare.learning.trained import Trained
from snncompare.units import seconds

__all__ = ["Training", "train"]


@dataclass(frozen=True, eq=False)
class Training:
    """A trained network, its untrained twin, and how well each does on presentations it never heard.

    Attributes
    ----------
    trained, untrained : Trained
        Same network and same initial weights; the untrained one stayed as it was drawn.
    accuracy, untrained_readout_accuracy, chance : float
        Held-out fraction correct: of the trained network; of a linear readout trained to convergence on the untrained
        one; of guessing.
    """

    trained: Trained
    untrained: Trained
    accuracy: float
    untrained_readout_accuracy: float
    chance: float


def train(settings: DemoSettings, checkpoint: Path) -> Training:
    """Return the network trained on generated songs, with its controls; an interrupted training goes on."""
    songs = datasets.load(
        "song_envelopes",
        n_classes=settings.songs,
        n_per_class=settings.presentations_per_song,
        duration=settings.song_duration,
        similarity=settings.song_similarity,
        encoder=ReceptorPopulation(size=settings.receptors),
        seed=settings.seed,
    )
    held_out, learnt = songs.split(settings.held_out_fraction, seed=settings.seed)
    network = recurrent_classifier(inputs=settings.receptors, hidden=settings.hidden, classes=settings.songs)
    trained = fit(
        network,
        surrogate_gradient(width="0.5 mV", scale="10 mV", learning_rate=settings.learning_rate),
        learnt,
        test=held_out,
        loss=Classification("readout", scale="2 mV"),
        penalties=[RateLimit("2 Hz", "80 Hz")],
        dt=settings.dt,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        seed=settings.seed,
        checkpoint=checkpoint,
    )
    step = seconds(settings.dt)
    drawn = realise(network, settings.seed, dt=step)
    untrained = Trained(network, drawn, trained.history.iloc[:0])
    module = TorchNetwork(network, step, drawn)
    return Training(
        trained=trained,
        untrained=untrained,
        accuracy=float(trained.history["test_accuracy"].iloc[-1]),
        untrained_readout_accuracy=linear_readout_accuracy(module, "hidden", learnt, held_out, dt=settings.dt),
        chance=1 / settings.songs,
    )
