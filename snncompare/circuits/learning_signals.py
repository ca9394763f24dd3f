"""A network that is taught within one trial, and the network that teaches it."""

from snncompare.network.initialisers import Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import adaptive_leaky_integrate_and_fire, leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import delta
from snncompare.units import quantity

__all__ = ["learning_signal_generator", "trainee"]


def trainee(*, clock: int, hidden: int = 40, outputs: int = 1) -> Network:
    """Return spiking neurons that reach each other, between a clock and a leaky readout.

    Scherr, Stöckl and Maass (2020) bioRxiv 2020.01.26.920470: integrate-and-fire neurons, all time constants 20 ms.

    Parameters
    ----------
    clock, hidden, outputs : int
        Sizes of the populations ``clock``, ``hidden`` and ``readout``.
    """
    return Network(
        name="trainee",
        populations={
            "clock": Population(size=clock, neuron=SpikeSource()),
            "hidden": Population(size=hidden, neuron=leaky_integrate_and_fire(tau="20 ms")),
            "readout": Population(size=outputs, neuron=leaky_readout(tau="20 ms")),
        },
        projections={
            "feed": _dense("clock", "hidden", 12e-3, clock),
            "recur": _dense("hidden", "hidden", 5e-3, hidden),
            "read": _dense("hidden", "readout", 3e-3, hidden),
        },
    )


def learning_signal_generator(*, clock: int, taught: int, target: int, hidden: int = 40, adaptive: int = 20) -> Network:
    """Return the network that sees clock, trainee and target, and sends a learning signal to each neuron it teaches.

    Scherr, Stöckl and Maass (2020): about a third of its neurons have an adaptive threshold.

    Parameters
    ----------
    clock, taught, target : int
        Sizes of the spike sources ``clock``, ``trainee`` and ``target``; ``signals`` is as large as ``trainee``.
    hidden, adaptive : int
        Neurons with a fixed and with an adaptive threshold.
    """
    adapting = adaptive_leaky_integrate_and_fire(tau="20 ms", tau_adaptation="200 ms", adaptation="1.5 mV")
    sources = {"clock": clock, "trainee": taught, "target": target}
    spiking = {"hidden": hidden, "adaptive": adaptive}
    neurons = {"hidden": leaky_integrate_and_fire(tau="20 ms"), "adaptive": adapting}
    populations = {name: Population(size=size, neuron=SpikeSource()) for name, size in sources.items()}
    populations |= {name: Population(size=size, neuron=neurons[name]) for name, size in spiking.items() if size}
    populations["signals"] = Population(size=taught, neuron=leaky_readout(tau="10 ms"))
    present = {name: size for name, size in spiking.items() if size}
    projections = {
        f"{source}_{goal}": _dense(source, goal, 8e-3, size) for source, size in sources.items() for goal in present
    }
    for source in present:
        projections |= {f"{source}_{goal}": _dense(source, goal, 5e-3, hidden + adaptive) for goal in present}
        projections[f"{source}_signals"] = _dense(source, "signals", 2e-3, hidden + adaptive)
    return Network(name="learning-signal generator", populations=populations, projections=projections)


def _dense(source: str, target: str, sd: float, n_sources: int) -> Projection:
    each = Normal(mean=quantity("0 mV"), sd=quantity(f"{sd / n_sources**0.5!r} V"))
    return Projection(source=source, target=target, synapse=delta(), weight=each)
