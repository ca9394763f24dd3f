"""What a loss reads of a run, and the influence of all parameters on that."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from snncompare.errors import UnsupportedError
from snncompare.learning.gradients.forward.constant_rows import Entry
from snncompare.learning.gradients.forward.groups import Group
from snncompare.learning.gradients.forward.neurons import Neurons
from snncompare.learning.gradients.forward.responses import Filtered, Immediate, LinearFilter, Response, Totals
from snncompare.learning.gradients.forward.stepper import Stepper
from snncompare.learning.gradients.forward.traces import Eligibility, Traces
from snncompare.learning.gradients.forward.ways import FirstEffects, Way

__all__ = ["Reading", "Recent", "Traced", "kernel_filter", "readout_filter"]


@dataclass(frozen=True, eq=False)
class Traced:
    """A group of parameters with its traces, and the gradient that is gathered."""

    group: Group
    traces: Traces
    totals: Totals


class Recent:
    """Eligibilities of the latest steps."""

    def __init__(self, longest: int) -> None:
        self._kept: deque[Eligibility] = deque(maxlen=longest + 1)

    def push(self, eligibility: Eligibility) -> None:
        """Add that of this step."""
        self._kept.append(eligibility)

    def ago(self, steps: int) -> Eligibility | None:
        """Return that of some steps ago."""
        return self._kept[-1 - steps] if len(self._kept) > steps else None

    def begin(self, of: Tensor | None = None) -> None:
        """Forget everything, or only in the trials `of` (batch,)."""
        if of is None:
            self._kept.clear()
            return
        for each in self._kept:
            each.products = [(targets, rows.masked_fill(of[:, None], 0.0)) for targets, rows in each.products]
            if each.full is not None:
                each.full = each.full.masked_fill(of.view(-1, *[1] * (each.full.ndim - 1)), 0.0)


class Reading:
    """A variable of a population that never fires, or spikes, and the influence of parameters on it.

    Parameters
    ----------
    stepper : Stepper
    population : str
    variable : str, optional
        None for spikes.
    ways : sequence of Way
    traced : sequence of Traced
    response : LinearFilter, optional
        Through what; None where only the latest step counts.
    n_read : int
    """

    def __init__(
        self,
        stepper: Stepper,
        population: str,
        variable: str | None,
        ways: Sequence[Way],
        traced: Sequence[Traced],
        filters: Mapping[str | None, LinearFilter | None],
        n_read: int,
    ) -> None:
        self.stepper, self.population, self.variable = stepper, population, variable
        self.own = [each for each in traced if each.group.population == population] if variable is not None else []
        self._own_sums: list[Tensor | None] = [None] * len(self.own)
        self.ways = [way for way in ways if any(each.group.population == way.population for each in traced)]
        self.links: list[tuple[Traced, Way, Response]] = []
        for way in self.ways:
            for each in (each for each in traced if each.group.population == way.population):
                through = filters[way.variable]
                placing = each.group.placing
                response = Immediate(placing, n_read) if through is None else Filtered(placing, n_read, through)
                self.links.append((each, way, response))

    def begin(self, of: Tensor | None = None) -> None:
        """Forget everything, or only in the trials `of` (batch,)."""
        for _, _, response in self.links:
            response.begin(of)
        for k, sums in enumerate(self._own_sums):
            self._own_sums[k] = (
                None if sums is None or of is None else sums.masked_fill(of.view(-1, *[1] * (sums.ndim - 1)), 0.0)
            )

    def update(self) -> None:
        """Go on by one step."""
        for _, _, response in self.links:
            response.update()

    def arrive(self, recent: Mapping[int, Recent], effects: FirstEffects) -> None:
        """Let the eligibilities of this step, or earlier ones, arrive."""
        gains: dict[int, Tensor | None] = {}
        for each, way, response in self.links:
            eligibility = recent[id(each)].ago(way.delay)
            if id(way) not in gains:
                gains[id(way)] = way.gain(self.stepper, effects)
            gain = gains[id(way)]
            if eligibility is not None and gain is not None:
                response.arrive(eligibility, gain)

    def accumulate(self, errors: Tensor, effects: FirstEffects) -> None:
        """Add the gradient of the sum of errors (batch, n_read) times what is read now."""
        for each in self.own:
            assert self.variable is not None
            each.traces.of(self.variable).add_to(each.totals.products(), errors)
        for each, way, response in self.links:
            response.add_to(each.totals, errors, *self._now(way, effects))

    def per_trial(self, errors: Tensor, effects: FirstEffects) -> list[tuple[Group, Tensor]]:
        """Return the gradients of errors (batch, n_read) times what is read now, (batch, *entries), to be added up."""
        found = []
        for each in self.own:
            assert self.variable is not None
            found.append((each.group, each.traces.of(self.variable).per_trial(errors)))
        for each, way, response in self.links:
            found.append((each.group, response.per_trial(errors, *self._now(way, effects))))
        return [(group, gradient) for group, gradient in found if gradient is not None]

    def sum_up(self) -> None:
        """Add what is read now to the sums over steps."""
        for k, each in enumerate(self.own):
            assert self.variable is not None
            whole = each.traces.of(self.variable).whole()
            sums = self._own_sums[k]
            if whole is not None:
                self._own_sums[k] = whole.clone() if sums is None else sums.add_(whole)
        for _, way, response in self.links:
            response.sum_up(self._slope(way))

    def accumulate_sums(self, errors: Tensor, effects: FirstEffects) -> None:
        """Add the gradient of errors times what was summed up."""
        for each, sums in zip(self.own, self._own_sums, strict=True):
            if sums is not None:
                each.totals.add(sums, each.group.placing.across(errors))
        for each, way, response in self.links:
            response.add_sums(each.totals, errors, self._now(way, effects)[0])

    def _now(self, way: Way, effects: FirstEffects) -> tuple[Tensor, Entry]:
        gain = way.gain(self.stepper, effects) if way.stays else None
        return self.stepper.like.new_zeros(0) if gain is None else gain, self._slope(way)

    def _slope(self, way: Way) -> Entry:
        """Return the derivative of what is read by what arrived in the step before."""
        if way.variable is None or self.variable is None:
            return 1.0
        return self.stepper.neurons[self.population].updated[self.variable].get(way.variable, 0.0)


def readout_filter(neurons: Neurons, name: str, enters: str, read: str) -> LinearFilter:
    """Return the response of a readout to what arrives at one of its variables.

    Raises
    ------
    UnsupportedError
        If it is not linear with the same time constants in all neurons.
    """
    variables = neurons.reached([enters], ())
    rows = {}
    for variable in variables:
        row = neurons.shared_row(variable)
        if row is None:
            raise UnsupportedError(
                f"traces per synapse cannot be filtered by the readout '{name}', whose neurons differ or are not "
                "linear; give them one time constant that is not trained, leave out its response (readout=False), or "
                "take storage=FullInfluence()."
            )
        rows[variable] = {key: factor for key, factor in row.items() if key in variables}
    return LinearFilter(rows, (enters,), {read: 1.0})


def kernel_filter(kernel: object, dt: float) -> LinearFilter:
    """Return the filter of a loss that looks at filtered spikes, see `VanRossum`."""
    decay, rise, scale = kernel.decays(dt)  # type: ignore[attr-defined]
    return LinearFilter({"d": {"d": decay}, "r": {"r": rise}}, ("d", "r"), {"d": scale, "r": -scale})
