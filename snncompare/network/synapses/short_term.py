r"""Short-term depression and facilitation: how much a spike transmits depends on the spikes before it."""

from snncompare.errors import DescriptionError
from snncompare.network.equations import assigned_names, renamed_expression
from snncompare.network.named_quantities import named_quantities
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses.currents import exponential
from snncompare.units import QuantityLike

__all__ = ["depressing", "facilitating", "short_term_plastic"]


def short_term_plastic(
    synapse: SynapseModel,
    *,
    U: QuantityLike,
    f: QuantityLike,
    tau_depression: QuantityLike,
    tau_facilitation: QuantityLike,
) -> SynapseModel:
    r"""Return a synapse whose transmission depresses and facilitates.

    .. math::
        \tau_D \dot x = 1 - x, \qquad \tau_F \dot u = U - u, \qquad
        \text{at a presynaptic spike: transmit } w\,x\,u, \; x \leftarrow x - x u, \; u \leftarrow u + f (1 - u)

    :math:`x` (``resources``) available resources, :math:`u` (``utilisation``) fraction of them that a spike releases,
    both dimensionless, from 1 and :math:`U`; :math:`\tau_D, \tau_F` time constants of recovery, :math:`f` increment of
    the utilisation. The release uses :math:`u` before its increment. Both follow the spikes of the source alone and
    are integrated exactly from spike to spike. Tsodyks, Pawelzik and Markram (1998) Neural Computation 10:821
    increment first, with :math:`f = U`; this order is that of Payeur et al. (2021) Nature Neuroscience 24:1010 (their
    code, ``STPeTMConnection``).

    Parameters
    ----------
    synapse : SynapseModel
        What a spike does, with its weight ``w``: any synapse that does not change the weight itself.
    U, f : float
        Between 0 and 1.
    tau_depression, tau_facilitation : time

    Raises
    ------
    DescriptionError
        If the synapse changes its own weight.
    """
    if "w" in assigned_names(synapse.on_pre) | assigned_names(synapse.on_post):
        raise DescriptionError("short-term plasticity scales a fixed weight, but this synapse changes 'w' itself.")
    transmitted = renamed_expression(synapse.on_pre, {"w": "(w*resources*utilisation)"})
    own = [
        "dresources/dt = (1 - resources)/tau_depression : 1 (event-driven)",
        "dutilisation/dt = (U - utilisation)/tau_facilitation : 1 (event-driven)",
    ]
    return synapse.model_copy(
        update={
            "synapse_equations": "\n".join([*filter(None, [synapse.synapse_equations]), *own]),
            "on_pre": f"{transmitted}\nresources -= resources*utilisation\nutilisation += f*(1 - utilisation)",
            "parameters": {
                **synapse.parameters,
                **named_quantities(U=U, f=f, tau_depression=tau_depression, tau_facilitation=tau_facilitation),
            },
            "initial": {**synapse.initial, **named_quantities(resources=1.0), "utilisation": "U"},
        }
    )


def depressing(synapse: SynapseModel | None = None) -> SynapseModel:
    """Return a depressing synapse, which passes the first spike of a burst: U = 0.9, 20 ms (Payeur et al. 2021)."""
    return short_term_plastic(
        exponential() if synapse is None else synapse, U=0.9, f=0.1, tau_depression="20 ms", tau_facilitation="1 s"
    )


def facilitating(synapse: SynapseModel | None = None) -> SynapseModel:
    """Return a facilitating synapse, which passes later spikes of a burst: U = 0.02, 100 ms (Payeur et al. 2021)."""
    return short_term_plastic(
        exponential() if synapse is None else synapse, U=0.02, f=0.1, tau_depression="100 ms", tau_facilitation="100 ms"
    )
