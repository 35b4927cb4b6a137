"""FindSounds is off: nothing is asked, and the reason is recorded."""

from __future__ import annotations

from fgbench.collect.sites.base import Absent, Access, Hit
from fgbench.collect.sites.findsounds import FindSounds

SITE = FindSounds()


def test_nothing_is_asked_and_the_reason_is_said(asked, shelf):
    session = shelf({})
    (absent,) = SITE.find(*asked("American Crow"), session)
    assert isinstance(absent, Absent)
    assert "without author or licence" in absent.reason
    assert session.asked == []
    assert SITE.access is Access.OFF
    assert SITE.requests_per_query == 0


def test_whatever_was_stored_is_not_read(shelf):
    hit = Hit("findsounds", 0, "crow", "https://www.findsounds.com/x", "x")
    (absent,) = SITE.read(hit, shelf({hit.url: b"<a href=x.wav>"}).get(hit.url))
    assert absent.reason == SITE.note
