"""A table of cell types becomes one projection for each pair of populations of those types."""

import pytest

from snncompare.circuits.motif import motif
from snncompare.errors import DescriptionError
from snncompare.network.initialisers import Exponential
from snncompare.network.network import Network, Population
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import exponential
from snncompare.network.wiring import AllToAll, FixedInDegree, FixedProbability
from snncompare.units import quantity


def _cells(size, cell_type=None):
    return Population(size=size, neuron=leaky_integrate_and_fire(), cell_type=cell_type)


CELLS = {"L4E": _cells(40, "E"), "L5E": _cells(30, "E"), "L5PV": _cells(10, "PV"), "SOM": _cells(5)}
EXCITE, INHIBIT = Exponential(mean=quantity("1 mV")), Exponential(mean=quantity("-2 mV"))
TABLE = {
    ("E", "E"): {"p": 0.1, "weight": EXCITE, "sign": "positive"},
    ("E", "PV"): {"wiring": FixedInDegree(n=7), "weight": EXCITE},
    ("PV", "E"): {"weight": INHIBIT, "delay": "0.7 ms"},
    ("SOM", "PV"): {"p": 0, "weight": INHIBIT},
}
COMMON = {"synapse": exponential(), "into": "I", "delay": "1.5 ms"}


def test_every_pair_of_populations_of_two_types_is_joined():
    found = motif(CELLS, TABLE, **COMMON)
    excitatory = {f"{source}_to_{target}" for source in ("L4E", "L5E") for target in ("L4E", "L5E", "L5PV")}
    assert set(found) == excitatory | {"L5PV_to_L4E", "L5PV_to_L5E"}
    assert found["L4E_to_L5E"].wiring == FixedProbability(p=0.1)
    assert found["L4E_to_L5E"].sign == "positive"
    assert found["L4E_to_L5PV"].wiring == FixedInDegree(n=7)
    assert found["L5PV_to_L4E"].wiring == AllToAll()
    assert (str(found["L5PV_to_L4E"].delay), str(found["L4E_to_L5E"].delay)) == ("0.7 ms", "1.5 ms")
    network = Network(populations=CELLS, projections=found)
    assert len(network.incoming("L5E")) == 3


@pytest.mark.parametrize(
    ("pair", "rule", "says"),
    [
        (("E", "PVI"), {"p": 0.1, "weight": EXCITE}, "no cell type 'PVI'; did you mean 'PV'"),
        (("L4E", "PV"), {"p": 0.1, "weight": EXCITE}, "no cell type 'L4E'"),
        (("E", "PV"), {"p": 0.1, "wiring": AllToAll(), "weight": EXCITE}, "from 'L4E' to 'L5PV': give either 'p' or"),
        (("E", "PV"), {"p": 1.5, "weight": EXCITE}, "from 'L4E' to 'L5PV': FixedProbability"),
        (("E", "PV"), {"p": 0.1}, "from 'L4E' to 'L5PV': Projection: 'weight' is missing"),
        (("E", "PV"), {"p": 0.1, "weight": EXCITE, "colour": 1}, "no key 'colour'"),
    ],
    ids=range(6),
)
def test_tables_that_make_no_projections_are_refused(pair, rule, says):
    with pytest.raises(DescriptionError, match=says):
        motif(CELLS, {pair: rule}, **COMMON)
