"""What must hold in a manifest: its columns and types, no nulls, values, unique ids, safe paths.

Every check returns all its faults (codes FG-D…), so that one report names them all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc

from fgbench.dataset.schema import Column, arrow_schema
from fgbench.errors import Fault
from fgbench.manifest import show

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\:]")


def check_columns(
    where: str, found: pa.Table, columns: Sequence[Column]
) -> tuple[pa.Table, list[Fault]]:
    """The columns that are there, cast to the types of the schema, and a fault for each other.

    A cast loses nothing: a fraction is no integer, a number no string, an unknown score no score.
    """
    faults: list[Fault] = []
    sound: dict[Column, pa.ChunkedArray] = {}
    for column in columns:
        place = f"{where}, column `{column.name}`"
        if column.name not in found.column_names:
            fix = "rename the column that it is, or build again"
            faults.append(Fault("FG-D004", place, "no such column", f"{column.type}", fix))
            continue
        values = found[column.name]
        try:
            if not _castable(values.type, column.type):
                raise pa.ArrowTypeError(str(values.type))
            sound[column] = values.cast(column.type)
        except pa.ArrowException as error:
            fix = "give values of that type"
            faults.append(Fault("FG-D003", place, show(str(error)), str(column.type), fix))
    return pa.table(list(sound.values()), schema=arrow_schema(sound)), faults


def check_values(where: str, table: pa.Table, columns: Sequence[Column]) -> list[Fault]:
    """Faults of the values in a table that has passed ``check_columns``."""
    faults: list[Fault] = []
    for column in columns:
        if column.name not in table.column_names:
            continue
        place = f"{where}, column `{column.name}`"
        values = table[column.name]
        if column.required and values.null_count:
            found = f"{values.null_count} nulls of {len(values)}"
            faults.append(Fault("FG-D005", place, found, "a value in every row", "fill them in"))
        if column.values:
            allowed = ", ".join(sorted(column.values))
            faults += _each(
                "FG-D006", place, values, column.values.__contains__, f"one of {allowed}"
            )
    return faults + _check_ids(where, table) + _check_files(where, table)


def _check_ids(where: str, table: pa.Table) -> list[Fault]:
    """Ids are unique in a manifest; in ``rejected``, which has stages, a text may come often."""
    if "item_id" not in table.column_names or "stage" in table.column_names:
        return []
    counts = pc.value_counts(table["item_id"].drop_null())
    often = sorted(c["values"] for c in counts.to_pylist() if c["counts"] > 1)
    if not often:
        return []
    found = f"{len(often)} ids that come twice or more, as {show(often[0])}"
    fix = "drop the repeats, or give them ids of their own"
    return [Fault("FG-D007", f"{where}, column `item_id`", found, "every id once", fix)]


def _check_files(where: str, table: pa.Table) -> list[Fault]:
    rules: tuple[tuple[str, str, Callable[[str], bool], str], ...] = (
        ("FG-D008", "path", is_inside, "a relative path inside the build folder, with /"),
        ("FG-D009", "sha256", lambda v: bool(_SHA256.fullmatch(v)), "64 lower-case hex digits"),
    )
    faults: list[Fault] = []
    for code, name, holds, expected in rules:
        if name in table.column_names:
            faults += _each(code, f"{where}, column `{name}`", table[name], holds, expected)
    return faults


def _each(
    code: str, place: str, values: pa.ChunkedArray, holds: Callable[[str], bool], expected: str
) -> list[Fault]:
    """One fault for all values of a column that break a rule, with the first of them."""
    wrong = [v for v in pc.unique(values).to_pylist() if v is not None and not holds(v)]
    if not wrong:
        return []
    found = show(wrong[0]) + (f" and {len(wrong) - 1} more" if len(wrong) > 1 else "")
    return [Fault(code, place, found, expected, "correct the values, or build again")]


def is_inside(path: str) -> bool:
    """Whether it is a relative path, with /, that stays inside its folder."""
    pure = PurePosixPath(path)
    return bool(path) and not (pure.is_absolute() or ".." in pure.parts or _UNSAFE.search(path))


def _castable(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether the types mean the same, whatever their widths; a null column means anything."""
    types = pa.types
    if types.is_dictionary(found):
        found = found.value_type
    if types.is_null(found):
        return True
    if types.is_struct(wanted):
        return types.is_struct(found) and all(
            wanted.get_field_index(f.name) >= 0 and _castable(f.type, wanted.field(f.name).type)
            for f in found
        )
    if types.is_list(wanted):
        lists = types.is_list(found) or types.is_large_list(found)
        return lists and _castable(found.value_type, wanted.value_type)
    if types.is_integer(wanted) or types.is_floating(wanted):
        return bool(types.is_integer(found) or types.is_floating(found))
    if types.is_string(wanted):
        texts = (types.is_string, types.is_large_string, types.is_string_view)
        return any(is_text(found) for is_text in texts)
    return bool(found == wanted)
