"""Pages made for the tests of text cleaning."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fgbench.collect.sites.base import Hit, Licence, Paragraph, RawText

CC_BY_SA = Licence("CC-BY-SA-4.0", "https://creativecommons.org/licenses/by-sa/4.0/", True)


@pytest.fixture
def page() -> Callable[..., RawText]:
    """Makes a page of a title and paragraphs: texts, or pairs of section and text."""

    def make(
        title: str,
        *paragraphs: str | tuple[str, str],
        about: tuple[str, ...] = (),
        site: str = "wikipedia",
        label: int = 0,
    ) -> RawText:
        parts = [p if isinstance(p, tuple) else ("", p) for p in paragraphs]
        url = f"https://site.example/{title.replace(' ', '_')}"
        return RawText(
            hit=Hit(site, label, title, url, "1"),
            title=title,
            paragraphs=tuple(Paragraph(text, section) for section, text in parts),
            source_url=url,
            source_id="1",
            licence=CC_BY_SA,
            author="Contributors",
            attribution=f"{title}, {url}",
            about=about,
        )

    return make
