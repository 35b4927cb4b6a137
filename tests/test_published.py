"""Printed numbers: complete, as printed, and consistent with their printed averages."""

from __future__ import annotations

import csv
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from importlib import resources

import pytest

from fgbench.errors import InputError
from fgbench.protocol import Convention, bimodal_tasks, multimodal_tasks
from fgbench.published import MEAN_BIMODAL, MEAN_MULTIMODAL, Origin, find, published

TWELVE = {task.code for task in bimodal_tasks()}
FOUR = {task.code for task in multimodal_tasks()}
PAPER = ("fgcrossnet", "mhtn", "acmr", "jrl", "gsph", "cmdn", "scan", "gxn")
ABLATION = ("fgcrossnet-cls", "fgcrossnet-cls-center")
LATER = ("dbfc-net", "dbfc-net-cosine-plus", "safgcmhn", "gasa")


def rows_of(name: str) -> list[dict[str, str]]:
    text = (resources.files("fgbench.manifests") / name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_all_methods_are_there() -> None:
    assert {m.key for m in published()} == {*PAPER, *ABLATION, *LATER, "fgcrossnet-rerun"}


@pytest.mark.parametrize("key", [*PAPER[:6], *ABLATION, *LATER])
def test_methods_on_four_media_have_all_twelve(key: str) -> None:
    method = find(key)
    assert set(method.values) == TWELVE | (set() if key in ABLATION else FOUR)
    assert set(method.means) == {MEAN_BIMODAL} | (set() if key in ABLATION else {MEAN_MULTIMODAL})


@pytest.mark.parametrize("key", ["scan", "gxn"])
def test_methods_on_two_media_have_two(key: str) -> None:
    assert set(find(key).values) == {"i2t", "t2i"}
    assert set(find(key).means) == {MEAN_BIMODAL}


# Typed from the tables again, in the order of the protocol's tasks, apart from published.csv.
COPIES = {
    "fgcrossnet": "210 606 526 255 208 181 629 195 437 553 159 443 549 196 416 485",
    "mhtn": "116 281 195 124 185 138 306 186 306 196 127 290 208 142 237 341",
    "cmdn": "099 377 009 123 078 007 446 081 009 017 008 010 321 071 016 229",
    "fgcrossnet-cls": "132 579 485 181 146 126 597 126 396 514 100 410",
    "safgcmhn": "293 636 625 335 272 263 677 270 525 629 231 495 618 270 546 497",
    "gasa": "339 681 600 379 331 290 711 321 533 609 255 507 627 311 491 568",
}


@pytest.mark.parametrize("key", COPIES)
def test_rows_typed_a_second_time(key: str) -> None:
    assert [f"{v.value}" for v in find(key).values.values()] == [
        f"0.{digits}" for digits in COPIES[key].split()
    ]


AVERAGES = {
    "fgcrossnet": "366 412",
    "mhtn": "204 232",
    "acmr": "162 151",
    "jrl": "160 192",
    "gsph": "159 219",
    "cmdn": "105 159",
    "scan": "050",
    "gxn": "029",
    "fgcrossnet-cls": "316",
    "fgcrossnet-cls-center": "359",
    "dbfc-net": "423 474",
    "dbfc-net-cosine-plus": "446 489",
    "safgcmhn": "437 482",
    "gasa": "463 499",
}


@pytest.mark.parametrize("key", AVERAGES)
def test_averages_typed_a_second_time(key: str) -> None:
    printed = [f"0.{digits}" for digits in AVERAGES[key].split()]
    assert [str(value.value) for value in find(key).means.values()] == printed


@pytest.mark.parametrize("key", AVERAGES)
@pytest.mark.parametrize("mean", [MEAN_BIMODAL, MEAN_MULTIMODAL])
def test_printed_averages_follow_from_their_cells(key: str, mean: str) -> None:
    method = find(key)
    if mean not in method.means:
        assert mean == MEAN_MULTIMODAL
        return
    codes = TWELVE if mean == MEAN_BIMODAL else FOUR
    cells = [v.value for code, v in method.values.items() if code in codes]
    exact = sum(cells) / len(cells)
    printed = method.means[mean]
    notes = {note.key for note in printed.notes}
    rounded = exact.quantize(Decimal("0.001"), ROUND_HALF_UP)
    if "truncated" in notes:
        assert printed.value == exact.quantize(Decimal("0.001"), ROUND_DOWN) != rounded
    elif "average-high" in notes:
        assert printed.value - exact == Decimal("0.001")
    else:
        assert printed.value == rounded


@pytest.mark.parametrize("key", ["acmr", "jrl", "gsph", "cmdn"])
def test_swapped_columns_are_marked_where_they_stand(key: str) -> None:
    marked = {
        code
        for code, value in find(key).values.items()
        if "columns-swapped" in {note.key for note in value.notes}
    }
    assert marked == {"v2all", "a2all"}


def test_third_party_rerun_is_a_row_of_its_own() -> None:
    rerun = find("fgcrossnet-rerun")
    assert rerun.origin is Origin.UNOFFICIAL
    assert rerun.variant_of == "fgcrossnet"
    assert str(rerun.values["i2t"].value) == "0.545611"
    assert not {code for code in rerun.values if "v" in code.partition("2")[0]}
    assert [m.key for m in published() if m.origin is Origin.UNOFFICIAL] == ["fgcrossnet-rerun"]


def test_every_method_says_where_it_is_from() -> None:
    keys = {m.key for m in published()}
    for method in published():
        assert method.source
        assert 2019 <= method.year <= 2021
        assert method.convention is Convention.PAPER
        assert method.variant_of in keys | {""}
    assert {m.variant_of for m in published()} == {"", "fgcrossnet"}


def test_every_note_is_used() -> None:
    known = {row["key"] for row in rows_of("published_notes.csv")}
    assert known == {note.key for method in published() for note in method.notes}


def test_rows_of_one_method_agree_about_it() -> None:
    rows = rows_of("published.csv")
    about = set(rows[0]) - {"table", "task", "value", "notes"}
    facts = {tuple(row[column] for column in sorted(about)) for row in rows}
    assert len(facts) == len(published())
    assert len({(row["method"], row["task"]) for row in rows}) == len(rows)


@pytest.mark.parametrize("key", ["FGCrossNet", " fgcrossnet ", "DBFC-Net (cosine)", "GASA"])
def test_find_takes_keys_and_names(key: str) -> None:
    assert find(key).key in {"fgcrossnet", "dbfc-net", "gasa"}


def test_find_offers_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        find("fgcrosnet")
    assert caught.value.code == "FG-P001"
    assert "Did you mean fgcrossnet?" in str(caught.value)
    with pytest.raises(InputError, match="Name one of these"):
        find("???")
