"""Lists that the Macaulay Library's catalogue exports: CSV, one row a photo, sound or video."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from fgbench.collect.sites.listings import line
from fgbench.errors import Fault

NUMBER, CODE = "ML Catalog Number", "eBird Species Code"

_FORMAT, _AUDIO = "Format", "Audio"
_COLUMNS = (NUMBER, _FORMAT, "Scientific Name", CODE, "Recordist", "Date", "Locality")


def sound_rows(body: bytes) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows of sounds in a list without fault, and where they stand: the header is row 1."""
    reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    for number, row in enumerate(reader, start=2):
        if row.get(_FORMAT) == _AUDIO:
            texts = ((name, value) for name, value in row.items() if isinstance(value, str))
            yield number, {name: line(value) for name, value in texts if name}


def fault_of(path: Path, body: bytes) -> Fault | None:
    """What keeps a file from being an exported list, if anything (FG-I002)."""
    expected = f"UTF-8, a header with {', '.join(_COLUMNS)}, and rows"
    fix = "Export the list again; do not save it from a spreadsheet."
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        for _ in reader:
            pass
    except (ValueError, csv.Error) as error:
        return Fault("FG-I002", str(path), str(error)[:200], expected, fix)
    if missing:
        return Fault("FG-I002", str(path), f"no column {', '.join(missing)}", expected, fix)
    return None
