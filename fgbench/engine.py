"""Where work runs: this process, this machine's cores, or a dask cluster. Nothing else knows."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from fgbench import __version__
from fgbench.cluster import compute, connect, worker_ended
from fgbench.errors import InputError

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 64
"""Items a worker drawn ahead: no worker waits for the reader, and memory is bounded."""


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

    Raises ``InputError`` for an unknown engine (FG-E002), an item that ends its worker (FG-E006)
    and what may be wrong with a cluster (``cluster.compute``); ``MissingExtra`` without dask.
    """
    if workers is not None and workers < 1:
        raise InputError("FG-E003", f"{workers} workers", fix="Ask for one or more.")
    if address := _cluster(engine):
        return _on_cluster(function, items, address)
    workers = workers or len(os.sched_getaffinity(0))
    if workers == 1:
        return map(function, items)
    return _on_cores(function, items, workers)


def check_engine(engine: str, folder: Path) -> None:
    """Find out whether an engine can work for a build in ``folder``.

    Every worker of a cluster must have this version of fgbench and find the folder's files under
    the same name. Raises as ``map_unordered`` does, and ``InputError`` (FG-E007) for the workers
    that are not so.
    """
    if not (address := _cluster(engine)):
        return
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / f".{uuid4().hex}.engine"
    token.write_text(__version__)
    try:
        with connect(address) as client:
            answers = client.run(_unfit, token, __version__, on_error="return")
    finally:
        token.unlink(missing_ok=True)
    unfit = {where: str(why) for where, why in sorted(answers.items()) if why}
    if unfit:
        raise InputError(
            "FG-E007",
            f"{len(unfit)} of {len(answers)} dask workers cannot work for this build",
            why="; ".join(f"{where}: {why}" for where, why in unfit.items()),
            fix="Give --out as an absolute path of a file system that all workers mount, and "
            f"install fgbench {__version__} where they run.",
        )


def _unfit(token: Path, version: str) -> str:
    """Why this worker cannot work for a build; empty where it can."""
    if __version__ != version:
        return f"it has fgbench {__version__}"
    try:
        return "" if token.read_text() == version else f"another folder is at {token.parent}"
    except OSError as error:
        return f"it does not see {token.parent}: {error.strerror}"


def _cluster(engine: str) -> str:
    """The address of an engine's scheduler; empty for local."""
    if engine == "local":
        return ""
    if not engine.startswith("dask://"):
        raise InputError(
            "FG-E002",
            f"there is no engine {engine!r}",
            fix="Use local, or dask://host:port of a running dask scheduler.",
        )
    return engine.removeprefix("dask://")


def _on_cores(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Block after block: joblib alone would run on while its reader waits, and keep the results."""
    from joblib import Parallel, delayed

    draw = iter(items)
    parallel = Parallel(n_jobs=workers, backend="loky", return_as="generator_unordered")
    with parallel as pool:
        while block := list(islice(draw, _AHEAD * workers)):
            outcomes = pool(delayed(_attempt)(function, item) for item in block)
            try:
                yield from map(_unwrap, outcomes)
            except BrokenProcessPool as error:
                raise worker_ended(str(error)) from error
            finally:
                with warnings.catch_warnings():  # joblib warns of work that is given up on purpose
                    warnings.filterwarnings("ignore", module="joblib", category=UserWarning)
                    outcomes.close()


def _on_cluster(function: Callable[[T], R], items: Iterable[T], address: str) -> Iterator[R]:
    with closing(compute(partial(_attempt, function), items, address, _AHEAD)) as outcomes:
        for outcome in outcomes:
            yield _unwrap(outcome)


def _unwrap(outcome: R | _Raised) -> R:
    if isinstance(outcome, _Raised):
        raise outcome.revive()
    return outcome


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
