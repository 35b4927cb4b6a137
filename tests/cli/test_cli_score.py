"""What ``fgbench score`` prints for people."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fgbench import load_benchmark
from fgbench.cli import main
from fgbench.cli.score import digits
from fgbench.submission import write_submission


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return tmp_path_factory.mktemp("sample")


def test_the_sample_prints_a_grid_the_means_and_what_they_mean(sample, capsys):
    main(["score", "--sample", "--out", str(sample / "out"), "--against", "fgcrossnet"])
    said = capsys.readouterr().out
    for row in ("image", "text", "video", "audio"):
        assert re.search(rf"^  {row} +(All )?\.\d\d\d", said, re.M)
    assert said.count("All .") == 4
    assert re.search(r"Bi-modal +\.\d{3}  \[\.\d{3} \.\d{3}\]  mean of 12", said)
    assert re.search(
        r"X→All +\.\d{3}  \[\.\d{3} \.\d{3}\]  mean of 4; self included: \.\d{3}", said
    )
    assert "says nothing about any method" in " ".join(said.split())
    assert re.search(r"I→T +\.\d{3} +\.210 +[+−]\.\d{3}", said)
    assert (sample / "out" / "record.json").is_file()


def test_the_papers_convention_says_what_it_is_for(capsys):
    main(["score", "--sample", "--convention", "paper"])
    said = capsys.readouterr().out
    assert "compare with printed tables only" in said
    assert "[." not in said  # no intervals on numbers that are not ranked


def test_an_incomplete_submission_says_what_is_missing_and_hostile_names_are_text(tmp_path, capsys):
    official = load_benchmark()
    some = ("text", "audio")
    ids = {m: official.items[m].ids for m in some}
    rng = np.random.default_rng(0)
    rows = {m: rng.normal(size=(len(ids[m]), 2)) for m in some}
    meta = {"method": "[red]\x1b[31mlong" + "x" * 500}
    write_submission(tmp_path / "s.npz", ids=ids, embeddings=rows, meta=meta)
    main(["score", str(tmp_path / "s.npz")])
    said = capsys.readouterr().out
    assert "Incomplete, never ranked" in said
    assert "[red]" in said
    assert "\x1b[31m" not in said


@pytest.mark.parametrize(("value", "text"), [(0.2104, ".210"), (1.0, "1.000"), (0.0, ".000")])
def test_digits_as_the_field_prints_them(value, text):
    assert digits(value) == text
