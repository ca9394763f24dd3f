"""Ears: cochleae, auditory nerves and the first neurons behind them."""
