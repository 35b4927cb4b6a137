from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgbench.collect.crawl.pace import Patience, Stopped, SystemClock, moment_of, retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("Thu, 01 Jan 1970 00:10:00 GMT", 500.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thursday, 01-Jan-70 00:10:00 GMT", 500.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("tomorrow", None),
        ("٣", None),
        ("9" * 5000, 999999999999.0),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after(value, now=100.0) == seconds


@given(st.text())
def test_no_header_breaks_it(value):
    assert (retry_after(value, 0.0) or 0.0) >= 0
    assert moment_of(value) is None or moment_of(value).tzinfo is UTC


def test_zones_are_brought_to_utc():
    moment = datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert moment_of("Sun, 01 Nov 2026 13:00:00 +0100") == moment
    assert moment_of("Sun, 01 Nov 2026 12:00:00 -0000") == moment


def test_waits_double_unless_the_host_says_how_long():
    patience = Patience(backoff=2, unstated_wait=60)
    assert [patience.wait(n, 503, None) for n in (1, 2, 3)] == [2, 4, 8]
    assert [patience.wait(n, 429, None) for n in (1, 2, 3)] == [60, 60, 60]
    assert patience.wait(1, 503, 17.0) == patience.wait(3, 429, 17.0) == 17


def test_stopping_wakes_who_waits():
    clock, woken = SystemClock(), []

    def wait():
        try:
            clock.sleep(60)
        except Stopped:
            woken.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    clock.stop()
    thread.join(10)
    assert woken == [True]
    assert abs(clock.now() - time.time()) < 5
    with pytest.raises(Stopped):
        clock.sleep(0)
