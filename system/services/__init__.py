"""Writes of the kernel that people ask for."""
