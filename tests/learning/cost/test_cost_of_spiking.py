"""Operations of spiking networks equal those counted by hand, and the published formula where that holds."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.backends.connections import Connections
from snncompare.backends.realisation import realise
from snncompare.circuits.adaptive_recurrent import adaptive_recurrent_network
from snncompare.errors import InputError, UnsupportedError
from snncompare.learning.cost import Energies, Operations, cost_of_recording, spiking_cost
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import (
    adaptive_exponential_integrate_and_fire,
    adaptive_leaky_integrate_and_fire,
    conductance_leaky_integrate_and_fire,
    current_based_leaky_integrate_and_fire,
    leaky_integrate_and_fire,
    leaky_readout,
)
from snncompare.network.synapses import ampa, delta, exponential
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import AllToAll, Convolution
from snncompare.recording.recording import Recording
from snncompare.units import quantity

DT, STEPS = "1 ms", 50
RNG = np.random.default_rng(2)


def recurrent(neuron, *, inputs=3, hidden=4, synapse=None, into=None, unit="mV"):
    made = synapse or delta()
    joined = {
        name: Projection(
            source=source,
            target="cells",
            synapse=made,
            into=into,
            weight=Constant(value=quantity(f"1 {unit}")),
            wiring=AllToAll(autapses=source == "cells"),
        )
        for name, source in (("feed", "source"), ("recur", "cells"))
    }
    populations = {
        "source": Population(size=inputs, neuron=SpikeSource()),
        "cells": Population(size=hidden, neuron=neuron),
    }
    return Network(populations=populations, projections=joined)


def counts(inputs=3, hidden=4, trials=5):
    return {"source": RNG.integers(0, 20, (trials, inputs)), "cells": RNG.integers(0, 9, (trials, hidden))}


def cost(network, spikes, **options):
    return spiking_cost(network, realise(network, 0), spikes, n_steps=STEPS, dt=DT, **options)


def test_cost_by_hand():
    """Two inputs, two cells, one readout; input 0 reaches both cells, input 1 only the second; no recurrence."""
    network = Network(
        populations={
            "source": Population(size=2, neuron=SpikeSource()),
            "cells": Population(size=2, neuron=leaky_integrate_and_fire()),
            "readout": Population(size=1, neuron=leaky_readout()),
        },
        projections={
            "feed": Projection(
                source="source", target="cells", synapse=delta(), weight=Constant(value=quantity("1 mV"))
            ),
            "read": Projection(
                source="cells", target="readout", synapse=delta(), weight=Constant(value=quantity("1 mV"))
            ),
        },
    )
    sparse = Connections((2, 2), np.array([0, 0, 1]), np.array([0, 1, 1]), np.full(3, 1e-3))
    drawn = realise(network, 0, {"feed": sparse})
    spikes = {"source": np.array([[3, 2], [1, 0]]), "cells": np.array([[4, 0], [0, 2]])}
    found = spiking_cost(network, drawn, spikes, n_steps=10, dt=DT)
    # trial 1: 3*2 + 2*1 = 8 events onto cells, 4 onto the readout; trial 2: 2 and 2
    assert found.layers["cells"] == Operations((8 + 2) / 2, 2 * 10)
    assert found.layers["readout"] == Operations((4 + 2) / 2, 1 * 10)
    assert found.synaptic_operations == 8.0
    assert found.firing == {"source": 6 / 4 / 10, "cells": 6 / 4 / 10}
    assert found.parameters == 3 + 2
    assert found.per_step.accumulate == pytest.approx(0.8, rel=1e-12)
    assert found.energy() == pytest.approx(8 * 0.9e-12 + 30 * 4.6e-12, rel=1e-12)
    assert found.energy(Energies("1 pJ", "10 pJ")) == pytest.approx(8e-12 + 300e-12, rel=1e-12)
    table = found.table()
    assert table.loc["total", "energy"] == pytest.approx(found.energy(), rel=1e-12)
    # every existing synapse counts, and no other
    dense = spiking_cost(network, realise(network, 0), spikes, n_steps=10, dt=DT)
    assert dense.synaptic_operations == 8.0 + (2 + 0) / 2
    zero = Connections((2, 2), sparse.source, sparse.target, np.array([1e-3, 0.0, 1e-3]))
    silenced = spiking_cost(network, realise(network, 0, {"feed": zero}), spikes, n_steps=10, dt=DT)
    assert silenced.synaptic_operations == 8.0 - (3 + 1) / 2


def published(m, n, f_in, f, *, adaptive):
    """Yin et al. (2021), per step: notes on learning rules 3.1."""
    own = 2 * n * f if adaptive else 0.0
    return Operations(m * n * f_in + n * n * f + own, (3 if adaptive else 1) * n)


def test_cost_is_the_published_formula_for_dense_networks():
    spikes = counts()
    f_in, f = (spikes[name].mean() / STEPS for name in ("source", "cells"))
    plain = cost(recurrent(leaky_integrate_and_fire()), spikes).per_step
    expected = published(3, 4, f_in, f, adaptive=False)
    assert (plain.accumulate, plain.multiply_accumulate) == pytest.approx(
        (expected.accumulate, expected.multiply_accumulate), rel=1e-12
    )
    network = adaptive_recurrent_network(inputs=3, hidden=4, classes=2)
    named = {"input": spikes["source"], "hidden": spikes["cells"]}
    adaptive = spiking_cost(network, realise(network, 0), named, n_steps=STEPS, dt=DT)
    hidden = adaptive.layers["hidden"] * (1 / STEPS)
    expected = published(3, 4, f_in, f, adaptive=True)
    assert (hidden.accumulate, hidden.multiply_accumulate) == pytest.approx(
        (expected.accumulate, expected.multiply_accumulate), rel=1e-12
    )
    assert hidden.accumulate != pytest.approx(published(3, 4, f_in, f, adaptive=False).accumulate, rel=1e-3)
    # weights 12 + 16 + 8, biases 4 + 2, time constants 2*4 + 2
    assert adaptive.parameters == 36 + 6 + 10
    fixed = adaptive_recurrent_network(inputs=3, hidden=4, classes=2, train_time_constants=False)
    assert spiking_cost(fixed, realise(fixed, 0), named, n_steps=STEPS, dt=DT).parameters == 36 + 6


@pytest.mark.parametrize(
    ("neuron", "synapse", "into", "per_step", "per_spike"),
    [
        (leaky_integrate_and_fire(refractory="3 ms"), None, None, 1, 0),
        (leaky_integrate_and_fire(), exponential(), "I", 3, 0),  # the membrane and two synaptic currents
        (adaptive_leaky_integrate_and_fire(), None, None, 2, 1),
    ],
    ids=["LIF", "LIF with synaptic currents", "ALIF"],
)
def test_states_that_decay_cost_a_product_each(neuron, synapse, into, per_step, per_spike):
    network, spikes = recurrent(neuron, synapse=synapse, into=into), counts()
    found = cost(network, spikes).layers["cells"]
    assert found.multiply_accumulate == per_step * 4 * STEPS
    events = spikes["source"].sum(axis=1).mean() * 4 + spikes["cells"].sum(axis=1).mean() * (4 + per_spike)
    assert found.accumulate == pytest.approx(events, rel=1e-12)


@pytest.mark.parametrize("tau_syn", [None, "5 ms"], ids=["delta", "exponential"])
def test_a_current_that_lasts_one_step_is_no_state(tau_syn):
    neuron = current_based_leaky_integrate_and_fire(tau_syn=tau_syn)
    found = cost(recurrent(neuron, synapse=delta(unit="1", variable="x"), unit=""), counts())
    assert found.layers["cells"].multiply_accumulate == (1 if tau_syn is None else 2) * 4 * STEPS


@pytest.mark.parametrize(
    ("neuron", "synapse", "into"),
    [
        (adaptive_exponential_integrate_and_fire(), delta(), None),
        (conductance_leaky_integrate_and_fire(), ampa(), "I"),
    ],
    ids=["AdEx", "conductances"],
)
def test_what_is_not_linear_is_not_guessed(neuron, synapse, into):
    network = recurrent(neuron, synapse=synapse, into=into, unit="mV" if into is None else "nS")
    with pytest.raises(UnsupportedError, match=r"not linear .* multiply_accumulates=\{'cells': n\}"):
        cost(network, counts())
    assert cost(network, counts(), multiply_accumulates={"cells": 7}).layers["cells"].multiply_accumulate == 7 * 4 * 50


def test_a_shared_kernel_is_few_parameters_and_many_synapses():
    window = Convolution(input_shape=[8], kernel=[3], channels_out=2)
    network = Network(
        populations={
            "source": Population(size=8, neuron=SpikeSource()),
            "cells": Population(size=12, neuron=leaky_integrate_and_fire(), trainable={"tau": Trainable(shared=True)}),
        },
        projections={
            "feed": Projection(
                source="source",
                target="cells",
                synapse=delta(),
                wiring=window,
                weight=Constant(value=quantity("1 mV")),
            )
        },
    )
    one = np.zeros((1, 8))
    for place, reached in ((0, 2), (4, 6)):  # the first place lies in one window, an inner one in three; two channels
        spikes = one.copy()
        spikes[0, place] = 1
        found = cost(network, {"source": spikes, "cells": np.zeros((1, 12))})
        assert found.synaptic_operations == reached
    assert found.parameters == 3 * 2 + 1


def test_cost_of_a_recording_is_that_of_its_counts():
    network = recurrent(leaky_integrate_and_fire(refractory="0 ms"))
    weights = {"feed": np.full((3, 4), 6e-3), "recur": RNG.normal(0, 1e-3, (4, 4))}
    program = sc.compile(network, "torch", dt=DT, weights=weights)
    given = Recording.from_raster(RNG.random((2, 3, STEPS)) < 0.4, DT)
    run = program.run({"source": given}, duration="50 ms", record=["cells"])
    assert run.times.size > 20
    found = cost_of_recording(network, program.realisation, {"source": given}, run, dt=DT)
    spikes = {"source": given.counts().to_numpy(), "cells": run.counts().to_numpy()}
    assert found == spiking_cost(network, program.realisation, spikes, n_steps=STEPS, dt=DT)
    assert found.firing["source"] == pytest.approx(given.times.size / 2 / 3 / STEPS, rel=1e-12)


def test_wrong_counts_and_energies_are_refused():
    network = recurrent(leaky_integrate_and_fire())
    with pytest.raises(InputError, match="spikes of 'cells' are missing"):
        cost(network, {"source": np.zeros((1, 3))})
    with pytest.raises(InputError, match=r"shape \(n_trials, 4\)"):
        cost(network, {"source": np.zeros((1, 3)), "cells": np.zeros((1, 3))})
    with pytest.raises(InputError, match="multiply_accumulates: "):
        cost(network, counts(), multiply_accumulates={"source": 1})
    for wrong in ("1 mV", "-1 pJ"):
        with pytest.raises(InputError, match="accumulate must be a positive energy"):
            Energies(accumulate=wrong)
