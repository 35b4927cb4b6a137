"""What YouTube and yt-dlp say, in their own words, and what it means here."""

from __future__ import annotations

import pytest

from fgbench.collect.local.refusals import ENDING, Gone, classify
from fgbench.collect.sites.base import Failure

GONE = {
    "Private video. Sign in if you've been granted access to this video. Use "
    "--cookies-from-browser or --cookies for the authentication": Gone.PRIVATE,
    "Video unavailable. This video is private": Gone.PRIVATE,
    "Video unavailable. This video has been removed by the uploader": Gone.REMOVED,
    "This video has been removed for violating YouTube's policy on hate speech.": Gone.REMOVED,
    "Video unavailable": Gone.UNAVAILABLE,
    "Video unavailable. This video is no longer available because the YouTube account associated "
    "with this video has been terminated.": Gone.ACCOUNT_CLOSED,
    "Video unavailable. This video is no longer available because the uploader has closed their "
    "YouTube account.": Gone.ACCOUNT_CLOSED,
    "The uploader has not made this video available in your country\nThis video is available in "
    "Japan.\nYou might want to use a VPN or a proxy server (with --proxy) to workaround.": (
        Gone.GEO_BLOCKED
    ),
    "Video unavailable. This video contains content from SME, who has blocked it in your country "
    "on copyright grounds": Gone.GEO_BLOCKED,
    "Video unavailable. This video contains content from UMG, who has blocked it on copyright "
    "grounds": Gone.COPYRIGHT,
    "Sign in to confirm your age. This video may be inappropriate for some users. Use "
    "--cookies-from-browser or --cookies for the authentication.": Gone.AGE_RESTRICTED,
    "Join this channel to get access to members-only content like this video, and other exclusive "
    "perks.": Gone.MEMBERS_ONLY,
}
FAILED = {
    "Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies": "bot_check",
    "Video unavailable. This content isn't available, try again later. The current session has "
    "been rate-limited by YouTube for up to an hour.": Failure.RATE_LIMITED,
    "Unable to download webpage: HTTP Error 429: Too Many Requests": Failure.RATE_LIMITED,
    "unable to write data: [Errno 28] No space left on device": "disk_full",
    "unable to download video data: HTTP Error 403: Forbidden": Failure.HTTP_4XX,
    "Unable to download webpage: HTTP Error 503: Service Unavailable": Failure.HTTP_5XX,
    "Unable to download webpage: The read operation timed out": Failure.TIMEOUT,
    "Unable to download API page: [Errno 111] Connection refused": Failure.CONNECTION,
    "Requested format is not available. Use --list-formats for a list": "no_format",
    "This live event will begin in 3 hours.": "unreadable",
    "An extractor error has occurred.": "unreadable",
}


@pytest.mark.parametrize(("words", "reason"), GONE.items())
def test_what_is_gone_for_good(words: str, reason: Gone) -> None:
    found = classify(f"ERROR: [youtube] dQw4w9WgXcQ: {words}")
    assert (found.absent, found.reason) == (True, reason)
    assert found.detail.startswith(words[:20])


@pytest.mark.parametrize(("words", "reason"), FAILED.items())
def test_what_may_be_had_another_day(words: str, reason: str) -> None:
    found = classify(f"ERROR: [youtube] dQw4w9WgXcQ: {words}")
    assert (found.absent, found.reason) == (False, reason)


def test_after_which_nothing_more_is_asked() -> None:
    assert {"bot_check", "rate_limited", "disk_full"} == ENDING


def test_no_signed_address_and_no_line_end_is_kept() -> None:
    url = "https://rr1.googlevideo.com/videoplayback?ip=203.0.113.9&sig=secret"
    found = classify(f"ERROR: unable to open {url}\nand more\x1b[0m {'x' * 999}")
    assert "secret" not in found.detail
    assert "203.0.113.9" not in found.detail
    assert "https://rr1.googlevideo.com/…" in found.detail
    assert found.detail.isprintable()
    assert len(found.detail) <= 300
