"""Extraction: in shards, resumed to the same bytes, whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fgbench.errors import Fault, FgbenchError, InputError
from fgbench.media.extraction import SHARD, extract
from fgbench.media.features import read_features
from fgbench.media.item import MediaItem
from fgbench.media.parts import Extracted, Vocabulary
from fgbench.media.words import BagOfWords
from fgbench.protocol import Medium

ITEMS = [MediaItem(f"text/{i:03}", Medium.TEXT, text=str(i)) for i in range(3 * SHARD + 5)]


@dataclass(frozen=True)
class Numbers:
    """The number that a text is, and its square. ``log``: a file that gets a line a call."""

    log: Path
    broken: frozenset[str] = frozenset()
    stop_at: str = ""
    kill: bool = False
    fingerprint: str = "numbers"

    def __call__(self, items: Sequence[MediaItem]) -> list[Extracted | Fault]:
        if self.stop_at in {item.item_id for item in items}:
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt
        with self.log.open("a") as file:
            file.write("".join(f"{item.item_id}\n" for item in items))
        return [self._extract(item) for item in items]

    def _extract(self, item: MediaItem) -> Extracted | Fault:
        if item.item_id in self.broken:
            return Fault("FG-M004", item.item_id, "an empty text", "a text", "leave it out")
        number = np.float32(item.text)
        return Extracted(np.array([number, number**2]))


def run(folder: Path, items: Sequence[MediaItem] = ITEMS, **options: object) -> tuple[Fault, ...]:
    extractor = Numbers(folder / "log", **options)
    return extract(items, extractor, folder / "out" / "text.npz", workers=1)


def calls(folder: Path) -> list[str]:
    """The items that were worked on since the last call."""
    log = folder / "log"
    lines = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return lines


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """The file that an uninterrupted run writes."""
    folder = tmp_path / "whole"
    folder.mkdir()
    assert run(folder) == ()
    return (folder / "out" / "text.npz").read_bytes()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").iterdir())


def test_every_item_has_its_row_in_order(tmp_path: Path) -> None:
    assert run(tmp_path) == ()
    found = read_features(tmp_path / "out" / "text.npz")
    assert found.ids.tolist() == [item.item_id for item in ITEMS]
    assert found.rows.tolist() == [[i, i * i] for i in range(len(ITEMS))]
    assert names(tmp_path) == ["text.json", "text.npz"]


def test_stopped_it_goes_on_to_the_same_bytes(tmp_path: Path, whole: bytes) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, stop_at=ITEMS[2 * SHARD].item_id)
    assert names(tmp_path) == ["text.part"]
    first = calls(tmp_path)
    assert run(tmp_path) == ()
    assert sorted(first + calls(tmp_path)) == [item.item_id for item in ITEMS]
    assert (tmp_path / "out" / "text.npz").read_bytes() == whole


def test_killed_it_goes_on_to_the_same_bytes(tmp_path: Path, whole: bytes) -> None:
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "import test_extraction as t\n"
        f"t.run(Path({str(tmp_path)!r}), stop_at=t.ITEMS[2 * t.SHARD].item_id, kill=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(calls(tmp_path)) == 2 * SHARD
    assert run(tmp_path) == ()
    assert len(calls(tmp_path)) == len(ITEMS) - 2 * SHARD
    assert (tmp_path / "out" / "text.npz").read_bytes() == whole


def test_two_workers_write_the_same_bytes(tmp_path: Path) -> None:
    items = [
        MediaItem(f"text/{i}", Medium.TEXT, text="owl " * i + "gull") for i in range(3 * SHARD)
    ]
    for workers in (1, 2):
        path = tmp_path / f"{workers}.npz"
        assert extract(items, BagOfWords(("gull", "owl")), path, workers=workers) == ()
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
    assert read_features(tmp_path / "2.npz").rows.tolist() == [[1, i] for i in range(len(items))]


@dataclass(frozen=True)
class Spelled(Numbers):
    """With the digits of the number as words."""

    def _extract(self, item: MediaItem) -> Extracted | Fault:
        found = super()._extract(item)
        digits = np.array([*map(int, item.text)], np.int32)
        return found if isinstance(found, Fault) else found._replace(parts=digits)


def test_parts_of_all_shards_come_with_the_vocabulary(tmp_path: Path) -> None:
    path, log = tmp_path / "out" / "text.npz", tmp_path / "log"
    vocabulary = Vocabulary(np.array(list("0123456789")), np.eye(10, dtype=np.float32))
    with pytest.raises(KeyboardInterrupt):
        extract(ITEMS, Spelled(log, stop_at=ITEMS[-1].item_id), path, workers=1)
    assert extract(ITEMS, Spelled(log), path, vocabulary=vocabulary, workers=1) == ()
    found = read_features(path, parts=True).parts
    assert "".join(map(str, found.rows)) == "".join(item.text for item in ITEMS)
    assert found.counts.tolist() == [len(item.text) for item in ITEMS]
    assert found.vocabulary.tolist() == list("0123456789")
    whole = tmp_path / "whole.npz"
    extract(ITEMS, Spelled(log), whole, vocabulary=vocabulary, workers=1)
    assert path.read_bytes() == whole.read_bytes()


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    run(tmp_path)
    calls(tmp_path)
    assert run(tmp_path) == ()
    assert calls(tmp_path) == []


def test_another_extractor_or_text_is_done_again(tmp_path: Path) -> None:
    run(tmp_path)
    calls(tmp_path)
    run(tmp_path, fingerprint="others")
    assert len(calls(tmp_path)) == len(ITEMS)
    changed = [MediaItem(ITEMS[0].item_id, Medium.TEXT, text="50"), *ITEMS[1:]]
    run(tmp_path, changed, fingerprint="others")
    assert read_features(tmp_path / "out" / "text.npz").rows[0, 0] == 50


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "picture"
    file.write_text("1")
    item = MediaItem("image/1", Medium.IMAGE, path=file, text="7")
    run(tmp_path, [item])
    calls(tmp_path)
    file.write_text("12")
    run(tmp_path, [item])
    assert calls(tmp_path) == ["image/1"]


def test_one_fault_and_no_file_but_the_work_is_kept(tmp_path: Path, whole: bytes) -> None:
    broken = frozenset({ITEMS[1].item_id, ITEMS[-1].item_id})
    assert [fault.where for fault in run(tmp_path, broken=broken)] == sorted(broken)
    assert names(tmp_path) == ["text.part"]
    calls(tmp_path)
    assert run(tmp_path) == ()
    assert calls(tmp_path) == [item.item_id for item in (*ITEMS[:SHARD], *ITEMS[3 * SHARD :])]
    assert (tmp_path / "out" / "text.npz").read_bytes() == whole


def test_a_spoilt_shard_is_made_again(tmp_path: Path, whole: bytes) -> None:
    run(tmp_path, broken=frozenset({ITEMS[-1].item_id}))
    spoilt = sorted((tmp_path / "out" / "text.part").glob("*.npz"))[0]
    spoilt.write_bytes(spoilt.read_bytes()[:-30])
    calls(tmp_path)
    assert run(tmp_path) == ()
    assert len(calls(tmp_path)) == SHARD + 5
    assert (tmp_path / "out" / "text.npz").read_bytes() == whole


def test_somebodys_own_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "text.npz").write_bytes(b"mine")
    with pytest.raises(InputError, match="FG-F069"):
        run(tmp_path)
    assert (tmp_path / "out" / "text.npz").read_bytes() == b"mine"


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Twice(Numbers):
        def __call__(self, items: Sequence[MediaItem]) -> list[Extracted | Fault]:
            with pytest.raises(InputError, match="FG-F067"):
                run(tmp_path)
            return super().__call__(items)

    assert extract(ITEMS, Twice(tmp_path / "log"), tmp_path / "out/text.npz", workers=1) == ()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(FgbenchError, match="FG-F014"):
        run(tmp_path)
