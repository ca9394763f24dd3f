"""A bad description is refused in one line that says what, where, what is allowed and what to type."""

import copy
import warnings

import pytest
import yaml

from snncompare.backends.activity import check_delays_fit
from snncompare.errors import DescriptionError, InputError, TimeStepWarning
from snncompare.network.network import Network
from snncompare.network.time_constants import time_step_warnings

GOOD = """
populations:
  input: {size: 3, neuron: {type: SpikeSource}}
  cells:
    size: 4
    neuron:
      type: NeuronModel
      equations: 'dv/dt = (E_L - v + I)/tau : volt (unless refractory)'
      threshold: v > v_threshold
      reset: v = E_L
      refractory: 2 ms
      parameters: {tau: 20 ms, E_L: -70 mV, v_threshold: -50 mV}
      inputs: {I: volt}
      initial: {v: E_L}
projections:
  feed:
    source: input
    target: cells
    synapse:
      type: SynapseModel
      equations: 'dx/dt = -x/tau_syn : volt'
      on_pre: x_post += w
      current: x
      weight_unit: volt
      parameters: {tau_syn: 5 ms}
    into: I
    weight: {type: Constant, value: 1 mV}
    delay: 1 ms
"""
NEURON, SYNAPSE = "populations.cells.neuron", "projections.feed.synapse"


def _described(changes):
    plain = copy.deepcopy(yaml.safe_load(GOOD))
    for path, value in changes.items():
        *outer, last = path.split(".")
        inner = plain
        for key in outer:
            inner = inner[key]
        inner[last] = value
    return plain


CASES = [
    (
        {f"{NEURON}.parameters.tau": 20},
        f"'{NEURON}': equations: dv/dt must be in volt/second, but '(E_L - v + I) / tau' is in volt: "
        "'tau' has no unit, got '20'; write for example 'tau: 20 ms'.",
    ),
    (
        {f"{NEURON}.parameters.tau": "20 mV"},
        f"'{NEURON}': equations: dv/dt must be in volt/second, but '(E_L - v + I) / tau' has no unit; "
        "if 'tau' was meant as a time, write for example 'tau: 20 ms' instead of '20 mV'.",
    ),
    (
        {f"{NEURON}.parameters.v_threshold": -50},
        f"'{NEURON}': threshold: in 'v > v_threshold' 'v' is in volt and 'v_threshold' has no unit: "
        "'v_threshold' has no unit, got '-50'; write for example 'v_threshold: -50 mV'.",
    ),
    (
        {f"{NEURON}.inputs.I": "amp"},
        f"'{NEURON}': equations: in 'E_L - v + I' 'E_L - v' is in volt and 'I' is in amp.",
    ),
    (
        {f"{NEURON}.reset": "v = 0"},
        f"'{NEURON}': reset: 'v' must be in volt, but '0' has no unit; write for example '0*mV'.",
    ),
    (
        {f"{NEURON}.threshold": "v > -50"},
        f"'{NEURON}': threshold: in 'v > -50' 'v' is in volt and '-50' has no unit; write for example '-50*mV'.",
    ),
    (
        {f"{NEURON}.initial.v": "-70"},
        f"'{NEURON}': initial: 'v' must be in volt, but '-70' has no unit; write for example 'v: -70 mV'.",
    ),
    (
        {"populations.cells.initial": {"v": "2 ms"}},
        "'populations.cells': initial: 'v' must be in volt, but '2 ms' is in second; write for example 'v: 2 mV'.",
    ),
    (
        {"populations.cells.parameters": {"tau": "20 mV"}},
        "'populations.cells': parameters: 'tau' must have the unit of '20 ms', got '20 mV'.",
    ),
    (
        {"populations.cells.trainable": {"v": {"low": "-80"}}},
        "'populations.cells': trainable 'v': 'low' must be in volt, but '-80' has no unit; "
        "write for example 'low: -80 mV'.",
    ),
    (
        {f"{NEURON}.equations": "dv/dt = (E_L - v + I)/taum : volt"},
        f"'{NEURON}': equations: no variable, input or parameter 'taum'; did you mean 'tau'? "
        "Available: 'v', 'I', 'tau', 'E_L', 'v_threshold'.",
    ),
    (
        {f"{NEURON}.equations": "dv/dt = (E_L - v + I)/tau*exp(v) : volt"},
        f"'{NEURON}': equations: in 'exp(v)' 'v' must have no unit, but is in volt; write for example 'exp(v/mV)'.",
    ),
    (
        {f"{NEURON}.equations": "dv/dt = (E_L - v + I)/tau : mV"},
        f"'{NEURON}.equations': 'v': variables have units without prefix, by their full names: 'volt' instead of 'mV'.",
    ),
    (
        {f"{NEURON}.equations": "dv/dt = (E_L - v + I)/tau"},
        f"'{NEURON}.equations': cannot read the equation 'dv/dt = (E_L - v + I)/tau'; it needs a name and a unit after a colon, "
        "for example 'dv/dt = -v/tau : volt'.",
    ),
    (
        {f"{NEURON}.equations": "dv/dt = (E_L - v + I)/tau : volt (constant)"},
        f"'{NEURON}.equations': 'v': no flag of a differential equation 'constant'; available: 'unless refractory'.",
    ),
    (
        {f"{NEURON}.equations": "dv/dt = (E_L - v + I + n)/tau : volt\nn = rand()*mV : volt"},
        f"'{NEURON}.equations': 'n' calls 'rand', with another result each time; "
        "write '(constant over dt)' behind its unit.",
    ),
    (
        {f"{NEURON}.threshold": "v - v_threshold"},
        f"'{NEURON}': threshold: 'v - v_threshold' is not true or false; write for example 'v > v_threshold'.",
    ),
    ({f"{NEURON}.reset": "u = E_L"}, f"'{NEURON}': reset: no state variable 'u'; available: 'v'."),
    ({f"{NEURON}.reset": "tau = 5*ms"}, f"'{NEURON}': reset: no state variable 'tau'; available: 'v'."),
    (
        {f"{NEURON}.reset": "v *= 2 + 0*v"},
        f"'{NEURON}': reset: in '2 + 0 * v' '2' has no unit and '0 * v' is in volt; write for example '2*mV'.",
    ),
    (
        {f"{NEURON}.refractory": "v"},
        f"'{NEURON}': refractory must be a time, or true or false, but 'v' is in volt.",
    ),
    (
        {f"{NEURON}.refractory": None, f"{NEURON}.threshold": "v > v_threshold and t > lastspike"},
        f"'{NEURON}': threshold: 'lastspike' has no meaning here; it needs a refractory rule.",
    ),
    ({"populations.cells.size": 0}, "'populations.cells.size': should be greater than 0, got 0."),
    (
        {"populations.cells.size": 100_000_000},
        "'populations.cells.size': should be less than or equal to 10000000, got 100000000.",
    ),
    (
        {"projections.feed.source": "inputs"},
        "projection 'feed': no population 'inputs'; did you mean 'input'? Available: 'input', 'cells'.",
    ),
    (
        {"projections.feed.target": "cell"},
        "projection 'feed': no population 'cell'; did you mean 'cells'? Available: 'input', 'cells'.",
    ),
    (
        {"projections.feed.weight.value": "1 nS"},
        "'projections.feed': weight must have the unit 'volt' of the synapse, got '1 nS'.",
    ),
    (
        {f"{SYNAPSE}.parameters.tau_syn": 5},
        f"'{SYNAPSE}': equations: dx/dt must be in volt/second, but '-x / tau_syn' is in volt: "
        "'tau_syn' has no unit, got '5'; write for example 'tau_syn: 5 ms'.",
    ),
    (
        {f"{SYNAPSE}.current": "x/Mohm"},
        "projection 'feed': current: the input it flows into must be in volt, but 'x / Mohm' is in amp.",
    ),
    (
        {f"{SYNAPSE}.on_pre": "x_post += w*tau_syn"},
        f"'{SYNAPSE}': on_pre: 'x_post' must be in volt, but 'w * tau_syn' is in volt*second.",
    ),
    (
        {"projections.feed.delay": "1 mV"},
        "'projections.feed.delay': delay must be a time such as '1 ms', not negative, got '1 mV'.",
    ),
]


@pytest.mark.parametrize(("changes", "says"), CASES, ids=range(len(CASES)))
def test_a_bad_description_says_what_is_wrong_and_what_to_write(changes, says):
    with pytest.raises(DescriptionError) as caught:
        Network.parse(_described(changes), "net.yaml")
    assert str(caught.value) == f"net.yaml: {says}"


def test_the_description_that_the_bad_ones_were_made_from_is_good():
    assert Network.parse(yaml.safe_load(GOOD), "net.yaml").sources() == ["input"]


def test_every_line_to_type_that_a_refusal_suggests_is_accepted():
    for wrong, right in (({f"{NEURON}.parameters.tau": 20}, "20 ms"), ({f"{SYNAPSE}.parameters.tau_syn": 5}, "5 ms")):
        (path,) = wrong
        with pytest.raises(DescriptionError, match=right):
            Network.parse(_described(wrong), "net.yaml")
        assert Network.parse(_described({path: right}), "net.yaml")


def _network(**changes):
    return Network.parse(_described({key.replace("__", "."): value for key, value in changes.items()}), "net.yaml")


def test_a_delay_longer_than_the_run_is_refused_because_the_projection_would_never_act():
    network = _network(projections__feed__delay="50 ms")
    check_delays_fit(network, 0.051)
    for duration in (0.05, 0.02):
        with pytest.raises(InputError) as caught:
            check_delays_fit(network, duration)
        assert str(caught.value) == (
            f"projection 'feed' never acts: its delay (50 ms) is not shorter than the run ({duration * 1e3:g} ms); "
            "let the run last longer, or shorten the delay."
        )


@pytest.mark.parametrize(
    ("changes", "dt", "named"),
    [
        ({}, 1e-3, []),
        ({}, 5e-3, []),
        ({}, 6e-3, ["projection 'feed': dt (6 ms) is longer than the time constant 'tau_syn' (5 ms) of dx/dt"]),
        ({}, 30e-3, ["population 'cells': dt (30 ms) is longer than the time constant 'tau' (20 ms) of dv/dt", "tau_syn"]),
        ({f"{NEURON}.equations": "dv/dt = rate : volt\nrate = (E_L - v + I)/(2*tau) : volt/second"}, 30e-3, ["'tau'", "x"]),
        ({f"{NEURON}.equations": "dv/dt = (E_L - v + I)/ms*exp(-t/tau) : volt"}, 30e-3, ["'tau_syn'"]),
        ({f"{NEURON}.equations": "dv/dt = (E_L - v + I)/tau*own/own : volt\nown : second"}, 6e-3, ["'tau_syn'"]),
        ({"populations.cells.parameters": {"tau": {"type": "Uniform", "low": "2 ms", "high": "9 ms"}}}, 3e-3, ["(2 ms)"]),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_time_step_longer_than_a_time_constant_is_named(changes, dt, named):
    found = time_step_warnings(Network.parse(_described(changes), "net.yaml"), dt)
    assert len(found) == len(named)
    for sentence, words in zip(found, named, strict=True):
        assert words in sentence
        assert sentence.endswith("take a shorter dt.")


def test_compiling_warns_of_a_time_step_that_is_too_long_and_running_refuses_a_delay_that_is():
    pytest.importorskip("torch")
    pytest.importorskip("brian2")  # takes over the showing of warnings when it is imported
    import snncompare as sc

    network = Network.parse(_described({"projections.feed.delay": "30 ms"}), "net.yaml")
    with pytest.warns(TimeStepWarning, match=r"'tau_syn' \(5 ms\) of dx/dt"):
        sc.compile(network, "torch", dt="6 ms")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        program = sc.compile(network, "torch", dt="0.5 ms")
    from snncompare.testing.networks import poisson_input

    spikes = poisson_input(units=3, trials=1, duration=0.02)
    with pytest.raises(InputError, match=r"projection 'feed' never acts: its delay \(30 ms\)"):
        program.run({"input": spikes}, duration="20 ms")
