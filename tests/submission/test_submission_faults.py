"""Every fault that the numbers, ids and names of a file can have, each with its code."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fgbench.errors import FaultyInput, InputError
from fgbench.submission import check, read_submission
from fgbench.submission.faults import FAULTS, Code


def drop(*names):
    return lambda arrays: [arrays.pop(name) for name in names]


def put(**arrays):
    return lambda members: members.update(arrays)


def alter(name, change):
    return lambda arrays: arrays.update({name: change(arrays[name])})


def at(name, row, value):
    def change(arrays):
        arrays[name] = arrays[name].copy()
        arrays[name][row] = value

    return change


def rename(old, new):
    return lambda arrays: arrays.update({new: arrays.pop(old)})


def points(*rows):
    """A U2 array of raw code points, which NumPy itself may be unable to show."""
    return np.array(rows, dtype=np.uint32).view("U2").reshape(-1)


GOOD = [[ord("a") + i, 0] for i in range(6)]
META = {
    "text": "not JSON",
    "list": "[1]",
    "NaN": '{"a": NaN}',
    "infinite": '{"a": 1e999}',
    "surrogate": '{"a": "\\ud800"}',
    "surrogate in a key": '{"\\ud800": 1}',
    "deep": '{"a": ' + "[" * 9 + "]" * 9 + "}",
    "very deep": "[" * 50_000,
    "digits": '{"a": ' + "9" * 5_000 + "}",
    "wrong type": '{"year": "2019"}',
    "a boolean is no integer": '{"parameters": true}',
    "too large": '{"a": "' + "x" * 70_000 + '"}',
}

CASES = {
    # what is wrong: (code, where it is found, a part of what is found, how to make it wrong)
    "strings": (Code.TYPE, "image", "<U", put(image=np.array([["a"] * 3] * 7))),
    "complex": (Code.TYPE, "image", "complex", alter("image", lambda a: a.astype(complex))),
    "bool": (Code.TYPE, "image", "bool", alter("image", lambda a: a > 0)),
    "objects": (Code.TYPE, "image", "object", alter("image", lambda a: a.astype(object))),
    "dates": (Code.TYPE, "image", "datetime", alter("image", lambda a: a.astype("M8[D]"))),
    "long double": (Code.TYPE, "image", "float128", alter("image", lambda a: a.astype("g"))),
    "structured": (Code.TYPE, "image", "'x'", put(image=np.zeros((7, 3), [("x", "f4")]))),
    "object ids": (Code.TYPE, "text_ids", "object", alter("text_ids", lambda a: a.astype(object))),
    "positions": (Code.TYPE, "text_ids", "int64", put(text_ids=np.arange(5))),
    "0-d": (Code.DIMENSIONS, "image", "()", put(image=np.float32(1))),
    "1-d": (Code.DIMENSIONS, "image", "(7,)", alter("image", lambda a: a[:, 0])),
    "3-d": (Code.DIMENSIONS, "image", "(7, 3, 1)", alter("image", lambda a: a[..., None])),
    "2-d ids": (Code.DIMENSIONS, "text_ids", "(5, 1)", alter("text_ids", lambda a: a[:, None])),
    "fewer rows": (Code.ROWS, "image", "6 rows for 7", alter("image", lambda a: a[1:])),
    "more rows": (Code.ROWS, "image", "14 rows for 7", alter("image", lambda a: np.vstack([a, a]))),
    "widths": (Code.WIDTHS, "image", "audio 2", alter("audio", lambda a: a[:, 1:])),
    "width 0": (Code.WIDTH, "image", "(7, 0)", alter("image", lambda a: a[:, :0])),
    "too wide": (Code.WIDTH, "image", "16385", put(image=np.ones((7, 16_385), np.int8))),
    "no rows": (
        Code.NO_ROWS,
        "image_ids",
        "0 ids",
        put(image=np.ones((0, 3)), image_ids=np.array([], "U3")),
    ),
    "too many": (Code.NO_ROWS, "image_ids", "200,001", put(image_ids=np.zeros(200_001, "S1"))),
    "unknown": (Code.UNKNOWN_MEMBER, "the file", "'images'", rename("image", "images")),
    "odd name": (Code.UNKNOWN_MEMBER, "the file", "\\u202e", put(**{"\u202eegami": np.ones(1)})),
    "mixed": (
        Code.MIXED_SPACES,
        "the file",
        "common",
        put(**{"scores/text_text": np.ones((5, 5))}),
    ),
    "no ids": (Code.MISSING_MEMBER, "the file", "no 'image_ids'", drop("image_ids")),
    "only ids": (Code.MISSING_MEMBER, "the file", "no array of image", drop("image")),
    "one medium": (
        Code.ONE_MEDIUM,
        "the file",
        "image alone",
        drop(*(f"{m}{x}" for m in ("text", "video", "audio") for x in ("", "_ids"))),
    ),
    "nothing": (Code.ONE_MEDIUM, "the file", "no array", lambda arrays: arrays.clear()),
    "codes": (Code.CODES, "codes", "'Binary'", put(codes=np.array("Binary"))),
    "codes as numbers": (Code.CODES, "codes", "int64", put(codes=np.array(1))),
    "codes in a list": (Code.CODES, "codes", "(2,)", put(codes=np.array(["binary"] * 2))),
    "meta as bytes": (Code.META, "meta", "UTF-8", put(meta=np.array(b"{}\xff"))),
    **{
        f"meta: {name}": (Code.META, "meta", "", put(meta=np.array(text)))
        for name, text in META.items()
    },
    "NaN": (Code.NAN, "text", "row 4 ('text/000.Bird", at("text", (-1, 2), np.nan)),
    "Inf": (Code.INFINITE, "text", "row 4 ('text/000.Bird", at("text", (-1, 2), -np.inf)),
    "overflow": (
        Code.INFINITE,
        "text",
        "1 of 5 rows",
        put(text=np.array([[1e39, 1, 1], *np.ones((4, 3))])),
    ),
    "zeros": (Code.ZERO_ROW, "text", "row 2", at("text", 2, 0)),
    "underflow": (Code.ZERO_ROW, "text", "5 of 5", put(text=np.full((5, 3), 1e-60))),
    "not binary": (
        Code.NOT_BINARY,
        "video",
        "row 0 ('video",
        lambda arrays: arrays.update(
            {m: np.ones_like(arrays[m]) for m in ("image", "text", "audio")}
            | {"video": np.array([[0.5, 1, 1]] + [[1, 1, 1]] * 3), "codes": np.array("binary")}
        ),
    ),
    "mixed conventions": (
        Code.NOT_BINARY,
        "audio, image",
        "0 in",
        lambda arrays: arrays.update(
            {m: np.ones_like(arrays[m]) for m in ("text", "video")}
            | {"image": np.array([[0, 1, 1]] * 7), "audio": np.array([[-1, 1, 1]] * 6)}
            | {"codes": np.array("binary")}
        ),
    ),
    "NUL inside": (Code.BAD_ID, "audio_ids", "NUL", at("audio_ids", 0, "a\0b")),
    "surrogate": (Code.BAD_ID, "audio_ids", "row 5", put(audio_ids=points(*GOOD[:5], [0xDC80, 0]))),
    "beyond Unicode": (
        Code.BAD_ID,
        "audio_ids",
        "not Unicode: row 0",
        put(audio_ids=points([0xFFFFFFFF, 0], *GOOD[:5])),
    ),
    "control": (Code.BAD_ID, "audio_ids", "control", put(audio_ids=points(*GOOD[:5], [27, 65]))),
    "Latin-1": (
        Code.BAD_ID,
        "audio_ids",
        "UTF-8: row 5",
        put(audio_ids=np.array([*b"abcde", 0xE9], np.uint8).view("S1")),
    ),
    "empty id": (Code.BAD_ID, "audio_ids", "empty: row 1", at("audio_ids", 1, "")),
    "U0 ids": (Code.BAD_ID, "audio_ids", "empty", put(audio_ids=np.array([""] * 6, "U0"))),
    "long id": (
        Code.BAD_ID,
        "audio_ids",
        "too long: row 5",
        put(audio_ids=np.array([*"abcde", "x" * 513])),
    ),
    "ids too large": (Code.BAD_ID, "audio_ids", "bytes", put(audio_ids=np.zeros(6, "U1500000"))),
    "twice": (
        Code.DUPLICATE_ID,
        "text_ids",
        "(rows 0, 3)",
        alter("text_ids", lambda ids: ids[[0, 1, 2, 0, 4]]),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_fault_of_the_common_space(case, members, save):
    code, where, found, change = CASES[case]
    change(members)
    with pytest.raises(FaultyInput) as raised:
        read_submission(save(members))
    faults = [f for f in raised.value.faults if f.code == code]
    assert faults, raised.value
    assert any(where in f.where and found in f.found for f in faults), faults
    assert str(raised.value).replace("\n", "").isprintable()


PAIR_CASES = {
    "half a pair": (Code.MISSING_MEMBER, "no 'image_text/text'", drop("image_text/text")),
    "both orders": (
        Code.PAIR_TWICE,
        "'text_image/text'",
        lambda a: a.update({"text_image/text": a["image_text/text"]}),
    ),
    "widths": (Code.WIDTHS, "image_text/text 2", alter("image_text/text", lambda a: a[:, 1:])),
    "rows": (Code.ROWS, "4 rows for 5 text_ids", alter("text_audio/text", lambda a: a[1:])),
    "zeros": (Code.ZERO_ROW, "row 5", at("text_audio/audio", 5, 0)),
    "mixed": (Code.MIXED_SPACES, "pairwise", put(image=np.ones((7, 3)))),
    "no such pair": (Code.UNKNOWN_MEMBER, "image_image", put(**{"image_image/image": np.ones(1)})),
    "third medium": (Code.UNKNOWN_MEMBER, "/video", put(**{"image_text/video": np.ones(1)})),
}


@pytest.mark.parametrize("case", PAIR_CASES)
def test_fault_of_spaces_by_pair(case, pair_members, save):
    code, found, change = PAIR_CASES[case]
    change(pair_members)
    with pytest.raises(FaultyInput) as raised:
        read_submission(save(pair_members))
    assert any(f.code == code and found in f.found for f in raised.value.faults), raised.value


SCORE_CASES = {
    "NaN": (Code.NAN, "row 6 ('image", at("scores/image_text", (6, 4), np.nan)),
    "minus infinity": (Code.INFINITE, "row 1", at("scores/image_image", (1, 1), -np.inf)),
    "transposed": (Code.ROWS, "5 rows for 7", alter("scores/image_text", lambda a: a.T)),
    "columns": (Code.ROWS, "4 columns for 5", alter("scores/image_text", lambda a: a[:, 1:])),
    "square": (Code.ROWS, "6 columns for 7", alter("scores/image_image", lambda a: a[:, 1:])),
    "no ids": (Code.MISSING_MEMBER, "no 'text_ids'", drop("text_ids")),
    "1-d": (Code.DIMENSIONS, "(35,)", alter("scores/image_text", lambda a: a.ravel())),
}


@pytest.mark.parametrize("case", SCORE_CASES)
def test_fault_of_score_matrices(case, score_members, save):
    code, found, change = SCORE_CASES[case]
    change(score_members)
    with pytest.raises(FaultyInput) as raised:
        read_submission(save(score_members))
    assert any(f.code == code and found in f.found for f in raised.value.faults), raised.value


def test_a_transposed_matrix_is_told_so(score_members, save):
    score_members["scores/image_text"] = score_members["scores/image_text"].T
    with pytest.raises(FaultyInput) as raised:
        read_submission(save(score_members))
    assert raised.value.faults[0].fix == "transpose it, or name it scores/text_image"


def test_one_matrix_within_a_medium_is_one_medium(score_members, save):
    only = {n: score_members[n] for n in ("image_ids", "scores/image_image")}
    with pytest.raises(FaultyInput, match="FG-S034"):
        read_submission(save(only))


def test_all_faults_come_in_one_report(members, benchmark, save):
    """One file with a dozen things wrong, in the names, the numbers, the ids and the card."""
    at("image", (6, 0), np.inf)(members)
    at("image", (0, 1), np.nan)(members)
    at("text", slice(None), 0)(members)
    members["video"] = members["video"][:, :2].astype(object)
    members["audio"] = members["audio"][:, :2]
    members["audio_ids"] = np.array(["./" + i for i in members["audio_ids"]])
    members["text_ids"] = members["text_ids"][[0, 0, 1, 2, 3]]
    members |= {"vidoe": np.ones(3), "meta": np.array("{"), "codes": np.array("hamming")}
    report = check(save(members), benchmark)
    assert {f.code for f in report.faults} == {
        *(Code.TYPE, Code.WIDTHS, Code.UNKNOWN_MEMBER, Code.CODES, Code.META, Code.NAN),
        *(Code.INFINITE, Code.ZERO_ROW, Code.DUPLICATE_ID, Code.MISSING_ID, Code.FOREIGN_IDS),
    }
    assert [f.code for f in report.faults] == sorted(f.code for f in report.faults)
    assert not report.ok
    assert report.submission is report.coverage is None


def test_many_faults_of_a_code_are_counted(members, save):
    members |= {f"extra_{i}": np.ones(1) for i in range(40)}
    with pytest.raises(FaultyInput) as raised:
        read_submission(save(members))
    assert len(raised.value.faults) == 11
    assert raised.value.faults[-1].found == "unknown member: 30 more"


def test_many_rows_are_counted(members, save):
    members["image"][:] = np.nan
    with pytest.raises(FaultyInput) as raised:
        read_submission(save(members))
    assert raised.value.faults[0].found.startswith("7 of 7 rows: row 0 (")
    assert raised.value.faults[0].found.endswith("and 4 more")


def test_a_sound_card_comes_as_it_is(members, save):
    card = {
        "method": "µ-net",
        "year": 2024,
        "authors": ["A", "B"],
        "paper": None,
        "own": {"x": [1]},
    }
    members["meta"] = np.array(json.dumps(card))
    assert read_submission(save(members)).meta == card


def test_near_names_are_offered(members, save):
    rename("image", "Images")(members)
    with pytest.raises(FaultyInput) as raised:
        read_submission(save(members))
    assert any(f.fix.startswith("did you mean 'image'?") for f in raised.value.faults)


@pytest.mark.parametrize("name", ["absent.npz", "nul\0.npz", ".", "x" * 300])
def test_no_file(tmp_path, name):
    with pytest.raises(InputError, match="FG-S001"):
        read_submission(tmp_path / name)


def test_the_table_is_whole():
    assert list(FAULTS) == list(Code)
    for kind in FAULTS.values():
        assert all((kind.title, kind.expected, kind.why, kind.fix))
