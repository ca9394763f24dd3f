"""Ready neuron models, each an equation with symbols, units and source.

Every function returns a plain `NeuronModel`; nothing about these is special to any backend. Unless said otherwise the
membrane potential is called ``v`` and the input ``I``, whose unit is the one of the equation it stands in.

=====================  ========================================================================================
module                 models
=====================  ========================================================================================
`leaky`                leaky integrate-and-fire (LIF), with adaptive threshold, with conductances; leaky readout
`discrete_time`        current-based LIF and ALIF as the machine-learning literature writes them, exact recursions
`exponential`          exponential and adaptive exponential integrate-and-fire (EIF, AdEx), firing patterns
`interneurons`         AdEx interneurons of the burst-multiplexing circuit
`quadratic`            quadratic integrate-and-fire, theta neuron, Izhikevich's model
`hodgkin_huxley`       squid giant axon; Traub and Miles' cortical neuron
`two_compartment`      pyramidal neuron whose dendrite fires plateaus
`stochastic`           escape noise, white-noise input, Poisson neuron
`burst_poisson`        pyramidal neuron whose bursts are drawn with a probability that its dendrite sets
`bias`                 any of them with a constant current
`background`           any of them with random background conductances, or with currents that an experiment sets
`bursts`               any of them with detection of events and bursts
=====================  ========================================================================================
"""

from snncompare.network.neurons.background import leak_units, with_input_current, with_poisson_background
from snncompare.network.neurons.bias import with_bias
from snncompare.network.neurons.burst_poisson import burst_poisson_neuron
from snncompare.network.neurons.bursts import with_bursts
from snncompare.network.neurons.discrete_time import (
    adaptive_current_based_leaky_integrate_and_fire,
    current_based_leaky_integrate_and_fire,
    current_based_readout,
)
from snncompare.network.neurons.exponential import (
    adaptive_exponential_integrate_and_fire,
    exponential_integrate_and_fire,
    firing_pattern,
)
from snncompare.network.neurons.hodgkin_huxley import squid_axon, traub_miles
from snncompare.network.neurons.interneurons import parvalbumin_interneuron, somatostatin_interneuron
from snncompare.network.neurons.leaky import (
    adaptive_leaky_integrate_and_fire,
    conductance_leaky_integrate_and_fire,
    leaky_integrate_and_fire,
    leaky_readout,
)
from snncompare.network.neurons.quadratic import izhikevich, quadratic_integrate_and_fire, theta_neuron
from snncompare.network.neurons.stochastic import (
    escape_noise_leaky_integrate_and_fire,
    noisy_leaky_integrate_and_fire,
    poisson_neuron,
)
from snncompare.network.neurons.two_compartment import two_compartment_pyramidal

__all__ = [
    "adaptive_current_based_leaky_integrate_and_fire",
    "adaptive_exponential_integrate_and_fire",
    "adaptive_leaky_integrate_and_fire",
    "burst_poisson_neuron",
    "conductance_leaky_integrate_and_fire",
    "current_based_leaky_integrate_and_fire",
    "current_based_readout",
    "escape_noise_leaky_integrate_and_fire",
    "exponential_integrate_and_fire",
    "firing_pattern",
    "izhikevich",
    "leak_units",
    "leaky_integrate_and_fire",
    "leaky_readout",
    "noisy_leaky_integrate_and_fire",
    "parvalbumin_interneuron",
    "poisson_neuron",
    "quadratic_integrate_and_fire",
    "somatostatin_interneuron",
    "squid_axon",
    "theta_neuron",
    "traub_miles",
    "two_compartment_pyramidal",
    "with_bias",
    "with_bursts",
    "with_input_current",
    "with_poisson_background",
]
