"""Where work runs: this process, this machine's cores, or a dask cluster. Nothing else knows."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from typing import Any, TypeVar

from fgbench.errors import InputError, MissingExtra

T = TypeVar("T")
R = TypeVar("R")

_BLOCK = 64
"""Items a worker drawn ahead: the wait at a block's end stays small, and memory bounded."""

_ANSWER = 10.0
"""Seconds in which a dask scheduler must answer."""


def map_unordered(
    function: Callable[[T], R],
    items: Iterable[T],
    *,
    engine: str = "local",
    workers: int | None = None,
) -> Iterator[R]:
    """``function`` of every item, the first finished first.

    Draws at most 64 items a worker ahead of the reader. ``engine`` is ``local`` (all cores,
    or ``workers`` of them; one runs in this process) or ``dask://host:port``. The first exception
    ends it and arrives with its own type. ``function`` must be importable by name.

    Raises ``InputError`` for an unknown engine, ``MissingExtra`` where dask is not installed.
    """
    if workers is not None and workers < 1:
        raise InputError("FG-E003", f"{workers} workers", fix="Ask for one or more.")
    if engine == "local":
        workers = workers or len(os.sched_getaffinity(0))
        if workers == 1:
            return map(function, items)
        return _parallel(function, items, "loky", workers)
    if engine.startswith("dask://"):
        return _dask(function, items, engine.removeprefix("dask://"))
    raise InputError(
        "FG-E002",
        f"there is no engine {engine!r}",
        fix="Use local, or dask://host:port of a running dask scheduler.",
    )


def _dask(function: Callable[[T], R], items: Iterable[T], address: str) -> Iterator[R]:
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise MissingExtra("distributed", "dask") from error
    try:
        client = distributed.Client(f"tcp://{address}", set_as_default=True, timeout=_ANSWER)
    except (OSError, ValueError) as error:
        raise InputError(
            "FG-E004",
            f"no dask scheduler answers at {address}",
            why=str(error),
            fix="Start one (dask scheduler; dask worker tcp://host:port), or use --engine local.",
        ) from error
    with client:
        workers = max(1, sum(client.nthreads().values()))
        yield from _parallel(function, items, "dask", workers)


def _parallel(
    function: Callable[[T], R], items: Iterable[T], backend: str, workers: int
) -> Iterator[R]:
    """Block after block: joblib alone would run on while its reader waits, and keep the results."""
    from joblib import Parallel, delayed, parallel_config

    draw = iter(items)
    with parallel_config(backend=backend, n_jobs=workers):  # left before the reader's code runs
        parallel = Parallel(return_as="generator_unordered")
    with parallel as pool:
        while block := list(islice(draw, _BLOCK * workers)):
            outcomes = pool(delayed(_attempt)(function, item) for item in block)
            try:
                for outcome in outcomes:
                    if isinstance(outcome, _Raised):
                        raise outcome.revive()
                    yield outcome
            finally:
                with warnings.catch_warnings():  # joblib warns of work that is given up on purpose
                    warnings.filterwarnings("ignore", module="joblib", category=UserWarning)
                    outcomes.close()


def _attempt(function: Callable[[T], R], item: T) -> R | _Raised:
    try:
        return function(item)
    except Exception as error:  # carried to the caller, who raises it
        return _Raised(
            type(error), error.args, error.__dict__, "".join(traceback.format_exception(error))
        )


@dataclass(frozen=True, slots=True)
class _Raised:
    """An exception on its way between processes.

    Unpickling calls ``type(*args)``, which fails for a class whose ``__init__`` takes anything
    else, and a failed unpickling takes the whole pool with it.
    """

    type: type[Exception]
    args: tuple[Any, ...]
    state: dict[str, Any]
    trace: str

    def revive(self) -> Exception:
        error = self.type.__new__(self.type, *self.args)
        error.__dict__.update(self.state)
        error.add_note(f"In a worker:\n{self.trace}")
        return error
