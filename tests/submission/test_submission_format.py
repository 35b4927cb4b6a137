"""The three spaces, read back as NumPy reads them."""

from __future__ import annotations

import tempfile
from hashlib import sha256

import numpy as np
import pytest

from fgbench import remote
from fgbench.errors import FaultyInput
from fgbench.protocol import Medium
from fgbench.submission import Space, read_submission

I, T, V, A = Medium  # noqa: E741


@pytest.mark.parametrize("deflated", [False, True])
def test_common_space_reads_as_numpy_does(members, save, deflated):
    path = save(members, deflated=deflated)
    submission = read_submission(path)
    assert (submission.space, submission.media) == (Space.COMMON, (I, T, V, A))
    assert submission.pairs == ()
    assert not submission.binary
    assert submission.sha256 == sha256(path.read_bytes()).hexdigest()
    for medium in Medium:
        rows = submission.embedding(medium)
        assert rows.dtype == np.float32
        np.testing.assert_array_equal(rows, members[medium])
        np.testing.assert_array_equal(submission.ids[medium], members[f"{medium}_ids"])


@pytest.mark.parametrize(
    "kind", ["<f2", ">f2", "<f8", ">f8", ">f4", "i1", "<i2", ">i4", "<i8", "u1", "<u8"]
)
def test_other_types_are_read_as_float32_and_said(members, save, kind):
    values = np.array([[1, 2, 3]] * len(members["image_ids"]))
    members["image"] = values.astype(kind)
    submission = read_submission(save(members))
    np.testing.assert_array_equal(submission.embedding(I), values.astype(np.float32))
    note = f"image: {np.dtype(kind).name}, read as float32"
    assert (note in submission.notes) == (kind != ">f4")


def test_memory_order_and_row_order_do_not_matter(members, save):
    members["image"] = np.asfortranarray(members["image"])
    turned = np.arange(len(members["text"]))[::-1]
    members["text"], members["text_ids"] = members["text"][turned], members["text_ids"][turned]
    submission = read_submission(save(members))
    assert submission.embedding(I).flags.c_contiguous
    np.testing.assert_array_equal(submission.embedding(I), members["image"])
    np.testing.assert_array_equal(submission.embedding(T), members["text"])
    np.testing.assert_array_equal(submission.ids[T], members["text_ids"])


def test_ids_may_be_utf8_bytes_or_big_endian(members, save):
    members["image_ids"] = np.array([f"é{i}" for i in range(7)])
    plain = members["image_ids"]
    for stored in (np.array([i.encode() for i in plain]), plain.astype(">U2")):
        submission = read_submission(save(members | {"image_ids": stored}))
        assert submission.ids[I].tolist() == plain.tolist()
        assert submission.ids[I].dtype.isnative


@pytest.mark.parametrize(
    ("low", "kind"), [(-1, np.int8), (-1, np.float32), (0, np.uint8), (0, np.float16), (0, bool)]
)
def test_binary_codes_come_as_plus_and_minus_one(members, save, low, kind):
    rng = np.random.default_rng(1)
    signs = {m: rng.choice([-1, 1], size=members[m].shape) for m in Medium}
    codes = {m: np.where(s > 0, 1, low).astype(kind) for m, s in signs.items()}
    codes[I][0] = low  # a row of zeros is a code like any other
    signs[I][0] = -1
    submission = read_submission(save(members | codes | {"codes": np.array("binary")}))
    assert submission.binary
    assert submission.notes == ()
    for m in Medium:
        np.testing.assert_array_equal(submission.embedding(m), signs[m])
        assert submission.embedding(m).dtype == np.float32


def test_pairwise_spaces(pair_members, save):
    pair_members["audio_text/audio"] = pair_members.pop("text_audio/audio")
    pair_members["audio_text/text"] = pair_members.pop("text_audio/text")
    submission = read_submission(save(pair_members))
    assert submission.space is Space.PAIRWISE
    assert submission.media == (I, T, A)
    assert submission.pairs == ((I, T), (T, A))
    np.testing.assert_array_equal(submission.embedding(T, I), pair_members["image_text/text"])
    np.testing.assert_array_equal(submission.embedding(T, A), pair_members["audio_text/text"])
    np.testing.assert_array_equal(submission.embedding(A, T), pair_members["audio_text/audio"])
    with pytest.raises(KeyError):
        submission.embedding(I, A)


@pytest.mark.parametrize("deflated", [False, True])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_score_matrices_by_blocks(score_members, save, deflated, kind, order):
    stored = np.array(score_members["scores/image_text"], dtype=kind, order=order)
    score_members["scores/image_text"] = stored
    submission = read_submission(save(score_members, deflated=deflated))
    assert submission.space is Space.SCORES
    matrix, mirror = submission.scores(I, T), submission.scores(T, I)
    assert (matrix.shape, mirror.shape) == ((7, 5), (5, 7))
    rows, columns = np.array([6, 0, 3]), np.array([4, 1])
    expected = stored.astype(np.float32)
    np.testing.assert_array_equal(matrix.rows(rows, columns), expected[rows][:, columns])
    np.testing.assert_array_equal(mirror.rows(columns, rows), expected.T[columns][:, rows])
    assert mirror.rows(columns, rows).flags.c_contiguous
    assert submission.scores(I, V) is None
    own = submission.scores(T, T).rows(np.arange(5), np.arange(5))
    np.testing.assert_array_equal(own, score_members["scores/text_text"])


def test_a_matrix_and_its_mirror_may_both_be_there(score_members, save):
    score_members["scores/text_image"] = np.zeros((5, 7), np.float32)
    submission = read_submission(save(score_members))
    assert not submission.scores(T, I).rows(np.arange(5), np.arange(7)).any()
    assert submission.scores(I, T).rows(np.arange(7), np.arange(5)).any()


@pytest.mark.parametrize("deflated", [False, True])
def test_arrays_outlive_the_submission_unless_it_is_closed(score_members, save, deflated):
    path = save(score_members, deflated=deflated)
    matrix = read_submission(path).scores(I, T)
    assert matrix.rows(np.array([0]), np.arange(5)).shape == (1, 5)
    with read_submission(path) as submission:
        matrix = submission.scores(I, T)
    with pytest.raises(ValueError, match="closed"):
        matrix.rows(np.array([0]), np.arange(5))


@pytest.mark.parametrize("deflated", [False, True])
def test_a_submission_at_an_address_leaves_no_copy_and_can_be_read_on(
    members, save, deflated, tmp_path, monkeypatch
):
    path, url = save(members, deflated=deflated), f"memory://{tmp_path.name}/s.npz"
    remote.upload(path, url)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with read_submission(url) as there, read_submission(path) as here:
        assert [*(tmp_path / "temporary").iterdir()] == []
        assert (there.path, there.sha256) == (url, here.sha256)
        for medium in there.media:
            assert np.array_equal(there.embedding(medium), here.embedding(medium))


def test_what_is_no_submission_at_an_address_is_named_without_its_key(tmp_path):
    remote.write(f"memory://{tmp_path.name}/s.npz", b"no archive")
    url = f"memory://me:s3cret@{tmp_path.name}/s.npz"
    remote.write(url, b"no archive")
    with pytest.raises(FaultyInput, match="FG-S002") as error:
        read_submission(url)
    assert "s3cret" not in str(error.value)


def test_a_width_of_one_is_taken_and_said(members, save):
    narrow = {m: members[m][:, :1] for m in Medium}
    (note,) = read_submission(save(members | narrow)).notes
    assert "width 1" in note


def test_one_item_a_medium_is_taken(members, save):
    first = {name: array[:1] for name, array in members.items()}
    assert read_submission(save(first)).embedding(A).shape == (1, 3)


def test_codes_beside_score_matrices_are_ignored_and_said(score_members, save):
    submission = read_submission(save(score_members | {"codes": np.array("binary")}))
    assert not submission.binary
    assert "ignored" in submission.notes[0]


def test_progress_runs_from_none_to_all(members, save):
    parts: list[float] = []
    read_submission(save(members), progress=parts.append)
    assert parts == sorted(parts)
    assert parts[0] > 0
    assert parts[-1] <= 1
