"""Files at fsspec URLs (``s3://…``, ``memory://…``): the one place that asks other file systems.

They raise errors of any type (those of botocore and aiohttp are no ``OSError``); all are told here:
``InputError`` for what is not there (FG-D011), is no address (FG-D013), is too large to be fetched
(FG-D014), is not allowed (FG-D015), does not answer (FG-D016) or needs a package (FG-E001).
"""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import unquote
from weakref import WeakSet

from fgbench.errors import FgbenchError, InputError, MissingExtra
from fgbench.manifest import MAX_BYTES, show

BLOCK = 8 << 20
"""Bytes of a file in memory, on its way to a URL."""

_ANSWER = 20.0
"""Seconds for the first answer: s3fs alone would ask a server that is silent for six minutes."""

_WRITTEN = "written"
_answered: WeakSet[Any] = WeakSet()


def local_path(target: str | Path) -> Path | None:
    """The path that is meant, by itself or as ``file://…``; None for a URL of somewhere else."""
    text = str(target)
    if text.startswith("file://"):
        return Path(unquote(text.removeprefix("file://")))
    return None if "://" in text else Path(target)


def show_url(target: str) -> str:
    """A target as it may be printed: a URL without password and query, which may hold a key."""
    if local_path(target) is not None:
        return target
    return re.sub(r"//[^/]*@", "//…@", target).partition("?")[0]


def _hide(reason: str, url: str) -> str:
    """What a file system says of a URL, without the passwords and queries that it repeats."""
    reason = re.sub(r"//[^/\s]*@", "//…@", reason.replace(url, show_url(url)))
    return re.sub(r"(://[^?\s'\"]*)\?[^\s'\"]*", r"\1", reason)


def join(folder: str | Path, name: str) -> str | Path:
    """A file in a folder that a path or a URL names."""
    path = local_path(folder)
    return f"{str(folder).rstrip('/')}/{name}" if path is None else path / name


def read(url: str) -> bytes:
    """The content of a file (``InputError`` FG-D011)."""
    with _asking(url, "read") as (system, path):
        return bytes(system.cat_file(path))


def write(url: str, data: bytes) -> None:
    """Write a file (``FgbenchError`` FG-D010)."""
    with _asking(url, _WRITTEN) as (system, path):
        system.pipe_file(path, data)


def upload(source: Path, url: str) -> None:
    """Copy a file to a URL, block by block; broken off, it is not there (FG-D010)."""
    if source.stat().st_size <= BLOCK:
        write(url, source.read_bytes())
        return
    with (
        source.open("rb") as file,
        _asking(url, _WRITTEN) as (system, path),
        system.transaction,  # closed in the midst of it, a file would be kept as it is
        system.open(path, "wb", block_size=BLOCK) as there,
    ):
        shutil.copyfileobj(file, there, BLOCK)


def exists(url: str) -> bool:
    """Whether there is such a file."""
    with _asking(url, "looked for") as (system, path):
        system.invalidate_cache(path)
        return bool(system.exists(path))


@contextmanager
def fetched_file(source: str | Path, limit: int) -> Iterator[Path]:
    """A file by its path or URL; of a URL, a copy that goes with the context.

    Raises ``InputError`` where a URL names no file (FG-D011) or has over ``limit`` bytes (FG-D014).
    """
    if (path := local_path(source)) is not None:
        yield path
        return
    url = str(source)
    with TemporaryDirectory(prefix="fgbench-") as parent:
        copy = Path(parent) / "copy"
        with _asking(url, "read") as (system, there):
            system.invalidate_cache(there)
            entry = system.info(there)
            if entry["type"] != "file":
                raise IsADirectoryError("it is no file")
            _check_size(url, entry["size"] or 0, limit)
            _copy(system, there, copy, url, limit)
        yield copy


@contextmanager
def fetched(
    url: str, names: Collection[str] | None = None, limit: int | None = None
) -> Iterator[Path]:
    """The files that lie in a folder, in a folder here of the same name that goes with the context.

    ``names``: only these of them, as far as they are there; ``limit``: bytes of all that is copied,
    by default as many as manifests may have.
    Raises ``InputError`` where it is no folder (FG-D011) or holds more than that (FG-D014).
    """
    with TemporaryDirectory(prefix="fgbench-") as parent:
        with _asking(url, "read") as (system, path):
            system.invalidate_cache(path)
            files = [
                entry
                for entry in system.ls(path, detail=True)
                if entry["type"] == "file" and entry["name"].rstrip("/") != path
            ]
            if not files:
                raise NotADirectoryError("it is no folder with files")
            named = [(entry, _name(entry["name"])) for entry in files]
            wanted = [(e, name) for e, name in named if name and (names is None or name in names)]
            left = MAX_BYTES if limit is None else limit
            _check_size(url, sum(entry["size"] or 0 for entry, _ in wanted), left)
            folder = Path(parent) / (_name(path) or "root")
            folder.mkdir()
            for entry, name in wanted:
                left -= _copy(system, entry["name"], folder / name, url, left)
        yield folder


def _copy(system: Any, source: str, target: Path, url: str, limit: int) -> int:
    """Copy a file block by block, whatever its size was said to be; returns its bytes."""
    size = 0
    with system.open(source, "rb", block_size=BLOCK) as there, target.open("wb") as here:
        while block := there.read(BLOCK):
            size += len(block)
            _check_size(url, size, limit)
            here.write(block)
    return size


def _name(path: str) -> str:
    """The last part of a path; empty for one that is no name of a file here."""
    name = path.rstrip("/").rpartition("/")[2]
    return "" if name in (".", "..") or "\0" in name else name


def _check_size(url: str, size: int, limit: int) -> None:
    if size > limit:
        raise InputError(
            "FG-D014",
            f"{show_url(url)} has {size:,} bytes or more",
            why=f"It would be fetched into the temporary folder; at most {limit:,} are.",
            fix="See that it is the address that you mean.",
        )


@contextmanager
def _asking(url: str, done: str) -> Iterator[tuple[Any, str]]:
    """The file system of a URL and the path there. What asking it raises is told in our words."""
    try:
        system, path = _find(url)
        if system not in _answered:
            _wait_for_answer(system, path)
            _answered.add(system)
        yield system, path
    except FgbenchError:
        raise
    except Exception as error:  # of any type, as the file system has it
        raise _told(error, url, done) from error


def _find(url: str) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MissingExtra("fsspec", "build") from error
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        package = getattr(error.__cause__, "name", None) or "PACKAGE"
        what = f"{url.partition('://')[0]}:// needs the package {package}, which is not installed"
        raise InputError("FG-E001", what, why=str(error), fix=f"pip install {package}") from error
    except ValueError as error:
        reason = show(_hide(str(error), url))
        raise InputError(
            "FG-D013",
            f"{show_url(url)} is not an address that fsspec can open: {reason}",
            fix="Give a path, or an address such as s3://bucket/name.",
        ) from error
    return system, path.rstrip("/")


def _wait_for_answer(system: Any, path: str) -> None:
    """Have any answer in time; what it means is for whoever asks next."""
    try:
        system.info(path, **({"timeout": _ANSWER} if system.async_impl else {}))
    except TimeoutError as error:
        raise TimeoutError(f"no answer in {_ANSWER:.0f} seconds") from error
    except OSError:
        return


def _told(error: Exception, url: str, done: str) -> FgbenchError:
    """The error to raise for what a file system raised, by the names of its types alone."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    reason = show(" ".join(_hide(str(error), url).split()) or type(error).__name__)
    what = f"{show_url(url)} could not be {done}: {reason}"
    if kinds & {"FileNotFoundError", "NotADirectoryError"}:
        fix = "See to its name, and the bucket's: none is made."
        return InputError("FG-D011", what, fix=fix)
    if "PermissionError" in kinds or any("Credential" in kind for kind in kinds):
        fix = "See to your keys. For s3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile."
        return InputError("FG-D015", what, fix=fix)
    if kinds & {"ConnectionError", "TimeoutError", "HTTPClientError", "ClientConnectionError"}:
        fix = "See to the network. For s3 on a server of your own: AWS_ENDPOINT_URL."
        return InputError("FG-D016", what, fix=fix)
    if getattr(error, "errno", None) == errno.ENOSPC:
        fix = "Make room in the temporary folder, or name another: TMPDIR."
        return FgbenchError("FG-D010", what, fix=fix)
    if done == _WRITTEN:
        fix = "See to its name and to space there, then run the same command again."
        return FgbenchError("FG-D010", what, fix=fix)
    return InputError("FG-D011", what, fix="See to its name.")
