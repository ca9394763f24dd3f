"""Small networks and inputs on which every backend must agree."""

import numpy as np
import pandas as pd

from snncompare.network.initialisers import Constant, Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_integrate_and_fire
from snncompare.network.synapses import delta, exponential
from snncompare.recording.recording import Recording
from snncompare.units import quantity

__all__ = ["driven_neuron", "poisson_input", "pulse_input", "recurrent_network", "relay"]


def recurrent_network(*, inputs: int = 12, hidden: int = 25) -> Network:
    """Return a recurrent network of adaptive neurons with delays, a second population and a delta synapse."""
    fast = exponential(tau="3 ms")
    strong = Normal(mean=quantity("6 mV"), sd=quantity("12 mV"))
    weak = Normal(mean=quantity("0 mV"), sd=quantity("6 mV"))
    return Network(
        name="recurrent network",
        populations={
            "source": Population(size=inputs, neuron=SpikeSource()),
            "adaptive": Population(size=hidden, neuron=adaptive_leaky_integrate_and_fire(tau="10 ms")),
            "plain": Population(size=hidden, neuron=leaky_integrate_and_fire(tau="15 ms", refractory="3 ms")),
        },
        projections={
            "drive": Projection(source="source", target="adaptive", synapse=fast, into="I", weight=strong),
            "recur": Projection(
                source="adaptive", target="adaptive", synapse=fast, into="I", weight=weak, delay=quantity("1.5 ms")
            ),
            "across": Projection(source="adaptive", target="plain", synapse=delta(), weight=weak),
            "back": Projection(source="plain", target="adaptive", synapse=delta(), weight=weak, delay=quantity("3 ms")),
        },
    )


def relay(*, delay: str = "0 ms") -> Network:
    """Return one neuron that fires in the step after a spike of its source arrived."""
    return Network(
        name="relay",
        populations={
            "source": Population(size=1, neuron=SpikeSource()),
            "target": Population(size=1, neuron=leaky_integrate_and_fire(refractory="1 ms")),
        },
        projections={
            "kick": Projection(
                source="source",
                target="target",
                synapse=delta(),
                weight=Constant(value=quantity("30 mV")),
                delay=quantity(delay),
            )
        },
    )


def driven_neuron(*, drive: str = "15 mV", refractory: str = "2 ms") -> Network:
    """Return one leaky integrate-and-fire neuron with a constant drive and nothing else."""
    model = NeuronModel(
        equations="dv/dt = (-v + drive)/tau : volt (unless refractory)",
        threshold="v > v_threshold",
        reset="v = 0*mV",
        refractory=quantity(refractory),
        parameters={"tau": quantity("20 ms"), "drive": quantity(drive), "v_threshold": quantity("10 mV")},
    )
    return Network(name="driven neuron", populations={"cell": Population(size=1, neuron=model)})


def poisson_input(
    *, units: int = 12, trials: int = 2, rate: float = 40.0, duration: float = 1.0, dt: float = 5e-4, seed: int = 0
) -> Recording:
    """Return random spikes on the grid of time steps, at most one a step; `rate` in hertz, times in seconds."""
    fired = np.random.default_rng(seed).random((trials, round(duration / dt), units)) < rate * dt
    trial, step, unit = fired.nonzero()
    table = pd.DataFrame({"start": 0.0, "stop": duration}, index=[f"trial {k}" for k in range(trials)])
    return Recording.from_arrays(
        times=step * dt,
        unit=unit,
        trial=table.index.to_numpy()[trial],
        units=pd.DataFrame(index=range(units)),
        trials=table,
    )


def pulse_input(time: float, *, duration: float = 0.05) -> Recording:
    """Return one unit that fires once, at `time` (seconds)."""
    table = pd.DataFrame({"start": [0.0], "stop": [duration]}, index=["pulse"])
    return Recording.from_arrays(times=[time], unit=[0], trial=["pulse"], units=pd.DataFrame(index=[0]), trials=table)
