"""``fgbench build-data`` with the user's own CUB-200-2011 and YouTube Birds."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from collect.local.drawings import HEIGHT, WIDTH, cub_list, ffmpeg, fill, numbered

from fgbench import load_benchmark
from fgbench.cli import main
from fgbench.collect.local.downloads import TERMS
from fgbench.species import species
from fgbench.submission import write_submission

MEDIA = "--media", "image,text,video"
ALBATROSSES = 0, 1  # classes that the sample world has texts of
WHOLE, BROKEN, ELSEWHERE = (letter * 11 for letter in "abc")


@pytest.fixture
def run(calling, monkeypatch, tmp_path):
    """Calls ``fgbench build-data``; returns exit code, stdout and stderr."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "300")
    return calling("build-data")


@pytest.fixture
def images(tmp_path):
    """Two classes of drawings: one image is missing, one is no picture, one is no list's."""
    folder = fill(tmp_path / "CUB_200_2011" / "images", ALBATROSSES)
    first, second, *_ = (i["item_id"].removeprefix("image/") for i in cub_list(0))
    (folder / first).unlink()
    (folder / second).write_bytes(b"<html>")
    (folder / second).with_name("holiday.jpg").write_bytes(b"mine")
    return tmp_path / "CUB_200_2011"


@pytest.fixture
def clips(tmp_path):
    """Lists of three clips: one is a film of 30 frames, one is none, one is not on disk."""
    folder = tmp_path / "YouTube-Birds"
    folder.mkdir()
    names = {str(label): species()[label].cub_name for label in ALBATROSSES}
    lists = {"train_list": [[BROKEN, 1], [ELSEWHERE, 1]], "test_list": [[WHOLE, 0]]}
    for name, content in ({"label2name": names} | lists).items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", "25")
    data = b"".join(map(numbered, range(30)))
    film = ("-pix_fmt", "yuv420p", "-c:v", "libx264")
    ffmpeg(*raw, "-i", "-", *film, str(folder / f"{WHOLE}.mp4"), data=data)
    (folder / f"{BROKEN}.mp4").write_bytes(b"<html>")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def rows(folder: Path, name: str) -> list[dict]:
    return pq.read_table(folder / "manifests" / f"{name}.parquet").to_pylist()


def test_three_media_are_one_benchmark_and_their_accounts_come_out(run, tmp_path, images, clips):
    out = tmp_path / "out"
    options = ("--species", "1,2", "--per-class", "6", "--cub", images, "--youtube-birds", clips)
    code, said, err = run("--sample", *MEDIA, "--out", out, *options, "--json")
    assert code == 0, err
    counts = json.loads(said)["counts"]
    listed = len(cub_list(0)) + len(cub_list(1))
    assert list(counts) == ["image", "text", "video"]
    assert counts["image"]["sites"] == {
        "cub-200-2011": {"found": listed - 1, "kept": listed - 2, "rejected": 1, "failed": 0}
    }
    assert counts["video"]["sites"] == {
        "youtube": {"found": 2, "kept": 1, "rejected": 1, "failed": 0}
    }
    assert counts["text"]["kept"] == 12
    kept = {m: rows(out, m) for m in counts}
    assert {m: len(items) for m, items in kept.items()} == {m: n["kept"] for m, n in counts.items()}
    assert all((out / row["path"]).is_file() for m in ("image", "video") for row in kept[m])
    rejected = Counter(row["medium"] for row in rows(out, "rejected"))
    assert rejected == {medium: numbers["rejected"] for medium, numbers in counts.items()}
    absent = {(r["site"], r["reason"]) for r in rows(out, "absent") if r["medium"] != "text"}
    assert absent == {("cub-200-2011", "missing_file"), ("youtube", "not_downloaded")}
    assert load_benchmark(out / "manifests").media == ("image", "text", "video")
    assert "holiday.jpg" in json.loads(said)["remarks"]["image"][0]
    card, report = ((out / "manifests" / f).read_text() for f in ("CARD.md", "report.html"))
    assert all(site in page for site in ("cub-200-2011", "youtube") for page in (card, report))
    assert "not_downloaded" in report
    assert "unreadable_video" in report


def test_offline_alone_makes_the_same_bytes_from_anywhere(
    run, tmp_path, images, clips, monkeypatch
):
    out = tmp_path / "out"
    monkeypatch.chdir(tmp_path)
    options = ("--species", "1,2", "--cub", images.name, "--youtube-birds", clips.name)
    assert run("--sample", *MEDIA, "--out", out, *options)[0] == 0
    first = contents(out / "manifests") | contents(out / "media")
    assert str(tmp_path).encode() not in b"".join(contents(out / "manifests").values())
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    code, said, err = run("--offline", "--out", out)
    assert code == 0, err
    assert "images of 2 of 2 classes, " in said
    assert "holiday.jpg" in said
    assert contents(out / "manifests") | contents(out / "media") == first
    other = tmp_path / "again"
    assert (
        run(
            "--sample",
            "--media",
            "text,image",
            "--out",
            other,
            *("--species", "1,2", "--cub", images),
        )[0]
        == 0
    )
    for name in "text.parquet", "image.parquet":
        assert (other / "manifests" / name).read_bytes() == first[name]
    code, said, _ = run("--offline", "--out", out, "--media", "image", "--species", "2", "--json")
    assert (code, json.loads(said)["counts"].keys()) == (0, {"image"})
    assert {row["label"] for row in rows(out, "image")} == {1}
    assert not (out / "manifests" / "text.parquet").exists()


def test_images_alone_ask_nobody_and_want_no_contact(run, tmp_path, images):
    out = tmp_path / "out"
    options = ("--media", "image", "--cub", images, "--species", "1")
    code, said, err = run("--out", out, *options, "--plan")
    assert (code, str(images) in said.replace("\n", ""), out.exists()) == (0, True, False)
    code, said, err = run("--out", out, *options)
    assert code == 0, err
    assert "Not asked" not in said
    assert list(json.loads((out / "manifests" / "audit.json").read_text())["counts"]) == ["image"]
    assert run("--offline", "--out", out)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--media", "image"], ["FG-U008", "add --cub"]),
        (["--media", "text,video"], ["FG-U008", "add --youtube-birds"]),
        (["--media", "text", "--cub", "."], ["FG-U009", "--cub"]),
        (["--media", "image", "--cub", ".", "--sites", "fandom"], ["FG-U003", "from sites"]),
        (["--cub", "nowhere"], ["does not exist"]),
        (["--youtube-download"], ["--youtube-birds"]),
        (["--youtube-download", "--offline"], ["--offline"]),
    ],
)
def test_a_wrong_call_is_exit_2_and_leaves_nothing(run, tmp_path, arguments, told):
    code, out, err = run("--out", tmp_path / "d", "--contact", "you@lab.example", *arguments)
    assert (code, out) == (2, "")
    assert all(word in err for word in told)
    assert not (tmp_path / "d").exists()


def test_youtube_is_asked_where_that_is_said_and_its_terms_are_shown(
    run, tmp_path, clips, monkeypatch
):
    asked = []

    def download(self, youtube_id):
        asked.append(youtube_id)
        raise KeyboardInterrupt

    monkeypatch.setattr("fgbench.collect.local.downloads.Downloads._download", download)
    monkeypatch.setenv("FGBENCH_SITE_YOUTUBE_URL", "http://127.0.0.1:9")
    options = ("--media", "video", "--youtube-birds", clips, "--species", "1,2")
    code, _, err = run("--out", tmp_path / "out", *options)
    assert (code, asked, TERMS in err) == (0, [], False)
    code, _, err = run("--out", tmp_path / "out", *options, "--youtube-download")
    assert (code, asked, TERMS in err) == (130, [ELSEWHERE], True)


def test_an_image_that_cannot_be_read_is_exit_3_and_said(run, tmp_path, images, monkeypatch):
    def content(self, path):
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return path.read_bytes()

    name = cub_list(1)[0]["item_id"].rpartition("/")[2]
    monkeypatch.setattr("fgbench.collect.local.holding.Folder._content", content)
    code, out, _ = run(
        *("--out", tmp_path / "out", "--media", "image", "--cub", images, "--species", "2")
    )
    assert code == 3
    assert "unreadable_file" in out
    assert name in out


def test_ten_real_classes_are_scored_beside_texts(run, tmp_path, real_data, capsys):
    source = real_data / "images" / "cub_10classes"
    out = tmp_path / "out"
    options = ("--species", "1,2,3,4,5,6,7,8,9,10", "--cub", source, "--json")
    code, said, err = run("--sample", *MEDIA, "--out", out, *options)
    assert code == 0, err
    counts = json.loads(said)["counts"]["image"]
    assert counts["found"] == counts["kept"] + counts["rejected"] + counts["failed"] == 543
    official = {i["item_id"]: i["split"] for label in range(10) for i in cub_list(label)}
    assert {r["item_id"]: r["split_paper"] for r in rows(out, "image")} == official
    items = load_benchmark(out / "manifests").items
    rng = np.random.default_rng(0)
    ids = {medium: items[medium].ids for medium in items}
    vectors = {medium: rng.normal(size=(len(ids[medium]), 4)) for medium in ids}
    write_submission(tmp_path / "s.npz", ids=ids, embeddings=vectors, meta={"method": "noise"})
    main(["score", str(tmp_path / "s.npz"), "--benchmark", str(out / "manifests"), "--json"])
    record = json.loads(capsys.readouterr().out)
    assert record["complete"]
    assert record["benchmark"]["items"]["image"] == sum(s == "test" for s in official.values())
    tested = [i for label in ALBATROSSES for i in cub_list(label) if i["split"] == "test"]
    assert record["scores"]["i2t"]["queries"] == len(tested)  # no other class has texts
