"""Macaulay: lists that its catalogue exports, and sounds beside them; nothing is asked for."""

from __future__ import annotations

import csv
import io
import os
import pickle
import shutil
from dataclasses import replace

import pytest
from collect.sites.loopback import asking, serving

from fgbench.collect.sites.base import Absent, Access, Failure, FetchFailed, RawAudio
from fgbench.collect.sites.macaulay import CSV, Macaulay
from fgbench.errors import FaultyInput, InputError
from fgbench.settings import load

NAME = "Northern Cardinal"


@pytest.fixture
def export(tmp_path, monkeypatch, fixture):
    """A folder with the made-up list; the variable names it."""
    folder = tmp_path / "macaulay"
    folder.mkdir()
    (folder / "ML__export.csv").write_bytes(b"\xef\xbb\xbf" + fixture("macaulay/export.csv"))
    monkeypatch.setenv(CSV, str(folder))
    return folder


def found(asked, shelf, name=NAME):
    site, session = Macaulay(load().imports.get(CSV)), shelf({})
    hits = list(site.find(*asked(name), session))
    assert session.asked == []
    return site, hits


def test_a_list_becomes_rows_without_sound(export, asked, shelf):
    site, (hit,) = found(asked, shelf)
    assert hit.url.startswith("https://search.macaulaylibrary.org/catalog?taxonCode=norcar")
    first, second, third, absent = site.read(hit, site.saved(hit))
    assert first == RawAudio(
        hit=hit,
        title="Northern Cardinal (Cardinalis cardinalis), Song",
        source_url="https://macaulaylibrary.org/asset/990000001",
        source_id="ML990000001",
        licence=first.licence,
        author="A. Recordist",
        attribution="Northern Cardinal by A. Recordist; Cornell Lab of Ornithology | Macaulay"
        " Library (ML990000001)",
        recorded_on="2018-06-14",
        place="A fence, made up, Made-up County, Made-up State, Nowhere",
        quality="B",
        other_species=("Cyanocitta cristata", "Made up"),
    )
    assert (first.licence.name, first.licence.redistributable) == ("all rights reserved", False)
    assert (second.quality, second.recorded_on, second.flags) == ("A", "2018", ("unconfirmed",))
    assert (third.quality, third.recorded_on, third.flags) == ("", "2018-07", ())
    assert absent.reason == "no catalogue number in: row 6"


def test_a_sound_that_the_user_has_stands_for_the_answer(export, asked, shelf):
    (export / "ML990000001.wav").write_bytes(b"sound")
    (export / "990000003 a note.mp3").write_bytes(b"other")
    os.utime(export / "ML990000001.wav", (1_500_000_000, 1_500_000_000))
    site, (hit,) = found(asked, shelf)
    raws = [raw for raw in site.read(hit, site.saved(hit)) if isinstance(raw, RawAudio)]
    assert [bool(raw.media_url) for raw in raws] == [True, False, True]
    answer = site.saved(replace(hit, url=raws[0].media_url))
    assert (answer.body, answer.status, answer.date) == (b"sound", 200, "2017-07-14T02:40:00Z")
    assert answer.url == raws[0].media_url
    (export / "ML990000001.wav").unlink()
    with pytest.raises(InputError, match=r"FG-I001(.|\n)*ML990000001"):
        site.saved(replace(hit, url=raws[0].media_url))


def test_the_sound_of_a_recording_is_never_asked_of_the_library(export, asked, shelf, tmp_path):
    (export / "ML990000001.wav").write_bytes(b"sound")
    site, (hit,) = found(asked, shelf)
    raw = next(iter(site.read(hit, site.saved(hit))))
    with (
        serving({}) as library,
        asking(tmp_path / "out", site, library) as session,
        pytest.raises(FetchFailed, match="no host of the site's own") as failure,
    ):
        session.get(raw.media_url)
    assert (failure.value.kind, library.asked) == (Failure.OFF_SITE, [])


def test_real_rows_are_read(real_data, tmp_path, monkeypatch, asked, shelf):
    name = "ml_catalog_export_sample.csv"
    shutil.copy(real_data / "site_samples" / "macaulay" / name, tmp_path / name)
    monkeypatch.setenv(CSV, str(tmp_path / name))
    site, (hit,) = found(asked, shelf, "American Crow")
    rows = list(site.read(hit, site.saved(hit)))
    assert [row.source_id for row in rows][:2] == ["ML104365511", "ML229089"]
    assert [row.quality for row in rows] == ["B", "A", "A", "A", "A"]
    assert rows[3].other_species == ("Streptopelia decaocto",)
    assert {row.recorded_on[:2] for row in rows} == {"20"}


def test_a_list_may_be_named_itself_whatever_it_is_called(export, asked, shelf, monkeypatch):
    (export / "ML__export.csv").rename(export / "export.txt")
    assert isinstance(found(asked, shelf)[1][0], Absent)
    monkeypatch.setenv(CSV, str(export / "export.txt"))
    (export / "ML990000001.wav").write_bytes(b"sound")
    site, (hit,) = found(asked, shelf)
    assert next(iter(site.read(hit, site.saved(hit)))).media_url


def test_lists_are_told_apart_by_what_is_in_them(export, asked, shelf):
    body = (export / "ML__export.csv").read_bytes()
    (export / "again.csv").write_bytes(body)
    (export / "more.csv").write_bytes(body.replace(b"990000001", b"990000009"))
    _, hits = found(asked, shelf)
    assert len(hits) == len({hit.url for hit in hits}) == 2
    assert not any(str(export) in hit.url for hit in hits)


def test_a_species_in_no_list_is_absent(export, asked, shelf, monkeypatch):
    _, (absent,) = found(asked, shelf, "Bobolink")
    assert absent.reason == "no list has boboli"
    monkeypatch.delenv(CSV)
    _, (absent,) = found(asked, shelf)
    assert absent.reason == f"{CSV} names no list"
    assert (Macaulay.access, Macaulay.needs) == (Access.IMPORT, (CSV,))


def test_every_fault_of_every_list_is_said_at_once(export, asked, shelf):
    (export / "a.csv").write_bytes(b"ML Catalog Number,Format\n1,Audio\n")
    (export / "b.csv").write_bytes("Möwe".encode("latin-1"))
    (export / "c.csv").write_bytes(b"")
    (export / "d.csv").write_bytes(b"ML Catalog Number\n" + b"x" * 200_000)
    with pytest.raises(FaultyInput) as error:
        found(asked, shelf)
    assert [fault.where.rpartition("/")[2] for fault in error.value.faults] == [
        "a.csv",
        "b.csv",
        "c.csv",
        "d.csv",
    ]
    assert {fault.code for fault in error.value.faults} == {"FG-I002"}


def test_a_place_that_is_not_there_or_too_large_is_the_users_mistake(
    export, asked, shelf, monkeypatch
):
    with (export / "huge.csv").open("wb") as file:
        file.truncate(65 * 2**20)
    with pytest.raises(InputError, match="FG-I001"):
        found(asked, shelf)
    monkeypatch.setenv(CSV, str(export / "nowhere" / "list.csv"))
    with pytest.raises(InputError, match=rf"FG-I001(.|\n)*{CSV}"):
        found(asked, shelf)


def test_hostile_rows_are_only_data(export, asked, shelf):
    rows = list(csv.reader(io.StringIO((export / "ML__export.csv").read_text("utf-8-sig"))))
    number, recordist = rows[0].index("ML Catalog Number"), rows[0].index("Recordist")
    rows[1][number], rows[2][number] = "../../etc/passwd", "9" * 400
    rows[3][recordist] = '=cmd|"/c calc"!A1\r\n\x00<script>'
    rows[4] = rows[4][:3]
    with (export / "ML__export.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([*rows, [], [*rows[3], "too", "long"]])
    site, (hit,) = found(asked, shelf)
    kept, again, absent = site.read(hit, site.saved(hit))
    assert kept.source_id == again.source_id == "ML990000003"
    assert "\n" not in kept.author
    assert absent.reason.startswith("no catalogue number in: row 2, row 3")


def test_workers_are_sent_no_index_of_the_users_files(export, asked, shelf):
    site, (hit,) = found(asked, shelf)
    answer = site.saved(hit)
    sent = pickle.dumps(site)
    assert str(export).encode() not in sent
    assert list(pickle.loads(sent).read(hit, answer)) == list(site.read(hit, answer))
