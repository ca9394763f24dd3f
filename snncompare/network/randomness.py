"""Whether a network draws random numbers while it runs."""

import re

from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel

__all__ = ["is_random"]

_DRAWS = re.compile(r"\bxi(?:_\w+)?\b|\b(?:rand|randn|poisson)\s*\(")
"""Noise in an equation, or a call of a function that draws."""


def is_random(network: Network) -> bool:
    """Return whether neurons or synapses draw random numbers in a run; what is drawn before it does not count."""
    neurons = (p.neuron.written_out() for p in network.populations.values() if isinstance(p.neuron, NeuronModel))
    synapses = (projection.synapse.written_out() for projection in network.projections.values())
    texts = [text for n in neurons for text in (n.equations, n.threshold, n.reset, n.refractory)]
    texts += [text for s in synapses for text in (s.equations, s.synapse_equations, s.on_pre, s.on_post, s.current)]
    return any(isinstance(text, str) and _DRAWS.search(text) is not None for text in texts)
