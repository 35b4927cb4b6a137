"""The user's settings: cache root, contact, keys, stand-ins for sites. One frozen dataclass.

Each is an environment variable, or the same name in lower case in a YAML file that git ignores
(``FGBENCH_SETTINGS`` names it; by default ``fgbench/settings.yaml`` in the user's configuration
folder). The environment wins.

==============================  ================================================================
``FGBENCH_CACHE``               where downloads that several builds share lie
``FGBENCH_CONTACT``             an e-mail or web address at which a site's owner can reach the user
``FGBENCH_USE_PROXY``           ``1``: go through the proxies that the environment names
``FGBENCH_SITE_<NAME>_URL``     scheme and host that stand in for a site's own
``FGBENCH_<NAME>_KEY, _TOKEN``  the user's own key of a site
``FGBENCH_<NAME>_IMPORT, _CSV`` a folder or file that the user has from a site
==============================  ================================================================
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import yaml

from fgbench.errors import Fault, FaultyInput, InputError

_SITE = re.compile(r"FGBENCH_SITE_[A-Z0-9_]+_URL")
_KEY = re.compile(r"FGBENCH_(?!SITE_)[A-Z0-9_]+_(KEY|TOKEN)")
_IMPORT = re.compile(r"FGBENCH_(?!SITE_)[A-Z0-9_]+_(IMPORT|CSV)")
_PLAIN = ("FGBENCH_CACHE", "FGBENCH_CONTACT", "FGBENCH_USE_PROXY")
_CONTACT = re.compile(r"[!-~]+@[!-~]+\.[!-~]+|https?://[!-~]+")
_LARGEST_FILE = 64 * 1024


class Secret:
    """A key that shows itself to nobody: not in ``repr``, ``str``, formatting or a pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself, for the wire alone."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not pickled: it never leaves the process that read it")


def variable(site: str) -> str:
    """The name of the setting that stands in for a site: ``FGBENCH_SITE_XENO_CANTO_URL``."""
    return f"FGBENCH_SITE_{re.sub('[^A-Z0-9]', '_', site.upper())}_URL"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user has set; ``load`` reads it."""

    cache: Path = Path("~/.cache/fgbench")
    contact: str = ""
    use_proxy: bool = False
    sites: Mapping[str, str] = field(default_factory=dict)
    """``FGBENCH_SITE_<NAME>_URL`` → scheme and host, without a slash at the end."""
    keys: Mapping[str, Secret] = field(default_factory=dict)
    """``FGBENCH_<NAME>_KEY`` or ``_TOKEN`` → the key."""
    imports: Mapping[str, Path] = field(default_factory=dict)
    """``FGBENCH_<NAME>_IMPORT`` or ``_CSV`` → the user's folder or file."""

    def override(self, site: str) -> str | None:
        """The scheme and host that stand in for a site's own, if any."""
        return self.sites.get(variable(site))

    def with_contact(self, contact: str) -> Settings:
        """The same with a contact given on the command line. Raises ``FaultyInput``."""
        fault = _check("FGBENCH_CONTACT", contact, "--contact")
        if fault:
            raise FaultyInput("settings", [fault])
        return replace(self, contact=contact)

    def check_overrides(self, sites: Iterable[str]) -> None:
        """Refuses a stand-in for a site that does not exist: its requests would go to the real one.

        Raises ``FaultyInput``.
        """
        known = {variable(site) for site in sites}
        faults = [
            Fault("FG-K005", name, "no site of that name", ", ".join(sorted(known)), "correct it")
            for name in sorted(self.sites)
            if name not in known
        ]
        if faults:
            raise FaultyInput("settings", faults)


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of the environment and the settings file.

    Raises ``FaultyInput`` with every fault of both; no value of a key is ever in its text.
    """
    environment = os.environ if environment is None else environment
    file = _file(environment)
    values, faults = _read_file(file) if file else ({}, [])
    wheres = {name: f"{file}: {name.lower()}" for name in values}
    for name, value in environment.items():
        if value and _is_known(name):
            values[name], wheres[name] = value, f"environment: {name}"
    for name, value in values.items():
        fault = _check(name, value, wheres[name])
        if fault:
            faults.append(fault)
    if faults:
        raise FaultyInput("settings", faults)
    return Settings(
        cache=Path(values.get("FGBENCH_CACHE") or _folder(environment, "CACHE")).expanduser(),
        contact=values.get("FGBENCH_CONTACT", ""),
        use_proxy=values.get("FGBENCH_USE_PROXY") == "1",
        sites={n: v.rstrip("/") for n, v in values.items() if _SITE.fullmatch(n)},
        keys={n: Secret(v) for n, v in values.items() if _KEY.fullmatch(n)},
        imports={n: Path(v).expanduser() for n, v in values.items() if _IMPORT.fullmatch(n)},
    )


def _is_known(name: str) -> bool:
    return name in _PLAIN or any(form.fullmatch(name) for form in (_SITE, _KEY, _IMPORT))


def _folder(environment: Mapping[str, str], kind: str) -> str:
    base = environment.get(f"XDG_{kind}_HOME") or f"~/.{kind.lower()}"
    return f"{base}/fgbench"


def _file(environment: Mapping[str, str]) -> Path | None:
    named = environment.get("FGBENCH_SETTINGS")
    file = Path(named or f"{_folder(environment, 'CONFIG')}/settings.yaml").expanduser()
    if file.is_file():
        return file
    if named:
        raise InputError(
            "FG-K001",
            f"FGBENCH_SETTINGS names {named}, which is not a file",
            why="Settings that you count on would be missing.",
            fix="Correct the path, or unset FGBENCH_SETTINGS.",
        )
    return None


def _read_file(file: Path) -> tuple[dict[str, str], list[Fault]]:
    """Values by variable name, and what is wrong with the file. Shows no value: it may be a key."""
    try:
        if file.stat().st_size > _LARGEST_FILE:
            raise ValueError(f"more than {_LARGEST_FILE} bytes")
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        found = error.problem if isinstance(error, yaml.MarkedYAMLError) else type(error).__name__
        return {}, [Fault("FG-K002", str(file), str(found), "a YAML file, UTF-8", "correct it")]
    if content is None:
        return {}, []
    if not isinstance(content, dict):
        found = type(content).__name__
        return {}, [Fault("FG-K002", str(file), found, "names and values", "name: value, a line")]
    values, faults = {}, []
    for key, value in content.items():
        name, where = str(key).upper(), f"{file}: {str(key)[:80]}"
        if not _is_known(name):
            kinds = ("SITE_<NAME>_URL", "<NAME>_KEY or _TOKEN", "<NAME>_IMPORT or _CSV")
            known = ", ".join((*_PLAIN, *(f"FGBENCH_{kind}" for kind in kinds)))
            fault = Fault("FG-K003", where, "an unknown name", known.lower(), "correct the name")
            faults.append(fault)
        elif name == "FGBENCH_USE_PROXY" and isinstance(value, bool | int):
            values[name] = str(int(value))
        elif not isinstance(value, str):
            found = type(value).__name__
            faults.append(Fault("FG-K003", where, found, "text", "put the value in quotes"))
        else:
            values[name] = value
    return values, faults


def _check(name: str, value: str, where: str) -> Fault | None:
    if name == "FGBENCH_CONTACT" and not _CONTACT.fullmatch(value):
        expected = "an e-mail or web address, without spaces"
        return Fault("FG-K004", where, repr(value[:80]), expected, "you@lab.edu")
    if name == "FGBENCH_USE_PROXY" and value not in {"0", "1"}:
        return Fault("FG-K004", where, repr(value[:80]), "0 or 1", "1 to use the proxies")
    if _SITE.fullmatch(name) and not _is_base(value):
        expected = "scheme and host alone: http://127.0.0.1:8080"
        return Fault("FG-K004", where, "another form", expected, "leave out paths and passwords")
    if _KEY.fullmatch(name) and not re.fullmatch("[!-~]+", value):
        expected = "printable characters without spaces"
        return Fault("FG-K004", where, "others (not shown)", expected, "copy the key again")
    return None


def _is_base(value: str) -> bool:
    try:
        parts = urlsplit(value)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.hostname)
        and port_fits
        and "@" not in parts.netloc
        and parts.path in {"", "/"}
        and not parts.query
        and not parts.fragment
        and bool(re.fullmatch("[!-~]+", value))
    )
