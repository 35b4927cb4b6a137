"""Trains the toy network in a process of its own: alone, as one of several, or to be killed.

``python trained_toy.py OUT [kill STEP | tear CHECKPOINT]``
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from train.toys import Linear, recipe, toy_data

from fgbench.train.hardware import Device, Hardware
from fgbench.train.run import Run

HARDWARE = Hardware(device=Device.CPU, workers=0, checkpoint_steps=1)
VALUES = {"epochs": 2, "batch": 8}
DRAWN = {**VALUES, "drop": 0.3}
"""With numbers drawn in training, which several processes draw otherwise than one."""


def open_run(out: Path, *, noise: float, **values: Any) -> Run:
    return Run(recipe(Linear(), **values), toy_data(noise=noise), out, HARDWARE)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(step: int) -> Any:
    """A ``progress`` that ends the process after so many steps."""
    calls = iter(range(step, -1, -1))
    return lambda part: die() if next(calls) == 0 else None


def tear(checkpoint: int) -> None:
    """End the process in the middle of writing a checkpoint."""
    save, calls = torch.save, iter(range(checkpoint, -1, -1))

    def half(content: Any, file: Any) -> None:
        save(content, file)
        if next(calls) == 0:
            file.truncate(file.tell() // 2)
            file.flush()
            die()

    torch.save = half


def main(out: Path, how: str = "", count: str = "0") -> None:
    if "WORLD_SIZE" in os.environ:
        run = open_run(out, noise=0.0, **VALUES)
    else:
        run = open_run(out, noise=0.5, **DRAWN)
    if how == "tear":
        tear(int(count))
    run.train(kill_at(int(count)) if how == "kill" else lambda part: None)
    run.embed()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
