"""Fluctuation-driven weights stand for a plain distribution, in the unit of the weight, with the sign they need."""

import pytest

import snncompare.backends.fluctuations as module
from snncompare.backends.fluctuations import distribution_for
from snncompare.backends.realisation import realise
from snncompare.errors import DescriptionError
from snncompare.network.fluctuations import (
    FluctuationDrivenCentred,
    FluctuationDrivenExponential,
    FluctuationDrivenLogNormal,
    FluctuationDrivenNormal,
)
from snncompare.network.initialisers import Exponential, LogNormal, Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons.leaky import conductance_leaky_integrate_and_fire, leaky_integrate_and_fire
from snncompare.network.synapses.currents import delta, exponential
from snncompare.network.wiring import AllToAll, DistanceDependent, ExplicitList, FixedProbability

DT = 1e-3


def described(weights, *, n=100, neuron=None, synapse=None, signs=None, source=None, wiring=None):
    populations = {f"from_{name}": Population(size=n, neuron=SpikeSource()) for name in weights}
    populations["cells"] = Population(size=n, neuron=neuron or leaky_integrate_and_fire())
    projections = {
        name: Projection(
            source=source or f"from_{name}",
            target="cells",
            synapse=synapse or delta(),
            weight=weight,
            sign=(signs or {}).get(name),
            wiring=wiring or AllToAll(),
            into="I" if synapse is not None and synapse.current is not None else None,
        )
        for name, weight in weights.items()
    }
    return Network(populations=populations, projections=projections)


ASKED = {"rate": "10 Hz", "sd": "2 mV"}


def test_each_kind_becomes_its_distribution():
    normal = distribution_for(described({"feed": FluctuationDrivenNormal(mean="1 mV", **ASKED)}), "feed", DT)
    centred = distribution_for(described({"feed": FluctuationDrivenCentred(**ASKED)}), "feed", DT)
    assert isinstance(normal, Normal)
    assert isinstance(centred, Normal)
    assert normal.mean.value > 0 == centred.mean.value
    assert str(normal.mean.dimension) == str(FluctuationDrivenCentred(**ASKED).target_sd.dimension)
    for kind, result in ((FluctuationDrivenExponential, Exponential), (FluctuationDrivenLogNormal, LogNormal)):
        network = described({"exc": kind(**ASKED), "inh": kind(**ASKED)}, signs={"inh": "negative"})
        one, other = (distribution_for(network, name, DT) for name in ("exc", "inh"))
        assert isinstance(one, result)
        assert one.mean.value == pytest.approx(-other.mean.value, rel=1e-9)
        drawn = realise(network, 0, dt=DT).connections
        assert drawn["exc"].weight.min() > 0 > drawn["inh"].weight.max()
    assert one.sd.value == pytest.approx(one.mean.value * (2.718281828 - 1) ** 0.5, rel=1e-9)


def test_weights_have_the_unit_of_the_synapse():
    current = exponential(unit="amp")
    network = described(
        {"feed": FluctuationDrivenCentred(**ASKED)}, neuron=conductance_leaky_integrate_and_fire(), synapse=current
    )
    found = distribution_for(network, "feed", DT)
    assert found.sd.dimension == (0, 0, 0, 1, 0, 0, 0)
    assert 1e-12 < found.sd.value < 1e-9


def test_a_current_based_target_is_measured_twice_and_no_more(monkeypatch):
    """Once at rest and once at work, where the kernels are the same; asked again, not at all."""
    calls, respond = [], module.MembraneProbe.respond

    def counted(self, *given, **named):
        calls.append(given)
        return respond(self, *given, **named)

    monkeypatch.setattr(module.MembraneProbe, "respond", counted)
    weight = FluctuationDrivenNormal(rate="11 Hz", mean="1 mV", sd="2 mV", share=0.5)
    network = described({"one": weight, "two": weight})
    distribution_for(network, "one", DT)
    distribution_for(network, "two", DT)
    assert len(calls) == 2


def test_recurrent_projections_count_no_autapses():
    def sd(**more):
        cells = leaky_integrate_and_fire()
        weight = FluctuationDrivenCentred(**ASKED)
        recur = Projection(source="cells", target="cells", synapse=delta(), weight=weight, **more)
        network = Network(populations={"cells": Population(size=5, neuron=cells)}, projections={"recur": recur})
        return distribution_for(network, "recur", DT).sd.value

    assert sd() / sd(wiring=AllToAll(autapses=True)) == pytest.approx((5 / 4) ** 0.5, rel=1e-9)


def test_wiring_by_distance_is_counted_from_draws():
    near = DistanceDependent(p_max=0.5, width=0.1, layout="torus")
    weight = {"feed": FluctuationDrivenCentred(**ASKED)}
    found = distribution_for(described(weight, wiring=near), "feed", DT).sd.value
    synapses = [
        realise(described(weight, wiring=near), seed, dt=DT).connections["feed"].n_synapses for seed in range(40)
    ]
    p = sum(synapses) / 40 / 100**2
    expected = distribution_for(described(weight, wiring=FixedProbability(p=p)), "feed", DT).sd.value
    # two samples of some ten thousand synapses and more
    assert found == pytest.approx(expected, rel=0.01)
    assert found > 2 * distribution_for(described(weight), "feed", DT).sd.value


@pytest.mark.parametrize(
    ("network", "says"),
    [
        (
            described({"feed": FluctuationDrivenNormal(rate="1 Hz", mean="9 mV", sd="10 uV")}, n=3),
            "projection 'feed': the variance of its weights would be -",
        ),
        (
            described({"feed": FluctuationDrivenCentred(rate="1 Hz", sd="1 nA")}),
            "'v' of population 'cells' is measured in 'volt'; its fluctuations were given in 'amp'",
        ),
        (
            described({"feed": FluctuationDrivenCentred(variable="u", **ASKED)}),
            "population 'cells': no membrane variable 'u'; available: 'v'",
        ),
        (
            described({"one": FluctuationDrivenExponential(**ASKED)}),
            "'one' (100 inputs at 10 Hz) excites, nothing inhibits",
        ),
        (
            described({n: FluctuationDrivenExponential(share=0.5, **ASKED) for n in ("one", "two")}, source="from_one"),
            "both bring the spikes of 'from_one' to 'cells'",
        ),
        (
            described({"one": FluctuationDrivenCentred(**ASKED), "two": FluctuationDrivenCentred(**ASKED)}),
            "the shares of the variance add up to 2",
        ),
    ],
)
def test_what_no_weights_can_do_is_one_clear_line(network, says):
    with pytest.raises(DescriptionError) as caught:
        realise(network, 0, dt=DT)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_listed_wiring_counts_what_is_listed():
    listed = ExplicitList(pairs=tuple((k, k) for k in range(100)))
    weight = {"feed": FluctuationDrivenCentred(**ASKED)}
    one, all_of_them = (distribution_for(described(weight, wiring=w), "feed", DT).sd.value for w in (listed, None))
    assert one / all_of_them == pytest.approx(10, rel=1e-9)
