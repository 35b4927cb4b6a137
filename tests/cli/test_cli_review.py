"""``fgbench review``: the summary, the page's process, and what a kill leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pyarrow.parquet as pq
import pytest
from doubtful_build import decided, write_doubts

from fgbench.cli import main
from fgbench.collect.review.decisions import Decision, Decisions, replay


@pytest.fixture
def run(capsys):
    """Calls ``fgbench review``; returns exit code, stdout and stderr."""

    def run(*arguments):
        code = 0
        try:
            main(["review", *map(str, arguments)])
        except SystemExit as end:
            code = end.code
        return (code, *capsys.readouterr())

    return run


@contextmanager
def reviewing(folder, *options):
    """A process of its own that serves the page; yields it and the page's address."""
    command = [sys.executable, "-m", "fgbench", "review", str(folder), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        url = next((line.strip() for line in lines if line.startswith("http://127.0.0.1:")), None)
        assert url, process.stderr and process.stderr.read()
        try:
            yield process, url
        finally:
            process.kill()


def decide(url, item, decision):
    said = json.dumps({"id": item, "decision": decision}).encode()
    sent = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{url}decide", said, sent)) as answer:
        return json.load(answer)


def test_how_far_it_has_come(run, tmp_path):
    ids = write_doubts(tmp_path)
    with Decisions(tmp_path) as decisions:
        decisions.decide(ids[0], Decision.KEEP)
        decisions.decide(ids[-1], Decision.DROP)
        decisions.decide("audio/of-an-older-build", Decision.DROP)
        code, out, err = run(tmp_path, "--json")  # asked for while somebody reviews
    assert (code, err) == (0, "")
    found = json.loads(out)
    species = found.pop("species")
    assert found == {"doubtful": 5, "keep": 1, "drop": 1, "left": 3}
    assert species == {
        "001.Black_footed_Albatross": {"doubtful": 2, "keep": 1, "drop": 0, "left": 1},
        "010.Red_winged_Blackbird": {"doubtful": 3, "keep": 0, "drop": 1, "left": 2},
    }


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_no_build_folder(run, tmp_path, options):
    code, out, err = run(tmp_path / "none", *options)
    assert (code, out) == (2, "")
    assert "FG-V001" in err
    assert "Traceback" not in err


def test_one_reviewer_at_a_time(run, tmp_path):
    write_doubts(tmp_path)
    with reviewing(tmp_path):
        code, out, err = run(tmp_path)
    assert (code, out) == (2, "")
    assert "FG-V002" in err


def test_a_port_in_use_is_named(run, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_doubts(tmp_path / name)
    with reviewing(tmp_path / "a") as (_, url):
        port = url.split(":")[2].split("/")[0]
        code, _, err = run(tmp_path / "b", "--port", port)
    assert code == 2
    assert "FG-V004" in err
    with Decisions(tmp_path / "b"):  # the lock was let go of
        pass


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopping_tells_what_was_decided(tmp_path, how):
    ids = write_doubts(tmp_path)
    with reviewing(tmp_path, "--reviewer", "B. Listener") as (process, url):
        decide(url, ids[0], "keep")
        process.send_signal(how)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert "5 in doubt: 1 kept, 0 dropped, 4 left" in out
    rows = pq.read_table(tmp_path / "review.parquet").to_pylist()
    assert [row["reviewer"] for row in rows] == ["B. Listener"]


def test_killed_it_loses_nothing_and_the_next_goes_on(tmp_path):
    ids = write_doubts(tmp_path)
    with reviewing(tmp_path) as (process, url):
        for item in ids[:3]:
            decide(url, item, "drop")
        process.kill()
        process.wait()
    assert decided(tmp_path) == dict.fromkeys(ids[:3], "drop")
    with reviewing(tmp_path) as (_, again):
        assert again != url
        with urllib.request.urlopen(f"{again}items") as answer:
            items = json.load(answer)
        assert [item["decision"] for item in items] == ["drop"] * 3 + [None] * 2
        decide(again, ids[3], "keep")
    assert replay(tmp_path)[ids[3]] == "keep"


def test_a_build_from_nothing_meets_its_decisions_again(tmp_path):
    """The ids are of the content: another folder, built alike, has the same."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    ids = write_doubts(tmp_path / "a", pieces=10)[:10]
    with Decisions(tmp_path / "a") as decisions:
        for number, item in enumerate(ids):
            decisions.decide(item, (Decision.KEEP, Decision.DROP)[number % 2])
    before = replay(tmp_path / "a")
    (tmp_path / "a" / "review.parquet").rename(tmp_path / "b" / "review.parquet")
    assert set(before) <= set(write_doubts(tmp_path / "b", pieces=10))
    assert replay(tmp_path / "b") == before
