r"""The cortical column of Potjans and Diesmann (2014), Cerebral Cortex 24:785, at a chosen scale.

Four layers with one excitatory and one inhibitory population each, leaky integrate-and-fire neurons with exponential
currents (their table 5; values as in the authors' own reference implementation, INM-6/microcircuit-PD14-model)

.. math::
    \dot v = \frac{E_L - v}{\tau_m} + \frac{I_{syn} + I_{ext}}{C_m}, \qquad
    \dot I_{syn} = -\frac{I_{syn}}{\tau_{syn}} + \sum_k J \, \delta(t - t_k - d)

:math:`v` membrane potential (volt), :math:`I_{syn}` synaptic and :math:`I_{ext}` background current (amp), :math:`J`
weight (amp), :math:`d` delay.
"""

import math
from typing import Literal

import numpy as np

from snncompare.errors import InputError
from snncompare.network.initialisers import Constant, Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons import poisson_neuron
from snncompare.network.synapses import delta
from snncompare.network.wiring import FixedTotalNumber, OneToOne
from snncompare.units import Quantity, quantity

__all__ = ["LAYERS", "RATES", "cortical_column", "in_degrees"]

LAYERS = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
"""The populations, from the surface down."""

_SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
_EXTERNAL = np.array([1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100])
_INITIAL_MEAN = (-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43)
_INITIAL_SD = (5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48)
RATES = dict(zip(LAYERS, (0.903, 2.965, 4.414, 5.876, 7.569, 8.633, 1.105, 7.829), strict=True))
"""Mean firing rates of the full-size column with Poisson background, in hertz (Potjans and Diesmann 2014, table 6)."""

_PROBABILITY = np.array([  # rows: target, columns: source
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0000, 0.0076, 0.0000],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0000, 0.0042, 0.0000],
    [0.0077, 0.0059, 0.0497, 0.1350, 0.0067, 0.0003, 0.0453, 0.0000],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0000, 0.1057, 0.0000],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0000],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.0600, 0.3158, 0.0086, 0.0000],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.0010, 0.0034, 0.0005, 0.0277, 0.0080, 0.0658, 0.1443],
])  # fmt: skip

_TAU_SYN, _TAU_M, _C_M = 0.5e-3, 10e-3, 250e-12
_PSP = 0.15e-3
_BACKGROUND_RATE = 8.0
_MOST_POISSON = 5000.0


def cortical_column(
    scale: float = 0.1,
    *,
    in_degree_scale: float | None = None,
    background: Literal["dc", "poisson"] = "poisson",
    name: str = "cortical column",
) -> Network:
    r"""Return the column with a fraction of its neurons and synapses.

    Fewer synapses per neuron (:math:`k` times as many) are made up for by stronger ones, :math:`J/\sqrt k`, which keeps
    the variance of the input, and by a constant current that keeps its mean at the published rates (van Albada, Helias
    and Diesmann 2015, PLoS Computational Biology 11:e1004490). Correlations, and with them the exact rates, are not
    kept.

    Parameters
    ----------
    scale : float
        Fraction of the 77 169 neurons.
    in_degree_scale : float, optional
        Fraction of the synapses per neuron; by default `scale`.
    background : str
        ``"poisson"``: one Poisson source for each neuron, with the summed rate of its 8 Hz background; ``"dc"``: the
        mean of that as a constant current (the reference implementation's default). Without fluctuations from outside,
        a column much below full size falls silent: the compensating current is negative.
    name : str

    Returns
    -------
    Network
        Populations `LAYERS`, cell types ``"E"`` and ``"I"``; projections ``<source>_to_<target>``. Dale's law holds:
        the projections of a population have one sign.

    Raises
    ------
    InputError
        For a scale outside 0 to 1, or Poisson background faster than one spike in two time steps of 0.1 ms.
    """
    degree = scale if in_degree_scale is None else in_degree_scale
    for what, given in (("scale", scale), ("in_degree_scale", degree)):
        if not 0 < given <= 1:
            raise InputError(f"{what} is a fraction above 0 and up to 1, got {given:g}.")
    sizes = np.maximum(1, np.rint(_SIZES * scale)).astype(int)
    currents = _direct_currents(degree, background)
    populations = {
        layer: Population(
            size=int(sizes[k]),
            neuron=_neuron(),
            parameters={"I_ext": _amp(currents[k])},
            initial={"v": Normal(mean=_millivolt(_INITIAL_MEAN[k]), sd=_millivolt(_INITIAL_SD[k]))},
            cell_type=layer[-1],
        )
        for k, layer in enumerate(LAYERS)
    }
    projections = {}
    numbers = np.rint(_synapses() * scale * degree).astype(int)
    for t, target in enumerate(LAYERS):
        for s, source in enumerate(LAYERS):
            if numbers[t, s] > 0:
                projections[f"{source}_to_{target}"] = _projection(source, target, int(numbers[t, s]), degree)
    if background == "poisson":
        populations, projections = _with_poisson(populations, projections, degree)
    return Network(name=name, populations=populations, projections=projections)


def in_degrees() -> np.ndarray:
    """Return the mean number of synapses of a neuron at full size, shape (layer of the target, layer of the source)."""
    return _synapses() / _SIZES[:, None]


def _synapses() -> np.ndarray:
    r"""Return the numbers of synapses at full size, :math:`\ln(1 - p)/\ln(1 - 1/(N_{pre} N_{post}))`."""
    pairs = np.outer(_SIZES, _SIZES).astype(float)
    number: np.ndarray = np.log1p(-_PROBABILITY) / np.log1p(-1 / pairs)
    return number


def _weight() -> float:
    r"""Return the current jump (amp) whose postsynaptic potential peaks at 0.15 mV.

    After a jump :math:`J` it is :math:`J (e^{-t/\tau_m} - e^{-t/\tau_{syn}}) / (C_m (1/\tau_{syn} - 1/\tau_m))`.
    """
    slow, fast = 1 / _TAU_M, 1 / _TAU_SYN
    peak_time = math.log(fast / slow) / (fast - slow)
    peak = (math.exp(-slow * peak_time) - math.exp(-fast * peak_time)) / (_C_M * (fast - slow))
    return _PSP / peak


def _strengths() -> np.ndarray:
    """Return the mean weights in amp, shape (target, source): inhibition four times as strong, L4E to L2/3E doubled."""
    strengths = np.full((8, 8), _weight())
    strengths[:, 1::2] *= -4
    strengths[LAYERS.index("L23E"), LAYERS.index("L4E")] *= 2
    return strengths


def _direct_currents(degree: float, background: str) -> np.ndarray:
    """Return the constant current (amp) of every population: background, and what weaker wiring lacks in mean input."""
    rates = np.array([RATES[layer] for layer in LAYERS])
    recurrent = (_strengths() * in_degrees() * rates).sum(axis=1) * _TAU_SYN
    external = _weight() * _EXTERNAL * _BACKGROUND_RATE * _TAU_SYN
    lacking: np.ndarray = (1 - math.sqrt(degree)) * recurrent
    if background == "dc":
        return lacking + external
    return lacking + (1 - math.sqrt(degree)) * external


def _neuron() -> NeuronModel:
    return NeuronModel(
        equations=(
            "dv/dt = (E_L - v)/tau_m + (I_syn + I_ext)/C_m : volt (unless refractory)\ndI_syn/dt = -I_syn/tau_syn : amp"
        ),
        threshold="v > v_threshold",
        reset="v = E_L",
        refractory=quantity("2 ms"),
        method="exact",
        parameters={
            "E_L": quantity("-65 mV"),
            "v_threshold": quantity("-50 mV"),
            "tau_m": quantity("10 ms"),
            "tau_syn": quantity("0.5 ms"),
            "C_m": quantity("250 pF"),
            "I_ext": quantity("0 pA"),
        },
    )


def _projection(source: str, target: str, number: int, degree: float) -> Projection:
    mean = _strengths()[LAYERS.index(target), LAYERS.index(source)] / math.sqrt(degree)
    bound = {"low": _amp(0.0)} if mean > 0 else {"high": _amp(0.0)}
    delay = quantity("1.5 ms" if mean > 0 else "0.75 ms")
    return Projection(
        source=source,
        target=target,
        synapse=delta(unit="amp", variable="I_syn"),
        wiring=FixedTotalNumber(n=number, multapses=True, autapses=True),
        weight=Normal(mean=_amp(mean), sd=_amp(0.1 * abs(mean)), **bound),
        delay=Normal(mean=delay, sd=Quantity(delay.value / 2, delay.dimension), low=quantity("0.1 ms")),
        sign="positive" if mean > 0 else "negative",
    )


def _with_poisson(
    populations: dict[str, Population], projections: dict[str, Projection], degree: float
) -> tuple[dict[str, Population], dict[str, Projection]]:
    rates = _EXTERNAL * degree * _BACKGROUND_RATE
    if rates.max() > _MOST_POISSON:
        raise InputError(
            f"the Poisson background reaches {rates.max():g} Hz for one neuron, at most {_MOST_POISSON:g} Hz fit into "
            "steps of 0.1 ms; use background='dc' or a smaller in_degree_scale."
        )
    sources = {
        f"background_{layer}": Population(
            size=populations[layer].size, neuron=poisson_neuron(rate=f"{rates[k]:.12g} Hz")
        )
        for k, layer in enumerate(LAYERS)
    }
    onto = {
        f"{name}_onto": Projection(
            source=name,
            target=name.removeprefix("background_"),
            synapse=delta(unit="amp", variable="I_syn"),
            wiring=OneToOne(),
            weight=Constant(value=_amp(_weight() / math.sqrt(degree))),
            delay=quantity("1.5 ms"),
            sign="positive",
        )
        for name in sources
    }
    return {**populations, **sources}, {**projections, **onto}


def _amp(value: float) -> Quantity:
    return quantity(f"{value * 1e12:.12g} pA")


def _millivolt(value: float) -> Quantity:
    return quantity(f"{value:g} mV")
