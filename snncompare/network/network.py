"""The description of a network: named populations and named projections between them."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from snncompare.errors import DescriptionError, unknown
from snncompare.network.description_file import read_description, write_description
from snncompare.network.equations import defined_names
from snncompare.network.initialisers import Initialiser
from snncompare.network.names import check_names
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapse import SynapseModel
from snncompare.network.wiring import AllToAll, OneToOne, Wiring
from snncompare.units import TIME, Quantity, parse_unit
from snncompare.values import Value

__all__ = ["Network", "Population", "Projection"]

MAX_SIZE = 10_000_000


class Population(Value):
    """`size` neurons of one model."""

    size: Annotated[int, Field(gt=0, le=MAX_SIZE)]
    neuron: Annotated[NeuronModel | SpikeSource, Field(discriminator="type")]


class Projection(Value):
    """Synapses of one model from one population to another, one weight per connected pair.

    Parameters
    ----------
    source, target : str
        Names of populations.
    synapse : SynapseModel
    into : str, optional
        The input of the target's neuron model that receives the synapse's ``current``.
    wiring, weight : values
        Who is connected, and how strongly at first; a weight of exactly zero is no synapse.
    delay : Quantity
        From the spike to its effect; a multiple of the time step.
    """

    source: str
    target: str
    synapse: SynapseModel
    into: str | None = None
    wiring: Wiring = AllToAll()
    weight: Initialiser
    delay: Quantity = Quantity(0.0, TIME, "0 ms")

    @field_validator("delay")
    @classmethod
    def _delay_is_a_time(cls, given: Quantity) -> Quantity:
        if given.dimension != TIME or given.value < 0:
            raise DescriptionError(f"delay must be a time such as '1 ms', not negative, got '{given}'.")
        return given

    @model_validator(mode="after")
    def _weight_has_its_unit(self) -> Self:
        _, dimension = parse_unit(self.synapse.weight_unit)
        if self.weight.unit_of.dimension != dimension:
            raise DescriptionError(
                f"weight must have the unit '{self.synapse.weight_unit}' of the synapse, got '{self.weight.unit_of}'."
            )
        if (self.into is None) != (self.synapse.current is None):
            raise DescriptionError(
                "'into' names the input that the synapse's 'current' flows into: give both or neither."
            )
        return self


class Network(Value):
    """A spiking network as a value: what is simulated, without arrays, time step or simulator.

    Examples
    --------
    >>> from snncompare.network.neurons import leaky_integrate_and_fire
    >>> network = Network(populations={"cells": {"size": 3, "neuron": leaky_integrate_and_fire()}})
    >>> network == Network.parse(network.plain(), "a copy")
    True
    """

    name: str = "network"
    populations: dict[str, Population]
    projections: dict[str, Projection] = Field(default_factory=dict)

    @field_validator("populations", "projections")
    @classmethod
    def _plain_names(cls, given: dict[str, object]) -> dict[str, object]:
        check_names(given, "population or projection")
        return given

    @model_validator(mode="after")
    def _ends_exist(self) -> Self:
        if not self.populations:
            raise DescriptionError("a network needs at least one population.")
        both = sorted(set(self.populations) & set(self.projections))
        if both:
            raise DescriptionError(f"'{both[0]}' names a population and a projection; rename one of them.")
        for name, projection in self.projections.items():
            for end in (projection.source, projection.target):
                if end not in self.populations:
                    raise DescriptionError(f"projection '{name}': " + unknown("population", end, self.populations))
            source, target = self.populations[projection.source], self.populations[projection.target]
            if isinstance(source.neuron, NeuronModel) and source.neuron.threshold is None:
                raise DescriptionError(
                    f"projection '{name}' starts at '{projection.source}', which has no threshold and never fires."
                )
            if isinstance(target.neuron, SpikeSource):
                raise DescriptionError(
                    f"projection '{name}' ends on the spike source '{projection.target}', which has no state."
                )
            if projection.into is not None and projection.into not in target.neuron.inputs:
                raise DescriptionError(
                    f"projection '{name}': " + unknown("input", projection.into, target.neuron.inputs)
                )
            if isinstance(projection.wiring, OneToOne) and source.size != target.size:
                raise DescriptionError(
                    f"projection '{name}' is one-to-one between {source.size} and {target.size} neurons; "
                    "give both populations the same size, or choose another wiring."
                )
        return self

    @model_validator(mode="after")
    def _synapses_fit(self) -> Self:
        for population, described in self.populations.items():
            if not isinstance(described.neuron, NeuronModel):
                continue
            taken = set(described.neuron.names())
            for name, projection in self.incoming(population).items():
                try:
                    projection.synapse.check_target(described.neuron)
                except DescriptionError as error:
                    raise DescriptionError(f"projection '{name}': {error}") from error
                synapse = projection.synapse
                for added in [f"{own}_{name}" for own in (*defined_names(synapse.equations), *synapse.parameters)]:
                    if added in taken:
                        raise DescriptionError(
                            f"projection '{name}' adds '{added}' to '{population}', which has that name already."
                        )
                    taken.add(added)
        return self

    def incoming(self, population: str) -> dict[str, Projection]:
        """Return the projections that end on a population, sorted by name."""
        return {
            name: self.projections[name]
            for name in sorted(self.projections)
            if self.projections[name].target == population
        }

    def sources(self) -> list[str]:
        """Return the names of the spike sources: what a run needs as input."""
        return [name for name, p in self.populations.items() if isinstance(p.neuron, SpikeSource)]

    def save(self, path: str | Path) -> Path:
        """Write the description as YAML and return the path."""
        return write_description(path, self.plain())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a description from YAML or JSON; nothing in the file is executed.

        Raises
        ------
        FileError
            If the file is missing, too large or not YAML.
        DescriptionError
            If the description contradicts itself.
        """
        return cls.parse(read_description(path), str(path))
