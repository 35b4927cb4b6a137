"""A YAML file of unknown origin: fields and plain values, bounded, without anchors or tags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from fgbench.errors import Fault
from fgbench.submission.findings import quote

from .faults import Code, fault

MAX_BYTES = 32_768
MAX_DEPTH = 4


def read_fields(path: Path) -> tuple[dict[str, Any], list[Fault]]:
    """The fields of a YAML file in its order, without those that are null; or what is wrong."""
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise ValueError(f"{size:,} bytes")
        text = path.read_bytes().decode("utf-8-sig")
        names = list(_names(text))
        fields = yaml.safe_load(text)
        if not isinstance(fields, dict):
            raise ValueError("nothing" if fields is None else type(fields).__name__)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        return {}, [fault(Code.FILE, f"{path}{line}", quote(str(error.problem)))]
    except (OSError, ValueError, yaml.YAMLError) as error:
        return {}, [fault(Code.FILE, str(path), quote(str(error).partition("\n")[0]))]
    faults = [
        fault(Code.FILE, f"{path}, {quote(str(name))}", "this name twice")
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    faults += [
        fault(Code.FILE, str(path), f"a name that is no text: {quote(str(name))}")
        for name in fields
        if not isinstance(name, str)
    ]
    known = {k: v for k, v in fields.items() if isinstance(k, str) and v is not None}
    return known, faults


def _names(text: str) -> Iterator[str]:
    """The names at the top. Raises ``ValueError`` for what could grow, or run, when it is built.

    Events, unlike nodes and values, take no stack and no memory by depth or by alias.
    """
    depth, is_name = 0, True
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ValueError("an anchor or an alias")
        if getattr(event, "tag", None):
            raise ValueError("a tag")
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth == 1 and isinstance(event, yaml.NodeEvent):
            if is_name and isinstance(event, yaml.ScalarEvent):
                yield event.value
            is_name = not is_name
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
