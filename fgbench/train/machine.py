"""Where a network is computed: the device and precision, and what several processes do together."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedDataParallelKwargs
from torch import Tensor
from torch.nn import Module, ModuleDict, ModuleList

from fgbench.errors import InputError
from fgbench.train.dataset import Parts
from fgbench.train.hardware import Device, Hardware, Precision
from fgbench.train.loading import Loading, Share

_PRECISIONS = {Precision.OFF: "no", Precision.BF16: "bf16", Precision.FP16: "fp16"}


class Machine:
    """This process's device, as Accelerate has it. Under ``torchrun``, one process of several.

    ``pixels``: whether pictures go through it. Raises ``InputError``: FG-G040 where there is no
    card, FG-G041 where it has not that precision.
    """

    def __init__(self, hardware: Hardware, *, pixels: bool) -> None:
        card = torch.cuda.is_available()
        if hardware.device is Device.CUDA and not card:
            raise InputError(
                "FG-G040",
                "there is no CUDA device that torch can use",
                fix="Take --device cpu, with a smaller --budget; or install torch for your card.",
            )
        self.hardware = hardware
        self.pixels = pixels
        self.precision = _choose_precision(hardware, pixels)
        # Accelerate keeps one state a process; a second run may be of another precision.
        AcceleratorState._reset_state(reset_partial_state=not dist.is_initialized())
        self.accelerator = Accelerator(
            cpu=not card or hardware.device is Device.CPU,
            mixed_precision=_PRECISIONS[self.precision],
            # A stage need not use all parts of a network, nor a player all that a stage moves.
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
        self.device: torch.device = self.accelerator.device
        self.loading = Loading(hardware.workers, pinned=self.device.type == "cuda")

    @property
    def main(self) -> bool:
        """Whether this process writes what is written once."""
        return bool(self.accelerator.is_main_process)

    @property
    def share(self) -> Share:
        world = self.accelerator.num_processes
        return Share(self.accelerator.process_index, world, self.hardware.slices)

    @property
    def computing(self) -> dict[str, Any]:
        """What must not change while a network is trained, lest other numbers come out."""
        share = self.share
        return {
            "precision": self.precision.value,
            "processes": share.world,
            "slices": share.slices,
        }

    @property
    def described(self) -> dict[str, Any]:
        """For the record of a run."""
        card = self.device.type == "cuda"
        name = torch.cuda.get_device_name(self.device) if card else self.device.type
        return {"device": name, "threads": torch.get_num_threads(), **self.computing}

    def adopt(self, model: Module) -> None:
        """Move the network here, laid out and compiled as suits."""
        if self.pixels and self.device.type == "cuda":
            model.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        else:
            model.to(self.device)
        if self.hardware.compiled:
            _compile_parts(model)

    def place(self, inputs: Any) -> Any:
        """Inputs on the device; bytes of pictures [..., 3, h, w] normalised as float32."""
        if isinstance(inputs, Parts):
            return inputs.each(self.place)
        inputs = inputs.to(self.device, non_blocking=True)
        if inputs.dtype != torch.uint8:
            return inputs
        from fgbench.media.backbone import normalised

        if inputs.dim() == 4 and self.device.type == "cuda":
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return normalised(inputs)

    def gather(self, part: Tensor) -> Tensor:
        """The rows of every process [processes·b, …], in the order of processes, with gradients."""
        if self.share.world == 1:
            return part
        gathered: Tensor = _Gather.apply(part)
        return gathered


class _Gather(torch.autograd.Function):
    """Every process computes the same from all rows, and the mean over processes is taken of the
    weights' gradients: so a row's gradient is the sum over processes."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        parts = [torch.empty_like(part) for _ in range(dist.get_world_size())]
        dist.all_gather(parts, part.contiguous())
        ctx.rows = len(part)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (gradient,) = gradients
        total = gradient.contiguous()
        dist.all_reduce(total)
        first = dist.get_rank() * ctx.rows
        return total[first : first + ctx.rows]


def _choose_precision(hardware: Hardware, pixels: bool) -> Precision:
    wanted = hardware.precision
    card = torch.cuda.is_available() and hardware.device is not Device.CPU
    if wanted is Precision.AUTO:
        good = card and pixels and torch.cuda.is_bf16_supported()
        return Precision.BF16 if good else Precision.OFF
    if (wanted is Precision.FP16 and not card) or (
        wanted is Precision.BF16 and card and not torch.cuda.is_bf16_supported()
    ):
        raise InputError(
            "FG-G041",
            f"the {'card' if card else 'CPU'} does not compute in {wanted.value}",
            fix="Take --precision off.",
        )
    return wanted


def _compile_parts(model: Module) -> None:
    """Each part that is called; the whole is called by losses of many shapes."""
    for part in model.children():
        if isinstance(part, ModuleDict | ModuleList):
            _compile_parts(part)
        else:
            part.compile()
