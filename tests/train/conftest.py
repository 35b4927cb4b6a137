"""Fixtures of the trainer's tests."""

from train.lab import birds, install, toys

__all__ = ["birds", "install", "toys"]
