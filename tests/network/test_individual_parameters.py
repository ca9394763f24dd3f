"""Parameters with one value per neuron though the description says one quantity: `individual`."""

import numpy as np
import pytest

from snncompare.backends.realisation import realise
from snncompare.circuits.cortical_column import cortical_column
from snncompare.circuits.recurrent import recurrent_classifier
from snncompare.errors import DescriptionError
from snncompare.network.composition import compose
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import alpha


def network(cells=(), feed=(), **more):
    projection = {
        "source": "input", "target": "cells", "synapse": alpha(), "into": "I",
        "weight": {"type": "Constant", "value": "5 mV"}, "individual": feed, **more,
    }  # fmt: skip
    populations = {
        "input": {"size": 3, "neuron": {"type": "SpikeSource"}},
        "cells": {"size": 4, "neuron": leaky_integrate_and_fire(), "individual": cells},
    }
    return Network(populations=populations, projections={"feed": projection})


def test_descriptions_without_any_keep_the_fingerprints_they_had_before_the_field_existed():
    """Computed on commit 9e35ef9: stored checkpoints and caches stay valid."""
    assert recurrent_classifier(inputs=3, hidden=4, classes=2).fingerprint() == (
        "2c9b8a51c2b5b78df4a00426c07a14c08ce98ab499002665ae06e1275c4cbf8a"
    )
    assert cortical_column(0.1).fingerprint() == "abbad1742670eef27b8598c07e5d7b7134d851dd1311f6f0e3bab623ac2ed90e"
    assert network(["tau"]).fingerprint() != network().fingerprint()
    assert network(feed=["tau_syn"]).fingerprint() != network().fingerprint()


def test_they_are_written_and_read_back(tmp_path):
    described = network(["tau", "v_reset"], ["tau_syn"])
    assert Network.load(described.save(tmp_path / "network.yaml")) == described
    assert "individual" not in str(network().plain())


def test_they_have_the_value_of_the_quantity_for_each_neuron_unless_a_realisation_says_otherwise():
    described = network(["tau"], ["tau_syn"])
    drawn = realise(described, 0).values["cells"]
    assert drawn["tau"].tolist() == [0.02] * 4
    assert drawn["tau_syn_feed"].tolist() == [0.005] * 4
    own = np.arange(1.0, 5.0) * 1e-3
    assert realise(described, 0, {"cells": {"tau": own}}).values["cells"]["tau"].tolist() == own.tolist()
    assert realise(network(), 0).values == {}


def test_they_stand_in_the_composed_equations_and_not_among_the_shared_parameters():
    composed = compose(network(["tau"], ["tau_syn"]), "cells")
    assert "tau : second (constant)" in composed.equations
    assert "tau_syn_feed : second (constant)" in composed.equations
    assert not {"tau", "tau_syn_feed"} & set(composed.parameters)
    assert {"tau", "tau_syn_feed"} <= set(compose(network(), "cells").parameters)


def test_one_that_is_drawn_or_trained_anyway_is_not_there_twice():
    drawn = Population(
        size=4, neuron=leaky_integrate_and_fire(), individual=["tau"],
        parameters={"tau": {"type": "Uniform", "low": "5 ms", "high": "9 ms"}},
    )  # fmt: skip
    assert drawn.per_neuron() == ["tau"]
    trained = network(feed=["tau_syn"], trainable={"tau_syn": {"low": "1 ms"}}).projections["feed"]
    assert trained.per_target() == ["tau_syn"]


@pytest.mark.parametrize(
    ("given", "says"), [({"cells": ["tao"]}, "'tau'"), ({"feed": ["tau"]}, "'tau_syn'")], ids=["neuron", "synapse"]
)
def test_parameters_that_do_not_exist_are_refused_by_name(given, says):
    with pytest.raises(DescriptionError, match=says):
        network(**given)


def test_a_spike_source_has_none():
    with pytest.raises(DescriptionError, match="no parameters"):
        Population(size=2, neuron={"type": "SpikeSource"}, individual=["tau"])
    assert "individual" in Projection.model_fields
