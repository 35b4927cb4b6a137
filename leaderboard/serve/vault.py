"""The vault: the data folder, where uploads come in and lie with their results.

An upload lies in ``incoming/`` until it is whole, then in ``submissions/`` under its id, moved by
one rename; results come beside it the same way. What the ledger does not know is swept out.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from fgbench.collect.crawl.lock import acquire
from fgbench.errors import InputError

from .disk import create, sync_folder, writing
from .errors import DatabaseGone
from .incoming import Incoming
from .layout import REPORT, RESULT, SCRATCH
from .ledger import Ledger
from .settings import Limits
from .states import Submission, Team

_PATIENCE = 2.0
"""Seconds that another server is given to let go of the folder."""


class Vault:
    """One data folder, of one server at a time."""

    def __init__(self, data: Path, limits: Limits, lock: int) -> None:
        self.data, self.limits = data, limits
        self.doubtful = False
        """Whether the ledger may know otherwise of some files: its answer was lost."""
        self._lock = lock
        self._incoming, self._submissions = data / "incoming", data / "submissions"
        self._moving: set[str] = set()
        self._guard = threading.Lock()

    @classmethod
    def open(cls, data: Path, limits: Limits | None = None) -> Self:
        """Make the folder where there is none, take it, and delete what was under way in it.

        Raises ``InputError`` where it cannot be used (FG-H100) or another server has it (FG-H101).
        """
        make_folder(data)
        try:
            vault = cls(data, limits or Limits(), _lock(data))
            shutil.rmtree(vault._incoming, ignore_errors=True)
            for folder in (vault._incoming, vault._submissions):
                folder.mkdir(exist_ok=True, mode=0o700)
            for scratch in vault._submissions.glob(f"*/{SCRATCH}"):
                shutil.rmtree(scratch, ignore_errors=True)
        except OSError as error:
            raise _unusable(data, error) from error
        return vault

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let another server have the folder."""
        os.close(self._lock)

    def join(self, ledger: Ledger) -> None:
        """Make this the folder of a ledger, and delete what that does not know.

        Raises ``InputError`` (FG-H103) for the ledger of another folder.
        """
        mark = self.data / "identity"
        if not mark.is_file():
            part = mark.with_name(".identity.part")
            part.unlink(missing_ok=True)
            with os.fdopen(create(part), "w") as file:
                file.write(secrets.token_hex(16))
                file.flush()
                os.fsync(file.fileno())
            part.rename(mark)
            sync_folder(self.data)
        fresh = not any(self._submissions.iterdir())
        ledger.bind(mark.read_text("ascii"), fresh=fresh)
        self.sweep(ledger)

    @contextmanager
    def start(self) -> Iterator[Incoming]:
        """Begin an upload; what is not kept at the end is deleted. Raises ``DiskFull``."""
        folder = self._incoming / secrets.token_hex(8)
        with writing():
            folder.mkdir(mode=0o700)
        incoming = Incoming(folder, self.limits)
        try:
            yield incoming
        finally:
            incoming.discard()

    def keep(self, incoming: Incoming, team: Team, ledger: Ledger) -> tuple[Submission, bool]:
        """Accept an upload: on the disk first, then in the ledger, and only then say so.

        Returns the submission, and whether it is new; else it is the one that this upload repeats.
        Raises ``Incomplete``, ``DiskFull``, ``QuotaExceeded`` or ``DatabaseGone``.
        """
        id = incoming.folder.name
        incoming.seal()
        with self._guard:
            self._moving.add(id)
        try:
            try:
                with writing():
                    incoming.folder.rename(self.folder(id))
                    sync_folder(self._submissions)
                found, new = ledger.accept(team, id, incoming.sha256, incoming.size)
            except DatabaseGone:
                self.doubtful = True  # it may have been entered all the same: the sweep will know
                raise
            except BaseException:
                self.remove(id)
                raise
            if not new:
                self.remove(id)
            return found, new
        finally:
            with self._guard:
                self._moving.discard(id)

    def sweep(self, ledger: Ledger) -> None:
        """Delete the files of what the ledger does not know, or knows to be withdrawn."""
        self.doubtful = False
        there = [path.name for path in self._submissions.iterdir()]
        # In this order: what is not being moved by now was entered before the ledger is asked.
        with self._guard:
            moving = set(self._moving)
        known = {found.id for found in ledger.live()}
        for id in there:
            if id not in moving and id not in known:
                self.remove(id)

    def folder(self, id: str) -> Path:
        """Where a submission and its results lie."""
        return self._submissions / id

    def remove(self, id: str) -> None:
        """Delete the files of a submission."""
        shutil.rmtree(self.folder(id), ignore_errors=True)

    def result(self, id: str, name: str) -> Path | None:
        """A file of a submission's entry, as ``record.json``; None where there is none."""
        return next((self.folder(id) / RESULT).glob(f"*/*/{name}"), None)

    def report(self, id: str) -> dict[str, Any] | None:
        """What a scoring came to; None before its results are in their place."""
        path = self.folder(id) / RESULT / REPORT
        if not path.is_file():
            return None
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found

    @contextmanager
    def scratch(self, id: str) -> Iterator[Path]:
        """An empty folder for a scoring; its ``result`` is to be settled, the rest is deleted."""
        folder = self.folder(id) / SCRATCH
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def settle(self, id: str) -> None:
        """Put what a scoring wrote into its place, whole."""
        made, place = self.folder(id) / SCRATCH / RESULT, self.folder(id) / RESULT
        for folder in (*(path for path in made.rglob("*") if path.is_dir()), made):
            sync_folder(folder)
        made.rename(place)
        sync_folder(place.parent)


def make_folder(data: Path) -> None:
    """Make the data folder where there is none, for its owner alone. Raises FG-H100."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise _unusable(data, error) from error


def _lock(data: Path) -> int:
    """Lock the folder; what a killed server had just started may hold it a moment more."""

    def refuse(holder: str) -> InputError:
        return InputError(
            "FG-H101",
            f"another server has {data} ({holder})",
            why="Two servers would score everything twice.",
            fix="Stop the other one, or name another --data.",
        )

    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return acquire(data / "lock", refuse)
        except InputError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _unusable(data: Path, error: OSError) -> InputError:
    return InputError(
        "FG-H100",
        f"{data} cannot be used: {error.strerror}",
        why="There is nowhere to keep submissions.",
        fix="Name another --data, or see to its permissions.",
    )
