"""Responses of single units predicted from a model, with nested cross-validation."""
