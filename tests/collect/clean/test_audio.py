"""From a recording to rows and files: each outcome, held against the file and the schema."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
import sounds

from fgbench.collect.clean import audio
from fgbench.collect.clean.audio import Cleaned, Rules, clean_audio, pointer
from fgbench.collect.clean.birdnet import Heard
from fgbench.collect.clean.fingerprints import is_copy
from fgbench.collect.clean.segments import Pieces
from fgbench.collect.sites.base import Hit, Licence, RawAudio, Response
from fgbench.dataset.io import read_table, write_table
from fgbench.dataset.schema import MANIFESTS, REJECTED, Row, audio_id
from fgbench.protocol import Medium
from fgbench.species import species

BIRD = species()[9]
BY = Licence("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/", True)
BY_ND = Licence("CC-BY-ND-4.0", "https://creativecommons.org/licenses/by-nd/4.0/", True, False)


def raw(licence: Licence = BY, **more: object) -> RawAudio:
    hit = Hit("xeno-canto", BIRD.label, "Red-winged Blackbird", "https://x.org/api?page=1", "XC7")
    return RawAudio(
        hit,
        title="Song \u202e\u0000of a blackbird",
        source_url="https://x.org/7",
        source_id="7",
        licence=licence,
        media_url="https://x.org/7/download",
        author="A. Recordist",
        recorded_on="2019-05-01",
        place="A lake",
        flags=("preview",),
        **more,
    )


def answer(body: bytes) -> Response:
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return Response("https://x.org/7/download", 200, {}, body, "2026-11-01T12:00:00Z", digest)


def cleaned(body: bytes, out: Path, licence: Licence = BY, **more: object) -> Cleaned:
    return clean_audio(raw(licence), BIRD, answer(body), out, **more)


def files(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def check(result: Cleaned, out: Path) -> list[Row]:
    """The rows; they go into the tables, and each file is what its row says."""
    kept = [row for row in result.rows if "stage" not in row]
    rejected = [row for row in result.rows if "stage" in row]
    write_table(out / "kept.parquet", kept, MANIFESTS[Medium.AUDIO])
    write_table(out / "rejected.parquet", rejected, REJECTED)
    assert read_table(out / "kept.parquet", MANIFESTS[Medium.AUDIO]).num_rows == len(kept)
    for name in ("kept.parquet", "rejected.parquet"):
        (out / name).unlink()
    named = {row["path"]: row for row in result.rows if row.get("path")}
    assert set(files(out)) == set(named)
    for path, content in files(out).items():
        assert named[path]["sha256"] == hashlib.sha256(content).hexdigest()
    for row in kept:
        found = soundfile.info(out / row["path"])
        assert row["bytes"] == (out / row["path"]).stat().st_size
        assert row["sample_rate"] == found.samplerate
        assert row["duration_s"] == pytest.approx(found.duration, abs=0.05)
        assert row["duration_s"] == pytest.approx(row["end_s"] - row["start_s"])
    return list(result.rows)


SONG = sounds.encode(sounds.wav(sounds.scene(1, 8)), "mp3", "-ar", "44100", "-b:a", "128k")
LONG = sounds.wav(np.concatenate([sounds.scene(2, 70, 18), sounds.white(80, 2, 0.02)]))
TONE = 0.1 * np.sin(2 * np.pi * 5000 * sounds.seconds(8)) + sounds.white(8, 1, 0.003)
DOUBT = sounds.wav(TONE)


def test_a_short_recording_is_one_item(tmp_path: Path) -> None:
    (row,) = check(cleaned(SONG, tmp_path), tmp_path)
    digest = hashlib.sha256(SONG).hexdigest()
    assert row["item_id"] == audio_id(digest, row["start_s"], row["end_s"])
    assert row["path"] == f"media/audio/{row['item_id'].removeprefix('audio/')}.flac"
    assert (row["start_s"], row["parent_id"], row["sample_rate"]) == (0, None, 32_000)
    assert row["activity"]["snr_db"] > 15
    assert row["flags"][0] == "preview"
    assert [flag.partition(":")[0] for flag in row["flags"][1:]] == ["decoder", "resampler"]
    expected = {
        "label": 9,
        "species": BIRD.cub_name,
        "medium": "audio",
        "title": "Song of a blackbird",
        "author": "A. Recordist",
        "recorded_on": "2019-05-01",
        "place": "A lake",
        "source_url": "https://x.org/7",
        "source_id": "7",
        "licence": "CC-BY-4.0",
        "redistributable": True,
        "retrieved_at": "2026-11-01T12:00:00Z",
        "warc_digest": f"sha256:{digest}",
        "query": "Red-winged Blackbird",
    }
    assert {name: row[name] for name in expected} == expected


def test_a_long_one_is_pieces_and_what_has_no_bird_goes(tmp_path: Path) -> None:
    rows = check(cleaned(LONG, tmp_path), tmp_path)
    kept = [row for row in rows if "stage" not in row]
    assert len(kept) >= 2
    assert kept[0]["start_s"] == 0
    for before, row in pairwise(kept):
        assert before["end_s"] <= row["start_s"]
        assert 10 <= row["end_s"] - row["start_s"] <= 60
    parent = audio_id(hashlib.sha256(LONG).hexdigest(), 0, 150)
    assert {row["parent_id"] for row in kept} == {parent}
    assert {(row["stage"], row["reason"]) for row in rows if "stage" in row} == {
        ("segment", "no_bird")
    }


def test_the_papers_pieces(tmp_path: Path) -> None:
    (row,) = check(cleaned(LONG, tmp_path, rules=Rules(Pieces.PAPER)), tmp_path)
    assert row["end_s"] == 150


def test_equal_bytes_give_equal_rows_and_files(tmp_path: Path) -> None:
    results = [cleaned(LONG, tmp_path / name) for name in "ab"]
    assert results[0].rows == results[1].rows
    assert files(tmp_path / "a") == files(tmp_path / "b")


class TestNoDerivatives:
    def test_a_recording_stays_as_it_was_fetched(self, tmp_path: Path) -> None:
        body = sounds.encode(LONG, "mp3", "-ar", "44100", "-b:a", "64k")
        (row,) = check(cleaned(body, tmp_path, BY_ND), tmp_path)
        assert row["path"].endswith(".mp3")
        assert (tmp_path / row["path"]).read_bytes() == body
        assert "no-derivatives" in row["flags"]
        assert (row["start_s"], row["sample_rate"]) == (0, 44_100)
        assert row["parent_id"] is None

    def test_or_there_is_none(self, tmp_path: Path) -> None:
        (row,) = check(cleaned(sounds.wav(sounds.white(90)), tmp_path, BY_ND), tmp_path)
        assert row["reason"] == "no_bird"


class TestDoubt:
    def id(self, body: bytes, tmp_path: Path) -> str:
        (row,) = cleaned(body, tmp_path / "before").rows
        return row["item_id"]

    def test_is_withheld_with_its_sound_and_scores(self, tmp_path: Path) -> None:
        (row,) = check(cleaned(DOUBT, tmp_path), tmp_path)
        assert (row["stage"], row["reason"]) == ("review", "doubtful")
        assert "steady tone" in row["detail"]
        assert set(row["activity"]) == {"energy", "flatness", "snr_db", "birdnet"}

    def test_may_be_kept_and_is_flagged(self, tmp_path: Path) -> None:
        (row,) = check(cleaned(DOUBT, tmp_path, rules=Rules(keep_doubtful=True)), tmp_path)
        assert row["flags"][-1] == "doubtful"
        assert "stage" not in row

    @pytest.mark.parametrize("body", [DOUBT, SONG, sounds.wav(sounds.white(8))])
    def test_a_person_decides_on_anything(self, body: bytes, tmp_path: Path) -> None:
        name, out = self.id(body, tmp_path), tmp_path / "after"
        (kept,) = check(cleaned(body, out, decisions={name: "keep"}), out)
        assert kept["review"] == "keep"
        (dropped,) = check(cleaned(body, out, decisions={name: "drop"}), out)
        assert (dropped["stage"], dropped["reason"]) == ("review", "dropped")


class TestRejected:
    @pytest.mark.parametrize(
        ("body", "stage", "reason"),
        [
            (b"", "clean", "not_audio"),
            (b"<html>", "clean", "not_audio"),
            (sounds.riff(b""), "clean", "empty"),
            (sounds.riff(b"\0\1"), "segment", "too_short"),
            (sounds.wav(sounds.scene(1, 4)[:31_000]), "segment", "too_short"),
            (sounds.wav(sounds.white(8)), "segment", "no_bird"),
            (sounds.wav(np.zeros(320_000)), "segment", "no_bird"),
        ],
    )
    def test_with_its_reason(self, body: bytes, stage: str, reason: str, tmp_path: Path) -> None:
        for licence in (BY, BY_ND):
            (row,) = check(cleaned(body, tmp_path, licence), tmp_path)
            assert (row["stage"], row["reason"]) == (stage, reason)
            assert row["detail"]
            assert row["source_id"] == "7"

    def test_a_flaw_that_shows_late_leaves_no_file(self, tmp_path: Path) -> None:
        sound = sounds.scene(2, 150, 30).astype(np.float32)
        sound[-1] = np.nan
        body = sounds.riff(sound.tobytes(), kind=3, bits=32)
        (row,) = check(cleaned(body, tmp_path), tmp_path)
        assert row["reason"] == "bad_samples"

    def test_a_second_is_enough(self, tmp_path: Path) -> None:
        (row,) = check(cleaned(sounds.wav(sounds.song(3, 12)[:32_000]), tmp_path), tmp_path)
        assert "stage" not in row


def test_lengths_that_the_source_states_are_held_against_it(tmp_path: Path) -> None:
    (row,) = clean_audio(raw(duration_s=60.0), BIRD, answer(SONG), tmp_path).rows
    assert "shorter_than_stated" in row["flags"]


def test_an_encoder_that_dies_fails_the_recording_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the second piece: nothing stays, and the next build has it all."""
    real = sounds.imageio_ffmpeg.get_ffmpeg_exe()
    program = tmp_path / "ffmpeg"
    program.write_text(
        f"#!/bin/sh\nif [ -e {tmp_path}/once ]; then kill -9 $$; fi\n"
        f'touch {tmp_path}/once\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    out = tmp_path / "out"
    result = cleaned(LONG, out)
    assert result.rows == ()
    assert result.failed.reason == "encoder_ended"
    assert (result.failed.site, result.failed.label) == ("xeno-canto", 9)
    assert result.failed.source_url == "https://x.org/7/download"
    assert files(out) == {}
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE")
    assert len(check(cleaned(LONG, out), out)) > 1


_CHILD = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
import test_audio
test_audio.cleaned(test_audio.LONG, Path({out!r}))
"""


def test_killed_on_the_way_and_run_again_the_files_are_the_same(tmp_path: Path) -> None:
    expected, out = tmp_path / "expected", tmp_path / "out"
    result = cleaned(LONG, expected)
    here = Path(__file__).parent
    code = _CHILD.format(paths=[str(here), str(here.parents[1])], out=str(out))
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(out.glob("media/audio/*")) and child.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    os.killpg(child.pid, signal.SIGKILL)
    assert child.wait() != 0
    whole = files(expected)
    for path, content in files(out).items():
        assert path.endswith(".part") or whole[path] == content  # nothing half-written
    assert cleaned(LONG, out).rows == result.rows
    assert files(out) == whole


def test_birdnet_is_asked_after_the_gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Net:
        asked = 0

        def hear(self, samples):
            Net.asked += 1
            return Heard("Agelaius phoeniceus", 0.9)

    monkeypatch.setattr(audio, "open_birdnet", Net)
    rules = Rules(birdnet=True)
    (hiss,) = cleaned(sounds.wav(sounds.white(8)), tmp_path, rules=rules).rows
    assert (hiss["reason"], Net.asked) == ("no_bird", 0)
    (row,) = cleaned(DOUBT, tmp_path, rules=rules).rows
    assert "stage" not in row
    assert row["activity"]["birdnet"] == 0.9
    assert row["flags"][-1] == "birdnet-2.4"


def test_a_pointer_has_no_sound(tmp_path: Path) -> None:
    source = replace(raw(), media_url="", duration_s=12.0)
    row = pointer(source, BIRD, answer(b"{}"))
    other = pointer(replace(source, source_url="https://x.org/8"), BIRD, answer(b"{}"))
    write_table(tmp_path / "rows.parquet", [row, other], MANIFESTS[Medium.AUDIO])
    assert row["item_id"] != other["item_id"]
    assert row["path"] is row["sha256"] is None
    assert row["duration_s"] == 12.0


def test_the_print_is_that_of_the_whole(tmp_path: Path) -> None:
    long = cleaned(LONG, tmp_path / "a").landmarks
    excerpt = sounds.encode(LONG, "ogg", "-ss", "31.4", "-t", "25")
    assert is_copy(long, cleaned(excerpt, tmp_path / "b").landmarks)
    assert not is_copy(long, cleaned(SONG, tmp_path / "c").landmarks)
