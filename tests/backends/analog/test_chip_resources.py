"""Does a network fit on a chip, and in how many runs: circuits, partitions, cores, fan-in, and refusals in words."""

import math

import pytest

from snncompare.backends.analog.limits.resources import check_resources, resources, runs
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.realisation import realise
from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential

BSS2 = ChipProfile.load("bss2_calibrated")


def projection(source: str, target: str, **more: object) -> dict[str, object]:
    weight = {"type": "Constant", "value": "1 mV"}
    return {"source": source, "target": target, "synapse": exponential(), "into": "I", "weight": weight, **more}


def layered(*sizes: int, recurrent: bool = False, **more: object) -> Network:
    """Return all-to-all layers l0 (spike source), l1, ..."""
    neurons = [{"type": "SpikeSource"}, *([leaky_integrate_and_fire()] * (len(sizes) - 1))]
    populations = {
        f"l{k}": {"size": n, "neuron": neuron} for k, (n, neuron) in enumerate(zip(sizes, neurons, strict=True))
    }
    between = {f"p{k}": projection(f"l{k}", f"l{k + 1}", **more) for k in range(len(sizes) - 1)}
    return Network(
        populations=populations, projections=between | ({"back": projection("l1", "l1")} if recurrent else {})
    )


def refusal(network: Network, profile: ChipProfile) -> str:
    with pytest.raises(InputError) as caught:
        check_resources(network, profile)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_worked_example_of_the_partitioning_tutorial_takes_five_runs():
    # brainscales2-demos ts_13: 784-256-10, 7 circuits (8 mapped), 64 neurons per run, 4 partitions and 1
    table = resources(layered(784, 256, 10), BSS2)
    assert table.attrs["runs"] == 5
    hidden, output = table.loc["l1"], table.loc["l2"]
    assert (hidden["fan_in"], hidden["circuits_per_neuron"], hidden["neurons_per_run"], hidden["partitions"]) == (
        784,
        8,
        64,
        4,
    )
    assert (output["circuits_per_neuron"], output["partitions"]) == (2, 1)
    assert (hidden["first_run"], hidden["last_run"], output["first_run"], output["last_run"]) == (1, 4, 5, 5)
    assert list(table["kind"]) == ["input", "hidden", "output"]
    check_resources(layered(784, 256, 10), BSS2)


def test_without_rounding_to_powers_of_two_fewer_circuits_are_joined():
    table = resources(layered(784, 256, 10), BSS2.changed(**{"resources.power_of_two": False}))
    assert (table.loc["l1", "circuits_per_neuron"], table.loc["l1", "neurons_per_run"]) == (7, 512 // 7)


def test_the_known_fitting_network_fits_one_run():
    # hxtorch/tests/hw/test_spiking_custom_routing_256i246h10o.py: 2 circuits per neuron, 512 in all
    table = resources(layered(256, 246, 10), BSS2)
    assert table.attrs["runs"] == runs(layered(256, 246, 10), BSS2) == 1
    assert (table["neurons"] * table["circuits_per_neuron"]).sum() == 512
    assert runs(layered(256, 247, 10), BSS2) > 1


@pytest.mark.parametrize("fan_in", [1, 127, 128, 129, 256, 257, 784])
def test_circuits_follow_the_formula(fan_in):
    c = resources(layered(fan_in, 4), BSS2).loc["l1", "circuits_per_neuron"]
    assert c == 2 ** math.ceil(math.log2(math.ceil(fan_in / 128)))


def test_weights_of_one_declared_sign_need_one_row_each():
    assert resources(layered(256, 4, sign="positive"), BSS2).loc["l1", "circuits_per_neuron"] == 1
    assert resources(layered(256, 4), BSS2).loc["l1", "circuits_per_neuron"] == 2


def test_recurrent_populations_must_fit_one_run():
    check_resources(layered(64, 256, 2, recurrent=False), BSS2)
    message = refusal(layered(64, 256, 2, recurrent=True), BSS2)  # 320 inputs: 4 circuits, 1024 in all
    assert "'l1': 256 neurons of 4 circuits each take 1,024 circuits" in message
    assert "use at most 128 neurons" in message
    check_resources(layered(64, 100, 2, recurrent=True), BSS2)


def test_a_recurrent_network_that_is_too_large_is_told_that_fewer_neurons_need_fewer_circuits():
    message = refusal(layered(64, 256, 2, recurrent=True), BSS2)
    said = "with as many inputs each; fewer neurons have fewer inputs and need fewer circuits, so that more may fit."
    assert f"use at most 128 neurons {said}" in message
    check_resources(layered(64, 193, 2, recurrent=True), BSS2)  # 256 inputs: 2 circuits, 386 in all
    refusal(layered(64, 194, 2, recurrent=True), BSS2)  # 257 inputs: 4 circuits, 776 in all
    at_once = BSS2.changed(**{"resources.sequential": False})
    forwards = refusal(layered(256, 400, 2), at_once)
    assert "of 4 circuits each" in forwards
    assert said not in forwards
    single = refusal(layered(2, 600, 2, recurrent=True), BSS2.changed(**{"resources.synapses_per_neuron": 4096}))
    assert single.endswith("use at most 512 neurons.")


def test_two_populations_that_reach_each_other_are_recurrent():
    cells = {"size": 200, "neuron": leaky_integrate_and_fire()}
    there = {"ab": projection("a", "b"), "ba": projection("b", "a")}
    both = Network(populations={"a": cells, "b": cells}, projections=there)
    assert list(resources(both, BSS2)["recurrent"]) == [True, True]
    assert "'a', 'b'" in refusal(both, BSS2)  # 200 inputs: 2 circuits each, 800 in all
    forwards = Network(populations={"a": cells, "b": cells}, projections={"ab": projection("a", "b")})
    check_resources(forwards, BSS2)


def test_a_neuron_with_more_inputs_than_the_chip_has_rows_is_refused():
    assert "65,536 inputs" in refusal(layered(70_000, 2), BSS2)
    check_resources(layered(65_536, 2), BSS2)


def test_circuits_that_cannot_be_joined_leave_half_the_rows_to_signed_inputs():
    single = BSS2.changed(**{"resources.mergeable": False})
    message = refusal(layered(129, 2), single)
    assert "129 synapses per neuron; 'bss2_calibrated' has 256 (2 per synapse); connect at most 128 inputs" in message
    check_resources(layered(128, 2), single)
    check_resources(layered(256, 2, sign="positive"), single)


def test_the_largest_neuron_is_counted_once_the_synapses_are_known():
    sparse = {"type": "FixedProbability", "p": 0.5}
    network = layered(256, 4, wiring=sparse)
    assert resources(network, BSS2).loc["l1", "fan_in"] == 128
    drawn = realise(network, 0)
    largest = max(int((drawn.connections["p0"].target == k).sum()) for k in range(4))
    assert resources(network, BSS2, drawn).loc["l1", "fan_in"] == largest != 128


@pytest.mark.parametrize(
    ("sizes", "chip", "expected"),
    [
        pytest.param((65, 3), "dynapse", "65 synapses per neuron; 'dynapse' has 64", id="synapses of dynapse"),
        pytest.param((64, 1025), "dynapse", "use at most 1,024 neurons", id="neurons of dynapse"),
        pytest.param((16, 64, 8), "xylo", "64 synapses per neuron; 'xylo' has 63", id="synapses of xylo"),
        pytest.param((17, 60, 8), "xylo", "17 input neurons; 'xylo' has 16", id="inputs of xylo"),
        pytest.param((16, 60, 9), "xylo", "9 output neurons; 'xylo' has 8", id="outputs of xylo"),
        pytest.param((5,) * 11, "speck", "10 populations; 'speck' has 9", id="layers of speck"),
    ],
)
def test_networks_too_large_for_a_chip_are_refused_with_what_is_legal(sizes, chip, expected):
    assert expected in refusal(layered(*sizes), ChipProfile.load(chip))


@pytest.mark.parametrize(
    ("sizes", "chip"),
    [((64, 1024), "dynapse"), ((16, 60, 8), "xylo"), ((16, 63, 8), "xylo"), ((5,) * 10, "speck")],
)
def test_networks_that_just_fit_are_accepted(sizes, chip):
    check_resources(layered(*sizes), ChipProfile.load(chip))


def test_hidden_neurons_of_xylo_are_counted_over_populations():
    sizes = (16, 500, 501, 8)
    few = {"type": "FixedInDegree", "n": 10}
    message = refusal(layered(*sizes, wiring=few), ChipProfile.load("xylo"))
    assert "'l1', 'l2': 1,001 hidden neurons; 'xylo' has 1,000" in message
    check_resources(layered(16, 500, 500, 8, wiring=few), ChipProfile.load("xylo"))


def test_neurons_of_a_core_share_their_settings():
    def kinds(n: int) -> Network:
        populations = {f"c{k}": {"size": 10, "neuron": leaky_integrate_and_fire(tau=f"{10 + k} ms")} for k in range(n)}
        return Network(populations=populations)

    check_resources(kinds(4), ChipProfile.load("dynapse"))
    assert "5 kinds of neurons, which take 5 cores" in refusal(kinds(5), ChipProfile.load("dynapse"))
    alike = Network(populations={f"c{k}": {"size": 10, "neuron": leaky_integrate_and_fire()} for k in range(5)})
    check_resources(alike, ChipProfile.load("dynapse"))


def test_no_chip_has_no_limit():
    table = resources(layered(784, 25_600, 10), ChipProfile.load("ideal"))
    assert table.attrs["runs"] == 1
    assert table["neurons_per_run"].isna().all()


def test_readouts_take_circuits_too():
    network = Network(
        populations={
            "in": {"size": 3, "neuron": {"type": "SpikeSource"}},
            "out": {"size": 600, "neuron": leaky_readout()},
        },
        projections={"feed": projection("in", "out")},
    )
    assert runs(network, BSS2) == 2
