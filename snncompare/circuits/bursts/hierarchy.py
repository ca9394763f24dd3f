"""A stack of any depth in which events go up and bursts go down, from the pieces of the decoding network."""

from collections.abc import Mapping

from snncompare.circuits.bursts.currents import with_sinusoidal_current
from snncompare.circuits.bursts.decoding import Preset, decoding_interneurons, decoding_projection, weights_of
from snncompare.circuits.bursts.population import noisy_pyramidal
from snncompare.circuits.bursts.relays import with_relays
from snncompare.circuits.bursts.synapses import initial_potential
from snncompare.errors import InputError
from snncompare.network.network import Network, Population
from snncompare.network.neurons.two_compartment import DendriticDrive, two_compartment_pyramidal
from snncompare.units import QuantityLike

__all__ = ["burst_hierarchy"]

_DEEP_FEEDBACK = 0.20


def burst_hierarchy(
    depth: int,
    *,
    preset: Preset = "robust",
    size: int = 4000,
    weights: Mapping[str, float] | None = None,
    signals: bool = True,
    onset: QuantityLike = "1 s",
    dendritic_drive: DendriticDrive = "soma",
    relays: bool = True,
    name: str = "burst hierarchy",
) -> Network:
    r"""Return a stack of pyramidal populations ``pyr1`` (lowest) to ``pyr<depth>``, joined by the decoding motif.

    From level k to level k + 1 go events: ``pyr<k>`` excites the somata of ``pyr<k+1>`` and the interneurons
    ``pv<k+1>``, which inhibit these. From level k + 1 to level k go bursts: ``pyr<k+1>`` excites the dendrites of
    ``pyr<k>`` and the interneurons ``som<k>``, which inhibit these. Every level inhibits its own dendrites by its
    bursts. Each level but the lowest has a constant current of -100 pA into the soma, each but the highest one of 50 pA
    into the dendrite; the bottom-up signal goes into the somata of the lowest level, the top-down signal into the
    dendrites of the highest, as in `burst_decoding_network`, which this is at depth 2, with other names.

    The published network has two levels; deeper ones are ours. A level in the middle is part of two loops of feedback,
    and with the weights of two levels three fall into synchronous oscillations (event rates between 0.2 and 21 Hz).
    With the preset ``"robust"``, stacks of more than two levels therefore have a weaker direct feedback, ``downwards``
    0.20. Measured in four levels of 2000 neurons: event rates follow those of the level below (r = 0.95, 0.90, 0.89),
    burst probabilities the burst rates of the level above (0.85, 0.74, 0.70). As every level multiplies what comes down
    by its own event rate, burst probabilities follow the top-down current itself in the highest level (0.97), less in
    the next (0.43), and not below that.

    Parameters
    ----------
    depth : int
        Number of levels, at least 2.
    preset, size, weights, signals, onset, dendritic_drive : as in `burst_decoding_network`
    relays : bool
        Whether the inhibition of a level by its own bursts goes through interneurons, ``pyr<k>_relay``; Dale's law then
        holds. Otherwise it is marked ``disynaptic``.
    name : str

    Raises
    ------
    InputError
        For fewer than two levels, and as `burst_decoding_network`.
    """
    if isinstance(depth, bool) or not isinstance(depth, int) or depth < 2:
        raise InputError(f"depth must be a whole number of at least 2 levels, got {depth!r}.")
    own = {"downwards": _DEEP_FEEDBACK} if depth > 2 and preset == "robust" else {}
    chosen = weights_of(preset, {**own, **(weights or {})})
    bare = two_compartment_pyramidal(dendritic_drive=dendritic_drive)
    populations = {}
    for level in range(1, depth + 1):
        neuron = noisy_pyramidal(
            bare,
            "multiplexing",
            I_s="0 pA" if level == 1 else "-100 pA",
            I_d="0 pA" if level == depth else "50 pA",
        )
        if level == 1:
            neuron = with_sinusoidal_current(
                neuron, mean="0 pA", amplitude="200 pA" if signals else "0 pA", period="500 ms", onset=onset
            )
        if level == depth:
            neuron = with_sinusoidal_current(
                neuron, mean="100 pA", amplitude="100 pA" if signals else "0 pA", period=f"{500 * 5**0.5!r} ms",
                onset=onset, into="I_d",
            )  # fmt: skip
        populations[f"pyr{level}"] = Population(
            size=size, neuron=neuron, initial={"v": initial_potential()}, cell_type="pyramidal"
        )
        names = ({"pv": f"pv{level}"} if level > 1 else {}) | ({"som": f"som{level}"} if level < depth else {})
        populations |= decoding_interneurons(size, **names)
    projections = {
        f"{source}_to_{target}": decoding_projection(populations, source, target, role, chosen[role])
        for source, target, role in _roles(depth)
        if chosen[role] > 0
    }
    network = Network(name=name, populations=populations, projections=projections)
    return with_relays(network) if relays else network


def _roles(depth: int) -> list[tuple[str, str, str]]:
    """Return source, target and weight of every projection."""
    found = []
    for k in range(1, depth):
        low, high, pv, som = f"pyr{k}", f"pyr{k + 1}", f"pv{k + 1}", f"som{k}"
        found += [(low, high, "upwards"), (low, pv, "onto_pv"), (pv, high, "from_pv")]
        found += [(high, low, "downwards"), (high, som, "onto_som"), (som, low, "from_som")]
    return found + [(f"pyr{k}", f"pyr{k}", "recurrent") for k in range(1, depth + 1)]
