"""Handing in: one folder, whole or not at all, that no card can make better."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from small_board import hand, write_card, write_ground, write_vectors

from fgbench import load_benchmark, score
from fgbench.errors import FaultyInput, FgbenchError
from fgbench.leaderboard import handin
from fgbench.leaderboard.faults import Code
from fgbench.leaderboard.handin import hand_in, with_card


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handin")
    hand(folder / "results", write_ground(folder / "ground"), 1)
    return folder


@pytest.fixture
def ground(made):
    return load_benchmark(made / "ground")


@pytest.fixture
def results(made, tmp_path):
    return Path(shutil.copytree(made / "results", tmp_path / "results"))


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_card_is_in_the_record_and_moves_no_score(made, ground, tmp_path):
    meta = {"method": "Old", "dimension": 8, "seed": 1, "paper": "A paper"}
    vectors = write_vectors(tmp_path / "s.npz", 3, meta=meta)
    card = write_card(tmp_path / "card.yaml", paper="Another")
    plain = score(vectors, ground).record
    result = score(with_card(vectors, card, ground), ground)
    whole = result.record.submission["meta"]
    assert {k: whole[k] for k in ("method", "dimension", "paper")} == {
        "method": "Alpha",
        "dimension": 8,
        "paper": "Another",
    }
    assert "seed" not in whole
    submission = {**result.record.submission, "meta": meta}
    assert replace(result.record, submission=submission) == plain


def test_equal_hand_ins_give_equal_bytes_and_replace_their_own(made, results, ground):
    before = files(results)
    assert before.keys() == {p.relative_to(results) for p in results.glob("*/*/*.*")}
    vectors, card = made / "1.npz", made / "1.yaml"
    hand_in(score(with_card(vectors, card, ground, results), ground), results)
    assert files(results) == before


def test_a_corrected_card_replaces_the_record(made, results, ground, tmp_path):
    card = write_card(tmp_path / "card.yaml", year=2023)
    place = hand_in(score(with_card(made / "1.npz", card, ground, results), ground), results)
    assert json.loads((place / "record.json").read_text())["submission"]["meta"]["year"] == 2023
    assert len(files(results)) == 2


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Alpha", Code.SECOND),
        ("alpha", Code.LOOK_ALIKE),
        ("Аlpha", Code.LOOK_ALIKE),
        ("acmr", Code.LOOK_ALIKE),
    ],
)
def test_a_taken_name_is_refused_before_and_after_scoring(name, code, results, ground, tmp_path):
    before = files(results)
    vectors = write_vectors(tmp_path / "s.npz", 9)
    card = write_card(tmp_path / "card.yaml", method=name)
    with pytest.raises(FaultyInput) as told:
        with_card(vectors, card, ground, results)
    assert {fault.code for fault in told.value.faults} == {code}
    with pytest.raises(FaultyInput) as told:
        hand_in(score(with_card(vectors, card, ground), ground), results)
    assert {fault.code for fault in told.value.faults} == {code}
    assert files(results) == before


def test_one_submission_under_a_second_name_is_refused(made, results, ground, tmp_path):
    card = write_card(tmp_path / "card.yaml", method="Gamma")
    with pytest.raises(FaultyInput, match=str(Code.TWICE)):
        with_card(made / "1.npz", card, ground, results)


def test_a_folder_whose_record_cannot_be_read_keeps_its_name(results, ground, tmp_path):
    (next((results / "alpha").iterdir()) / "record.json").write_text("{")
    vectors, card = write_vectors(tmp_path / "s.npz", 9), write_card(tmp_path / "card.yaml")
    with pytest.raises(FaultyInput, match=str(Code.SECOND)):
        with_card(vectors, card, ground, results)


def test_faults_of_file_card_and_meta_come_together(ground, tmp_path):
    meta = {"paper": "x" * 501}
    vectors = write_vectors(tmp_path / "s.npz", 9, meta=meta)
    card = write_card(tmp_path / "card.yaml", year=None)
    with pytest.raises(FaultyInput) as told:
        with_card(vectors, card, ground)
    assert {fault.code for fault in told.value.faults} == {Code.MISSING, Code.BOUNDS}
    (tmp_path / "s.npz").write_bytes(b"no zip")
    with pytest.raises(FaultyInput) as told:
        with_card(vectors, card, ground)
    assert {Code.MISSING, "FG-S002"} <= {fault.code for fault in told.value.faults}


def test_what_fails_on_the_way_leaves_nothing(made, ground, tmp_path, monkeypatch):
    result = score(with_card(made / "1.npz", made / "1.yaml", ground), ground)
    write = handin.write_bytes

    def fail(path, data):
        if path.name == "record.json":
            raise OSError("disk full")
        write(path, data)

    monkeypatch.setattr(handin, "write_bytes", fail)
    with pytest.raises(FgbenchError, match="disk full"):
        hand_in(result, tmp_path / "results")
    assert files(tmp_path / "results") == {}


def test_what_a_killed_process_left_is_no_hindrance(results, made, ground):
    (entry,) = (results / "alpha").iterdir()
    before = files(results)
    entry.rename(results / f".alpha-{entry.name}.part")
    hand_in(score(with_card(made / "1.npz", made / "1.yaml", ground), ground), results)
    assert files(results) == before
