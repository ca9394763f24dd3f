"""The frozen chip: it follows from device seed, names and indices alone, and an imperfection that is not there costs nothing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from snncompare.backends.analog.chip import deploy, deploy_many
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.realisation import realise
from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential

PLAIN = ChipProfile.load("plain")
ROUGH = PLAIN.changed(
    **{
        "membrane_time_constant.cv": 0.2, "synaptic_time_constant.cv": 0.1, "refractory.cv": 0.05,
        "threshold.sd_fraction": 0.1, "threshold.mean_fraction": 0.05, "leak.sd_fraction": 0.05,
        "weights.cv": 0.3, "weights.gain_cv": 0.1, "weights.distribution": "log_normal", "weights.bits": 5,
        "neurons.dead_fraction": 0.1,
    }
)  # fmt: skip


def cells(size=6, neuron=None, **more):
    return {"size": size, "neuron": neuron or leaky_integrate_and_fire(), **more}


def feed(source="input", target="cells", **more):
    return {
        "source": source, "target": target, "synapse": exponential(), "into": "I",
        "weight": {"type": "Normal", "mean": "1 mV", "sd": "5 mV"}, **more,
    }  # fmt: skip


def network(populations=None, projections=None):
    there = {"input": {"size": 4, "neuron": {"type": "SpikeSource"}}, "cells": cells()}
    return Network(populations={**there, **(populations or {})}, projections={"feed": feed(), **(projections or {})})


def same(one, other):
    return one.equals(other)


def test_without_imperfection_network_and_realisation_are_the_very_ones():
    for name in ("ideal", "plain"):
        chip = deploy(network(), ChipProfile.load(name), device_seed=3)
        assert chip.network is chip.asked
        assert chip.realisation() is chip.realised
        assert not chip.parameter_maps
        assert not chip.weight_maps
    asked = realise(network(), 7)
    assert deploy(network(), PLAIN).realisation(asked) is asked
    assert deploy(network(), ROUGH).network != network()


def test_one_device_is_the_same_alone_and_among_others():
    many = deploy_many(network(), ROUGH, device_seeds=[4, 9, 2])
    for k, seed in enumerate([4, 9, 2]):
        assert same(many.select(k), deploy(network(), ROUGH, device_seed=seed))
        assert same(many.redrawn([seed]).select(0), many.select(k))
    assert not same(many.select(0), many.select(1))


def test_chips_that_differ_in_anything_are_not_the_same():
    one = deploy(network(), ROUGH, device_seed=2)
    assert same(one, deploy(network(), ROUGH, device_seed=2))
    noisy = deploy(network(), ROUGH.changed(**{"noise.membrane": 0.5}), device_seed=2)
    assert noisy.network == one.network
    assert not same(one, noisy)
    assert not same(one, deploy(network(), ROUGH, device_seed=2, seed=1))  # other weights are asked for
    assert not same(deploy(network(), PLAIN), deploy(network(), PLAIN, device_seed=1))  # nothing is drawn
    opened = one.opened()
    other = {"cells": {**opened.values["cells"], "tau": 2 * opened.values["cells"]["tau"]}}
    given = [deploy(one.network, PLAIN, weights=replace(opened, values=there)) for there in (opened.values, other)]
    assert same(given[0], deploy(one.network, PLAIN, weights=opened))
    assert not same(*given)
    feed = opened.connections["feed"]
    late = replace(feed, delay=np.zeros(feed.n_synapses))
    delayed = deploy(one.network, PLAIN, weights=replace(opened, connections={"feed": late}))
    assert not same(given[0], delayed)


def test_seeds_of_devices_are_the_same_numbers_in_every_form():
    one = deploy(network(), ROUGH, device_seed=4)
    for given in (4, np.int32(4), [4], np.array([4]), range(4, 5)):
        assert same(deploy_many(network(), ROUGH, device_seeds=given).select(0), one)
    assert not same(deploy_many(network(), ROUGH, device_seeds=[np.int64(5)]).select(0), one)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([1, 1], "different"), ([], "different"), ([2**63], r"2\*\*63"), ([np.uint64(2**63)], r"2\*\*63"), ("12", "'12'"),
        ([True], "True"), ([[1, 2]], r"\[1, 2\]"), (np.array(1.5), r"1\.5"), (None, "None"), (range(100_001), "100,000"),
    ],
    ids=["twice", "none", "large", "large unsigned", "text", "bool", "list", "0-d", "nothing", "many"],
)  # fmt: skip
def test_wrong_seeds_of_devices_are_refused_wherever_they_are_given(given, says):
    many = deploy_many(network(), PLAIN, device_seeds=[0])
    for refused in (lambda: deploy_many(network(), PLAIN, device_seeds=given), lambda: many.redrawn(given)):
        with pytest.raises(InputError, match=says) as raised:
            refused()
        assert "\n" not in str(raised.value)


def test_devices_share_one_network_whatever_is_drawn():
    many = deploy_many(network(), ROUGH, device_seeds=range(20))
    assert many.dead["cells"].any(axis=1).any()
    assert not many.dead["cells"].any(axis=1).all()
    assert all(deploy(network(), ROUGH, device_seed=seed).network == many.network for seed in (0, 1))


def test_more_neurons_projections_parameters_and_another_order_change_no_draw():
    small = deploy(network(), ROUGH, device_seed=1)
    larger = network(
        {"cells": cells(9, adaptive_leaky_integrate_and_fire()), "others": cells(3)},
        {"also": feed(), "across": feed("others", "cells"), "back": feed("cells", "others")},
    )
    reordered = larger.model_copy(
        update={
            "populations": dict(reversed(larger.populations.items())),
            "projections": dict(reversed(larger.projections.items())),
        }
    )
    for bigger in (deploy(larger, ROUGH, device_seed=1), deploy(reordered, ROUGH, device_seed=1)):
        for name, one in small.parameter_maps["cells"].items():
            there = bigger.parameter_maps["cells"][name]
            assert np.array_equal(there.factor[:6], one.factor)
            assert np.array_equal(there.offset[:6], one.offset)
        wide = bigger.weight_maps["feed"].factor.reshape(4, 9)
        assert np.array_equal(wide[:, :6], small.weight_maps["feed"].factor.reshape(4, 6))
    other = deploy(network({"cellz": cells()}, {"feed": feed(target="cellz")}), ROUGH, device_seed=1)
    renamed = other.parameter_maps["cellz"]["tau"].factor
    assert not np.array_equal(renamed, small.parameter_maps["cells"]["tau"].factor)


def test_one_imperfection_more_leaves_the_draws_of_the_others():
    rougher = ROUGH.changed(**{"reset.sd_fraction": 0.1})
    one, other = (deploy(network(), profile, device_seed=5) for profile in (ROUGH, rougher))
    assert "v_reset" in other.parameter_maps["cells"]
    assert all(maps.equals(other.parameter_maps["cells"][name]) for name, maps in one.parameter_maps["cells"].items())


def test_projections_of_one_sign_share_the_synaptic_circuit_of_a_neuron():
    positive = {"sign": "positive", "weight": {"type": "Constant", "value": "1 mV"}}
    negative = {"sign": "negative", "weight": {"type": "Constant", "value": "-1 mV"}}
    net = network(projections={"a": feed(**positive), "b": feed(**positive), "c": feed(**negative)})
    maps = deploy(net, ROUGH).parameter_maps["cells"]
    assert maps["tau_syn_a"].equals(maps["tau_syn_b"])
    assert not maps["tau_syn_a"].equals(maps["tau_syn_c"])


def test_spread_and_mean_over_many_neurons_are_those_of_the_profile():
    n = 20_000
    chip = deploy(network({"cells": cells(n)}), ROUGH, device_seed=2)
    maps = chip.parameter_maps["cells"]
    error = 5 / np.sqrt(n)  # five standard errors of a mean, in standard deviations
    # A standard deviation has a relative standard error of sqrt((kurtosis - 1)/(4*n)), 0.71 to 0.82/sqrt(n) here.
    tau = maps["tau"].apply(0.02) / 0.02
    assert abs(tau.mean() - 1) < 0.2 * error
    assert tau.std() == pytest.approx(0.2, rel=error)
    threshold = maps["v_threshold"].apply(0.01) / 0.01
    assert abs(threshold.mean() - 1.05) < 0.1 * error
    assert threshold.std() == pytest.approx(0.1, rel=error)
    assert abs(maps["v_leak"].apply(0.0).std() / 0.01 - 0.05) < 0.05 * error
    assert abs(chip.dead["cells"].mean() - 0.1) < 0.3 * error
    gain = chip.weight_maps["feed"].factor.reshape(4, n)
    assert gain.std() == pytest.approx(np.sqrt(1.09 * 1.01 - 1), rel=error)  # kurtosis 5: 1/sqrt(n)
    common = np.log(1.01) / (np.log(1.01) + np.log(1.09))  # variances of the logarithms: gain of the neuron, and all
    assert abs(np.corrcoef(np.log(gain[:2]))[0, 1] - common) < error
    assert common > 2 * error  # so that 0, what is expected without a common gain, is told apart
    alone = deploy(network({"cells": cells(n)}), ROUGH.changed(**{"weights.gain_cv": 0}), device_seed=2)
    assert abs(np.corrcoef(np.log(alone.weight_maps["feed"].factor.reshape(4, n)[:2]))[0, 1]) < error


def test_failed_neurons_are_wider_or_silent():
    failing = PLAIN.changed(
        **{"membrane_time_constant.cv": 0.05, "neurons.failed_fraction": 0.3, "neurons.failed_spread": 6}
    )
    net = network({"cells": cells(20_000)})
    factor = deploy(net, failing).parameter_maps["cells"]["tau"].factor
    # Five standard errors: the kurtosis of this mixture of log-normals is 12.7, sqrt((12.7 - 1)/(4*20000)) = 0.012.
    assert factor.std() == pytest.approx(0.05 * np.sqrt(0.7 + 0.3 * 36), rel=0.06)
    masked = deploy(net, failing.changed(**{"neurons.mask_failed": True}))
    assert masked.dead["cells"].mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.3 * 0.7 / 20_000))
    assert not deploy(net, failing).dead
    wide = np.abs(factor - 1) > 0.2
    # Beyond 20 % is every second of the failed, but of the others, 4 standard deviations away, a few in 10 000.
    assert masked.dead["cells"][wide].mean() > 0.99
    assert masked.dead["cells"][~wide].mean() < 0.3


def test_what_was_measured_is_used_instead_of_draws():
    frame = pd.DataFrame(
        {
            "population": "cells", "neuron": [*range(6), *range(6)],
            "parameter": ["membrane_time_constant"] * 6 + ["threshold"] * 6,
            "factor": [1.1, 0.9, 1.0, 1.2, 0.8, 1.05, *[np.nan] * 6], "offset": [*[np.nan] * 6, *np.arange(6) / 100],
        }
    )  # fmt: skip
    measured, drawn = deploy(network(), ROUGH, measured=frame), deploy(network(), ROUGH)
    assert measured.parameter_maps["cells"]["tau"].factor.tolist() == [1.1, 0.9, 1.0, 1.2, 0.8, 1.05]
    assert np.allclose(measured.parameter_maps["cells"]["v_threshold"].offset, 0.01 * np.arange(6) / 100, rtol=1e-12)
    assert measured.parameter_maps["cells"]["v_leak"].equals(drawn.parameter_maps["cells"]["v_leak"])
    assert not measured.parameter_maps["cells"]["tau"].equals(drawn.parameter_maps["cells"]["tau"])
    with pytest.raises(InputError, match="measure all"):
        deploy(network({"cells": cells(7)}), ROUGH, measured=frame)


def test_a_readout_is_measured_by_the_thresholds_of_the_same_unit():
    net = network({"out": cells(3, leaky_readout())}, {"read": feed("cells", "out")})
    chip = deploy(net, ROUGH)
    assert chip.distances["out"].tolist() == [0.01] * 3
    assert "v_leak" in chip.parameter_maps["out"]
    lonely = deploy(network({"cells": cells(3, leaky_readout())}), ROUGH)
    assert "v_leak" not in lonely.parameter_maps["cells"]
    assert any("no population with this unit has a threshold" in sentence for sentence in lonely.left_out)


def test_the_table_shows_what_was_got_and_what_is_left_out():
    table = deploy(network(), ROUGH, device_seed=1).table()
    assert set(table["what"].dropna()) == {
        "tau", "v_threshold", "v_leak", "t_refractory", "tau_syn_feed", "weight", "dead neurons",
    }  # fmt: skip
    assert table["emulated"].all()
    ideal = deploy(network(), "ideal").table()
    assert not {"tau", "weight", "dead neurons"} & set(ideal["what"].dropna())
    lonely = deploy(network({"cells": cells(3, leaky_readout())}), ROUGH).table()
    assert (~lonely["emulated"].astype(bool)).any()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"device_seed": -1}, r"from 0 to 2\*\*63 - 1, got -1"),
        ({"device_seed": 0.5}, "got 0.5"),
        ({"device_seed": [1, 2]}, r"got \[1, 2\]"),
        ({"roles": {"cels": {}}}, "'cells'"),
        ({"roles": {"cells": {"tao": "leak"}}}, "'tau'"),
        ({"dt": 0.1}, "dt must be a time"),
        ({"weights": {"feed": np.ones((3, 3))}}, r"\(4, 6\)"),
        ({"profile": "bss3"}, "bss2_calibrated"),
    ],
    ids=["negative seed", "half a seed", "two seeds", "population", "parameter", "dt", "weights", "profile"],
)
def test_wrong_arguments_are_refused_with_what_is_allowed(given, says):
    with pytest.raises(InputError, match=says):
        deploy(network(), **{"profile": ROUGH, **given})


def test_neurons_that_were_asked_to_differ_differ_by_the_chip_on_top_of_that():
    drawn = {"parameters": {"tau": {"type": "Uniform", "low": "5 ms", "high": "30 ms"}}}
    chip = deploy(network({"cells": cells(50, **drawn)}), ROUGH, device_seed=1)
    asked, got = chip.realised.values["cells"]["tau"], chip.realisation().values["cells"]["tau"]
    assert np.ptp(asked) > 0.01
    alike = deploy(network({"cells": cells(50)}), ROUGH, device_seed=1).parameter_maps["cells"]["tau"].factor
    assert np.array_equal(got, asked * alike)


def test_an_opened_description_is_a_description_that_can_be_stored(tmp_path):
    chip = deploy(network(), "bss2_uncalibrated")
    assert chip.profile == ChipProfile.load("bss2_uncalibrated")
    assert Network.load(chip.network.save(tmp_path / "chip.yaml")) == chip.network


def test_too_many_synapses_on_too_many_devices_are_refused_before_anything_is_allocated():
    large = Network(
        populations={"input": {"size": 2000, "neuron": {"type": "SpikeSource"}}, "cells": cells(1000)},
        projections={"feed": feed()},
    )
    with pytest.raises(InputError, match="fewer devices"):
        deploy_many(large, ROUGH, device_seeds=range(101))


def test_draws_that_a_network_cannot_have_are_refused():
    gaussian = PLAIN.changed(**{"membrane_time_constant.cv": 0.5, "membrane_time_constant.distribution": "gaussian"})
    with pytest.raises(InputError, match="log_normal, gaussian_truncated"):
        deploy(network({"cells": cells(500)}), gaussian)
    signed = network(projections={"feed": feed(sign="positive", weight={"type": "Constant", "value": "1 mV"})})
    wild = PLAIN.changed(**{"weights.cv": 1, "weights.distribution": "gaussian"})
    with pytest.raises(InputError, match="positive projection"):
        deploy(signed, wild)
    assert (deploy(network(), wild).weight_maps["feed"].factor < 0).any()
