"""``fgbench build-data`` as its users meet it: what is printed where, and the exit codes."""

from __future__ import annotations

import json
import socket

import pytest

from fgbench.cli._build_progress import BuildProgress
from fgbench.collect.crawl.asker import Event
from fgbench.collect.sample import FaultKind, SiteFault, sample_world


@pytest.fixture
def run(calling, monkeypatch, tmp_path):
    """Calls ``fgbench build-data``; returns exit code, stdout and stderr."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "120")
    return calling("build-data")


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args):
        raise AssertionError("something was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_a_plan_asks_nothing_and_writes_nothing(run, tmp_path, no_network):
    code, out, _ = run("--plan", "--out", tmp_path / "d", "--species", "1,2")
    assert code == 0
    assert "en.wikipedia.org" in out
    assert "Nothing was asked." in out
    assert not (tmp_path / "d").exists()


def test_a_plan_says_hosts_times_disk_and_who_is_not_asked(run, tmp_path, no_network):
    options = ("--species", "all", "--access", "research_copy", "--json")
    code, out, err = run("--plan", "--out", tmp_path / "d", *options)
    plan = json.loads(out)
    assert (code, err) == (0, "")
    hosts = {host["host"]: host for host in plan["hosts"]}
    assert set(hosts) >= {"en.wikipedia.org", "birds.fandom.com", "www.audubon.org"}
    assert plan["requests"] == sum(host["requests"] for host in hosts.values())
    assert plan["seconds"] == max(host["seconds"] for host in hosts.values())
    assert plan["bytes"] > 0 < plan["free_bytes"]
    assert plan["not_asked"]["folksread"] == "access archive: add --access archive"
    assert len(plan["recipe"]["species"]) == 200
    assert [step["name"] for step in plan["steps"]][:4] == [
        "local sets",
        "queries",
        "find and fetch",
        "read and clean",
    ]


def test_a_plan_grows_with_the_species(run, tmp_path):
    requests = []
    for species in "1", "1,2", "1,2,3":
        _, out, _ = run("--plan", "--out", tmp_path / "d", "--species", species, "--json")
        requests.append(json.loads(out)["requests"])
    assert requests == sorted(set(requests))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--species", "Dodo"], "FG-N001"),
        (["--media", "smell"], "FG-U002"),
        (["--sites", "audubon"], "FG-U004"),
        (["--as-of", "yesterday"], "FG-U002"),
        (["--contact", "nobody"], "FG-K004"),
        (["--offline"], "FG-U006"),
        ([], "FG-W001"),  # no contact
        (["--engine", "cluster"], "FG-E002"),
        (["--per-class", "0"], "per-class"),
        (["--offline", "--retry-failed"], "--retry-failed"),
    ],
)
def test_a_wrong_call_is_exit_2_and_leaves_nothing(run, tmp_path, no_network, arguments, code):
    found, out, err = run("--out", tmp_path / "d", *arguments)
    assert (found, out) == (2, "")
    assert code in err
    assert not (tmp_path / "d").exists()


def test_a_stand_in_for_no_site_is_refused(run, tmp_path, monkeypatch):
    monkeypatch.setenv("FGBENCH_SITE_WIKIPEDA_URL", "http://127.0.0.1:9")
    code, _, err = run("--out", tmp_path / "d", "--plan")
    assert code == 2
    assert "FGBENCH_SITE_WIKIPEDA_URL" in err


def test_progress_without_a_terminal_is_plain_lines(capsys):
    with BuildProgress() as progress:
        progress.step("find and fetch")
        progress.watch("a.example", Event.QUEUED, 2)
        for _ in range(2):
            progress.watch("a.example", Event.ASKED, 1)
            progress.watch("a.example", Event.REPLAYED, 1)
            progress.watch("a.example", Event.FINISHED, 1)
        progress.step("read and clean")
        progress.advance(1, 1)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "· find and fetch",
        "  a.example: 2 of 2, 2 asked, 2 from the store",
        "· read and clean",
    ]


def test_the_sample_world_is_built_and_built_again_offline(run, tmp_path):
    folder = tmp_path / "d"
    options = ("--media", "text", "--species", "61,64", "--per-class", "9", "--seed", "3")
    code, out, err = run("--sample", "--out", folder, *options, "--json")
    assert code == 0, err
    said = json.loads(out)
    counts = said["counts"]["text"]
    assert counts["kept"] == 18
    assert counts["found"] == counts["kept"] + counts["rejected"] + counts["failed"]
    assert (said["complete"], said["failed"], said["not_asked"]) == (True, [], {})
    first = {file.name: file.read_bytes() for file in (folder / "manifests").iterdir()}
    code, out, _ = run("--offline", "--out", folder)
    assert code == 0
    assert "18 texts of 2 of 2 classes." in out
    assert str(folder / "manifests" / "report.html") in out
    assert {f.name: f.read_bytes() for f in (folder / "manifests").iterdir()} == first
    code, _, err = run("--out", folder, "--contact", "you@lab.example")
    assert (code, "FG-U005" in err) == (2, True)


def test_what_could_not_be_had_is_exit_3_and_said(run, tmp_path, monkeypatch):
    with sample_world([SiteFault(FaultKind.LOOP, "wikipedia")]) as world:
        for name, value in world.environ.items():
            monkeypatch.setenv(name, value)
        options = ("--species", "61", "--sites", "wikipedia", "--contact", "you@lab.example")
        code, out, _ = run("--out", tmp_path, *options)
        assert code == 3
        assert "1 source could not be had; --retry-failed asks again:" in out
        assert "redirect_loop" in out
        code, out, _ = run("--out", tmp_path, *options, "--json")
    assert code == 3
    said = json.loads(out)
    assert said["complete"] is False
    assert [(f["site"], f["label"], f["reason"]) for f in said["failed"]] == [
        ("wikipedia", 60, "redirect_loop")
    ]


def test_who_stops_a_build_hears_that_it_goes_on(run, tmp_path, monkeypatch):
    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("fgbench.collect.pipeline.build", stop)
    code, out, err = run("--sample", "--out", tmp_path)
    assert (code, out) == (130, "")
    assert "goes on" in err
    assert "Traceback" not in err
