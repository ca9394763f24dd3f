"""The backend that compiles one loop over the neurons of each population and visits the synapses of spikes."""

from snncompare.backends.fused.backend import FusedBackend, FusedProgram

__all__ = ["FusedBackend", "FusedProgram"]
