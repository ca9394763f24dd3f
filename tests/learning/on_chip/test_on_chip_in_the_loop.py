"""In the loop: spikes and traces of a chip, derivatives of the ideal model at them."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import snncompare as sc
from snncompare.backends.analog.chip import deploy
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.program import Program
from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.errors import InputError, UnsupportedError
from snncompare.learning.gradients.backward import Backward
from snncompare.learning.losses import Classification, Over
from snncompare.learning.on_chip.chips import Chips
from snncompare.learning.on_chip.engine import BackwardOnChip
from snncompare.learning.on_chip.settings import OnChip
from snncompare.learning.presets import bptt, truncated_bptt
from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import exponential
from snncompare.testing.replayed_hardware import BackendAsHardware
from snncompare.units import quantity

DT, STEPS, BATCH, INPUTS, HIDDEN = 1e-3, 60, 3, 6, 5
SURROGATE = SuperSpike("2 mV", "10 mV")
LOSS = Classification("readout", scale="2 mV")
EACH_STEP = replace(LOSS, over=Over.EACH_STEP)
LABELS = torch.tensor([0, 1, 1])
ENDS = {"feed": ("source", "hidden"), "recur": ("hidden", "hidden"), "read": ("hidden", "readout")}
WEIGHT = Normal(mean=quantity("4 mV"), sd=quantity("14 mV"))
NETWORK = Network(
    populations={
        "source": Population(size=INPUTS, neuron=SpikeSource()),
        "hidden": Population(size=HIDDEN, neuron=leaky_integrate_and_fire(tau="10 ms", refractory="0 ms")),
        "readout": Population(size=2, neuron=leaky_readout(tau="10 ms")),
    },
    projections={
        name: Projection(source=one, target=other, synapse=exponential(tau="4 ms"), into="I", weight=WEIGHT)
        for name, (one, other) in ENDS.items()
    },
)
WEIGHTS = realise(NETWORK, 1, None, dt=DT)
INPUT = torch.from_numpy(np.random.default_rng(2).random((STEPS, BATCH, INPUTS)) < 0.15).double()


class _Fire(torch.autograd.Function):
    @staticmethod
    def forward(ctx, above):
        ctx.save_for_backward(above)
        return (above > 0).double()

    @staticmethod
    def backward(ctx, grad):
        (above,) = ctx.saved_tensors
        return grad * (1 + above.abs() / 2e-3) ** -2 / 10e-3


class _Seen(torch.autograd.Function):
    @staticmethod
    def forward(_ctx, _model, seen):
        return seen.clone()

    @staticmethod
    def backward(_ctx, grad):
        return grad, None


def by_hand(seen_spikes, seen_readout):
    """Return the gradients by the weights, of the ideal model at what was seen; None: the model's own."""
    w = {name: torch.from_numpy(array).requires_grad_() for name, array in WEIGHTS.dense_weights().items()}
    am, asyn = math.exp(-DT / 10e-3), math.exp(-DT / 4e-3)
    v, xi = (torch.zeros(BATCH, HIDDEN).double() for _ in range(2))
    y, xy = (torch.zeros(BATCH, 2).double() for _ in range(2))
    shown = []
    for t in range(STEPS):
        u, y = am * v + (1 - am) * xi, am * y + (1 - am) * xy
        if seen_readout is not None:
            y = _Seen.apply(y, seen_readout[t])
        shown.append(y)
        z = _Fire.apply(u - 10e-3)
        if seen_spikes is not None:
            z = _Seen.apply(z, seen_spikes[t])
        xi, xy = asyn * xi + INPUT[t] @ w["feed"] + z @ w["recur"], asyn * xy + z @ w["read"]
        v = u * (1 - z)
    LOSS(torch.stack(shown), LABELS).backward()
    return {name: weights.grad * (weights.detach() != 0) for name, weights in w.items()}  # none joined to itself


def gradients(on_chip, rule=None, dropout=None, loss=LOSS):
    chosen = rule or bptt(SURROGATE)
    module = TorchNetwork(NETWORK, DT, WEIGHTS, surrogate=SURROGATE, paths=chosen.paths)
    engine = Backward(module, chosen, loss)
    if on_chip is not None:
        engine = BackwardOnChip(Chips(module, on_chip, chosen), chosen, loss)
    for _ in engine.trials({"source": INPUT}, LABELS, dropout=dropout):
        pass
    return {name: module.synapses[name].weight.grad for name in ENDS}


def chip_with(factor):
    """Return a function that compiles a chip whose weights are a factor larger than what is asked for."""

    def compiled(asked):
        larger = {name: array * factor for name, array in asked.dense_weights().items()}
        return sc.compile(NETWORK, "torch", dt="1 ms", weights=larger)

    return compiled


def on(chip, **options):
    return OnChip("ideal", in_the_loop=True, chip=chip, **options)


def equal(one, other, tolerance=1e-10):
    """Sums over some hundred terms in another order: rounding, relative to the largest."""
    return all(float((one[n] - other[n]).abs().max()) < tolerance * float(other[n].abs().max()) for n in ENDS)


@pytest.mark.parametrize(
    "chip", [None, chip_with(1.0), BackendAsHardware("torch", dt="1 ms")], ids=["emulated", "a program", "an adapter"]
)
def test_where_the_chip_does_what_the_model_does_the_gradient_is_that_of_autograd(chip):
    loop = gradients(on(chip))
    assert equal(loop, gradients(None))
    assert equal(loop, by_hand(None, None))


@pytest.mark.parametrize("observe", [None, ("hidden",), ("readout.v",)], ids=["both", "spikes", "trace"])
def test_where_the_chip_differs_the_gradient_is_the_models_at_what_was_seen(observe):
    program = chip_with(1.3)(WEIGHTS)
    activity = program.module({"source": INPUT}, record=["hidden"], traces=[("readout", "v")])
    spikes, readout = activity.spikes["hidden"].detach(), activity.traces["readout", "v"].detach()
    asked = observe or ("hidden", "readout.v")
    expected = by_hand(spikes if "hidden" in asked else None, readout if "readout.v" in asked else None)
    found = gradients(on(chip_with(1.3), observe=observe))
    assert equal(found, expected)
    assert not equal(found, gradients(None), 1e-2)
    others = by_hand(spikes if "readout.v" in asked else None, readout if "hidden" in asked else None)
    assert observe is None or not equal(found, others, 1e-3), "what is observed does not matter"


def test_emulated_chips_in_the_loop_are_the_chips_that_are_given():
    profile = ChipProfile.load("plain").changed(**{"weights.cv": 0.3})

    def deployed(asked):
        chip = deploy(NETWORK, profile, device_seed=7, weights=asked, dt="1 ms")
        return sc.compile(chip.network, "torch", dt="1 ms", weights=chip.realisation())

    def analog(asked):
        return sc.compile(NETWORK, "analog", dt="1 ms", weights=asked, profile=profile, device_seed=7)

    emulated = gradients(OnChip(profile, (7,), in_the_loop=True))
    assert equal(emulated, gradients(on(deployed)))
    assert equal(emulated, gradients(on(analog)))
    assert not equal(emulated, gradients(OnChip(profile, (8,), in_the_loop=True)), 1e-3)
    assert not equal(emulated, gradients(OnChip(profile, (7,))), 1e-3)


def _rows(recording, **changes):
    trial, unit = recording.spike_index()
    given = {
        "times": recording.times,
        "unit": recording.units.index[unit],
        "trial": recording.trials.index[trial],
        "units": recording.units,
        "trials": recording.trials,
        "traces": recording.traces,
    }
    return sc.Recording.from_arrays(**(given | changes))


def _without_traces(recording):
    return _rows(recording, traces={})


def _twice(recording):
    trial, unit = recording.spike_index()
    return _rows(
        recording,
        times=np.append(recording.times, recording.times[0] + 1e-4),
        unit=recording.units.index[np.append(unit, unit[0])],
        trial=recording.trials.index[np.append(trial, trial[0])],
    )


class _Answers(Program):
    """A chip that answers what it is told to, at the border of the package."""

    network, dt, realisation = NETWORK, 1e-3, WEIGHTS

    def __init__(self, change):
        self._change, self._honest = change, chip_with(1.0)(WEIGHTS)

    def run(self, inputs, *, duration, seed=0, record=None):
        honest = self._honest.run(inputs, duration=duration, seed=seed, record=record)
        return self._change(honest)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.select(trials=np.array([True, True, False])), "ran 3 trials, but 2 came back"),
        (lambda r: r.select(units=np.arange(7) > 0), "asked for the 5 neurons of 'hidden', 4 came back"),
        (_without_traces, "the trace 'readout.v', which did not come back"),
        (_twice, "fired several times on the chip within 0.001 s"),
    ],
    ids=["trials", "neurons", "traces", "spikes in one step"],
)
def test_what_does_not_fit_to_what_was_asked_is_refused(change, message):
    gradients(on(lambda _asked: _Answers(lambda r: r)))
    with pytest.raises(InputError, match=message):
        gradients(on(lambda _asked: _Answers(change)))


def test_several_input_spikes_in_a_step_are_no_input_for_a_chip():
    chips = Chips(TorchNetwork(NETWORK, DT, WEIGHTS), on(chip_with(1.0)))
    asked = {"record": ["hidden"], "traces": [], "seed": 0}
    assert chips.measured({"source": INPUT}, **asked).spikes["hidden"].shape == (STEPS, BATCH, HIDDEN)
    with pytest.raises(InputError, match="several spikes of a unit of 'source' share a step"):
        chips.measured({"source": INPUT * 2}, **asked)


def test_what_is_no_chip_and_what_a_chip_cannot_is_refused():
    with pytest.raises(InputError, match="a HardwareAdapter, or a function from a Realisation to a Program"):
        gradients(on(lambda _asked: SimpleNamespace()))
    with pytest.raises(InputError, match=r"the chip's program has dt=0\.0005 s"):
        gradients(on(lambda asked: sc.compile(NETWORK, "torch", dt="0.5 ms", weights=asked)))
    with pytest.raises(UnsupportedError, match="a chip that is given needs whole trials"):
        gradients(on(chip_with(1.0)), truncated_bptt(SURROGATE, 10), loss=EACH_STEP)
    with pytest.raises(UnsupportedError, match="drops no spikes"):
        gradients(on(chip_with(1.0)), dropout={"hidden": torch.ones(BATCH, HIDDEN)})
    with pytest.raises(InputError, match="did you mean 'hidden'"):
        gradients(on(chip_with(1.0), observe=("hiden",)))


def test_windows_in_the_loop_go_on_where_the_chip_stood():
    windows, on_chip = truncated_bptt(SURROGATE, 20), OnChip("ideal", in_the_loop=True)
    looped = gradients(on_chip, windows, loss=EACH_STEP)
    assert equal(looped, gradients(None, windows, loss=EACH_STEP))
    assert not equal(looped, gradients(on_chip, loss=EACH_STEP), 1e-3)
