"""The loop: stages, epochs, steps, and in each step the players in turn."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import gather_object, set_seed
from torch.nn import Module

from fgbench.errors import InputError
from fgbench.manifest import show
from fgbench.protocol import Medium
from fgbench.train.checkpoint import (
    Checkpoint,
    Position,
    generator_states,
    read_checkpoint,
    restore_generators,
)
from fgbench.train.dataset import Dataset, Items, Parts
from fgbench.train.learner import Learner, Losses, let_move
from fgbench.train.loading import Loaded, Moment, cut_blocks, load_blocks, load_stage
from fgbench.train.log import RunLog
from fgbench.train.machine import Machine
from fgbench.train.memory import memory_named
from fgbench.train.method import Batch, Stage

SCALER = "scaler"
_SHOWN = 8
"""Item ids of a medium in the message of an alarm; the log has them all."""


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """A network to be trained: ``identity`` says of what, ``path`` where its checkpoint lies."""

    model: Module
    stages: Sequence[Stage]
    data: Dataset
    seed: int
    identity: Mapping[str, Any]
    path: Path
    log: RunLog


def train_network(
    training: Training, machine: Machine, progress: Callable[[float], None] = lambda part: None
) -> None:
    """Train to the end, going on from the checkpoint where there is one.

    Raises what ``load_stage``, ``read_checkpoint`` and ``memory_named`` say, and ``InputError``
    FG-G050, before anything moves, where a term or a gradient is no number.
    """
    checkpoint = read_checkpoint(training.path, training.identity, machine.computing)
    if checkpoint is not None:
        training.model.load_state_dict(checkpoint.model)
    machine.adopt(training.model)
    if checkpoint is not None and checkpoint.done:
        return
    if machine.main:
        training.log.rewind(checkpoint.log if checkpoint else 0)
    # Processes draw differently: each has rows of its own.
    sequence = np.random.SeedSequence([training.seed, machine.share.rank])
    set_seed(int(sequence.generate_state(1)[0]))
    first = checkpoint.position.stage if checkpoint else 0
    for number in range(first, len(training.stages)):
        with memory_named(f"stage {training.stages[number].name}"):
            stage = _StageTraining(training, number, machine, progress)
            stage.run(checkpoint if number == first else None)
    keep(training, machine, Position(len(training.stages)), done=True)
    machine.accelerator.free_memory()


def keep(
    training: Training,
    machine: Machine,
    position: Position,
    learners: Mapping[str, Any] | None = None,
    sums: Mapping[str, float] | None = None,
    *,
    done: bool = False,
) -> None:
    """Write a checkpoint: every process gives its generators, one writes."""
    generators = gather_object([generator_states()])
    scaler = machine.accelerator.scaler
    if machine.main:
        checkpoint = Checkpoint(
            identity=training.identity,
            computing=machine.computing,
            position=position,
            model=training.model.state_dict(),
            learners={**(learners or {}), **({SCALER: scaler.state_dict()} if scaler else {})},
            generators=generators,
            sums=dict(sums or {}),
            log=training.log.size,
            done=done,
        )
        checkpoint.write(training.path)


class _StageTraining:
    """One stage: its learners, and the network as their losses see it."""

    def __init__(
        self,
        training: Training,
        number: int,
        machine: Machine,
        progress: Callable[[float], None],
    ) -> None:
        self._training, self._number, self._machine = training, number, machine
        self._stage, self._progress = training.stages[number], progress
        media = self._stage.media or training.data.media
        self._items: Mapping[Medium, Items] = {m: training.data.train[m] for m in media}
        self._learners = {
            player.name: Learner(player, training.model, machine) for player in self._stage.players
        }
        let_move(training.model, (p for of in self._learners.values() for p in of.parameters))
        self._losses: Module = Losses(training.model)
        if self._stage.epochs:  # several processes want something that moves
            self._losses = machine.accelerator.prepare_model(self._losses)
        self._sums: Counter[str] = Counter()

    def run(self, checkpoint: Checkpoint | None) -> None:
        """All epochs, or those that the checkpoint leaves."""
        start = self._restore(checkpoint) if checkpoint else (0, 0)
        if start == (0, 0):
            self._begin()
        self._training.model.train()
        loading, share = self._machine.loading, self._machine.share
        every, seed = self._machine.hardware.checkpoint_steps, self._training.seed
        since = time.monotonic()
        for loaded in load_stage(
            self._items, self._stage, self._number, seed, loading, start, share
        ):
            self._step(loaded)
            moment = loaded.moment
            done = moment.step + 1
            self._progress(self._part_done(moment))
            if done == moment.steps:
                self._end_epoch(moment, time.monotonic() - since)
                since = time.monotonic()
            elif done % every == 0:
                self._keep(Position(self._number, moment.epoch, done))

    def _begin(self) -> None:
        """What the stage does before its first step."""
        if self._stage.before is not None:
            self._training.model.eval()
            with torch.no_grad(), self._machine.accelerator.autocast():
                self._stage.before(self._training.model, self._whole)

    def _whole(self, medium: Medium) -> Iterator[Any]:
        items = self._items[medium]
        for inputs in load_blocks(items, cut_blocks(items), self._machine.loading):
            yield self._machine.place(inputs)

    def _restore(self, checkpoint: Checkpoint) -> tuple[int, int]:
        for name, state in checkpoint.learners.items():
            if name == SCALER:
                self._machine.accelerator.scaler.load_state_dict(state)
            else:
                self._learners[name].restore(state)
        self._sums.update(checkpoint.sums)
        restore_generators(checkpoint.generators[self._machine.share.rank])
        return checkpoint.position.epoch, checkpoint.position.step

    def _keep(self, position: Position) -> None:
        learners = {name: learner.state() for name, learner in self._learners.items()}
        keep(self._training, self._machine, position, learners, self._sums)

    def _step(self, loaded: Loaded) -> None:
        """Every player's updates, on the same rows."""
        batches = self._batches(loaded)
        for name, learner in self._learners.items():
            if len(self._learners) > 1:
                let_move(self._training.model, learner.parameters)
            check = partial(self._check, name, loaded)
            for _ in range(learner.player.repeats):
                figures = learner.update(self._losses, batches, check)
            self._sums.update({f"{name}.{term}": value for term, value in figures.items()})

    def _batches(self, loaded: Loaded) -> list[Batch]:
        """The step's rows on the device, in slices."""
        moment, count = loaded.moment, self._machine.share.slices
        progress = (moment.epoch + moment.step / moment.steps) / self._stage.epochs
        inputs = {m: _cut(self._machine.place(of), count) for m, of in loaded.inputs.items()}
        device = self._machine.device
        labels = {m: part.to(device).chunk(count) for m, part in loaded.labels.items()}
        return [
            Batch(
                {medium: parts[k] for medium, parts in inputs.items()},
                {medium: parts[k] for medium, parts in labels.items()},
                progress,
                self._machine.gather,
            )
            for k in range(count)
        ]

    def _check(self, player: str, loaded: Loaded, figures: Mapping[str, float]) -> None:
        """Raise the alarm where a figure is no number."""
        wrong = {name: str(value) for name, value in figures.items() if not math.isfinite(value)}
        if not wrong:
            return
        moment = loaded.moment
        ids = {m: self._items[m].ids[places].tolist() for m, places in loaded.places.items()}
        where = f"stage {self._stage.name}, epoch {moment.epoch + 1}, step {moment.step + 1}"
        terms = ", ".join(f"{player}.{name} is {value}" for name, value in wrong.items())
        if self._machine.main:
            listed = {m.value: " ".join(map(show, of)) for m, of in ids.items()}
            self._training.log(alarm=terms, where=where, **listed)
        some = "; ".join(f"{m}: {', '.join(map(show, of[:_SHOWN]))}" for m, of in ids.items())
        raise InputError(
            "FG-G050",
            f"{where}: {terms}",
            why=f"Nothing moved in this step. Its items: {some}. The log has all of them.",
            fix="Look at these items; or take a smaller learning rate (--set), or --precision off.",
        )

    def _end_epoch(self, moment: Moment, seconds: float) -> None:
        terms = list(self._sums)
        means = torch.tensor([self._sums[term] / moment.steps for term in terms])
        reduced = self._machine.accelerator.reduce(means.to(self._machine.device), "mean")
        if self._machine.main:
            figures = dict(zip(terms, reduced.tolist(), strict=True))
            rates = {f"{name}.rate": learner.rate for name, learner in self._learners.items()}
            epoch, steps = moment.epoch + 1, moment.steps
            self._training.log(
                stage=self._stage.name,
                epoch=epoch,
                steps=steps,
                **figures,
                **rates,
                seconds=seconds,
            )
        for learner in self._learners.values():
            learner.end_epoch()
        self._sums.clear()
        last = moment.epoch + 1 == self._stage.epochs
        if last:  # the next stage's learners are new
            keep(self._training, self._machine, Position(self._number + 1))
        else:
            self._keep(Position(self._number, moment.epoch + 1))

    def _part_done(self, moment: Moment) -> float:
        """Of the epochs of all stages."""
        epochs = [stage.epochs for stage in self._training.stages]
        before = sum(epochs[: self._number])
        return (before + moment.epoch + (moment.step + 1) / moment.steps) / sum(epochs)


def _cut(inputs: Any, slices: int) -> list[Any]:
    """Inputs, a tensor or parts, in as many slices of rows."""
    if not isinstance(inputs, Parts):
        return list(inputs.chunk(slices))
    fields = [[None] * slices if of is None else of.chunk(slices) for of in inputs]
    return [Parts(*of) for of in zip(*fields, strict=True)]
