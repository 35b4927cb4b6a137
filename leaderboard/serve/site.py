"""The static board: the files of the site that was built last, and nothing beside them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .conditional import answer
from .refusals import Code, Refused

INDEX = "index.html"
MAX_KEPT = 1 << 26
"""Bytes of one site that are kept in memory; a board of 50 methods has about 10 MB."""
TYPES = {
    ".bib": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
    ".tex": "text/plain; charset=utf-8",
    ".xml": "application/atom+xml; charset=utf-8",
}
"""What a board's files are; others are not served."""


@dataclass(frozen=True, slots=True)
class File:
    """A file's bytes, their type and their tag."""

    content: bytes
    kind: str
    tag: str

    def answer(self, request: Request) -> Response:
        """The file, or that the reader's copy of it is good."""
        headers = {"cache-control": "no-cache", "content-type": self.kind}
        return answer(request, self.content, self.tag, headers)


class Site:
    """Answers with the files under ``link``, a link that a new site swaps.

    ``own`` are the package's files by name, under /static/: there whether a site is or not.
    """

    def __init__(self, link: Path, own: tuple[str, ...]) -> None:
        self._link = link
        self._root: Path | None = None
        self._kept: dict[Path, File] = {}
        self._room = MAX_KEPT
        folder = resources.files("fgbench.leaderboard") / "static"
        self._own = {
            f"static/{name}": _file((folder / name).read_bytes(), Path(name).suffix) for name in own
        }

    def respond(self, request: Request) -> Response:
        """The file that a path names; raises ``Refused`` (FG-H152, FG-H165)."""
        path = str(request.scope["path"]).removeprefix("/")
        if path in self._own:
            return self._own[path].answer(request)
        parts = path.split("/")
        if parts[-1] == "":
            parts[-1] = INDEX
        if any(part == "" or part.startswith(".") for part in parts):
            raise _nothing()
        root = self._current()
        if root is None:
            raise Refused(Code.NO_SITE, "the board is not built yet", headers={"retry-after": "5"})
        target = root.joinpath(*parts)
        if (file := self._read(root, target)) is not None:
            return file.answer(request)
        if self._read(root, target / INDEX) is not None:
            return RedirectResponse(f"/{path}/", 308)
        raise _nothing()

    def has(self, path: str) -> bool:
        """Whether the site has this file."""
        root = self._current()
        return root is not None and self._read(root, root / path) is not None

    def _current(self) -> Path | None:
        try:
            root = self._link.resolve(strict=True)
        except (OSError, RuntimeError):
            return None
        if root != self._root:
            self._root, self._kept, self._room = root, {}, MAX_KEPT
        return root

    def _read(self, root: Path, target: Path) -> File | None:
        """A site never changes once it is linked, so what was read stays true."""
        if target in self._kept:
            return self._kept[target]
        try:
            if target.suffix not in TYPES or target.resolve(strict=True) != target:
                return None  # a link on the way, whereto does not matter
            file = _file(target.read_bytes(), target.suffix)
        except (OSError, RuntimeError, ValueError):  # none, a folder, too long
            return None
        if len(file.content) <= self._room and root == self._root:
            self._kept[target] = file
            self._room -= len(file.content)
        return file


def _file(content: bytes, suffix: str) -> File:
    digest = hashlib.sha256(content).hexdigest()[:32]
    return File(content, TYPES[suffix], f'"{digest}"')


def _nothing() -> Refused:
    return Refused(Code.NOTHING, "there is nothing here")
