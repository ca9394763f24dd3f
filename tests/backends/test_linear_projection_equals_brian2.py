"""Delivered spike by spike, linear projections give the state that Brian2 computes, to the last bit."""

from dataclasses import replace

import brian2
import numpy as np
import pytest
import torch

from snncompare.backends.realisation import delay_steps, realise
from snncompare.backends.torch.functions import tensor_functions
from snncompare.backends.torch.linear import LinearProjection
from snncompare.dynamics.brian_objects import neuron_group, spike_source, synapses
from snncompare.dynamics.constants import constants_of
from snncompare.dynamics.expressions import compile_expression
from snncompare.dynamics.linear import linear_effects, source_states
from snncompare.dynamics.step_program import network_program
from snncompare.network.composition import weight_name
from snncompare.network.network import Network

FUNCTIONS = tensor_functions(torch.float64, exact=True)
DT, STEPS = 5e-4, 1000
NEURON = {
    "type": "NeuronModel",
    "equations": "dv/dt = (I - v)/tau : volt",
    "threshold": "v > vT",
    "reset": "v = 0*mV",
    "parameters": {"tau": "20 ms", "vT": "10 mV"},
    "inputs": {"I": "volt"},
}
SYNAPSE = {
    "equations": "dx/dt = -x/tau_syn : volt",
    "on_pre": "x_post += w",
    "current": "x",
    "weight_unit": "volt",
    "parameters": {"tau_syn": "5 ms"},
}
PLASTIC = SYNAPSE | {
    "synapse_equations": "dR/dt = (1 - R)/tau_d : 1 (event-driven)\ndu/dt = (U - u)/tau_f : 1 (event-driven)",
    "on_pre": "u += U*(1 - u)\nx_post += 4*w*u*R\nR -= u*R",
    "parameters": SYNAPSE["parameters"] | {"tau_d": "100 ms", "tau_f": "300 ms", "U": "0.3"},
}


@pytest.fixture(autouse=True)
def _plain_numpy_and_one_thread():
    before = brian2.prefs.codegen.target, torch.get_num_threads()
    brian2.prefs.codegen.target = "numpy"
    torch.set_num_threads(1)
    yield
    brian2.prefs.codegen.target = before[0]
    torch.set_num_threads(before[1])


def network(recurrent, drive=SYNAPSE, delay=None):
    cells = {"source": "cells", "target": "cells", "into": "I", "synapse": recurrent}
    rising = {"type": "Uniform", "low": "0 ms", "high": "9 ms"}
    feed = {"source": "source", "target": "cells", "into": "I", "synapse": drive}
    return Network.parse(
        {
            "populations": {
                "source": {"size": 40, "neuron": {"type": "SpikeSource"}},
                "cells": {"size": 30, "neuron": NEURON},
            },
            "projections": {
                "loop": cells
                | {
                    "wiring": {"type": "FixedTotalNumber", "n": 500},
                    "weight": {"type": "Normal", "mean": "1 mV", "sd": "6 mV"},
                    "delay": delay or rising,
                },
                "feed": feed
                | {
                    "wiring": {"type": "FixedInDegree", "n": 30, "multapses": True},
                    "weight": {"type": "Uniform", "low": "0 mV", "high": "16 mV"},
                    "delay": "1.5 ms",
                },
            },
        },
        "test",
    )


def input_raster(seed=1):
    return np.random.default_rng(seed).random((STEPS, 40)) < 0.02


def in_brian2(described, raster, realisation):
    source, cells = spike_source(described, "source", DT, 40), neuron_group(described, "cells", DT, 30)
    step, neuron = np.nonzero(raster)
    source.set_spikes(neuron, step * DT * brian2.second)
    made = []
    for name, connections in sorted(realisation.connections.items()):
        each = synapses(described, name, source if name == "feed" else cells, cells, DT)
        each.connect(i=connections.source, j=connections.target)
        each.variables[weight_name(name)].set_value(connections.weight)
        if connections.delay is not None:
            each.delay = connections.delay * brian2.second
        made.append(each)
    monitor = brian2.StateMonitor(cells, "v", record=True, when="before_thresholds", dt=DT * brian2.second)
    spikes = brian2.SpikeMonitor(cells)
    brian2.Network(source, cells, *made, monitor, spikes).run(STEPS * DT * brian2.second, namespace={})
    fired = np.zeros((STEPS, 30), dtype=bool)
    fired[np.rint(np.asarray(spikes.t_) / DT).astype(int), np.asarray(spikes.i)] = True
    return fired, np.asarray(monitor.v_).T


class Carried:
    """A block of assignments on tensors, for the neurons in `where` only."""

    def __init__(self, block):
        self.constants = constants_of(block)
        self.assignments = [
            (a.target, a.operator, compile_expression(a.expression, FUNCTIONS)) for a in block.assignments
        ]

    def out(self, state, where=None):
        state.update(self.constants)
        for target, operator, expression in self.assignments:
            old, now = state.get(target), expression(state)
            now = old + now if operator == "+=" else old - now if operator == "-=" else now
            state[target] = now if where is None or operator == ":=" else torch.where(where, now, old)


def in_torch(described, raster, realisation, *, shift=0):
    program = network_program(described, DT)
    cells, like = program.populations["cells"], torch.zeros(1, 30, dtype=torch.float64)
    state = {name: torch.zeros_like(like) for name in cells.states}
    update, reset = Carried(cells.update), Carried(cells.reset)
    condition = compile_expression(cells.threshold.condition, FUNCTIONS)
    linear, sources = {}, {}
    for name, projection in sorted(program.projections.items()):
        connections = realisation.connections[name]
        steps = delay_steps(connections, described.projections[name], DT) + shift * (name == "loop")
        options = {"one_delay": steps.ndim == 0}
        made = LinearProjection(
            linear_effects(projection, **options),
            connections,
            steps,
            dtype=torch.float64,
            trainable={},
            sign=None,
            dt=DT,
        )
        linear[name] = (made, made.start(exact=True))
        own = source_states(projection, **options)
        size = connections.shape[0]
        values = (
            {} if own is None else {n: torch.full((1, size), v, dtype=torch.float64) for n, v in own.initial.items()}
        )
        sources[name] = (None if own is None else Carried(own.block), values)
    past = {"source": [None] * 50, "cells": [None] * 50}
    fired, trace = [], []
    for k in range(STEPS):
        state["t"] = k * DT
        update.out(state)
        trace.append(state["v"][0])
        spikes = condition(state | constants_of(cells.threshold.block))
        fired.append(spikes[0])
        past = {
            "source": [*past["source"][1:], torch.as_tensor(raster[k : k + 1], dtype=torch.float64)],
            "cells": [*past["cells"][1:], spikes.double()],
        }
        for name, (made, delivery) in linear.items():
            there, (own, values) = past[described.projections[name].source], sources[name]
            if own is not None and (arriving := there[-1 - made.longest]) is not None:
                values["t"] = k * DT
                own.out(values, arriving > 0)
            delivery.add(state, there, values)
        reset.out(state, spikes)
    return torch.stack(fired).numpy(), torch.stack(trace).numpy()


@pytest.mark.parametrize("kind", ["many delays and multapses", "one delay", "short-term plasticity"])
def test_spikes_and_membranes_are_those_of_brian2(kind):
    plastic = kind == "short-term plasticity"
    described = network(SYNAPSE, PLASTIC if plastic else SYNAPSE, "2 ms" if kind == "one delay" else None)
    realisation, raster = realise(described, 0), input_raster()
    loop = realisation.connections["loop"]
    assert np.unique(loop.source * 30 + loop.target).size < 400, "several synapses between two neurons"
    assert loop.delay is None or np.unique(delay_steps(loop, described.projections["loop"], DT)).size > 10
    expected, membrane = in_brian2(described, raster, realisation)
    fired, trace = in_torch(described, raster, realisation)
    assert expected.sum() > 300
    assert np.array_equal(fired, expected)
    assert np.array_equal(trace, membrane)


def test_a_delay_longer_by_one_step_or_one_changed_weight_is_seen():
    described = network(SYNAPSE)
    realisation, raster = realise(described, 0), input_raster()
    expected, _ = in_torch(described, raster, realisation)
    assert not np.array_equal(in_torch(described, raster, realisation, shift=1)[0], expected)
    loop = realisation.connections["loop"]
    weight = loop.weight.copy()
    weight[np.abs(weight).argmax()] *= 1.01
    changed = replace(realisation, connections=realisation.connections | {"loop": replace(loop, weight=weight)})
    assert not np.array_equal(in_torch(described, raster, changed)[0], expected)
