"""The opened description: with the values that were asked for it is the network, with others each neuron is its own."""

import numpy as np
import pandas as pd
import pytest

from snncompare.backends.analog.chip import deploy
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.reading.lifting import lifted_network
from snncompare.backends.analog.reading.roles import Role, roles_of
from snncompare.backends.registry import compile as compile_network
from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons import (
    adaptive_exponential_integrate_and_fire,
    current_based_leaky_integrate_and_fire,
    izhikevich,
)
from snncompare.network.synapses import depressing, exponential
from snncompare.recording.recording import Recording

ROUGH = ChipProfile.load("bss2_uncalibrated").changed(**{"adaptation_time_constant.cv": 0.1})
UNNAMED = NeuronModel(
    equations="dv/dt = (-65*mV - v + I - u)/(10*ms) : volt (unless refractory)\ndu/dt = -u/(2*50*ms) : volt",
    threshold="v > -50*mV + 0.5*u",
    reset="v = -65*mV\nu += 0.5*mV",
    refractory="1 ms",
    inputs={"I": "volt"},
    initial={"v": "-65 mV"},
)
IMPLICIT = NeuronModel(
    equations="dv/dt = (I - v)/tau : volt", threshold="v > 10*mV", reset="v = 0*mV", parameters={"tau": "10 ms"},
    inputs={"I": "volt"},
)  # fmt: skip


def driven(model, *, unit="volt", weight="8 mV", synapse=None, size=5, **more):
    return Network(
        populations={"input": {"size": 10, "neuron": {"type": "SpikeSource"}}, "cells": {"size": size, "neuron": model}},
        projections={
            "feed": {
                "source": "input", "target": "cells", "synapse": synapse or exponential(unit=unit), "into": "I",
                "weight": {"type": "Uniform", "low": f"0 {weight.split()[1]}", "high": weight}, **more,
            }
        },
    )  # fmt: skip


def spikes(network, weights=None, backend="torch"):
    steps = np.sort(np.random.default_rng(1).choice(500, 200, replace=False))
    given = Recording.from_arrays(
        times=steps * 1e-4, unit=np.arange(200) % 10, trial=np.zeros(200, int), units=pd.DataFrame(index=range(10)),
        trials=pd.DataFrame({"start": [0.0], "stop": [0.05]}),
    )  # fmt: skip
    run = compile_network(network, backend, weights=weights).run({"input": given}, duration="0.05 s")
    return [run.train(0, name).tolist() for name in run.units.index]


NETWORKS = {
    "numbers without names": driven(UNNAMED, weight="40 mV"),
    "a leak that is not written": driven(IMPLICIT, weight="30 mV"),
    "exponential upstroke": driven(adaptive_exponential_integrate_and_fire(), unit="amp", weight="1500 pA"),
    "state of each synapse": driven(IMPLICIT, weight="90 mV", synapse=depressing()),
    "per time step": driven(
        current_based_leaky_integrate_and_fire(v_threshold="10 mV", reset="subtract base threshold"), weight="40 mV"
    ),
}


SLOW = ("a leak that is not written", "state of each synapse")


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] if n in SLOW else []) for n in NETWORKS])
def test_with_what_was_asked_for_it_fires_the_very_spikes_and_with_what_was_got_others(name):
    network = NETWORKS[name]
    chip = deploy(network, ROUGH, device_seed=1)
    ideal = spikes(network)
    assert sum(map(len, ideal)) > 10
    assert chip.network != network
    assert spikes(chip.network, chip.opened()) == ideal
    assert spikes(chip.network, chip.realisation()) != ideal


def test_brian2_and_torch_fire_the_same_spikes_of_one_chip():
    chip = deploy(NETWORKS["numbers without names"], ROUGH, device_seed=1)
    assert spikes(chip.network, chip.realisation(), "brian2") == spikes(chip.network, chip.realisation())


def test_numbers_without_names_become_parameters_with_their_roles_and_values():
    wanted = {role for role in Role if role != Role.OTHER}
    lifted = lifted_network(driven(UNNAMED), {"cells": wanted})
    values = {name: value.value for name, value in lifted.populations["cells"].model.parameters.items()}
    assert values == {
        "t_refractory": 0.001, "v_threshold": -0.05, "v_reset": -0.065, "v_leak": -0.065, "tau_v": 0.01, "tau_u": 0.1,
    }  # fmt: skip
    roles = roles_of(lifted, "cells")
    assert {roles[name] for name in values} == {
        "refractory", "threshold", "reset", "leak", "membrane_time_constant", "adaptation_time_constant",
    }  # fmt: skip


def test_only_what_differs_is_lifted_and_names_that_are_taken_are_left_alone():
    only = lifted_network(driven(UNNAMED), {"cells": {Role.THRESHOLD}})
    assert list(only.populations["cells"].model.parameters) == ["v_threshold"]
    taken = IMPLICIT.model_copy(update={"parameters": {**IMPLICIT.parameters, "v_threshold": "3 s"}})
    there = lifted_network(driven(taken), {"cells": {Role.THRESHOLD}}).populations["cells"].model.parameters
    assert there["v_threshold_2"].value == 0.01
    assert lifted_network(driven(UNNAMED), {"cells": set()}) == driven(UNNAMED)


def test_a_unit_in_a_coefficient_is_no_time_constant():
    model = izhikevich()
    lifted = lifted_network(driven(model, unit="volt/second", weight="8 mV/ms"), {"cells": set(Role)})
    assert lifted.populations["cells"].model.equations == model.equations


def test_a_leak_that_is_not_written_shifts_where_the_membrane_rests():
    chip = deploy(driven(IMPLICIT), ChipProfile.load("plain").changed(**{"leak.sd_fraction": 0.2}))
    program = compile_network(chip.network, "torch", weights=chip.realisation())
    silent = Recording.from_arrays(
        times=[], unit=[], trial=[], units=pd.DataFrame(index=range(10)),
        trials=pd.DataFrame({"start": [0.0], "stop": [0.06]}),
    )  # fmt: skip
    v = program.run({"input": silent}, duration="0.06 s", record=["cells.v"]).traces["cells.v"]
    offset = chip.parameter_maps["cells"]["v_leak"].offset
    assert np.abs(offset).min() > 1e-5
    # six time constants: exp(-6) of the way is left
    assert np.allclose(np.asarray(v)[0, :, -1], offset * (1 - np.exp(-6)), rtol=2e-3)


def test_a_dead_neuron_is_silent_and_its_state_stays_finite():
    network = NETWORKS["exponential upstroke"]
    fatal = ChipProfile.load("plain").changed(**{"neurons.dead_fraction": 0.5})
    seed = next(k for k in range(9) if 0 < deploy(network, fatal, device_seed=k).dead["cells"].sum() < 5)
    chip = deploy(network, fatal, device_seed=seed)
    counts = np.array([len(train) for train in spikes(chip.network, chip.realisation())])
    ideal = np.array([len(train) for train in spikes(network)])
    assert (counts == np.where(chip.dead["cells"], 0, ideal)).all()
    assert (ideal > 0).all()


def test_a_state_that_begins_at_a_parameter_begins_at_what_the_chip_has():
    chip = deploy(NETWORKS["exponential upstroke"], ROUGH)
    got = chip.realisation().values["cells"]
    assert np.array_equal(got["v"], got["E_L"])
    assert np.ptp(got["v"]) > 0


def test_a_convolution_with_synapses_of_its_own_is_unrolled():
    shape = {"type": "Convolution", "input_shape": [10], "kernel": [3], "padding": 1}
    network = driven(IMPLICIT, size=10, weight="40 mV", wiring=shape)
    chip = deploy(network, ChipProfile.load("plain").changed(**{"weights.cv": 0.1}))
    there = chip.realisation().connections["feed"]
    assert there.shared is None
    assert np.unique(there.weight).size == there.n_synapses
    assert spikes(chip.network, chip.opened()) == spikes(network)
    assert deploy(network, ChipProfile.load("plain").changed(**{"weights.bits": 3})).network == network


def test_other_synapses_than_those_that_were_deployed_are_refused():
    network = NETWORKS["a leak that is not written"]
    chip = deploy(network, ROUGH)
    fewer = compile_network(network, "torch", weights={"feed": np.eye(10, 5)}).realisation
    with pytest.raises(InputError, match="weights="):
        chip.realisation(fewer)
    assert deploy(network, ROUGH, weights=fewer).realisation(fewer).connections["feed"].n_synapses == 5


def test_what_cannot_be_emulated_is_said_in_words():
    hopeless = NeuronModel(
        equations="dv/dt = (v**2 + I)/tau : 1", threshold="v > 1", reset="v -= 2", refractory="dt*3", method="rk4",
        parameters={"tau": "10 ms"}, inputs={"I": "1"},
    )  # fmt: skip
    synapse = depressing(exponential(unit="1"))
    network = driven(hopeless, unit="1", weight="8 1", synapse=synapse)
    rough = ROUGH.changed(**{"other_time.cv": 0.1})
    said = " ".join(deploy(network, rough).left_out)
    for word in ("leak potential", "reset potential", "refractory time", "tau_depression_feed"):
        assert word in said
    assert "threshold" not in said


def test_a_synapse_without_a_time_constant_that_has_a_name_is_said_too():
    unnamed = exponential().model_copy(update={"equations": "dx/dt = -x/(5*ms) : volt", "parameters": {}})
    said = deploy(driven(IMPLICIT, synapse=unnamed), ROUGH).left_out
    assert any("time constant of 'x_feed'" in sentence for sentence in said)
    assert not any("time constant" in sentence for sentence in deploy(driven(IMPLICIT), ROUGH).left_out)
