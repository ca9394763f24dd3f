"""Who is connected to whom: rules as values, drawn into arrays only when a network is compiled."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from snncompare.errors import DescriptionError
from snncompare.values import Value

__all__ = [
    "AllToAll",
    "AllToOthers",
    "Convolution",
    "DistanceDependent",
    "ExplicitList",
    "FixedInDegree",
    "FixedOutDegree",
    "FixedProbability",
    "FixedTotalNumber",
    "OneToOne",
    "Wiring",
    "check_sizes",
]

_Number = Annotated[int, Field(gt=0, le=100_000_000)]
_Neuron = Annotated[int, Field(ge=0)]
_Length = Annotated[int, Field(gt=0, le=10_000)]
_MAX_KERNEL = 10_000_000


class AllToAll(Value):
    """Every source neuron to every target neuron; within one population not to itself unless ``autapses``."""

    type: Literal["AllToAll"] = "AllToAll"
    autapses: bool = False


class OneToOne(Value):
    """Source neuron i to target neuron i; both populations have the same size."""

    type: Literal["OneToOne"] = "OneToOne"


class AllToOthers(Value):
    """Source neuron i to every target neuron but neuron i; both populations have the same size.

    For a population of interneurons each of which belongs to one neuron and inhibits all others.
    """

    type: Literal["AllToOthers"] = "AllToOthers"


class FixedProbability(Value):
    """Each pair connected independently with probability ``p``; no neuron to itself unless ``autapses``."""

    type: Literal["FixedProbability"] = "FixedProbability"
    p: Annotated[float, Field(gt=0, le=1)]
    autapses: bool = False


class FixedInDegree(Value):
    """Each target neuron receives exactly ``n`` synapses, from source neurons drawn evenly.

    With ``multapses`` the source neurons are drawn independently, so that one may be drawn several times; without, they
    are ``n`` different ones. No neuron to itself unless ``autapses``. Brunel (2000) J. Comput. Neurosci. 8:183, sec. 2.
    """

    type: Literal["FixedInDegree"] = "FixedInDegree"
    n: _Number
    multapses: bool = False
    autapses: bool = False


class FixedOutDegree(Value):
    """Each source neuron makes exactly ``n`` synapses, on target neurons drawn evenly; see `FixedInDegree`."""

    type: Literal["FixedOutDegree"] = "FixedOutDegree"
    n: _Number
    multapses: bool = False
    autapses: bool = False


class FixedTotalNumber(Value):
    """Exactly ``n`` synapses in all, between pairs of neurons drawn evenly.

    With ``multapses`` source and target of each synapse are drawn independently of all others, as in Potjans & Diesmann
    (2014) Cereb. Cortex 24:785, who allow ``autapses`` too; without, the pairs are all different.
    """

    type: Literal["FixedTotalNumber"] = "FixedTotalNumber"
    n: _Number
    multapses: bool = True
    autapses: bool = False


class DistanceDependent(Value):
    r"""Each pair connected independently, with a probability that falls with the distance :math:`d` of the two neurons.

    .. math::
        p(d) = p_{max} \exp(-d^2 / 2\sigma^2) \quad (\text{gaussian}), \qquad
        p(d) = p_{max} \exp(-d / \sigma) \quad (\text{exponential})

    :math:`\sigma` is the ``width``. Both populations are spread evenly over the same layout, whose side is the unit of
    all distances. On a ``"line"`` or ``"ring"`` neuron i of n sits at (i + 1/2)/n. On a ``"sheet"`` or ``"torus"`` the
    neurons fill a grid row by row: with c columns, the square root of n rounded up, neuron i sits in row i // c and
    column i % c. On a ring and a torus distances are measured the shorter way round.

    Gaussian fall-off in cortex: Hellwig (2000) Biol. Cybern. 82:111.
    """

    type: Literal["DistanceDependent"] = "DistanceDependent"
    p_max: Annotated[float, Field(gt=0, le=1)]
    width: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    profile: Literal["gaussian", "exponential"] = "gaussian"
    layout: Literal["line", "ring", "sheet", "torus"] = "ring"
    autapses: bool = False


class ExplicitList(Value):
    """One synapse for each listed pair [source neuron, target neuron], counted from 0; a pair may stand twice."""

    type: Literal["ExplicitList"] = "ExplicitList"
    pairs: Annotated[tuple[tuple[_Neuron, _Neuron], ...], Field(min_length=1, max_length=1_000_000)]


class Convolution(Value):
    r"""Each target neuron sees a patch of the source neurons, all patches through one and the same kernel.

    .. math::
        I_{o, y} = \sum_{c, k} w_{o, c, k} \, s_{c, \, y \cdot \text{stride} + k - \text{padding}}

    :math:`s` are the source neurons in channels c, :math:`I` the target neurons in channels o, :math:`k` runs over the
    kernel, along one axis or two. Neurons are numbered by channel, then row, then column. Along each axis the target
    has (input + 2 padding - kernel) // stride + 1 positions. Weights are drawn once for each entry of the kernel;
    training moves the entries of the kernel, not single synapses. This is the convolution of PyTorch's ``conv1d`` and
    ``conv2d``.

    Parameters
    ----------
    input_shape : list of int
        [length] or [height, width] of a channel of the source population.
    kernel : list of int
        Size of the kernel, along the same axes.
    channels_in, channels_out : int
    stride, padding : int
        The same along all axes.
    """

    type: Literal["Convolution"] = "Convolution"
    input_shape: Annotated[tuple[_Length, ...], Field(min_length=1, max_length=2)]
    kernel: Annotated[tuple[_Length, ...], Field(min_length=1, max_length=2)]
    channels_in: _Length = 1
    channels_out: _Length = 1
    stride: _Length = 1
    padding: Annotated[int, Field(ge=0, le=10_000)] = 0

    @model_validator(mode="after")
    def _kernel_fits(self) -> Self:
        if len(self.kernel) != len(self.input_shape):
            raise DescriptionError(
                f"kernel must have as many axes as input_shape {list(self.input_shape)}, got {list(self.kernel)}."
            )
        for n, k in zip(self.input_shape, self.kernel, strict=True):
            if k > n + 2 * self.padding:
                raise DescriptionError(f"a kernel of {k} does not fit into an input of {n} padded by {self.padding}.")
            if self.padding >= k:
                raise DescriptionError(f"padding must be less than the kernel ({k}), got {self.padding}.")
        if self.channels_out * self.fan_in > _MAX_KERNEL:
            raise DescriptionError(
                f"a kernel has at most {_MAX_KERNEL:,} values, got {self.channels_out * self.fan_in:,}."
            )
        return self

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Size of a channel of the target population."""
        return tuple(
            (n + 2 * self.padding - k) // self.stride + 1 for n, k in zip(self.input_shape, self.kernel, strict=True)
        )

    @property
    def fan_in(self) -> int:
        """Number of kernel entries behind one target neuron."""
        return self.channels_in * math.prod(self.kernel)


Wiring = Annotated[
    AllToAll
    | OneToOne
    | AllToOthers
    | FixedProbability
    | FixedInDegree
    | FixedOutDegree
    | FixedTotalNumber
    | DistanceDependent
    | ExplicitList
    | Convolution,
    Field(discriminator="type"),
]


def check_sizes(wiring: Wiring, n_source: int, n_target: int, *, within: bool) -> None:
    """Refuse a rule that populations of these sizes cannot fulfil.

    Parameters
    ----------
    wiring : Wiring
    n_source, n_target : int
        Sizes of the two populations.
    within : bool
        Whether the two are the same population.

    Raises
    ------
    DescriptionError
    """
    match wiring:
        case OneToOne() if n_source != n_target:
            raise DescriptionError(
                f"one-to-one between {n_source} and {n_target} neurons; give both populations the same size, or choose "
                "another wiring."
            )
        case AllToOthers() if n_source != n_target or n_source < 2:
            raise DescriptionError(
                f"all-to-others needs two populations of the same size, at least 2, got {n_source} and {n_target} "
                "neurons; give both the same size, or choose another wiring."
            )
        case FixedInDegree(n=n) | FixedOutDegree(n=n):
            side, size = ("source", n_source) if isinstance(wiring, FixedInDegree) else ("target", n_target)
            there = size - (within and not wiring.autapses)
            if there < (1 if wiring.multapses else n):
                raise DescriptionError(
                    f"{n} different {side} neurons are asked for and there are {there}; choose a smaller n, or "
                    "multapses: true."
                )
        case FixedTotalNumber(n=n):
            pairs = n_source * (n_target - (within and not wiring.autapses))
            if pairs < (1 if wiring.multapses else n):
                raise DescriptionError(
                    f"{n} different pairs of neurons are asked for and there are {pairs}; choose a smaller n, or "
                    "multapses: true."
                )
        case ExplicitList(pairs=pairs):
            wrong = next((pair for pair in pairs if pair[0] >= n_source or pair[1] >= n_target), None)
            if wrong is not None:
                raise DescriptionError(
                    f"the pair {list(wrong)} does not exist between {n_source} and {n_target} neurons; neurons are "
                    "counted from 0."
                )
        case Convolution():
            _check_convolution(wiring, n_source, n_target)
        case _:
            pass


def _check_convolution(wiring: Convolution, n_source: int, n_target: int) -> None:
    sides = (
        ("source", n_source, wiring.channels_in, wiring.input_shape),
        ("target", n_target, wiring.channels_out, wiring.output_shape),
    )
    for side, size, channels, shape in sides:
        needed = channels * math.prod(shape)
        if size != needed:
            places = " x ".join(map(str, shape))
            raise DescriptionError(
                f"the {side} of the convolution needs {channels} x {places} = {needed:,} neurons, and has {size:,}."
            )
