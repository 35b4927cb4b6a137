"""YouTube Birds, from lists, files and downloads to rows: each clip has one of four outcomes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from math import floor
from pathlib import Path

import pytest
from collect.local.drawings import HEIGHT, WIDTH, Movie, number_of
from collect.local.loopback import serve

from fgbench.collect.local import youtube_birds
from fgbench.collect.local.downloads import STORE, Downloads
from fgbench.collect.local.found import Found
from fgbench.dataset.io import write_table
from fgbench.dataset.schema import ABSENT, MANIFESTS, REJECTED
from fgbench.errors import FgbenchError, InputError
from fgbench.protocol import Medium
from fgbench.settings import Settings
from fgbench.species import species

H264 = ("-c:v", "libx264", "-bf", "3")
BIRDS = species()[:3]
WHOLE, SHORT, BROKEN, PRIVATE, DOWN, OTHER = (letter * 11 for letter in "abcdef")
TRAIN = [[WHOLE, 0], [SHORT, 1], [BROKEN, 1], [OTHER, 7]]
TEST = [[PRIVATE, 2], [DOWN, 0], [WHOLE, 0]]


@pytest.fixture
def source(movie: Movie, tmp_path: Path) -> Path:
    """Lists of seven clips; four are on disk, in folders as the lists' readers make them."""
    folder = tmp_path / "YouTube-Birds"
    names = {str(bird.label): bird.cub_name for bird in species()[:8]}
    for name, content in (("label2name", names), ("train_list", TRAIN), ("test_list", TEST)):
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    files = {
        f"train/Black_footed_Albatross/{WHOLE}.MP4": movie("a.mp4", 203, *H264).read_bytes(),
        f"train/Laysan_Albatross/{SHORT}.webm": movie("b.mp4", 7, *H264).read_bytes(),
        f"train/Laysan_Albatross/{BROKEN}.mp4": b"<html>",
        f"train/Laysan_Albatross/{BROKEN}.mp4.part": b"half",
        f"train/Other/{OTHER}.mp4": b"another class",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def build(source: Path, out: Path, **options: object) -> Found:
    return youtube_birds.rows(source, BIRDS, out, Downloads(out, Settings()), **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_every_clip_has_one_outcome(source: Path, tmp_path: Path) -> None:
    before = contents(source)
    found = build(source, tmp_path / "out")
    assert contents(source) == before
    whole, short = found.kept
    assert (whole["item_id"], short["item_id"]) == (f"video/{WHOLE}", f"video/{SHORT}")
    assert [(r["item_id"], r["stage"], r["reason"]) for r in found.rejected] == [
        (f"video/{BROKEN}", "clean", "unreadable_video"),
        (f"video/{WHOLE}", "duplicates", "listed_twice"),
    ]
    assert [(row["query"], row["label"], row["reason"]) for row in found.absent] == [
        (PRIVATE, 2, "not_downloaded"),
        (DOWN, 0, "not_downloaded"),
    ]
    assert found.failed == ()
    assert len(found.remarks) == 2


def test_a_row_says_what_is_on_disk(source: Path, movie: Movie, tmp_path: Path) -> None:
    out = tmp_path / "out"
    whole, short = build(source, out).kept
    content = movie("a.mp4", 203, *H264).read_bytes()
    assert whole["path"] == f"media/video/{WHOLE}.mp4"
    assert (out / whole["path"]).read_bytes() == content
    assert (whole["bytes"], whole["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert (whole["width"], whole["height"], whole["frames"]) == (WIDTH, HEIGHT, 25)
    assert whole["duration_s"] == pytest.approx(8.12, abs=0.05)
    frames = sorted((out / "media/video" / WHOLE).glob("*.jpg"))
    shown = [number_of(frame.read_bytes()) for frame in frames]
    assert shown == [floor((i + 0.5) * 203 / 25) for i in range(25)]
    assert whole["source_url"] == f"https://www.youtube.com/watch?v={WHOLE}"
    assert (whole["licence"], whole["redistributable"]) == ("all rights reserved", False)
    assert (short["frames"], short["flags"]) == (7, ["few_frames"])
    assert (short["split_paper"], short["split_grouped"]) == ("train", "train")


def test_a_clip_on_both_lists_is_tested_with(source: Path, tmp_path: Path) -> None:
    found = build(source, tmp_path / "out")
    assert found.kept[0]["split_paper"] == "test"
    assert found.rejected[1]["duplicate_of"] == found.kept[0]["item_id"]
    assert "it is in test as 001.Black_footed_Albatross" in found.rejected[1]["detail"]


def test_rows_fit_the_schema_and_are_equal_twice(source: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        found = build(source, tmp_path / name)
        write_table(tmp_path / name / "video.parquet", found.kept, MANIFESTS[Medium.VIDEO])
        write_table(tmp_path / name / "rejected.parquet", found.rejected, REJECTED)
        write_table(tmp_path / name / "absent.parquet", found.absent, ABSENT)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(contents(tmp_path / "one")) == 3 + 2 + (25 + 1) + (7 + 1)


def test_several_workers_make_the_same(source: Path, tmp_path: Path, monkeypatch) -> None:
    one = build(source, tmp_path / "one")
    monkeypatch.setattr(youtube_birds, "FEW", 0)
    assert build(source, tmp_path / "two") == one
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_build_that_was_stopped_goes_on(source: Path, tmp_path: Path) -> None:
    found = build(source, tmp_path / "whole")
    out = tmp_path / "out"
    build(source, out)
    (out / "media/video" / WHOLE / "03.jpg").unlink()
    (out / "media/video" / f"{SHORT}.webm").unlink()
    (out / "media/video" / f".{SHORT}.webm.part").write_bytes(b"half")
    shutil.rmtree(out / "media/video" / SHORT)
    (out / "media/video" / f".{SHORT}.part").mkdir()
    (out / "media/video" / f".{SHORT}.part" / "01.jpg").write_bytes(b"half")
    assert build(source, out) == found
    assert contents(out) == contents(tmp_path / "whole")


def test_a_video_that_changed_is_taken_anew(source: Path, movie: Movie, tmp_path: Path) -> None:
    out = tmp_path / "out"
    build(source, out)
    path = source / "train" / "Laysan_Albatross" / f"{SHORT}.webm"
    path.unlink()
    shutil.copy(movie("b.mp4", 9, *H264), path)
    row = build(source, out).kept[1]
    assert row["frames"] == 9
    assert (out / row["path"]).read_bytes() == path.read_bytes()
    assert len(list((out / "media/video" / SHORT).glob("*.jpg"))) == 9


def test_clips_are_linked_where_that_can_be_and_copied_elsewhere(
    source: Path, tmp_path: Path, monkeypatch
) -> None:
    linked = tmp_path / "one" / build(source, tmp_path / "one").kept[0]["path"]
    original = source / "train" / "Black_footed_Albatross" / f"{WHOLE}.MP4"
    assert linked.samefile(original)

    def refuse(*paths: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    copied = tmp_path / "two" / build(source, tmp_path / "two").kept[0]["path"]
    assert not copied.samefile(original)
    assert copied.read_bytes() == original.read_bytes()


def test_downloads_fill_the_gaps(source: Path, movie: Movie, tmp_path: Path) -> None:
    out = tmp_path / "out"
    clip = movie("c.mp4", 30, *H264).read_bytes()
    with serve({DOWN: clip, PRIVATE: 503}) as server:
        settings = Settings(sites={"FGBENCH_SITE_YOUTUBE_URL": server.url})
        asking = Downloads(out, settings, ask=True, rest=0)
        found = youtube_birds.rows(source, BIRDS, out, asking)
        assert set(server.asked) == {DOWN, PRIVATE}  # what is on disk is not asked for
    row = next(row for row in found.kept if row["source_id"] == DOWN)
    assert (out / row["path"]).samefile(out / STORE / f"{DOWN}.mp4")
    assert row["retrieved_at"].endswith("Z")
    assert (row["split_paper"], row["frames"]) == ("test", 25)
    (failed,) = found.failed
    assert (failed.query, failed.reason, failed.label) == (PRIVATE, "http_5xx", 2)
    assert failed.source_url == f"https://www.youtube.com/watch?v={PRIVATE}"
    assert found.absent == ()
    again = youtube_birds.rows(source, BIRDS, out, Downloads(out, Settings()))
    assert again == found  # from the store alone


def test_clips_put_off_are_put_off_in_a_rebuild_too(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with serve({PRIVATE: 429, DOWN: 429}) as server:
        settings = Settings(sites={"FGBENCH_SITE_YOUTUBE_URL": server.url})
        found = youtube_birds.rows(source, BIRDS, out, Downloads(out, settings, ask=True, rest=0))
    assert sorted(failed.reason for failed in found.failed) == ["put_off", "rate_limited"]
    assert youtube_birds.rows(source, BIRDS, out, Downloads(out, Settings())) == found


def test_what_youtube_told_is_in_the_row(source: Path, movie: Movie, tmp_path: Path) -> None:
    store = tmp_path / "out" / STORE
    store.mkdir(parents=True)
    shutil.copy(movie("c.mp4", 30, *H264), store / f"{DOWN}.mp4")
    info = {
        "title": "A wren",
        "uploader": "Ann",
        "license": "Creative Commons Attribution license (reuse allowed)",
        "epoch": 1_790_000_000,
    }
    (store / f"{DOWN}.info.json").write_text(json.dumps(info))
    row = next(r for r in build(source, tmp_path / "out").kept if r["source_id"] == DOWN)
    assert (row["title"], row["author"]) == ("A wren", "Ann")
    assert (row["licence"], row["redistributable"]) == ("CC-BY", True)
    assert row["retrieved_at"] == "2026-09-21T14:13:20Z"
    assert row["attribution"] == f"Ann, https://www.youtube.com/watch?v={DOWN}"


def test_without_lists_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="FG-L010"):
        build(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_ends_the_run_and_leaves_no_half_folder(
    source: Path, tmp_path: Path, monkeypatch
) -> None:
    def refuse(*paths: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(FgbenchError, match="FG-L013"):
        build(source, tmp_path / "out")
    assert [path.name[0] for path in (tmp_path / "out/media/video").iterdir()] == ["."]


def test_a_clip_that_is_gone_when_its_turn_comes_is_named(
    source: Path, tmp_path: Path, monkeypatch
) -> None:
    held = youtube_birds.map_unordered

    def late(function, items, **options):
        items[0].video.unlink()
        return held(function, items, **options)

    monkeypatch.setattr(youtube_birds, "map_unordered", late)
    found = build(source, tmp_path / "out")
    gone = next(row for row in found.rejected if row["source_id"] == WHOLE)
    assert (gone["reason"], gone["detail"]) == ("unreadable_video", "No such file or directory")
