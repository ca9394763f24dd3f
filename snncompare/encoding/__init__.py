"""Stimuli, and the receptor neurons that turn them into spikes."""
