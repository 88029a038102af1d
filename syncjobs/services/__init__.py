"""Writes, one function a use case; REST, admin, commands and schedules call the same ones."""
