"""What a source may send instead of a recording: each is a row with its reason, or is used as far
as it goes and says so; nothing else is opened, and memory does not grow."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile
import sounds

from fgbench.collect.clean.audio import clean_audio
from fgbench.collect.sites.base import Hit, Licence, RawAudio, Response
from fgbench.dataset.schema import Row
from fgbench.species import species

BIRD = species()[9]
BY = Licence("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/", True)
BY_ND = Licence("CC-BY-ND-4.0", "https://creativecommons.org/licenses/by-nd/4.0/", True, False)
SCENE = sounds.wav(sounds.scene(1, 8))
MP3 = sounds.encode(SCENE, "mp3")


def clean(
    body: bytes, out: Path, licence: Licence = BY, url: str = "https://x.org/7.wav"
) -> tuple[Row, ...]:
    """The rows of a recording of 8 s, as its source says, at an address that ends in .wav."""
    hit = Hit("xeno-canto", BIRD.label, "Red-winged Blackbird", "https://x.org/api", "XC7")
    raw = RawAudio(hit, "Song", "https://x.org/7", "7", licence, media_url=url, duration_s=8.0)
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    answer = Response(url, 200, {}, body, "2026-11-01T12:00:00Z", digest)
    return clean_audio(raw, BIRD, answer, out).rows


def files(out: Path) -> list[Path]:
    return [path for path in out.rglob("*") if path.is_file()]


FORMATS = [
    ("mp3", "-ar", "44100", "-ac", "2"),
    ("ogg", "-c:a", "libvorbis", "-ar", "22050"),
    ("opus", "-c:a", "libopus", "-ar", "48000"),
    ("flac", "-ar", "96000", "-sample_fmt", "s32"),
    ("flac", "-ar", "16000", "-ac", "6"),
    ("m4a", "-ar", "44100", "-ac", "6"),
    ("wav", "-ar", "16000", "-c:a", "pcm_u8"),
    ("wav", "-ar", "44100", "-c:a", "pcm_s16le", "-ac", "6"),
    ("wav", "-ar", "48000", "-c:a", "pcm_s24le"),
    ("wav", "-ar", "96000", "-c:a", "pcm_s32le", "-ac", "2"),
    ("wav", "-ar", "32000", "-c:a", "pcm_f32le"),
]


@pytest.mark.parametrize("options", FORMATS, ids=" ".join)
def test_every_format_becomes_one_item_of_its_length(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    (row,) = clean(sounds.encode(SCENE, *options), tmp_path)
    assert "stage" not in row
    found, rate = soundfile.read(tmp_path / row["path"])
    assert rate == row["sample_rate"] == 32_000
    assert row["duration_s"] == pytest.approx(8, abs=0.1)
    assert len(found) / rate == pytest.approx(row["duration_s"])
    assert not {"broken_off", "shorter_than_stated", "capped"} & set(row["flags"])


@pytest.mark.parametrize("url", ["https://x.org/7.wav", "https://x.org/7.jpg", "https://x.org/7"])
def test_an_mp3_is_one_by_whatever_name(url: str, tmp_path: Path) -> None:
    (row,) = clean(MP3, tmp_path, BY_ND, url)
    assert row["path"].endswith(".mp3")
    assert (tmp_path / row["path"]).read_bytes() == MP3


class TestCutShort:
    """Half of a file whose source says 8 s."""

    @pytest.mark.parametrize(
        ("options", "flags"),
        [
            (("mp3",), {"shorter_than_stated"}),
            (("mp3", "-write_xing", "0"), {"shorter_than_stated"}),
            (("wav",), {"shorter_than_stated"}),
            (("flac",), {"shorter_than_stated", "broken_off"}),
            (("opus", "-ar", "48000"), {"shorter_than_stated", "broken_off"}),
            (("m4a", "-movflags", "+faststart"), {"shorter_than_stated", "broken_off"}),
        ],
        ids=("mp3", "mp3 without Xing", "wav", "flac", "opus", "m4a"),
    )
    def test_is_used_and_said(
        self, options: tuple[str, ...], flags: set[str], tmp_path: Path
    ) -> None:
        whole = sounds.encode(SCENE, *options)
        (row,) = clean(whole[: len(whole) // 2], tmp_path)
        assert "stage" not in row
        assert 2 < row["duration_s"] < 6
        assert {flag for flag in row["flags"] if ":" not in flag} == flags

    def test_without_its_index_it_is_no_sound(self, tmp_path: Path) -> None:
        whole = sounds.encode(SCENE, "m4a")  # the index is at the end
        (row,) = clean(whole[: len(whole) // 2], tmp_path)
        assert (row["stage"], row["reason"]) == ("clean", "not_audio")
        assert files(tmp_path) == []


def floats(value: float) -> bytes:
    samples = np.zeros(64_000, np.float32)
    samples[40_000] = value
    return sounds.riff(samples.tobytes(), kind=3, bits=32)


def one_sample(kind: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.ones(1), sounds.RATE, format=kind)
    return file.getvalue()


FLAWED = {
    "nothing": (b"", "not_audio"),
    "a page": (b"<!doctype html><title>Not found</title>", "not_audio"),
    "a WAV header": (sounds.riff(b""), "empty"),
    "ten hours that are nothing": (sounds.riff(b"", claimed=2**31 - 100), "empty"),
    "0 Hz": (sounds.riff(bytes(64_000), rate=0), "not_audio"),  # neither decoder takes it
    "1 Hz": (sounds.riff(bytes(64_000), rate=1), "bad_rate"),
    "1 GHz": (sounds.riff(bytes(64_000), rate=2**30), "bad_rate"),
    "0 channels": (sounds.riff(bytes(64_000), channels=0), "not_audio"),
    "1 sample": (sounds.riff(b"\1\0"), "too_short"),
    "1 sample of Ogg": (one_sample("OGG"), "too_short"),
    "not a number": (floats(np.nan), "bad_samples"),
    "infinity": (floats(-np.inf), "bad_samples"),
    "beyond full scale": (floats(1e9), "bad_samples"),
}


@pytest.mark.parametrize("licence", [BY, BY_ND], ids=["pieces", "whole"])
@pytest.mark.parametrize("name", FLAWED)
def test_what_is_no_recording_is_rejected_with_its_reason(
    name: str, licence: Licence, tmp_path: Path
) -> None:
    body, reason = FLAWED[name]
    (row,) = clean(body, tmp_path, licence)
    assert row["reason"] == reason
    assert row["detail"]
    assert (row["source_url"], row["source_id"]) == ("https://x.org/7", "7")
    assert files(tmp_path) == []
    assert clean(body, tmp_path, licence) == (row,)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_a_header_that_claims_ten_hours(kind: str, tmp_path: Path) -> None:
    if kind == "wav":
        data = SCENE[-2 * 8 * sounds.RATE :]
        body = sounds.riff(data, rate=8000, claimed=36_000 * 8000 * 2)
        truth = 32.0  # the samples of 8 s, at a quarter of their rate
    else:
        flac = bytearray(sounds.encode(SCENE, "flac"))
        flac[21] |= (36_000 * sounds.RATE >> 32) & 15  # STREAMINFO: 36 bits of samples
        flac[22:26] = (36_000 * sounds.RATE % 2**32).to_bytes(4, "big")
        body, truth = bytes(flac), 8.0
    (row,) = clean(body, tmp_path)
    assert row["duration_s"] == pytest.approx(truth, abs=0.01)
    assert "shorter_than_stated" in row["flags"]


_LONG = """
import json, sys
from pathlib import Path
from fgbench.media.decode import Recording
from fgbench.collect.clean.segments import cut

recording = Recording(sys.stdin.buffer.read() * 60 * {hours})
longest = max(piece.end_s - piece.start_s for piece in cut(recording))
peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1e3
print(json.dumps([recording.duration_s, recording.flags[2:], longest, peak]))
"""


def test_twenty_hours_need_no_more_memory_than_one() -> None:
    """Of twenty hours six are read; each in a process of its own, whose peak is measured."""
    options = ("-ar", "8000", "-b:a", "8k", "-write_xing", "0", "-id3v2_version", "0")
    minute = sounds.encode(sounds.wav(sounds.scene(3, 60)), "mp3", *options)
    found = {}
    for hours in (1, 20):
        command = [sys.executable, "-c", _LONG.format(hours=hours)]
        ended = subprocess.run(command, input=minute, check=True, capture_output=True)
        duration_s, flags, longest, found[hours] = json.loads(ended.stdout)
        assert duration_s == pytest.approx(min(hours, 6) * 3600, rel=0.01)
        assert flags == ["capped"] * (hours > 6)
        assert longest <= 60
    assert found[20] < found[1] + 2 * 20 * 60 * len(minute) / 1e6 + 50  # the file itself
    assert found[20] < 500


class Requests(list[str]):
    """What was asked of a server on loopback; ``url`` is a recording there."""

    url: str


@pytest.fixture
def asked() -> Iterator[Requests]:
    requests = Requests()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(MP3)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    requests.url = f"http://127.0.0.1:{server.server_port}/7.mp3"
    yield requests
    server.shutdown()
    server.server_close()


LISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{name}\n#EXT-X-ENDLIST\n",
    "m3u": "#EXTM3U\n#EXTINF:8,Song\n{name}\n",
    "a bare name": "{name}\n",
    "ffconcat": "ffconcat version 1.0\nfile '{name}'\n",
    "pls": "[playlist]\nFile1={name}\nNumberOfEntries=1\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nu={name}\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0",
    "dash": '<?xml version="1.0"?><MPD type="static" mediaPresentationDuration="PT8S"><Period>'
    '<AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>{name}'
    "</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "asx": '<asx version="3.0"><entry><ref href="{name}"/></entry></asx>',
}


@pytest.mark.parametrize("kind", LISTS)
def test_a_list_that_names_a_file_or_an_address_opens_neither(
    kind: str, asked: Requests, tmp_path: Path
) -> None:
    """Named are a recording over HTTP, /etc/passwd, and a pipe that would show an opener."""
    pipe = tmp_path / "7.mp3"
    os.mkfifo(pipe)
    opened = os.open(pipe, os.O_RDWR)  # so that who opens it does not wait for ever
    os.write(opened, MP3)
    try:
        for name in (asked.url, "/etc/passwd", f"file://{pipe}", str(pipe)):
            (row,) = clean(LISTS[kind].format(name=name).encode(), tmp_path / "out")
            assert (row["stage"], row["reason"]) == ("clean", "not_audio")
            assert "root:" not in row["detail"]
        assert os.read(opened, len(MP3) + 1) == MP3  # nobody has read of it
    finally:
        os.close(opened)
    assert asked == []
    assert files(tmp_path / "out") == []
