"""Writing: the same bytes for the same arrays, whole or not at all."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from fgbench.errors import FaultyInput, InputError
from fgbench.protocol import MEDIA, Medium
from fgbench.submission import Space, read_submission, write_submission


@pytest.fixture
def ids(members):
    return {m: members[f"{m}_ids"] for m in MEDIA}


@pytest.fixture
def embeddings(members):
    return {m: members[m] for m in MEDIA}


def test_numpy_reads_what_is_written(tmp_path, ids, embeddings):
    path = tmp_path / "s.npz"
    write_submission(path, ids=ids, embeddings=embeddings, meta={"method": "m"})
    with np.load(path, allow_pickle=False) as archive:
        assert set(archive) == {*MEDIA, *(f"{m}_ids" for m in MEDIA), "meta"}
        for m in MEDIA:
            np.testing.assert_array_equal(archive[m], embeddings[m])
            np.testing.assert_array_equal(archive[f"{m}_ids"], ids[m])
        assert str(archive["meta"]) == '{"method": "m"}'


def test_equal_arrays_give_equal_bytes(tmp_path, ids, embeddings):
    a, b = tmp_path / "a.npz", tmp_path / "b.npz"
    write_submission(a, ids=ids, embeddings=embeddings, meta={"a": 1, "b": 2})
    lists = {m.value: list(map(str, i)) for m, i in ids.items()}
    wide = {m.value: e.astype(np.float64).tolist() for m, e in embeddings.items()}
    write_submission(b, ids=lists, embeddings=wide, meta={"b": 2, "a": 1})
    assert a.read_bytes() == b.read_bytes()
    with zipfile.ZipFile(a) as archive:  # no clock and no user's mask in it
        assert {(e.date_time, e.external_attr >> 16) for e in archive.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), 0o644)
        }


def test_pairs_scores_and_codes(tmp_path, ids, embeddings):
    path = tmp_path / "s.npz"
    two = {m: ids[m] for m in ("image", "text")}
    image, text = embeddings["image"], embeddings["text"]
    write_submission(path, ids=two, pairs={("text", "image"): (text, image)})
    submission = read_submission(path)
    assert submission.space is Space.PAIRWISE
    np.testing.assert_array_equal(submission.embedding(Medium.TEXT, Medium.IMAGE), text)
    write_submission(path, ids=two, scores={("image", "text"): image @ text.T})
    assert read_submission(path).space is Space.SCORES
    signs = {m: np.sign(embeddings[m]).astype(np.int8) for m in two}
    write_submission(path, ids=two, embeddings=signs, binary=True)
    assert read_submission(path).binary


def test_large_arrays_come_from_the_disk(tmp_path, ids):
    """What is written is mapped where it lies: no member is deflated."""
    rows = np.lib.format.open_memmap(tmp_path / "rows.npy", "w+", np.float32, (7, 16))
    rows[:] = 1
    path = tmp_path / "s.npz"
    write_submission(
        path,
        ids={m: ids[m] for m in ("image", "text")},
        embeddings={"image": rows, "text": rows[:5]},
    )
    arrays = read_submission(path).arrays.values()
    assert {array.file.name for array in arrays} == {str(path)}


@pytest.mark.parametrize("old", [None, b"old"])
def test_what_is_faulty_is_not_written(tmp_path, ids, embeddings, old):
    path = tmp_path / "s.npz"
    if old:
        path.write_bytes(old)
    embeddings["image"] = embeddings["image"].copy()
    embeddings["image"][2] = np.nan
    ids["video"] = ids["video"][[0, 0, 1, 2]]
    with pytest.raises(FaultyInput, match="was not written: 3 faults") as raised:
        write_submission(path, ids=ids, embeddings=embeddings, meta={"year": np.nan})
    assert [f.code for f in raised.value.faults] == ["FG-S036", "FG-S040", "FG-S051"]
    assert (path.read_bytes() if path.exists() else None) == old
    assert len(list(tmp_path.iterdir())) == (1 if old else 0)


def test_a_folder_that_is_none(tmp_path, ids, embeddings):
    with pytest.raises(InputError, match="FG-S014"):
        write_submission(tmp_path / "none" / "s.npz", ids=ids, embeddings=embeddings)


def test_an_unknown_medium_is_a_fault(tmp_path, ids, embeddings):
    with pytest.raises(FaultyInput, match="did you mean 'image'"):
        write_submission(tmp_path / "s.npz", ids=ids, embeddings=embeddings | {"images": [[1]]})
