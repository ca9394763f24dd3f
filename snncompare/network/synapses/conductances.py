r"""Conductances: a synaptic current that depends on the target's membrane potential.

``voltage`` names the variable of the target in the driving force: ``v`` for most neurons, ``v_drive`` for the dendrite
of the two-compartment neuron. ``unit`` is the unit of the conductance, ``siemens``; a neuron without a capacitance,
:math:`\tau \dot v = -v + I`, takes conductances in units of its leak, ``unit="1"``.
"""

from snncompare.errors import DescriptionError
from snncompare.network.named_quantities import named_quantities
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses.currents import double_exponential, exponential
from snncompare.units import QuantityLike

__all__ = ["ampa", "as_conductance", "gaba_a", "gaba_b", "nmda", "saturating_nmda"]


def as_conductance(synapse: SynapseModel, *, reversal: QuantityLike, voltage: str = "v") -> SynapseModel:
    r"""Return a current synapse as a conductance: :math:`I = x (E - v)` instead of :math:`I = x`.

    Parameters
    ----------
    synapse : SynapseModel
        A synapse with a current, for example `exponential`, `alpha` or `double_exponential`, made with the unit of a
        conductance.
    reversal : quantity
        Reversal potential :math:`E`, the parameter ``E_syn``.
    voltage : str
        Variable of the target neuron.

    Raises
    ------
    DescriptionError
        If the synapse has no current.
    """
    if synapse.current is None:
        raise DescriptionError("a synapse without a current has no driving force; use for example 'exponential'.")
    return synapse.model_copy(
        update={
            "current": f"{_in_brackets(synapse.current)}*(E_syn - {voltage})",
            "parameters": {**synapse.parameters, **named_quantities(E_syn=reversal)},
        }
    )


def _in_brackets(expression: str) -> str:
    return expression if expression.isidentifier() else f"({expression})"


def ampa(
    *, tau: QuantityLike = "5 ms", reversal: QuantityLike = "0 mV", voltage: str = "v", unit: str = "siemens"
) -> SynapseModel:
    r"""Return the AMPA synapse, :math:`\tau \dot x = -x`, :math:`I = x (E - v)`: excitation, fast.

    Defaults: Brette et al. (2007) Journal of Computational Neuroscience 23:349, appendix B.
    """
    return as_conductance(exponential(tau=tau, unit=unit), reversal=reversal, voltage=voltage)


def gaba_a(
    *, tau: QuantityLike = "10 ms", reversal: QuantityLike = "-80 mV", voltage: str = "v", unit: str = "siemens"
) -> SynapseModel:
    r"""Return the GABA-A synapse, :math:`\tau \dot x = -x`, :math:`I = x (E - v)`: inhibition, fast.

    Defaults: Brette et al. (2007) Journal of Computational Neuroscience 23:349, appendix B.
    """
    return as_conductance(exponential(tau=tau, unit=unit), reversal=reversal, voltage=voltage)


def gaba_b(
    *,
    tau_rise: QuantityLike = "50 ms",
    tau_decay: QuantityLike = "150 ms",
    reversal: QuantityLike = "-95 mV",
    voltage: str = "v",
    unit: str = "siemens",
) -> SynapseModel:
    r"""Return the GABA-B synapse, `double_exponential` with a potassium reversal potential: inhibition, slow.

    The cooperative activation by trains of spikes is left out. Time constants of the order of those in Destexhe,
    Mainen and Sejnowski (1998), in Methods in Neuronal Modeling, MIT Press, chapter 1, whose reversal potential it has.
    """
    synapse = double_exponential(tau_rise=tau_rise, tau_decay=tau_decay, unit=unit)
    return as_conductance(synapse, reversal=reversal, voltage=voltage)


def nmda(
    *,
    tau_rise: QuantityLike = "2 ms",
    tau_decay: QuantityLike = "100 ms",
    reversal: QuantityLike = "0 mV",
    magnesium: QuantityLike = "1 mM",
    block_slope: QuantityLike = "62 1/volt",
    voltage: str = "v",
    unit: str = "siemens",
) -> SynapseModel:
    r"""Return the NMDA synapse with magnesium block, linear in the number of spikes.

    .. math::
        I = g(t)\, B(v)\, (E - v), \qquad B(v) = \frac{1}{1 + \frac{[Mg]}{3.57\,\text{mM}} e^{-0.062\,v/\text{mV}}}

    :math:`g` conductance, `double_exponential` with peak :math:`w`, :math:`B` fraction that is not blocked,
    :math:`[Mg]` outer magnesium concentration. Within a time step the block keeps its value from the beginning of the
    step, so that the equation stays linear in :math:`v`. Jahr and Stevens (1990) Journal of Neuroscience 10:3178, eq.
    4a.
    """
    synapse = as_conductance(
        double_exponential(tau_rise=tau_rise, tau_decay=tau_decay, unit=unit), reversal=reversal, voltage=voltage
    )
    return _blocked(synapse, magnesium, block_slope, voltage)


def saturating_nmda(
    *,
    tau_rise: QuantityLike = "2 ms",
    tau_decay: QuantityLike = "100 ms",
    opening: QuantityLike = "500 Hz",
    reversal: QuantityLike = "0 mV",
    magnesium: QuantityLike = "1 mM",
    block_slope: QuantityLike = "62 1/volt",
    voltage: str = "v",
    unit: str = "siemens",
) -> SynapseModel:
    r"""Return the NMDA synapse whose gates saturate, each synapse for itself.

    .. math::
        \tau_d \dot s = -s + \tau_d\, \alpha\, r (1 - s), \qquad \tau_r \dot r = -r, \qquad
        r \leftarrow r + 1 \text{ at a presynaptic spike}, \qquad I = B(v) (E - v) \sum_j w_j s_j

    :math:`s` fraction of open channels, :math:`r` transmitter (dimensionless), :math:`\alpha` (``opening``) rate of
    opening, :math:`B` as in `nmda`, :math:`w` conductance of all channels. Wang (1999) Journal of Neuroscience
    19:9587; Brunel and Wang (2001) Journal of Computational Neuroscience 11:63.
    """
    synapse = SynapseModel(
        equations=f"g : {unit}",
        synapse_equations="\n".join(
            [
                "ds/dt = -s/tau_decay + opening*r*(1 - s) : 1 (clock-driven)",
                "dr/dt = -r/tau_rise : 1 (clock-driven)",
                f"g_post = w*s : {unit} (summed)",
            ]
        ),
        on_pre="r += 1",
        current="g",
        weight_unit=unit,
        parameters=named_quantities(tau_rise=tau_rise, tau_decay=tau_decay, opening=opening),
    )
    return _blocked(as_conductance(synapse, reversal=reversal, voltage=voltage), magnesium, block_slope, voltage)


def _blocked(synapse: SynapseModel, magnesium: QuantityLike, slope: QuantityLike, voltage: str) -> SynapseModel:
    block = f"block = 1/(1 + magnesium/half_block*exp(-block_slope*{voltage})) : 1 (constant over dt)"
    return synapse.model_copy(
        update={
            "equations": f"{synapse.equations}\n{block}",
            "current": f"block*{synapse.current}",
            "parameters": {
                **synapse.parameters,
                **named_quantities(magnesium=magnesium, half_block="3.57 mM", block_slope=slope),
            },
        }
    )
