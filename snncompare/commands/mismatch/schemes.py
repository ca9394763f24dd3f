"""Networks made fit for chips as a configuration asks: trained once and kept, so that a killed study goes on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snncompare import __version__
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.commands.compare_data import at, existing
from snncompare.commands.mismatch.config import MismatchConfig
from snncompare.commands.mismatch.data import Parts
from snncompare.commands.mismatch.keys import dataset_key, trained_key
from snncompare.commands.mismatch.points import Point, profile_at
from snncompare.commands.mismatch.scheme_config import (
    Adversarial,
    Calibrated,
    InTheLoop,
    MismatchAware,
    TrainedElsewhere,
    TrainingConfig,
)
from snncompare.commands.mismatch.study import Scheme
from snncompare.errors import FileError, InputError, SnncompareError, one_line
from snncompare.provenance import fingerprint

if TYPE_CHECKING:
    from snncompare.learning.trained import Trained
    from snncompare.network.network import Network

__all__ = ["SchemeTrainer"]


@dataclass(frozen=True, eq=False)
class SchemeTrainer:
    """What trains networks, and where they are kept.

    Attributes
    ----------
    config : MismatchConfig
    folder : Path
        Of the configuration.
    parts : Parts
    base : ChipProfile
        The study's profile.
    keep : Path
        Folder of the networks that were trained.
    say : callable
    """

    config: MismatchConfig
    folder: Path
    parts: Parts
    base: ChipProfile
    keep: Path
    say: Callable[[str], None]

    def first(self) -> "Trained":
        """Return the network that the study begins with: loaded, or trained.

        Raises
        ------
        FileError, InputError
            If it cannot be loaded, or training leads nowhere.
        """
        if self.config.trained is not None:
            with at("trained"):
                return _loaded(existing(self.folder, self.config.trained, "trained"))
        return self._kept(
            "the network", {"network": self.network().fingerprint()}, lambda at_work: self._fit(self.network(), at_work)
        )

    def network(self) -> "Network":
        """Return the description that is trained."""
        from snncompare.network.network import Network

        with at("network"):
            return Network.load(existing(self.folder, str(self.config.network), "network"))

    def schemes(self, first: "Trained") -> dict[str, Scheme]:
        """Return the schemes by name; those that know no device are trained now."""
        return {name: self._scheme(name, scheme, first) for name, scheme in self.config.schemes.items()}

    def check(self, asked: "Trained", profiles: Mapping[str, ChipProfile]) -> "dict[str, Trained]":
        """Refuse trainings that cannot be, by trainings of no epoch; return the networks that were trained elsewhere.

        Parameters
        ----------
        asked : Trained
            The network that the study begins with, or what it begins with before it is trained.
        profiles : mapping of str to ChipProfile
            Of the points of the study, by words that name them.

        Raises
        ------
        SnncompareError
            With the place in the configuration.
        """
        found = {}
        if self.config.training is not None:
            with at("training"):
                _rule(self.config.training)
                _penalties(self.config.training)
                if self.config.network is not None:
                    self._fit(asked.network, None, weights=asked.realisation, epochs=0)
        for name, scheme in self.config.schemes.items():
            with at(f"schemes.{name}"):
                if isinstance(scheme, TrainedElsewhere):
                    found[name] = self._elsewhere(scheme)
                elif isinstance(scheme, MismatchAware | Adversarial):
                    self._further(asked, self._on_chip(scheme), None, 0)
                elif isinstance(scheme, InTheLoop | Calibrated):
                    for profile in profiles.values():
                        self._for_device(asked, scheme, profile, self.config.devices[0], None, 0)
        return found

    def _elsewhere(self, scheme: TrainedElsewhere) -> "Trained":
        return _loaded(existing(self.folder, scheme.folder, "folder"))

    def _scheme(self, name: str, scheme: Any, first: "Trained") -> Scheme:
        match scheme:
            case TrainedElsewhere():
                with at(f"schemes.{name}"):
                    return Scheme(self._elsewhere(scheme))
            case MismatchAware() | Adversarial():
                asked = {"scheme": scheme.plain(), "profile": self.base.fingerprint(), "from": trained_key(first)}
                return Scheme(
                    self._kept(
                        f"'{name}'",
                        asked,
                        lambda at_work: self._further(
                            first, self._on_chip(scheme), at_work, scheme.epochs or self._training.epochs
                        ),
                    )
                )
            case InTheLoop() | Calibrated():
                return Scheme(first, self._of_device(name, scheme, first), fingerprint(self._all(scheme.plain())))
        return Scheme(first)

    def _on_chip(self, scheme: MismatchAware | Adversarial) -> Any:
        from snncompare.learning.on_chip import AdversarialMismatch, OnChip

        if isinstance(scheme, Adversarial):
            start = min(AdversarialMismatch.start, scheme.zeta)
            attack = AdversarialMismatch(zeta=scheme.zeta, steps=scheme.steps, beta=scheme.beta, start=start)
            return OnChip("ideal", attack=attack)
        met = profile_at(self.base, Point(sigma=scheme.sigma, bits=scheme.bits, parameters=scheme.parameters))
        return OnChip(met, tuple(range(scheme.devices)), redraw="batch")

    def _of_device(
        self, name: str, scheme: InTheLoop | Calibrated, first: "Trained"
    ) -> "Callable[[ChipProfile, int], Trained]":
        def make(profile: ChipProfile, device_seed: int) -> "Trained":
            epochs = scheme.epochs or self._training.epochs
            asked = {"scheme": scheme.plain(), "profile": profile.fingerprint(), "device_seed": device_seed}
            asked |= {"from": trained_key(first)}

            def trained(at_work: Path) -> "Trained":
                return self._for_device(first, scheme, profile, device_seed, at_work, epochs)

            return self._kept(f"'{name}', device {device_seed}", asked, trained)

        return make

    def _for_device(
        self,
        first: "Trained",
        scheme: InTheLoop | Calibrated,
        profile: ChipProfile,
        device_seed: int,
        at_work: Path | None,
        epochs: int,
    ) -> "Trained":
        from snncompare.learning.on_chip import OnChip

        on_chip = OnChip(profile, (device_seed,), in_the_loop=isinstance(scheme, InTheLoop))
        if isinstance(scheme, InTheLoop):
            return self._further(first, on_chip, at_work, epochs)
        return self._calibrated(first, scheme, on_chip, epochs)

    def _further(self, first: "Trained", on_chip: Any, at_work: Path | None, epochs: int) -> "Trained":
        return self._fit(first.network, at_work, weights=first.realisation, on_chip=on_chip, epochs=epochs)

    def _calibrated(self, first: "Trained", scheme: Calibrated, on_chip: Any, epochs: int) -> "Trained":
        from snncompare.learning.calibrate import calibrate

        training = self._training
        return calibrate(
            first,
            on_chip,
            self._learnt,
            loss=self.config.loss.made(),
            rule=_rule(training),
            dt=self.config.dt,
            epochs=epochs,
            batch_size=training.batch_size,
            what=scheme.what,
            shots=scheme.shots,
            seed=self.config.seed,
            progress=self.say,
        )

    def _fit(self, network: "Network", at_work: Path | None, *, epochs: int | None = None, **more: Any) -> "Trained":
        from snncompare.learning.fit import fit

        training = self._training
        return fit(
            network,
            _rule(training),
            self._learnt,
            loss=self.config.loss.made(),
            test=None,
            dt=self.config.dt,
            epochs=training.epochs if epochs is None else epochs,
            batch_size=training.batch_size,
            penalties=_penalties(training),
            seed=self.config.seed,
            checkpoint=at_work,
            progress=self.say,
            **more,
        )

    @property
    def _training(self) -> TrainingConfig:
        if self.config.training is None:
            raise InputError("there is nothing that says how to train; add 'training:'.")
        return self.config.training

    @property
    def _learnt(self) -> Any:
        if self.parts.train is None:
            raise InputError("there are no trials to learn; give dataset: held_out or train.")
        return self.parts.train

    def _all(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return what a training depends on."""
        training = None if self.config.training is None else self.config.training.plain()
        shared = {"training": training, "loss": self.config.loss.plain(), "dt": str(self.config.dt)}
        learnt = dataset_key(self.parts.train)
        return {**asked, **shared, "learnt": learnt, "seed": self.config.seed, "snncompare": __version__}

    def _kept(self, words: str, asked: dict[str, Any], make: "Callable[[Path], Trained]") -> "Trained":
        """Return a network that was trained before, or train it and keep it; `make` is given a file to go on from."""
        from snncompare.commands.result_files import made_folder

        place = made_folder(self.keep) / fingerprint(self._all(asked))[:24]
        if place.is_dir():
            return _loaded(place)
        self.say(f"training {words}")
        unfinished = place.with_suffix(".unfinished")
        make(place.with_suffix(".checkpoint")).save(unfinished)
        unfinished.rename(place)
        return _loaded(place)


def _loaded(folder: Path) -> "Trained":
    """Return a stored network; a damaged one is the user's to replace."""
    from snncompare.learning.trained import Trained

    try:
        return Trained.load(folder)
    except SnncompareError:
        raise
    except (OSError, ValueError, KeyError) as problem:
        reason = one_line(str(problem), 200) or type(problem).__name__
        raise FileError(f"'{folder}' holds no trained network, or a damaged one ({reason}).") from problem


def _penalties(training: TrainingConfig) -> tuple[Any, ...]:
    from snncompare.learning.losses import RateLimit

    return () if training.rates is None else (RateLimit(*training.rates),)


def _rule(training: TrainingConfig) -> Any:
    from snncompare.learning.rule import surrogate_gradient

    return surrogate_gradient(width=training.width, scale=training.scale, learning_rate=training.learning_rate)
