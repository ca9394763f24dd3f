"""Every abstract code as a value: each parameter matters, is written and read, and is refused where it means nothing."""

from dataclasses import fields, replace

import numpy as np
import pytest

from snncompare.encoding.catalogue import encoder
from snncompare.encoding.codes.burst import BurstCode
from snncompare.encoding.codes.first_spike import TimeToFirstSpike
from snncompare.encoding.codes.latency import LatencyCode
from snncompare.encoding.codes.latency_laws import ChargingLatency, LinearLatency, LogarithmicLatency, PowerLatency
from snncompare.encoding.codes.latency_rate_mixture import LatencyRateMixture
from snncompare.encoding.codes.phase import PhaseCode
from snncompare.encoding.codes.population import PopulationCode
from snncompare.encoding.codes.rank_order import RankOrderCode
from snncompare.encoding.codes.rate import RateCode
from snncompare.encoding.stimuli import Features, Image, Sound
from snncompare.errors import InputError

VALUES = np.array([0.0, 0.3, 0.5, 0.9, 1.0])

EVERY = {
    "latency": LatencyCode(
        law=ChargingLatency(), jitter="1 ms", threshold=0.25, bias="3 ms", earliest="5 ms", latest="60 ms"
    ),
    "rate": RateCode(refractory="1 ms", lowest_rate="5 Hz", window="1 s"),
    "first spike": TimeToFirstSpike(rate=RateCode(window="80 ms")),
    "phase": PhaseCode(jitter=0.05, threshold=0.25),
    "burst": BurstCode(),
    "population": PopulationCode(),
    "rank order": RankOrderCode(threshold=0.25),
    "mixture": LatencyRateMixture(),
}

CHANGES = {
    "latency": {
        "law": LinearLatency(), "window": "61 ms", "earliest": "6 ms", "latest": "10 ms", "threshold": 0.35,
        "jitter": "2 ms", "bias": None,
    },
    "rate": {
        "highest_rate": "90 Hz", "lowest_rate": "9 Hz", "window": "0.9 s", "refractory": "2 ms", "regular": True,
    },
    "first spike": {"rate": RateCode(highest_rate="30 Hz", window="80 ms")},
    "phase": {
        "frequency": "10 Hz", "window": "100 ms", "earliest_phase": 0.1, "latest_phase": 0.6, "jitter": 0.1,
        "threshold": 0.35,
    },
    "burst": {
        "most_spikes": 4, "shortest_interval": "3 ms", "longest_interval": "15 ms", "onset": "1 ms", "window": "99 ms",
    },
    "population": {"n_per_feature": 9, "sharpness": 1.0, "code": RateCode()},
    "rank order": {"window": "90 ms", "earliest": "1 ms", "latest": "51 ms", "threshold": 0.35},
    "mixture": {
        "mixture": 0.4, "spikes_per_feature": 6, "window": "99 ms", "earliest": "1 ms", "latest": "61 ms",
        "shortest_interval": "3 ms",
    },
}  # fmt: skip


def response(code, seed=0):
    recording = code.encode([Features(VALUES)], seed=seed)
    return recording.times.tolist(), recording.offsets.tolist(), code.duration(Features(VALUES))


@pytest.mark.parametrize("name", EVERY)
def test_every_parameter_matters(name):
    code = EVERY[name]
    assert set(CHANGES[name]) == {field.name for field in fields(code)}
    for field, value in CHANGES[name].items():
        assert response(replace(code, **{field: value})) != response(code), field


@pytest.mark.parametrize("name", EVERY)
def test_a_code_survives_being_written_as_plain_data(name):
    code = EVERY[name]
    again = encoder(code.described())
    assert again == code
    assert hash(again) == hash(code)
    assert response(again) == response(code)
    field, value = next(iter(CHANGES[name].items()))
    assert encoder(replace(code, **{field: value}).described()) != code


@pytest.mark.parametrize("name", EVERY)
def test_the_same_seed_gives_the_same_spikes_and_a_presentation_depends_on_no_other(name):
    code = EVERY[name]
    stimuli = [Features(VALUES), Features(VALUES[::-1].copy())]
    both = code.encode(stimuli, seed=3)
    second = code.encode(stimuli[1:], seed=3, presentations=[1])
    n_units = both.n_units
    assert second.times.tolist() == both.times[both.offsets[n_units] :].tolist()
    if name not in {"burst", "population"}:  # the two that hold no randomness here
        equal = np.full(5, 0.5)
        first, other = (code.encode([Features(equal)], seed=seed).times.tolist() for seed in (3, 4))
        assert first != other


@pytest.mark.parametrize("name", EVERY)
def test_a_picture_is_encoded_like_the_list_of_its_pixels_and_units_know_where_they_look(name):
    code = EVERY[name]
    picture = np.random.default_rng(0).random((3, 4))
    seen = code.encode([Image(picture, 1.0)], seed=0)
    listed = code.encode([Features(picture.ravel())], seed=0)
    assert seen.times.tolist() == listed.times.tolist()
    assert len(seen.units) == len(listed.units)
    assert {"x", "y"} <= set(seen.units)
    assert seen.units["x"].max() == 3
    assert seen.units["y"].max() == 2
    assert seen.units.index.is_unique


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LatencyCode(latest="200 ms"), "longer 'window'"),
        (lambda: LatencyCode(earliest="60 ms"), "earliest"),
        (lambda: LatencyCode(threshold=1.5), "threshold"),
        (lambda: LatencyCode(law="linear"), "law of latency"),
        (lambda: LatencyCode(bias="101 ms"), "bias"),
        (lambda: LatencyCode(window="0 ms"), "window"),
        (lambda: ChargingLatency(rheobase=1.0), "rheobase"),
        (lambda: LogarithmicLatency(decades=0), "decades"),
        (lambda: PowerLatency(exponent=-1), "exponent"),
        (lambda: RateCode(lowest_rate="200 Hz"), "lowest_rate"),
        (lambda: RateCode(highest_rate="10 ms"), "highest_rate"),
        (lambda: TimeToFirstSpike(rate=LatencyCode()), "RateCode"),
        (lambda: PhaseCode(window="120 ms"), "whole number of cycles"),
        (lambda: PhaseCode(latest_phase=1.0), "less than a cycle"),
        (lambda: PhaseCode(jitter=-1), "jitter"),
        (lambda: BurstCode(most_spikes=0), "most_spikes"),
        (lambda: BurstCode(shortest_interval="30 ms"), "shortest_interval"),
        (lambda: BurstCode(window="20 ms"), "longest burst"),
        (lambda: RankOrderCode(latest="0 ms"), "latest"),
        (lambda: PopulationCode(n_per_feature=2), "n_per_feature"),
        (lambda: PopulationCode(code=LatencyCode(bias="1 ms")), "without bias"),
        (lambda: PopulationCode(code=PopulationCode()), "PopulationCode"),
        (lambda: encoder({"kind": "LatencyCode", "lawe": 1}), "did you mean 'law'"),
    ],
)  # fmt: skip
def test_parameters_that_describe_no_code_are_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()


@pytest.mark.parametrize("name", EVERY)
def test_a_stimulus_of_another_kind_is_refused(name):
    with pytest.raises(InputError, match="Features or Image"):
        EVERY[name].encode([Sound(np.zeros(10), "8 kHz")], seed=0)
