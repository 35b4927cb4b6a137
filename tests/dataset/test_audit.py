"""The audit: figures counted by hand on a small build, and the accounts that must come out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_build import collected, rows, text_row, write_build

from fgbench.dataset.audit import audit, to_json
from fgbench.dataset.collected import Collected, Failed, recorded
from fgbench.dataset.description import describe
from fgbench.dataset.io import write_table
from fgbench.dataset.schema import MANIFESTS
from fgbench.errors import FaultyInput, FgbenchError, InputError
from fgbench.protocol import Medium


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_build(tmp_path)


@pytest.fixture
def document(folder: Path) -> dict[str, Any]:
    return audit(folder, collected())


def test_found_is_kept_rejected_and_failed(document: dict[str, Any]) -> None:
    text = document["counts"]["text"]
    assert {k: text[k] for k in ("found", "kept", "rejected", "failed")} == {
        "found": 11,
        "kept": 7,
        "rejected": 3,
        "failed": 1,
    }
    assert text["sites"] == {
        "audubon": {"found": 4, "kept": 2, "rejected": 1, "failed": 1},
        "ebird": {"found": 0, "kept": 0, "rejected": 0, "failed": 0},
        "fandom": {"found": 2, "kept": 1, "rejected": 1, "failed": 0},
        "wikipedia": {"found": 5, "kept": 4, "rejected": 1, "failed": 0},
    }
    assert document["counts"]["audio"]["found"] == document["counts"]["audio"]["kept"] == 4


@pytest.mark.parametrize("site", ["wikipedia", "fandom"])
@pytest.mark.parametrize("change", [-1, 1])
def test_an_instance_that_was_lost_or_added_is_told(folder: Path, site: str, change: int) -> None:
    found = collected()
    read = {m: dict(sites) for m, sites in found.read.items()}
    read[Medium.TEXT][site] += change
    with pytest.raises(FgbenchError, match=f"FG-A001.*{site}: read {read[Medium.TEXT][site]}"):
        audit(folder, replace(found, read=read))


def test_two_losses_that_make_up_for_each_other_are_told(folder: Path) -> None:
    found = collected()
    read = {m: dict(sites) for m, sites in found.read.items()}
    read[Medium.TEXT]["wikipedia"] += 1
    read[Medium.TEXT]["fandom"] -= 1
    with pytest.raises(FgbenchError, match=r"FG-A001.*fandom.*wikipedia"):
        audit(folder, replace(found, read=read))


def test_classes_against_what_was_asked_for(document: dict[str, Any]) -> None:
    classes = document["classes"]["text"]
    assert classes["per_class"] == {"0": 4, "1": 3, "2": 0}
    assert classes["short"] == {"1": 3, "2": 0}
    assert (classes["asked"], classes["present"], classes["wanted"]) == (3, 2, 4)
    assert classes["items"] == {"min": 0, "median": 3, "max": 4}
    assert classes["per_site"] == {
        "audubon": {"0": 2},
        "fandom": {"1": 1},
        "wikipedia": {"0": 2, "1": 2},
    }


def test_the_paper_stands_beside(document: dict[str, Any]) -> None:
    paper = document["paper"]["text"]
    assert paper["items"] == {"paper": 8000, "here": 7}
    assert len(paper["sites"]) == 12
    assert {s: n for s, n in paper["sites"].items() if n} == {
        "wikipedia": 4,
        "audubon": 2,
        "fandom": 1,
    }
    assert len(document["paper"]["audio"]["sites"]) == 7
    assert document["paper"]["audio"]["per_class"] == 60


def test_splits_levels_and_leakage(document: dict[str, Any]) -> None:
    assert document["benchmark"]["splits"] == ["split_grouped", "split_paper"]
    sides = document["splits"]["split_grouped"]["text"]
    assert (sides["train"], sides["test"], sides["neither"]) == (3, 3, 1)
    assert sides["levels"] == {"article": 2}
    assert sides["one_sided"] == sides["left_out"] == []
    leak = document["leakage"]["split_grouped"]["text"]
    assert leak["leaking"] == 1
    assert leak["rules"]["source"] == {"items": 1, "of": 3}
    assert leak["rules"]["text"] == {"items": 0, "of": 3}
    assert leak["rules"]["session"] is None
    assert document["leakage"]["split_paper"]["audio"]["leaking"] == 0


def test_the_rest_is_counted(document: dict[str, Any]) -> None:
    assert document["rejected"] == {
        "text": {
            "clean": {"not_english": 1, "too_short": 1},
            "duplicates": {"exact": 1},
        },
        "audio": {},
    }
    assert document["duplicates"]["text"] == {
        "clusters": 0,
        "in_clusters": 0,
        "rejected": {"exact": 1},
    }
    assert document["absent"] == {"text": {"wikipedia": {"no page": 1}}, "audio": {}}
    assert document["failed"]["text"] == {"audubon": {"timeout": 1}}
    assert document["content"]["text"] == {"whole": 7, "pointers": 0}
    licences = [
        (x["licence"], x["redistributable"], x["items"]) for x in document["licences"]["text"]
    ]
    assert licences == [("CC-BY-SA-4.0", True, 5), ("all rights reserved", False, 2)]
    assert document["retrieved"] == ["2019-01-02", "2019-01-24"]
    audio = document["measures"]["audio"]
    assert (audio["unit"], audio["min"], audio["max"]) == ("seconds", 30.5, 33.5)
    assert [b for b in audio["bins"] if b["items"]] == [{"to": 60, "items": 4}]


def test_bins_hold_their_top(tmp_path: Path) -> None:
    lengths = (40, 64, 65, 448, 449)
    texts = [
        text_row(n, 0, "wikipedia", "test", text="a" * length) for n, length in enumerate(lengths)
    ]
    write_table(tmp_path / "text.parquet", texts, MANIFESTS[Medium.TEXT])
    write_table(tmp_path / "audio.parquet", rows()[1], MANIFESTS[Medium.AUDIO])
    measure = audit(tmp_path)["measures"]["text"]
    assert {b["to"]: b["items"] for b in measure["bins"] if b["items"]} == {
        64: 2,
        96: 1,
        448: 1,
        None: 1,
    }


def test_the_document_is_json_and_says_the_same_again(folder: Path) -> None:
    described = describe(folder, collected())
    written = (folder / "audit.json").read_text()
    assert json.loads(written) == described
    assert to_json(audit(folder.parent)) == written
    assert recorded(folder) == collected()


def test_the_order_of_what_was_collected_does_not_matter(folder: Path) -> None:
    found = collected()
    failed = (*found.failed, Failed(Medium.AUDIO, "freesound", 0, "x", "https://f.example", "noai"))
    one = replace(found, failed=failed)
    read = {m: dict(reversed(sites.items())) for m, sites in reversed(found.read.items())}
    two = replace(found, failed=failed[::-1], labels=(2, 1, 0), read=read)
    assert to_json(audit(folder, one)) == to_json(audit(folder, two))


def test_without_a_build_what_nobody_counted_is_null(folder: Path) -> None:
    (folder / "rejected.parquet").unlink()
    document = audit(folder)
    counts = document["counts"]["text"]
    assert counts["kept"] == 7
    assert counts["found"] is counts["failed"] is counts["rejected"] is None
    assert document["collected"] is document["failed"] is document["rejected"] is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"collected": 7}',
        '{"collected": {"labels": [0.5]}}',
        '{"collected": {"labels": [0], "per_class": {"smell": 1}, "read": {}}}',
        "[" * 100_000,
    ],
)
def test_a_damaged_audit_json_is_named(folder: Path, text: str) -> None:
    (folder / "audit.json").write_text(text)
    with pytest.raises(InputError, match="FG-A002"):
        audit(folder)


def test_any_folder_of_manifests_can_be_audited(tmp_path: Path) -> None:
    for medium in ("image", "audio"):
        table = {
            "item_id": [f"{medium}/{n}" for n in range(6)],
            "medium": [medium] * 6,
            "label": [0, 0, 1, 1, 7000, 7000],
            "split": ["train", "test"] * 2 + ["test", "dev"],
            "mine": [None] * 6,
        }
        pq.write_table(pa.table(table), tmp_path / f"{medium}.parquet")
    document = audit(tmp_path)
    assert document["names"] == {"0": "class 0", "1": "class 1", "7000": "class 7000"}
    sides = document["splits"]["split"]["image"]
    assert (sides["train"], sides["test"], sides["neither"]) == (2, 3, 1)
    assert sides["one_sided"] == [7000]
    assert document["licences"]["image"] is document["content"]["image"] is None
    assert document["leakage"]["split"]["image"]["leaking"] is None


def test_all_faults_of_all_manifests_are_told(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"item_id": ["a", "a"], "medium": ["smell"] * 2}), tmp_path / "a.parquet"
    )
    pq.write_table(pa.table({"label": ["x"], "medium": ["text"]}), tmp_path / "b.parquet")
    with pytest.raises(FaultyInput) as error:
        audit(tmp_path)
    assert [f.code for f in error.value.faults] == [
        "FG-D004",
        "FG-D006",
        "FG-D007",
        "FG-D004",
        "FG-D003",
    ]


def test_a_folder_without_manifests_is_no_empty_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="FG-A003"):
        audit(tmp_path)


def test_an_empty_medium_that_was_asked_for_is_there(tmp_path: Path) -> None:
    write_table(tmp_path / "text.parquet", [], MANIFESTS[Medium.TEXT])
    asked = Collected((0,), {Medium.TEXT: 40}, {Medium.TEXT: {"wikipedia": 0}})
    document = audit(tmp_path, asked)
    assert document["counts"]["text"]["found"] == 0
    assert document["classes"]["text"]["short"] == {"0": 0}
