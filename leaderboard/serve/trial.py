"""One scoring, seen from outside: started, watched, and what came of it in words for its team."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import fgbench
from fgbench.errors import Fault

from .errors import show_size
from .layout import SCRATCH
from .process import End, Ended, run
from .scorer import MAX_TEXT, Job, Said
from .settings import Limits, Settings

SCORER = (sys.executable, "-P", "-m", "fgbench.leaderboard.serve.scorer")
SAMPLE = (sys.executable, "-P", "-m", "fgbench", "score", "--sample", "--json")
ELSEWHERE = "score it yourself: fgbench score submission.npz --card card.yaml"
_LOG = logging.getLogger(__name__)
_CODE = Path(fgbench.__file__).parent / "scoring"
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS")


class Stopped(Exception):
    """The scoring was stopped from here; nothing came of it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a scoring: ``reason`` is empty where the results are there."""

    reason: str
    faults: tuple[Fault, ...] = ()


@dataclass(slots=True)
class Trial:
    """A scoring under way. ``named`` and ``scoring`` are told once each, as the scorer says so."""

    settings: Settings
    folder: Path
    named: Callable[[str], None]
    scoring: Callable[[], None]
    _last: dict[str, Any] = field(default_factory=dict)

    def run(self, stopped: Callable[[], bool], command: Sequence[str] = SCORER) -> Verdict:
        """Score what lies in the folder. Raises ``Stopped`` where ``stopped`` says so meanwhile."""
        limits = self.settings.limits
        threads = _threads(limits)
        job = Job(
            benchmark=self.settings.source,
            split_column=self.settings.split_column,
            memory=limits.memory,
            cpu=limits.seconds * threads,
            file=limits.file,
            files=limits.files,
        )
        ended = run(
            (*command, json.dumps(asdict(job))),
            self.folder,
            seconds=limits.seconds,
            environment=_environment(self.settings, self.folder / SCRATCH),
            line=self._hear,
            stopped=stopped,
        )
        if ended.end is End.STOPPED:
            raise Stopped
        return self._judge(ended)

    def _hear(self, line: bytes) -> None:
        try:
            self._last = json.loads(line)
            said = Said(self._last["said"])
        except (ValueError, KeyError, TypeError, RecursionError):
            self._last = {}  # nothing that the scorer says
            return
        if said is Said.CHECKING and (name := self._last.get("name")):
            self.named(str(name))
        if said is Said.SCORING:
            self.scoring()

    def _judge(self, ended: Ended) -> Verdict:
        limits, said = self.settings.limits, self._last.get("said")
        if ended.end is End.TIME or ended.code == -signal.SIGXCPU:
            most = f"{limits.seconds} seconds"
            return _beyond("FG-H141", f"Scoring took longer than {most}.", f"at most {most}")
        if ended.end is End.ITSELF and ended.code == 0 and said == Said.DONE:
            return Verdict("")
        if ended.end is End.ITSELF and said == Said.FAULTY:
            faults = tuple(Fault(**fault) for fault in self._last["faults"])
            count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
            return Verdict(f"{count} in what was handed in.", faults)
        if said == Said.MEMORY:
            most = show_size(limits.memory)
            return _beyond("FG-H140", "Scoring ran out of memory.", f"at most {most}")
        if said == Said.FILE:
            most = show_size(limits.file)
            what = f"Scoring unpacked or wrote more than {most}, or than the disk holds."
            return _beyond("FG-H142", what, f"files of at most {most}")
        if ended.code < 0 and ended.end is End.ITSELF:
            name = signal.Signals(-ended.code).name
            what = f"The scorer was ended by {name}, as when memory runs out."
            return _beyond("FG-H143", what, f"at most {show_size(limits.memory)} of memory")
        _LOG.error(
            "a scorer failed: %s, exit code %d, %s",
            ended.end,
            ended.code,
            str(self._last.get("error", "without a word"))[:MAX_TEXT],
        )
        what, fix = "Our failure, not yours: the scorer broke.", "withdraw it, and hand it in again"
        return Verdict(what, (Fault("FG-H144", "scoring", what, "a result or a fault", fix),))


def warm(settings: Settings, folder: Path, stopped: Callable[[], bool]) -> None:
    """Score the sample that is shipped, so that no submission waits for the compiler."""
    limits = settings.limits
    ended = run(
        SAMPLE,
        folder,
        seconds=limits.seconds,
        environment=_environment(settings, folder),
        line=lambda line: None,
        stopped=stopped,
    )
    if ended.end is not End.STOPPED and ended.code:
        _LOG.warning("the sample could not be scored: %s, exit code %d", ended.end, ended.code)


def _beyond(code: str, what: str, most: str) -> Verdict:
    return Verdict(what, (Fault(code, "scoring", what, most, ELSEWHERE),))


def _threads(limits: Limits) -> int:
    return max(1, (os.cpu_count() or 1) // limits.scorers)


def _environment(settings: Settings, temporary: Path) -> dict[str, str]:
    names = dict.fromkeys(_THREADS, str(_threads(settings.limits)))
    names["TMPDIR"] = str(temporary.absolute())
    # What is compiled is kept beside the code, or where we may write: a server may have no home.
    if "NUMBA_CACHE_DIR" not in os.environ and not os.access(_CODE, os.W_OK):
        names["NUMBA_CACHE_DIR"] = str(settings.data.absolute() / "cache")
    return names
