"""Feature files: what is written reads back, and every fault of a foreign one is named."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench import remote
from fgbench.errors import Fault, FaultyInput, InputError
from fgbench.media.features import (
    Features,
    feature_path,
    read_features,
    read_folder,
    write_features,
)
from fgbench.protocol import Medium

IDS = np.array(["a", "b", "ü"])
ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


def write(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)
    return path


def codes(path: Path) -> list[str]:
    with pytest.raises(FaultyInput) as error:
        read_features(path)
    return [fault.code for fault in error.value.faults]


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "image.npz"
    write_features(path, Features(IDS, ROWS))
    found = read_features(path)
    assert found.ids.tolist() == IDS.tolist()
    assert found.rows.dtype == np.float32
    assert (found.rows == ROWS).all()
    assert found.width == 2
    assert sorted(file.name for file in path.parent.iterdir()) == ["image.npz"]
    with np.load(path) as plain:  # as any other tool reads it
        assert plain["ids"].tolist() == IDS.tolist()
        assert (plain["features"] == ROWS).all()


def test_equal_features_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        write_features(tmp_path / name, Features(IDS, ROWS))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


@pytest.mark.parametrize(
    "rows", [ROWS.astype(np.float64), ROWS.astype(np.float16), ROWS.astype(np.int32), ROWS[:, ::-1]]
)
def test_other_numbers_are_read_as_float32(tmp_path: Path, rows: np.ndarray) -> None:
    found = read_features(write(tmp_path / "image.npz", ids=IDS, features=rows, more=np.ones(3)))
    assert found.rows.dtype == np.float32
    assert (found.rows == rows).all()


def test_a_row_of_zeros_is_no_fault(tmp_path: Path) -> None:
    rows = np.zeros((3, 2), np.float32)
    assert not read_features(write(tmp_path / "text.npz", ids=IDS, features=rows)).rows.any()


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"features": ROWS}, "FG-F032"),
        ({"ids": IDS, "feature": ROWS}, "FG-F032"),
        ({"ids": IDS[:2], "features": ROWS}, "FG-F023"),
        ({"ids": np.arange(3), "features": ROWS}, "FG-F021"),
        ({"ids": IDS, "features": np.array([[{}], [1], [2]], dtype=object)}, "FG-F021"),
        ({"ids": IDS, "features": ROWS[:, 0]}, "FG-F022"),
        ({"ids": IDS, "features": ROWS[:, :0]}, "FG-F025"),
        ({"ids": np.array(["a", "b", "a"]), "features": ROWS}, "FG-F051"),
        ({"ids": np.array(["a", "", "b"]), "features": ROWS}, "FG-F050"),
        ({"ids": IDS, "features": np.where(ROWS == 3, np.nan, ROWS)}, "FG-F040"),
        ({"ids": IDS, "features": np.where(ROWS == 3, np.inf, ROWS)}, "FG-F041"),
        ({"ids": IDS, "features": np.full((3, 2), 1e300)}, "FG-F041"),
    ],
)
def test_each_fault_has_its_code(tmp_path: Path, arrays: dict[str, object], expected: str) -> None:
    assert codes(write(tmp_path / "image.npz", **arrays)) == [expected]


def test_a_fault_names_file_row_and_item(tmp_path: Path) -> None:
    rows = np.where(ROWS == 3, np.nan, ROWS)
    with pytest.raises(FaultyInput, match=r"image\.npz, features\n.*1 of 3 rows: row 1 \('b'\)"):
        read_features(write(tmp_path / "image.npz", ids=IDS, features=rows))


@pytest.mark.parametrize("content", [b"", b"image 0.1 0.2", pickle.dumps([1]), b"PK\x03\x04broken"])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "image.npz").write_bytes(content)
    assert codes(tmp_path / "image.npz") == ["FG-F002"]


def test_no_file_and_a_folder_are_faults(tmp_path: Path) -> None:
    (tmp_path / "text.npz").mkdir()
    assert codes(tmp_path / "image.npz") == codes(tmp_path / "text.npz") == ["FG-F001"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_spoilt_file_gives_the_numbers_that_were_written_or_faults(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("spoilt") / "image.npz"
    write_features(path, Features(IDS, ROWS))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(len(content) // 2, len(content)))])
    faults: tuple[Fault, ...] = ()
    try:
        found = read_features(path)
    except FaultyInput as error:
        faults = error.faults
    if not faults:
        assert found.ids.tolist() == IDS.tolist()
        assert (found.rows == ROWS).all()
    assert all(fault.code.startswith("FG-F") and fault.fix for fault in faults)


def test_nothing_faulty_is_written_and_the_older_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "image.npz"
    write_features(path, Features(IDS, ROWS))
    with pytest.raises(FaultyInput):
        write_features(path, Features(IDS, ROWS * np.nan))
    assert (read_features(path).rows == ROWS).all()
    assert [file.name for file in tmp_path.iterdir()] == ["image.npz"]


def test_a_folder_gives_rows_in_the_order_asked_for(tmp_path: Path) -> None:
    write_features(feature_path(tmp_path, Medium.IMAGE), Features(IDS, ROWS))
    wanted = {Medium.IMAGE: np.array(["ü", "a"]), Medium.AUDIO: np.array(["x"])}
    found = read_folder(tmp_path, wanted)
    assert list(found.features) == [Medium.IMAGE]
    assert found.features[Medium.IMAGE].rows.tolist() == [[4, 5], [0, 1]]
    assert found.notes == (
        "no audio.npz: audio is left out",
        "image.npz: 1 of 3 rows are of no item of the benchmark, and not used",
    )


def test_all_faults_of_a_folder_come_at_once(tmp_path: Path) -> None:
    write_features(feature_path(tmp_path, Medium.IMAGE), Features(IDS, ROWS))
    write(feature_path(tmp_path, Medium.TEXT), ids=IDS, features=np.where(ROWS == 1, np.nan, ROWS))
    write(feature_path(tmp_path, Medium.VIDEO), ids=IDS[[0, 0, 1]], features=ROWS[:2])
    wanted = dict.fromkeys(Medium, np.array(["b", "nowhere", "a"]))
    with pytest.raises(FaultyInput) as error:
        read_folder(tmp_path, wanted)
    assert [(fault.code, fault.where.partition(",")[0]) for fault in error.value.faults] == [
        ("FG-F052", "image.npz"),
        ("FG-F040", "text.npz"),
        ("FG-F023", "video.npz"),
        ("FG-F051", "video.npz"),
    ]
    assert "1 of 3 items have no row: nowhere" in str(error.value)


def test_a_folder_is_read_at_an_address(tmp_path: Path) -> None:
    write_features(feature_path(tmp_path, Medium.IMAGE), Features(IDS, ROWS))
    base = f"memory://{tmp_path.name}/features"
    remote.upload(tmp_path / "image.npz", f"{base}/image.npz")
    remote.write(f"{base}/image.json", b"{}")
    wanted = {Medium.IMAGE: IDS, Medium.TEXT: IDS}
    found, local = read_folder(base, wanted), read_folder(tmp_path, wanted)
    assert (found.features[Medium.IMAGE].rows == local.features[Medium.IMAGE].rows).all()
    assert found.notes == local.notes
    with pytest.raises(FaultyInput, match=f"FG-F001  {base}"):
        read_folder(base, {Medium.AUDIO: IDS})
    with pytest.raises(InputError, match="FG-D011"):
        read_folder(f"{base}/nowhere", wanted)


@pytest.mark.parametrize("made", [True, False])
def test_a_folder_without_features_is_named(tmp_path: Path, made: bool) -> None:
    folder = tmp_path / "features"
    if made:
        folder.mkdir()
    with pytest.raises(FaultyInput, match="FG-F001"):
        read_folder(folder, {Medium.IMAGE: IDS})
