"""How a page comes about: its template, filled in and escaped, and what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from fgbench import __version__
from fgbench.dataset.rendering import address, count, open_templates
from fgbench.protocol import PROTOCOL_VERSION, Medium, Task
from fgbench.published import Note, digits
from fgbench.record import Status

from .board import Board, Rules
from .exports import Table
from .tables import say

if TYPE_CHECKING:
    from jinja2 import Environment

LABELS: Mapping[Rules, str] = {
    Rules.SOUND: "Scored entries",
    Rules.INCLUDED: "Scored entries, query in its own gallery",
    Rules.PAPER: "Printed in papers",
}
STATUSES: Mapping[Status, str] = {
    Status.VERIFIED: "The board's maintainers scored the submission again from its vectors.",
    Status.REPRODUCED: "The board's maintainers trained it again, and scored that.",
    Status.SELF_REPORTED: "Scored by those who handed it in; means and intervals counted again.",
    Status.FROM_PAPER: "As a paper prints it: no values by query, no interval, no rank.",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the site: its path, its text, the same as a JSON document, and its tables."""

    path: str
    html: str
    document: Mapping[str, Any]
    tables: tuple[Table, ...] = ()

    @property
    def twin(self) -> str:
        return twin_path(self.path)


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of one board. ``hosted``: beside it, under ``team/``, teams hand in."""

    board: Board
    hosted: bool = False
    environment: Environment = field(init=False)

    def __post_init__(self) -> None:
        environment = open_templates("fgbench.leaderboard", html=True)
        environment.filters |= {"map": digits, "interval": _interval, "sortable": _sortable}
        environment.filters |= {"address": address, "count": count, "say": say}
        environment.globals |= {
            "board": self.board,
            "hosted": self.hosted,
            "benchmark": self.board.benchmark,
            "title": self.board.benchmark.title,
            "titles": measure_titles(self.board),
            "labels": LABELS,
            "statuses_said": STATUSES,
            "default": self.board.default.rules,
            "protocol": PROTOCOL_VERSION,
            "version": __version__,
            "task_of": _task_of,
        }
        object.__setattr__(self, "environment", environment)

    def render(self, template: str, path: str, **values: Any) -> str:
        """A page at a path of the site, from its root; ``root`` leads back there."""
        root = "../" * (len(PurePosixPath(path).parts) - 1)
        found = self.environment.get_template(template)
        # Imported macros see the globals alone.
        return found.render(root=root, twin=twin_path(path), **values)


def twin_path(path: str) -> str:
    """Where the JSON document of a page lies."""
    return "api/" + str(PurePosixPath(path).with_suffix(".json"))


def measure_titles(board: Board) -> dict[str, str]:
    """The names for people of tasks and means."""
    tasks = {task.code: task.title for task in board.benchmark.tasks}
    return {**tasks, "bimodal": "Bi-modal mean", "multimodal": "X→All mean"}


def letter(notes: tuple[Note, ...]) -> dict[str, str]:
    """The mark of each note, by its key: a, b, c …"""
    return {note.key: chr(ord("a") + i) for i, note in enumerate(notes)}


def _sortable(value: float) -> str:
    """What a browser sorts by: two digits more than are printed."""
    return f"{value:.5f}".removeprefix("0")


def _interval(bounds: tuple[float, float]) -> str:
    return f"[{digits(bounds[0])} {digits(bounds[1])}]"


def _task_of(query: Medium, gallery: Medium | None) -> Task:
    return Task(query, gallery)
