"""Burst probability controls the sign of plasticity: phases in which dendrites are driven more or less."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from snncompare.backends.program import Program
from snncompare.backends.simulation import WEIGHT
from snncompare.errors import InputError
from snncompare.learning.bursts.rates import population_rates
from snncompare.units import QuantityLike, quantity, seconds

__all__ = ["PUBLISHED_PHASES", "DendriticPhase", "control_bursts", "phase_summary"]


@dataclass(frozen=True, kw_only=True)
class DendriticPhase:
    """A time in which dendrites are driven in one way.

    Parameters
    ----------
    duration : time
    post : float
        By what the weight of the postsynaptic dendrites' input is multiplied.
    pre : current
        Into the presynaptic dendrites.
    plastic : bool

    Raises
    ------
    InputError
        For a duration that is not above zero, a negative factor, or something that is no current.
    """

    duration: QuantityLike = "25 s"
    post: float = 1.0
    pre: QuantityLike = "0 pA"
    plastic: bool = True

    def __post_init__(self) -> None:
        if not 0 < seconds(self.duration, "duration") < np.inf:
            raise InputError(f"duration must be a time above zero, got '{self.duration}'.")
        if not 0 <= self.post < np.inf:
            raise InputError(f"post must be a finite number from 0 on, got {self.post!r}.")
        if quantity(self.pre).dimension != quantity("1 A").dimension:
            raise InputError(f"pre is a current, such as '40 pA', got '{self.pre}'.")


PUBLISHED_PHASES = (
    DendriticPhase(duration="20 s", plastic=False),
    DendriticPhase(),
    DendriticPhase(post=1.5),
    DendriticPhase(),
    DendriticPhase(post=0.55),
    DendriticPhase(),
    DendriticPhase(pre="40 pA"),
)
"""Those of Payeur et al. (2021) figure 2e-g, as in the authors' code (``sim_plasticity_rule.cpp``)."""


def control_bursts(
    program: Program,
    phases: Sequence[DendriticPhase] = PUBLISHED_PHASES,
    *,
    tau_average: QuantityLike = "5 s",
    step: QuantityLike = "1 s",
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> pd.DataFrame:
    """Return what becomes of weights and rates while dendrites are driven in phases.

    Parameters
    ----------
    program : Program
        Of a `burst_plasticity_network`.
    phases : sequence of DendriticPhase
    tau_average : time
        Time constant of the moving averages, as in the network; a run that is shorter says nothing.
    step : time
        Of a row of the table; phases are whole numbers of steps.
    seed : int
        Of the noise.
    progress : callable, optional
        Receives a line per phase.

    Returns
    -------
    pandas.DataFrame
        One row per step: ``phase`` (from 0), ``time`` (seconds, its end), ``weight`` (mean of the plastic projection,
        SI units), ``change`` (of that since the beginning, relative), and for ``sender`` and ``receiver`` the columns
        ``sender event_rate`` (hertz), ``sender burst_probability`` and so on, of this step.

    Raises
    ------
    InputError
        If a phase is no whole number of steps, or all together are shorter than the averaging window.
    """
    each = [_steps(phase, step) for phase in phases]
    total = sum(each) * seconds(step)
    if seconds(tau_average, "tau_average") > total:
        raise InputError(
            f"the averaging window, '{tau_average}', is longer than the run of {total:g} s; the burst probability that "
            "plasticity compares with would not exist yet. Let the phases last longer, or take a shorter tau_average."
        )
    simulation = program.simulation(seed=seed)
    driven, first = simulation.get("pool_to_receiver", WEIGHT), simulation.get("sender_to_receiver", WEIGHT).mean()
    rows: list[dict[str, float]] = []
    for index, (phase, steps) in enumerate(zip(phases, each, strict=True)):
        simulation.set("pool_to_receiver", WEIGHT, phase.post * driven)
        simulation.set("sender", "I_extra", float(quantity(phase.pre).value))
        simulation.set("sender_to_receiver", "plasticity", float(phase.plastic))
        for _ in range(steps):
            rates = population_rates(simulation.run(step, record=["sender", "receiver"]))
            weight = float(simulation.get("sender_to_receiver", WEIGHT).mean())
            row = {"phase": index, "time": simulation.time, "weight": weight, "change": weight / first - 1}
            of_both = {f"{n} {key}": rates.loc[n, key] for n in ("sender", "receiver") for key in rates.columns}
            rows.append(row | of_both)
        if progress is not None:
            progress(_told(pd.DataFrame(rows[-steps:]), phase))
    return pd.DataFrame(rows).astype({"phase": int})


def phase_summary(table: pd.DataFrame, last: int = 10) -> pd.DataFrame:
    """Return one row per phase: change of the mean weight in it (relative to its beginning), mean rates of its end.

    Parameters
    ----------
    table : pandas.DataFrame
        As `control_bursts` returns it.
    last : int
        Steps at the end of a phase whose rates are averaged.
    """
    rows = {}
    before = float(table["weight"].iloc[0])
    for phase, part in table.groupby("phase"):
        after = float(part["weight"].iloc[-1])
        rates = part.drop(columns=["phase", "time", "weight", "change"]).tail(last).mean()
        rows[phase] = {"change": after / before - 1, **rates.to_dict()}
        before = after
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("phase")


def _steps(phase: DendriticPhase, step: QuantityLike) -> int:
    number = seconds(phase.duration) / seconds(step, "step")
    if number < 0.5 or not np.isclose(number, round(number), rtol=1e-9, atol=0):
        raise InputError(f"a phase of '{phase.duration}' is no whole number of steps of '{step}'.")
    return round(number)


def _told(rows: pd.DataFrame, phase: DendriticPhase) -> str:
    last = rows.tail(10).mean(numeric_only=True)
    return (
        f"post x{phase.post:g}, pre {phase.pre}: mean weight {100 * rows['change'].iloc[-1]:+.2f} %, post "
        f"{last['receiver event_rate']:.2f} Hz at {last['receiver burst_probability']:.3f}, pre "
        f"{last['sender event_rate']:.2f} Hz at {last['sender burst_probability']:.3f}"
    )
