"""What counts as in doubt, and which files of it are ever opened."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from doubtful_build import FIRST, SECOND, in_doubt, piece, write_doubts, write_kept, write_rejected

from fgbench.collect.review.doubts import DOUBTFUL, read_doubts
from fgbench.dataset.io import write_table
from fgbench.dataset.schema import REJECTED
from fgbench.errors import FaultyInput, InputError
from fgbench.species import species


def test_what_was_withheld_for_review_class_by_class(tmp_path):
    ids = write_doubts(tmp_path)
    doubts = read_doubts(tmp_path)
    assert list(doubts) == ids
    labels = [doubt.label for doubt in doubts.values()]
    assert labels == sorted(labels)
    first = doubts[ids[0]]
    assert (first.name, first.scientific_name) == ("Black-footed Albatross", "Phoebastria nigripes")
    assert first.file is not None
    assert first.file.is_file()


def test_what_other_stages_rejected_is_not_in_doubt(tmp_path):
    rows = [in_doubt(piece(n, FIRST)) | {"stage": stage} for n, stage in enumerate(STAGES)]
    write_rejected(tmp_path, rows)
    assert list(read_doubts(tmp_path)) == [piece(STAGES.index("review"), FIRST)["item_id"]]


STAGES = ["clean", "segment", "duplicates", "review", "select"]


def test_what_is_kept_can_be_thought_of_again(tmp_path):
    write_rejected(tmp_path, [in_doubt(piece(1, SECOND))])
    reviewed = piece(2, FIRST, review="keep")
    flagged = piece(3, FIRST, flags=[DOUBTFUL])
    write_kept(tmp_path, [reviewed, flagged, piece(4, FIRST), piece(5, FIRST, flags=["nd"])])
    expected = {reviewed["item_id"], flagged["item_id"], piece(1, SECOND)["item_id"]}
    assert set(read_doubts(tmp_path)) == expected


def test_a_table_without_files_and_scores(tmp_path):
    """As builds of text alone wrote it."""
    known = {column.name for column in REJECTED}
    row = {k: v for k, v in in_doubt(piece(1, FIRST)).items() if k in known}
    write_table(tmp_path / "manifests" / "rejected.parquet", [row], REJECTED)
    (doubt,) = read_doubts(tmp_path).values()
    told = doubt.to_json()
    assert (told["reason"], told["detail"]) == ("doubtful", "SNR 4.5 dB of 6")


@pytest.mark.parametrize("missing", ["nothing", "manifests"])
def test_no_build(tmp_path, missing):
    folder = tmp_path / "build"
    if missing == "manifests":
        (folder / "manifests").mkdir(parents=True)
    with pytest.raises(InputError, match="FG-V001"):
        read_doubts(folder)


@pytest.mark.parametrize("path", ["../secret.flac", "/etc/passwd", "media/../../secret.flac"])
def test_a_path_out_of_the_folder_is_a_fault_of_the_table(tmp_path, path):
    write_rejected(tmp_path, [in_doubt(piece(1, FIRST))])
    table = tmp_path / "manifests" / "rejected.parquet"
    rows = pq.read_table(table)
    at = rows.column_names.index("path")
    pq.write_table(rows.set_column(at, "path", pa.array([path])), table)
    with pytest.raises(FaultyInput) as caught:
        read_doubts(tmp_path)
    assert [fault.code for fault in caught.value.faults] == ["FG-D008"]


@pytest.mark.parametrize("path", ["journal.sqlite", "media/audio", "media/audio/none.flac", None])
def test_what_is_no_file_of_the_media_is_not_opened(tmp_path, path):
    (tmp_path / "media" / "audio").mkdir(parents=True)
    (tmp_path / "journal.sqlite").write_bytes(b"keys")
    write_rejected(tmp_path, [in_doubt(piece(1, FIRST, path=path))])
    (doubt,) = read_doubts(tmp_path).values()
    assert doubt.file is None
    assert doubt.to_json()["has_file"] is False


def test_links_do_not_lead_out_of_the_media(tmp_path):
    build = tmp_path / "build"
    (build / "media" / "audio").mkdir(parents=True)
    (tmp_path / "secret.flac").write_bytes(b"secret")
    (build / "journal.sqlite").write_bytes(b"journal")
    targets = {"out": tmp_path / "secret.flac", "up": build / "journal.sqlite", "loop": "loop.flac"}
    for name, target in targets.items():
        (build / "media" / "audio" / f"{name}.flac").symlink_to(target)
    rows = [piece(n, 0, path=f"media/audio/{name}.flac") for n, name in enumerate(targets)]
    write_rejected(build, [in_doubt(row) for row in rows])
    assert [doubt.file for doubt in read_doubts(build).values()] == [None] * 3


def test_what_the_page_is_told(tmp_path):
    scores = {"energy": float("nan"), "snr_db": float("-inf"), "flatness": 0.5}
    rows = [
        piece(1, FIRST, activity=scores, start_s=float("nan"), source_url="javascript:alert(1)"),
        piece(2, SECOND) | {"label": 731, "species": "No such <b>bird</b>"},
    ]
    write_rejected(tmp_path, [in_doubt(row) for row in rows])
    first, second = read_doubts(tmp_path).values()
    told = json.loads(json.dumps(first.to_json(), allow_nan=False))
    assert told["activity"] == {"energy": None, "flatness": 0.5, "snr_db": None, "birdnet": None}
    assert (told["source_url"], told["licence_url"]) == (None, None)
    assert (told["site"], told["source_id"]) == ("xeno-canto", "XC1")
    assert (told["start_s"], told["end_s"]) == (None, 2.0)
    assert second.name == "No such <b>bird</b>"
    assert second.to_json()["source_url"] == "https://xeno-canto.org/2"
    assert "path" not in told
    assert first.name == species()[FIRST].name
