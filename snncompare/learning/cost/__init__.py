"""What a network costs: operations and energy per inference, of spiking networks and of their rate opponents."""

from snncompare.learning.cost.operations import Cost, Energies, Operations
from snncompare.learning.cost.rate import rate_network_cost
from snncompare.learning.cost.spiking import cost_of_recording, cost_on_dataset, spiking_cost

__all__ = [
    "Cost",
    "Energies",
    "Operations",
    "cost_of_recording",
    "cost_on_dataset",
    "rate_network_cost",
    "spiking_cost",
]
