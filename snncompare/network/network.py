"""The description of a network: named populations and named projections between them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from snncompare.description_file import read_description, write_description
from snncompare.errors import DescriptionError, InputError, unknown
from snncompare.network.amount import Amount, check_time, dimension_of, is_drawn
from snncompare.network.equations import defined_names
from snncompare.network.fluctuations import FluctuationDriven, FluctuationDrivenWeight
from snncompare.network.initialisers import Initialiser
from snncompare.network.model_units import check_population_units, check_projection_units
from snncompare.network.names import check_names
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.schema import json_schema
from snncompare.network.synapse import SynapseModel
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import AllToAll, Wiring, check_sizes
from snncompare.units import TIME, Quantity, parse_unit
from snncompare.values import Value

__all__ = ["Network", "Population", "Projection"]

MAX_SIZE = 10_000_000
MAX_NEURONS = 20_000_000
MAX_LABEL = 200
MAX_POPULATIONS, MAX_PROJECTIONS = 1_000, 10_000

Individual = Annotated[tuple[str, ...], Field(exclude_if=lambda names: not names)]
"""Names of parameters; left out where there are none, so that descriptions without any keep their fingerprint."""


class Population(Value):
    """`size` neurons of one model.

    Parameters
    ----------
    size : int
        Number of neurons.
    neuron : NeuronModel or SpikeSource
        What each of them is.
    parameters, initial : dict
        What differs from the model's parameters and initial states: a quantity, or a distribution with one draw per
        neuron.
    trainable : dict
        Parameter or state (whose initial value is meant) to `Trainable`.
    cell_type : str, optional
        A label such as ``"PV"``.
    individual : list of str
        Parameters with one value for each neuron although one quantity is given here; that is what they are unless a
        `Realisation` says otherwise. A chip uses it, where no two neurons are alike.
    """

    size: Annotated[int, Field(gt=0, le=MAX_SIZE)]
    neuron: Annotated[NeuronModel | SpikeSource, Field(discriminator="type")]
    parameters: dict[str, Amount] = Field(default_factory=dict)
    initial: dict[str, Amount] = Field(default_factory=dict)
    trainable: dict[str, Trainable] = Field(default_factory=dict)
    cell_type: Annotated[str, Field(max_length=MAX_LABEL)] | None = None
    individual: Individual = ()

    @model_validator(mode="after")
    def _changes_exist(self) -> Self:
        changes: dict[str, Mapping[str, object]]
        changes = {
            "parameters": self.parameters,
            "initial": self.initial,
            "trainable": self.trainable,
            "individual": dict.fromkeys(self.individual),
        }
        if not isinstance(self.neuron, NeuronModel):
            for where, given in changes.items():
                if given:
                    raise DescriptionError(f"{where}: a spike source has no parameters and no state.")
            return self
        neuron, states = self.neuron, self.neuron.states()
        parameters = list(neuron.parameters)
        named = {
            "parameters": parameters,
            "initial": states,
            "trainable": [*parameters, *states],
            "individual": parameters,
        }
        for where, given in changes.items():
            for name in given:
                if name not in named[where]:
                    raise DescriptionError(f"{where}: " + unknown("parameter or state", name, named[where]))
        for name, amount in self.parameters.items():
            expected = neuron.parameters[name]
            if dimension_of(amount) != expected.dimension:
                given_unit = amount if isinstance(amount, Quantity) else amount.unit_of
                raise DescriptionError(f"parameters: '{name}' must have the unit of '{expected}', got '{given_unit}'.")
        for name, mark in self.trainable.items():
            if name in neuron.parameters:
                mark.check_dimension(name, neuron.parameters[name].dimension)
        check_population_units(self)
        return self

    @property
    def model(self) -> NeuronModel:
        """The neuron model of a population that is not a spike source."""
        if not isinstance(self.neuron, NeuronModel):
            raise TypeError("a spike source has no equations")  # our own mistake, never a user's
        return self.neuron

    def per_neuron(self) -> list[str]:
        """Return the parameters of the model with one value per neuron: drawn, `individual`, or trained one by one."""
        if not isinstance(self.neuron, NeuronModel):
            return []
        own = {*self.individual, *(name for name, mark in self.trainable.items() if not mark.shared)}
        return [name for name in self.neuron.parameters if name in own or is_drawn(self.parameter(name))]

    def parameter(self, name: str) -> Any:
        """Return the quantity or distribution of a parameter."""
        return self.parameters.get(name, self.model.parameters[name])

    def initial_state(self, name: str) -> Any:
        """Return the initial value of a state: a quantity or distribution, or None for zero."""
        given = self.initial.get(name, self.model.initial.get(name))
        return self.parameter(given) if isinstance(given, str) else given


class Projection(Value):
    """Synapses of one model from one population to another.

    Parameters
    ----------
    source, target : str
        Names of populations.
    synapse : SynapseModel
        What each synapse is.
    into : str, optional
        The input of the target's neuron model that receives the synapse's ``current``.
    wiring, weight : values
        Who is connected, and how strongly at first; a weight of exactly zero in a dense array is no synapse.
    delay : Quantity or distribution
        From the spike to its effect, rounded to time steps; a distribution gives every synapse its own.
    sign : str, optional
        ``"positive"`` or ``"negative"``: Dale's law. Weights of the other sign are refused, training keeps the sign.
    disynaptic : bool
        It stands for a path through interneurons that are left out, and may therefore have the other sign than the
        other projections of its source, see `check_dale`. The simulation is the same.
    trainable : dict
        ``"weight"``, ``"delay"`` or a parameter of the synapse to `Trainable`; by default the weights are.
    individual : list of str
        Parameters of the synapse with one value for each target neuron, as in `Population`.
    """

    source: str
    target: str
    synapse: SynapseModel
    into: str | None = None
    wiring: Wiring = AllToAll()
    weight: Annotated[Initialiser | FluctuationDrivenWeight, Field(discriminator="type")]
    delay: Amount = Quantity(0.0, TIME, "0 ms")
    sign: Literal["positive", "negative"] | None = None
    disynaptic: bool = False
    trainable: dict[str, Trainable] = Field(default_factory=lambda: {"weight": Trainable()})
    individual: Individual = ()

    @field_validator("delay")
    @classmethod
    def _delay_is_a_time(cls, given: Any) -> Any:
        check_time(given, "delay")
        return given

    @model_validator(mode="after")
    def _weight_has_its_unit(self) -> Self:
        _, dimension = parse_unit(self.synapse.weight_unit)
        if not isinstance(self.weight, FluctuationDriven) and self.weight.unit_of.dimension != dimension:
            raise DescriptionError(
                f"weight must have the unit '{self.synapse.weight_unit}' of the synapse, got '{self.weight.unit_of}'."
            )
        if (self.into is None) != (self.synapse.current is None):
            raise DescriptionError(
                "'into' names the input that the synapse's 'current' flows into: give both or neither."
            )
        dimensions = {"weight": dimension, "delay": TIME} | {
            name: value.dimension for name, value in self.synapse.parameters.items()
        }
        for name, mark in self.trainable.items():
            if name not in dimensions:
                raise DescriptionError("trainable: " + unknown("weight, delay or parameter", name, dimensions))
            mark.check_dimension(name, dimensions[name])
        for name in self.individual:
            if name not in self.synapse.parameters:
                raise DescriptionError("individual: " + unknown("parameter", name, self.synapse.parameters))
        return self

    def per_target(self) -> list[str]:
        """Return the parameters of the synapse with one value per target neuron: `individual`, or trained as such."""
        trained = [n for n, mark in self.trainable.items() if n in self.synapse.parameters and not mark.shared]
        return [*trained, *(name for name in self.individual if name not in trained)]


class Network(Value):
    """A spiking network as a value: what is simulated, without arrays, time step or simulator.

    Parameters
    ----------
    name : str
        For messages and reports.
    populations : dict
        Name to `Population`.
    projections : dict
        Name to `Projection`; the name becomes part of the names of its synapses' variables.

    Examples
    --------
    >>> from snncompare.network.neurons import leaky_integrate_and_fire
    >>> network = Network(populations={"cells": {"size": 3, "neuron": leaky_integrate_and_fire()}})
    >>> network == Network.parse(network.plain(), "a copy")
    True
    """

    name: Annotated[str, Field(max_length=MAX_LABEL)] = "network"
    populations: dict[str, Population]
    projections: dict[str, Projection] = Field(default_factory=dict)

    @field_validator("populations", "projections", mode="before")
    @classmethod
    def _not_too_many(cls, given: object, info: ValidationInfo) -> object:
        most = MAX_POPULATIONS if info.field_name == "populations" else MAX_PROJECTIONS
        if isinstance(given, Mapping) and len(given) > most:
            raise DescriptionError(f"at most {most} {info.field_name} are read, got {len(given)}.")
        return given

    @field_validator("populations", "projections")
    @classmethod
    def _plain_names(cls, given: dict[str, object]) -> dict[str, object]:
        check_names(given, "population or projection")
        return given

    @model_validator(mode="after")
    def _ends_exist(self) -> Self:
        if not self.populations:
            raise DescriptionError("a network needs at least one population.")
        neurons = sum(population.size for population in self.populations.values())
        if neurons > MAX_NEURONS:
            raise DescriptionError(f"the populations have {neurons} neurons together; at most {MAX_NEURONS}.")
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
            try:
                check_sizes(projection.wiring, source.size, target.size, within=projection.source == projection.target)
            except InputError as error:
                raise DescriptionError(f"projection '{name}': {error}") from error
        return self

    @model_validator(mode="after")
    def _synapses_fit(self) -> Self:
        for population, described in self.populations.items():
            if not isinstance(described.neuron, NeuronModel):
                continue
            taken = set(described.neuron.names())
            for name, projection in self.incoming(population).items():
                synapse = projection.synapse.written_out()
                try:
                    synapse.check_ends(self.populations[projection.source].neuron, described.neuron)
                    check_projection_units(projection, self.populations[projection.source].neuron, described.neuron)
                    synapse.check_delay(self.populations[projection.source].neuron, projection.delay)
                except InputError as error:
                    raise DescriptionError(f"projection '{name}': {error}") from error
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
        """Write the description, as JSON where the name ends on ``.json``, else as YAML, and return the path."""
        return write_description(path, self.plain())

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of descriptions, for editors that complete and check YAML and JSON files."""
        return json_schema(cls)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a description from YAML or JSON; nothing in the file is executed.

        Raises
        ------
        FileError
            If the file is missing, too large, or neither YAML nor JSON.
        DescriptionError
            If the description contradicts itself.
        """
        return cls.parse(read_description(path), str(path))
