"""Ids against a benchmark: what is reported, and the hints that name the slip."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from fgbench.submission import check

PREFIX = "image/000.Bird/Item_0000.jpg"


def faults(members, save, benchmark, **ids):
    for medium, change in ids.items():
        members[f"{medium}_ids"] = np.array([change(i) for i in members[f"{medium}_ids"].tolist()])
    return check(save(members), benchmark).faults


@pytest.mark.parametrize(
    ("change", "slip"),
    [
        (lambda i: "./" + i, "a leading ./"),
        (lambda i: i.replace("/", "\\"), "backslashes"),
        (lambda i: i.removeprefix("image/"), "the folder image/ in front"),
        (lambda i: "/data/set/" + i, "the folder image/ in front"),
        (str.upper, "upper and lower case"),
        (lambda i: i + "  ", "blanks around it"),
        (lambda i: i[:9] + "\u200b" + i[9:], "invisible characters"),
        (lambda i: i.removesuffix(".jpg"), "the file ending"),
        (lambda i: i.replace("Item_000", "Item_"), "zeros in front of numbers"),
    ],
)
def test_a_slip_in_every_id_is_named(members, save, benchmark, change, slip):
    (fault,) = faults(members, save, benchmark, image=change)
    assert (fault.code, fault.where) == ("FG-S054", "image_ids")
    assert f"write '{PREFIX}' for " in fault.fix
    assert fault.fix.endswith(f"(they differ by {slip})")


def test_slips_together_are_all_named(members, save, benchmark):
    (fault,) = faults(
        members, save, benchmark, image=lambda i: ".\\" + i.replace("/", "\\").upper()
    )
    for slip in ("upper and lower case", "backslashes"):
        assert slip in fault.fix


def test_decomposed_letters(members, save, benchmark, benchmark_folder, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from fgbench.benchmark import load_benchmark

    for path in benchmark_folder.glob("*.parquet"):
        table = pq.read_table(path)
        named = pa.array([f"é{i}" for i in table["item_id"].to_pylist()])
        pq.write_table(table.set_column(0, "item_id", named), tmp_path / path.name)
    for medium in ("text", "video", "audio"):
        members[f"{medium}_ids"] = np.array([f"é{i}" for i in members[f"{medium}_ids"]])
    found = faults(
        members,
        save,
        load_benchmark(tmp_path),
        image=lambda i: unicodedata.normalize("NFD", f"é{i}"),
    )
    assert "another Unicode form" in found[0].fix


def test_positions_are_told(members, save, benchmark):
    members["text_ids"] = np.array([str(i) for i in range(5)])
    (fault,) = check(save(members), benchmark).faults
    assert "positions" in fault.fix


def test_exchanged_media_are_told(members, save, benchmark):
    members["text_ids"], members["image_ids"] = (
        members["image_ids"][:5],
        np.concatenate([members["text_ids"], ["a", "b"]]),
    )
    for fault in check(save(members), benchmark).faults:
        assert fault.code == "FG-S054"
        assert "were two media exchanged?" in fault.fix


def test_ids_of_a_shipped_benchmark_are_told(members, save, benchmark):
    from fgbench.benchmark import load_benchmark

    members["text_ids"] = load_benchmark("fgxmedia-2019").items["text"].ids[:5]
    (fault,) = check(save(members), benchmark).faults
    assert "--benchmark fgxmedia-2019" in fault.fix


def test_missing_and_extra_are_counted_with_the_nearest(members, save, benchmark):
    members["image_ids"][3] = "image/001.Bird/Itme_0003.jpg"
    missing, extra = check(save(members), benchmark).faults
    assert (missing.code, extra.code) == ("FG-S052", "FG-S053")
    assert missing.found == "1 of 7 are missing: 'image/001.Bird/Item_0003.jpg'"
    assert extra.found == "1 that small-birds has not: 'image/001.Bird/Itme_0003.jpg'"
    assert extra.fix == (
        "did you mean 'image/001.Bird/Item_0003.jpg' for 'image/001.Bird/Itme_0003.jpg'?"
    )


def test_a_part_of_a_medium_is_a_fault(members, save, benchmark):
    for name in ("image", "image_ids"):
        members[name] = members[name][:2]
    (fault,) = check(save(members), benchmark).faults
    assert fault.code == "FG-S052"
    assert fault.found.startswith("5 of 7 are missing: ")
    assert fault.found.endswith("and 2 more")


def test_a_medium_that_the_benchmark_has_not(members, save, benchmark_folder, tmp_path):
    from fgbench.benchmark import load_benchmark

    for medium in ("image", "text"):
        source = benchmark_folder / f"{medium}.parquet"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    codes = [f.code for f in check(save(members), load_benchmark(tmp_path)).faults]
    assert codes == ["FG-S055", "FG-S055"]


def test_hostile_ids_do_not_hang(members, save, benchmark):
    """Long ids that are near to one another in every quadratic way."""
    rng = np.random.default_rng(0)
    members["image"] = np.ones((5_000, 3), np.float32)
    members["image_ids"] = np.array(
        ["".join(rng.choice(list("ab/"), 300)) + str(i) for i in range(5_000)]
    )
    assert {f.code for f in check(save(members), benchmark).faults} == {"FG-S054"}
