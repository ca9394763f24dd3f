"""Spiking neurons that learn to predict themselves: the spiking form of latent predictive learning."""

from snncompare.errors import InputError
from snncompare.network.initialisers import Constant, Uniform
from snncompare.network.named_quantities import named_quantities
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapse import SynapseModel
from snncompare.network.wiring import FixedProbability, OneToOne
from snncompare.units import QuantityLike, quantity

__all__ = ["latent_predictive_network"]


def latent_predictive_network(
    inputs: int,
    neurons: int,
    *,
    pull: float = 1.0,
    push: QuantityLike = "1 Hz",
    learning_rate: QuantityLike = "1e-3 Hz",
    connection_probability: float = 0.5,
    weight: float = 0.15,
    delay: QuantityLike = "20 ms",
    tau_mean: QuantityLike = "30 s",
    tau_variance: QuantityLike = "30 s",
    name: str = "latent predictive network",
) -> Network:
    r"""Return neurons whose input synapses follow the spiking rule of Halvagal and Zenke (2023).

    .. math::
        \dot w_{ij} = \eta \; \alpha * \left[ f'(v_i) \, (\epsilon * S_j) \right] \; \alpha * \left[
        -c \, (S_i(t) - S_i(t - \Delta)) + \frac{\lambda}{\sigma_i^2 + \xi} (S_i - \bar S_i) + \delta \right]

    :math:`S` spike trains (Hz), :math:`\epsilon` filters of 5 and 20 ms, :math:`\alpha` filters of 2 and 10 ms, all of
    unit area, :math:`f'(v) = (1 + |v - \vartheta|/\text{mV})^{-2}` above -80 mV. :math:`\bar S_i` is the mean rate,
    :math:`\sigma_i^2` the variance of the spike train per unit time, which for short time steps is the low-pass
    filtered rate: :math:`S_i` itself through :math:`\tau_\sigma`. Halvagal and Zenke (2023) Nature Neuroscience
    26:1906, with the corrections of their erratum: all filters carry their time constants, the variance carries the
    time step (so that :math:`\lambda` is a rate and :math:`\xi` = 0.01 Hz).

    A weight collects its change and takes it over when its next presynaptic spike comes, which is when the weight
    counts; it stays between 0 and 1. Neurons integrate conductances (in units of the leak, 5 ms, reversal potential
    0 mV) with 20 ms from -70 mV to a threshold of -50 mV, refractory for 5 ms.

    Parameters
    ----------
    inputs, neurons : int
        Sizes of ``input`` and ``neurons``. ``afferents`` (as many as inputs) fire one step after the input and hold
        the filtered :math:`\epsilon * S_j`.
    pull : float
        :math:`c`: prediction. Zero leaves the Hebbian term only.
    push : rate
        :math:`\lambda`: Hebbian term, which keeps activity from collapsing.
    learning_rate : rate
        :math:`\eta`; zero is no plasticity.
    connection_probability : float
    weight : float
        Weights begin between zero and twice this.
    delay : time
        :math:`\Delta`.
    tau_mean, tau_variance : time
        Of :math:`\bar S` and :math:`\sigma^2`.
    name : str

    Returns
    -------
    Network
        Projections ``relay``, ``feed`` (plastic) and ``echo`` (a neuron's own spikes of :math:`\Delta` ago).

    Raises
    ------
    InputError
        For a negative pull.
    """
    if pull < 0:
        raise InputError(f"pull must not be negative, got {pull}.")
    neuron = _neuron(pull, push, tau_mean, tau_variance)
    return Network(
        name=name,
        populations={
            "input": Population(size=inputs, neuron=SpikeSource()),
            "afferents": Population(size=inputs, neuron=_afferent()),
            "neurons": Population(size=neurons, neuron=neuron, cell_type="E"),
        },
        projections={
            "relay": Projection(
                source="input",
                target="afferents",
                synapse=SynapseModel(on_pre="arrived_post += w"),
                wiring=OneToOne(),
                weight=Constant(value=quantity(1.0)),
                trainable={},
            ),
            "feed": Projection(
                source="afferents",
                target="neurons",
                synapse=_plastic(learning_rate),
                into="I",
                wiring=FixedProbability(p=connection_probability),
                weight=Uniform(low=quantity(0.0), high=quantity(2 * weight)),
                sign="positive",
                trainable={},
            ),
            "echo": Projection(
                source="neurons",
                target="neurons",
                synapse=SynapseModel(
                    on_pre="error_rise_post += w/tau_back", parameters=named_quantities(tau_back="2 ms")
                ),
                wiring=OneToOne(),
                weight=Constant(value=quantity(pull)),
                delay=quantity(delay),
                trainable={},
            ),
        },
    )


def _afferent() -> NeuronModel:
    return NeuronModel(
        equations=("arrived : 1\ndtrace/dt = -trace/tau_synapse : Hz\ndseen/dt = (trace - seen)/tau_membrane : Hz"),
        threshold="arrived > 0.5",
        reset="arrived = 0; trace += 1/tau_synapse",
        parameters=named_quantities(tau_synapse="5 ms", tau_membrane="20 ms"),
    )


def _neuron(pull: float, push: QuantityLike, tau_mean: QuantityLike, tau_variance: QuantityLike) -> NeuronModel:
    return NeuronModel(
        equations=(
            "dv/dt = (E_L - v + I)/tau : volt (unless refractory)\n"
            "dmean_rate/dt = -mean_rate/tau_mean : Hz\n"
            "dvariance/dt = -variance/tau_variance : Hz\n"
            "hebb = push/(variance + least_variance) : 1 (constant over dt)\n"
            "derror_rise/dt = (delta - hebb*mean_rate - error_rise)/tau_rise : Hz\n"
            "derror/dt = (error_rise - error)/tau_decay : Hz\n"
            "slope = int(v > v_lowest)/(1 + abs(v - v_threshold)/width)**2 : 1 (constant over dt)"
        ),
        threshold="v > v_threshold",
        reset=(
            "v = v_reset\n"
            "error_rise += (push/(variance + least_variance) - pull)/tau_rise\n"
            "mean_rate += 1/tau_mean\n"
            "variance += 1/tau_variance"
        ),
        refractory=quantity("5 ms"),
        parameters=named_quantities(
            tau="20 ms",
            E_L="-70 mV",
            v_threshold="-50 mV",
            v_reset="-70 mV",
            v_lowest="-80 mV",
            width="1 mV",
            tau_mean=tau_mean,
            tau_variance=tau_variance,
            tau_rise="2 ms",
            tau_decay="10 ms",
            pull=pull,
            push=push,
            least_variance="0.01 Hz",
            delta="1e-5 Hz",
        ),
        inputs={"I": "volt"},
        initial={"v": "E_L", "mean_rate": "5 Hz", "variance": "5 Hz"},
    )


def _plastic(learning_rate: QuantityLike) -> SynapseModel:
    return SynapseModel(
        equations="dg/dt = -g/tau_g : 1",
        synapse_equations=(
            "deligible_rise/dt = (seen_pre*slope_post - eligible_rise)/tau_in : Hz (clock-driven)\n"
            "deligible/dt = (eligible_rise - eligible)/tau_out : Hz (clock-driven)\n"
            "dchange/dt = learning_rate*eligible*error_post/rate_unit**2 : 1 (clock-driven)"
        ),
        on_pre=("w = clip(w + change, 0, 1)\nchange = 0\ng_post += w"),
        current="g*(E_syn - v)",
        method="euler",
        parameters=named_quantities(
            tau_g="5 ms",
            E_syn="0 mV",
            tau_in="2 ms",
            tau_out="10 ms",
            learning_rate=learning_rate,
            rate_unit="1 Hz",
        ),
    )
