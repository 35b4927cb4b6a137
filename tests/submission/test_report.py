"""What a check says can be scored, for each kind of space."""

from __future__ import annotations

import numpy as np
import pytest

from fgbench.errors import InputError
from fgbench.submission import check, read_submission


def codes(tasks):
    return {task.code for task in tasks}


def test_a_whole_submission_is_complete(members, save, benchmark):
    report = check(save(members), benchmark)
    assert report.ok
    assert report.coverage.complete
    assert report.coverage.scored == benchmark.tasks
    np.testing.assert_array_equal(report.submission.embedding("image"), members["image"])


def test_a_medium_less_leaves_six_tasks(members, save, benchmark):
    for name in ("audio", "audio_ids"):
        members.pop(name)
    coverage = check(save(members), benchmark).coverage
    assert codes(coverage.scored) == {"i2t", "i2v", "t2i", "t2v", "v2i", "v2t"}
    assert set(coverage.missing.values()) == {"no audio"}
    assert len(coverage.missing) == 10


def test_pairs_give_their_own_tasks(pair_members, save, benchmark):
    coverage = check(save(pair_members), benchmark).coverage
    assert codes(coverage.scored) == {"i2t", "t2i", "t2a", "a2t"}
    missing = {task.code: why for task, why in coverage.missing.items()}
    assert missing["i2a"] == "no image_audio"
    assert missing["t2all"] == "no video"
    assert missing["i2all"] == "no video, no image_audio"


def test_all_pairs_give_all_tasks(pair_members, members, save, benchmark):
    media = ("image", "text", "video", "audio")
    for a in media:
        pair_members[f"{a}_ids"] = members[f"{a}_ids"]
        for b in media[media.index(a) + 1 :]:
            for m in (a, b):
                pair_members[f"{a}_{b}/{m}"] = members[m]
    assert check(save(pair_members), benchmark).coverage.complete


def test_score_matrices_need_their_own_block_for_all(
    score_members, save, benchmark_folder, tmp_path
):
    from fgbench.benchmark import load_benchmark

    for medium in ("image", "text"):
        source = benchmark_folder / f"{medium}.parquet"
        (tmp_path / source.name).write_bytes(source.read_bytes())
    two = load_benchmark(tmp_path)
    assert check(save(score_members), two).coverage.complete
    score_members.pop("scores/text_text")
    coverage = check(save(score_members), two).coverage
    assert codes(coverage.scored) == {"i2t", "t2i", "i2all"}
    assert list(coverage.missing.values()) == ["no scores/text_text"]


def test_a_submission_that_is_read_can_be_checked(members, save, benchmark):
    submission = read_submission(save(members))
    assert check(submission, benchmark).submission is submission
    members["image_ids"][0] = "image/else.jpg"
    other = read_submission(save(members))
    assert [f.code for f in check(other, benchmark).faults] == ["FG-S052", "FG-S053"]
    assert other.embedding("image").shape == (7, 3)  # not closed: it is the caller's


def test_notes_come_with_faults_too(members, save, benchmark):
    members["image"] = members["image"].astype(np.float64)
    members["text"][0] = 0
    report = check(save(members), benchmark)
    assert report.notes == ("image: float64, read as float32",)
    assert not report.ok


def test_no_file_is_an_error_not_a_report(tmp_path, benchmark):
    with pytest.raises(InputError):
        check(tmp_path / "absent.npz", benchmark)
