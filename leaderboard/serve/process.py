"""A command in a process group of its own, watched, bounded in time and output, and ended whole."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

MAX_OUTPUT = 16 << 20
_TICK = 0.2
_KEPT = ("PATH", "HOME", "PYTHONPATH", "NUMBA_CACHE_DIR", "FGBENCH_CACHE")
_TETHER = f"""
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, {int(signal.SIGKILL)})  # PR_SET_PDEATHSIG of prctl(2)
if os.getppid() != int(sys.argv[1]):  # it was gone before we asked
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""What a child begins as, before it is the command: bound to the life of the thread that started
it, since what outlives a killed server would write into the folder of the next."""


class End(StrEnum):
    """Why a process is no more."""

    ITSELF = "itself"
    TIME = "time"
    OUTPUT = "output"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended; ``code`` is its exit code, or minus the signal that ended it."""

    end: End
    code: int


def run(
    command: Sequence[str],
    folder: Path,
    *,
    seconds: float,
    environment: Mapping[str, str],
    line: Callable[[bytes], None],
    stopped: Callable[[], bool],
    merged: bool = False,
) -> Ended:
    """Run a command in a folder, telling each line of its stdout, until it or its time ends.

    ``merged``: of its stderr as well, which else goes nowhere.

    Of our environment it sees a few names alone: no password of a database. It dies with us, and
    whatever it has started ends with it.
    """
    tether = (sys.executable, "-I", "-S", "-c", _TETHER, str(os.getpid()))
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    process = subprocess.Popen(  # noqa: S603  a list, from this package
        (*tether, *command),
        cwd=folder,
        env={**kept, "LC_ALL": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merged else subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
    )
    try:
        end = _watch(process, time.monotonic() + seconds, line, stopped)
    finally:
        # Before it is waited for: until then its number is nobody else's.
        os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        if process.stdout:
            process.stdout.close()
    return Ended(end, code)


def _watch(
    process: subprocess.Popen[bytes],
    deadline: float,
    line: Callable[[bytes], None],
    stopped: Callable[[], bool],
) -> End:
    held, total = b"", 0
    for data in _read(process):
        total += len(data)
        if total > MAX_OUTPUT:
            return End.OUTPUT
        *whole, held = (held + data).split(b"\n")
        for text in whole:
            line(text)
        if time.monotonic() > deadline:
            return End.TIME
        if stopped():
            return End.STOPPED
    return End.ITSELF


def _read(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """What it prints, and nothing now and then, until it has ended and all is read."""
    gone = os.WEXITED | os.WNOHANG | os.WNOWAIT
    with selectors.DefaultSelector() as selector:
        assert process.stdout is not None  # noqa: S101
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            ended = os.waitid(os.P_PID, process.pid, gone) is not None
            ready = selector.select(0 if ended else _TICK)
            data = os.read(process.stdout.fileno(), 1 << 16) if ready else b""
            if ready and not data:
                selector.unregister(process.stdout)
            if ended and not data:
                return
            yield data
