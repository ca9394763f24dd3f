"""The expected fan-in is the mean of what is drawn, for every wiring rule."""

import numpy as np
import pytest

from snncompare.backends.draw_values import generator
from snncompare.backends.draw_wiring import Ends, draw_pairs
from snncompare.errors import DescriptionError
from snncompare.network.fan_in import expected_fan_in
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
)

RULES = [
    AllToAll(),
    AllToAll(autapses=True),
    OneToOne(),
    AllToOthers(),
    FixedProbability(p=0.2),
    FixedInDegree(n=7),
    FixedInDegree(n=7, multapses=True),
    FixedOutDegree(n=7),
    FixedOutDegree(n=7, multapses=True),
    FixedTotalNumber(n=300),
    FixedTotalNumber(n=300, multapses=False),
    FixedTotalNumber(n=300, autapses=True),
    ExplicitList(pairs=((0, 0), (0, 0), (0, 0), (3, 1), (3, 1), (2, 5))),
]


def drawn_fan_in(wiring, ends, repeats):
    synapses, coincident = [], []
    for seed in range(repeats):
        (source, target), _ = draw_pairs(wiring, ends, generator(seed, "feed"))
        joined = np.bincount(source * ends.n_target + target, minlength=ends.n_source * ends.n_target)
        synapses.append(source.size / ends.n_target)
        coincident.append((joined * (joined - 1)).sum() / ends.n_target)
    return [(np.mean(each), np.std(each) / np.sqrt(repeats)) for each in (synapses, coincident)]


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("wiring", RULES, ids=repr)
def test_expected_is_the_mean_of_what_is_drawn(wiring, within):
    ends = Ends(20, 20 if within or isinstance(wiring, OneToOne | AllToOthers) else 30, within)
    expected = expected_fan_in(wiring, ends.n_source, ends.n_target, within=within)
    for mean, (found, error) in zip(expected, drawn_fan_in(wiring, ends, 400), strict=True):
        # four standard errors of the draws, or rounding where nothing is left to chance
        assert mean == pytest.approx(found, abs=4 * error + 1e-9)


@pytest.mark.parametrize(
    ("shape", "kernel", "more"),
    [((9,), (3,), {}), ((9,), (3,), {"stride": 2, "padding": 1}), ((5, 7), (3, 2), {"padding": 1, "channels_in": 2})],
)
def test_a_convolution_counts_what_lies_on_neurons_and_not_on_the_padding(shape, kernel, more):
    wiring = Convolution(input_shape=shape, kernel=kernel, channels_out=3, **more)
    n_source = wiring.channels_in * int(np.prod(shape))
    n_target = 3 * int(np.prod(wiring.output_shape))
    (source, _), _ = draw_pairs(wiring, Ends(n_source, n_target, False), generator(0, "feed"))
    assert expected_fan_in(wiring, n_source, n_target).synapses == pytest.approx(source.size / n_target, rel=1e-12)
    if wiring.padding:
        assert source.size / n_target < wiring.fan_in


def test_forgetting_autapses_or_multapses_would_show():
    with_itself, without = (expected_fan_in(AllToAll(autapses=a), 20, 20, within=True) for a in (True, False))
    assert with_itself.synapses == without.synapses + 1
    assert expected_fan_in(FixedInDegree(n=7, multapses=True), 20, 30).coincident > 2


def test_wiring_by_distance_is_known_once_drawn():
    with pytest.raises(DescriptionError, match="known only once it is drawn"):
        expected_fan_in(DistanceDependent(p_max=0.5, width=0.1), 20, 20)
