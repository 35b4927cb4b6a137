"""What a run is computed on: the device, its precision, and how batches reach it. No number of a
method is here: the same run on other hardware is the same run, to rounding."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Device(StrEnum):
    """AUTO: CUDA where there is a card, else the CPU."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Precision(StrEnum):
    """Of products in training and embedding; weights are float32 always.

    AUTO: BF16 where pixels go through a CUDA card that can, else OFF, which is float32.
    """

    AUTO = "auto"
    OFF = "off"
    BF16 = "bf16"
    FP16 = "fp16"


@dataclass(frozen=True, slots=True)
class Hardware:
    """How a run is computed. ``workers``: processes that load; None: as many as are useful."""

    device: Device = Device.AUTO
    precision: Precision = Precision.AUTO
    slices: int = 1
    """Each step's rows are computed in so many slices, their gradients added up before the update:
    less memory at the same batch. Terms over pairs of items see the pairs within a slice, and
    batch norm the rows of one."""
    compiled: bool = False
    """Whether the network's parts go through ``torch.compile``."""
    workers: int | None = None
    checkpoint_steps: int = 2000
    """A checkpoint is written after so many steps of an epoch, and at the end of each."""
