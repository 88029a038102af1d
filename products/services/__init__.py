"""Writes of the catalogue: one function a use case."""
