"""How far a build is: bars for hosts and steps on a terminal, plain lines elsewhere. On stderr."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from fgbench.collect.crawl.asker import Event

PAUSE = 10.0
"""Seconds between two lines about a host where there is no terminal."""
LONG = 1.0
"""A wait of fewer seconds is not worth a word."""


@dataclass(slots=True)
class _Host:
    jobs: int = 0
    done: int = 0
    asked: int = 0
    replayed: int = 0
    told: float = 0.0

    @property
    def finished(self) -> bool:
        return self.done == self.jobs > 0

    def __str__(self) -> str:
        return f"{self.asked:,} asked, {self.replayed:,} from the store"


class BuildProgress:
    """A ``collect.progress.Progress`` for the command line; use it in its own ``with``."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._hosts: dict[str, _Host] = {}
        self._lock = threading.Lock()
        self._bars: Progress | None = None
        self._rows: dict[str, TaskID] = {}
        self._step = ""
        if console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[part]}"),
            )
            note = TextColumn("[dim]{task.fields[note]}")
            self._bars = Progress(*columns, note, console=console, transient=True)

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars:
            self._bars.stop()

    def step(self, name: str) -> None:
        with self._lock:
            self._hosts, self._step = {}, name
            if self._bars is None:
                click.echo(f"· {name}", err=True)
                return
            for row in self._rows.values():
                self._bars.remove_task(row)
            self._rows = {}
            self._show(name, 0, 0, "")

    def advance(self, done: int, total: int) -> None:
        with self._lock:
            if self._bars:
                self._show(self._step, done, total, "answers")

    def watch(self, host: str, event: Event, figure: float) -> None:
        with self._lock:
            state = self._hosts.setdefault(host, _Host())
            if state.finished and event is not Event.QUEUED:
                return  # its answers are read now
            match event:
                case Event.QUEUED:
                    state.jobs += int(figure)
                case Event.FINISHED:
                    state.done += 1
                case Event.ASKED:
                    state.asked += 1
                case Event.REPLAYED:
                    state.replayed += 1
            waits = f", waits {figure:.0f} s" if event is Event.WAITING and figure >= LONG else ""
            if self._bars:
                every = self._hosts.values()
                self._show(self._step, sum(h.done for h in every), sum(h.jobs for h in every), "")
                self._show(host, state.done, state.jobs, f"{state}{waits}")
            else:
                self._tell(host, state, waits)

    def _show(self, name: str, done: int, total: int, note: str) -> None:
        """A row; without a total its bar only moves."""
        if self._bars is None:
            return
        part = f"{done:,}/{total:,}" if total else ""
        if name not in self._rows:
            self._rows[name] = self._bars.add_task(name, total=None, part=part, note=note)
        row = self._rows[name]
        self._bars.update(row, completed=done, total=total or None, part=part, note=note)

    def _tell(self, host: str, state: _Host, waits: str) -> None:
        """A line when a host is done, and one now and then before."""
        now = time.monotonic()
        state.told = state.told or now
        if state.finished or now - state.told > PAUSE:
            state.told = now
            done = f"{state.done:,} of {state.jobs:,}, " if state.jobs else ""
            click.echo(f"  {host}: {done}{state}{waits}", err=True)
