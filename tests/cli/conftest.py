"""Fixtures that verbs of training need."""

from train.lab import birds, install, toys

__all__ = ["birds", "install", "toys"]
