"""What the models are called in tables and figures."""

__all__ = ["ANIMAL", "CONTROL", "COUNTS", "ENVELOPE", "RECEPTORS", "TRAINED", "UNTRAINED"]

ANIMAL = "grasshopper receptor neuron"
TRAINED = "trained network"
UNTRAINED = "untrained twin"
RECEPTORS = "receptor population (input)"
ENVELOPE = "sound envelope"
COUNTS = "spike counts of trained network"
CONTROL = "time since sound onset (control)"
