"""Ready synapse models, each an equation with symbols, units and source.

Every function returns a plain `SynapseModel`. The first two modules hold what a spike does to the target neuron: a
jump, a current, a conductance. The others take such a synapse and make it plastic: ``short_term_plastic(ampa(), ...)``,
``pair_stdp(exponential(), ...)``.

=====================  ========================================================================================
module                 models
=====================  ========================================================================================
`currents`             delta, exponential, alpha, double exponential
`conductances`         any of these as a conductance with reversal potential; AMPA, NMDA, GABA-A, GABA-B
`short_term`           short-term depression and facilitation after Tsodyks and Markram
`spike_timing`         spike-timing dependent plasticity from pairs and triplets of spikes
`bursts`               transmission of events or bursts alone; burst-dependent plasticity
=====================  ========================================================================================
"""

from snncompare.network.synapses.bursts import burst_dependent, of_bursts, of_events
from snncompare.network.synapses.conductances import ampa, as_conductance, gaba_a, gaba_b, nmda, saturating_nmda
from snncompare.network.synapses.currents import alpha, delta, double_exponential, exponential
from snncompare.network.synapses.short_term import depressing, facilitating, short_term_plastic
from snncompare.network.synapses.spike_timing import pair_stdp, triplet_stdp

__all__ = [
    "alpha",
    "ampa",
    "as_conductance",
    "burst_dependent",
    "delta",
    "depressing",
    "double_exponential",
    "exponential",
    "facilitating",
    "gaba_a",
    "gaba_b",
    "nmda",
    "of_bursts",
    "of_events",
    "pair_stdp",
    "saturating_nmda",
    "short_term_plastic",
    "triplet_stdp",
]
