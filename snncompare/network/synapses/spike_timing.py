r"""Spike-timing dependent plasticity: synapses that change their own weight by the spikes at both ends.

Every rule takes a synapse, whose weight it changes after the spike was transmitted. Weights stay between ``w_min`` and
``w_max``. All traces are event-driven.
"""

from collections.abc import Mapping

from snncompare.errors import DescriptionError
from snncompare.network.equations import assigned_names
from snncompare.network.named_quantities import named_quantities
from snncompare.network.synapse import SynapseModel
from snncompare.units import QuantityLike, parse_unit

__all__ = ["pair_stdp", "triplet_stdp"]


def pair_stdp(
    synapse: SynapseModel,
    *,
    w_max: QuantityLike,
    w_min: QuantityLike | None = None,
    A_plus: QuantityLike = 0.005,
    A_minus: QuantityLike = 0.00525,
    tau_plus: QuantityLike = "20 ms",
    tau_minus: QuantityLike = "20 ms",
) -> SynapseModel:
    r"""Return a synapse with additive pair-based plasticity: all pairs of spikes count.

    .. math::
        \tau_+ \dot p = -p, \quad \tau_- \dot q = -q, \qquad
        &\text{presynaptic spike: } p \leftarrow p + A_+, \; w \leftarrow w + w_{max}\, q \\
        &\text{postsynaptic spike: } q \leftarrow q - A_-, \; w \leftarrow w + w_{max}\, p

    One pair changes the weight by :math:`w_{max} A_+ e^{-\Delta t/\tau_+}` if the postsynaptic spike comes
    :math:`\Delta t` after the presynaptic one, else by :math:`-w_{max} A_- e^{\Delta t/\tau_-}`. Song, Miller and
    Abbott (2000) Nature Neuroscience 3:919, eq. 1 and methods, whose values are the defaults.

    Parameters
    ----------
    synapse : SynapseModel
        What a spike does; the weight is changed here and nowhere else.
    w_max, w_min : quantity
        In the unit of the weight; `w_min` is zero where not given.
    A_plus, A_minus : float
        Change by one pair, as a fraction of `w_max`.
    tau_plus, tau_minus : time

    Raises
    ------
    DescriptionError
        If the synapse changes its weight already, or for bounds of another unit or order.
    """
    return _plastic(
        synapse,
        traces={"p": "tau_plus", "q": "tau_minus"},
        on_pre="p += A_plus\nw = clip(w + w_max*q, w_min, w_max)",
        on_post="q -= A_minus\nw = clip(w + w_max*p, w_min, w_max)",
        w_max=w_max,
        w_min=w_min,
        A_plus=A_plus,
        A_minus=A_minus,
        tau_plus=tau_plus,
        tau_minus=tau_minus,
    )


def triplet_stdp(
    synapse: SynapseModel,
    *,
    w_max: QuantityLike,
    w_min: QuantityLike | None = None,
    A2_plus: QuantityLike = 5e-10,
    A3_plus: QuantityLike = 6.2e-3,
    A2_minus: QuantityLike = 7e-3,
    A3_minus: QuantityLike = 2.3e-4,
    tau_plus: QuantityLike = "16.8 ms",
    tau_x: QuantityLike = "101 ms",
    tau_minus: QuantityLike = "33.7 ms",
    tau_y: QuantityLike = "125 ms",
) -> SynapseModel:
    r"""Return a synapse with triplet plasticity, which depends on the rate as visual cortex does.

    .. math::
        &\text{presynaptic spike: } w \leftarrow w - w_{max}\, o_1 (A_2^- + A_3^- r_2), \text{ then } r_1 \leftarrow
        r_1 + 1, \; r_2 \leftarrow r_2 + 1 \\
        &\text{postsynaptic spike: } w \leftarrow w + w_{max}\, r_1 (A_2^+ + A_3^+ o_2), \text{ then } o_1 \leftarrow
        o_1 + 1, \; o_2 \leftarrow o_2 + 1

    :math:`r_1, r_2` traces of the source with :math:`\tau_+, \tau_x`, :math:`o_1, o_2` of the target with
    :math:`\tau_-, \tau_y`. Pfister and Gerstner (2006) Journal of Neuroscience 26:9673, eq. 1-4 and their all-to-all
    fit to visual cortex (table 4).

    Parameters
    ----------
    synapse, w_max, w_min
        As in `pair_stdp`.
    A2_plus, A3_plus, A2_minus, A3_minus : float
        As fractions of `w_max`.
    tau_plus, tau_x, tau_minus, tau_y : time

    Raises
    ------
    DescriptionError
        As in `pair_stdp`.
    """
    return _plastic(
        synapse,
        traces={"r1": "tau_plus", "r2": "tau_x", "o1": "tau_minus", "o2": "tau_y"},
        on_pre="w = clip(w - w_max*o1*(A2_minus + A3_minus*r2), w_min, w_max)\nr1 += 1\nr2 += 1",
        on_post="w = clip(w + w_max*r1*(A2_plus + A3_plus*o2), w_min, w_max)\no1 += 1\no2 += 1",
        w_max=w_max,
        w_min=w_min,
        A2_plus=A2_plus,
        A3_plus=A3_plus,
        A2_minus=A2_minus,
        A3_minus=A3_minus,
        tau_plus=tau_plus,
        tau_x=tau_x,
        tau_minus=tau_minus,
        tau_y=tau_y,
    )


def _plastic(
    synapse: SynapseModel,
    *,
    traces: Mapping[str, str],
    on_pre: str,
    on_post: str,
    w_max: QuantityLike,
    w_min: QuantityLike | None,
    **parameters: QuantityLike,
) -> SynapseModel:
    if "w" in assigned_names(synapse.on_pre) | assigned_names(synapse.on_post):
        raise DescriptionError("this synapse changes 'w' already; one rule at a time can.")
    zero = f"0 {synapse.weight_unit}".removesuffix(" 1")
    bounds = named_quantities(w_min=zero if w_min is None else w_min, w_max=w_max)
    if {bound.dimension for bound in bounds.values()} != {parse_unit(synapse.weight_unit)[1]}:
        raise DescriptionError(f"w_min and w_max must have the unit '{synapse.weight_unit}' of the weight.")
    if bounds["w_min"].value >= bounds["w_max"].value:
        raise DescriptionError(f"w_min must lie below w_max, got '{bounds['w_min']}' and '{bounds['w_max']}'.")
    own = [f"d{name}/dt = -{name}/{tau} : 1 (event-driven)" for name, tau in traces.items()]
    return synapse.model_copy(
        update={
            "synapse_equations": "\n".join([*filter(None, [synapse.synapse_equations]), *own]),
            "on_pre": "\n".join(filter(None, [synapse.on_pre, on_pre])),
            "on_post": "\n".join(filter(None, [synapse.on_post, on_post])),
            "parameters": {**synapse.parameters, **bounds, **named_quantities(**parameters)},
        }
    )
