"""``fgbench baseline reproduce`` as its users meet it."""

from __future__ import annotations

import json

import pytest
from small_features import write_small_features

from fgbench.cli import main

JRL = ["--methods", "jrl", "--device", "cpu"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return write_small_features(tmp_path_factory.mktemp("small"), title="<b>Small</b> & |odd|")


def reproduce(*arguments):
    """Its exit code."""
    try:
        main(["baseline", "reproduce", *map(str, arguments)])
    except SystemExit as end:
        return end.code
    return 0


def test_it_writes_a_report_and_says_where(small, tmp_path, capsys):
    assert reproduce("table4", *small.options, *JRL, "--seeds", 2, "--out", tmp_path) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "JRL 2 " in said
    assert "GSPH not asked for" in said
    assert "5 not comparable" in said
    assert "mean over I→All, T→All, V→All, A→All" in said
    assert "Not comparable: another data set." in said
    assert {p.name for p in tmp_path.iterdir()} == {
        "runs",
        *(f"table4.{kind}" for kind in ("html", "md", "json")),
    }
    html = (tmp_path / "table4.html").read_text()
    assert "&lt;b&gt;Small&lt;/b&gt; &amp; |odd|" in html
    assert r"\<b\>Small\</b\> \& \|odd\|" in (tmp_path / "table4.md").read_text()


def test_json_is_the_report_and_nothing_else(small, tmp_path, capsys):
    assert reproduce("table3", *small.options, *JRL, "--json", "--out", tmp_path) == 0
    said = capsys.readouterr().out
    assert json.loads(said) == json.loads((tmp_path / "table3.json").read_text())
    assert said.encode() == (tmp_path / "table3.json").read_bytes()


def test_a_submission_that_is_damaged_fails_alone(small, tmp_path, capsys):
    command = ("table4", *small.options, *JRL, "--seeds", 2, "--out", tmp_path)
    assert reproduce(*command) == 0
    (tmp_path / "runs/jrl/seed-1/submission.npz").write_bytes(b"not a zip file")
    capsys.readouterr()
    assert reproduce(*command) == 3
    said = capsys.readouterr().out
    assert "jrl, seed 1 failed:" in said
    assert "Traceback" not in said
    document = json.loads((tmp_path / "table4.json").read_text())
    (jrl,) = (row for row in document["rows"] if row["key"] == "jrl")
    assert jrl["failed"].keys() == {"1"}
    assert jrl["cells"]["i2all"]["ours"] is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("table4", "--methods", "jlr"), "FG-G060"),
        (("table3", "--methods", "uncsm"), "FG-G060"),
        (("table4", *JRL, "--media-root", "."), "not both"),
        (("table9", *JRL), "table9"),
        (("table4", *JRL, "--seeds", "0"), "0"),
    ],
)
def test_a_wrong_call_runs_nothing(small, tmp_path, capsys, arguments, said):
    out = tmp_path / "out"
    assert reproduce(*arguments, *small.options, "--out", out) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()
