"""Wiring rules draw what they promise, sorted, without ever holding all pairs; what cannot be fulfilled is refused."""

import time
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from snncompare.backends.draw_wiring import Ends, draw_pairs, expected_synapses
from snncompare.errors import DescriptionError, InputError
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
    check_sizes,
)

RULES = {
    "all to all": AllToAll(),
    "all to all, autapses": AllToAll(autapses=True),
    "one to one": OneToOne(),
    "all to others": AllToOthers(),
    "probability": FixedProbability(p=0.2),
    "every pair": FixedProbability(p=1.0, autapses=True),
    "rare": FixedProbability(p=1e-6),
    "in-degree": FixedInDegree(n=5),
    "in-degree, most": FixedInDegree(n=33),
    "in-degree, all": FixedInDegree(n=39),
    "in-degree, multapses": FixedInDegree(n=60, multapses=True),
    "out-degree": FixedOutDegree(n=5),
    "out-degree, autapses": FixedOutDegree(n=40, autapses=True),
    "total": FixedTotalNumber(n=300),
    "total, different": FixedTotalNumber(n=300, multapses=False),
    "total, nearly all": FixedTotalNumber(n=1550, multapses=False),
    "ring": DistanceDependent(p_max=0.8, width=0.1),
    "sheet": DistanceDependent(p_max=0.8, width=0.2, layout="sheet", profile="exponential"),
    "list": ExplicitList(pairs=((3, 4), (0, 39), (3, 4), (39, 0))),
    "convolution": Convolution(input_shape=(5, 8), kernel=(3, 3), padding=1),
}


def drawn(wiring, n_source=40, n_target=40, *, within=True, seed=0):
    ends = Ends(n_source, n_target, within)
    (source, target), _ = draw_pairs(wiring, ends, np.random.default_rng(seed))
    return source, target


@pytest.mark.parametrize("wiring", RULES.values(), ids=RULES)
def test_synapses_are_sorted_in_range_and_as_many_as_expected(wiring):
    source, target = drawn(wiring)
    assert source.dtype == target.dtype == np.int64
    for index in (source, target):
        assert index.min(initial=0) >= 0
        assert index.max(initial=0) < 40
    key = source * 40 + target
    assert (np.diff(key) >= 0).all()
    assert source.size <= expected_synapses(wiring, Ends(40, 40, True))
    loops = getattr(wiring, "autapses", True)
    assert loops or not (source == target).any()
    repeats = getattr(wiring, "multapses", isinstance(wiring, ExplicitList))
    assert repeats == bool((np.diff(key) == 0).any())
    again, other = drawn(wiring, seed=0), drawn(wiring, seed=1)
    assert np.array_equal(again[0], source)
    certain = isinstance(wiring, AllToAll | AllToOthers | OneToOne | ExplicitList | Convolution) or source.size in (
        0,
        1560,
        1600,
    )
    assert certain == (np.array_equal(other[0], source) and np.array_equal(other[1], target))


def test_all_to_others_leaves_out_the_partner_of_the_same_number():
    source, target = drawn(AllToOthers(), 4, 4, within=False)
    assert list(zip(source, target, strict=True)) == [(i, j) for i in range(4) for j in range(4) if i != j]


def test_fixed_probability_has_its_density_and_its_gaps():
    p, n = 0.1, 400
    source, target = drawn(FixedProbability(p=p), n, n, within=False)
    assert abs(source.size - p * n**2) < 4 * np.sqrt(p * (1 - p) * n**2)  # four standard errors
    gaps = np.diff(source * n + target)
    counts = np.bincount(np.minimum(gaps, 20))[1:]
    expected = gaps.size * np.append(p * (1 - p) ** np.arange(19), (1 - p) ** 19)
    assert stats.chisquare(counts, expected).pvalue > 0.001
    per_target = np.bincount(target, minlength=n)
    assert stats.chisquare(per_target).pvalue > 0.001


@pytest.mark.parametrize(
    ("n", "multapses", "autapses"), [(5, False, False), (30, False, True), (39, False, False), (70, True, False)]
)
def test_degrees_are_exact(n, multapses, autapses):
    for rule, side in ((FixedInDegree, 1), (FixedOutDegree, 0)):
        ends = drawn(rule(n=n, multapses=multapses, autapses=autapses))
        assert (np.bincount(ends[side], minlength=40) == n).all()
        assert np.ptp(np.bincount(ends[1 - side], minlength=40)) > 0 or n == 39, "the other side is random"


def test_every_subset_of_sources_is_as_likely_as_any_other():
    """10 subsets of 2 out of 5, drawn for 20 000 targets; and of 3 out of 5, which are drawn by what they leave out."""
    for n in (2, 3):
        source, target = drawn(FixedInDegree(n=n), 5, 20_000, within=False)
        code = np.bincount(target, 2.0**source, minlength=20_000).astype(int)
        subsets, counts = np.unique(code, return_counts=True)
        assert subsets.size == 10
        assert stats.chisquare(counts).pvalue > 0.001
        counts[0] += 600
        assert stats.chisquare(counts).pvalue < 0.001, "negative control"


def test_a_total_number_is_exact_and_spread_evenly_over_pairs():
    n = 60_000
    for wiring, limit in ((FixedTotalNumber(n=n), None), (FixedTotalNumber(n=n, multapses=False), 1)):
        source, target = drawn(wiring, 300, 400, within=False)
        assert source.size == n
        assert stats.chisquare(np.bincount(source, minlength=300)).pvalue > 0.001
        assert stats.chisquare(np.bincount(target, minlength=400)).pvalue > 0.001
        joined = np.bincount(source * 400 + target, minlength=120_000)
        assert joined.max() == limit if limit else joined.max() > 1


def test_pairs_of_a_total_number_are_joined_several_times_as_independent_draws_would():
    source, target = drawn(FixedTotalNumber(n=60_000), 300, 400, within=False)
    times = np.bincount(np.bincount(source * 400 + target, minlength=120_000), minlength=4)
    expected = 120_000 * stats.poisson(0.5).pmf(np.arange(4))
    assert np.allclose(times[:4], expected, rtol=0.1)  # the rarest, 3 synapses, is there 1517 times: 2.6 %


@pytest.mark.parametrize("profile", ["gaussian", "exponential"])
@pytest.mark.parametrize("layout", ["line", "ring", "sheet", "torus"])
def test_connection_probability_falls_with_distance_as_stated(profile, layout):
    n, width = 400, 0.15
    wiring = DistanceDependent(p_max=0.9, width=width, profile=profile, layout=layout)
    source, target = drawn(wiring, n, n, within=False)
    place = (np.arange(n) + 0.5) / n if layout in ("line", "ring") else None
    axes = [place] if place is not None else [(np.arange(n) // 20 + 0.5) / 20, (np.arange(n) % 20 + 0.5) / 20]
    squared = np.zeros((n, n))
    for axis in axes:
        apart = np.abs(axis[:, None] - axis)
        if layout in ("ring", "torus"):
            apart = np.where(apart > 0.5, 1 - apart, apart)
        squared += apart**2
    distance = np.sqrt(squared)
    p = 0.9 * (np.exp(-squared / (2 * width**2)) if profile == "gaussian" else np.exp(-distance / width))
    joined = np.zeros((n, n), dtype=bool)
    joined[source, target] = True
    bins = np.digitize(distance, np.linspace(0, 0.5, 11))
    for k in range(1, 12):
        here = bins == k
        error = np.sqrt((p[here] * (1 - p[here])).sum())
        assert abs(joined[here].sum() - p[here].sum()) <= 4.5 * error + 1e-9  # 88 bins in all: 4.5 standard errors
    assert source.size <= expected_synapses(wiring, Ends(n, n, False))


def test_a_layout_needs_no_square_and_joins_populations_of_different_size():
    source, target = drawn(DistanceDependent(p_max=1.0, width=0.02, layout="sheet"), 101, 77, within=False)
    assert source.size > 0
    assert target.max() < 77
    ring = drawn(DistanceDependent(p_max=1.0, width=0.01, layout="ring"), 50, 100, within=False)
    apart = np.abs((ring[0] + 0.5) / 50 - (ring[1] + 0.5) / 100)
    assert np.minimum(apart, 1 - apart).max() < 0.06


@pytest.mark.parametrize("autapses", [False, True])
def test_an_explicit_list_is_what_it_says(autapses):
    source, target = drawn(ExplicitList(pairs=((2, 1), (0, 2), (2, 1), (0, 0))), 3, 3)
    assert list(zip(source.tolist(), target.tolist(), strict=True)) == [(0, 0), (0, 2), (2, 1), (2, 1)]


CONVOLUTIONS = [
    Convolution(input_shape=(9,), kernel=(3,)),
    Convolution(input_shape=(10,), kernel=(4,), stride=3, padding=2, channels_in=2, channels_out=3),
    Convolution(input_shape=(6, 7), kernel=(3, 2), padding=1, channels_in=2, channels_out=4),
    Convolution(input_shape=(8, 5), kernel=(5, 5), stride=2, padding=3, channels_out=2),
]


@pytest.mark.parametrize("wiring", CONVOLUTIONS, ids=range(4))
def test_a_convolution_is_that_of_pytorch(wiring):
    rng = np.random.default_rng(0)
    shape_in = (wiring.channels_in, *wiring.input_shape)
    shape_out = (wiring.channels_out, *wiring.output_shape)
    kernel = rng.normal(size=(wiring.channels_out, wiring.channels_in, *wiring.kernel))
    ends = Ends(int(np.prod(shape_in)), int(np.prod(shape_out)), False)
    check_sizes(wiring, ends.n_source, ends.n_target, within=False)
    (source, target), shared = draw_pairs(wiring, ends, rng)
    stimulus = rng.normal(size=shape_in)
    ours = np.bincount(target, kernel.ravel()[shared] * stimulus.ravel()[source], ends.n_target).reshape(shape_out)
    convolve = torch.nn.functional.conv1d if len(wiring.kernel) == 1 else torch.nn.functional.conv2d
    theirs = convolve(torch.tensor(stimulus)[None], torch.tensor(kernel), stride=wiring.stride, padding=wiring.padding)[
        0
    ].numpy()
    assert np.allclose(ours, theirs, rtol=0, atol=1e-12)  # sums of at most 25 numbers of size one
    flipped = np.bincount(target, kernel.ravel()[::-1][shared] * stimulus.ravel()[source], ends.n_target)
    assert not np.allclose(flipped.reshape(shape_out), theirs, rtol=0, atol=1e-12), "negative control"
    assert np.unique(source * ends.n_target + target).size == source.size


@pytest.mark.parametrize(
    ("wiring", "n_source", "n_target", "within", "says"),
    [
        (OneToOne(), 5, 6, False, "one-to-one between 5 and 6 neurons; give both populations the same size"),
        (AllToOthers(), 5, 6, False, "all-to-others needs two populations of the same size, at least 2, got 5 and 6"),
        (AllToOthers(), 1, 1, False, "got 1 and 1 neurons"),
        (FixedInDegree(n=6), 5, 9, False, "6 different source neurons are asked for and there are 5"),
        (FixedInDegree(n=5), 5, 5, True, "5 different source neurons are asked for and there are 4"),
        (FixedOutDegree(n=6), 9, 5, False, "6 different target neurons are asked for and there are 5"),
        (FixedInDegree(n=1, multapses=True), 1, 1, True, "there are 0"),
        (
            FixedTotalNumber(n=13, multapses=False),
            4,
            4,
            True,
            "13 different pairs of neurons are asked for and there are 12",
        ),
        (FixedTotalNumber(n=1), 1, 1, True, "there are 0"),
        (ExplicitList(pairs=((0, 0), (3, 4))), 4, 4, False, r"the pair \[3, 4\] does not exist between 4 and 4"),
        (CONVOLUTIONS[2], 84, 100, False, r"target of the convolution needs 4 x 6 x 8 = 192 neurons, and has 100"),
        (CONVOLUTIONS[2], 80, 192, False, r"source of the convolution needs 2 x 6 x 7 = 84 neurons, and has 80"),
    ],
    ids=range(12),
)
def test_what_populations_cannot_fulfil_is_refused(wiring, n_source, n_target, within, says):
    with pytest.raises(DescriptionError, match=says) as caught:
        check_sizes(wiring, n_source, n_target, within=within)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("wiring", RULES.values(), ids=RULES)
def test_what_populations_can_fulfil_is_accepted_and_survives_a_file(wiring):
    check_sizes(wiring, 40, 40, within=True)
    assert type(wiring).parse(wiring.plain(), "file") == wiring


@pytest.mark.parametrize(
    "made",
    [
        lambda: FixedProbability(p=0),
        lambda: FixedProbability(p=1.1),
        lambda: FixedProbability(p=float("nan")),
        lambda: FixedInDegree(n=0),
        lambda: FixedTotalNumber(n=-1),
        lambda: FixedTotalNumber(n=10**12),
        lambda: DistanceDependent(p_max=0.5, width=0),
        lambda: DistanceDependent(p_max=0.5, width=float("inf")),
        lambda: DistanceDependent(p_max=0.5, width=0.1, layout="cube"),
        lambda: ExplicitList(pairs=()),
        lambda: ExplicitList(pairs=((0, -1),)),
        lambda: ExplicitList(pairs=((0, 1, 2),)),
        lambda: Convolution(input_shape=(5,), kernel=(6,)),
        lambda: Convolution(input_shape=(5, 5), kernel=(3,)),
        lambda: Convolution(input_shape=(5, 5, 5), kernel=(3, 3, 3)),
        lambda: Convolution(input_shape=(5,), kernel=(3,), padding=3),
        lambda: Convolution(input_shape=(9999, 9999), kernel=(999, 999), channels_out=9999),
    ],
    ids=range(17),
)
def test_rules_that_make_no_sense_are_refused_in_one_line(made):
    with pytest.raises(DescriptionError) as caught:
        made()
    assert "\n" not in str(caught.value)


def test_sparse_wiring_of_large_populations_never_holds_all_pairs():
    """10^10 pairs, 10^5 synapses: an array of all pairs would have 10 GB at one byte each."""
    ends = Ends(100_000, 100_000, True)
    rules = (FixedProbability(p=1e-5), FixedInDegree(n=1), FixedOutDegree(n=1), FixedTotalNumber(n=100_000))
    for wiring in rules:
        tracemalloc.start()
        (source, _), _ = draw_pairs(wiring, ends, np.random.default_rng(0))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert 98_000 < source.size < 102_000
        assert peak < 2e7, f"{type(wiring).__name__} held {peak:,} bytes"  # 25 numbers for each synapse


@pytest.mark.slow
def test_twenty_million_synapses_are_drawn_in_seconds():
    start = time.perf_counter()
    source, _ = drawn(FixedTotalNumber(n=20_000_000), 100_000, 100_000)
    assert source.size == 20_000_000
    assert time.perf_counter() - start < 30  # 0.5 s on two cores of 2026; the limit only catches loops over neurons


def test_distances_of_too_many_pairs_are_refused():
    with pytest.raises(InputError, match="too many distances between 1,000,000 and 1,000,000 neurons"):
        drawn(DistanceDependent(p_max=0.1, width=1e-6), 1_000_000, 1_000_000)


@given(
    n_source=st.integers(1, 12), n_target=st.integers(1, 12), within=st.booleans(), n=st.integers(1, 150),
    multapses=st.booleans(), autapses=st.booleans(), seed=st.integers(0, 100),
    rule=st.sampled_from([FixedInDegree, FixedOutDegree, FixedTotalNumber]),
)  # fmt: skip
def test_counts_hold_for_whatever_is_accepted(n_source, n_target, within, n, multapses, autapses, rule, seed):
    n_target = n_source if within else n_target
    wiring, ends = rule(n=n, multapses=multapses, autapses=autapses), Ends(n_source, n_target, within)
    try:
        check_sizes(wiring, n_source, n_target, within=within)
    except DescriptionError:
        return
    source, target = drawn(wiring, n_source, n_target, within=within, seed=seed)
    assert source.size == expected_synapses(wiring, ends)
    assert multapses or np.unique(source * n_target + target).size == source.size
    assert autapses or not within or not (source == target).any()
    if rule is FixedInDegree:
        assert (np.bincount(target, minlength=n_target) == n).all()
    if rule is FixedOutDegree:
        assert (np.bincount(source, minlength=n_source) == n).all()
