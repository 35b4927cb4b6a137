"""Vectors of words from files of word2vec and GloVe, and from files that are neither."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.errors import FaultyInput
from fgbench.media.word_vectors import MOST_LINE, read_word_vectors

WORDS = ("<unk>", "owl", "möwe", "2")


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "vectors.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(FaultyInput) as error:
        read_word_vectors(path, WORDS)
    assert all(fault.code in ("FG-F084", "FG-F085") for fault in error.value.faults)
    return [f"{fault.code} {fault.found}" for fault in error.value.faults]


@pytest.mark.parametrize("heading", ["", "4 3\n"])
def test_words_get_their_vectors_and_the_others_zeros(tmp_path: Path, heading: str) -> None:
    content = f"{heading}the 9 9 9\nmöwe 1 -2.5 3e-2 \nowl 4 5 6\nowl 7 7 7\n"
    found = read_word_vectors(write(tmp_path, content), WORDS)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.array([[0] * 3, [4, 5, 6], [1, -2.5, 0.03], [0] * 3]))


def test_a_word_that_looks_like_a_heading_is_one_only_in_the_first_line(tmp_path: Path) -> None:
    found = read_word_vectors(write(tmp_path, "1 1\n2 5\nowl 6\n"), WORDS)
    assert found.tolist() == [[0], [6], [0], [5]]


def test_lines_of_other_words_may_hold_anything(tmp_path: Path) -> None:
    content = b"wren 1 2\n\xff\xfe 3 4\nowl name@example.org 1 2\n\ngull x\nhawk nan 1\nowl 5 6\r\n"
    assert read_word_vectors(write(tmp_path, content), WORDS)[1].tolist() == [5, 6]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "FG-F085 none of 4 words"),
        ("wren 1 2\n", "FG-F085"),
        ("wren 1 2\nowl 1\n", "FG-F084 line 2: owl 1"),
        ("wren 1 2\nowl 1 x\n", "FG-F084 line 2"),
        ("wren 1 2\nowl 1 nan\n", "FG-F084 line 2"),
        ("wren 1 2\nowl 1 1e39\n", "FG-F084 line 2"),
        ("owl\n", "FG-F084 line 1"),
        ("owl " + "1 " * 20_000, "FG-F084 line 1"),
        ("owl " + "1" * MOST_LINE, "FG-F084 line 1: more than"),
        (os.urandom(3) + b"\0" * (MOST_LINE + 5), "FG-F084 line 1"),
    ],
)
def test_what_cannot_be_used_is_said_with_its_line(tmp_path: Path, content, said: str) -> None:
    (found,) = faults(write(tmp_path, content))
    assert found.startswith(said)


def test_several_lines_are_told_of_at_once(tmp_path: Path) -> None:
    found = faults(write(tmp_path, "wren 1 2\nowl 1\n2 x y\n"))
    assert [line.partition(":")[0] for line in found] == ["FG-F084 line 2", "FG-F084 line 3"]


def test_no_file_and_a_folder_are_faults(tmp_path: Path) -> None:
    assert faults(tmp_path / "nowhere") == ["FG-F084 nothing there"]
    assert faults(tmp_path) == ["FG-F084 something that is no file"]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_vectors_or_faults(tmp_path_factory, content: bytes) -> None:
    path = write(tmp_path_factory.mktemp("any"), b"owl 1 2\n" + content)
    try:
        found = read_word_vectors(path, WORDS)
    except FaultyInput:
        return
    assert found.shape == (4, 2)
    assert np.isfinite(found).all()
