"""Decoding against ffmpeg's own, and what is broken, lies or attacks."""

from __future__ import annotations

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
import soundfile
import sounds

from fgbench.media import decode
from fgbench.media.decode import (
    BROKEN_OFF,
    CAPPED,
    LONGEST_S,
    RATE,
    SHORTER_THAN_STATED,
    Flaw,
    Recording,
    UndecodableError,
)

CHIRP = 0.5 * np.sin(2 * np.pi * np.cumsum(np.linspace(600, 3000, 4 * 44_100)) / 44_100)


def read(content: bytes, stated_s: float | None = None) -> tuple[np.ndarray, Recording]:
    recording = Recording(content, stated_s)
    return np.concatenate(list(recording)), recording


def amiss(content: bytes, stated_s: float | None = None) -> set[str]:
    return {flag for flag in read(content, stated_s)[1].flags if ":" not in flag}


def flaw(content: bytes) -> Flaw:
    with pytest.raises(UndecodableError) as caught:
        read(content)
    assert caught.value.detail
    assert "0x" not in caught.value.detail  # no address of an object: equal bytes, equal rows
    return caught.value.flaw


def by_ffmpeg(content: bytes) -> np.ndarray:
    """The oracle: ffmpeg's decoder and resampler, to mono and 32 kHz."""
    raw = sounds.encode(content, "s16", "-ac", "1", "-ar", str(RATE), "-f", "s16le")
    return np.frombuffer(raw, np.int16)


LOSSLESS = [
    ("wav", "-c:a", "pcm_u8", "-ar", "8000"),
    ("wav", "-ar", "16000"),
    ("wav", "-ar", "44100", "-ac", "2"),
    ("wav", "-c:a", "pcm_s24le", "-ar", "96000"),
    ("wav", "-c:a", "pcm_f32le", "-ar", "32000"),
    ("flac", "-ar", "22050"),
    ("flac", "-sample_fmt", "s32", "-ar", "48000"),
    ("aiff", "-ar", "44100"),
]
LOSSY = [
    ("mp3", "-ar", "44100", "-b:a", "128k"),
    ("mp3", "-ar", "22050", "-b:a", "64k", "-ac", "2"),
    ("mp3", "-ar", "16000", "-q:a", "5"),
    ("ogg", "-c:a", "libvorbis", "-ar", "44100"),
    ("opus", "-c:a", "libopus", "-ar", "48000", "-ac", "2"),
    ("m4a", "-c:a", "aac", "-ar", "44100"),
    ("mka", "-c:a", "aac", "-ar", "48000"),
]


@pytest.mark.parametrize("options", [*LOSSLESS, *LOSSY], ids=" ".join)
def test_decodes_what_ffmpeg_encodes(options: tuple[str, ...]) -> None:
    content = sounds.encode(sounds.wav(CHIRP, 44_100), *options)
    found, recording = read(content)
    expected = by_ffmpeg(content)
    size = min(len(found), len(expected))
    assert abs(len(found) - len(expected)) < 0.05 * RATE
    assert found.dtype == np.int16
    assert recording.duration_s == pytest.approx(4, abs=0.1)
    a, b = found[:size].astype(float), expected[:size].astype(float)
    # An AAC or Opus decoder may give or take the encoder's run-in: the best of shifts to 50 ms.
    lags = np.fft.irfft(np.fft.rfft(a, 2 * size) * np.conj(np.fft.rfft(b, 2 * size)))
    near = np.r_[lags[:1600], lags[-1600:]]
    best = near.max() if options in LOSSY else lags[0]
    assert best / np.sqrt((a @ a) * (b @ b)) > 0.995
    assert amiss(content) == set()


def test_says_what_decoded_and_resampled_it() -> None:
    soxr = f"resampler:soxr-{decode.version('soxr')}-HQ"
    library = f"decoder:libsndfile-{soundfile.__libsndfile_version__}"
    m4a = sounds.encode(sounds.wav(CHIRP, 44_100), "m4a")
    assert read(sounds.wav(CHIRP, 44_100))[1].flags == (library, soxr)
    assert read(m4a)[1].flags == (f"decoder:pyav-{decode.version('av')}", soxr)
    assert read(sounds.wav(CHIRP, RATE))[1].flags == (library, "resampler:none")


def test_twice_the_same_samples() -> None:
    content = sounds.encode(sounds.wav(CHIRP, 44_100), "mp3")
    assert np.array_equal(read(content)[0], read(content)[0])


def test_a_cover_picture_is_no_hindrance() -> None:
    picture = b"\0image/jpeg\0\3\0" + np.random.default_rng(3).bytes(200_000).replace(
        b"\xff", b"\0"
    )
    frame = b"APIC" + len(picture).to_bytes(4, "big") + b"\0\0" + picture
    size = bytes(len(frame) >> shift & 127 for shift in (21, 14, 7, 0))
    sound = sounds.encode(sounds.wav(CHIRP, 44_100), "mp3", "-id3v2_version", "0")
    content = b"ID3\3\0\0" + size + frame + sound
    assert read(content)[1].duration_s == pytest.approx(4, abs=0.1)
    assert amiss(content[: -len(sound) // 2]) == {SHORTER_THAN_STATED}


class TestCutShort:
    @pytest.mark.parametrize("options", [("mp3",), ("wav",), ("flac", "-ar", "44100")], ids=str)
    def test_half_a_file_is_used_and_flagged(self, options: tuple[str, ...]) -> None:
        content = sounds.encode(sounds.wav(np.tile(CHIRP, 4), 44_100), *options)
        found, recording = read(content[: len(content) // 2])
        assert 2 < recording.duration_s < 12
        assert len(found) == pytest.approx(recording.duration_s * RATE, abs=2)
        assert SHORTER_THAN_STATED in recording.flags

    def test_a_decoder_that_fails_on_the_way_is_said(self) -> None:
        content = sounds.encode(sounds.wav(np.tile(CHIRP, 8), 44_100), "flac")
        assert BROKEN_OFF in amiss(content[: len(content) * 3 // 4])

    def test_where_the_file_states_nothing_its_source_may(self) -> None:
        content = sounds.encode(sounds.wav(CHIRP, 44_100), "mp3", "-write_xing", "0")
        half = content[: len(content) // 2]
        assert amiss(half) == set()
        assert amiss(half, 5.0) == {SHORTER_THAN_STATED}
        assert amiss(half, 60.0) == {SHORTER_THAN_STATED}

    def test_a_source_that_rounds_seconds_is_believed(self) -> None:
        assert amiss(sounds.wav(CHIRP, 44_100), 5.0) == set()


class TestLies:
    def test_ten_hours_of_wav_that_are_one_second(self) -> None:
        claimed = 36_000 * 8000 * 2
        content = sounds.riff(bytes(16_000), rate=8000, claimed=claimed)
        found, recording = read(content)
        assert len(found) == RATE
        assert SHORTER_THAN_STATED in recording.flags

    def test_a_size_that_was_not_known_is_no_claim(self) -> None:
        content = sounds.riff(bytes(16_000), rate=8000, claimed=0xFFFFFFFF)
        assert amiss(content) == set()

    def test_ten_hours_of_flac_that_are_four_seconds(self) -> None:
        content = bytearray(sounds.encode(sounds.wav(CHIRP, 44_100), "flac"))
        content[21] |= (36_000 * 44_100 >> 32) & 15  # STREAMINFO: 36 bits of samples
        content[22:26] = (36_000 * 44_100 % 2**32).to_bytes(4, "big")
        found, recording = read(bytes(content))
        assert len(found) == pytest.approx(4 * RATE, abs=2)
        assert SHORTER_THAN_STATED in recording.flags

    def test_more_than_is_read_is_left_and_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decode, "LONGEST_S", 3)
        found, recording = read(sounds.wav(np.tile(CHIRP, 3), 44_100))
        assert len(found) == pytest.approx(3 * RATE, abs=2)
        assert CAPPED in recording.flags
        assert SHORTER_THAN_STATED not in recording.flags
        assert CAPPED not in read(sounds.wav(CHIRP[: 3 * 44_100], 44_100))[1].flags

    def test_no_more_than_a_block_is_held(self) -> None:
        """Two minutes give many blocks, none of them long."""
        content = sounds.wav(np.zeros(120 * 44_100), 44_100)
        sizes = [len(block) for block in Recording(content)]
        assert sum(sizes) == 120 * RATE
        assert max(sizes) < 8 * RATE
        assert LONGEST_S == 21_600


class TestFlaws:
    def test_nothing_and_other_things(self) -> None:
        assert flaw(b"") == Flaw.NOT_AUDIO
        assert flaw(b"<html><body>Not found</body></html>") == Flaw.NOT_AUDIO
        assert flaw(bytes(100_000)) == Flaw.NOT_AUDIO
        assert flaw(np.random.default_rng(1).bytes(100_000)) == Flaw.NOT_AUDIO

    def test_a_film_without_sound(self) -> None:
        film = sounds.ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64:d=1", ending="mp4")
        assert flaw(film) == Flaw.NOT_AUDIO

    @pytest.mark.parametrize("ending", ["wav", "flac", "mp3", "ogg"])
    def test_no_sample(self, ending: str) -> None:
        empty = sounds.encode(sounds.wav(CHIRP, 44_100), ending, "-t", "0")
        assert flaw(empty) in {Flaw.EMPTY, Flaw.NOT_AUDIO}

    def test_a_header_alone(self) -> None:
        assert flaw(sounds.riff(b"")) == Flaw.EMPTY

    def test_one_sample(self) -> None:
        assert len(read(sounds.riff(b"\0\1"))[0]) == 1

    @pytest.mark.parametrize("rate", [1, 7999, 384_001, 2**30])
    def test_a_rate_that_no_sound_has(self, rate: int) -> None:
        assert flaw(sounds.riff(bytes(64_000), rate=rate)) == Flaw.BAD_RATE

    def test_no_rate(self) -> None:
        assert flaw(sounds.riff(bytes(64_000), rate=0)) in {Flaw.BAD_RATE, Flaw.NOT_AUDIO}

    def test_channels(self) -> None:
        assert flaw(sounds.riff(bytes(64_000), channels=1000)) == Flaw.BAD_CHANNELS
        assert flaw(sounds.riff(bytes(64_000), channels=0)) in {Flaw.BAD_CHANNELS, Flaw.NOT_AUDIO}

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
    @pytest.mark.parametrize("place", [0, 80_000, 400_000])
    def test_samples_that_are_no_sound(self, value: float, place: int) -> None:
        samples = np.zeros(500_000, np.float32)
        samples[place] = value
        assert flaw(sounds.riff(samples.tobytes(), kind=3, bits=32)) == Flaw.BAD_SAMPLES

    def test_a_little_beyond_full_scale_is_clipped(self) -> None:
        samples = np.full(32_000, 1.5, np.float32)
        found, _ = read(sounds.riff(samples.tobytes(), kind=3, bits=32))
        assert found.max() == 32_767


class TestHostile:
    """Formats in which a file names other files or addresses."""

    @pytest.fixture
    def asked(self) -> list[str]:
        requests: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests.append(self.path)
                self.send_error(404)

            def log_message(self, *_: object) -> None: ...

        server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield requests
        server.shutdown()
        server.server_close()

    @pytest.mark.parametrize(
        "text",
        [
            "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n",
            "ffconcat version 1.0\nfile {url}\n",
            "[playlist]\nFile1={url}\nNumberOfEntries=1\n",
            "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n",
        ],
    )
    def test_a_list_of_addresses_is_never_followed(self, text: str, asked: list[str]) -> None:
        url = f"http://127.0.0.1:{self.port}/sound.mp3"
        assert flaw(text.format(url=url, port=self.port).encode()) == Flaw.NOT_AUDIO
        assert asked == []

    def test_a_list_of_files_is_never_followed(self, tmp_path) -> None:
        file = tmp_path / "sound.wav"
        file.write_bytes(sounds.wav(CHIRP, 44_100))
        for text in (f"ffconcat version 1.0\nfile {file}\n", f"#EXTM3U\n#EXTINF:4,\n{file}\n"):
            assert flaw(text.encode()) == Flaw.NOT_AUDIO

    def test_random_damage_never_crashes(self) -> None:
        rng = np.random.default_rng(2019)
        for options in ("mp3",), ("ogg",), ("flac",), ("m4a",), ("wav",), ("m4a", "-ac", "8"):
            whole = sounds.encode(sounds.wav(CHIRP[:44_100], 44_100), *options)
            for _ in range(30):
                broken = bytearray(whole)
                for place in rng.integers(0, len(whole), 20):
                    broken[place] = int(rng.integers(256))
                with suppress(UndecodableError):
                    assert read(bytes(broken))[0].dtype == np.int16
