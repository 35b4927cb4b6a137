"""The authors' text files: read in list order, all faults with their line numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fgbench.errors import FaultyInput, InputError
from fgbench.protocol import MEDIA
from fgbench.submission import check, read_submission
from fgbench.submission.legacy import LISTED_VIDEOS, PAPER_VIDEOS, import_legacy


@pytest.fixture
def features(benchmark):
    rng = np.random.default_rng(3)
    return {m: rng.standard_normal((len(benchmark.items[m]), 4)) for m in MEDIA}


@pytest.fixture
def folder(tmp_path, features):
    """The layout that the authors' script leaves behind."""
    for medium, rows in features.items():
        (tmp_path / "release" / medium).mkdir(parents=True)
        np.savetxt(tmp_path / "release" / medium / "features_te.txt", rows)
    return tmp_path / "release"


def edit(folder, medium, change):
    path = folder / medium / "features_te.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(change(lines) or lines) + "\n")


def faults(folder, out, benchmark):
    with pytest.raises(FaultyInput) as raised:
        import_legacy(folder, out, benchmark)
    assert not out.exists()
    return {(f.code, f.where): f for f in raised.value.faults}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.npz"


def test_rows_get_the_ids_of_the_list(folder, out, benchmark, features):
    files = import_legacy(folder, out, benchmark)
    assert list(files) == list(benchmark.media)
    submission = read_submission(out)
    for medium in MEDIA:
        np.testing.assert_array_equal(submission.ids[medium], benchmark.items[medium].ids)
        np.testing.assert_array_equal(
            submission.embedding(medium), features[medium].astype(np.float32)
        )
    assert check(out, benchmark).coverage.complete


@pytest.mark.parametrize("name", ["{}_features_te.txt", "{}.txt"])
def test_flat_layouts_of_two_media(tmp_path, out, benchmark, features, name):
    for medium in ("image", "audio"):
        np.savetxt(tmp_path / name.format(medium), features[medium], fmt="%.3f", newline="\r\n")
    (tmp_path / name.format("image")).open("a").write("\n\n")  # blank lines at the end are none
    import_legacy(tmp_path, out, benchmark)
    np.testing.assert_allclose(
        read_submission(out).embedding("audio"), features["audio"], atol=1e-3
    )


def test_all_faults_of_all_files_come_at_once(folder, out, benchmark):
    def broken(lines):
        lines[0] = lines[0].replace(" ", ",", 1)
        lines[1] = "nan 1 2 3"
        lines[2] = "1 2 3"
        lines[3] = "1 2 3 1e39"
        lines[4] = "0 0 0 1e-60"
        lines[5] = "1_0 2 3 4"
        lines.append("1 2 3 4")

    edit(folder, "image", broken)
    edit(folder, "text", lambda lines: [*lines[:2], "", *lines[2:-1]])
    (folder / "video" / "features_te.txt").write_bytes(b"\xff\xfe\x00garbage\n" * 4)
    edit(folder, "audio", lambda lines: [line + " 1" for line in lines])
    found = faults(folder, out, benchmark)
    image, text, video = (f"{m}/features_te.txt" for m in ("image", "text", "video"))
    assert {code for code, _ in found} == {
        *("FG-S024", "FG-S040", "FG-S041", "FG-S042", "FG-S061", "FG-S062", "FG-S063"),
    }
    assert found["FG-S040", image].found == "line 2"
    assert found["FG-S041", image].found == "line 4"
    assert found["FG-S042", image].found == "line 5"
    assert found["FG-S063", image].found.startswith("line 1: '")
    assert found["FG-S063", image].found.endswith("line 6: '1_0'")
    assert found["FG-S062", image].found == "line 3: 3 numbers, before it 4"
    assert found["FG-S061", image].found == "8 lines for 7 test items"
    assert found["FG-S062", text].found == "line 3: blank"
    assert found["FG-S061", text].found == "4 lines for 5 test items"
    assert found["FG-S063", video].found.endswith("and 1 more")
    assert found["FG-S024", "image, text, audio"].found == "image 4, text 4, audio 5"


def test_a_line_without_end(folder, out, benchmark):
    (folder / "video" / "features_te.txt").write_bytes(b"1" * 2_000_000)
    found = faults(folder, out, benchmark)
    assert list(found) == [("FG-S064", "video/features_te.txt")]


def test_too_wide(folder, out, benchmark):
    (folder / "video" / "features_te.txt").write_bytes(b"1 " * 16_385 + b"\n")
    assert ("FG-S064", "video/features_te.txt") in faults(folder, out, benchmark)


def test_a_file_that_cannot_be_opened(folder, out, benchmark, monkeypatch):
    opened = Path.open

    def refuse(path, *rest):
        if path.parent.name == "text":
            raise PermissionError(13, "Permission denied")
        return opened(path, *rest)

    monkeypatch.setattr(Path, "open", refuse)
    (fault,) = faults(folder, out, benchmark).values()
    assert (fault.code, fault.found) == ("FG-S060", "cannot be opened: Permission denied")


def test_files_that_are_not_there(tmp_path, out, benchmark):
    with pytest.raises(InputError, match="FG-S060"):
        import_legacy(tmp_path / "absent", out, benchmark)
    assert "none" in faults(tmp_path, out, benchmark)["FG-S060", str(tmp_path)].found
    (tmp_path / "image.txt").write_text("1 2\n")
    assert faults(tmp_path, out, benchmark)["FG-S060", str(tmp_path)].found == "image.txt"


def test_two_files_of_one_medium(folder, out, benchmark):
    (folder / "text.txt").write_text("1 2 3 4\n" * 5)
    fault = faults(folder, out, benchmark)["FG-S060", "text"]
    assert fault.found == "text/features_te.txt and text.txt"


def test_the_output_is_not_replaced_unasked(folder, out, benchmark):
    out.write_bytes(b"mine")
    with pytest.raises(InputError, match="FG-S014"):
        import_legacy(folder, out, benchmark)
    assert out.read_bytes() == b"mine"
    import_legacy(folder, out, benchmark, force=True)
    assert read_submission(out)


def test_the_paper_counts_two_videos_more_than_are_listed(tmp_path, out):
    from fgbench.benchmark import load_benchmark

    benchmark = load_benchmark("fgxmedia-2019")
    assert len(benchmark.items["video"]) == LISTED_VIDEOS
    for medium, lines in (("video", PAPER_VIDEOS), ("text", len(benchmark.items["text"]))):
        (tmp_path / f"{medium}.txt").write_text("1 2\n" * lines)
    (fault,) = faults(tmp_path, out, benchmark).values()
    assert fault.found == "5,684 lines for 5,682 test items"
    assert "which two lines have no label is not known" in fault.fix


def test_progress_ends_at_one(folder, out, benchmark):
    parts: list[float] = []
    import_legacy(folder, out, benchmark, progress=parts.append)
    assert parts == sorted(parts)
    assert parts[-1] == 1
