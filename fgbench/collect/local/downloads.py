"""Clips from YouTube by yt-dlp, one after the other and with rests; each is asked for once.

``OUT/store/youtube`` keeps the clips, yt-dlp's archive file, a ``.info.json`` beside each clip and
an ``.outcome.json`` for each that could not be had. yt-dlp makes its own requests: they are not in
the WARC store. Of what it learns, only ``INFO`` is kept: the rest has addresses that are signed
with the address of the user's own machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from fgbench.collect.local.refusals import ENDING, NO_FILE, Gone, Missing, classify
from fgbench.collect.sites.base import Failure
from fgbench.dataset.io import read_bytes, write_bytes
from fgbench.errors import FgbenchError, InputError, MissingExtra
from fgbench.settings import Settings

SITE = "youtube"
HOST = "https://youtu.be"
"""What ``FGBENCH_SITE_YOUTUBE_URL`` stands in for: ``/<id>`` is a clip."""
TERMS = """\
Downloading from YouTube. Its terms of service (https://www.youtube.com/t/terms) allow it only where
the service itself offers it, or with the permission of YouTube and of those who own the video; what
law allows you besides (text and data mining, research) depends on where you are. The clips are your
own copies for research: nothing here may be passed on. fgbench asks for one clip at a time, rests
between them, and stops when YouTube asks it to. yt-dlp needs a JavaScript runtime for YouTube
(deno, node, bun or quickjs) and to be of recent date."""
STORE = "store/youtube"
SUFFIXES = frozenset({".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".flv", ".ogv", ".mpg"})
"""What a video file is called: those that ``frames`` can open."""
INFO = (
    *("id", "title", "uploader", "uploader_id", "uploader_url", "channel", "channel_id", "license"),
    *("upload_date", "duration", "webpage_url", "availability", "age_limit", "width", "height"),
    *("fps", "vcodec", "format_id", "ext", "epoch"),
)
"""What is kept of what yt-dlp says of a clip."""

_NO_FILE = Missing(False, NO_FILE, "delete its line in archive.txt to ask again")
_LARGEST = 2 * 2**30
"""Bytes of a clip: five minutes at the resolution that is asked for have under 0.1 GB."""


class _TooLarge(Exception):
    """A file grows beyond what a clip can be."""


class _Silence:
    """yt-dlp's messages come back as exceptions too."""

    def debug(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


class Downloads:
    """The clips of a build folder. ``ask``: whether to ask YouTube for what is not there yet.

    ``retry_failed``: ask again for what failed; what is gone is not asked for again. ``rest``:
    seconds before a download, up to three times as many; a fifth of it before other requests.
    """

    def __init__(
        self,
        out: Path,
        settings: Settings,
        *,
        ask: bool = False,
        retry_failed: bool = False,
        rest: float = 5.0,
    ) -> None:
        self._folder = out / STORE
        self._home = str(self._folder.absolute())
        self._override = settings.override(SITE)
        self._use_proxy = settings.use_proxy
        self._ask, self._retry_failed, self._rest = ask, retry_failed, rest
        self._ended = ""

    def get(self, youtube_id: str) -> Path | Missing:
        """The file of a clip, or why there is none."""
        if path := self._stored(youtube_id):
            return path
        before = self._outcome(youtube_id)
        if before and not self._may_ask_again(before):
            return before
        if not self._ask:
            return Missing(True, Gone.NOT_DOWNLOADED)
        if self._ended:
            return before or self._record(youtube_id, Missing(False, Failure.PUT_OFF, self._ended))
        missing = self._download(youtube_id)
        if missing is None:
            path = self._stored(youtube_id)
            return path or self._record(youtube_id, _NO_FILE)
        if missing.reason in ENDING:
            self._ended = f"not asked for after: {missing.detail}"
        return self._record(youtube_id, missing)

    def _may_ask_again(self, before: Missing) -> bool:
        """Never for what is gone; for what YouTube was not asked for, without being told to."""
        unasked = before.reason in (Failure.PUT_OFF, NO_FILE)
        return self._ask and not before.absent and (self._retry_failed or unasked)

    def _record(self, youtube_id: str, missing: Missing) -> Missing:
        """Writes it down, so that a run that asks for nothing says the same."""
        content = json.dumps(asdict(missing), indent=2, ensure_ascii=False) + "\n"
        write_bytes(self._folder / f"{youtube_id}.outcome.json", content.encode())
        return missing

    def info(self, youtube_id: str) -> dict[str, Any]:
        """What YouTube said of a clip when it was downloaded, ``INFO``; empty where it was not."""
        path = self._info_file(youtube_id)
        try:
            found = json.loads(read_bytes(path)) if path.is_file() else {}
        except (ValueError, RecursionError):  # damaged: the clip itself is whole
            return {}
        return found if isinstance(found, dict) else {}

    def _info_file(self, youtube_id: str) -> Path:
        return self._folder / f"{youtube_id}.info.json"

    def _stored(self, youtube_id: str) -> Path | None:
        paths = (self._folder / f"{youtube_id}{suffix}" for suffix in sorted(SUFFIXES))
        return next((path for path in paths if path.is_file()), None)

    def _outcome(self, youtube_id: str) -> Missing | None:
        path = self._folder / f"{youtube_id}.outcome.json"
        try:
            return Missing(**json.loads(read_bytes(path))) if path.is_file() else None
        except (ValueError, TypeError, RecursionError):
            return None  # damaged: it is asked for again

    def _download(self, youtube_id: str) -> Missing | None:
        """Asks YouTube for a clip. None: it has been downloaded, now or before."""
        client = self._client
        try:
            info = client.extract_info(f"{self._override or HOST}/{youtube_id}", download=False)
            if info is None:
                return None
            kept = {name: info[name] for name in INFO if info.get(name) is not None}
            content = json.dumps(kept, indent=2, ensure_ascii=False, default=str) + "\n"
            write_bytes(self._info_file(youtube_id), content.encode("utf-8", "replace"))
            client.params["outtmpl"]["default"] = f"{youtube_id}.%(ext)s"
            client.process_ie_result(info, download=True)
        except _TooLarge as error:
            for part in self._folder.glob(f"{youtube_id}.*.part"):
                part.unlink()
            return Missing(False, Failure.TOO_LARGE, str(error))
        except (FgbenchError, MemoryError):
            raise
        except Exception as error:  # yt-dlp's extractors raise what they like
            return classify(str(error) or type(error).__name__)
        return None

    @cached_property
    def _client(self) -> Any:
        try:
            yt_dlp = import_module("yt_dlp")
        except ImportError as error:
            raise MissingExtra("yt-dlp", "build") from error
        if os.path.expandvars(self._home) != self._home:
            raise InputError(
                "FG-L012",
                f"{self._folder} has a $ that yt-dlp takes for a variable of the environment",
                why="The clips would go elsewhere.",
                fix="Give an --out without it.",
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        return yt_dlp.YoutubeDL(self._parameters())

    def _parameters(self) -> dict[str, Any]:
        """480 lines at most, H.264 where there is a choice: the models see 448 pixels."""
        ours = {"sleep_interval": self._rest, "max_sleep_interval": 3 * self._rest}
        return {
            **(ours if self._rest else {}),
            "sleep_interval_requests": self._rest / 5,
            "allowed_extractors": ["generic" if self._override else SITE],
            "cachedir": False,
            "download_archive": str(self._folder / "archive.txt"),
            "extractor_retries": 1,
            "fixup": "never",
            "format": "bv/b",
            "format_sort": ["res:480", "vcodec:h264"],
            "fragment_retries": 3,
            "js_runtimes": {"deno": {}, "node": {}, "bun": {}, "quickjs": {}},
            "logger": _Silence(),
            "no_color": True,
            "noplaylist": True,
            "noprogress": True,
            "outtmpl": {"default": "%(id)s.%(ext)s"},
            "paths": {"home": self._home},  # the template would fill in a % of the folder's name
            "progress_hooks": [_check_size],
            "quiet": True,
            "retries": 2,
            "socket_timeout": 30,
            **({} if self._use_proxy else {"proxy": ""}),
        }


def _check_size(progress: Mapping[str, Any]) -> None:
    size = max(progress.get(name) or 0 for name in ("total_bytes", "downloaded_bytes"))
    if size > _LARGEST:
        raise _TooLarge(f"{size:,} bytes and more, at most {_LARGEST:,}")
