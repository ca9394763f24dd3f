"""The two neurons of each synapse of a projection: what of them a synapse reads and changes."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.torch.sums import Known, Once, State

__all__ = ["PER_SYNAPSE", "Ends", "Local", "Side"]

PER_SYNAPSE = "_per_synapse"
"""Where what stays during a run says which values the synapses have of their own: name to tensor (n_synapses,),
or (batch, n_synapses) where they differ between devices."""


@dataclass(frozen=True, eq=False)
class Side:
    """One end of the synapses of a projection.

    Attributes
    ----------
    key : str
        ``"pre"`` or ``"post"``.
    population : str
    size : int
        Number of neurons.
    index : int64 Tensor (n_synapses,)
        The neuron of each synapse.
    changing : collection of str
        Variables that the population's state holds.
    static : mapping
        Variables that stay during the run.
    held : collection of str
        Variables that do not change in a refractory neuron.
    graded : bool
        Whether its spikes have derivatives, or are numbers between 0 and 1.
    """

    key: str
    population: str
    size: int
    index: Tensor
    changing: Collection[str]
    static: Mapping[str, Known | Once]
    held: Collection[str]
    graded: bool

    def of_synapses(self, value: Tensor) -> Tensor:
        """Return a value of neurons, (..., n_neurons), for each synapse; what all neurons share is unchanged."""
        return value if value.ndim == 0 or value.shape[-1] != self.size else value[..., self.index]

    def once_of_synapses(self, name: str) -> Once:
        """Return a variable that stays, for each synapse; `State` holds those of the populations under their ends."""
        return Once(lambda state: self.of_synapses(state[self.key][name]))


class Local(dict[str, Any]):
    """What the synapses see of the state: a variable of a neuron is looked up when it is first read."""

    def __init__(self, there: State, look_up: Callable[[str], Any]) -> None:
        super().__init__(there)
        self._look_up = look_up

    def __missing__(self, name: str) -> Any:
        self[name] = value = self._look_up(name)
        return value


@dataclass(frozen=True, eq=False)
class Ends:
    """Both ends of the synapses of a projection, and the data type of their numbers."""

    pre: Side
    post: Side
    dtype: torch.dtype

    @property
    def n_synapses(self) -> int:
        """Number of synapses."""
        return self.pre.index.numel()

    @property
    def sizes(self) -> dict[str, Known | Once]:
        """What equations know of the numbers of neurons and synapses."""
        return {"N_pre": Known(self.pre.size), "N_post": Known(self.post.size), "N": Known(self.n_synapses)}

    def side(self, name: str) -> tuple[Side, str]:
        """Return whose variable a name means (``v_pre``, ``v_post``, ``v`` of the target), and its name there."""
        for side in (self.pre, self.post):
            if name.endswith(f"_{side.key}"):
                return side, name.removesuffix(f"_{side.key}")
        return self.post, name

    def is_of_neuron(self, name: str) -> bool:
        """Return whether a name is a variable of one of the two neurons that may change."""
        side, variable = self.side(name)
        return variable in side.changing

    def static(self) -> dict[str, Known | Once]:
        """Return what stays during the run, for each synapse, by all its names."""
        dtype = self.dtype
        found: dict[str, Known | Once] = {
            "i": Once(lambda _state: self.pre.index.to(dtype)),
            "j": Once(lambda _state: self.post.index.to(dtype)),
        }
        for side, suffixes in ((self.post, ("", "_post")), (self.pre, ("_pre",))):
            for name, value in side.static.items():
                there = value if isinstance(value, Known) else side.once_of_synapses(name)
                found |= {f"{name}{suffix}": there for suffix in suffixes}
        return found

    def of_every_synapse(self, populations: Mapping[str, State], own: State, there: State) -> Local:
        """Return what all synapses see, each value of shape (batch, n_synapses).

        Parameters
        ----------
        populations : mapping
            Population to state.
        own : dict
            State of the synapses.
        there : dict
            What stays during the run, and the time.
        """

        def look_up(name: str) -> Any:
            if name in own:
                return own[name]
            side, variable = self.side(name)
            return side.of_synapses(populations[side.population][variable])

        return Local(there, look_up)

    def of_events(
        self, populations: Mapping[str, State], own: State, there: State, trial: Tensor, synapse: Tensor
    ) -> Local:
        """Return what single synapses see in single trials, each value of shape (n_events,)."""
        neurons = {side.key: side.index[synapse] for side in (self.pre, self.post)}
        lists = there[PER_SYNAPSE]

        def look_up(name: str) -> Any:
            if name in own:
                return own[name][trial, synapse]
            if name in lists:
                return _of_events(lists[name], trial, synapse)
            if name in ("i", "j"):
                return neurons["pre" if name == "i" else "post"].to(self.dtype)
            side, variable = self.side(name)
            neuron = neurons[side.key]
            if variable in side.static:
                return _of_events(there[side.key][variable], trial, neuron)
            value = populations[side.population][variable]
            return value[trial, neuron if value.shape[1] == side.size else torch.zeros_like(neuron)]

        local = Local(there, look_up)
        for name in lists:
            del local[name]
        return local


def _of_events(values: Tensor, trial: Tensor, index: Tensor) -> Tensor:
    """Return what values (n,) or (batch, n) have at an index, in single trials."""
    return values[index] if values.ndim == 1 else values[trial, index]
