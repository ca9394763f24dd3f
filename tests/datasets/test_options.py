"""What is asked for with the wrong type is refused in one line, wherever it is asked."""

import numpy as np
import pytest

from snncompare import datasets
from snncompare.datasets.recipes import SOURCES
from snncompare.encoding.codes.rate import RateCode
from snncompare.encoding.stimuli import Features, Image
from snncompare.errors import InputError

WRONG = [
    ("digits_rate", {"n_per_class": "x"}, "n_per_class must be a whole number or nothing, got 'x'"),
    ("digits_rate", {"n_per_class": True}, "n_per_class must be a whole number"),
    ("digits_rate", {"degrees": "2 deg"}, "degrees must be a number"),
    ("digits_rate", {"degrees": float("nan")}, "degrees must be a number"),
    ("song_envelopes", {"n_classes": "x"}, "n_classes must be a whole number"),
    ("song_envelopes", {"n_per_class": 1.5}, "n_per_class must be a whole number"),
    ("song_envelopes", {"cutoffs": "200 Hz"}, "cutoffs must be a list"),
    ("song_envelopes", {"n_classes": 10**9}, "at most 1000000"),
    ("ecg_level_crossing", {"noise_mv": "x"}, "noise_mv must be a number"),
    ("ecg_level_crossing", {"rhythms": "normal"}, "rhythms must be a list, each of text"),
    ("odours", {"lowest": "x"}, "lowest must be a number"),
    ("odours", {"n_odours": 10**9}, "at most 1000000"),
    ("store_recall", {"expected_delay": [6]}, "expected_delay must be a number"),
]


@pytest.mark.parametrize(("name", "options", "says"), WRONG, ids=[f"{n}-{o}" for n, o, _ in WRONG])
def test_options_of_another_type_are_refused(name, options, says):
    with pytest.raises(InputError, match=says) as refused:
        datasets.load(name, **options)
    assert "\n" not in str(refused.value)


def test_numbers_of_numpy_are_numbers():
    plain = datasets.load("odours", n_per_class=2, seed=3)
    given = datasets.load("odours", n_per_class=np.int64(2), seed=np.uint8(3))
    assert given.source.fingerprint() == plain.source.fingerprint()
    assert given.spikes.equals(plain.spikes)
    assert not given.spikes.equals(datasets.load("odours", n_per_class=2, seed=4).spikes)


@pytest.mark.parametrize("seed", [-1, "a", 1.5, True, [1]], ids=repr)
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(InputError, match="seed must be a whole number"):
        datasets.load("yin_yang", seed=seed)


@pytest.mark.parametrize("encoder", ["RateCode", RateCode, 3], ids=["text", "class", "number"])
def test_an_encoder_of_another_type_is_refused_and_never_left_out(encoder):
    with pytest.raises(InputError, match="encoder must be an encoder"):
        datasets.load("yin_yang", encoder=encoder)
    replaced = datasets.load("yin_yang", encoder=RateCode())
    assert replaced.source.fingerprint() != datasets.load("yin_yang").source.fingerprint()


def test_a_name_of_another_type_is_refused():
    with pytest.raises(InputError, match="no dataset '3'"):
        datasets.load(3)


def test_every_kind_of_samples_states_types_that_can_be_checked():
    from importlib import import_module
    from inspect import signature

    from snncompare.datasets.options import checked_option

    for kind, module in SOURCES.items():
        for name, one in signature(getattr(import_module(module), kind)).parameters.items():
            if name != "files" and one.default is not one.empty:
                assert checked_option(name, one.default, one.annotation) == one.default, (kind, name)


def test_what_is_encoded_and_its_seed_are_checked():
    code, stimulus = RateCode(), Features([0.5])
    for seed in ("a", 1.5, True, None):
        with pytest.raises(InputError, match="seed must be a whole number"):
            code.encode([stimulus], seed=seed)
    with pytest.raises(InputError, match=r"write \[stimulus\]"):
        code.encode(stimulus, seed=0)
    assert code.encode([stimulus], seed=np.int64(0)).equals(code.encode([stimulus], seed=0))
    with pytest.raises(InputError, match="degrees_per_pixel must be a positive number"):
        Image(np.zeros((2, 2)), "1 deg")
