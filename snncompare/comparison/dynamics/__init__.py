"""Dynamical similarity of rate trajectories."""
