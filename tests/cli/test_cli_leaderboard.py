"""``fgbench score --to`` and ``fgbench leaderboard check`` as their users meet them."""

from __future__ import annotations

import json

import pytest
from small_board import edit, write_card, write_ground, write_vectors


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("cli")
    write_ground(made / "ground")
    write_vectors(made / "s.npz", 1)
    write_card(made / "card.yaml")
    return made


@pytest.fixture
def handed(folder, tmp_path, calling):
    """A store of one entry, made on the command line; and the entry."""
    code, out, _ = calling("score")(
        *(folder / "s.npz", "--benchmark", folder / "ground"),
        *("--card", folder / "card.yaml", "--to", tmp_path / "results"),
    )
    assert code == 0
    (entry,) = (tmp_path / "results").glob("*/*")
    words = "".join(out.split())
    assert f"Handedin:{entry}" in words
    assert f"fgbenchleaderboardcheck{tmp_path / 'results'}" in words
    return tmp_path / "results", entry


def test_what_was_handed_in_is_sound(folder, handed, calling):
    results, entry = handed
    check = calling("leaderboard")
    code, out, _ = check("check", results, "--benchmark", folder / "ground")
    assert code == 0
    assert "1 entry, all sound" in " ".join(out.split())
    code, out, err = check("check", results, "--benchmark", folder / "ground", "--json")
    document = json.loads(out, parse_constant=pytest.fail)
    assert (code, err) == (0, "")
    assert document["ok"] is True
    assert document["faults"] == []
    assert document["entries"][0]["folder"] == str(entry)
    assert document["entries"][0]["status"] == "self-reported"


def test_faults_are_explained_and_exit_2(folder, handed, calling):
    results, entry = handed
    edit(entry, lambda d: d["submission"]["meta"].update(method="\x1b[2J[bold]x", html="<b>"))
    check = calling("leaderboard")
    code, out, _ = check("check", results, "--benchmark", folder / "ground")
    assert code == 2
    assert "FG-L112" in out
    assert "FG-L115" in out
    assert "why" in out
    assert "\x1b[2J" not in out
    assert "[bold]" in out
    code, out, _ = check("check", results, "--benchmark", folder / "ground", "--json")
    assert code == 2
    faults = json.loads(out)["faults"]
    assert {"FG-L112", "FG-L115", "FG-L132"} == {fault["code"] for fault in faults}
    assert all(fault["why"] and fault["fix"] and fault["title"] for fault in faults)


def test_entries_of_another_benchmark_are_refused(handed, calling):
    code, out, _ = calling("leaderboard")("check", handed[0])
    assert code == 2
    assert "FG-L140" in out


def test_no_store_exits_2(tmp_path, calling, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = calling("leaderboard")("check")
    assert code == 2
    assert "FG-L130" in out
    assert "leaderboard/results" in out


@pytest.mark.parametrize(
    "more", [("--to", "x"), ("--to", "x", "--card", "card.yaml", "--convention", "paper")]
)
def test_a_board_takes_a_card_and_the_sound_convention(more, folder, calling):
    code, out, err = calling("score")(folder / "s.npz", "--benchmark", folder / "ground", *more)
    assert (code, out) == (2, "")
    assert "--to needs --card" in err


def test_a_faulty_card_exits_2_and_nothing_is_written(folder, tmp_path, calling):
    card = write_card(tmp_path / "card.yaml", year="then", method="x" * 61)
    code, out, err = calling("score")(
        *(folder / "s.npz", "--benchmark", folder / "ground", "--card", card),
        *("--to", tmp_path / "results", "--out", tmp_path / "out"),
    )
    assert (code, out) == (2, "")
    assert "FG-L113" in err
    assert "FG-L114" in err
    assert "Traceback" not in err
    assert {p.name for p in tmp_path.iterdir()} == {"card.yaml"}


def test_a_card_alone_is_shown_and_goes_into_the_record(folder, calling):
    code, out, _ = calling("score")(
        *(folder / "s.npz", "--benchmark", folder / "ground"),
        *("--card", folder / "card.yaml", "--json"),
    )
    assert code == 0
    assert json.loads(out)["submission"]["meta"]["method"] == "Alpha"
