"""One worker a host, all hosts at once: the whole takes as long as the slowest host."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from fgbench.collect.crawl.asker import Event, Watch, unwatched
from fgbench.collect.crawl.pace import Clock

T = TypeVar("T")

_FAREWELL = 2.0
"""Seconds to wait, when a run is stopped, for requests in flight; the journal can do without."""


def run_hosts(
    jobs: Mapping[str, Sequence[Callable[[], T]]], clock: Clock, watch: Watch = unwatched
) -> Iterator[T]:
    """The results of all jobs as they come, each host's in order.

    A job handles its own ``FetchFailed``; any other exception stops the run and is raised here.
    """
    results: queue.SimpleQueue[tuple[T, None] | tuple[None, BaseException] | None]
    results = queue.SimpleQueue()
    stopped = threading.Event()
    for host, queued in jobs.items():
        watch(host, Event.QUEUED, len(queued))

    def work(host: str) -> None:
        try:
            for job in jobs[host]:
                if stopped.is_set():
                    return
                results.put((job(), None))
                watch(host, Event.FINISHED, 1)
        except BaseException as error:  # raised again in the caller's thread
            results.put((None, error))
        finally:
            results.put(None)

    threads = [threading.Thread(target=work, args=(host,), daemon=True) for host in jobs]
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            result = results.get()
            if result is None:
                running -= 1
            elif result[1] is not None:
                raise result[1]
            else:
                yield result[0]
    finally:
        if running:
            stopped.set()
            clock.stop()
            for thread in threads:
                thread.join(_FAREWELL)
