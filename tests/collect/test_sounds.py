"""Sounds from a filled store: which are fetched, what becomes of each, that nothing disappears."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import sounds

from fgbench.collect.clean.audio import Rules
from fgbench.collect.clean.segments import EncoderEndedError, Pieces
from fgbench.collect.pipeline import build
from fgbench.collect.reading import Listed
from fgbench.collect.recipe import Recipe
from fgbench.collect.review.decisions import Decision, Decisions
from fgbench.collect.sites.base import Failure, Hit, Licence, RawAudio, Response
from fgbench.collect.sounds import enough, in_order
from fgbench.errors import FgbenchError, InputError
from fgbench.protocol import Medium
from fgbench.settings import Settings

GULL, TERN = 58, 140
C, H = "https://chorus.example", "https://choir.example"
ND = {"name": "CC-BY-ND-4.0", "url": "", "redistributable": True, "derivatives": False}
NAMES = ("chorus", "choir")


def record(source_id: str, **more: object) -> dict[str, object]:
    return {"source_id": source_id, "quality": "A", "duration_s": 8.0, **more}


def song(seed: int, duration_s: float = 8.0) -> bytes:
    return sounds.wav(sounds.scene(seed, duration_s))


@pytest.fixture
def recipe():
    return Recipe((Medium.AUDIO,), (GULL, TERN), NAMES, {Medium.AUDIO: 4})


@pytest.fixture
def answers():
    """Of the gull more than enough, one of each outcome; of the tern two, and a pointer."""
    first = song(1)
    gull = [
        record("a1", recorded_on="2020-05-01", place="A lake"),
        record("a2", recorded_on="2020-05-01", place="A lake"),
        record("a3"),
        record("a4"),
        record("a5"),
        record("a6"),
        record("a7"),
        record("b8", quality="B"),
        record("b9", quality="B"),
        record("c1", quality="C"),
    ]
    other = [record("copy", duration_s=6.0), record("e1", quality="E")]
    return {
        f"{C}/list/{GULL}": gull,
        f"{C}/a1.flac": first,
        f"{C}/a2.flac": song(2),
        f"{C}/a3.flac": 404,
        f"{C}/a4.flac": Failure.TIMEOUT,
        f"{C}/a5.flac": b"<html>no sound</html>",
        f"{C}/a6.flac": sounds.wav(sounds.white(8)),
        f"{C}/a7.flac": song(7),
        f"{C}/b8.flac": song(8),
        f"{C}/b9.flac": song(9, 75),
        f"{H}/list/{GULL}": other,
        f"{H}/copy.flac": sounds.encode(first, "ogg", "-c:a", "libvorbis", "-b:a", "64k"),
        f"{H}/e1.flac": song(11),
        f"{C}/list/{TERN}": [record("t1"), record("t2", related=["t1"]), record("p", media_url="")],
        f"{C}/t1.flac": song(21),
        f"{C}/t2.flac": song(22),
        f"{H}/list/{TERN}": [],
    }


@pytest.fixture
def filled(tmp_path, answers, fill):
    fill(tmp_path, answers)
    return tmp_path


@pytest.fixture
def built(filled, recipe, chorus, choir):
    return build(filled, recipe, (chorus, choir), Settings(), offline=True)


def table(built, name):
    return pq.read_table(built.folder / "manifests" / f"{name}.parquet").to_pylist()


def contents(folder: Path) -> dict[str, bytes]:
    parts = (folder / "manifests", folder / "media")
    files = [path for part in parts for path in part.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_every_recording_ends_where_it_should(built):
    rejected = {(r["source_id"], r["stage"], r["reason"]) for r in table(built, "rejected")}
    assert rejected >= {
        ("a5", "clean", "not_audio"),
        ("a6", "segment", "no_bird"),
        ("c1", "select", "not_needed"),
    }
    copies = {r["source_id"] for r in table(built, "rejected") if r["reason"] == "same_recording"}
    assert copies <= {"a1", "copy"}
    assert len(copies) == 1
    (gone,) = table(built, "absent")
    assert (gone["medium"], gone["label"], gone["site"]) == ("audio", GULL, "chorus")
    assert gone["reason"] == "the sound of a3 is gone (404)"
    (failed,) = built.failed
    assert (failed.medium, failed.source_url, failed.reason) == ("audio", f"{C}/a4.flac", "timeout")
    kept = table(built, "audio")
    assert Counter(row["label"] for row in kept) == {GULL: 4, TERN: 3}
    for row in kept:
        if row["source_id"] == "p":
            assert row["path"] is row["split_paper"] is row["split_grouped"] is None
        else:
            assert (built.folder / row["path"]).is_file()
            assert row["split_paper"] in {"train", "test"}
            # both of the tern belong together: there is no other group for the other side
            assert row["split_grouped"] in ({None} if row["label"] == TERN else {"train", "test"})
    ids = [row["cluster_id"] for row in kept if row["source_id"] in {"t1", "t2"}]
    assert ids[0] == ids[1] is not None


def test_found_is_kept_and_rejected_and_failed(built):
    counts = built.audit["counts"]["audio"]
    assert set(counts["sites"]) == {*NAMES}
    for numbers in (counts, *counts["sites"].values()):
        assert numbers["found"] == numbers["kept"] + numbers["rejected"] + numbers["failed"] > 0
    assert counts["failed"] == 1
    assert counts["kept"] == len(table(built, "audio"))
    short = built.audit["classes"]["audio"]["short"]
    assert short == {str(TERN): 2}  # the pointer is no piece


def test_a_class_that_has_enough_is_fetched_no_further(filled, recipe, chorus, choir, fill):
    """c1 is not in the store: to ask for it, offline, would be a failure."""
    built = build(filled, recipe, (chorus, choir), Settings(), offline=True)
    assert [f.reason for f in built.failed] == ["timeout"]
    more = replace(recipe, per_class={Medium.AUDIO: 40})
    again = build(filled, more, (chorus, choir), Settings(), offline=True)
    assert sorted(f.reason for f in again.failed) == ["offline", "timeout"]


def test_no_file_is_left_that_no_row_names(filled, recipe, chorus, choir):
    strays = (filled / "media" / "audio" / "0.flac", filled / "media" / "audio" / ".1.flac.part")
    for path in strays:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    built = build(filled, recipe, (chorus, choir), Settings(), offline=True)
    named = {row["path"] for t in ("audio", "rejected") for row in table(built, t) if row["path"]}
    assert {name for name in contents(filled) if name.startswith("media/")} == named


def test_equal_answers_give_equal_bytes_on_any_engine(filled, recipe, chorus, choir, monkeypatch):
    build(filled, recipe, (chorus, choir), Settings(), offline=True)
    first = contents(filled)
    monkeypatch.setattr("fgbench.collect.sounds.FEW", 0)
    monkeypatch.setattr("fgbench.collect.reading.BATCH", 10**6)
    build(filled, recipe, (chorus, choir), Settings(), offline=True)
    assert contents(filled) == first


def test_decisions_survive_a_build_from_nothing(tmp_path, recipe, chorus, fill):
    faint = sounds.white(12, 5, 0.02)
    note = sounds.song(4, 1)[:4000]
    faint[20_000 : 20_000 + len(note)] += 0.15 * note
    answers = {
        f"{C}/list/{GULL}": [record("k"), record("d"), record("u"), record("s"), record("s2")],
        f"{C}/s.flac": song(3),
        f"{C}/s2.flac": song(4),
    }
    for n, name in enumerate("kdu"):
        answers[f"{C}/{name}.flac"] = sounds.wav(0.9**n * faint)
    recipe = replace(recipe, labels=(GULL,), sites=("chorus",))
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        fill(folder, answers)
    built = build(one, recipe, (chorus,), Settings(), offline=True)
    doubts = {r["source_id"]: r for r in table(built, "rejected") if r["stage"] == "review"}
    assert set(doubts) == {*"kdu"}, table(built, "rejected")
    assert {r["reason"] for r in doubts.values()} == {"doubtful"}
    assert all((one / r["path"]).is_file() for r in doubts.values())
    with Decisions(one) as decisions:
        decisions.decide(doubts["k"]["item_id"], Decision.KEEP)
        decisions.decide(doubts["d"]["item_id"], Decision.DROP)
    (other / "review.parquet").write_bytes((one / "review.parquet").read_bytes())
    again = [build(folder, recipe, (chorus,), Settings(), offline=True) for folder in (one, other)]
    assert contents(one) == contents(other)
    kept = {r["source_id"]: r["review"] for r in table(again[1], "audio")}
    assert kept == {"k": "keep", "s": None, "s2": None}
    reasons = {r["source_id"]: r["reason"] for r in table(again[1], "rejected")}
    assert reasons == {"d": "dropped", "u": "doubtful"}
    bold = replace(recipe, rules=Rules(keep_doubtful=True))
    build(other, bold, (chorus,), Settings(), offline=True)
    flagged = {r["source_id"] for r in table(again[1], "audio") if "doubtful" in r["flags"]}
    assert flagged == {"u"}
    assert (other / "review.parquet").read_bytes() == (one / "review.parquet").read_bytes()


def test_the_papers_pieces_are_long_and_a_recording_that_may_not_be_cut_is_whole(
    tmp_path, recipe, chorus, fill, monkeypatch
):
    nd = Licence(**ND)
    monkeypatch.setattr(type(chorus), "read", _with_licence(type(chorus).read, {"n": nd}))
    recipe = replace(recipe, labels=(GULL,), sites=("chorus",))
    for folder, rules, expected in (
        ("short", Rules(), {"n": 1, "l": 2}),
        ("paper", Rules(Pieces.PAPER), {"n": 1, "l": 1}),
    ):
        listed = [record("n", duration_s=75.0), record("l", duration_s=75.0)]
        answers = {f"{C}/list/{GULL}": listed}
        answers |= {f"{C}/n.flac": song(5, 75), f"{C}/l.flac": song(6, 75)}
        fill(tmp_path / folder, answers)
        how = replace(recipe, rules=rules)
        built = build(tmp_path / folder, how, (chorus,), Settings(), offline=True)
        assert Counter(row["source_id"] for row in table(built, "audio")) == expected
        (whole,) = (row for row in table(built, "audio") if row["source_id"] == "n")
        assert "no-derivatives" in whole["flags"]
        assert (tmp_path / folder / whole["path"]).read_bytes() == answers[f"{C}/n.flac"]


def _with_licence(read, licences):
    def reading(self, hit, response):
        for raw in read(self, hit, response):
            yield replace(raw, licence=licences.get(raw.source_id, raw.licence))

    return reading


@pytest.mark.parametrize("error", [EncoderEndedError("killed"), ZeroDivisionError("by a decoder")])
def test_what_trips_over_one_recording_fails_it_alone(
    filled, recipe, chorus, choir, monkeypatch, error
):
    from fgbench.collect.clean import audio

    write = audio.write_flac

    def trip(samples):
        calls.append(1)
        if len(calls) == 2:
            raise error
        return write(samples)

    calls = []
    monkeypatch.setattr(audio, "write_flac", trip)
    built = build(filled, recipe, (chorus, choir), Settings(), offline=True)
    assert len(built.failed) == 2
    reason = "encoder_ended" if isinstance(error, EncoderEndedError) else "unreadable"
    assert reason in {f.reason for f in built.failed}
    monkeypatch.undo()
    again = build(filled, recipe, (chorus, choir), Settings(), offline=True)
    assert [f.reason for f in again.failed] == ["timeout"]


def test_a_full_disk_ends_the_build(filled, recipe, chorus, choir, monkeypatch):
    def full(path, content):
        raise InputError("FG-D012", "no room", fix="Make some.")

    monkeypatch.setattr("fgbench.collect.clean.audio.write_bytes", full)
    with pytest.raises(FgbenchError, match="FG-D012"):
        build(filled, recipe, (chorus, choir), Settings(), offline=True)
    assert not (filled / "manifests" / "SHA256SUMS").exists()


def listed(site, source_id: str, **more: object) -> Listed:
    hit = Hit(site.name, GULL, "Gull", f"{site.home}list", "")
    free = Licence("CC0-1.0", "", redistributable=True)
    raw = RawAudio(hit, "Song", "", source_id, free, media_url="https://x.example/1", **more)
    return Listed(site, raw, Response("", 200, {}, b"", "", ""))


def test_the_order_is_quality_no_others_length_id_and_sites_take_turns(chorus, choir):
    ones = [
        listed(chorus, "9", quality="E", duration_s=10.0),
        listed(chorus, "8", duration_s=10.0),
        listed(chorus, "10", quality="A", duration_s=300.0),
        listed(chorus, "11", quality="A", duration_s=10.0, other_species=("Corvus corax",)),
        listed(chorus, "12", quality="A", duration_s=10.0),
        listed(chorus, "7", quality="A", duration_s=10.0),
        listed(chorus, "6", quality="C", duration_s=4.0),
        listed(chorus, "5", quality="A"),
        listed(choir, "7", quality="E"),
        listed(chorus, "7", quality="B"),
    ]
    names = [(one.site.name, one.raw.source_id) for one in in_order(ones)]
    assert names[:3] == [("chorus", "7"), ("choir", "7"), ("chorus", "12")]
    own = [name for site, name in names if site == "chorus"]
    assert own == ["7", "12", "5", "10", "11", "6", "8", "9"]


def test_enough_is_half_as_many_again():
    assert [enough(n) for n in (0, 1, 4, 5, 60)] == [0, 2, 6, 8, 90]


def test_how_sound_was_treated_stands_in_the_audit(built):
    options = json.loads((built.folder / "manifests" / "audit.json").read_text())
    told = options["collected"]["options"]
    assert (told["pieces"], told["detector"], told["doubtful"]) == ("short", "gate", "withheld")
