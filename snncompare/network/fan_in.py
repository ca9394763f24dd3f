"""How many synapses a neuron receives on average, from the rule of a wiring alone."""

from collections import Counter
from typing import NamedTuple

from snncompare.errors import DescriptionError
from snncompare.network.wiring import (
    AllToAll,
    AllToOthers,
    Convolution,
    DistanceDependent,
    ExplicitList,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    OneToOne,
    Wiring,
)

__all__ = ["FanIn", "expected_fan_in"]


class FanIn(NamedTuple):
    """Means over target neurons: synapses received, and ordered pairs of different synapses from one source neuron."""

    synapses: float
    coincident: float = 0.0


def expected_fan_in(wiring: Wiring, n_source: int, n_target: int, *, within: bool = False) -> FanIn:
    r"""Return the expected fan-in of a target neuron.

    Drawing n synapses independently from P pairs of neurons joins a pair M times, with
    :math:`\langle M (M - 1) \rangle = n (n - 1)/P^2` (binomial).

    Parameters
    ----------
    wiring : Wiring
    n_source, n_target : int
        Sizes of the two populations.
    within : bool
        Whether the two are the same population.

    Raises
    ------
    DescriptionError
        For wiring that depends on distance: how many synapses there are is known once they are drawn.
    """
    own = within and not getattr(wiring, "autapses", True)
    sources, targets = n_source - own, n_target - own
    match wiring:
        case AllToAll():
            return FanIn(sources)
        case OneToOne():
            return FanIn(1)
        case AllToOthers():
            return FanIn(n_source - 1)
        case FixedProbability(p=p):
            return FanIn(p * sources)
        case FixedInDegree(n=n, multapses=multapses):
            return FanIn(n, n * (n - 1) / sources if multapses else 0.0)
        case FixedOutDegree(n=n, multapses=multapses):
            return FanIn(n * n_source / n_target, n * (n - 1) * n_source / n_target / targets if multapses else 0.0)
        case FixedTotalNumber(n=n, multapses=multapses):
            pairs = n_source * targets
            return FanIn(n / n_target, n * (n - 1) / pairs / n_target if multapses else 0.0)
        case ExplicitList(pairs=listed):
            repeated = sum(m * (m - 1) for m in Counter(listed).values())
            return FanIn(len(listed) / n_target, repeated / n_target)
        case Convolution():
            return FanIn(_taps(wiring))
        case DistanceDependent():
            raise DescriptionError("the number of synapses of a wiring by distance is known only once it is drawn.")


def _taps(wiring: Convolution) -> float:
    """Return the mean number of kernel entries that lie on a source neuron and not on the padding."""
    taps = float(wiring.channels_in)
    for size, kernel, positions in zip(wiring.input_shape, wiring.kernel, wiring.output_shape, strict=True):
        begins = [place * wiring.stride - wiring.padding for place in range(positions)]
        taps *= sum(min(begin + kernel, size) - max(begin, 0) for begin in begins) / positions
    return taps
