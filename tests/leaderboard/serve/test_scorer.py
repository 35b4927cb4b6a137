"""The scorer: the CLI's numbers and faults, and whatever it meets, a reason."""

from __future__ import annotations

import io
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_board import hand, write_card, write_ground, write_vectors

from fgbench import load_benchmark
from fgbench.errors import FaultyInput
from fgbench.leaderboard.handin import with_card
from fgbench.leaderboard.serve.settings import GIB, Limits, Settings
from fgbench.leaderboard.serve.trial import SCORER, Stopped, Trial, warm

PRELUDE = "import ctypes, os, sys, time; import fgbench.leaderboard.serve.scorer as s\n"


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    return write_ground(tmp_path_factory.mktemp("scorer") / "ground")


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "0123"
    made.mkdir()
    write_vectors(made / "submission.npz", 1)
    write_card(made / "card.yaml")
    return made


def run(folder, ground, command=SCORER, stopped=lambda: False, **limits):
    """The verdict, and what the trial told on the way."""
    told = []
    bounds = replace(Limits(seconds=60), **limits)
    shutil.rmtree(folder / "scratch", ignore_errors=True)
    (folder / "scratch").mkdir()
    trial = Trial(
        Settings(data=folder.parent, benchmark=str(ground), limits=bounds),
        folder,
        named=lambda name: told.append(name),
        scoring=lambda: told.append("scoring"),
    )
    return trial.run(stopped, command), told


def broken(code):
    """The scorer with other insides."""
    text = f"{PRELUDE}def score(benchmark, say):\n    {code}\ns._score = score\ns.main()"
    return (sys.executable, "-P", "-c", text)


def plain(code):
    return (sys.executable, "-I", "-S", "-c", f"import json, os, sys, time\n{code}")


def gone(pid, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_it_writes_what_the_command_line_writes(folder, ground, tmp_path):
    verdict, told = run(folder, ground)
    assert (verdict.reason, verdict.faults, told) == ("", (), ["Alpha", "scoring"])
    (tmp_path / "store").mkdir()
    entry = hand(tmp_path / "store" / "results", ground, 1)
    made = folder / "scratch" / "result" / entry.parent.name / entry.name
    assert sorted(p.name for p in made.iterdir()) == ["per_query.parquet", "record.json"]
    for path in made.iterdir():
        assert path.read_bytes() == (entry / path.name).read_bytes()
    report = json.loads((folder / "scratch" / "result" / "report.json").read_bytes())
    record = json.loads((entry / "record.json").read_bytes())
    assert report["place"] == f"{entry.parent.name}/{entry.name}"
    assert report["submission"] == record["submission"]["sha256"]
    for group in ("scores", "means"):
        numbers = {k: {"map": v["map"], "ci95": v["ci95"]} for k, v in record[group].items()}
        assert report[group] == numbers


def test_faults_are_those_of_the_command_line_and_name_no_folder_of_the_server(folder, ground):
    write_vectors(folder / "submission.npz", 1, meta={"paper_url": "javascript:1"})
    write_card(folder / "card.yaml", year="x", surprise="<script>", paper_url=None)
    verdict, told = run(folder, ground)
    with pytest.raises(FaultyInput) as expected:
        with_card(folder / "submission.npz", folder / "card.yaml", load_benchmark(ground))
    local = [
        replace(fault, where=fault.where.replace(f"{folder}/", ""))
        for fault in expected.value.faults
    ]
    assert list(verdict.faults) == local
    assert len(local) >= 3
    assert verdict.reason == f"{len(local)} faults in what was handed in."
    assert told == ["Alpha"]
    assert str(folder.parent) not in str(verdict)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"not an archive", "FG-S002"), (b"PK\x03\x04" + b"\0" * 40, "FG-S002")],
)
def test_what_is_no_submission_is_a_fault(folder, ground, content, code):
    (folder / "submission.npz").write_bytes(content)
    verdict, _ = run(folder, ground)
    assert [fault.code for fault in verdict.faults] == [code]


def test_a_bomb_is_a_fault_and_is_not_unpacked(folder, ground):
    """A gibibyte of zeros in a megabyte, where a query has 24 items of eight numbers."""
    with zipfile.ZipFile(folder / "submission.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for medium in ("image", "text"):
            ids = io.BytesIO()
            np.save(ids, np.array([f"{medium}/{n:02}" for n in range(24)]))
            archive.writestr(f"{medium}_ids.npy", ids.getvalue())
            head = io.BytesIO()
            shape = {"descr": "<f4", "fortran_order": False, "shape": (24, 11_184_810)}
            np.lib.format.write_array_header_1_0(head, shape)
            with archive.open(f"{medium}.npy", "w") as member:
                member.write(head.getvalue())
                for _ in range(1024):
                    member.write(bytes(1 << 20))
    assert (folder / "submission.npz").stat().st_size < 4 << 20
    verdict, _ = run(folder, ground)
    assert [fault.code for fault in verdict.faults] == ["FG-S012"]


def test_a_name_like_a_published_one_and_one_that_cannot_be_shown(folder, ground):
    write_card(folder / "card.yaml", method="FGCr0ssNet")
    verdict, told = run(folder, ground)
    assert ([f.code for f in verdict.faults], told) == (["FG-L120"], ["FGCr0ssNet"])
    (folder / "card.yaml").write_text(
        'method: "a\\0b"\nauthors: A\nyear: 2024\nextra_data: false\n'
    )
    verdict, told = run(folder, ground)
    assert (verdict.faults[0].code, told) == ("FG-L115", [])


@pytest.mark.parametrize(
    ("code", "limits", "found"),
    [
        ("held = [bytearray(1 << 26) for _ in iter(int, 1)]", {"memory": 2 * GIB}, "FG-H140"),
        ("time.sleep(100)", {"seconds": 3}, "FG-H141"),
        ("open('scratch/x', 'wb').write(bytes(1 << 20))", {"file": 1 << 16}, "FG-H142"),
        ("os.kill(os.getpid(), 9)", {}, "FG-H143"),
        ("ctypes.string_at(0)", {}, "FG-H143"),
        ("os._exit(0)", {}, "FG-H144"),
        ("sys.exit(3)", {}, "FG-H144"),
        ("raise KeyError('a secret value')", {}, "FG-H144"),
    ],
)
def test_a_scorer_that_breaks_is_given_its_reason(folder, ground, caplog, code, limits, found):
    verdict, _ = run(folder, ground, broken(code), **limits)
    assert [fault.code for fault in verdict.faults] == [found]
    assert verdict.reason
    assert verdict.faults[0].fix
    assert ("KeyError" in caplog.text) is code.startswith("raise")
    assert "secret" not in caplog.text + str(verdict)


@pytest.mark.parametrize(
    "code",
    [
        "print('rubbish')",
        "print('[1]'); print('null'); print('\"done\"'); print('{\"said\": \"bought\"}')",
        "print('[' * 100_000)",
        "sys.stdout.buffer.write(bytes(range(256)))",
        'print(\'{"said": "done"}\', flush=True); sys.exit(1)',
        "while True: print('x' * 1000)",
        'sys.stdout.write(\'{"said": "done"}\')',
    ],
)
def test_rubbish_is_our_failure_and_is_logged(folder, ground, caplog, code):
    with caplog.at_level(logging.ERROR):
        verdict, _ = run(folder, ground, plain(code))
    assert [fault.code for fault in verdict.faults] == ["FG-H144"]
    assert "a scorer failed" in caplog.text


def test_it_sees_no_secret_of_the_server(folder, ground, monkeypatch):
    monkeypatch.setenv("FGBENCH_SOUND_KEY", "a secret")
    monkeypatch.setenv("PGPASSWORD", "a secret")
    code = "json.dump(dict(os.environ), open('scratch/seen', 'w'))"
    run(folder, ground, plain(code))
    seen = json.loads((folder / "scratch" / "seen").read_text())
    assert "a secret" not in seen.values()
    assert seen["TMPDIR"] == str(folder / "scratch")


def test_what_is_compiled_is_kept_where_it_may_be_written(folder, ground, monkeypatch):
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    code = "json.dump(os.environ.get('NUMBA_CACHE_DIR'), open('scratch/seen', 'w'))"
    for writable, kept in ((True, None), (False, str(folder.parent / "cache"))):
        monkeypatch.setattr(os, "access", lambda path, mode, may=writable: may)
        run(folder, ground, plain(code))
        assert json.loads((folder / "scratch" / "seen").read_text()) == kept


def test_what_it_started_ends_with_it(folder, ground):
    code = (
        'if os.fork(): print(\'{"said": "done"}\')\n'
        "else:\n  open('scratch/pid', 'w').write(str(os.getpid())); time.sleep(60)"
    )
    began = time.monotonic()
    verdict, _ = run(folder, ground, plain(f"{code}"))
    assert verdict.reason == ""
    assert time.monotonic() - began < 30
    pid = folder / "scratch" / "pid"
    assert not pid.exists() or gone(pid.read_text())


def test_it_is_stopped_when_it_is_no_longer_wanted(folder, ground):
    code = "open('scratch/pid', 'w').write(str(os.getpid())); time.sleep(60)"
    pid = folder / "scratch" / "pid"
    with pytest.raises(Stopped):
        run(folder, ground, plain(code), stopped=lambda: pid.is_file() and pid.read_text())
    assert gone(pid.read_text())


def test_the_cpu_is_bounded_too(folder, ground):
    code = f"{PRELUDE}s.confine(s.Job('', None, 8 << 30, 1, 1 << 20, 64))\n"
    spun = subprocess.run([sys.executable, "-c", code + "while True: pass"], timeout=30)
    assert spun.returncode == -signal.SIGXCPU


def test_the_sample_warms_it(tmp_path, caplog):
    warm(Settings(data=tmp_path), tmp_path, lambda: False)
    assert caplog.text == ""
    assert list(tmp_path.iterdir()) == []
