"""What is drawn anew on a chip: how large it is, and what it depends on."""

import numpy as np
import pytest

from snncompare.backends.analog import ChipProfile
from snncompare.backends.analog.chip import deploy_many
from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError, SnncompareError
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.testing.networks import recurrent_network

SIZE = 400


def _cells(size=SIZE, **changes):
    neuron = leaky_integrate_and_fire(tau="20 ms", **changes)
    return Network(name="cells", populations={"cells": Population(size=size, neuron=neuron)})


def _chip(**changes):
    return ChipProfile.load("plain").changed(**changes)


def _begin(network, chip, *, seeds=(1,), n_trials=1, dt=5e-4, seed=0, first_trial=0):
    return deploy_many(network, chip, device_seeds=seeds).begin(
        n_trials=n_trials, dt=dt, seed=seed, first_trial=first_trial
    )


@pytest.mark.parametrize(("dt", "n_steps"), [(1e-4, 6000), (1e-3, 600)])
def test_the_free_membrane_has_the_stated_spread_whatever_the_step(dt, n_steps):
    noise = _begin(_cells(), _chip(**{"noise.membrane": 0.05}), dt=dt).noise("cells", 0, n_steps)["v"][:, 0]
    v, seen = np.zeros(SIZE), []
    for now in noise:
        v = v * np.exp(-dt / 20e-3) + now
        seen.append(v)
    late = np.array(seen[n_steps // 4 :])  # after 7 time constants
    # 400 neurons during 22 correlation times: four standard errors of a standard deviation are 4 %.
    assert late.std() == pytest.approx(0.05 * 10e-3, rel=0.04)
    assert abs(late.mean()) < 4 * 0.05 * 10e-3 / np.sqrt(SIZE * 22)


def test_steps_neurons_trials_and_devices_are_independent():
    noise = _begin(_cells(), _chip(**{"noise.membrane": 0.05}), seeds=(1, 2), n_trials=2).noise("cells", 0, 500)["v"]
    assert noise.shape == (500, 4, SIZE)
    z = noise / noise.std()
    pairs = [(z[1:], z[:-1]), (z[..., 1:], z[..., :-1]), (z[:, 0], z[:, 1]), (z[:, 0], z[:, 2]), (z[:, 1], z[:, 2])]
    for one, other in pairs:
        assert abs((one * other).mean()) < 4 / np.sqrt(one.size)
    assert abs((z**4).mean() - 3) < 4 * np.sqrt(96 / z.size)  # a normal distribution


def test_noise_depends_on_device_run_trial_step_and_neuron_only():
    chip = _chip(**{"noise.membrane": 0.05, "threshold.per_run": 0.02, "threshold.per_trial": 0.03})
    whole = _begin(_cells(), chip, seeds=(7, 3), n_trials=4)
    noise, offset = whole.noise("cells", 0, 50)["v"], whole.offsets("cells")["v_threshold"]
    later = _begin(_cells(), chip, seeds=(3,), n_trials=2, first_trial=2)
    pieces = np.concatenate([later.noise("cells", a, b - a)["v"] for a, b in ((0, 1), (1, 20), (20, 50))])
    assert np.array_equal(pieces, noise[:, 6:8])
    assert np.array_equal(later.offsets("cells")["v_threshold"], offset[6:8])
    fewer = _begin(_cells(size=30), chip, seeds=(3,), n_trials=2, first_trial=2)
    assert np.array_equal(fewer.noise("cells", 0, 50)["v"], pieces[..., :30])
    for change in ({"seed": 1}, {"seeds": (4,)}, {"first_trial": 1}):
        other = _begin(_cells(), chip, **({"seeds": (3,), "n_trials": 2, "first_trial": 2} | change))
        assert not np.isin(other.noise("cells", 0, 50)["v"][:, 1], pieces[:, 1]).any()
        assert not np.array_equal(other.offsets("cells")["v_threshold"], offset[6:8])
    assert np.array_equal(other.noise("cells", 0, 50)["v"][:, 1], pieces[:, 0])  # trial 2, whichever it begins with


def test_thresholds_move_from_run_to_run_and_from_trial_to_trial():
    only_run, only_trial, both = (
        _begin(_cells(size=4000), _chip(**change), n_trials=3).offsets("cells")["v_threshold"] / 10e-3
        for change in (
            {"threshold.per_run": 0.02},
            {"threshold.per_trial": 0.03},
            {"threshold.per_run": 0.02, "threshold.per_trial": 0.03},
        )
    )
    # 4000 draws: four standard errors of a standard deviation are 4.5 %.
    assert only_run.std(axis=1) == pytest.approx(0.02, rel=0.045)
    assert np.array_equal(only_run[0], only_run[2])
    assert only_trial.std(axis=1) == pytest.approx(0.03, rel=0.045)
    assert abs(np.corrcoef(only_trial)[0, 1]) < 4 / np.sqrt(4000)
    assert both.std(axis=1) == pytest.approx(np.hypot(0.02, 0.03), rel=0.045)
    assert np.corrcoef(both)[0, 1] == pytest.approx(4 / 13, abs=4 / np.sqrt(4000))


def test_positive_parameters_are_drawn_anew_around_what_the_device_has():
    chip = _chip(**{"membrane_time_constant.cv": 0.2, "membrane_time_constant.per_trial": 0.1})
    fleet = deploy_many(_cells(size=4000), chip, device_seeds=[5])
    got = fleet.parameter_maps["cells"]["tau"].apply(20e-3)[0]
    moved = got + fleet.begin(n_trials=2, dt=5e-4, seed=0).offsets("cells")["tau"]
    factor = moved / got
    assert (moved > 0).all()
    assert factor.mean() == pytest.approx(1, abs=4 * 0.1 / np.sqrt(8000))
    # Four standard errors of the spread of 8000 draws with kurtosis 3.2 are 3.3 %.
    assert factor.std() == pytest.approx(0.1, rel=0.033)
    # What is frozen stays: 4000 draws with kurtosis 3.7, four standard errors of their spread are 5.2 %.
    assert got.std() / got.mean() == pytest.approx(0.2, rel=0.052)


def test_dead_neurons_are_the_same_in_every_run_whatever_is_drawn_anew():
    network = _cells(size=1000, refractory="2 ms")
    changes = {"neurons.dead_fraction": 0.003, "other.per_run": 0.5, "refractory.per_run": 0.1}
    fleet = deploy_many(network, _chip(**changes), device_seeds=[1])
    offsets = fleet.begin(n_trials=2, dt=5e-4, seed=0).offsets("cells")
    assert "alive" in fleet.parameter_maps["cells"]
    assert 0 < fleet.dead["cells"].sum() < 20
    assert offsets.keys() == {"t_refractory"}  # alive is not drawn anew


def test_trials_differ_by_membrane_noise_alone():
    network = _cells(size=5, refractory="2 ms")
    drive = network.populations["cells"].neuron.model_copy(
        update={"equations": "dv/dt = (1.2*v_threshold - v)/tau : volt"}
    )
    driven = network.model_copy(update={"populations": {"cells": Population(size=5, neuron=drive)}})
    spikes = [
        compile_network(driven, "analog", dt="0.5 ms", profile=_chip(**change))
        .run({}, duration="150 ms", seed=seed)
        .times.tolist()
        for change, seed in (({}, 0), ({}, 1), ({"noise.membrane": 0.1}, 0), ({"noise.membrane": 0.1}, 1))
    ]
    assert spikes[0] == spikes[1]
    assert len(spikes[0]) >= 10
    assert spikes[2] != spikes[3]


def test_synaptic_currents_saturate_neuron_by_neuron():
    chip = _chip(**{"saturation.current": 2, "saturation.cv": 0.3})
    run = _begin(recurrent_network(hidden=400), chip, seeds=(1, 2), n_trials=2)
    limits = run.limits("adaptive")
    assert limits.keys() == {"x_drive", "x_recur"}
    assert not run.limits("plain")  # delta synapses act on the membrane itself
    low, high = limits["x_drive"]
    assert np.array_equal(low, -high)
    assert np.array_equal(high, limits["x_recur"][1])  # one synaptic input of each neuron
    assert np.array_equal(high[0], high[1])
    assert not np.array_equal(high[0], high[2])
    assert high.mean() == pytest.approx(20e-3, rel=4 * 0.3 / np.sqrt(800))
    # 800 draws of a log-normal with kurtosis 4.6: four standard errors of its spread are 14 %.
    assert high.std() / high.mean() == pytest.approx(0.3, rel=0.14)


def test_what_a_network_cannot_have_is_refused_in_words():
    quiet = NeuronModel(equations="dv/dt = (-v + I)/tau : volt", parameters={"tau": "10 ms"}, inputs={"I": "volt"})
    no_threshold = Network(name="quiet", populations={"quiet": Population(size=2, neuron=quiet)})
    with pytest.raises(InputError, match="neither 'quiet' nor any other population"):
        _begin(no_threshold, _chip(**{"noise.membrane": 0.1}))
    no_leak = NeuronModel(
        equations="dv/dt = drive : volt", threshold="v > v_threshold", reset="v = 0*volt",
        parameters={"drive": "1 V/second", "v_threshold": "1 V"},
    )  # fmt: skip
    with pytest.raises(InputError, match="needs the membrane time constant of 'cells'"):
        _begin(
            Network(name="no leak", populations={"cells": Population(size=2, neuron=no_leak)}),
            _chip(**{"noise.membrane": 0.1}),
        )
    with pytest.raises(SnncompareError, match="tanh"):
        _begin(recurrent_network(), _chip(**{"saturation.current": 2, "saturation.shape": "tanh"}))


def _signed(**signs):
    """Return the recurrent network with Dale's law for some of its projections."""
    network = recurrent_network(hidden=20)
    projections = {
        name: p.model_copy(update={"sign": signs[name], "weight": Constant(value="0 mV")}) if name in signs else p
        for name, p in network.projections.items()
    }
    return network.model_copy(update={"projections": projections})


def test_projections_of_one_sign_share_the_bound_and_others_do_not():
    chip = _chip(**{"saturation.current": 2, "saturation.cv": 0.3})
    for signs, shared in (
        ({"drive": "positive", "recur": "positive"}, True),
        ({"drive": "positive", "recur": "negative"}, False),
        ({"drive": "positive"}, False),
    ):
        limits = _begin(_signed(**signs), chip).limits("adaptive")
        assert np.array_equal(limits["x_drive"][1], limits["x_recur"][1]) == shared


def test_a_program_says_what_does_not_saturate():
    def said(profile, **signs):
        return compile_network(_signed(**signs), "analog", dt="0.5 ms", profile=profile).left_out

    limited = _chip(**{"saturation.current": 2})
    delta = ("projection 'back': its synapses have no current and do not saturate.",
             "projection 'across': its synapses have no current and do not saturate.")  # fmt: skip
    each = "population 'adaptive': 'drive', 'recur' saturate each for itself, not their sum."
    assert set(said(limited)) == {*delta, each}
    assert each in said(limited, drive="positive", recur="positive")
    assert set(said(limited, drive="positive", recur="negative")) == set(delta)  # two inputs of the chip
    assert said(_chip()) == ()
