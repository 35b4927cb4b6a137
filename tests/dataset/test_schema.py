"""The columns and the ids."""

from __future__ import annotations

import hashlib
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.dataset.schema import (
    ABSENT,
    MANIFESTS,
    REJECTED,
    Stage,
    arrow_schema,
    audio_id,
    normalise_text,
    rejection,
    source,
    text_id,
)
from fgbench.protocol import MEDIA, Medium

IDENTITY = "item_id label species medium"
SPLITS = "split_paper split_grouped group_id group_level"
PROVENANCE = (
    "site source_url source_id retrieved_at archive_url warc_digest query title author licence "
    "licence_url redistributable attribution"
)
PROCESS = "extractor cleaner_version parent_id start_s end_s flags activity review"
DOCUMENTED = f"{IDENTITY} {SPLITS} {PROVENANCE} {PROCESS}".split()


@pytest.mark.parametrize("medium", MEDIA)
def test_every_manifest_has_the_documented_columns(medium: Medium) -> None:
    names = arrow_schema(MANIFESTS[medium]).names
    assert set(DOCUMENTED) <= set(names)
    assert len(names) == len(set(names))
    assert ("text" in names) is (medium is Medium.TEXT)
    assert {"path", "sha256", "bytes"} <= set(names) or medium is Medium.TEXT


def test_every_column_says_what_it_means() -> None:
    types: dict[str, object] = {}
    for column in chain(*MANIFESTS.values(), REJECTED, ABSENT):
        assert column.meaning
        assert types.setdefault(column.name, column.type) == column.type


def test_a_rejection_keeps_identity_provenance_and_cut_alone() -> None:
    row = {name: f"its {name}" for name in (*DOCUMENTED, "text")}
    rejected = rejection(row, Stage.SELECT, "over_quota", "40 others")
    why = {"stage", "reason", "detail", "duplicate_of"}
    cut, file = {"start_s", "end_s", "activity"}, {"path", "sha256"}
    assert set(rejected) == {*IDENTITY.split(), *PROVENANCE.split()} | why | cut
    assert set(rejected) | file == {c.name for c in REJECTED}
    assert (rejected["stage"], rejected["reason"]) == ("select", "over_quota")
    assert rejected["detail"] == "40 others"
    assert rejected["source_id"] == "its source_id"


def test_normalised_text_by_hand() -> None:
    assert normalise_text("  Cafe\u0301\u00a0 STRASSE\n\tﬁne ") == "café strasse fine"
    assert normalise_text("Straße") == normalise_text("STRASSE")


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise_text(normalise_text(text)) == normalise_text(text)


def test_ids_by_hand() -> None:
    # Stable over releases: manifests, reviews and submissions refer to them.
    expected = hashlib.sha256(b"the ovenbird sings.").hexdigest()[:32]
    assert text_id(" The  Ovenbird\nsings. ") == f"text/{expected}"
    payload = "AB" * 32
    expected = hashlib.sha256(f"{'ab' * 32} 1.500 61.500".encode()).hexdigest()[:32]
    assert audio_id(payload, 1.5, 61.5) == f"audio/{expected}"
    assert audio_id(payload, 1.5, 61.501) != audio_id(payload, 1.5, 61.5)


def test_the_source_is_the_page_whatever_its_fragment() -> None:
    page = {"site": "a", "source_url": "https://a.org/wren#Song", "source_id": "7", "item_id": "x"}
    assert source(page) == "https://a.org/wren"
    assert source({**page, "source_url": None}) != source({**page, "source_url": None, "site": "b"})
    assert source({**page, "source_url": None, "source_id": None}).endswith("x")
