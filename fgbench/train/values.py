"""Values of a configuration: from YAML, or from text on the command line, by a field's type."""

from __future__ import annotations

import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml


def parse_value(text: str, kind: Any) -> Any:
    """The value that a text stands for: as it is where text is wanted, else read as YAML.

    Raises ``ValueError`` with what is expected, as :func:`convert_value` does.
    """
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        read = text
    if read is None and type(None) in get_args(kind):
        return None
    try:
        return convert_value(text, kind)
    except ValueError:
        return convert_value(read, kind)


def convert_value(value: object, kind: Any) -> Any:
    """A value as YAML has it, made one of ``kind``: a sequence a tuple, a name a member of an enum.

    Raises ``ValueError`` that says what is expected. Nothing is rounded and nothing guessed: 3.0 is
    no whole number, ``yes`` no text.
    """
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _convert_union(value, kind)
    if origin is Literal:
        if value in parts:
            return value
    elif origin is tuple:
        return _convert_tuple(value, kind)
    elif isinstance(kind, type) and issubclass(kind, Enum):
        if value in [member.value for member in kind]:
            return kind(value)
    elif kind is float:
        number = _number(value)
        if number is not None:
            return number
    elif kind is type(None):
        if value is None:
            return None
    elif kind in (bool, int, str):
        if type(value) is kind:
            return value
    else:
        raise TypeError(f"a configuration cannot hold {kind}")
    raise ValueError(describe_kind(kind))


def describe_kind(kind: Any) -> str:
    """What a field takes, in words."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(map(describe_kind, parts))
    if origin is Literal:
        return " or ".join(map(str, parts))
    if origin is tuple:
        if parts[1:] == (...,):
            return f"a list, each {describe_kind(parts[0])}"
        return f"a list of {', '.join(map(describe_kind, parts))}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(str(member.value) for member in kind)
    return _WORDS[kind]


def field_kinds(config: type[Any]) -> dict[str, Any]:
    """The fields of a configuration with their types."""
    hints = get_type_hints(config)
    return {f.name: hints[f.name] for f in fields(config) if f.init}


def missing_fields(config: type[Any], values: Mapping[str, object]) -> list[str]:
    """The fields that have neither a value nor a default."""
    return [
        f.name
        for f in fields(config)
        if f.init and f.name not in values and f.default is MISSING and f.default_factory is MISSING
    ]


def plain_value(value: Any) -> Any:
    """The value as YAML and JSON have it: the inverse of :func:`convert_value`."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [plain_value(part) for part in value]
    return value


_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    type(None): "null",
}


def _number(value: object) -> float | None:
    """YAML 1.1 reads ``1e-3`` as text; Python and people read a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _convert_union(value: object, kind: Any) -> Any:
    for part in sorted(get_args(kind), key=lambda part: part is not type(value)):
        try:
            return convert_value(value, part)
        except ValueError:
            continue
    raise ValueError(describe_kind(kind))


def _convert_tuple(value: object, kind: Any) -> tuple[Any, ...]:
    parts = get_args(kind)
    if isinstance(value, list | tuple):
        kinds = parts[:1] * len(value) if parts[1:] == (...,) else parts
        if len(kinds) == len(value):
            try:
                return tuple(map(convert_value, value, kinds))
            except ValueError:
                pass  # the whole list is described, not its one wrong part
    raise ValueError(describe_kind(kind))
