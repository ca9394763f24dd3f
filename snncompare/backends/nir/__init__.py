"""Networks as graphs of the Neuromorphic Intermediate Representation (NIR), and back, with a numeric check."""

from snncompare.backends.nir.exchange import export_nir, from_nir, import_nir, to_nir
from snncompare.backends.nir.round_trip import check_nir_round_trip

__all__ = ["check_nir_round_trip", "export_nir", "from_nir", "import_nir", "to_nir"]
