"""One population of two-compartment pyramidal neurons with noise, as for measuring what it multiplexes."""

from collections.abc import Mapping
from typing import Literal

from snncompare.circuits.bursts.background import DENDRITE, PLASTICITY, SOMA, Background, with_background
from snncompare.circuits.bursts.currents import with_fluctuating_current
from snncompare.circuits.bursts.synapses import initial_potential
from snncompare.errors import InputError, unknown
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons.bias import with_bias
from snncompare.network.neurons.two_compartment import DendriticDrive, two_compartment_pyramidal
from snncompare.units import QuantityLike

__all__ = ["Noise", "burst_population", "noisy_pyramidal"]

Noise = Literal["multiplexing", "plasticity", "fluctuating", "none"]

_POISSON: Mapping[str, Mapping[str, Background]] = {
    "multiplexing": {"soma": SOMA, "dendrite": DENDRITE},
    "plasticity": PLASTICITY,
}


def burst_population(
    size: int = 4000,
    *,
    noise: Noise = "multiplexing",
    I_s: QuantityLike = "0 pA",
    I_d: QuantityLike = "0 pA",
    model: NeuronModel | None = None,
    dendritic_drive: DendriticDrive = "soma",
    name: str = "burst population",
) -> Network:
    """Return one population, ``pyr``, of two-compartment pyramidal neurons that are not connected.

    Parameters
    ----------
    size : int
    noise : str
        As in `noisy_pyramidal`.
    I_s, I_d : current
        Constant currents into soma and dendrite (parameters ``bias_I`` and ``bias_I_d``).
    model : NeuronModel, optional
        The neuron before noise and currents are added; by default `two_compartment_pyramidal`. Give it currents that
        change over time with `currents.with_sinusoidal_current` and its siblings.
    dendritic_drive : str
        As in `two_compartment_pyramidal`, for the default neuron.
    name : str

    Raises
    ------
    InputError
        For an unknown noise, or a model together with another ``dendritic_drive``.
    DescriptionError
        For a size that is not above zero, or a current in another unit.
    """
    if model is not None and dendritic_drive != "soma":
        raise InputError("dendritic_drive belongs to the default neuron; give it to the model itself.")
    bare = two_compartment_pyramidal(dendritic_drive=dendritic_drive) if model is None else model
    neuron = noisy_pyramidal(bare, noise, I_s=I_s, I_d=I_d)
    return Network(
        name=name,
        populations={
            "pyr": Population(size=size, neuron=neuron, initial={"v": initial_potential()}, cell_type="pyramidal")
        },
    )


def noisy_pyramidal(
    model: NeuronModel, noise: Noise, *, I_s: QuantityLike = "0 pA", I_d: QuantityLike = "0 pA"
) -> NeuronModel:
    r"""Return a two-compartment neuron with noise and constant currents.

    Parameters
    ----------
    model : NeuronModel
        With the inputs ``I`` and ``I_d``.
    noise : str
        ``"multiplexing"``: Poisson conductances of Payeur et al. (2021) figure 3, 500 Hz of excitation and of
        inhibition with weights 0.35 (soma) and 0.05 (dendrite) in units of the leak; ``"plasticity"``: those of their
        figure 2, 500 Hz of excitation and 150 Hz of inhibition, 0.17 and 0.26 (soma), 0.0425 and 0.065 (dendrite), from
        sources of their own instead of shared pools; ``"fluctuating"``: Ornstein-Uhlenbeck currents (2 ms, 450 pA)
        around 70 pA (soma) and -270 pA (dendrite), as in simulations after Naud and Sprekeler (2018) PNAS 115:E6329;
        ``"none"``.
    I_s, I_d : current
        Constant, added to soma and dendrite.

    Raises
    ------
    InputError
        For an unknown noise.
    """
    model = with_bias(with_bias(model, I_s), I_d, into="I_d")
    if noise in _POISSON:
        of_soma, of_dendrite = _POISSON[noise]["soma"], _POISSON[noise]["dendrite"]
        return with_background(with_background(model, of_soma), of_dendrite, "dendrite")
    if noise == "fluctuating":
        soma = with_fluctuating_current(model, mean="70 pA", sd="450 pA")
        return with_fluctuating_current(soma, mean="-270 pA", sd="450 pA", into="I_d")
    if noise == "none":
        return model
    raise InputError("noise: " + unknown("choice", noise, [*_POISSON, "fluctuating", "none"]))
