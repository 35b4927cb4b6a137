"""A player with what it moves: its optimiser, its schedule, and one update."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor
from torch.nn import Module, Parameter
from torch.nn.utils import get_total_norm

from fgbench.train.hardware import Precision
from fgbench.train.machine import Machine
from fgbench.train.method import Batch, Player

GRADIENT = "gradient"
"""The name of the gradients' norm among the figures of an update."""


class Losses(Module):
    """Computes a player's terms in ``forward``: there precision is set, and there gradients of
    several processes are joined."""

    def __init__(self, model: Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, player: Player, batch: Batch) -> dict[str, Tensor]:
        return dict(player.losses(self.model, batch))


class Learner:
    """A player of one stage. Its optimiser is new: :meth:`restore` gives it its past."""

    def __init__(self, player: Player, model: Module, machine: Machine) -> None:
        self.player = player
        groups = [{**group, "params": list(group["params"])} for group in player.parameters(model)]
        self.parameters: list[Parameter] = [p for group in groups for p in group["params"]]
        raw = player.optimiser(groups)
        self._schedule = player.schedule(raw) if player.schedule else None
        self._optimiser = machine.accelerator.prepare_optimizer(raw)
        self._machine = machine

    @property
    def rate(self) -> float:
        """The learning rate of the first group."""
        return float(self._optimiser.param_groups[0]["lr"])

    def update(
        self,
        losses: Module,
        batches: Sequence[Batch],
        check: Callable[[Mapping[str, float]], None],
    ) -> dict[str, float]:
        """Lower the sum of the terms, each the mean over ``batches``; returns the terms.

        ``check`` sees them, and the gradients' norm, before anything moves.
        """
        accelerator = self._machine.accelerator
        self._optimiser.zero_grad()
        totals: dict[str, Tensor] = {}
        for number, batch in enumerate(batches, 1):
            with nullcontext() if number == len(batches) else accelerator.no_sync(losses):
                terms = losses(self.player, batch)
                accelerator.backward(torch.stack(list(terms.values())).sum() / len(batches))
            for name, term in terms.items():
                totals[name] = totals.get(name, 0.0) + term.detach().float()
        figures = self._figures(totals, len(batches))
        check(figures)
        self._optimiser.step()
        figures.pop(GRADIENT, None)
        return figures

    def end_epoch(self) -> None:
        if self._schedule:
            self._schedule.step()

    def state(self) -> dict[str, Any]:
        schedule = self._schedule.state_dict() if self._schedule else None
        return {"optimiser": self._optimiser.state_dict(), "schedule": schedule}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._optimiser.load_state_dict(state["optimiser"])
        if self._schedule:
            self._schedule.load_state_dict(state["schedule"])

    def _figures(self, totals: Mapping[str, Tensor], slices: int) -> dict[str, float]:
        """The means of terms and the norm of gradients, fetched from the device at once."""
        values = {name: total / slices for name, total in totals.items()}
        if self._machine.precision is not Precision.FP16:  # there, scaled ones may overflow
            gradients = [p.grad for p in self.parameters if p.grad is not None]
            values[GRADIENT] = get_total_norm(gradients)
        return dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))


def let_move(model: Module, parameters: Iterable[Parameter]) -> None:
    """Gradients are computed of these parameters of the model, and of no others."""
    moving = set(map(id, parameters))
    for parameter in model.parameters():
        parameter.requires_grad_(id(parameter) in moving)
