"""What is published, and the board that shows it: derived from the ledger, made again at will."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from fgbench.errors import FaultyInput
from fgbench.scoring.run import PER_QUERY, RECORD

from ..names import Named, clash_faults
from ..verification import VERIFIED, Verification, read_verified
from .errors import DatabaseGone
from .ledger import Ledger
from .process import End, run
from .settings import Settings
from .states import Submission, Team, Visibility
from .vault import Vault

BUILD = (sys.executable, "-P", "-m", "fgbench", "leaderboard", "build", "--hosted")
_AGAIN = 60.0
_SECONDS = 1800
_SHOWN = 4000
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """Whether a board is being built, and what keeps the last one from being shown."""

    building: bool
    problem: str


class Publication:
    """Publishes and takes back, and keeps ``site`` in the data folder equal to the ledger.

    ``verified.yaml`` in the data folder is the host's: its badges go to what is published.
    """

    def __init__(
        self, ledger: Ledger, vault: Vault, settings: Settings, command: Sequence[str] = BUILD
    ) -> None:
        self._ledger, self._vault, self._settings = ledger, vault, settings
        self._command, self._data = command, vault.data
        self._deciding, self._syncing = threading.Lock(), threading.Lock()
        self._asked, self._stop = threading.Event(), threading.Event()
        self._built: object = None
        self._status = Status(building=False, problem="")
        self._thread = threading.Thread(target=self._loop, name="publication")

    def start(self) -> None:
        """Build the board now and after every change, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End what is being built."""
        self._stop.set()
        self._asked.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def status(self) -> Status:
        return self._status

    def decide(self, admin: Team, id: str, published: bool, reason: str = "") -> Submission:
        """As the ledger's ``decide``; what is published must have a name of its own.

        Raises ``FaultyInput`` where a published one has the name, one like it, or the vectors.
        """
        with self._deciding:
            found = self._ledger.find(admin, id)
            if published and found and found.visibility is Visibility.REQUESTED:
                others = map(_named, self._ledger.published())
                if faults := [f for other in others for f in clash_faults(_named(found), other)]:
                    raise FaultyInput("It cannot be published", faults)
            try:
                return self._ledger.decide(admin, id, published, reason)
            finally:
                self._asked.set()

    def withdraw(self, team: Team, id: str) -> Submission:
        """As the ledger's ``withdraw``; its files are deleted, and the board is built without."""
        try:
            found = self._ledger.withdraw(team, id)
            self._vault.remove(id)
            return found
        except DatabaseGone:
            self._vault.doubtful = True
            raise
        finally:
            self._asked.set()

    def sync(self) -> None:
        """Build the board of what is published, if it is not the one that is shown.

        Where that fails the old one stays, and ``status`` says why.
        """
        with self._syncing:
            shown = sorted(self._ledger.published(), key=lambda found: found.id)
            badges, faults = read_verified(self._data / VERIFIED)
            wanted = ([found.id for found in shown], badges, faults)
            if wanted == self._built:
                return
            self._status = Status(building=True, problem=self._status.problem)
            problem = "an error of the server's own; its log has more"
            try:
                self._fill(shown, badges)
                problem = self._build()
            except OSError as error:
                problem = f"The board could not be written: {error.strerror}."
            finally:
                if not problem:
                    self._built = wanted
                    problem = "\n\n".join(map(str, faults))
                self._status = Status(building=False, problem=problem)

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._asked.clear()
            try:
                self.sync()
            except DatabaseGone:
                self._stop.wait(1.0)
                self._asked.set()
            except Exception:  # the thread lives on; the status says that it went wrong
                _LOG.exception("the board could not be built")
            self._asked.wait(_AGAIN)

    def _fill(self, shown: Sequence[Submission], badges: Mapping[str, Verification]) -> None:
        """Make ``results/`` the store of what is published."""
        part, results = self._data / ".results.part", self._data / "results"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        told = {}
        for found in shown:
            entry = part / found.summary["place"]
            entry.mkdir(parents=True)
            for name in (RECORD, PER_QUERY):
                source = self._vault.result(found.id, name)
                if source is None:
                    raise FileNotFoundError(errno.ENOENT, f"{found.id} has no {name}")
                os.link(source, entry / name)
            digest = hashlib.sha256((entry / RECORD).read_bytes()).hexdigest()
            if badge := badges.get(digest):
                told[digest] = {"status": badge.status.value, "command": badge.command}
        if told:
            (part / VERIFIED).write_text(yaml.safe_dump(told, allow_unicode=True), "utf-8")
        shutil.rmtree(results, ignore_errors=True)
        part.rename(results)

    def _build(self) -> str:
        """Build a site and show it in place of the old one; or say why not."""
        sites, link = self._data / "sites", self._data / "site"
        sites.mkdir(exist_ok=True, mode=0o700)
        old = link.readlink().name if link.is_symlink() else ""
        new = str(1 + max((int(p.name) for p in sites.iterdir() if p.name.isdigit()), default=0))
        options = ["--results", "results", "--benchmark", self._settings.source]
        if self._settings.split_column:
            options += ["--split-column", self._settings.split_column]
        said: list[str] = []
        ended = run(
            (*self._command, *options, "--out", f"sites/{new}"),
            self._data,
            seconds=_SECONDS,
            environment={},
            line=lambda line: said.append(line.decode("utf-8", "replace")),
            stopped=self._stop.is_set,
            merged=True,
        )
        if ended.end is not End.ITSELF or ended.code:
            shutil.rmtree(sites / new, ignore_errors=True)
            return "\n".join(said).strip()[:_SHOWN] or f"The build ended with {ended.code}."
        part = self._data / ".site.part"
        part.unlink(missing_ok=True)
        part.symlink_to(f"sites/{new}")
        part.replace(link)
        for path in sites.iterdir():  # a reader may still be among the old one's pages
            if path.name not in (old, new):
                shutil.rmtree(path, ignore_errors=True)
        return ""


def _named(found: Submission) -> Named:
    where = f"{found.id} of {found.team}"
    return Named(where, found.summary["method"], found.summary["submission"])
