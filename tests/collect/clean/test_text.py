"""From a page to rows: every paragraph becomes rows or one rejection, and nothing is lost."""

from collections.abc import Callable

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgbench.collect.clean.filters import Reason
from fgbench.collect.clean.marks import strip_marks
from fgbench.collect.clean.text import CLEANER_VERSION, WITHIN_WORD, clean
from fgbench.collect.sites.base import RawText
from fgbench.dataset.schema import MANIFESTS, REJECTED, Row, arrow_schema, text_id
from fgbench.protocol import Medium
from fgbench.species import find

Make = Callable[..., RawText]
ALBATROSS = find(1)
LEAD = "The black-footed albatross (Phoebastria nigripes) is a large dark seabird.[1]"
LONG = "It nests in colonies on islands of the Pacific, and lays a single egg. " * 20


def read(raw: RawText) -> tuple[list[Row], list[Row]]:
    """The kept and the rejected rows of a page found for the albatross."""
    rows = list(clean(raw, ALBATROSS, retrieved_at="2026-01-01T00:00:00Z", warc_digest="sha256:0"))
    return [r for r in rows if "stage" not in r], [r for r in rows if "stage" in r]


def paragraphs_of(rows: list[Row]) -> list[str]:
    """The paragraphs that pieces make, as the flags say."""
    found: list[str] = []
    for row in rows:
        if not row["flags"] or row["flags"][0].startswith("piece:1/"):
            found.append(row["text"])
        else:
            found[-1] += ("" if WITHIN_WORD in row["flags"] else " ") + row["text"]
    return found


def test_a_row_says_what_it_is_and_where_it_is_from(page: Make) -> None:
    kept, rejected = read(page("Black-footed albatross", ("Description[edit]", LEAD)))
    assert rejected == []
    (row,) = kept
    assert row["text"] == LEAD.removesuffix("[1]")
    assert row["section"] == "Description"
    assert row["item_id"] == row["parent_id"] == text_id(row["text"])
    assert (row["label"], row["species"], row["medium"]) == (
        0,
        "001.Black_footed_Albatross",
        "text",
    )
    assert row["source_url"] == "https://site.example/Black-footed_albatross"
    assert (row["licence"], row["redistributable"]) == ("CC-BY-SA-4.0", True)
    assert (row["retrieved_at"], row["warc_digest"]) == ("2026-01-01T00:00:00Z", "sha256:0")
    assert (row["cleaner_version"], row["flags"]) == (CLEANER_VERSION, [])


def test_rows_fit_the_manifest_and_the_rejected_table(page: Make) -> None:
    kept, rejected = read(page("Black-footed albatross", LEAD, LONG, "Too short.", "\ud800"))
    assert len(kept) > 2
    assert len(rejected) == 2
    for rows, columns in ((kept, MANIFESTS[Medium.TEXT]), (rejected, REJECTED)):
        schema = arrow_schema(columns)
        assert all(row.keys() <= set(schema.names) for row in rows)
        assert all(row.get(c.name) is not None for row in rows for c in columns if c.required)
        assert pa.Table.from_pylist(rows, schema=schema).num_rows == len(rows)


def test_a_long_paragraph_is_several_rows_that_make_it_again(page: Make) -> None:
    kept, _ = read(page("Black-footed albatross", LEAD, LONG, "a" * 100))
    pieces = kept[1:]
    assert paragraphs_of(pieces) == [LONG.strip()]
    assert [row["flags"] for row in pieces] == [
        [f"piece:{n}/{len(pieces)}"] for n in range(1, len(pieces) + 1)
    ]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "Description", "References", "See also"]),
            st.one_of(
                st.text(st.characters(exclude_categories=())),
                st.integers(1, 30).map(LEAD.__mul__),
                st.integers(40, 900).map(lambda n: f"The bird sings {'o' * n} on the coast."),
                st.sampled_from(["[1]", "Photo by the author", "It is small.", LONG]),
            ),
        ),
        max_size=8,
    )
)
def test_every_paragraph_is_accounted_for(page: Make, parts: list[tuple[str, str]]) -> None:
    kept, rejected = read(page("Black-footed albatross", *parts))
    ids = {text_id(strip_marks(text)) for _, text in parts}
    assert {row["parent_id"] for row in kept} | {row["item_id"] for row in rejected} == ids
    whole = paragraphs_of(kept)
    assert len(whole) + len(rejected) == len(parts)
    assert set(whole) <= {strip_marks(text) for _, text in parts}
    assert all(40 <= len(row["text"]) <= 448 for row in kept)
    assert all(row["reason"] in set(Reason) for row in rejected)


def test_reasons_by_precedence(page: Make) -> None:
    raw = page(
        "Black-footed albatross",
        ("References", LEAD),
        ("Caption", "An adult bird at its nest with an egg on the island of Midway."),
        "The bird\x92s nest is on the ground, and a single egg is laid in it in winter.",
        "The bird&#65533;s nest is on the ground, and a single egg is laid in it.",
        "[1]",
    )
    kept, rejected = read(raw)
    assert kept == []
    assert [row["reason"] for row in rejected] == [
        Reason.SECTION,
        Reason.SECTION,
        Reason.MOJIBAKE,
        Reason.MOJIBAKE,
        Reason.TOO_SHORT,
    ]


def test_a_page_on_another_species_is_rejected_whole(page: Make) -> None:
    kept, rejected = read(page("Laysan albatross", LEAD, LONG, "[1]"))
    assert kept == []
    assert [row["reason"] for row in rejected] == [Reason.WRONG_SPECIES] * 3
    assert all("laysan albatross" in row["detail"] for row in rejected)


def test_same_page_same_rows(page: Make) -> None:
    raw = page("Black-footed albatross", LEAD, LONG)
    assert read(raw) == read(raw)
