"""Every command that a document shows is one that there is, with options that it has.

Those of README.md, host-a-board.md, add-a-site.md, add-a-baseline.md and footguns.md are run as
well, by the tests of these pages.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from documented import ROOT, read_blocks

from fgbench.cli import cli

DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")})
_INLINE = re.compile(r"(?<!`)`((?:fgbench|make|python tests/)[^`\n]+)`(?!`)")
_ENDS = {"|", ">", "&&", ";", "&"}


def list_commands(document: Path) -> Iterator[str]:
    for block in read_blocks(document):
        if block.kind in ("sh", "bash", "console"):
            yield from block.commands
    text = re.sub(r"^```.*?^```$", "", document.read_text("utf-8"), flags=re.DOTALL | re.M)
    yield from _INLINE.findall(text)


def split(command: str) -> list[str]:
    """A command's own words: without variables before it, and what it is piped into."""
    words = shlex.split(command.replace("…", ""), comments=True)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    ends = (i for i, word in enumerate(words) if word in _ENDS or word.startswith(">"))
    return words[: next(ends, len(words))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_options_are_there(document: Path) -> None:
    for command in list_commands(document):
        program, *arguments = split(command) or [""]
        if program == "fgbench":
            assert_parses(arguments, command)
        elif program == "make":
            targets = [a for a in arguments if "=" not in a and not a.startswith("-")]
            makefile = (ROOT / "Makefile").read_text()
            assert all(re.search(rf"^{t}:", makefile, re.M) for t in targets), command
        elif program.startswith("python") and arguments and arguments[0].startswith("tests/"):
            script = ROOT / arguments[0]
            assert script.is_file(), command
            options = [a.partition("=")[0] for a in arguments[1:] if a.startswith("--")]
            known = script.read_text("utf-8")
            beside = "".join(p.read_text("utf-8") for p in script.parent.glob("*.py"))
            assert all(f'"{o}"' in known or f'"{o}"' in beside for o in options), command


def assert_parses(arguments: list[str], said: str) -> None:
    """Whether the command line understands it, whatever the values; nothing is run."""
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        name = arguments.pop(0)
        found = command.get_command(context, name)
        if found is None and not re.fullmatch("[a-z-]+", name):
            return  # a placeholder
        assert found is not None, said
        command, context = found, click.Context(found, parent=context)
    known = {name for parameter in command.params for name in parameter.opts} | {"--help", "-h"}
    known |= {name for parameter in command.params for name in parameter.secondary_opts}
    options = [a.partition("=")[0] for a in arguments if re.match("--[a-z]", a)]
    assert set(options) <= known | {"--version"}, said
