"""A network description as Brian2 objects: the one place where its text meets Brian2's parser and unit checks."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import brian2
from brian2.codegen.runtime.numpy_rt.numpy_rt import NumpyCodeObject
from brian2.units.fundamentalunits import Dimension as Brian2Dimension

from snncompare.dynamics.state_updaters import RememberedMethod
from snncompare.dynamics.uncaught import leave_errors_to_python
from snncompare.errors import DescriptionError
from snncompare.network.amount import is_drawn
from snncompare.network.composition import compose, compose_synapse
from snncompare.network.network import Network
from snncompare.network.neuron import SpikeSource
from snncompare.units import Dimension, Quantity

__all__ = ["CodeTarget", "brian2_errors", "from_brian2", "neuron_group", "spike_source", "synapses", "to_brian2"]

CodeTarget = type[brian2.codegen.codeobject.CodeObject]

brian2.BrianLogger.suppress_name("unused_brian_object")  # what is refused half-way was never run, and we say why
leave_errors_to_python()


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
    network: Network, population: str, dt: float, size: int, target: CodeTarget | None = NumpyCodeObject
) -> brian2.NeuronGroup:
    """Return the Brian2 group of a population, with the state of its incoming synapses.

    Initial values that are the same for all neurons are set; where they are drawn, a parameter of the distribution
    stands in for them until a backend sets the draws.
    """
    composed = compose(network, population)
    model = composed.model
    with brian2_errors(f"population '{population}'"):
        group = brian2.NeuronGroup(
            size,
            composed.equations,
            threshold=model.threshold,
            reset=model.reset or None,
            refractory=_refractory(model.refractory),
            **_method(model.method),
            namespace={name: to_brian2(value) for name, value in composed.parameters.items()},
            dt=dt * brian2.second,
            name=population,
            codeobj_class=target,
        )
        _set_initial(group, composed.initial)
        group.before_run({})  # checks the units of the equations
        if group.state_updater is not None:
            group.state_updater.update_abstract_code({})  # checks that the method can integrate them
    return group


def _method(name: str) -> dict[str, RememberedMethod]:
    return {} if name == "auto" else {"method": RememberedMethod(name)}


def _refractory(given: Quantity | str | None) -> Any:
    if given is None:
        return False
    return given if isinstance(given, str) else to_brian2(given)


def _set_initial(owner: Any, initial: Mapping[str, Any]) -> None:
    for name, amount in initial.items():
        setattr(owner, name, to_brian2(amount.unit_of if is_drawn(amount) else amount))


def spike_source(
    network: Network, population: str, dt: float, size: int, target: CodeTarget | None = NumpyCodeObject
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
    target: CodeTarget | None = NumpyCodeObject,
    *,
    own_delays: bool = False,
) -> brian2.Synapses:
    """Return the Brian2 synapses of a projection, not yet connected; their weight is called `weight_name`.

    Clock-driven state is updated after the state of all populations, whatever the names are. A delay that is drawn for
    each synapse is left to the backend, and so are all delays with `own_delays`.
    """
    composed, described = compose_synapse(network, projection), network.projections[projection]
    given = None if own_delays or not composed.on_pre else described.delay
    delay = to_brian2(given) if isinstance(given, Quantity) else None
    with brian2_errors(f"projection '{projection}'"):
        made = brian2.Synapses(
            source,
            target_group,
            model=composed.equations,
            on_pre=composed.on_pre or None,
            on_post=composed.on_post or None,
            delay=delay,
            **_method(described.synapse.method),
            namespace={name: to_brian2(value) for name, value in composed.parameters.items()},
            dt=dt * brian2.second,
            name=projection,
            codeobj_class=target,
        )
        if made.state_updater is not None:
            made.state_updater.order = 1
        return made
