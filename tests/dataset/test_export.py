"""An export: what may not be passed on is a pointer that can be known again; all is in accord."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from small_build import audio_row, collected, prose, rows, text_row, write_build

from fgbench import load_benchmark, remote
from fgbench.dataset import io
from fgbench.dataset.audit import audit, to_json
from fgbench.dataset.description import describe
from fgbench.dataset.export import Exported, What, export
from fgbench.dataset.io import read_bytes, read_table, write_benchmark, write_table
from fgbench.dataset.schema import MANIFESTS, REJECTED, Row, text_id
from fgbench.errors import FaultyInput, FgbenchError, InputError
from fgbench.protocol import Medium


@pytest.fixture
def build(tmp_path: Path) -> Path:
    describe(write_build(tmp_path / "build"), collected())
    (tmp_path / "build" / "journal.sqlite").write_text("not for others")
    return tmp_path / "build"


def texts(folder: Path) -> list[Row]:
    found: list[Row] = read_table(folder / "text.parquet", MANIFESTS[Medium.TEXT]).to_pylist()
    return found


def rejected(folder: Path) -> list[Row]:
    found: list[Row] = read_table(folder / "rejected.parquet", REJECTED).to_pylist()
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_may_not_be_passed_on_is_a_pointer(build: Path, tmp_path: Path) -> None:
    done = export(build, str(tmp_path / "out"), What.REDISTRIBUTABLE)
    assert done == Exported(
        whole={Medium.TEXT: 5, Medium.AUDIO: 4},
        pointers={Medium.TEXT: 2, Medium.AUDIO: 0},
        restricted=0,
        media_files=4,
    )
    before = {row["item_id"]: row for row in texts(build / "manifests")}
    after = {row["item_id"]: row for row in texts(tmp_path / "out" / "manifests")}
    for item_id, row in before.items():
        kept = row["text"] if row["site"] != "audubon" else None
        assert after[item_id] == {**row, "text": kept}
    assert {r["reason"]: r["detail"] for r in rejected(tmp_path / "out" / "manifests")} == {
        "too_short": prose(8),
        "not_english": None,
        "exact": "repeats",
    }


@pytest.mark.parametrize(
    ("what", "numbers"), [(What.REDISTRIBUTABLE, (3, 4, 9)), (What.POINTERS, range(1, 10))]
)
def test_no_file_holds_a_word_of_what_is_kept_back(
    build: Path, tmp_path: Path, what: What, numbers: Sequence[int]
) -> None:
    export(build, str(tmp_path / "out"), what)
    manifests = tmp_path / "out" / "manifests"
    held = [json.dumps(texts(manifests)), json.dumps(rejected(manifests))]
    held += [data.decode("latin-1") for data in files(tmp_path / "out").values()]
    for number in numbers:
        word = f"word{number}x"
        assert word in prose(number)
        assert not [1 for text in held if word in text]


def test_who_fetches_the_page_again_knows_the_text(build: Path, tmp_path: Path) -> None:
    export(build, str(tmp_path / "out"), What.POINTERS)
    refetched = {row["source_url"]: f" {row['text'].upper()}" for row in rows()[0]}
    for row in texts(tmp_path / "out" / "manifests"):
        assert row["text"] is None
        assert text_id(refetched[row["source_url"]]) == row["item_id"]
    clips = read_table(tmp_path / "out/manifests/audio.parquet", MANIFESTS[Medium.AUDIO])
    for clip, original in zip(clips.to_pylist(), rows()[1], strict=True):
        assert clip["path"] is None
        assert clip["sha256"] == hashlib.sha256(original["path"].encode()).hexdigest()
    assert not (tmp_path / "out" / "media").exists()


@pytest.mark.parametrize("what", What)
def test_what_stands_beside_the_tables_is_in_accord(
    build: Path, tmp_path: Path, what: What
) -> None:
    out = tmp_path / "out"
    export(build, str(out), what)
    manifests = out / "manifests"
    subprocess.run(["sha256sum", "--strict", "--quiet", "-c", io.SUMS], cwd=manifests, check=True)
    named = {line.split("  ")[1] for line in (manifests / io.SUMS).read_text().splitlines()}
    assert named == {path.name for path in manifests.iterdir()} - {io.SUMS}
    assert (manifests / "audit.json").read_text() == to_json(audit(out))
    document = json.loads((manifests / "audit.json").read_text())
    assert document["counts"] == audit(build)["counts"]
    pointers = {What.WHOLE: 0, What.REDISTRIBUTABLE: 2, What.POINTERS: 7}[what]
    assert document["content"]["text"] == {"whole": 7 - pointers, "pointers": pointers}
    assert (
        f"{7 - pointers} are whole and {pointers} are pointers"
        in (manifests / "CARD.md").read_text()
    )
    sums = {
        f["name"]: f["sha256"]
        for f in json.loads(read_bytes(manifests / "croissant.json"))["distribution"]
    }
    assert sums == document["files"]
    one, two = load_benchmark(build), load_benchmark(out)
    assert (one.id, one.title, one.split_column) == (two.id, two.title, two.split_column)
    assert one.left_out == two.left_out
    for medium in one.media:
        assert one.items[medium].ids.tolist() == two.items[medium].ids.tolist()


def test_a_whole_copy_is_the_same_bytes(build: Path, tmp_path: Path) -> None:
    done = export(build, str(tmp_path / "out"))
    assert done.restricted == 2
    expected = files(build)
    del expected["journal.sqlite"]
    assert files(tmp_path / "out") == expected


def test_an_export_of_an_export_changes_nothing(build: Path, tmp_path: Path) -> None:
    export(build, str(tmp_path / "one"), What.REDISTRIBUTABLE)
    export(tmp_path / "one", str(tmp_path / "two"), What.REDISTRIBUTABLE)
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_target_that_is_there_is_left_alone(build: Path, tmp_path: Path) -> None:
    used = tmp_path / "used"
    used.mkdir()
    (used / "mine").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for target in (used, used / "mine", tmp_path / "link", build):
        with pytest.raises(InputError, match="FG-T001"):
            export(build, str(target))
    assert files(used) == {"mine": b"x"}
    (tmp_path / "empty").mkdir()
    export(build, str(tmp_path / "empty"))
    export(build, f"file://{tmp_path}/a%20new/one")
    assert (tmp_path / "a new" / "one" / "manifests" / "benchmark.json").is_file()


def test_a_url_is_written_sums_last(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, upload = [], remote.upload

    def note(source: Path, url: str) -> None:
        order.append(url)
        upload(source, url)

    monkeypatch.setattr(remote, "upload", note)
    base = f"memory://{tmp_path.name}/copy"
    export(build, f"{base}/", What.REDISTRIBUTABLE)
    assert order[-2:] == [f"{base}/manifests/{name}" for name in ("benchmark.json", io.SUMS)]
    export(build, str(tmp_path / "here"), What.REDISTRIBUTABLE)
    here = files(tmp_path / "here")
    assert {target.removeprefix(f"{base}/"): read_bytes(target) for target in order} == here
    with pytest.raises(InputError, match="FG-T001"):
        export(build, base)


def test_media_that_are_not_as_their_rows_say_are_all_told(build: Path, tmp_path: Path) -> None:
    media = build / "media" / "audio"
    (media / "20.flac").write_bytes(b"changed")
    (media / "21.flac").unlink()
    (media / "22.flac").unlink()
    (media / "22.flac").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_bytes(b"media/audio/22.flac")
    with pytest.raises(FaultyInput) as error:
        export(build, str(tmp_path / "out"))
    assert [(f.code, f.where) for f in error.value.faults] == [
        ("FG-T003", f"media/audio/{n}.flac") for n in (20, 21, 22)
    ]
    assert error.value.faults[2].found == "a file outside the build"
    assert not (tmp_path / "out").exists()
    export(build, str(tmp_path / "out"), What.POINTERS)


@pytest.mark.parametrize("step", ["copy", "write"])
def test_a_full_disk_leaves_nothing(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(*((shutil, "copyfile", full) if step == "copy" else (os, "fsync", full)))
    with pytest.raises(FgbenchError, match="No space left") as error:
        export(build, str(tmp_path / "out"))
    assert error.value.exit_code == 1
    assert sorted(tmp_path.iterdir()) == before


def test_only_a_build_can_be_exported(build: Path, tmp_path: Path) -> None:
    with pytest.raises(FaultyInput, match="FG-D004"):
        export("fgxmedia-2019", str(tmp_path / "out"))
    manifests = build / "manifests"
    shutil.copy(manifests / "text.parquet", manifests / "mine.parquet")
    (manifests / "benchmark.json").unlink()
    with pytest.raises(InputError, match="FG-T002"):
        export(manifests, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_clip_that_may_not_be_passed_on_stays(tmp_path: Path) -> None:
    build = tmp_path / "build"
    write_build(build)
    _, clips, _ = rows()
    clips[1] = audio_row(21, 0, "test", redistributable=False)
    write_table(build / "manifests" / "audio.parquet", clips, MANIFESTS[Medium.AUDIO])
    write_table(
        build / "manifests" / "text.parquet",
        [text_row(n, n % 2, "wikipedia", "test") for n in range(4)],
        MANIFESTS[Medium.TEXT],
    )
    write_benchmark(build / "manifests", "small", "A small build")
    done = export(build, str(tmp_path / "out"), What.REDISTRIBUTABLE)
    assert (done.whole[Medium.AUDIO], done.pointers[Medium.AUDIO]) == (3, 1)
    assert sorted(p.name for p in (tmp_path / "out/media/audio").iterdir()) == [
        "20.flac",
        "22.flac",
        "23.flac",
    ]
