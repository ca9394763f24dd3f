"""PyTorch runs the network: batched over trials, differentiable through surrogate gradients."""

from snncompare.backends.torch.backend import TorchBackend

__all__ = ["TorchBackend"]
