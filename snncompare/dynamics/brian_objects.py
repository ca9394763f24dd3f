"""A network description as Brian2 objects: the one place where its text meets Brian2's parser and unit checks."""

from collections.abc import Iterator
from contextlib import contextmanager

import brian2
from brian2.codegen.runtime.numpy_rt.numpy_rt import NumpyCodeObject
from brian2.units.fundamentalunits import Dimension as Brian2Dimension

from snncompare.errors import DescriptionError
from snncompare.network.composition import compose, on_pre_statements, weight_name
from snncompare.network.network import Network
from snncompare.network.neuron import SpikeSource
from snncompare.units import Dimension, Quantity

__all__ = ["CodeTarget", "brian2_errors", "from_brian2", "neuron_group", "spike_source", "synapses", "to_brian2"]

CodeTarget = type[brian2.codegen.codeobject.CodeObject]


def to_brian2(quantity: Quantity) -> brian2.Quantity:
    """Return a quantity as Brian2's, with the same float64 value in SI units."""
    return brian2.Quantity(quantity.value, dim=brian2.get_or_create_dimension(quantity.dimension))


def from_brian2(dimension: Brian2Dimension) -> Dimension:
    """Return a dimension of Brian2 as ours."""
    m, kg, s, A, K, mol, cd = (int(dimension.get_dimension(name)) for name in ("m", "kg", "s", "A", "K", "mol", "cd"))
    return m, kg, s, A, K, mol, cd


@contextmanager
def brian2_errors(where: str) -> Iterator[None]:
    """Turn what Brian2 says of a description into one line that names the population or projection."""
    try:
        yield
    except Exception as error:
        cause: BaseException = error
        while isinstance(cause, brian2.BrianObjectException) and cause.__cause__ is not None:
            cause = cause.__cause__
        said = " ".join(str(cause.args[0] if isinstance(cause, KeyError) and cause.args else cause).split())
        raise DescriptionError(f"{where}: {said}") from error


def neuron_group(
    network: Network, population: str, dt: float, size: int, target: CodeTarget = NumpyCodeObject
) -> brian2.NeuronGroup:
    """Return the Brian2 group of a population, with the state of its incoming synapses and initial values set."""
    composed = compose(network, population)
    model = composed.model
    with brian2_errors(f"population '{population}'"):
        group = brian2.NeuronGroup(
            size,
            composed.equations,
            threshold=model.threshold,
            reset=model.reset or None,
            refractory=False if model.refractory is None else to_brian2(model.refractory),
            method=model.method,
            namespace={name: to_brian2(value) for name, value in composed.parameters.items()},
            dt=dt * brian2.second,
            name=population,
            codeobj_class=target,
        )
        for name, value in model.initial.items():
            given = composed.parameters[value] if isinstance(value, str) else value
            setattr(group, name, to_brian2(given))
        group.before_run({})  # checks the units of the equations
    return group


def spike_source(
    network: Network, population: str, dt: float, size: int, target: CodeTarget = NumpyCodeObject
) -> brian2.SpikeGeneratorGroup:
    """Return the Brian2 group of a spike source, still without spikes."""
    if not isinstance(network.populations[population].neuron, SpikeSource):
        raise TypeError(f"'{population}' is not a spike source")  # our own mistake, never a user's
    return brian2.SpikeGeneratorGroup(
        size, [], [] * brian2.second, dt=dt * brian2.second, name=population, codeobj_class=target
    )


def synapses(
    network: Network,
    projection: str,
    source: brian2.Group,
    target_group: brian2.NeuronGroup,
    dt: float,
    target: CodeTarget = NumpyCodeObject,
) -> brian2.Synapses:
    """Return the Brian2 synapses of a projection, not yet connected; their weight is called `weight_name`."""
    described = network.projections[projection]
    with brian2_errors(f"projection '{projection}'"):
        return brian2.Synapses(
            source,
            target_group,
            model=f"{weight_name(projection)} : {described.synapse.weight_unit} (constant)",
            on_pre=on_pre_statements(network, projection),
            delay=to_brian2(described.delay),
            namespace={f"{k}_{projection}": to_brian2(v) for k, v in described.synapse.parameters.items()},
            dt=dt * brian2.second,
            name=projection,
            codeobj_class=target,
        )
