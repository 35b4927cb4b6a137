"""Everything that keeps an entry off the board: the one table of the codes.

docs/leaderboard.md lists it; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from fgbench.errors import Fault
from fgbench.submission.faults import FaultKind

MAX_SHOWN = 10
"""Faults of one kind in one place that are listed one by one; the rest are counted."""


class Code(StrEnum):
    """The stable code of each fault; a code is never given a second meaning."""

    FILE = "FG-L110"
    MISSING = "FG-L111"
    UNKNOWN = "FG-L112"
    TYPE = "FG-L113"
    BOUNDS = "FG-L114"
    SIGNS = "FG-L115"
    URL = "FG-L116"

    LOOK_ALIKE = "FG-L120"
    SECOND = "FG-L121"
    TWICE = "FG-L122"

    NO_RESULTS = "FG-L130"
    STRAY = "FG-L131"
    PLACE = "FG-L132"
    STATUS = "FG-L133"
    VERIFIED = "FG-L134"

    BENCHMARK = "FG-L140"
    PROTOCOL = "FG-L141"
    QUERIES = "FG-L142"
    VALUE = "FG-L143"
    SHAPE = "FG-L144"
    AMBIGUOUS = "FG-L145"


_HAND_IN_AGAIN = "hand the submission in again: fgbench score … --card method.yaml --to …"

KINDS: Mapping[str, FaultKind] = {
    Code.FILE: FaultKind(
        "not a YAML file of fields",
        "UTF-8, at most 32 KiB: names and values, no anchors or tags, each name once",
        "What cannot be read with certainty could mean two things.",
        "write one `name: value` a line",
    ),
    Code.MISSING: FaultKind(
        "a field is missing",
        "every field that is needed",
        "A number without its method and its training data cannot be compared.",
        "add it to the card",
    ),
    Code.UNKNOWN: FaultKind(
        "an unknown field",
        "the fields of a card",
        "It would not be shown; it may be another field, misspelt.",
        "rename it, or move it into notes",
    ),
    Code.TYPE: FaultKind(
        "a value of the wrong type",
        "the type of the field",
        "A year that is text cannot be sorted or filtered.",
        "write text in quotes, and numbers, true and false without",
    ),
    Code.BOUNDS: FaultKind(
        "a value out of bounds",
        "the bounds of the field",
        "A name of ten thousand signs leaves no room for the others.",
        "shorten or correct it",
    ),
    Code.SIGNS: FaultKind(
        "signs that cannot be shown",
        "signs that print: no controls, no marks of direction, no blanks with a letter's code",
        "They can turn the text around them, or hide that two names differ.",
        "type the text anew",
    ),
    Code.URL: FaultKind(
        "not an address that a browser should follow",
        "https://… or http://…, without a user's name, other signs than ASCII written as %XX",
        "A link on the board is clicked by people who trust it.",
        "copy the address from the browser",
    ),
    Code.LOOK_ALIKE: FaultKind(
        "a name that looks like another's",
        "a name that differs in more than case, blanks, hyphens or look-alike signs",
        "Readers would take one method for the other.",
        "choose a name of its own",
    ),
    Code.SECOND: FaultKind(
        "two submissions with one name",
        "one submission under one name",
        "Readers could not tell which of them a number is of.",
        "delete the folder that is replaced, or give the method another name",
    ),
    Code.TWICE: FaultKind(
        "one submission under two names",
        "every submission once",
        "The same vectors are not two methods.",
        "keep one of them",
    ),
    Code.NO_RESULTS: FaultKind(
        "no results",
        "a folder with a folder for each method",
        "There is nothing to check.",
        "name the folder: fgbench leaderboard check RESULTS",
    ),
    Code.STRAY: FaultKind(
        "something that is no part of an entry",
        "METHOD/SHA/record.json and METHOD/SHA/per_query.parquet: files, not links",
        "Nobody has checked what it is, and it would be kept and copied with the results.",
        "delete it",
    ),
    Code.PLACE: FaultKind(
        "a folder under the wrong name",
        "the method's name in small letters, and the first 12 signs of the submission's SHA-256",
        "The folder is the address of the entry's page.",
        _HAND_IN_AGAIN,
    ),
    Code.STATUS: FaultKind(
        "a status that the entry gives itself",
        "self-reported",
        "Whether a number is verified is for those to say who verified it, in verified.yaml.",
        "write self-reported, and ask for verification",
    ),
    Code.VERIFIED: FaultKind(
        "verified.yaml is not understood",
        "the SHA-256 of a record.json that is here, each with status and command",
        "A badge must say of what it is, and how anyone can see for themselves.",
        "correct it: docs/leaderboard.md, Verified entries",
    ),
    Code.BENCHMARK: FaultKind(
        "scored against another benchmark",
        "the same manifests, with the same digests",
        "Scores on different items cannot be compared.",
        "score it against this board's benchmark, or name the board's with --benchmark",
    ),
    Code.PROTOCOL: FaultKind(
        "scored by another protocol",
        "the protocol of this version of fgbench",
        "Its rules can move every number.",
        "score it again with this version",
    ),
    Code.QUERIES: FaultKind(
        "per-query values and tasks disagree",
        "for every task that is scored an AP for every query, and for no other",
        "A mean over easy queries is higher.",
        _HAND_IN_AGAIN,
    ),
    Code.VALUE: FaultKind(
        "a number that its per-query values do not give",
        "the number that they give",
        "One of the two was changed after scoring.",
        _HAND_IN_AGAIN,
    ),
    Code.SHAPE: FaultKind(
        "a part of the record that the scorer does not write so",
        "as fgbench score writes it",
        "It was written or changed by other means.",
        _HAND_IN_AGAIN,
    ),
    Code.AMBIGUOUS: FaultKind(
        "a record that can be read in two ways, or not at all",
        "every key once, and at most 8 levels",
        "Two readers could find two values in it.",
        _HAND_IN_AGAIN,
    ),
}


def fault(code: Code, where: str, found: str, *, expected: str = "", fix: str = "") -> Fault:
    """A fault; what is expected and how to mend it come from the table unless given."""
    kind = KINDS[code]
    return Fault(str(code), where, found, expected or kind.expected, fix or kind.fix)


def shorten(faults: list[Fault]) -> list[Fault]:
    """The first ``MAX_SHOWN`` faults; of the others, how many there are."""
    if (more := len(faults) - MAX_SHOWN) <= 0:
        return faults
    last = faults[MAX_SHOWN]
    counted = Fault(last.code, "elsewhere", f"{more:,} more", last.expected, last.fix)
    return [*faults[:MAX_SHOWN], counted]
