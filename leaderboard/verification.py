"""Which records their maintainers saw for themselves: ``verified.yaml`` beside the results.

A badge is of a record's bytes: an entry that is edited afterwards loses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.errors import Fault
from fgbench.record import Status
from fgbench.submission.findings import quote

from .document import read_fields
from .faults import Code, fault
from .text import text_faults, tidy

VERIFIED = "verified.yaml"
GIVEN = (Status.VERIFIED, Status.REPRODUCED)
"""What maintainers can say of an entry: scored again from its vectors; trained again as well."""
MAX_COMMAND = 500
DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Verification:
    """A status, and the command that anyone can see it by; empty where nobody did."""

    status: Status = Status.SELF_REPORTED
    command: str = ""


def read_verified(path: Path) -> tuple[dict[str, Verification], list[Fault]]:
    """The verified records, by the SHA-256 of ``record.json``; and what is wrong with the list.

    No file, no verified record.
    """
    if not path.exists():
        return {}, []
    fields, faults = read_fields(path)
    faults += [f for digest, given in fields.items() for f in _faults(path, digest, given)]
    if faults:
        return {}, faults
    return {digest: _verification(given) for digest, given in fields.items()}, []


def _verification(given: Mapping[str, Any]) -> Verification:
    return Verification(Status(given["status"]), tidy(given["command"]))


def _faults(path: Path, digest: str, given: Any) -> list[Fault]:
    where = f"{path}, {quote(digest)}"
    if not DIGEST.fullmatch(digest):
        return [fault(Code.VERIFIED, where, "no SHA-256")]
    if not isinstance(given, dict) or set(given) != {"status", "command"}:
        return [fault(Code.VERIFIED, where, quote(str(given)), expected="status and command")]
    faults = []
    if given["status"] not in GIVEN:
        found = f"status {quote(str(given['status']))}"
        faults.append(fault(Code.VERIFIED, where, found, expected=" or ".join(GIVEN)))
    if not isinstance(given["command"], str):
        faults.append(fault(Code.VERIFIED, where, "a command that is no text"))
    else:
        faults += text_faults(f"{where}, command", tidy(given["command"]), MAX_COMMAND)
    return faults
