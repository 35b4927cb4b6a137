"""An array inside an archive: its ``.npy`` header read with care, its rows mapped on demand."""

from __future__ import annotations

import io
import math
import mmap
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_HEADER = 4_096
"""Bytes of an .npy header that are looked at; NumPy writes 128 for any array that we accept."""

BLOCK_BYTES = 16 << 20
"""The most that one block of rows takes as float64, whatever its type in the file."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an ``.npy`` header declares; ``size`` is the header's own length in bytes."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    size: int

    @property
    def data_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(start: bytes) -> Header:
    """The header at the start of an ``.npy`` member. Raises ``ValueError`` with the reason."""
    stream = io.BytesIO(start)
    try:
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"version {version[0]}.{version[1]} of the format, not 1.0 or 2.0")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        with warnings.catch_warnings():  # NumPy warns of Python 2's headers, which are fine here
            warnings.simplefilter("ignore")
            shape, fortran, dtype = read(stream, max_header_size=MAX_HEADER)
    except (
        ValueError,
        TypeError,
        SyntaxError,
        tokenize.TokenError,
        OverflowError,
        RecursionError,
        MemoryError,  # the parser's, on text nested too deeply: see ast.literal_eval
    ) as error:
        raise ValueError(str(error).splitlines()[0][:200] if str(error) else "no header") from error
    if any(n < 0 for n in shape):
        raise ValueError(f"a negative length in the shape {shape}")
    return Header(dtype, tuple(int(n) for n in shape), fortran, stream.tell())


@dataclass(frozen=True, slots=True)
class StoredArray:
    """A plain array that lies in ``file`` from byte ``offset`` on, in either memory order."""

    file: BinaryIO
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool

    def map(self) -> NDArray[Any]:
        """The whole array, read-only, as a map: only what is touched comes into memory."""
        if 0 in self.shape:
            return np.empty(self.shape, self.dtype)
        aligned = self.offset - self.offset % mmap.ALLOCATIONGRANULARITY
        lead = self.offset - aligned
        length = lead + math.prod(self.shape) * self.dtype.itemsize
        pages = mmap.mmap(self.file.fileno(), length, access=mmap.ACCESS_READ, offset=aligned)
        return np.ndarray(
            self.shape, self.dtype, pages, offset=lead, order="F" if self.fortran else "C"
        )

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """(first row, block of rows) over a matrix, each at most ``BLOCK_BYTES`` as float64."""
        rows, width = self.shape
        step = max(1, BLOCK_BYTES // max(1, 8 * width))
        for first in range(0, rows, step):
            yield first, np.array(self.map()[first : first + step])
