from __future__ import annotations

import json
import logging
from urllib.parse import quote, quote_plus

import pytest

from fgbench.collect.crawl.keys import MARK, Keys
from fgbench.collect.sites.base import Auth
from fgbench.settings import Secret

KEY = 'a b/"c+d'


@pytest.mark.parametrize("form", [KEY, quote(KEY, safe=""), quote_plus(KEY), json.dumps(KEY)[1:-1]])
def test_every_spelling_of_a_key_is_redacted(form):
    keys = Keys({"FGBENCH_A_KEY": Secret(KEY)})
    assert keys.redact(f"x{form}y") == f"x{MARK}y"
    assert keys.redact_bytes(f"x{form}y".encode()) == f"x{MARK}y".encode()


def test_a_key_that_contains_another_is_redacted_whole():
    keys = Keys({"FGBENCH_A_KEY": Secret("abcdef"), "FGBENCH_B_KEY": Secret("abcdef123456")})
    assert keys.redact("abcdef123456 abcdef") == f"{MARK} {MARK}"


def test_a_short_key_is_not_looked_for_in_bodies():
    assert Keys({"FGBENCH_A_KEY": Secret("bird")}).redact_bytes(b"a bird") == b"a bird"


def test_a_key_goes_only_below_its_prefix():
    keys = Keys({"FGBENCH_A_KEY": Secret("s3cr3t")})
    auth = Auth("FGBENCH_A_KEY", "https://a.example/api/", parameter="key")
    inside, outside = "https://a.example/api/x", "https://a.example/apis"
    assert keys.sign(auth, inside, f"{inside}?q=1") == (f"{inside}?q=1&key=s3cr3t", {})
    assert keys.sign(auth, inside, inside) == (f"{inside}?key=s3cr3t", {})
    for url in (outside, "http://a.example/api/x", "https://a.example.evil.example/api/x"):
        assert keys.sign(auth, url, url) == (url, {})
    assert keys.sign(None, inside, inside) == (inside, {})


def test_headers_carry_it_with_their_scheme():
    keys = Keys({"FGBENCH_A_KEY": Secret("s3cr3t")})
    plain = Auth("FGBENCH_A_KEY", "https://a.example/", header="X-eBirdApiToken")
    token = Auth("FGBENCH_A_KEY", "https://a.example/", header="Authorization", scheme="Token")
    url = "https://a.example/"
    assert keys.sign(plain, url, url) == (url, {"X-eBirdApiToken": "s3cr3t"})
    assert keys.sign(token, url, url) == (url, {"Authorization": "Token s3cr3t"})


def test_log_records_lose_the_key_and_the_error_that_may_quote_it():
    try:
        raise ValueError("abcdef123456")
    except ValueError:
        import sys

        record = logging.LogRecord(
            "urllib3", logging.DEBUG, "f", 1, "GET %s", ("/?key=abcdef123456",), sys.exc_info()
        )
    assert Keys({"FGBENCH_A_KEY": Secret("abcdef123456")}).filter(record)
    assert logging.Formatter().format(record) == f"GET /?key={MARK}"
