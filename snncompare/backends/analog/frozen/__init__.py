"""What stays on a device: the opened description, maps of parameters and weights, draws by counter, quantisers."""

__all__: list[str] = []
