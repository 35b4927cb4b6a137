"""Checkpoints: all that a run needs to go on as if it had not been interrupted.

One file, written whole or not at all. It is read as tensors and plain values, never as code.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fgbench.errors import InputError
from fgbench.train.recipe import check_identity

VERSION = 1
"""Changes whenever an older file can no longer be read."""


@dataclass(frozen=True, slots=True)
class Position:
    """The next step: those before it are done."""

    stage: int = 0
    epoch: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """``identity``: of method, form, configuration and data, as plain values; ``computing``: of
    what else must not change on the way. ``model``: a state dictionary. ``learners``: optimiser and
    scheduler of each player of the stage, and the scaler; ``generators``: of every process;
    ``sums``: of the epoch's figures so far; ``log``: how many bytes of it.
    """

    identity: Mapping[str, Any]
    computing: Mapping[str, Any]
    position: Position
    model: Mapping[str, Any]
    learners: Mapping[str, Any]
    generators: list[dict[str, Any]]
    sums: Mapping[str, float]
    log: int
    done: bool = False

    def write(self, path: Path) -> None:
        """Put the file in the place of an older one, once it is on the disk."""
        draft = path.with_name(f".{path.name}.draft")
        fields = {name: getattr(self, name) for name in self.__slots__}
        with draft.open("wb") as file:
            torch.save(fields | {"position": asdict(self.position), "version": VERSION}, file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)


def read_checkpoint(
    path: Path, identity: Mapping[str, Any], computing: Mapping[str, Any]
) -> Checkpoint | None:
    """The checkpoint of that run; None where there is no file. ``computing`` matters until done.

    Raises ``InputError`` where it cannot be read (FG-G030), and ``FaultyInput`` with every
    difference where it is another run's (FG-G031).
    """
    if not path.exists():
        return None
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        version = found.pop("version")
        if version != VERSION:
            raise ValueError(f"version {version}, not {VERSION}")
        checkpoint = Checkpoint(**found | {"position": Position(**found["position"])})
    except Exception as error:  # a file that is none fails in many ways, none of them ours
        reason = str(error).partition("\n")[0][:200]
        raise InputError(
            "FG-G030",
            f"{path} is no checkpoint that can be read: {reason}",
            why="A run goes on from its checkpoint.",
            fix="Delete the file to train from the beginning.",
        ) from error
    check_identity(str(path), checkpoint.identity, identity)
    if not checkpoint.done:
        check_identity(str(path), checkpoint.computing, computing)
    return checkpoint


def generator_states() -> dict[str, Any]:
    """The states of all generators that code may draw from unasked, as plain values."""
    legacy = np.random.get_state(legacy=False)
    key = {"key": legacy["state"]["key"].tolist(), "pos": legacy["state"]["pos"]}
    return {
        "python": random.getstate(),
        "numpy": {**legacy, "state": key},
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_generators(states: Mapping[str, Any]) -> None:
    """The inverse of :func:`generator_states`."""
    version, words, gauss = states["python"]
    random.setstate((version, tuple(words), gauss))
    numpy = states["numpy"]
    key = {**numpy["state"], "key": np.array(numpy["state"]["key"], np.uint32)}
    np.random.set_state({**numpy, "state": key})
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])
