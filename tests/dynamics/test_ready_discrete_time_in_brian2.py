"""The neurons of the machine-learning literature are its recursions, to rounding, in Brian2."""

import numpy as np
import pytest

from snncompare.errors import DescriptionError, UnitError
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import (
    adaptive_current_based_leaky_integrate_and_fire,
    current_based_leaky_integrate_and_fire,
)
from snncompare.network.synapses import delta
from snncompare.units import quantity

DT, STEPS, INPUTS, NEURONS = 1e-3, 300, 12, 8
AL, AL_S, RHO = np.exp(-DT / 20e-3), np.exp(-DT / 10e-3), np.exp(-DT / 200e-3)
RNG = np.random.default_rng(3)
SPIKES = RNG.random((STEPS, INPUTS)) < 0.05
W_IN, W_REC = RNG.normal(0.9, 1.0, (INPUTS, NEURONS)), RNG.normal(0, 0.5, (NEURONS, NEURONS))
np.fill_diagonal(W_REC, 0)


def reference(*, al_s=AL_S, zeta=1 - AL, kappa=0.0, beta=0.0, reset="zero", pause=0, theta=1.0, scale=1.0):
    """Return potentials and spikes of the recursion in `snncompare.network.neurons.discrete_time`."""
    current, v, a, z = (np.zeros(NEURONS) for _ in range(4))
    since = np.full(NEURONS, STEPS)
    potentials, fired = [], []
    for x in SPIKES:
        current = al_s * current + scale * (x @ W_IN + z @ W_REC)
        a = RHO * a + kappa * z
        subtracted = {"subtract base threshold": theta, "subtract current threshold": theta + beta * a}.get(
            reset, 0
        ) * z
        v = AL * v * (1 - z if reset.startswith("zero") else 1) + zeta * current - subtracted
        since = np.where(z > 0, 0, since + 1)
        z = ((v > theta + beta * a) & (since >= pause)).astype(float)
        potentials.append(v)
        fired.append(z > 0)
    return np.array(potentials), np.array(fired)


def described(model, *, delays=("0 ms", "0 ms")):
    feed, recur = (
        Projection(
            source=source,
            target="cells",
            synapse=delta(unit="1", variable="x"),
            weight=Constant(value=quantity(1.0)),
            delay=quantity(delay),
        )
        for source, delay in zip(("source", "cells"), delays, strict=True)
    )
    return Network(
        populations={
            "source": Population(size=INPUTS, neuron=SpikeSource()),
            "cells": Population(size=NEURONS, neuron=model),
        },
        projections={"feed": feed, "recur": recur},
    )


def simulated(simulate, model, *, delays=("0 ms", "0 ms"), scale=1.0):
    step, neuron = SPIKES.nonzero()
    run = simulate(
        described(model, delays=delays),
        STEPS * DT,
        dt=DT,
        spikes=list(zip(neuron, step * DT, strict=True)),
        weights={"feed": scale * W_IN.ravel(), "recur": scale * W_REC.ravel()},
        record=["v"],
    )
    fired = np.zeros((STEPS, NEURONS), dtype=bool)
    fired[np.rint(run.time / DT).astype(int), run.neuron] = True
    return run.traces["v"].T, fired


def assert_same(found, expected, shift=1):
    """Compare potentials to 1e-12 of their size, and spikes exactly, `shift` steps later than in the recursion."""
    (v, z), (v_ref, z_ref) = found, expected
    kept = STEPS - shift
    assert 60 < z_ref.sum() < 0.5 * z_ref.size, "too few or too many spikes to tell anything"
    assert np.array_equal(z[shift:], z_ref[:kept])
    assert v[shift:] == pytest.approx(v_ref[:kept], rel=0, abs=1e-12 * np.abs(v_ref).max())


RESETS = ("zero", "subtract base threshold", "subtract current threshold")


@pytest.mark.parametrize("gain", ["plain", "normalised"])
@pytest.mark.parametrize("adaptation", ["plain", "normalised"])
@pytest.mark.parametrize("reset", RESETS)
def test_adaptive_neuron_is_its_recursion_in_every_convention(simulate, gain, adaptation, reset):
    zeta = 1.0 if gain == "plain" else 1 - AL
    beta = 0.3 if adaptation == "plain" else 3.0
    scale = 0.8 if gain == "plain" else 8.0
    model = adaptive_current_based_leaky_integrate_and_fire(
        beta=beta, input_gain=gain, adaptation_gain=adaptation, reset=reset
    )
    kappa = 1.0 if adaptation == "plain" else 1 - RHO
    options = {"al_s": 0.0, "zeta": zeta, "kappa": kappa, "beta": beta, "scale": scale}
    found = simulated(simulate, model, scale=scale)
    assert_same(found, reference(**options, reset=reset))
    others = [reference(**options | change, reset=reset) for change in ({"kappa": 0.9 * kappa}, {"zeta": 0.9 * zeta})]
    others += [reference(**options, reset=other) for other in RESETS if other != reset]
    for other in others:
        with pytest.raises(AssertionError):
            assert_same(found, other)


@pytest.mark.parametrize("gain", ["plain", "normalised"])
@pytest.mark.parametrize("reset", ["zero", "subtract base threshold"])
def test_current_based_neuron_is_its_recursion(simulate, gain, reset):
    zeta, scale = (1.0, 0.1) if gain == "plain" else (1 - AL, 2.0)
    found = simulated(simulate, current_based_leaky_integrate_and_fire(input_gain=gain, reset=reset), scale=scale)
    assert_same(found, reference(zeta=zeta, scale=scale, reset=reset))
    with pytest.raises(AssertionError):
        assert_same(found, reference(zeta=zeta, scale=scale, reset=reset), shift=0)


def test_refractory_steps_withhold_spikes_while_the_membrane_goes_on(simulate):
    options = {"scale": 3.0, "reset": "subtract base threshold"}
    model = current_based_leaky_integrate_and_fire(reset="subtract base threshold", refractory_steps=3)
    found = simulated(simulate, model, scale=3.0)
    assert_same(found, reference(pause=3, **options))
    with pytest.raises(AssertionError):
        assert_same(found, reference(pause=2, **options))


def spytorch(*, zeta, scale, same_pass):
    """Return the recursion in which the spike is read from the old membrane, which integrates the old current."""
    current, v, z_before = (np.zeros(NEURONS) for _ in range(3))
    potentials, fired = [], []
    for x in SPIKES:
        z = (v > 1.0).astype(float)
        potentials.append(v)
        fired.append(z > 0)
        new_current = AL_S * current + scale * (x @ W_IN + (z if same_pass else z_before) @ W_REC)
        v = (AL * v + zeta * current) * (1 - z)
        current, z_before = new_current, z
    return np.array(potentials), np.array(fired)


@pytest.mark.parametrize(("gain", "same_pass"), [("plain", False), ("plain", True), ("normalised", True)])
def test_the_order_of_spytorch_is_one_more_step_of_delay_and_a_reset_that_holds(simulate, gain, same_pass):
    zeta, scale = (1.0, 0.15) if gain == "plain" else (1 - AL, 3.0)
    model = current_based_leaky_integrate_and_fire(input_gain=gain, reset="zero and hold")
    recurrent = "1 ms" if same_pass else "2 ms"
    found = simulated(simulate, model, delays=("1 ms", recurrent), scale=scale)
    assert_same(found, spytorch(zeta=zeta, scale=scale, same_pass=same_pass), shift=0)
    with pytest.raises(AssertionError):
        assert_same(found, spytorch(zeta=zeta, scale=scale, same_pass=not same_pass), shift=0)
    without_hold = current_based_leaky_integrate_and_fire(input_gain=gain, reset="zero")
    with pytest.raises(AssertionError):
        assert_same(
            simulated(simulate, without_hold, delays=("1 ms", recurrent), scale=scale),
            spytorch(zeta=zeta, scale=scale, same_pass=same_pass),
            shift=0,
        )


def test_both_gains_normalised_is_both_plain_with_converted_threshold(simulate):
    normalised = simulated(simulate, adaptive_current_based_leaky_integrate_and_fire(beta=3.0, reset="zero"), scale=8.0)
    plain = adaptive_current_based_leaky_integrate_and_fire(
        v_threshold=1 / (1 - AL),
        beta=3.0 * (1 - RHO) / (1 - AL),
        input_gain="plain",
        adaptation_gain="plain",
        reset="zero",
    )
    v, z = simulated(simulate, plain, scale=8.0)
    assert normalised[1].sum() > 60
    assert np.array_equal(z, normalised[1])
    assert v * (1 - AL) == pytest.approx(normalised[0], abs=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_gain": "unit"}, "input_gain: no choice 'unit'"),
        ({"reset": "soft"}, "reset: no choice 'soft'"),
        ({"reset": "zero and hold", "refractory_steps": 2}, "refractory_steps must not be negative, and 0"),
        ({"refractory_steps": -1}, "refractory_steps must not be negative"),
        ({"beta": "1 mV"}, "beta must have the unit of the threshold"),
    ],
)
def test_conventions_that_do_not_exist_are_refused(options, message):
    with pytest.raises(DescriptionError, match=message):
        adaptive_current_based_leaky_integrate_and_fire(**options)


def test_unit_of_the_neuron_is_that_of_its_threshold():
    model = current_based_leaky_integrate_and_fire(v_threshold="10 mV")
    assert model.inputs == {"I": "volt"}
    assert model.reset == "v = 0*volt"
    with pytest.raises(UnitError):
        current_based_leaky_integrate_and_fire(v_threshold="10 mz")
