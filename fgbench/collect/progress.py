"""What a build tells whoever shows how far it is."""

from __future__ import annotations

from typing import Protocol

from fgbench.collect.crawl.asker import Event


class Progress(Protocol):
    """Shows how far a build is; told from several threads."""

    def step(self, name: str) -> None:
        """A step of the build begins."""

    def advance(self, done: int, total: int) -> None:
        """So many pages of the step are done."""

    def watch(self, host: str, event: Event, figure: float) -> None:
        """Something happens at a host (``crawl.asker.Watch``)."""


class Silence:
    """A ``Progress`` that shows nothing."""

    def step(self, name: str) -> None: ...

    def advance(self, done: int, total: int) -> None: ...

    def watch(self, host: str, event: Event, figure: float) -> None: ...
