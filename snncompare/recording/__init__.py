"""Spikes of named units in named trials, and the lab files they come from."""
