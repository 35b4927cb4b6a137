"""The commands, snippets and files of a document, and a shell in which they are run as written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.M)
_FILE = re.compile(r"^\*\*`(?P<name>[\w./]+)`\*\*\n\n```\w+\n(?P<text>.*?)^```$", re.DOTALL | re.M)


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind, as ``sh`` or ``python``, and its text."""

    kind: str
    text: str

    @property
    def commands(self) -> list[str]:
        """The lines of a shell, continued lines joined, without comments."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if shlex.split(line, comments=True)]


def read_blocks(document: Path) -> list[Block]:
    return [Block(m["kind"], m["text"]) for m in _BLOCK.finditer(document.read_text("utf-8"))]


def read_snippets(document: Path) -> list[str]:
    """The blocks of Python."""
    return [block.text for block in read_blocks(document) if block.kind == "python"]


def read_files(document: Path) -> dict[str, str]:
    """The files that a document prints whole, each under its name in bold."""
    return {m["name"]: m["text"] for m in _FILE.finditer(document.read_text("utf-8"))}


def install_documented(document: Path, folder: Path) -> None:
    """Write the files that a document prints, as ``pip install`` would leave them in a folder."""
    files = read_files(document)
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    info = folder / f"{project['name']}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    groups = project["entry-points"].items()
    lines = [f"[{g}]\n" + "".join(f"{n} = {v}\n" for n, v in of.items()) for g, of in groups]
    (info / "entry_points.txt").write_text("".join(lines))
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(head)


def run(command: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell, with this Python's programs first on its path."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def environment(**more: str) -> Mapping[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "COLUMNS": "100", "MPLBACKEND": "Agg", **more}
