from __future__ import annotations

from io import BytesIO

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from fgbench.collect.crawl import store as store_module
from fgbench.collect.crawl.http import Answer
from fgbench.collect.crawl.store import Store
from fgbench.errors import FgbenchError, InputError

URL = "https://aviary.example/owl?x=1&y=%20"
MOMENT = "2026-11-01T12:00:00Z"


def answer(body: bytes = b"hoot", **headers: str) -> Answer:
    return Answer(
        200, "OK", tuple(headers.items()), body, (("User-Agent", "fgbench"), ("Accept", "*/*"))
    )


@pytest.fixture
def filled(folder):
    """A store of five answers, and their places."""
    store = Store(folder, {})
    return store, [store.append(URL, answer(b"hoot" * n), MOMENT) for n in range(5)]


def end_of(places):
    place = places[-1][0]
    return {place.file: place.offset + place.length}


def test_what_was_written_is_read_back_by_place(filled):
    store, places = filled
    for n, (place, digest) in enumerate(places):
        stored = store.read(place, digest)
        assert (stored.status, stored.body) == (200, b"hoot" * n)
        assert stored.headers == {"content-length": str(4 * n)}


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "", "Content-Type": 'text/html; charset="utf-8"'},
        {"X": "a: b: c", "Weird!#$%": "1"},
    ],
)
def test_odd_headers_do_not_harm_a_record(folder, headers):
    store = Store(folder, {})
    place, digest = store.append(URL, answer(b"\r\n\r\nWARC/1.1\r\n\0\xff", **headers), MOMENT)
    stored = store.read(place, digest)
    assert stored.body == b"\r\n\r\nWARC/1.1\r\n\0\xff"
    assert set(stored.headers) == {"content-length", *(name.lower() for name in headers)}


def test_repeated_headers_are_joined(folder):
    store = Store(folder, {})
    double = Answer(404, "", (("Vary", "a"), ("vary", "b")), b"", ())
    stored = store.read(*store.append(URL, double, MOMENT))
    assert (stored.status, stored.headers["vary"]) == (404, "a, b")


def test_other_programs_can_read_it(filled, folder, capsys):
    """By warcio's own reader and checker: digests hold, requests stand beside their answers."""
    file = folder / "00001.warc.gz"
    records = []
    with file.open("rb") as stream:
        for record in ArchiveIterator(stream, check_digests="raise"):
            record.content_stream().read()
            records.append(record)
    assert [r.rec_type for r in records] == ["warcinfo", *["request", "response"] * 5]
    request, response = records[1:3]
    assert response.rec_headers.get_header("WARC-Target-URI") == URL
    concurrent = request.rec_headers.get_header("WARC-Concurrent-To")
    assert concurrent == response.rec_headers.get_header("WARC-Record-ID")
    assert request.http_headers.protocol == "GET"
    assert request.http_headers.statusline == "/owl?x=1&y=%20 HTTP/1.1"
    assert request.http_headers.get_header("Host") == "aviary.example"

    class Command:
        verbose = True
        inputs = (str(file),)

    checker = Checker(Command())
    assert checker.process_all() == 0
    assert "digest pass" in capsys.readouterr().out


def test_what_tells_who_asked_is_left_out(folder):
    store = Store(folder, {})
    personal = {"Set-Cookie": "id=17", "X-Client-IP": "203.0.113.9", "ETag": "x"}
    store.read(*store.append(URL, answer(**personal), MOMENT))
    stored = store.read(*store.append(URL, answer(**personal), MOMENT))
    assert set(stored.headers) == {"etag", "content-length"}


@pytest.mark.parametrize("cut", [1, 10, 100])
def test_a_torn_tail_is_cut_off(filled, folder, cut):
    _, places = filled
    file = folder / "00001.warc.gz"
    torn = file.read_bytes()[:-cut]
    file.write_bytes(torn)
    kept = places[:-1]
    store = Store(folder, end_of(kept))
    assert file.stat().st_size == end_of(kept)[file.name]
    place, digest = store.append(URL, answer(b"again"), MOMENT)
    assert store.read(place, digest).body == b"again"
    with file.open("rb") as stream:
        assert sum(r.rec_type == "response" for r in ArchiveIterator(stream)) == 5


def test_whole_records_that_no_journal_knows_are_cut_off_too(filled, folder):
    _, places = filled
    Store(folder, end_of(places[:2]))
    packed = (folder / "00001.warc.gz").read_bytes()
    assert sum(r.rec_type == "response" for r in ArchiveIterator(BytesIO(packed))) == 2
    Store(folder, {})
    assert list(folder.iterdir()) == []


def test_a_store_that_lost_something_says_so(filled, folder):
    store, places = filled
    file = folder / "00001.warc.gz"
    whole = file.read_bytes()
    place, digest = places[2]
    with pytest.raises(InputError, match=r"FG-W004.*another body"):
        store.read(place, places[1][1])
    file.write_bytes(whole[: place.offset + 20] + b"\0" * 20 + whole[place.offset + 40 :])
    with pytest.raises(InputError, match="FG-W004"):
        store.read(place, digest)
    file.write_bytes(whole[:-1])
    with pytest.raises(InputError, match=r"FG-W004.*is missing or shorter"):
        Store(folder, end_of(places))
    file.unlink()
    with pytest.raises(InputError, match=r"FG-W004.*is missing or shorter"):
        Store(folder, end_of(places))


def test_a_full_segment_is_followed_by_another(folder, monkeypatch):
    monkeypatch.setattr(store_module, "_SEGMENT", 3000)
    store = Store(folder, {})
    places = [store.append(URL, answer(b"%d" % n), MOMENT) for n in range(12)]
    names = sorted(f.name for f in folder.iterdir())
    assert names[:2] == ["00001.warc.gz", "00002.warc.gz"]
    ends = {name: (folder / name).stat().st_size for name in names}
    again = Store(folder, ends)
    for n, (place, digest) in enumerate(places):
        assert again.read(place, digest).body == b"%d" % n
    last, _ = again.append(URL, answer(), MOMENT)
    assert last.file in {names[-1], f"{len(names) + 1:05}.warc.gz"}


def test_a_write_that_fails_leaves_nothing_behind(filled, folder, monkeypatch):
    store, _ = filled
    before = (folder / "00001.warc.gz").read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(FgbenchError, match=r"FG-W005.*No space left on device") as caught:
            store.append(URL, answer(b"lost"), MOMENT)
    assert caught.value.exit_code == 1
    assert (folder / "00001.warc.gz").read_bytes() == before
    place, digest = store.append(URL, answer(b"kept"), MOMENT)
    assert store.read(place, digest).body == b"kept"
