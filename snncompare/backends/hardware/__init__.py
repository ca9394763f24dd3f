"""Real neuromorphic hardware: the contract of adapters, and how they are found without assuming that there are any."""

from snncompare.backends.hardware.adapter import Availability, HardwareAdapter
from snncompare.backends.hardware.registry import adapter_named, adapters, connect

__all__ = ["Availability", "HardwareAdapter", "adapter_named", "adapters", "connect"]
