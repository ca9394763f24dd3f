"""Positive-definite kernels of spike trains as frozen values: inner products of trials in some vector space.

=====================  ========================================================================================
module                 kernels
=====================  ========================================================================================
`filtered`             inner products of the trains after exponential (`Laplacian`) or Gaussian (`Gaussian`) filtering
`counted`              inner products of spike counts (`Count`), also in bins (`BinnedCount`)
`exponential`          a nonlinear kernel on top of a Euclidean metric (`Exponential`)
=====================  ========================================================================================
"""

from snncompare.representation.kernels.counted import BinnedCount, Count
from snncompare.representation.kernels.exponential import Exponential
from snncompare.representation.kernels.filtered import Gaussian, Laplacian
from snncompare.representation.kernels.kernel import Kernel

__all__ = ["BinnedCount", "Count", "Exponential", "Gaussian", "Kernel", "Laplacian"]
