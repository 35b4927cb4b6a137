"""Fills the templates of card and report. Every value is escaped, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from fgbench.errors import MissingExtra

if TYPE_CHECKING:
    from jinja2 import Environment

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def render(template: str, **values: object) -> str:
    """A template of this package filled in: ``….html`` escaped for HTML, ``….md`` for Markdown.

    What is no single line becomes one in Markdown. A name that the template does not know of, or a
    value that it lacks, is an error.
    """
    return _environment(template.endswith(".html")).get_template(template).render(**values)


def address(url: str | None) -> str | None:
    """The URL where a browser may follow it: http or https, and no character out of place."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:  # [ without ]
        return None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return None
    return quote(url, safe="%/:=&?~#+!$,;'@()*[]")


def escape_markdown(value: object) -> str:
    """The value as text that Markdown takes literally, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(str(value).split()))


def open_templates(
    package: str, *, html: bool, finalize: Callable[[Any], object] | None = None
) -> Environment:
    """The templates of a package. ``finalize`` is asked for each value that they print; a name that
    they do not know of is an error."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtra("jinja2", "build") from error
    return Environment(
        loader=PackageLoader(package),
        autoescape=html,  # noqa: S701  # Markdown is escaped by finalize
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _environment(html: bool) -> Environment:
    def finalize(value: Any) -> Any:
        return value if html or isinstance(value, Markup) else escape_markdown(value)

    environment = open_templates("fgbench.dataset", html=html, finalize=finalize)
    from markupsafe import Markup

    def link(text: str, url: str | None) -> str:
        target = address(url)
        return Markup(f"[{escape_markdown(text)}](<{target}>)") if target else text  # noqa: S704

    environment.filters |= {"count": count, "address": address, "link": link}
    return environment


def count(value: float | None) -> str:
    """A number with thousands separated and at most one decimal; a dash where there is none."""
    return "–" if value is None else f"{value:,.1f}".removesuffix(".0")
