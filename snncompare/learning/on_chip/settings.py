"""What training on chips is: which chips, how often they change, and what gradients make of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

from snncompare.backends.analog.frozen.maps import Gradient
from snncompare.backends.analog.profiles.evidence import PERFECT
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.profiles.sections import Noise
from snncompare.backends.hardware.adapter import HardwareAdapter
from snncompare.errors import InputError, unknown
from snncompare.values import check_fields

__all__ = ["FIRST_DRAWN_SEED", "AdversarialMismatch", "OnChip", "without_noise"]

_REDRAW = ("never", "batch", "epoch")

FIRST_DRAWN_SEED = 2**20
"""Device seeds below this are never drawn by training: chips with small seeds are chips that it has not seen."""


@dataclass(frozen=True)
class AdversarialMismatch:
    r"""Training against the worst mismatch in a box around the parameters.

    In every batch the attack begins at :math:`\theta^* = \theta + |\theta|\,\epsilon\,r` with normal numbers r, takes N
    steps

    .. math::
        \theta^* \leftarrow \Pi\Big(\theta^* + \frac{\zeta |\theta|}{N}\,
        \mathrm{sign}\,\nabla_{\theta^*} L_{rob}(\theta, \theta^*)\Big)

    with :math:`\Pi` the projection onto :math:`[\theta - \zeta|\theta|, \theta + \zeta|\theta|]`, and what is learnt is

    .. math::
        L = L_{nat}(\theta) + \beta\, L_{rob}(\theta, \theta^*(\theta)), \qquad
        L_{rob} = \frac{1}{B} \sum_b KL\big(\mathrm{softmax}\,y_b(\theta) \,\|\, \mathrm{softmax}\,y_b(\theta^*)\big)

    where y is the loss's evidence for each class. The gradient of :math:`L_{rob}` passes through both outputs, and
    through :math:`\theta^* = \theta + |\theta|\,\delta` with :math:`\delta`, what the attack found, as a constant. For
    a loss without classes :math:`L_{rob}` is the squared difference of what the loss reads, with and without attack,
    divided by the mean square of what it reads without.

    Everything that the rule trains is attacked, nothing else.

    Parameters
    ----------
    zeta : float
        :math:`\zeta`, half the width of the box, relative to each parameter.
    steps : int
        N.
    beta : float
        :math:`\beta`.
    start : float
        :math:`\epsilon`.

    References
    ----------
    Büchel J, Faber F, Muir DR (2022). Network insensitivity to parameter noise via adversarial regularization. ICLR
    2022, arXiv:2106.05009, algorithm 1 (there without the projection, which only :math:`\epsilon` makes necessary);
    defaults as in rockpool, ``training/adversarial_jax.py``.
    """

    zeta: float = 0.025
    steps: int = 10
    beta: float = 0.25
    start: float = 1e-3

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < self.zeta < 1:
            raise InputError(f"zeta must lie between 0 and 1, got {self.zeta}; 0.025 is 2.5 % of each parameter.")
        if self.steps < 1:
            raise InputError(f"steps must be at least 1, got {self.steps}.")
        if self.beta < 0 or not 0 <= self.start <= self.zeta:
            raise InputError(
                f"beta must be at least 0 and start between 0 and zeta ({self.zeta}), got {self.beta} and {self.start}."
            )


@dataclass(frozen=True)
class OnChip:
    """Training for chips: the forward pass is that of emulated or real chips, weights stay float numbers.

    The network that learns keeps the weights that are asked for ("master weights"). In every forward pass the chips
    make of them what they can hold: rounded, clipped, each synapse and neuron with the mismatch of its device; with
    several devices, each trial runs on all of them, and the loss is the mean. The gradient reaches the weights that are
    asked for; after each step these are clipped to the range that the chip holds (Cramer et al. 2022, PNAS
    119:e2109194119; Göltz et al. 2021, Nature Machine Intelligence 3:823).

    What is measured in training (``test_accuracy`` and so on) is measured on the devices `device_seeds`.

    Parameters
    ----------
    profile : ChipProfile or str
        What kind of chip, or the name of a shipped profile.
    device_seeds : tuple of int
        Which chips. With `redraw`, as many others are drawn, none of them with a seed below `FIRST_DRAWN_SEED`.
    redraw : str
        ``"never"``: the chips stay. ``"batch"`` or ``"epoch"``: others every time, so that what is learnt is good for
        any chip (mismatch-aware training by noise injection).
    in_the_loop : bool
        Spikes and traces are those of the chip, derivatives those of the network as it is described, at these spikes
        and traces (Cramer et al. 2022; "hardware in the loop"). Otherwise derivatives are those of the chip's model.
    noise : bool
        Whether also what changes from run to run and from step to step is emulated.
    gradient : str
        ``"straight_through"``: the derivative passes rounding and clipping as if they were not there. ``"clipped"``: it
        is zero where a weight was clipped.
    attack : AdversarialMismatch, optional
        What is attacked is what is asked for, before the chips make of it what they can.
    chip : HardwareAdapter or function, optional
        Where the forward pass runs with `in_the_loop`, instead of the emulation: an adapter, or what compiles a
        `Realisation` to a `Program`.
    observe : tuple of str, optional
        What of the chip is taken over with `in_the_loop`, as in ``record`` of a run: ``"hidden"`` for spikes,
        ``"hidden.v"`` for a trace. Default: the spikes of all populations that fire, and what the loss reads.
    roles : mapping, optional
        See `snncompare.backends.analog.chip.deploy`.
    """

    profile: ChipProfile | str
    device_seeds: tuple[int, ...] = (0,)
    redraw: str = "never"
    in_the_loop: bool = False
    noise: bool = True
    gradient: Gradient = "straight_through"
    attack: AdversarialMismatch | None = None
    chip: Any = None
    observe: tuple[str, ...] | None = None
    roles: Mapping[str, Mapping[str, Any]] | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.redraw not in _REDRAW:
            raise InputError(unknown("redraw", self.redraw, _REDRAW))
        if self.gradient not in get_args(Gradient):
            raise InputError(unknown("gradient", self.gradient, get_args(Gradient)))
        seeds = self.device_seeds
        if not seeds or len(set(seeds)) < len(seeds) or not 0 <= min(seeds) <= max(seeds) < 2**63:
            raise InputError(
                "device_seeds must be different numbers from 0 to 2**63 - 1, one at least, got "
                f"{', '.join(map(str, seeds[:10])) or 'none'}{', ...' if len(seeds) > 10 else ''}."
            )
        if not self.in_the_loop and (self.chip is not None or self.observe is not None):
            raise InputError("chip and observe are for training in the loop; write OnChip(..., in_the_loop=True).")
        if self.chip is not None and (self.redraw != "never" or len(self.device_seeds) > 1):
            raise InputError(
                f"a chip that is given is one chip: redraw must be 'never' and device_seeds one number, got "
                f"'{self.redraw}' and {self.device_seeds}."
            )
        if self.chip is not None and not isinstance(self.chip, HardwareAdapter) and not callable(self.chip):
            raise InputError(
                "chip must be a HardwareAdapter or a function from a Realisation to a Program, got "
                f"{type(self.chip).__name__}."
            )
        if self.in_the_loop and self.attack is not None:
            raise InputError("an attack needs the model's own run; take in_the_loop=False, or no attack.")
        self.loaded  # noqa: B018 - refuses a profile that does not exist

    @cached_property
    def loaded(self) -> ChipProfile:
        """The profile, without what changes from run to run if there is to be no noise."""
        profile = self.profile if isinstance(self.profile, ChipProfile) else ChipProfile.load(self.profile)
        return profile if self.noise else without_noise(profile)

    @property
    def record(self) -> dict[str, Any]:
        """What a training depends on, for its provenance."""
        chip = self.chip
        return {
            "profile": self.loaded.name,
            "profile_fingerprint": self.loaded.fingerprint(),
            "device_seeds": list(self.device_seeds),
            "redraw": self.redraw,
            "in_the_loop": self.in_the_loop,
            "noise": self.noise,
            "gradient": self.gradient,
            "attack": None if self.attack is None else repr(self.attack),
            "chip": None
            if chip is None
            else str(getattr(chip, "name", getattr(chip, "__name__", type(chip).__name__))),
            "observe": None if self.observe is None else list(self.observe),
            "roles": None if self.roles is None else {name: dict(each) for name, each in self.roles.items()},
        }


def without_noise(profile: ChipProfile) -> ChipProfile:
    """Return a profile of which only the frozen part and the limits are left: nothing changes from run to run.

    What the profile does not say of a parameter stays unsaid: a potential has another distribution then than a time.
    """
    still = {"per_run": PERFECT, "per_trial": PERFECT}
    return profile.model_copy(
        update={
            "noise": Noise(),
            "parameters": {
                role: type(one)(**({name: getattr(one, name) for name in one.model_fields_set} | still))
                for role, one in profile.parameters.items()
            },
            "readout": profile.readout.model_copy(update={"noise_lsb": PERFECT}),
        }
    )
