"""The translation of a network into the calls of hxtorch; the library and the chip are not here."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from snncompare.backends.analog.frozen.maps import WeightMap
from snncompare.backends.hardware import brainscales2
from snncompare.backends.hardware.brainscales2 import BrainScaleS2
from snncompare.backends.hardware.chip_calls import chip_calls, recording_of
from snncompare.backends.realisation import realise
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.initialisers import Constant, Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import alpha, exponential
from snncompare.recording.recording import Recording
from snncompare.units import quantity

MAPS = {name: WeightMap(None, -63.0, 63.0, rounds=True) for name in ("feed", "onward", "read")}


def layers(**changes):
    """Return a network of two layers and a readout; changes to ``neuron``, ``synapse``, ``delay`` of the first."""
    neuron = changes.get(
        "neuron", leaky_integrate_and_fire(tau="10 ms", v_threshold="10 mV", v_reset="-2 mV", refractory="2 ms")
    )
    synapse = changes.get("synapse", exponential(tau="5 ms"))
    weight = Normal(mean=quantity("2 mV"), sd=quantity("5 mV"))
    ends = {"synapse": exponential(tau="5 ms"), "into": "I", "weight": weight}
    feed = ends | {"synapse": synapse, "delay": quantity(changes.get("delay", "0 ms"))}
    more = {"back": Projection(source="second", target="first", **ends)} if changes.get("recurrent") else {}
    return Network(
        name="layers",
        populations={
            "second": Population(size=2, neuron=leaky_integrate_and_fire()),
            "first": Population(size=3, neuron=neuron, parameters=changes.get("parameters", {})),
            "in": Population(size=changes.get("inputs", 4), neuron=SpikeSource()),
            "readout": Population(size=2, neuron=leaky_readout()),
        },
        projections={
            "onward": Projection(source="first", target="second", **ends),
            "feed": Projection(source="in", target="first", **feed),
            "read": Projection(source="second", target="readout", **ends),
            **more,
        },
    )


def _recording(size):
    trials = pd.DataFrame({"start": [0.0, 0.0], "stop": [0.01, 0.01], "word": ["a", "b"]})
    return Recording.from_arrays(
        times=[0.001, 0.003, 0.004],
        unit=[0, 1, 3],
        trial=[0, 0, 1],
        units=pd.DataFrame(index=range(size)),
        trials=trials,
    )


def calls_of(network, **changes):
    given = {"duration": "10 ms", "record": None, "dt": 1e-3, "speedup": 1000.0} | changes
    return chip_calls(network, realise(network, 0), MAPS, {"in": _recording(4)}, **given)


def test_times_are_those_of_the_accelerated_chip_and_potentials_steps_of_its_converter():
    calls = calls_of(layers())
    first, second = calls.layers
    assert (first.population, first.source, second.population, second.source) == ("first", "in", "second", "first")
    # 10, 5 and 2 ms of biology are 10, 5 and 2 us on a chip 1000 times as fast
    assert (first.tau_mem, first.tau_syn, first.refractory_time) == pytest.approx((10e-6, 5e-6, 2e-6), rel=1e-12)
    # a reset 0.2 of (threshold - leak) below the leak: 80 - 0.2 * 45
    assert first.reset == pytest.approx(71.0, rel=1e-12)
    assert second.reset == 80.0
    assert (calls.dt, calls.n_steps) == (pytest.approx(1e-6), 10)
    slow = calls_of(layers(), speedup=10.0)
    assert slow.layers[0].tau_mem == pytest.approx(1e-3)
    assert slow.dt == pytest.approx(1e-4)


def test_weights_are_whole_levels_with_the_largest_at_63_and_the_shape_target_by_source():
    network = layers()
    weight = realise(network, 0).connections["feed"].dense()
    levels = calls_of(network).layers[0].levels
    assert levels.shape == (3, 4)
    assert np.array_equal(levels, np.rint(levels))
    assert np.abs(levels).max() == 63
    # rounding moves a weight by half a level at most
    assert np.abs(levels.T / 63 * np.abs(weight).max() - weight).max() <= 0.5 / 63 * np.abs(weight).max() + 1e-15
    assert not np.array_equal(levels, levels.T[:3, :])  # control: a transposed matrix would be seen


def test_spikes_go_in_on_the_grid_and_come_back_in_biological_time():
    calls = calls_of(layers())
    assert sorted(zip(*np.nonzero(calls.inputs["in"]), strict=True)) == [(1, 0, 0), (3, 0, 1), (4, 1, 3)]
    fired = {"first": np.zeros((10, 2, 3), dtype=bool), "second": np.zeros((10, 2, 2), dtype=bool)}
    fired["first"][7, 1, 2] = True
    answer = recording_of(calls, fired, layers(), speedup=1000.0, provenance={"hardware": "chip"})
    assert answer.times.tolist() == pytest.approx([0.007])
    assert answer.train(1, "first[2]").size == 1
    assert list(answer.trials["word"]) == ["a", "b"]
    assert answer.provenance["hardware"] == "chip"
    with pytest.raises(UnsupportedError, match="'second' came back in the shape"):
        recording_of(
            calls, fired | {"second": fired["first"]}, layers(), speedup=1000.0, provenance={"hardware": "chip"}
        )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"neuron": adaptive_leaky_integrate_and_fire()}, "no leaky_integrate_and_fire"),
        ({"synapse": alpha()}, "no exponential"),
        ({"delay": "1 ms"}, "no synaptic delays"),
        ({"recurrent": True}, "in a circle"),
        ({"parameters": {"tau": Normal(mean=quantity("20 ms"), sd=quantity("1 ms"))}}, "differs between neurons"),
    ],
    ids=["adaptive neuron", "alpha synapse", "delay", "recurrent", "values per neuron"],
)
def test_what_is_not_translated_is_refused(changes, said):
    with pytest.raises(UnsupportedError, match=said):
        calls_of(layers(**changes))


def test_traces_and_unknown_populations_are_refused():
    with pytest.raises(UnsupportedError, match="spikes only"):
        calls_of(layers(), record=["readout.v"])
    with pytest.raises(InputError, match="did you mean 'first'"):
        calls_of(layers(), record=["frist"])


def stand_in(fired, log):
    """Return modules with the names that the adapter calls; every call is written down."""

    class Observables:
        def __init__(self, spikes=None):
            self.spikes = spikes

    class Synapse:
        def __init__(self, n_in, n_out, experiment):
            log.append(("Synapse", n_in, n_out))
            self.experiment = experiment
            self.weight = torch.nn.Parameter(torch.zeros(n_out, n_in))

        def __call__(self, handle):
            return self, handle

    class Neuron:
        def __init__(self, size, experiment, **how):
            log.append(("LIF", size, how))
            self.size, self.experiment = size, experiment

        def __call__(self, current):
            log.append(("weight", current[0].weight.detach().numpy().copy()))
            made = Observables()
            experiment["handles"].append((made, self.size))
            return made

    experiment = {"handles": []}

    def run(_, n_steps):
        log.append(("run", n_steps))
        for (handle, size), (step, trial, neuron) in zip(experiment["handles"], fired, strict=True):
            handle.spikes = torch.zeros(n_steps, 2, size)
            handle.spikes[step, trial, neuron] = 1.0

    library = ModuleType("hxtorch")
    library.init_hardware, library.release_hardware = (lambda: log.append("init")), (lambda: log.append("release"))
    spiking = SimpleNamespace(
        Experiment=lambda mock, dt: log.append(("Experiment", mock, dt)) or experiment,
        Synapse=Synapse, LIF=Neuron, LIFObservables=Observables, run=run,
        MixedHXModelParameter=lambda model, hardware: (model, hardware),
    )  # fmt: skip
    return library, spiking


def test_the_calls_reach_the_library_in_order_and_the_device_is_released(monkeypatch):
    log = []
    library, spiking = stand_in([(7, 1, 2), (8, 0, 1)], log)
    monkeypatch.setitem(sys.modules, "hxtorch", library)
    monkeypatch.setitem(sys.modules, "hxtorch.spiking", spiking)
    calls = calls_of(layers())
    fired = brainscales2._carried_out(calls)
    assert np.argwhere(fired["first"]).tolist() == [[7, 1, 2]]
    assert np.argwhere(fired["second"]).tolist() == [[8, 0, 1]]
    names = [entry if isinstance(entry, str) else entry[0] for entry in log]
    assert names == ["init", "Experiment", "Synapse", "LIF", "weight", "Synapse", "LIF", "weight", "run", "release"]
    assert log[1] == ("Experiment", False, pytest.approx(1e-6))
    assert log[3][2]["threshold"] == (1.0, 125.0)
    assert log[3][2]["reset"] == (pytest.approx(-0.2), pytest.approx(71.0))
    assert np.array_equal(log[4][1], calls.layers[0].levels)
    log.clear()
    monkeypatch.setattr(spiking, "run", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        brainscales2._carried_out(calls)
    assert log[-1] == "release"  # also when a run fails


def test_a_run_goes_from_the_network_to_the_library_and_back(monkeypatch):
    log = []
    library, spiking = stand_in([(7, 1, 2), (8, 0, 1)], log)
    monkeypatch.setitem(sys.modules, "hxtorch", library)
    monkeypatch.setitem(sys.modules, "hxtorch.spiking", spiking)
    monkeypatch.setattr(brainscales2, "is_importable", lambda module: module == "hxtorch")
    network = layers(neuron=leaky_integrate_and_fire(tau="10 ms", v_threshold="10 mV", refractory="2 ms"))
    connected = BrainScaleS2(dt="1 ms", environment={"SLURM_FPGA_IPS": "10.0.0.2"})
    answer = connected.run(network, realise(network, 0), {"in": _recording(4)}, duration="10 ms")
    assert sorted(answer.times.tolist()) == pytest.approx([0.007, 0.008])
    assert connected.limits().name == answer.provenance["profile"] == "bss2_calibrated"
    with pytest.raises(UnsupportedError, match="cannot be used from here"):
        BrainScaleS2(environment={}).run(network, realise(network, 0), {"in": _recording(4)}, duration="10 ms")
    wide = layers(inputs=129)  # one more than the signed inputs of a circuit
    with pytest.raises(UnsupportedError, match="'first' needs 2 joined circuits for its 129 inputs"):
        connected.run(wide, realise(wide, 0), {"in": _recording(129)}, duration="10 ms")
    slow = layers(neuron=leaky_integrate_and_fire(tau="90 ms"))
    with pytest.raises(InputError, match="60 ms"):  # the longest membrane time constant of the chip
        connected.run(slow, realise(slow, 0), {"in": _recording(4)}, duration="10 ms")


def test_a_version_of_the_library_without_what_is_called_is_refused_by_name(monkeypatch):
    library, spiking = stand_in([], [])
    monkeypatch.setitem(sys.modules, "hxtorch", library)
    monkeypatch.setitem(sys.modules, "hxtorch.spiking", spiking)
    del spiking.LIFObservables
    with pytest.raises(UnsupportedError, match="has no LIFObservables"):
        brainscales2._carried_out(calls_of(layers()))
    monkeypatch.setitem(sys.modules, "hxtorch.spiking", None)
    with pytest.raises(UnsupportedError, match="none of the modules"):
        brainscales2._carried_out(calls_of(layers()))


def test_weights_that_are_all_the_same_fill_the_range():
    network = layers()
    projections = dict(network.projections)
    projections["feed"] = projections["feed"].model_copy(update={"weight": Constant(value=quantity("1 mV"))})
    assert (calls_of(network.model_copy(update={"projections": projections})).layers[0].levels == 63).all()
