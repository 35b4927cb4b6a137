"""Work on a dask cluster, and what can go wrong with one: told within seconds, never waited for.

Not by joblib's dask backend, which waits for ever for a task that its workers did not survive.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from fgbench.errors import InputError, MissingExtra

T = TypeVar("T")
R = TypeVar("R")

_ANSWER = 10.0
"""Seconds in which a scheduler must answer, and have a worker."""

_RESTART = 20.0
"""Seconds without any worker: a nanny starts one anew within a few."""

_FAREWELL = 3.0

_LOOK = 1.0
"""Seconds without a result after which the cluster is looked at."""

_AGAIN = "Run the same command again: it goes on from here. Or use --engine local."


def compute(
    function: Callable[[T], R], items: Iterable[T], address: str, ahead: int
) -> Generator[R]:
    """``function`` of every item, the first finished first; ``ahead`` items a worker are drawn.

    A worker that ends has its items done by another. Raises ``InputError`` for a cluster that does
    not answer (FG-E004) or is gone (FG-E005), and for an item that ends every worker (FG-E006).
    ``function`` must not raise.
    """
    draw = iter(items)
    with connect(address) as client:
        width = ahead * sum(client.nthreads().values())
        done: SimpleQueue[Any] = SimpleQueue()
        running: set[Any] = set()
        while True:
            for item in islice(draw, width - len(running)):
                running.add(future := client.submit(function, item, pure=False))
                future.add_done_callback(done.put)
            if not running:
                return
            finished = _finished(done, client)
            running.difference_update(finished)
            yield from _gather(finished, client)


@contextmanager
def connect(address: str) -> Iterator[Any]:
    """A client of the cluster, which answers and has a worker (or ``InputError``, FG-E004)."""
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise MissingExtra("distributed", "dask") from error
    start = "Start one (dask scheduler; dask worker tcp://host:port), or use --engine local."
    try:
        client = distributed.Client(f"tcp://{address}", set_as_default=False, timeout=_ANSWER)
    except (OSError, ValueError) as error:
        what = f"no dask scheduler answers at {address}"
        raise InputError("FG-E004", what, why=str(error), fix=start) from error
    with _quiet("distributed.client", "tornado.application"):
        try:
            _wait_for_worker(client, f"the dask scheduler at {address} has no worker", start)
            yield client
        finally:
            with suppress(TimeoutError):  # where its scheduler is gone, it waits for another
                client.close(timeout=_FAREWELL)


def _wait_for_worker(client: Any, what: str, fix: str) -> None:
    try:
        client.wait_for_workers(1, timeout=_ANSWER)
    except TimeoutError as error:
        raise InputError("FG-E004", what, fix=fix) from error


@contextmanager
def _quiet(*names: str) -> Iterator[None]:
    """Keep loggers silent: dask logs, with tracebacks, what is told here in an error."""
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was


def _finished(done: SimpleQueue[Any], client: Any) -> list[Any]:
    """The futures that are done by now, once one is."""
    seen = time.monotonic()
    while True:
        try:
            return [done.get(timeout=_LOOK), *(done.get() for _ in range(done.qsize()))]
        except Empty:
            seen = _look(client, seen)


def _gather(futures: list[Any], client: Any) -> list[Any]:
    """What done futures came to. It lies with workers: where one went, dask makes it again."""
    seen = time.monotonic()
    while True:
        _check(futures)
        try:
            outcomes: list[Any] = client.sync(
                client.gather, futures, errors="skip", callback_timeout=_ANSWER
            )
        except OSError:  # closed, or too late
            seen = _look(client, seen)
            continue
        _check(futures)
        return outcomes


def _check(futures: list[Any]) -> None:
    for future in futures:
        if future.status == "error":  # by dask: the function does not raise
            raise worker_ended(str(future.exception()))
        if future.status == "cancelled":
            raise _gone("the scheduler went away")


def _look(client: Any, seen: float) -> float:
    """When the cluster last had a worker, as far as ``seen`` or now.

    Raises ``InputError`` (FG-E005) where its scheduler, or every worker for long, is gone.
    """
    try:
        if client.status != "running":
            raise OSError(f"the connection is {client.status}")
        seen = time.monotonic() if client.nthreads() else seen
    except OSError as error:
        raise _gone(str(error)) from error
    if time.monotonic() - seen > _RESTART:
        raise _gone("no worker is left")
    return seen


def _gone(why: str) -> InputError:
    return InputError("FG-E005", "the dask cluster went away", why=why, fix=_AGAIN)


def worker_ended(why: str) -> InputError:
    """The error (FG-E006) of work that no worker survived."""
    return InputError(
        "FG-E006",
        "a worker ended in the middle of its work",
        why=why,
        fix=f"Most often its memory was exhausted: give it more, or less to do. {_AGAIN}",
    )
