"""The worker: takes what was handed in, one after the other, and has it scored.

It outlives the database's absence: what it found out is said as soon as somebody listens.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from fgbench.errors import Fault

from .errors import DatabaseGone, Withdrawn
from .layout import Part
from .ledger import Ledger
from .settings import Settings
from .states import Submission
from .trial import SCORER, Stopped, Trial, Verdict, warm
from .vault import Vault

_IDLE = 2.0
_AWAY = 1.0
_LOG = logging.getLogger(__name__)
T = TypeVar("T")


class Worker:
    """Scores what the ledger holds, ``limits.scorers`` at once, each from a thread of its own.

    A scorer dies with the thread that started it, so that none outlives a killed server.
    """

    def __init__(
        self, ledger: Ledger, vault: Vault, settings: Settings, command: Sequence[str] = SCORER
    ) -> None:
        self._ledger, self._vault, self._settings = ledger, vault, settings
        self._command = command
        self._stop, self._work = threading.Event(), threading.Event()
        self._claiming = threading.Lock()
        self._held: set[str] = set()
        self._unsure = False
        self._threads: list[threading.Thread] = []

    def start(self, *, warmed: bool = True) -> None:
        """Put back what a killed server was at, then begin; ``warmed``: first compile."""
        self._ledger.release()
        for number in range(self._settings.limits.scorers):
            first = warmed and not number
            thread = threading.Thread(target=self._loop, args=(first,), name=f"scorer-{number}")
            self._threads.append(thread)
            thread.start()

    def wake(self) -> None:
        """Say that something was handed in."""
        self._work.set()

    def stop(self) -> None:
        """End what is being scored, put it back, and wait for the threads."""
        self._stop.set()
        self._work.set()
        for thread in self._threads:
            thread.join()

    @property
    def alive(self) -> bool:
        """Whether all its threads run."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def _loop(self, warms: bool) -> None:
        if warms:
            warm(self._settings, self._vault.data, self._stop.is_set)
        while not self._stop.is_set():
            self._work.clear()
            try:
                found = self._claim()
            except DatabaseGone:
                self._unsure = True
                self._stop.wait(_AWAY)
                continue
            if found is None:
                self._work.wait(_IDLE)
                continue
            try:
                self._score(found)
            except Exception:  # the thread lives on, and the submission is put back or given up
                _LOG.exception("the scoring of %s broke", found.id)
                self._unsure = True
                self._stop.wait(_AWAY)
            finally:
                self._held.discard(found.id)

    def _claim(self) -> Submission | None:
        with self._claiming:
            if self._unsure:  # the ledger may have heard a claim whose answer was lost
                self._ledger.release(frozenset(self._held))
                self._vault.doubtful = True
                self._unsure = False
            if self._vault.doubtful:
                self._vault.sweep(self._ledger)
            found = self._ledger.claim()
            if found is not None:
                self._held.add(found.id)
            return found

    def _score(self, found: Submission) -> None:
        try:
            # One that was scored before a stop has its results, which the ledger was not told of.
            there = self._vault.report(found.id) is not None
            self._end(found.id, Verdict("") if there else self._try(found.id))
        except Withdrawn:
            self._vault.remove(found.id)
        except Stopped:
            self._let_go(found.id)

    def _try(self, id: str) -> Verdict:
        """Have it scored, and put the results in their place."""
        folder = self._vault.folder(id)
        if not self._complete(id):
            what = "The server has lost its files."
            fault = Fault("FG-H145", "the server", what, "both files", "withdraw, hand in again")
            return Verdict(what, (fault,))

        def stopped() -> bool:
            return self._stop.is_set() or not self._complete(id)

        trial = Trial(
            self._settings,
            folder,
            named=lambda name: self._mention(lambda: self._ledger.set_name(id, name)),
            scoring=lambda: self._mention(lambda: self._ledger.advance(id)),
        )
        with self._vault.scratch(id):
            verdict = trial.run(stopped, self._command)
            if not verdict.reason:
                self._vault.settle(id)
        return verdict

    def _end(self, id: str, verdict: Verdict) -> None:
        if verdict.reason:
            self._insist(lambda: self._ledger.fail(id, verdict.reason, verdict.faults))
            return
        summary = self._vault.report(id) or {}
        self._insist(lambda: self._ledger.advance(id))
        self._insist(lambda: self._ledger.finish(id, summary))

    def _let_go(self, id: str) -> None:
        """After a stop: put back what is still wanted."""
        try:
            self._ledger.give_back(id)
        except Withdrawn:
            self._vault.remove(id)
        except DatabaseGone:
            self._unsure = True  # the next start, or the next claim, will put it back

    def _complete(self, id: str) -> bool:
        return all((self._vault.folder(id) / part).is_file() for part in Part)

    def _mention(self, call: Callable[[], object]) -> None:
        """Say what can also go unsaid."""
        try:
            call()
        except DatabaseGone:
            self._unsure = True

    def _insist(self, call: Callable[[], T]) -> T:
        """Say it until it is heard. Raises ``Stopped`` where the server stops before."""
        while True:
            try:
                return call()
            except DatabaseGone as error:
                if self._stop.wait(_AWAY):
                    raise Stopped from error
