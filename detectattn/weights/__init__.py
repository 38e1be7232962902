"""Weights: what can be named, where it lies, and how it is loaded without trusting it."""
