"""The batches of a stage of training: drawn from the seed alone, loaded ahead by other processes.

What is drawn depends on seed, stage, epoch and step, never on how many processes load, nor on where
a run was interrupted. Of several processes that train, each takes its slice of every step's rows.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fgbench.errors import FgbenchError, InputError
from fgbench.protocol import Medium
from fgbench.train.dataset import Items, Parts, Places
from fgbench.train.method import Stage

_BATCHES, _TAKE = 0, 1
"""What a generator is for: the last word of its seed."""
_BLOCK_BYTES = 256 << 20
_BLOCK_ROWS = 4096
_PART_WIDTH = 512
_MOST_WORKERS = 16


class Moment(NamedTuple):
    """When a step is: ``steps`` are in its epoch."""

    stage: int
    epoch: int
    step: int
    steps: int


class Loaded(NamedTuple):
    """The rows of a step, on the CPU, by medium: inputs [b, …], labels [b] and places [b]."""

    moment: Moment
    inputs: dict[Medium, Any]
    labels: dict[Medium, Tensor]
    places: dict[Medium, Places]


@dataclass(frozen=True, slots=True)
class Share:
    """Which rows are this process's: of ``world`` equal parts the ``rank``-th, to be cut again into
    ``slices``."""

    rank: int = 0
    world: int = 1
    slices: int = 1


WHOLE = Share()


@dataclass(frozen=True, slots=True)
class Loading:
    """How items are loaded. ``workers``: processes; None: as many as are useful."""

    workers: int | None = None
    pinned: bool = False
    """For copies to a card that need not wait."""


def load_stage(
    items: Mapping[Medium, Items],
    stage: Stage,
    number: int,
    seed: int,
    loading: Loading,
    start: tuple[int, int] = (0, 0),
    share: Share = WHOLE,
) -> Iterator[Loaded]:
    """Every step of the stage of that number from epoch and step ``start`` on, over all epochs.

    Raises what ``Inputs.take`` raises, and ``InputError``: FG-G020 where an epoch has no step,
    FG-G021 where its rows cannot be shared out, FG-G022 where a loading process died.
    """
    plan = _Plan(items, stage, number, seed, start, share)
    yield from _load(_Steps(items, seed, share.rank), plan, items, loading, share.world)


def load_blocks(items: Items, blocks: list[Places], loading: Loading) -> Iterator[Any]:
    """The whole inputs of items, block by block: tensors, or parts of tensors.

    Raises as :func:`load_stage`.
    """
    whole = {Medium.IMAGE: items}  # whichever it is
    yield from _load(_Blocks(items), blocks, whole, loading, 1)


def cut_blocks(items: Items) -> list[Places]:
    """The places of items in blocks of at most 256 MB of float32 inputs, and of 4,096 rows.

    A part, be it the number of a word, counts as 512 numbers: that much networks make of it.
    """
    shape = items.inputs.shape
    if len(shape) == 2:
        shape = (shape[0], max(shape[1], _PART_WIDTH))
    each = 4 * int(np.prod(shape))
    rows = max(1, min(_BLOCK_ROWS, _BLOCK_BYTES // max(each, 1)))
    return [np.arange(first, min(first + rows, len(items))) for first in range(0, len(items), rows)]


def _load(
    source: Dataset[Any],
    plan: Iterable[Any],
    items: Mapping[Medium, Items],
    loading: Loading,
    world: int,
) -> Iterator[Any]:
    workers = _useful_workers(items, world) if loading.workers is None else loading.workers
    loader: DataLoader[Any] = DataLoader(
        source,
        sampler=plan,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=2 if workers else None,
        pin_memory=loading.pinned,
        generator=torch.Generator(),  # else each loader draws a number from the run's own
    )
    try:
        for loaded in loader:
            if isinstance(loaded, _Refusal):
                loaded.raise_it()
            yield loaded
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise InputError(
            "FG-G022",
            f"a process that loads items died: {str(error)[:200]}",
            why="Most often such a process is ended for want of memory.",
            fix="Load with fewer: --workers 2, or --workers 0.",
        ) from error


def _useful_workers(items: Mapping[Medium, Items], world: int) -> int:
    """None for what is there at once, as vectors; else a share of the cores."""
    if all(len(of.inputs.shape) < 3 for of in items.values()):
        return 0
    return min(_MOST_WORKERS, max(1, len(os.sched_getaffinity(0)) // world))


class _Plan:
    """Iterates over the moments and places of a stage's steps; draws in the parent process."""

    def __init__(
        self,
        items: Mapping[Medium, Items],
        stage: Stage,
        number: int,
        seed: int,
        start: tuple[int, int],
        share: Share,
    ) -> None:
        self._items, self._stage, self._number = items, stage, number
        self._seed, self._start, self._share = seed, start, share

    def __iter__(self) -> Iterator[tuple[Moment, dict[Medium, Places]]]:
        first_epoch, first_step = self._start
        for epoch in range(first_epoch, self._stage.epochs):
            rng = np.random.default_rng([self._seed, self._number, epoch, _BATCHES])
            steps = list(self._stage.batches(self._items, rng))
            if not steps:
                self._refuse("FG-G020", "an epoch without a step")
            for step in range(first_step if epoch == first_epoch else 0, len(steps)):
                moment = Moment(self._number, epoch, step, len(steps))
                yield moment, {m: self._mine(m, places) for m, places in steps[step].items()}

    def _mine(self, medium: Medium, places: Places) -> Places:
        share = self._share
        parts = share.world * share.slices
        if not len(places) or len(places) % parts:
            found = f"{len(places)} {medium} rows in a step, for {share.world} processes"
            self._refuse("FG-G021", f"{found} with {share.slices} slices each")
        rows = len(places) // share.world
        return places[share.rank * rows : (share.rank + 1) * rows]

    def _refuse(self, code: str, found: str) -> NoReturn:
        raise InputError(
            code,
            f"stage {self._stage.name}: {found}",
            why="Every process computes equally many rows of every step, at least one.",
            fix="Choose another batch size, or other numbers of processes and --slices.",
        )


class _Steps(Dataset[Any]):
    """Loads a step, in whichever process."""

    def __init__(self, items: Mapping[Medium, Items], seed: int, rank: int) -> None:
        self._items, self._seed, self._rank = items, seed, rank

    def __getitem__(self, planned: tuple[Moment, dict[Medium, Places]]) -> Loaded | _Refusal:
        moment, places = planned
        # Read media one after the other, in one order: what a generator draws depends on it.
        rng = np.random.default_rng([self._seed, *moment[:3], self._rank, _TAKE])
        try:
            inputs = {m: self._items[m].inputs.take(places[m], rng) for m in Medium if m in places}
        except FgbenchError as error:
            return _Refusal.of(error)
        labels = {medium: self._items[medium].labels[places[medium]] for medium in inputs}
        tensors = {medium: as_tensors(of) for medium, of in inputs.items()}
        return Loaded(moment, tensors, {m: as_tensors(of) for m, of in labels.items()}, places)


class _Blocks(Dataset[Any]):
    """Loads a block of whole inputs."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def __getitem__(self, places: Places) -> Any:
        try:
            return as_tensors(self._items.inputs.take(places))
        except FgbenchError as error:
            return _Refusal.of(error)


class _Refusal(NamedTuple):
    """An error on its way from a loading process: torch would make a traceback's text of it."""

    kind: type[FgbenchError]
    state: dict[str, Any]

    @classmethod
    def of(cls, error: FgbenchError) -> _Refusal:
        return cls(type(error), vars(error))

    def raise_it(self) -> NoReturn:
        error = self.kind.__new__(self.kind)
        vars(error).update(self.state)
        raise error


def as_tensors(taken: Any) -> Any:
    """What ``Inputs.take`` gave, an array or parts, as tensors on the CPU."""
    if isinstance(taken, Parts):
        return taken.each(as_tensors)
    return torch.from_numpy(np.ascontiguousarray(taken))
