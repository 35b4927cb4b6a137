"""Values of a configuration: what each type takes, and that nothing is guessed."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fgbench.train.values import convert_value, describe_kind, parse_value, plain_value


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("5", int, 5),
        ("-5", int, -5),
        ("5", float, 5.0),
        ("1e-3", float, 0.001),
        ("5", str, "5"),
        ("true", bool, True),
        ("true", str, "true"),
        ("null", str | None, None),
        ("null", str, "null"),
        ("a.pt", str | None, "a.pt"),
        ("3", int | None, 3),
        ("red", Colour, Colour.RED),
        ("blue", Colour | None, Colour.BLUE),
        ("knn", Literal["knn", "released"], "knn"),
        ("[1, 2, 3]", tuple[int, ...], (1, 2, 3)),
        ("[]", tuple[int, ...], ()),
        ("[1, 0.5]", tuple[int, float], (1, 0.5)),
        ("[red, blue]", tuple[Colour, ...], (Colour.RED, Colour.BLUE)),
        ("3.5", int | float, 3.5),
    ],
)
def test_a_text_becomes_what_the_field_takes(text, kind, value):
    parsed = parse_value(text, kind)
    assert (parsed, type(parsed)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("5.0", int),
        ("true", int),
        ("yes please", bool),
        ("1", bool),
        ("nan", float),
        ("inf", float),
        ("1e999", float),
        ("green", Colour),
        ("dense", Literal["knn", "released"]),
        ("[1, x]", tuple[int, ...]),
        ("[1]", tuple[int, int]),
        ("1", tuple[int, ...]),
        ("{a: 1}", int),
        ("[", int),
        ("null", int),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(text, kind):
    with pytest.raises(ValueError, match="^" + describe_kind(kind) + "$"):
        parse_value(text, kind)


def test_a_type_that_no_file_can_hold_is_the_methods_fault():
    with pytest.raises(TypeError, match="cannot hold"):
        convert_value({}, dict[str, int])


KINDS = st.sampled_from([bool, int, float, str, Colour, int | None, tuple[int, ...], str | None])


@given(st.data())
def test_what_is_written_reads_back(data):
    kind = data.draw(KINDS)
    value = data.draw(
        st.from_type(kind).filter(lambda v: not isinstance(v, float) or abs(v) < 1e300)
        if kind is not str | None
        else st.none() | st.text()
    )
    written = yaml.safe_dump(plain_value(value))
    assert convert_value(yaml.safe_load(written), kind) == value
