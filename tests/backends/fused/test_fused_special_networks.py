"""What few networks have: sizes in equations, values that all neurons share, names that two blocks use, odd wiring."""

import numpy as np
import pytest

from snncompare.backends.fused.refusals import missing_in_kernels
from snncompare.backends.registry import compile as compile_network
from snncompare.network.initialisers import Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.synapse import SynapseModel
from snncompare.testing.conformance import same_spikes
from snncompare.testing.networks import poisson_input


def _network(neuron=None, synapse=None, **projection):
    model = neuron or NeuronModel(equations="dv/dt = (1.2 - v)/(20*ms) : 1\nx : 1", threshold="v > 1", reset="v = 0")
    loop = Projection(
        source="cells", target="cells", synapse=synapse or SynapseModel(on_pre="v_post += w", weight_unit="1"),
        **{"weight": Uniform(low="0", high="0.02"), "delay": "1 ms", **projection},
    )  # fmt: skip
    cells = Population(size=140, neuron=model, initial={"v": Uniform(low="0", high="1")})
    return Network(name="special", populations={"cells": cells}, projections={"loop": loop})


def _both(network, record=None, weights=None):
    return [
        compile_network(network, name, dt="0.5 ms", seed=1, weights=weights).run({}, duration="200 ms", record=record)
        for name in ("fused", "brian2")
    ]


def test_synapses_know_how_many_neurons_there_are():
    """Also what is computed once from it; 140 neurons fill one chunk and a part of the next."""
    synapse = SynapseModel(on_pre="v_post += w*exp(-5/N_pre)*(N_post > 100)*(i + j)/(2*N_pre)", weight_unit="1")
    ours, theirs = _both(_network(synapse=synapse))
    assert theirs.times.size > 500
    assert same_spikes(ours, theirs)


def test_values_that_all_neurons_share():
    model = NeuronModel(
        equations="""dv/dt = (1.2 + wave + i/N - v)/(20*ms) : 1
                     wave = 0.5*sin(2*pi*t/(20*ms)) : 1 (shared, constant over dt)""",
        threshold="v > 1 + 0.1*wave + 0.2*sin(2*pi*t/(31*ms))",
        reset="v = 0",
    )
    ours, theirs = _both(_network(model), ["cells", "cells.v"])
    assert theirs.times.size > 500
    assert same_spikes(ours, theirs)
    assert np.abs(ours.traces["cells.v"] - theirs.traces["cells.v"]).max() < 1e-12


def test_random_numbers_in_the_threshold_and_in_the_update_are_kept_apart():
    """Both blocks have intermediate values of the same names; a neuron fires at 200 Hz whatever the update draws."""
    model = NeuronModel(
        equations="dv/dt = (int(rand() < 0.5*exp(-dt/(5*ms))) - v)/(5*ms) : 1",
        threshold="rand() < (1 + 0.2*sin(2*pi*t/(100*ms)))*0.1",
        reset="",
        method="euler",
    )
    network = Network(name="random", populations={"cells": Population(size=300, neuron=model)})
    run = compile_network(network, "fused", dt="0.5 ms").run({}, duration="1 s", record=["cells", "cells.v"])
    n = 300 * 2000
    assert run.times.size == pytest.approx(0.1 * n, abs=4 * np.sqrt(0.09 * n))
    wave = np.histogram(run.times, np.arange(0, 1.0001, 0.05))[0]  # halves of the period of the sine
    assert (wave[::2] > wave[1::2]).all()
    # of a mean over 100 time constants of 300 neurons: below 0.5 % of a standard deviation of 0.15 is expected
    assert run.traces["cells.v"].values[:, :, 400:].mean() == pytest.approx(0.5 * np.exp(-0.1), abs=0.01)


@pytest.mark.parametrize("weights", [None, {"loop": np.zeros((140, 140))}], ids=["few", "none"])
def test_few_synapses_and_none(weights):
    ours, theirs = _both(_network(wiring={"type": "OneToOne"}), weights=weights)
    assert same_spikes(ours, theirs)
    assert ours.times.size > 500


def test_a_variable_of_one_population_read_at_one_end_and_written_at_the_other_is_refused():
    (said,) = missing_in_kernels(_network(synapse=SynapseModel(on_pre="v_post += w*v_pre", weight_unit="1")), 5e-4)
    assert "order" in said
    assert missing_in_kernels(_network(synapse=SynapseModel(on_pre="v_post += w*x_pre", weight_unit="1")), 5e-4) == ()


def test_neurons_that_only_listen():
    """No equation and no threshold of their own: they count."""
    network = _network()
    ear = Population(size=3, neuron=NeuronModel(equations="n : 1"))
    hear = Projection(
        source="cells",
        target="ear",
        synapse=SynapseModel(on_pre="n_post += w", weight_unit="1"),
        weight={"type": "Constant", "value": "1"},
    )
    more = network.model_copy(
        update={
            "populations": {**network.populations, "ear": ear},
            "projections": {**network.projections, "hear": hear},
        }
    )
    run = compile_network(more, "fused", dt="0.5 ms").run({}, duration="200 ms", record=["cells", "ear.n"])
    assert run.traces["ear.n"].values[0, 0, -1] == (run.times < 0.1994).sum() > 500


def test_sources_without_projections_need_no_memory_of_spikes():
    network = _network()
    source = Population(size=12, neuron={"type": "SpikeSource"})
    more = network.model_copy(update={"populations": {**network.populations, "source": source}})
    runs = [
        compile_network(made, "fused", dt="0.5 ms", seed=1).run(inputs, duration="1 s")
        for made, inputs in ((more, {"source": poisson_input(trials=1)}), (network, {}))
    ]
    assert np.array_equal(*(run.times for run in runs))
