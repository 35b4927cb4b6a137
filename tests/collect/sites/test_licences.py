"""Licences as sources state them."""

from __future__ import annotations

import pytest

from fgbench.collect.sites.licences import ALL_RIGHTS_RESERVED, licence_of

CC = "https://creativecommons.org"


@pytest.mark.parametrize(
    ("url", "text", "name", "derivatives"),
    [
        (f"{CC}/licenses/by-sa/4.0/", "", "CC-BY-SA-4.0", True),
        (f"{CC}/licenses/by-sa/4.0/deed.en", "any words", "CC-BY-SA-4.0", True),
        ("http://creativecommons.org/licenses/by/3.0/", "", "CC-BY-3.0", True),
        ("http://www.creativecommons.org/licenses/by-nc-nd/2.5/", "", "CC-BY-NC-ND-2.5", False),
        (f"{CC}/licenses/by-nc-sa/4.0", "", "CC-BY-NC-SA-4.0", True),
        (f"{CC}/publicdomain/zero/1.0/", "", "CC0-1.0", True),
        ("https://www.fandom.com/licensing", "CC-BY-SA", "CC-BY-SA", True),
        ("", "CC BY-SA 4.0", "CC-BY-SA-4.0", True),
        ("", "Creative Commons Attribution-Share Alike 4.0", "CC-BY-SA-4.0", True),
        ("", "Creative Commons Attribution-ShareAlike 4.0 License", "CC-BY-SA-4.0", True),
        ("", "Creative Commons Attribution-NonCommercial-NoDerivs 3.0", "CC-BY-NC-ND-3.0", False),
        (
            "",
            "Creative Commons Attribution-Share Alike License 3.0 (Unported)",
            "CC-BY-SA-3.0",
            True,
        ),
    ],
)
def test_creative_commons_is_known_by_address_or_name(url, text, name, derivatives):
    found = licence_of(url, text)
    assert (found.name, found.redistributable, found.derivatives) == (name, True, derivatives)
    assert found.url == url


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://a.example/creativecommons.org/licenses/by/4.0/", "Our own terms"),
        ("https://creativecommons.org.example/licenses/by/4.0/", "Our own terms"),
        ("https://creativecommons.org/licenses/sampling+/1.0/", "Sampling Plus"),
        ("https://a.example/", "GNU Free Documentation License 1.3"),
        ("", "not CC BY at all"),
    ],
)
def test_what_is_not_recognised_stays_as_it_is_worded_and_is_not_passed_on(url, text):
    found = licence_of(url, text)
    assert (found.name, found.url) == (text, url)
    assert not found.redistributable
    assert not found.derivatives


def test_where_nothing_is_stated_all_rights_are_reserved():
    assert licence_of("", " ") == ALL_RIGHTS_RESERVED
    assert not ALL_RIGHTS_RESERVED.redistributable
