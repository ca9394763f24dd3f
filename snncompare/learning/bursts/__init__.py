"""Learning by bursts: the rule on prescribed spikes, pairing protocols, and networks that are taught in two phases."""

__all__: list[str] = []
