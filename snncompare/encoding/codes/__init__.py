"""Abstract codes: lists of features or pictures as spikes, by rules that isolate one property of a spike train each."""

__all__: list[str] = []
