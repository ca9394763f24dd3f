"""Neurons that compete for patterns and learn them by spike-timing dependent plasticity, after Diehl and Cook."""

from snncompare.errors import InputError
from snncompare.network.initialisers import Constant, Initialiser, Uniform
from snncompare.network.named_quantities import named_quantities
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import ampa, gaba_a
from snncompare.network.wiring import AllToAll, AllToOthers, OneToOne, Wiring
from snncompare.units import QuantityLike, quantity

__all__ = ["competitive_network"]


def competitive_network(
    inputs: int,
    neurons: int,
    *,
    plastic: bool = True,
    w_max: float = 1.0,
    highest_first_weight: float = 0.3,
    rate_of_rise: float = 1e-2,
    rate_of_fall: float = 1e-4,
    threshold_step: QuantityLike = "0.05 mV",
    tau_threshold: QuantityLike = "10000 s",
    excitation: float = 10.4,
    inhibition: float = 17.0,
    name: str = "competitive network",
) -> Network:
    r"""Return the network of Diehl and Cook (2015) Frontiers in Computational Neuroscience 9:99.

    Every input reaches every excitatory neuron by a plastic synapse. Each excitatory neuron drives one inhibitory
    neuron, which inhibits all excitatory neurons but that one, so that who fires first keeps the others silent.

    .. math::
        \tau \dot v = (E_L - v) + g_e (E_e - v) + g_i (E_i - v), \qquad
        v > v_{threshold} + \theta: \; v \leftarrow v_{reset}, \; \theta \leftarrow \theta + \theta_+, \qquad
        \tau_\theta \dot\theta = -\theta

    :math:`g_e, g_i` conductances in units of the leak, with time constants 1 and 2 ms, :math:`E_e` = 0 mV,
    :math:`E_i` = -100 mV. Excitatory neurons: :math:`\tau` = 100 ms, :math:`E_L = v_{reset}` = -65 mV, threshold
    -52 mV, refractory 5 ms; inhibitory ones 10 ms, -60 mV, -45 mV, -40 mV, 2 ms, and no :math:`\theta`. Membranes go
    on integrating while refractory. Plasticity, with traces that a spike sets to one:

    .. math::
        &\text{presynaptic spike: } x \leftarrow 1, \; w \leftarrow w - \eta_- y, \qquad
        \text{postsynaptic spike: } y \leftarrow 1, \; w \leftarrow w + \eta_+ x \\
        &\tau_x \dot x = -x, \quad \tau_x \dot y = -y, \quad \tau_x = 20 \text{ ms}, \quad 0 \le w \le w_{max}

    which is the pair rule of the widely used simplification (Hazan et al. 2018 Frontiers in Neuroinformatics 12:89);
    the authors compare it with three others.

    Parameters
    ----------
    inputs, neurons : int
        Sizes of ``input``, and of ``excitatory`` and ``inhibitory``.
    plastic : bool
        Without, weights and thresholds stay as they are: the network that is tested, with the same names.
    w_max : float
        Upper bound of the plastic weights.
    highest_first_weight : float
        Plastic weights begin between zero and this.
    rate_of_rise, rate_of_fall : float
        :math:`\eta_+, \eta_-`.
    threshold_step : quantity
        :math:`\theta_+`, the homeostasis; zero is none.
    tau_threshold : quantity
        :math:`\tau_\theta`.
    excitation, inhibition : float
        Weights from excitatory to inhibitory neurons and back, in units of the leak.
    name : str

    Returns
    -------
    Network
        Projections ``feed`` (plastic), ``excite`` and ``inhibit``.

    Raises
    ------
    InputError
        For fewer than two neurons, which have nobody to compete with.
    """
    if neurons < 2:
        raise InputError(f"competition takes at least two neurons, got {neurons}.")
    fast = ampa(tau="1 ms", unit="1")
    step = threshold_step if plastic else "0 mV"
    excitatory = _neuron(
        tau="100 ms",
        rest="-65 mV",
        reset="-65 mV",
        threshold="-52 mV",
        refractory="5 ms",
        adaptation={"threshold_step": step, "tau_threshold": tau_threshold},
    )
    inhibitory = _neuron(tau="10 ms", rest="-60 mV", reset="-45 mV", threshold="-40 mV", refractory="2 ms")
    feed = _plastic(fast, w_max, rate_of_rise, rate_of_fall) if plastic else fast
    slow = gaba_a(tau="2 ms", reversal="-100 mV", unit="1")
    first = Uniform(low=quantity(0.0), high=quantity(highest_first_weight))
    return Network(
        name=name,
        populations={
            "input": Population(size=inputs, neuron=SpikeSource()),
            "excitatory": Population(size=neurons, neuron=excitatory, cell_type="E"),
            "inhibitory": Population(size=neurons, neuron=inhibitory, cell_type="I"),
        },
        projections={
            "feed": _projection("input", "excitatory", feed, first, AllToAll()),
            "excite": _projection("excitatory", "inhibitory", fast, _constant(excitation), OneToOne()),
            "inhibit": _projection("inhibitory", "excitatory", slow, _constant(inhibition), AllToOthers()),
        },
    )


def _neuron(
    *,
    tau: str,
    rest: str,
    reset: str,
    threshold: str,
    refractory: str,
    adaptation: dict[str, QuantityLike] | None = None,
) -> NeuronModel:
    """Return a neuron that goes on integrating while it is refractory, if wished with a threshold that rises."""
    adapts = adaptation is not None
    return NeuronModel(
        equations="dv/dt = (E_L - v + I)/tau : volt" + ("\ndtheta/dt = -theta/tau_threshold : volt" if adapts else ""),
        threshold="v > v_threshold + theta" if adapts else "v > v_threshold",
        reset="v = v_reset; theta += threshold_step" if adapts else "v = v_reset",
        refractory=quantity(refractory),
        parameters=named_quantities(tau=tau, E_L=rest, v_reset=reset, v_threshold=threshold, **(adaptation or {})),
        inputs={"I": "volt"},
        initial={"v": "E_L"},
    )


def _plastic(synapse: SynapseModel, w_max: float, rise: float, fall: float) -> SynapseModel:
    traces = [f"d{name}/dt = -{name}/tau_trace : 1 (event-driven)" for name in ("sent", "fired")]
    return synapse.model_copy(
        update={
            "synapse_equations": "\n".join(traces),
            "on_pre": f"{synapse.on_pre}\nsent = 1\nw = clip(w - rate_of_fall*fired, 0, w_max)",
            "on_post": "fired = 1\nw = clip(w + rate_of_rise*sent, 0, w_max)",
            "parameters": {
                **synapse.parameters,
                **named_quantities(w_max=w_max, rate_of_rise=rise, rate_of_fall=fall, tau_trace="20 ms"),
            },
        }
    )


def _constant(weight: float) -> Constant:
    return Constant(value=quantity(weight))


def _projection(source: str, target: str, synapse: SynapseModel, weight: Initialiser, wiring: Wiring) -> Projection:
    return Projection(
        source=source,
        target=target,
        synapse=synapse,
        into="I",
        weight=weight,
        wiring=wiring,
        sign="positive",
        trainable={},
    )
