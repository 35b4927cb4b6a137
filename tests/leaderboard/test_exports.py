"""Tables as CSV, JSON and LaTeX, and references as BibTeX: read back, whatever is in them."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from fgbench.leaderboard.board import Method
from fgbench.leaderboard.exports import FORMATS, Table, to_bibtex, to_csv, to_json, to_latex
from fgbench.leaderboard.store import from_paper

HOSTILE = 'a, "b"\n\\end{tabular} & 5 % _x_ $y$ #1 ~ ^ {'
TABLE = Table(
    "stem",
    "A title\n\\input{x}",
    ("rank", "method", "map", "low"),
    ((1, HOSTILE, 0.1234567890123, None), (None, "=SUM(A1)", 1.0, 0.5)),
)


def test_csv_holds_every_digit_and_no_formula():
    rows = list(csv.reader(io.StringIO(to_csv(TABLE))))
    assert rows[0] == list(TABLE.header)
    assert rows[1] == ["1", HOSTILE.replace("\n", " "), "0.1234567890123", ""]
    assert rows[2] == ["", "'=SUM(A1)", "1.0", "0.5"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r="])
def test_no_text_begins_as_a_formula_does(start):
    table = Table("s", "t", ("method", "map"), ((start + "1", -1.0),))
    row = list(csv.reader(io.StringIO(to_csv(table), newline="")))[1]
    assert row[0] == f"'{start.strip()}1"
    assert row[1] == "-1.0"  # a number stays one


def test_json_holds_what_the_table_holds():
    read = json.loads(to_json(TABLE), parse_constant=pytest.fail)
    assert read["title"] == TABLE.title
    assert [tuple(row.values()) for row in read["rows"]] == list(TABLE.rows)


def test_a_number_that_is_none_is_no_json():
    with pytest.raises(ValueError, match="JSON"):
        to_json(Table("s", "t", ("map",), ((float("nan"),),)))


def test_latex_has_one_line_a_row_and_one_cell_a_column():
    lines = to_latex(TABLE).splitlines()
    assert lines[0] == r"% A title \input{x}; needs \usepackage{booktabs}"
    assert lines[1] == r"\begin{tabular}{rlrr}"
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert len(body) == 2
    for line in (lines[3], *body):
        assert line.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", line)) == 3
    assert body[1] == r"-- & =SUM(A1) & 1.000 & .500 \\"
    assert "% 5" not in body[0]
    commands = set(re.findall(r"\\([a-z]+)", body[0]))
    names = {"braceleft", "braceright", "backslash", "asciitilde", "asciicircum"}
    assert commands == {f"text{name}" for name in names}


def test_every_format_of_equal_tables_is_equal():
    for write in FORMATS.values():
        assert write(TABLE) == write(Table(TABLE.stem, TABLE.title, TABLE.header, TABLE.rows))


def test_bibtex_of_every_published_method_is_balanced():
    for printed in from_paper():
        made = to_bibtex(Method(printed.slug, printed.method.name, printed))
        assert made.startswith(f"@misc{{{printed.slug},\n")
        assert made.count("{") == made.count("}")
        assert f"year = {{{printed.method.year}}}" in made


def test_a_name_cannot_break_out_of_its_bibtex_field():
    made = to_bibtex(Method("x", "a } @misc{b, { \\"))
    depth = 0
    for at, sign in enumerate(made):
        depth += (sign == "{") - (sign == "}")
        assert depth > 0 or sign != "@" or at == 0
    assert depth == 0
