"""A population of a network alone, with everything in it that chance decides set to its mean."""

from typing import Any

from snncompare.network.equations import names_in_equations, renamed_equations
from snncompare.network.initialisers import Constant, Exponential, Gamma, LogNormal, Normal, Uniform
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.wiring import AllToAll
from snncompare.units import TIME, Quantity, parse_unit

__all__ = ["without_chance"]


def without_chance(network: Network, population: str) -> Network:
    """Return a population with its incoming projections, all from one spike source instead of their own.

    Noise is left out, delays are zero, drawn parameters and initial states are at their means, weights are zero.
    """
    described = network.populations[population]
    if not isinstance(described.neuron, NeuronModel):
        raise TypeError(f"'{population}' is a spike source and has no equations")  # our own mistake, never a user's
    model = described.neuron.written_out()
    noise = [name for name in names_in_equations(model.equations) if name == "xi" or name.startswith("xi_")]
    quiet = renamed_equations(model.equations, dict.fromkeys(noise, "(0*second**-0.5)")) if noise else model.equations
    initial = {name: described.initial_state(name) for name in model.states()}
    cells = Population(
        size=described.size,
        neuron=model.model_copy(update={"equations": quiet, "initial": {}}),
        parameters={name: _mean(amount) for name, amount in described.parameters.items()},
        initial={name: _mean(amount) for name, amount in initial.items() if amount is not None},
    )
    incoming, source = network.incoming(population), "source"
    while source in (population, *incoming):
        source += "s"
    projections = {}
    for name, projection in incoming.items():
        _, dimension = parse_unit(projection.synapse.weight_unit)
        states = {
            key: value if isinstance(value, str) else _mean(value) for key, value in projection.synapse.initial.items()
        }
        projections[name] = projection.model_copy(
            update={
                "synapse": projection.synapse.model_copy(update={"initial": states}),
                "source": source,
                "wiring": AllToAll(),
                "weight": Constant(value=Quantity(0.0, dimension)),
                "delay": Quantity(0.0, TIME),
                "trainable": {},
            }
        )
    sources = Population(size=1, neuron=SpikeSource())
    return Network(populations={source: sources, population: cells}, projections=projections)


def _mean(amount: Any) -> Quantity:
    match amount:
        case Quantity():
            return amount
        case Constant(value=value):
            return value
        case Uniform(low=low, high=high):
            return Quantity((low.value + high.value) / 2, low.dimension)
        case Normal(mean=mean) | Exponential(mean=mean) | LogNormal(mean=mean) | Gamma(mean=mean):
            return mean
        case _:
            raise TypeError(f"no mean of {type(amount).__name__}")  # our own mistake, never a user's
