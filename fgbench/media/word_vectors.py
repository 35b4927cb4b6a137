"""Vectors of words, from a file of word2vec or GloVe in its text form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fgbench.errors import Fault, FaultyInput
from fgbench.manifest import show
from fgbench.submission.shapes import MAX_WIDTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_LINE = 1 << 20
"""Bytes of a line: a word and 16,384 numbers of 20 characters are fewer."""
_SHOWN = 10
"""Lines at fault that are told of; what comes behind them is not read."""


def read_word_vectors(path: Path, words: Sequence[str]) -> NDArray[np.float32]:
    """The vectors of some words [len(words), e]; of a word that the file lacks, zeros.

    A first line of two numbers is word2vec's heading. Of a word that comes twice the first counts;
    lines of other words are passed over, whatever they hold. Raises ``FaultyInput``: FG-F084 where
    the file cannot be read so, FG-F085 where it has none of the words.
    """
    places = {word.encode(): place for place, word in enumerate(words)}
    found: dict[int, NDArray[np.float32]] = {}
    faults: list[Fault] = []
    width = 0
    for number, line in _lines(path):
        word, _, rest = line.partition(b" ")
        if number == 1 and word.isdigit() and rest.strip().isdigit():
            continue
        width = width or len(rest.split())
        place = places.get(word)
        if place is None or place in found or len(fields := rest.split()) > width:
            continue  # more numbers than others: GloVe's words of several words
        if (vector := _vector(fields, width)) is None:
            shown = show(line[:80].decode("utf-8", "replace"))
            faults.append(_fault(path, f"line {number:,}: {shown}"))
            if len(faults) == _SHOWN:
                break
        else:
            found[place] = vector
    if not found and not faults:
        faults = [_no_word(path, words)]
    if faults:
        raise FaultyInput(f"The word vectors {path} cannot be used", faults)
    vectors = np.zeros((len(words), width), np.float32)
    for place, vector in found.items():
        vectors[place] = vector
    return vectors


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file, from number 1, without their ends. Raises ``FaultyInput`` (FG-F084)."""
    found = ""
    try:
        if not path.is_file():  # a pipe would be waited for, a device never ends
            found = "something that is no file" if path.exists() else "nothing there"
        else:
            with path.open("rb") as file:
                for number in count(1):
                    if not (line := file.readline(MOST_LINE + 1)):
                        return
                    if len(line) > MOST_LINE:
                        found = f"line {number:,}: more than {MOST_LINE:,} bytes"
                        break
                    yield number, line.strip()
    except OSError as error:
        found = error.strerror or type(error).__name__
    raise FaultyInput(f"The word vectors {path} cannot be used", [_fault(path, found)])


def _vector(fields: Sequence[bytes], width: int) -> NDArray[np.float32] | None:
    """So many finite numbers, or None."""
    try:
        with np.errstate(over="ignore"):  # what overflows is not finite
            vector = np.array([float(field) for field in fields], np.float64).astype(np.float32)
    except ValueError:
        return None
    sound = len(vector) == width and 1 <= width <= MAX_WIDTH and np.isfinite(vector).all()
    return vector if sound else None


def _fault(path: Path, found: str) -> Fault:
    expected = f"on each line a word and its numbers, 1 to {MAX_WIDTH:,}, as many as on the others"
    fix = "name a file of word2vec or GloVe in its text form, unpacked"
    return Fault("FG-F084", str(path), found, expected, fix)


def _no_word(path: Path, words: Sequence[str]) -> Fault:
    found = f"none of {len(words):,} words, as {show(words[-1])}"
    expected = "vectors of words of the training texts, in lower case"
    fix = "see to its language, or leave --word-vectors out"
    return Fault("FG-F085", str(path), found, expected, fix)
