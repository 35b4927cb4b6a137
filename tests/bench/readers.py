"""Readers of a board, in a process of their own: what they ask for, and how long it takes."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

PAUSE = 2.0
"""Seconds between a reader's pages, on the average: evenly from half to one and a half of it."""


@dataclass(frozen=True)
class View:
    """A page that a reader asked for: when, how long it took, and the status (0: none)."""

    at: float
    seconds: float
    status: int


@dataclass
class Readers:
    """Readers in a process of their own."""

    process: Any
    pipe: Connection
    views: list[View] = field(default_factory=list)

    @classmethod
    def start(cls, port: int, paths: Sequence[str], count: int) -> Readers:
        ours, theirs = multiprocessing.Pipe()
        arguments = (port, tuple(paths), count, theirs)
        spawn = multiprocessing.get_context("spawn")
        process = spawn.Process(target=read, args=arguments, daemon=True)
        process.start()
        ours.recv()
        return cls(process, ours)

    def stop(self) -> None:
        self.pipe.send(None)
        self.views = self.pipe.recv()
        self.process.join()

    def row(self, name: str, start: float, end: float) -> list[str]:
        found = [view for view in self.views if start <= view.at < end]
        if not found:
            return [name, "0"]
        took = np.array([1000 * view.seconds for view in found])
        bad = sum(view.status != 200 for view in found)
        shown = [f"{value:,.0f}" for value in (*np.percentile(took, (50, 99)), took.max())]
        return [name, f"{len(found):,}", f"{len(found) / (end - start):.0f}", *shown, str(bad)]


def read(port: int, paths: Sequence[str], count: int, pipe: Connection) -> None:
    """What the process of the readers does until it is told to stop."""
    views: list[View] = []

    async def go_on() -> None:
        readers = [asyncio.create_task(browse(n, port, paths, views)) for n in range(count)]
        pipe.send(None)
        await asyncio.to_thread(pipe.recv)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

    asyncio.run(go_on())
    pipe.send(views)


async def browse(number: int, port: int, paths: Sequence[str], views: list[View]) -> None:
    """One reader: the first page every other time, else any; on a connection that is kept."""
    chance = random.Random(number)
    streams = None
    await asyncio.sleep(chance.uniform(0, PAUSE))
    while True:
        path = chance.choice((paths[0], chance.choice(paths)))
        at = time.monotonic()
        try:
            if streams is None:
                streams = await asyncio.open_connection("127.0.0.1", port)
            status = await fetch(*streams, path, port)
        except (OSError, asyncio.IncompleteReadError):
            status, streams = 0, None
        views.append(View(at, time.monotonic() - at, status))
        await asyncio.sleep(chance.uniform(PAUSE / 2, PAUSE * 1.5))


async def fetch(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, port: int
) -> int:
    """The status of a page, once it is there whole."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
    return int(head.split()[1])
