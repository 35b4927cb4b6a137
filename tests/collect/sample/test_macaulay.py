"""The miniature Macaulay Library: a folder with a list and sounds, the same at any time."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from fgbench.collect.queries import queries_for
from fgbench.collect.sample.macaulay import assets, write_export
from fgbench.collect.sample.prose import bird_named, birds
from fgbench.collect.sites.base import RawAudio
from fgbench.collect.sites.macaulay import Macaulay
from fgbench.species import species

STATED = 1_767_225_600
"""2026-01-01 in seconds, the date of every answer of the sample world."""


def contents(folder: Path) -> dict[str, tuple[bytes, float]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime) for path in folder.iterdir()}


@pytest.mark.parametrize("bird", birds(), ids=lambda bird: bird.code)
def test_the_adapter_reads_three_rows_one_with_its_sound(tmp_path, bird):
    write_export(tmp_path)
    site, wanted = Macaulay(tmp_path), species()[bird.cub_id - 1]
    (hit,) = site.find(wanted, queries_for(wanted), None)
    raws = [raw for raw in site.read(hit, site.saved(hit)) if isinstance(raw, RawAudio)]
    assert [raw.source_id for raw in raws] == [f"ML{asset.number}" for asset in assets(bird)]
    assert [bool(raw.media_url) for raw in raws] == [True, False, False]
    assert all("Synthetic" in raw.title for raw in raws)
    assert [raw.quality for raw in raws] == ["A", "C", ""]
    assert raws[1].other_species == (bird_named(bird.kin).scientific,)
    answer = site.saved(replace(hit, url=raws[0].media_url))
    assert answer.date == "2026-01-01T00:00:00Z"
    with soundfile.SoundFile(io.BytesIO(answer.body)) as file:
        assert file.frames / file.samplerate >= 5


def test_two_folders_are_the_same_to_the_second(tmp_path):
    write_export(tmp_path / "one")
    write_export(tmp_path / "deep" / "two")
    write_export(tmp_path / "one")
    assert contents(tmp_path / "one") == contents(tmp_path / "deep" / "two")
    assert {modified for _, modified in contents(tmp_path / "one").values()} == {STATED}
    assert len(contents(tmp_path / "one")) == 1 + len(birds())


def test_the_columns_are_those_of_a_real_export(real_data, tmp_path):
    write_export(tmp_path)
    real = real_data / "site_samples/macaulay/ml_catalog_export_sample.csv"
    ours = tmp_path / "ML_synthetic_export.csv"
    head, *rows = csv.reader(ours.read_text("utf-8-sig").splitlines())
    assert head == next(csv.reader(real.read_text("utf-8-sig").splitlines()))
    assert all("synthetic sample sound" in ",".join(row) for row in rows)
