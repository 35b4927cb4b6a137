"""Forms: a method's choices from its YAML file, shortened to a budget, with the user's own.

``<module>.<form>.yaml`` has a value for each field of the method's ``Config``, and ``budgets``:
what is otherwise in a shorter training (docs/add-a-baseline.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import yaml

from fgbench.errors import Fault, FaultyInput
from fgbench.media.preset import Form
from fgbench.train.method import Budget
from fgbench.train.registry import form_file, load
from fgbench.train.values import (
    convert_value,
    describe_kind,
    field_kinds,
    missing_fields,
    parse_value,
    plain_value,
)

BUDGETS = "budgets"


def load_form(
    name: str,
    form: Form = Form.PAPER,
    budget: Budget = Budget.FULL,
    overrides: Mapping[str, str] | None = None,
) -> Any:
    """The ``Config`` of a form of a method: its values, then the budget's, then the user's.

    ``overrides`` are texts, read by the types of the fields. Raises ``FaultyInput`` with all that
    is wrong with any: FG-G010 an unknown name, FG-G011 a wrong value, FG-G012 one that the method
    refuses, FG-G013 a file that is no form.
    """
    path = form_file(name, form)
    config = load(name).Config
    kinds = field_kinds(config)
    faults: list[Fault] = []
    written = dict(_read_mapping(path.name, path.read_bytes(), faults))
    budgets = written.pop(BUDGETS, {})
    parts = _mappings(path.name, budgets, faults)
    values = _converted(path.name, written, kinds, faults)
    for of_budget, part in parts.items():  # all are looked at, so that no fault waits for its day
        found = _converted(f"{path.name}, {BUDGETS}, {of_budget}", part, kinds, faults)
        if of_budget == budget:
            values |= found
    values |= _parsed(overrides or {}, kinds, faults)
    return _construct(config, values, f"The form {form.value} of {name} cannot be used", faults)


def restore_config(config: type[Any], values: Mapping[str, object], where: str) -> Any:
    """The ``Config`` that :func:`plain_config` was made of. Raises as :func:`load_form`."""
    faults: list[Fault] = []
    read = _converted(where, values, field_kinds(config), faults)
    return _construct(config, read, f"{where} cannot be used", faults)


def plain_config(config: Any) -> dict[str, Any]:
    """The values of a configuration, as YAML and JSON have them."""
    return {name: plain_value(getattr(config, name)) for name in field_kinds(type(config))}


def _construct(
    config: type[Any], values: Mapping[str, object], what: str, faults: list[Fault]
) -> Any:
    for lacking in () if faults else missing_fields(config, values):
        fix = "write it into the form"
        faults.append(Fault("FG-G011", lacking, "no value", "a value: it has no default", fix))
    if not faults:
        try:
            return config(**values)
        except ValueError as error:
            fix = "give other values"
            faults.append(Fault("FG-G012", "the values", str(error), "what the method takes", fix))
    raise FaultyInput(what, faults)


def _read_mapping(where: str, text: bytes, faults: list[Fault]) -> Mapping[str, object]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        found = str(error).partition("\n")[0]
    if isinstance(found, dict) and all(isinstance(name, str) for name in found):
        return found
    fix = "write `name: value`, one a line"
    faults.append(Fault("FG-G013", where, f"{found!s:.200}", "names with values", fix))
    return {}


def _mappings(where: str, budgets: object, faults: list[Fault]) -> dict[str, Mapping[str, object]]:
    """What each budget changes."""
    known = [budget.value for budget in Budget]
    if not isinstance(budgets, dict) or not set(budgets) <= set(known):
        fix = f"budgets: {{{known[0]}: {{epochs: 1}}}}"
        expected = f"some of {', '.join(known)}, each with names and values"
        faults.append(Fault("FG-G013", f"{where}, {BUDGETS}", f"{budgets!s:.200}", expected, fix))
        return {}
    for name, part in budgets.items():
        if not isinstance(part, dict):
            expected, fix = "names with values", "write {} where nothing changes"
            found = f"{part!s:.200}"
            faults.append(Fault("FG-G013", f"{where}, {BUDGETS}, {name}", found, expected, fix))
    return {name: part for name, part in budgets.items() if isinstance(part, dict)}


def _converted(
    where: str, values: Mapping[str, object], kinds: Mapping[str, Any], faults: list[Fault]
) -> dict[str, Any]:
    return dict(_read(where, values, kinds, convert_value, faults))


def _parsed(
    overrides: Mapping[str, str], kinds: Mapping[str, Any], faults: list[Fault]
) -> dict[str, Any]:
    return dict(_read("--set", overrides, kinds, parse_value, faults))


def _read(
    where: str,
    values: Mapping[str, Any],
    kinds: Mapping[str, Any],
    reader: Any,
    faults: list[Fault],
) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if name not in kinds:
            near = get_close_matches(str(name), kinds, n=1)
            fix = f"did you mean {near[0]}?" if near else f"there are: {', '.join(kinds)}"
            found = f"{name!s:.80}"
            faults.append(Fault("FG-G010", where, found, "a name that the method knows", fix))
            continue
        try:
            yield name, reader(value, kinds[name])
        except ValueError:
            expected = describe_kind(kinds[name])
            found, fix = f"{value!s:.80}", "correct the value"
            faults.append(Fault("FG-G011", f"{where}, {name}", found, expected, fix))
