"""A command that is watched: its end is told, and it does not outlive who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fgbench.leaderboard.serve.process import End, Ended, run

HANG = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(60)"
SERVER = """
import sys
from pathlib import Path
from fgbench.leaderboard.serve.process import run
never = dict(line=print, stopped=lambda: False)
run(sys.argv[1:], Path("."), seconds=60, environment={}, **never)
"""


def call(folder, code, seconds=30.0, stopped=lambda: False):
    """How code ended, and the lines that it said."""
    said = []
    command = (sys.executable, "-c", code)
    watched = {"line": said.append, "stopped": stopped}
    return run(command, folder, seconds=seconds, environment={}, **watched), said


def ended(pid, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def test_its_own_code_and_signal_are_told(tmp_path):
    assert call(tmp_path, "raise SystemExit(7)")[0] == Ended(End.ITSELF, 7)
    killed = "import os; os.kill(os.getpid(), 15)"
    assert call(tmp_path, killed)[0] == Ended(End.ITSELF, -signal.SIGTERM)


def test_it_is_ended_with_its_time_and_when_it_is_not_wanted(tmp_path):
    assert call(tmp_path, HANG, seconds=0.5)[0] == Ended(End.TIME, -signal.SIGKILL)
    assert call(tmp_path, HANG, stopped=lambda: True)[0].end is End.STOPPED


def test_it_dies_with_a_server_that_is_killed(tmp_path):
    command = [sys.executable, "-c", SERVER, sys.executable, "-c", HANG]
    server = subprocess.Popen(command, cwd=tmp_path)
    pid, end = tmp_path / "pid", time.monotonic() + 20
    while not (pid.exists() and pid.read_text()):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert not ended(pid.read_text(), seconds=0.2)
    server.kill()
    server.wait()
    assert ended(pid.read_text())


def test_an_orphan_does_not_begin(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 1 << 22)  # of nobody: as after a death
    assert call(tmp_path, "print('on')") == (Ended(End.ITSELF, 1), [])
