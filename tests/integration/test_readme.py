"""README.md, from top to bottom: every command and snippet is run as it is written."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from documented import ROOT, Block, install_documented, read_blocks, run
from small_board import write_card

README = ROOT / "README.md"
EXTRAS = re.compile(r"^\[(?P<name>[a-z]+)\]?|^(?P<plain>[a-z]+) =$", re.M)


def commands(blocks: list[Block]) -> Iterator[str]:
    for block in blocks:
        if block.kind == "sh":
            yield from block.commands
        if block.kind == "python":
            yield f"{sys.executable} - <<'END'\n{block.text}\nEND"


def test_everything_runs_as_written(tmp_path: Path) -> None:
    write_card(tmp_path / "method.yaml", method="Wader")
    site = tmp_path / "site-packages"
    install_documented(ROOT / "docs/add-a-baseline.md", site)
    ran = 0
    for command in commands(read_blocks(README)):
        program, *arguments = shlex.split(command, comments=True)
        if program == "make":
            done = run(f"make --dry-run {shlex.join(arguments)}", ROOT)
        elif program == "pip":
            assert_installable(arguments)
            continue
        else:
            done = run(command, tmp_path, PYTHONPATH=str(site))
            ran += 1
        # 3: done in part; a site of the synthetic world is one that cannot be reached.
        allowed = (0, 3) if "build-data" in command else (0,)
        assert done.returncode in allowed, f"{command}\n{done.stdout}\n{done.stderr}"
    assert ran > 20
    for left in ("birds/manifests/report.html", "table3/table3.html", "site/index.html"):
        assert (tmp_path / left).is_file()


def assert_installable(arguments: list[str]) -> None:
    """``install`` of this checkout with extras that there are, or of the documented package."""
    verb, what = arguments
    assert verb == "install"
    if what == "./birdlab":
        return
    where, _, extras = what.rstrip("]").partition("[")
    assert where == "."
    known = {m["plain"] for m in EXTRAS.finditer((ROOT / "setup.cfg").read_text()) if m["plain"]}
    assert set(filter(None, extras.split(","))) <= known


@pytest.mark.parametrize("document", sorted({README, *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")}))
def test_links_lead_to_what_is_there(document: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.DOTALL | re.M)
    for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
        assert (document.parent / target).exists(), target
