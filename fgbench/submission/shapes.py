"""What array headers must say: types, dimensions, as many rows as ids, one width in a space."""

from __future__ import annotations

from collections.abc import Mapping

from fgbench.protocol import Medium
from fgbench.submission.array import Header
from fgbench.submission.faults import Code
from fgbench.submission.findings import Findings
from fgbench.submission.format import Space
from fgbench.submission.layout import ARRAYS, IDS, Slot

MAX_ITEMS = 200_000
MAX_WIDTH = 16_384
MAX_ID_BYTES = 32 << 20
"""Of the ids of one medium, once they are decoded: 4 bytes a character of the longest."""


def check_shapes(headers: Mapping[str, Header], binary: bool, findings: Findings) -> set[str]:
    """The names of the id lists and matrices whose numbers can be looked at."""
    sound = {n for n, h in headers.items() if n in IDS and is_list(n, h, findings)}
    counts = {IDS[name]: headers[name].shape[0] for name in sound}
    widths: dict[tuple[Medium, ...], dict[str, int]] = {}
    for name, header in headers.items():
        slot = ARRAYS.get(name)
        most = MAX_ITEMS if slot and slot.space is Space.SCORES else MAX_WIDTH
        if slot and is_matrix(name, header, findings, most=most, boolean=binary):
            if slot.space is not Space.SCORES:
                widths.setdefault(slot.room, {})[name] = header.shape[1]
            if _fits(name, header, slot, counts, findings):
                sound.add(name)
    for found in widths.values():
        if len(set(found.values())) > 1:
            text = ", ".join(f"{name} {width:,}" for name, width in found.items())
            findings.add(Code.WIDTHS, ", ".join(found), text)
    return sound


def is_list(name: str, header: Header, findings: Findings) -> bool:
    """Whether this is a list of strings of a size that can be held."""
    kind = header.dtype.kind
    if kind not in "US":
        findings.add(
            Code.TYPE,
            name,
            f"{header.dtype}",
            expected="a list of strings",
            fix="positions say nothing: write the items' ids"
            if kind in "iuf"
            else "numpy.array(ids, dtype=str)",
        )
        return False
    if len(header.shape) != 1:
        findings.add(
            Code.DIMENSIONS,
            name,
            f"shape {header.shape}",
            expected="a list: one id a row",
            fix="ids.reshape(-1)",
        )
        return False
    if not 1 <= header.shape[0] <= MAX_ITEMS:
        findings.add(Code.NO_ROWS, name, f"{header.shape[0]:,} ids")
        return False
    size = header.data_bytes * (4 if kind == "S" else 1)
    if size > MAX_ID_BYTES:
        findings.add(
            Code.BAD_ID,
            name,
            f"{size:,} bytes of ids",
            expected=f"at most {MAX_ID_BYTES >> 20} MiB, 4 bytes a character of the longest",
            fix="look for one id that is far too long",
        )
        return False
    return True


def is_matrix(
    name: str,
    header: Header,
    findings: Findings,
    *,
    most: int = MAX_WIDTH,
    boolean: bool = False,
) -> bool:
    """Whether this is a matrix of numbers, or of truth values, of at most ``most`` columns."""
    dtype, shape = header.dtype, header.shape
    numeric = (dtype.kind == "f" and dtype.itemsize <= 8) or dtype.kind in "iu"
    if not numeric and not (boolean and dtype.kind == "b"):
        fix = "numpy.stack(rows).astype(numpy.float32)" if dtype.hasobject else ""
        findings.add(Code.TYPE, name, f"{dtype}", fix=fix)
        return False
    if len(shape) != 2:
        fix = "a width of 1 is written array[:, None]" if len(shape) == 1 else ""
        findings.add(Code.DIMENSIONS, name, f"shape {shape}", fix=fix)
        return False
    rows, width = shape
    if not 1 <= width <= most:
        expected = "" if most == MAX_WIDTH else f"1 to {most:,} columns"
        findings.add(Code.WIDTH, name, f"shape {shape}", expected=expected)
        return False
    if not 1 <= rows <= MAX_ITEMS:
        findings.add(Code.NO_ROWS, name, f"shape {shape}")
        return False
    return True


def _fits(
    name: str, header: Header, slot: Slot, counts: Mapping[Medium, int], findings: Findings
) -> bool:
    """Whether rows (and columns, of scores) are as many as the ids, where these are known."""
    media = [slot.rows] if slot.columns is None else [slot.rows, slot.columns]
    wrong = [
        f"{length:,} {axis} for {counts[medium]:,} {medium}_ids"
        for axis, length, medium in zip(("rows", "columns"), header.shape, media, strict=False)
        if medium in counts and counts[medium] != length
    ]
    if wrong:
        turned = slot.columns and header.shape == (counts.get(slot.columns), counts.get(slot.rows))
        fix = f"transpose it, or name it scores/{slot.columns}_{slot.rows}" if turned else ""
        findings.add(Code.ROWS, name, "; ".join(wrong), fix=fix)
    return not wrong
